/**
 * The machine as the tools of its kernel would show it: the same lines, in the same form.
 *
 * Forms are those of ethtool 6.1 and iproute2 6.1; `napi` is what ynl prints of `netdev napi-get`.
 */
import type { EthtoolCoalesce } from '../driver/bnxt/ethtoolGet.ts';
import {
  bnxtGetChannels,
  bnxtGetCoalesce,
  bnxtGetRingparam,
  bnxtGetRxfh,
} from '../driver/bnxt/ethtoolGet.ts';
import { bnxtGetEthtoolStats } from '../driver/bnxt/ethtool.ts';
import type { Bnxt } from '../driver/bnxt/bnxt.ts';
import { PS_PER_NS } from '../host/clock.ts';
import type { Machine } from '../machine.ts';
import type { NetDevice, RtnlLinkStats64 } from '../stack/netdevice.ts';
import { IFF_PROMISC, devGetStats } from '../stack/netdevice.ts';
import { snmpGroups } from '../stack/snmp.ts';
import { softnetStat } from '../stack/softnet.ts';

export type ShowName = 'ethtool' | 'softnet' | 'ip' | 'napi' | 'nstat';
export const SHOW_NAMES: readonly ShowName[] = ['ethtool', 'softnet', 'ip', 'napi', 'nstat'];

/** One view as text: each command with its output below it. */
export function showMachine(machine: Machine, what: ShowName): string {
  switch (what) {
    case 'ethtool':
      return machine.nics.map(({ bp }) => ethtoolViews(bp)).join('\n');
    case 'softnet':
      return `$ cat /proc/net/softnet_stat\n${softnetLines(machine)}`;
    case 'ip':
      return `$ ip -s link show\n${machine.net.devList.map(ipLink).join('')}`;
    case 'napi':
      return `$ ynl --family netdev --dump napi-get\n${napiLines(machine)}`;
    case 'nstat':
      return `$ nstat\n${nstatLines(machine)}`;
  }
}

/** Of Ip, those that Linux has in /proc/net/netstat instead of /proc/net/snmp. */
const IP_EXT = ['InNoRoutes', 'InTruncatedPkts', 'InMcastPkts', 'InBcastPkts', 'InCsumErrors'];

const isExt = (group: string, name: string): boolean => group === 'Ip' && IP_EXT.includes(name);
const nstatLine = (name: string, n: number): string =>
  `${name.padEnd(32)}${String(n).padEnd(16)}${'0.0'.padStart(6)}`;

/** Counters that have moved, in the order of /proc/net/snmp, snmp6 and netstat; rates only a daemon has. */
function nstatLines({ net }: Machine): string {
  const all = Object.entries(net.inet === null ? {} : snmpGroups(net.inet.mib)).flatMap(
    ([group, counters]) => Object.entries(counters).map(([name, n]) => ({ group, name, n })),
  );
  const moved = all.filter(({ n }) => n > 0);
  return text([
    '#kernel',
    ...moved
      .filter((c) => !isExt(c.group, c.name))
      .map((c) => nstatLine(`${c.group}${c.name}`, c.n)),
    ...moved.filter((c) => isExt(c.group, c.name)).map((c) => nstatLine(`IpExt${c.name}`, c.n)),
  ]);
}

function ethtoolViews(bp: Bnxt): string {
  const { name } = bp.dev;
  return [
    `$ ethtool -S ${name}\n${statistics(bp)}`,
    `$ ethtool -c ${name}\n${coalesce(bp)}`,
    `$ ethtool -g ${name}\n${rings(bp)}`,
    `$ ethtool -l ${name}\n${channels(bp)}`,
    `$ ethtool -x ${name}\n${indirection(bp)}`,
  ].join('\n');
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const statistics = (bp: Bnxt): string =>
  text(['NIC statistics:', ...bnxtGetEthtoolStats(bp).map(([name, n]) => `     ${name}: ${n}`)]);

const onOff = (flag: boolean): string => (flag ? 'on' : 'off');

function coalesce(bp: Bnxt): string {
  const c = bnxtGetCoalesce(bp);
  return text([
    `Coalesce parameters for ${bp.dev.name}:`,
    `Adaptive RX: ${onOff(c.useAdaptiveRxCoalesce)}  TX: n/a`,
    `stats-block-usecs: ${c.statsBlockCoalesceUsecs}`,
    'sample-interval: n/a',
    'pkt-rate-low: n/a',
    'pkt-rate-high: n/a',
    '',
    ...coalesceSide('rx', c),
    '',
    ...coalesceSide('tx', c),
    '',
    ...['low', 'high'].flatMap((level) => [
      `rx-usecs-${level}: n/a`,
      `rx-frame-${level}: n/a`,
      `tx-usecs-${level}: n/a`,
      `tx-frame-${level}: n/a`,
      '',
    ]),
    `CQE mode RX: ${onOff(c.useCqeModeRx)}  TX: ${onOff(c.useCqeModeTx)}`,
    '',
  ]);
}

const coalesceSide = (side: 'rx' | 'tx', c: EthtoolCoalesce): string[] => [
  `${side}-usecs: ${c[`${side}CoalesceUsecs`]}`,
  `${side}-frames: ${c[`${side}MaxCoalescedFrames`]}`,
  `${side}-usecs-irq: ${c[`${side}CoalesceUsecsIrq`]}`,
  `${side}-frames-irq: ${c[`${side}MaxCoalescedFramesIrq`]}`,
];

const ringSizes = (rx: number, tx: number): string[] => [
  `RX:\t\t${rx}`,
  'RX Mini:\tn/a',
  'RX Jumbo:\tn/a',
  `TX:\t\t${tx}`,
];

function rings(bp: Bnxt): string {
  const r = bnxtGetRingparam(bp);
  return text([
    `Ring parameters for ${bp.dev.name}:`,
    'Pre-set maximums:',
    ...ringSizes(r.rxMaxPending, r.txMaxPending),
    'Current hardware settings:',
    ...ringSizes(r.rxPending, r.txPending),
    'RX Buf Len:\t\tn/a',
    'CQE Size:\t\tn/a',
    'TX Push:\toff',
    'TCP data split:\toff',
  ]);
}

function channels(bp: Bnxt): string {
  const c = bnxtGetChannels(bp);
  return text([
    `Channel parameters for ${bp.dev.name}:`,
    'Pre-set maximums:',
    ...[`RX:\t\t${c.maxRx}`, `TX:\t\t${c.maxTx}`, 'Other:\t\tn/a', `Combined:\t${c.maxCombined}`],
    'Current hardware settings:',
    ...['RX:\t\t0', 'TX:\t\t0', 'Other:\t\tn/a', `Combined:\t${c.combinedCount}`],
  ]);
}

const ENTRIES_A_LINE = 8;

function indirection(bp: Bnxt): string {
  const { rings: count, indir, key } = bnxtGetRxfh(bp);
  const rows: string[] = [];
  for (let i = 0; i < indir.length; i += ENTRIES_A_LINE) {
    const entries = [...indir.slice(i, i + ENTRIES_A_LINE)];
    rows.push(`${pad(i, 5)}: ${entries.map((ring) => ` ${pad(ring, 5)}`).join('')}`);
  }
  return text([
    `RX flow hash indirection table for ${bp.dev.name} with ${count} RX ring(s):`,
    ...rows,
    'RSS hash key:',
    [...key].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    'RSS hash function:',
    '    toeplitz: on',
    '    xor: off',
    '    crc32: off',
  ]);
}

const pad = (value: string | number, width: number): string => String(value).padStart(width);

const softnetLines = ({ net }: Machine): string =>
  text(
    net.softnet.map((sd) =>
      softnetStat(sd)
        .map((n) => n.toString(16).padStart(8, '0'))
        .join(' '),
    ),
  );

/** `qdisc mq` where there are several queues, as the kernel sets it up. */
function ipLink(dev: NetDevice): string {
  const flags = ['BROADCAST', 'MULTICAST', ...((dev.flags & IFF_PROMISC) === 0 ? [] : ['PROMISC'])];
  if (dev.up) flags.push('UP', 'LOWER_UP');
  const qdisc = dev.noQueue ? 'noqueue' : dev.tx.length > 1 ? 'mq' : 'pfifo_fast';
  const head =
    `${dev.ifindex}: ${dev.name}: <${flags.join(',')}> mtu ${dev.mtu} qdisc ${dev.up ? qdisc : 'noop'} ` +
    `state ${dev.up ? 'UP' : 'DOWN'} mode DEFAULT group default qlen ${dev.txQueueLen}`;
  return text([head, `    link/ether ${macText(dev)} brd ff:ff:ff:ff:ff:ff`, ...statsLines(dev)]);
}

function macText({ devAddr }: NetDevice): string {
  const hex =
    devAddr.hi16.toString(16).padStart(4, '0') + devAddr.lo32.toString(16).padStart(8, '0');
  return hex.match(/../g)!.join(':');
}

const RX_TITLES: readonly string[] = ['packets', 'errors', 'dropped', 'missed', 'mcast'];
const TX_TITLES: readonly string[] = ['packets', 'errors', 'dropped', 'carrier', 'collsns'];
/** Least widths of the columns, bytes first. @linux print_stats64; iproute2 ip/ipaddress.c */
const WIDTHS: readonly number[] = [10, 7, 6, 7, 7, 7];
const LAST_WIDTH = 10;

function statsLines(dev: NetDevice): string[] {
  const s: RtnlLinkStats64 = devGetStats(dev);
  const rx = [s.rxBytes, s.rxPackets, s.rxErrors, s.rxDropped, s.rxMissedErrors, s.multicast];
  const tx = [s.txBytes, s.txPackets, s.txErrors, s.txDropped, 0, 0];
  const widths = WIDTHS.map((least, i) =>
    Math.max(least, String(rx[i]).length, String(tx[i]).length),
  );
  const head = (side: string, titles: readonly string[]): string => {
    const rest = titles.map((title, i) => pad(title, widths[i + 1]!));
    return `    ${side}: ${[pad('bytes', widths[0]! - 4), ...rest, pad('', LAST_WIDTH)].join(' ')}`;
  };
  const row = (values: readonly number[]): string =>
    `    ${values.map((n, i) => `${pad(n, widths[i]!)} `).join('')}`;
  return [head('RX', RX_TITLES), row(rx), head('TX', TX_TITLES), row(tx)];
}

function napiLines({ net }: Machine): string {
  const napis = net.devList.flatMap((dev) =>
    dev.napis.map(
      ({ napiId, config, thread }) =>
        `{'defer-hard-irqs': ${config.deferHardIrqs}, 'gro-flush-timeout': ${config.groFlushTimeout / PS_PER_NS}, 'id': ${napiId}, 'ifindex': ${dev.ifindex}, 'irq-suspend-timeout': ${config.irqSuspendTimeout / PS_PER_NS}, 'threaded': '${thread === null ? 'disabled' : 'enabled'}'}`,
    ),
  );
  return text([`[${napis.join(',\n ')}]`]);
}
