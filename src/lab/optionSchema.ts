/**
 * The options of a run: one schema for command lines and scenario files alike, each option with
 * its kind, group, default and one sentence of help.
 *
 * Long because it is one table: flags, scenario keys, help and README are all read off it.
 */
import * as z from 'zod';
import { PS_PER_SEC } from '../host/clock.ts';
import { PROFILES } from '../host/profiles.ts';
import { macIsMulticast, parseMac } from '../wire/eth.ts';
import { parseCount, parseDuration } from '../wire/quantities.ts';
import { parseTraffic, TRAFFIC_DEFAULT, withTrafficWord } from '../wire/trafficSpec.ts';
import { parseCidr4, parseCidr6 } from './addresses.ts';
import type { AppOptions } from './appOptions.ts';
import type { TimedChange } from './changeSpec.ts';
import { timedChange } from './changeSpec.ts';
import { appSchema, appsOfText } from './appOptions.ts';
import type { NeighConfig, RouteConfig } from '../machine/routeConfig.ts';
import type { ShowName } from '../machine/show.ts';
import { SHOW_NAMES } from '../machine/show.ts';
import type { HwrmCfaNtupleFilterAllocInput } from '../nic/hsi/hwrm.ts';
import { kebab } from './optionNames.ts';
import * as kind from './optionKinds.ts';
import { profileNameRefused } from './profileFile.ts';
import { BUSY_POLL_BUDGET } from '../stack/busyPoll.ts';
import { parseReplay } from './replayMode.ts';
import type { RpFilter } from '../stack/fibValidateSource.ts';
import { RP_FILTERS } from '../stack/fibValidateSource.ts';
import type { PacketMatch } from '../stack/packetFilter.ts';
import type { FlowHash } from './steering.ts';
import { parseRawDrop, parseTcDrop } from './dropRules.ts';
import { parseNeigh, parseRoute } from './routes.ts';
import { parseFlowHash, parseNtuple, parseRssKey } from './steering.ts';

/** What one NIC of a scenario says of itself; the run's own options hold for what it leaves out. */
export interface NicOptions {
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly chip?: 'p4' | 'p5' | undefined;
  readonly queues?: number | undefined;
  readonly rxRing?: number | undefined;
  readonly txRing?: number | undefined;
  readonly mtu?: number | undefined;
  readonly link?: number | undefined;
  readonly rxUsecs?: number | undefined;
  readonly rxFrames?: number | undefined;
  readonly rxUsecsIrq?: number | undefined;
  readonly rxFramesIrq?: number | undefined;
  readonly txUsecs?: number | undefined;
  readonly txFrames?: number | undefined;
  readonly txUsecsIrq?: number | undefined;
  readonly txFramesIrq?: number | undefined;
  readonly adaptiveRx?: boolean | undefined;
  readonly cqeModeRx?: boolean | undefined;
  readonly cqeModeTx?: boolean | undefined;
  readonly rxvlan?: boolean | undefined;
  readonly irqAffinity?: readonly number[] | undefined;
  readonly rps?: readonly number[] | undefined;
  readonly groFlushTimeout?: number | undefined;
  readonly napiDeferHardIrqs?: number | undefined;
  readonly threaded?: boolean | undefined;
  readonly addr?: string | undefined;
  readonly addr6?: string | undefined;
}

export interface RunOptions {
  readonly xdp: string;
  readonly btf?: string | undefined;
  readonly verify: boolean;
  readonly program?: string | undefined;
  readonly sec?: string | undefined;
  readonly maps?: string | undefined;
  readonly at: readonly TimedChange[];
  readonly mapsOut?: string | undefined;
  readonly xdpPeer: string;
  readonly xdpMode: 'native';
  readonly in?: string | undefined;
  readonly replay?: string | undefined;
  readonly traffic?: string | undefined;
  readonly rate?: string | undefined;
  readonly size?: string | undefined;
  readonly flows?: string | undefined;
  readonly pattern?: string | undefined;
  readonly count?: number | undefined;
  /** Picoseconds. */
  readonly duration?: number | undefined;
  readonly chip: 'p4' | 'p5';
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly rxUsecs: number;
  readonly rxFrames: number;
  readonly rxUsecsIrq: number;
  readonly rxFramesIrq: number;
  readonly txUsecs: number;
  readonly txFrames: number;
  readonly txUsecsIrq: number;
  readonly txFramesIrq: number;
  readonly adaptiveRx: boolean;
  readonly cqeModeRx: boolean;
  readonly cqeModeTx: boolean;
  readonly rxvlan?: boolean | undefined;
  readonly rssKey?: Uint8Array | undefined;
  readonly rssEqual?: number | undefined;
  readonly rssIndir?: readonly number[] | undefined;
  readonly rxFlowHash?: FlowHash | undefined;
  readonly ntuple?: readonly HwrmCfaNtupleFilterAllocInput[] | undefined;
  /** Gb/s. */
  readonly link: number;
  readonly mtu: number;
  readonly nics: readonly NicOptions[];
  readonly stack: boolean;
  readonly apps: readonly AppOptions[];
  readonly appCpu?: number | undefined;
  readonly appCpus?: readonly number[] | undefined;
  readonly appThreads: number;
  readonly busyPoll: number;
  readonly busyPollBudget: number;
  readonly preferBusyPoll: boolean;
  readonly groFlushTimeout: number;
  readonly napiDeferHardIrqs: number;
  readonly irqSuspendTimeout: number;
  readonly threaded: boolean;
  readonly threadCpus?: readonly number[] | undefined;
  readonly rps?: readonly number[] | undefined;
  readonly tcDrop?: readonly PacketMatch[] | undefined;
  readonly rawDrop?: readonly PacketMatch[] | undefined;
  readonly ipForward: boolean;
  readonly rpFilter?: RpFilter | undefined;
  readonly route?: readonly RouteConfig[] | undefined;
  readonly neigh?: readonly NeighConfig[] | undefined;
  readonly budget: number;
  readonly netdevBudget: number;
  readonly netdevBudgetUsecs?: number | undefined;
  readonly hz: number;
  readonly cpus: number;
  readonly irqAffinity?: readonly number[] | undefined;
  /** Of a built-in profile, or of a file. */
  readonly profile: string;
  readonly breakdown: boolean;
  readonly clients?: number | undefined;
  /** Picoseconds. */
  readonly think?: number | undefined;
  /** Picoseconds. */
  readonly cable?: number | undefined;
  readonly clientDelay?: number | undefined;
  readonly clientUpdates?: number | undefined;
  readonly clientAck?: number | undefined;
  readonly stages: boolean;
  /** Picoseconds. */
  readonly sample?: number | undefined;
  readonly seed: number;
  readonly eager: boolean;
  readonly check: boolean;
  readonly txOut?: string | undefined;
  readonly passOut?: string | undefined;
  readonly show?: readonly ShowName[] | undefined;
  readonly watch: boolean;
  readonly speed: number;
  readonly control?: string | undefined;
  readonly json: boolean;
}

type OptionGroup = 'Sweep' | 'Program' | 'Traffic' | 'NIC' | 'Kernel' | 'Machine' | 'Output';

export interface OptionInfo {
  readonly key: string;
  /** As on the command line, `--rx-ring`. */
  readonly flag: string;
  /** Placeholder of its value; empty for a flag. */
  readonly value: string;
  readonly allowed: string;
  readonly group: OptionGroup;
  /** One sentence. */
  readonly help: string;
  /** In words; empty where the help says it. */
  readonly fallback: string;
}

const infos = z.registry<{ info: Omit<OptionInfo, 'key' | 'flag'> }>();

function base<T>(of: kind.Kind<T>): z.ZodType<T> {
  return z.unknown().transform((raw, ctx): T => {
    try {
      return of.read(raw);
    } catch (error) {
      if (!(error instanceof kind.Refusal)) throw error;
      ctx.addIssue(raw === undefined ? `is missing (${of.allowed})` : error.message);
      return z.NEVER;
    }
  });
}

/** An option with a default. */
function option<T>(of: kind.Kind<T>, group: OptionGroup, fallback: T, help: string): z.ZodType<T> {
  const { value, allowed } = of;
  const isFlag = value === '';
  const shown = typeof fallback === 'boolean' ? (fallback ? 'on' : 'off') : String(fallback);
  const info = { value, allowed, group, help, fallback: isFlag ? '' : shown };
  return z
    .optional(base(of))
    .transform((given) => given ?? fallback)
    .register(infos, { info });
}

/** An option that may be absent. */
function absent<T>(
  of: kind.Kind<T>,
  group: OptionGroup,
  help: string,
): z.ZodOptional<z.ZodType<T>> {
  const { value, allowed } = of;
  return z
    .optional(base(of))
    .register(infos, { info: { value, allowed, group, help, fallback: '' } });
}

const MOST_CLIENTS = 16_384;
const MTU_MAX = 3502;
const SECONDS_MAX = 9007;

const chip = kind.word<'p4' | 'p5'>(['p4', 'p5'], {});
const queues = kind.whole(1, 64);
const rxRing = kind.whole(1, 8191);
const txRing = kind.whole(19, 2047);
/** What the chip's timer of 16 bits reaches, at 80 ns a tick. */
const usecs = kind.whole(0, 5242, 'µs');
const frames = kind.whole(1, 64);
/** Beyond 64 only where the profile's NIC takes that: `setup.ts` sees to it. */
const rxFrames = kind.whole(1, 32_767);
/** No poll limits how many completions of transmission are gathered. */
const txFrames = kind.whole(1, 128);
const link = kind.between(0.001, 1000, 'Gb/s');
const mtu: kind.Kind<number> = {
  value: 'N',
  allowed: `68 to ${MTU_MAX} bytes`,
  read(raw) {
    const n = kind.whole(68, 9500, 'bytes').read(raw);
    if (n > MTU_MAX) throw new kind.Refusal(kind.notBuilt(`above ${MTU_MAX}`, 'XDP frags'));
    return n;
  },
};
const trafficWord = (word: string): kind.Kind<string> =>
  kind.judged(word.toUpperCase(), '', (place, text) =>
    withTrafficWord(TRAFFIC_DEFAULT, word, text, place),
  );

/** Its messages begin with `traffic`, which the option's name says already. */
function judgeTraffic(_place: string, text: string): void {
  try {
    parseTraffic(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new kind.Refusal(error.message.replace(/^traffic /, ''));
  }
}

/** @linux dev_valid_name; IFNAMSIZ less its zero */
const nicName: kind.Kind<string> = {
  ...kind.anyText('NAME'),
  read(raw) {
    const name = kind.anyText('NAME').read(raw);
    if (/^[!-.0-9;-~]{1,15}$/.test(name) && name !== '.' && name !== '..') return name;
    const form = '1 to 15 characters, neither / nor : nor blanks';
    throw new kind.Refusal(`${JSON.stringify(name)} is no name for a NIC (${form})`);
  },
};

/** @linux is_valid_ether_addr */
function judgeMac(_place: string, text: string): void {
  const { hi16, lo32 } = parseMac(text);
  if (!macIsMulticast(hi16) && (hi16 !== 0 || lo32 !== 0)) return;
  throw new kind.Refusal(`${text} is no address of one NIC (even first octet, not all zero)`);
}

const nicSchema = z.strictObject(
  {
    name: z.optional(base(nicName)),
    mac: z.optional(base(kind.judged('MAC', '', judgeMac))),
    chip: z.optional(base(chip)),
    queues: z.optional(base(queues)),
    rxRing: z.optional(base(rxRing)),
    txRing: z.optional(base(txRing)),
    mtu: z.optional(base(mtu)),
    link: z.optional(base(link)),
    rxUsecs: z.optional(base(usecs)),
    rxFrames: z.optional(base(rxFrames)),
    rxUsecsIrq: z.optional(base(usecs)),
    rxFramesIrq: z.optional(base(frames)),
    txUsecs: z.optional(base(usecs)),
    txFrames: z.optional(base(txFrames)),
    txUsecsIrq: z.optional(base(usecs)),
    txFramesIrq: z.optional(base(frames)),
    adaptiveRx: z.optional(base(kind.onOff)),
    cqeModeRx: z.optional(base(kind.onOff)),
    cqeModeTx: z.optional(base(kind.onOff)),
    rxvlan: z.optional(base(kind.onOff)),
    irqAffinity: z.optional(base(kind.numbers(kind.cpu))),
    rps: z.optional(base(kind.numbers(kind.cpu))),
    groFlushTimeout: z.optional(base(kind.whole(0, 1_000_000_000, 'ns'))),
    napiDeferHardIrqs: z.optional(base(kind.whole(0, 2_147_483_647))),
    threaded: z.optional(base(kind.onOff)),
    addr: z.optional(base(kind.judged('ADDR/LEN', '', (_, text) => parseCidr4(text)))),
    addr6: z.optional(base(kind.judged('ADDR/LEN', '', (_, text) => parseCidr6(text)))),
  },
  {
    error: ({ code }) =>
      code === 'invalid_type' ? 'expected options as "name: value"' : undefined,
  },
);

const appsSchema = z
  .optional(
    z.preprocess(
      (raw, ctx) => {
        try {
          return appsOfText(raw);
        } catch (error) {
          if (!(error instanceof kind.Refusal)) throw error;
          ctx.addIssue(error.message);
          return z.NEVER;
        }
      },
      z.array(appSchema(base), 'expected a list of apps').max(64, 'needs 64 apps at most'),
    ),
  )
  .transform((given) => given ?? []);

const atSchema = z
  .optional(
    z.preprocess(
      // semicolons stand between changes, where no bracket or quote holds them
      (raw) => (typeof raw === 'string' ? raw.split(/;(?![^{[]*[}\]])/) : raw),
      z.array(base(timedChange), 'expected a list of changes').max(10_000, 'needs 10,000 at most'),
    ),
  )
  .transform((given) => given ?? []);

const shape = {
  xdp: option(
    kind.file,
    'Program',
    'l4lb',
    'XDP program of the first NIC: an eBPF object (.o), a .ts or .js file, an example (drop, pass, echo, redirect, redirect-ifindex, router, l4lb) or none; several with commas run in turn.',
  ),
  program: absent(kind.anyText('NAME'), 'Program', 'Program of the object by its function.'),
  sec: absent(kind.anyText('SECTION'), 'Program', 'Program of the object by its section.'),
  btf: absent(
    kind.file,
    'Program',
    "A kernel's types, which CO-RE relocates objects against: BTF as /sys/kernel/btf/vmlinux, or an ELF file with it.",
  ),
  verify: option(
    kind.onOff,
    'Program',
    true,
    "Refuse objects that Linux's verifier refuses; off runs them with every access tested, which Linux cannot.",
  ),
  at: atSchema.register(infos, {
    info: {
      value: 'TIME CHANGE;…',
      allowed: '',
      group: 'Program',
      help: 'Change the running machine: "1ms update MAP KEY VALUE; 2ms delete MAP KEY; 3ms xdp FILE; 4ms fault POINT"; KEY and VALUE in hex or as their types say.',
      fallback: '',
    },
  }),
  maps: absent(kind.file, 'Program', 'Start from the maps of this file, as --maps-out writes it.'),
  xdpPeer: option(
    kind.file,
    'Program',
    'pass',
    'XDP program of the other NICs; without one they refuse redirected frames.',
  ),
  xdpMode: option(
    kind.word<'native'>(['native'], { generic: 'generic XDP', offload: 'offloaded programs' }),
    'Program',
    'native',
    'Where the program runs.',
  ),

  in: absent(
    kind.file,
    'Traffic',
    'Replay a pcap or pcapng file into the first NIC, which turns promiscuous.',
  ),
  replay: absent(
    kind.judged('MODE', '', parseReplay),
    'Traffic',
    'Timing of --in: original (unless set), x10 for ten times as fast, 1Mpps for a fixed rate, or asap for line rate.',
  ),
  traffic: absent(
    kind.judged('SPEC', '', judgeTraffic),
    'Traffic',
    'Generated frames, as in "udp size=64 flows=1024 rate=14.88Mpps"; also pattern, burst, arrivals, queue, stall, vlan, dst.',
  ),
  rate: absent(trafficWord('rate'), 'Traffic', 'Replaces the rate of --traffic.'),
  size: absent(
    trafficWord('size'),
    'Traffic',
    'Replaces the frame size of --traffic, FCS counted.',
  ),
  flows: absent(trafficWord('flows'), 'Traffic', 'Replaces the flows of --traffic.'),
  pattern: absent(
    trafficWord('pattern'),
    'Traffic',
    'Replaces what --traffic says of how packets spread over flows.',
  ),
  count: absent(
    kind.parsed('N', '1 to 1000G', (place, text) => parseCount(place, text, 1, 1e12)),
    'Traffic',
    'Stop after this many frames; 1,000,000 unless --duration or --in says otherwise.',
  ),
  duration: absent(
    kind.parsed('TIME', `up to ${SECONDS_MAX} s`, parseDuration),
    'Traffic',
    'Stop offering frames after this virtual time, such as 5ms.',
  ),

  clients: absent(
    kind.whole(1, MOST_CLIENTS),
    'Traffic',
    'Closed loop: so many clients ask the first of --apps (or port 9), each one request at a time; --count requests in all, 100,000 unless set.',
  ),
  think: absent(
    kind.parsed('TIME', '', parseDuration),
    'Traffic',
    'Mean time between an answer and the next request of a client; none unless set.',
  ),
  cable: absent(
    kind.parsed('TIME', '1ps to 1s', (place, text) =>
      parseDuration(place, text, PS_PER_SEC, '1ps to 1s'),
    ),
    'Traffic',
    'What a frame takes between clients and the first NIC, each way; 5us unless set. A client waits 10 ms longer than both ways take, and asks again.',
  ),
  clientDelay: absent(
    kind.parsed('TIME', '', parseDuration),
    'Traffic',
    'Mean time, exponentially distributed, until a client sees an answer that is there: a part of its round trip; none unless set.',
  ),
  clientUpdates: absent(
    kind.whole(0, 100, '%'),
    'Traffic',
    'So many requests of a hundred carry a value besides, of the lengths that memcached has (mutilate: fb_value); none unless set.',
  ),
  clientAck: absent(
    kind.whole(1, 65_535),
    'Traffic',
    'Acknowledge each answer, once the client sees it, with a datagram of 64 bytes to this UDP port, as TCP would with a segment; none unless set.',
  ),

  chip: option(
    chip,
    'NIC',
    'p4',
    'Generation of the NIC: p5 has notification queues above its completion rings.',
  ),
  queues: option(queues, 'NIC', 4, 'Combined RX and TX queues of each NIC.'),
  rxRing: option(rxRing, 'NIC', 511, 'RX descriptors of each queue.'),
  txRing: option(txRing, 'NIC', 511, 'TX descriptors of each queue.'),
  rxUsecs: option(usecs, 'NIC', 10, 'Interrupt at the latest this long after a completion.'),
  rxFrames: option(
    rxFrames,
    'NIC',
    15,
    'Interrupt after this many frames; bnxt takes 64 at most, the NIC of a profile maybe more.',
  ),
  rxUsecsIrq: option(
    usecs,
    'NIC',
    1,
    'How long completions gather in the NIC at most, from the interrupt until the ring is armed again.',
  ),
  rxFramesIrq: option(
    frames,
    'NIC',
    1,
    'How many frames gather likewise; 1: each is written at once. Hardware ends at 32. Where the NIC of --profile is no bnxt, the -irq options have their defaults alone.',
  ),
  txUsecs: option(
    usecs,
    'NIC',
    28,
    'As --rx-usecs, for the completion rings of transmission alone (with XDP, or on P5).',
  ),
  txFrames: option(txFrames, 'NIC', 30, 'As --rx-frames, for the same rings.'),
  txUsecsIrq: option(usecs, 'NIC', 2, 'As --rx-usecs-irq, for the same rings.'),
  txFramesIrq: option(frames, 'NIC', 2, 'As --rx-frames-irq, for the same rings.'),
  adaptiveRx: option(
    kind.onOff,
    'NIC',
    false,
    'Let DIM choose rx-usecs from what the last 64 interrupts brought.',
  ),
  cqeModeRx: option(
    kind.onOff,
    'NIC',
    false,
    'Count --rx-usecs from the last completion instead of the first: every frame starts the timer anew.',
  ),
  cqeModeTx: option(kind.onOff, 'NIC', false, 'As --cqe-mode-rx, for --tx-usecs.'),
  rxvlan: absent(
    kind.onOff,
    'NIC',
    'Strip the outer VLAN tag before XDP sees it; on, but off with --in.',
  ),
  rssKey: absent(
    kind.parsed('HEX', '40 bytes, as 6d:5a:…', parseRssKey),
    'NIC',
    'Hash key of the first NIC; random from the seed unless set.',
  ),
  rssEqual: absent(queues, 'NIC', 'Spread flows evenly over the first N queues of the first NIC.'),
  rssIndir: absent(
    kind.numbers(kind.whole(0, 63)),
    'NIC',
    'Indirection table of the first NIC, repeated until its 128 entries are full.',
  ),
  rxFlowHash: absent(
    kind.parsed('FLOW', '', parseFlowHash),
    'NIC',
    'What is hashed, by kind of flow: "udp4 sd" for addresses alone, "tcp6 sdfn" for ports too.',
  ),
  ntuple: absent(
    kind.several('RULE', parseNtuple),
    'NIC',
    'Rules of the first NIC as ethtool -N takes them, separated by semicolons: "udp4 dst-port 53 action 2".',
  ),
  link: option(link, 'NIC', 100, 'Speed of each link in Gb/s.'),
  mtu: option(mtu, 'NIC', 1500, 'MTU of each NIC; longer frames are dropped in the MAC.'),
  irqAffinity: absent(
    kind.numbers(kind.cpu),
    'NIC',
    "CPU of each queue's interrupt, in the order of queues; queue i on CPU i unless set.",
  ),

  stack: option(
    kind.onOff,
    'Kernel',
    true,
    'Take what is passed up the stack; off ends it at the door, counted.',
  ),
  apps: appsSchema.register(infos, {
    info: {
      value: 'KIND:PORT[:BATCH],…',
      allowed: '',
      group: 'Kernel',
      help: 'Applications on UDP ports: sink, echo, server (short replies), memcached (values as replies) or capture; each reads up to 32 datagrams with a call unless BATCH is given (memcached: 1); a scenario says more (cpu, cpus, threads, rcvbuf, connect, reply, keep).',
      fallback: '',
    },
  }),
  appCpu: absent(
    kind.cpu,
    'Kernel',
    'CPU of the applications that do not say their own; the last one unless set.',
  ),
  appCpus: absent(
    kind.numbers(kind.cpu),
    'Kernel',
    'Instead: CPUs that their threads may wake on, where Linux would place them; thread i begins on the i-th.',
  ),
  appThreads: option(
    kind.whole(1, 64),
    'Kernel',
    1,
    'Threads of an application that does not say its own; thread i has a socket (SO_REUSEPORT) for RX queue i.',
  ),
  busyPoll: option(
    kind.whole(0, 1_000_000, 'µs'),
    'Kernel',
    0,
    'Applications wait in epoll_wait and poll the NIC for so long before they sleep; 0: they block.',
  ),
  busyPollBudget: option(
    kind.whole(1, 65_535),
    'Kernel',
    BUSY_POLL_BUDGET,
    'Packets of one busy poll.',
  ),
  preferBusyPoll: option(
    kind.onOff,
    'Kernel',
    false,
    'While applications busy-poll, softirqs keep away (EPIOCSPARAMS prefer_busy_poll); without --busy-poll they poll once before they sleep.',
  ),
  groFlushTimeout: option(
    kind.whole(0, 1_000_000_000, 'ns'),
    'Kernel',
    0,
    'Instead of an interrupt that is deferred, a timer polls after so long.',
  ),
  napiDeferHardIrqs: option(
    kind.whole(0, 2_147_483_647),
    'Kernel',
    0,
    'Polls without work before interrupts come back; needs --gro-flush-timeout to act.',
  ),
  irqSuspendTimeout: option(
    kind.whole(0, 1_000_000_000, 'ns'),
    'Kernel',
    0,
    'How long interrupts stay off while a busy-polling application works on what it found.',
  ),
  threaded: option(
    kind.onOff,
    'Kernel',
    false,
    'Each NAPI is polled by a thread of its own (napi/<name>-<id>) instead of in softirqs.',
  ),
  threadCpus: absent(
    kind.numbers(kind.cpu),
    'Kernel',
    "CPU of each queue's NAPI thread, in the order of queues; that of its interrupt unless set.",
  ),
  rps: absent(
    kind.numbers(kind.cpu),
    'Kernel',
    'CPUs that take packets into the stack, by flow; the one that received them unless set.',
  ),
  tcDrop: absent(
    kind.several('RULE', parseTcDrop),
    'Kernel',
    'Drop at traffic control\'s ingress, as tc-flower would (packets with a VLAN tag: "all" alone): "udp dport 53", "src 10.0.0.0/8", "all"; rules separated by semicolons.',
  ),
  rawDrop: absent(
    kind.several('RULE', parseRawDrop),
    'Kernel',
    'Drop IPv4 packets as iptables -t raw -A PREROUTING … -j DROP would; rules as for --tc-drop.',
  ),
  ipForward: option(
    kind.flag,
    'Kernel',
    false,
    'Be a router for IPv4, as with net.ipv4.ip_forward=1; traffic for others is made with dst=ADDR in --traffic.',
  ),
  rpFilter: absent(
    kind.word<RpFilter>(RP_FILTERS),
    'Kernel',
    "Reverse path filter of IPv4, net.ipv4.conf.all.rp_filter 0, 1 or 2: the way back to a packet's sender leads out of the NIC it came in by (strict), or anywhere (loose); off unless set, as in Linux.",
  ),
  route: absent(
    kind.several('ROUTE', parseRoute),
    'Kernel',
    'Routes as ip route add takes them, separated by semicolons: "10.2.0.0/16 via 10.0.1.254; default dev eth1; blackhole 10.3.0.0/16".',
  ),
  neigh: absent(
    kind.several('NEIGH', parseNeigh),
    'Kernel',
    'Permanent IPv4 neighbours as ip neigh add takes them: "10.0.1.9 lladdr 02:00:00:00:00:09 dev eth1".',
  ),
  budget: option(
    kind.whole(1, 1024),
    'Kernel',
    64,
    'NAPI weight, the budget of one poll; Linux takes more than 64 too, but logs an error.',
  ),
  netdevBudget: option(
    kind.whole(1, 2_147_483_647),
    'Kernel',
    300,
    'Packets that one softirq run may receive.',
  ),
  netdevBudgetUsecs: absent(
    kind.whole(0, 2_147_483_647, 'µs'),
    'Kernel',
    'Time of one softirq run, rounded to ticks; 2,000,000 / hz unless set.',
  ),
  hz: option(kind.oneOf([100, 250, 300, 1000]), 'Kernel', 250, 'Ticks a second.'),

  cpus: option(kind.whole(1, 64), 'Machine', 4, 'CPUs of the machine.'),
  profile: option(
    kind.checked('NAME|FILE', PROFILES.map((p) => p.name).join(', '), profileNameRefused),
    'Machine',
    'flat',
    'Cost profile: what each operation takes.',
  ),
  stages: option(
    kind.flag,
    'Output',
    false,
    'Say how long packets wait for DMA, interrupt, poll, verdict, socket and wire.',
  ),
  sample: absent(
    kind.parsed('TIME', '', parseDuration),
    'Output',
    'Note rings and losses at this distance, for the JSON document; twice as far apart each time there are 2048. What a poll loses counts where it began.',
  ),
  breakdown: option(kind.flag, 'Output', false, 'Say where the time went, operation by operation.'),
  seed: option(kind.whole(0, 0xffffffff), 'Machine', 1, 'Same seed and options, same bytes.'),
  eager: option(
    kind.flag,
    'Machine',
    false,
    'Simulate every arrival as its own event: slow, for those who change the driver.',
  ),
  check: option(
    kind.flag,
    'Machine',
    false,
    'Record the owner of every page, refuse wrong hand-overs.',
  ),
  nics: z
    .optional(
      z
        .array(nicSchema, 'expected a list of NICs')
        .min(1, 'needs 1 to 16 NICs')
        .max(16, 'needs 1 to 16 NICs'),
    )
    .transform((given) => given ?? [{}, {}]),

  mapsOut: absent(
    kind.file,
    'Output',
    "Write what the first NIC's program leaves in its maps to a JSON file.",
  ),
  txOut: absent(kind.file, 'Output', 'Write what leaves on the wires to a pcapng file.'),
  passOut: absent(kind.file, 'Output', 'Write what is passed to the stack to a pcapng file.'),
  show: absent(
    kind.words(SHOW_NAMES),
    'Output',
    "Print the end as the kernel's tools would: ethtool, softnet, ip, napi, nstat (the counters of /proc/net/snmp).",
  ),
  watch: option(
    kind.flag,
    'Output',
    false,
    'Run at the pace of the clock on the wall and take commands: changes as in --at, dump, stats, help.',
  ),
  speed: option(
    kind.between(1e-6, 1000, 'virtual seconds a second'),
    'Output',
    1,
    'Pace of --watch; slower where the machine is too slow for it.',
  ),
  control: absent(
    kind.anyText('SOCKET'),
    'Output',
    'Take the commands of --watch at this Unix socket as well; map dump, lookup and update take it as FILE.',
  ),
  json: option(kind.flag, 'Output', false, 'Print one JSON document instead of tables.'),
};

export const RUN_SCHEMA: z.ZodType<RunOptions> = z.strictObject(shape);

/** Every option that a command line may have, in the order of help. */
export const RUN_OPTIONS: readonly OptionInfo[] = Object.entries(shape).flatMap(([key, type]) => {
  const known = infos.get(type);
  return known === undefined ? [] : [{ key, flag: `--${kebab(key)}`, ...known.info }];
});

export const RUN_KEYS: readonly string[] = Object.keys(shape);
/** Options that a scenario may gather under `steering:`. */
export const STEERING_KEYS: readonly string[] = [
  'rssKey',
  'rssEqual',
  'rssIndir',
  'rxFlowHash',
  'ntuple',
];
export const NIC_KEYS: readonly string[] = Object.keys(nicSchema.shape);
export const APP_KEYS: readonly string[] = Object.keys(appSchema(base).shape);
