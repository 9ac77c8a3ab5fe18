/**
 * What a TypeScript program costs: `bpfProgRunXdp` on one packet, wall nanoseconds a call.
 *
 * A unit benchmark, never quoted as the path. Rounds alternate between the loop with the call and
 * the same loop without it (frame copied into its page, stamp and context set); the difference of
 * the medians is shown beside both. Each program has a process of its own, because a call site that
 * has seen several is slower.
 *
 *   npx tsx bench/program.ts [drop|pass|echo|redirect|l4lb]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { costTable } from '../src/host/cost.ts';
import { FLAT } from '../src/host/profiles.ts';
import { Cpu } from '../src/host/cpu.ts';
import { Ledger } from '../src/host/ledger.ts';
import type { HostAddr } from '../src/host/memory.ts';
import { HostMemory, PAGE_SIZE } from '../src/host/memory.ts';
import { Rng } from '../src/host/rng.ts';
import { RxStamps, stampBytes } from '../src/host/stamps.ts';
import { Trace } from '../src/host/trace.ts';
import { Watch } from '../src/host/watch.ts';
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { XdpKernel } from '../src/xdp/kernel.ts';
import { DevMap } from '../src/xdp/maps/devmap.ts';
import type { XdpProg } from '../src/xdp/program.ts';
import { bpfProgRunXdp } from '../src/xdp/program.ts';
import type { RedirectTarget } from '../src/xdp/redirectTarget.ts';
import { XdpRxqInfo } from '../src/xdp/rxq.ts';
import { NETDEV_XDP_ACT_NDO_XMIT, XDP_ACTION_NAMES } from '../src/xdp/uapi.ts';
import { XDP_BUFF_BYTES, xdpInitBuff, xdpPrepareBuff } from '../src/xdp/xdpBuff.ts';

const NAMES = ['drop', 'pass', 'echo', 'redirect', 'l4lb'];
const PAGES = 512;
const CALLS = 1_000_000;
const ROUNDS = 11;
const HEADROOM = 256;
const SPORT = 34;
/** TCP over IPv4, 60 bytes, from 10.0.0.2:1000 to 10.0.0.1:80. */
const FRAME =
  '02000000000102000000000208004500002e00010000400600000a0000020a00000103e8005000000001000000025010200000000000000000000000';

const NEXT_NIC: RedirectTarget = {
  ...{ ifindex: 2, name: 'eth2', up: true, mtu: 1500, hardHeaderLen: 14 },
  xdpFeatures: NETDEV_XDP_ACT_NDO_XMIT,
  ndoXdpXmit: (_cpu, _frames, n) => n,
};

interface Bench {
  readonly mem: HostMemory;
  readonly cpu: Cpu;
  readonly rxq: XdpRxqInfo;
  readonly prog: XdpProg;
  readonly md: HostAddr;
  readonly pages: HostAddr;
  /** One frame per page, 64 bytes apart, each of another flow. */
  readonly frames: HostAddr;
  verdict: number;
}

function build(spec: XdpProgramSpec): Bench {
  const mem = new HostMemory(8 << 20);
  const cpu = new Cpu(0, costTable(FLAT));
  const watch = new Watch(new Trace(), new Ledger());
  const devices = { devGetByIndex: () => null };
  const bpf = { maps: mem.region('maps', 1 << 20), stacks: mem.region('program stacks', 8192) };
  const redirects = mem.region('redirects', PAGE_SIZE);
  const random = new Rng(1);
  const xdp = new XdpKernel({ mem, watch, random, cpus: [cpu], devices, bpf, redirects });
  const rxq = new XdpRxqInfo(
    xdp,
    1,
    0,
    new RxStamps(mem, mem.region('stamps', stampBytes(mem.bytes))),
  );
  const md = mem.region('contexts', XDP_BUFF_BYTES).at;
  const pages = mem.region('pages', PAGES * PAGE_SIZE).at;
  const frames = mem.region('frames', PAGES * 64).at;
  const frame = Buffer.from(FRAME, 'hex');
  for (let i = 0; i < PAGES; i++) {
    frame.writeUInt16BE(1000 + i, SPORT);
    mem.u8.set(frame, frames + i * 64);
  }
  xdpInitBuff(mem.words, md, PAGE_SIZE, 1, 0);
  const prog = spec.load(xdp);
  const { ports } = prog.maps;
  if (ports instanceof DevMap) ports.update(0, NEXT_NIC);
  return { mem, cpu, rxq, prog, md, pages, frames, verdict: -1 };
}

function runs(bench: Bench): number {
  const { mem, cpu, rxq, prog, md, pages, frames } = bench;
  const words = mem.words;
  const begin = performance.now();
  for (let i = 0; i < CALLS; i++) {
    const data = pages + (i & (PAGES - 1)) * PAGE_SIZE + HEADROOM;
    mem.copy(data, frames + (i & (PAGES - 1)) * 64, 60);
    rxq.stamps.set(data, cpu.now);
    xdpPrepareBuff(words, md, data - HEADROOM, HEADROOM, 60, true);
    bench.verdict = bpfProgRunXdp(prog, md, rxq, cpu);
  }
  return ((performance.now() - begin) * 1e6) / CALLS;
}

function baseline(bench: Bench): number {
  const { mem, cpu, rxq, md, pages, frames } = bench;
  const words = mem.words;
  const begin = performance.now();
  for (let i = 0; i < CALLS; i++) {
    const data = pages + (i & (PAGES - 1)) * PAGE_SIZE + HEADROOM;
    mem.copy(data, frames + (i & (PAGES - 1)) * 64, 60);
    rxq.stamps.set(data, cpu.now);
    xdpPrepareBuff(words, md, data - HEADROOM, HEADROOM, 60, true);
  }
  return ((performance.now() - begin) * 1e6) / CALLS;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function measure(name: string): Promise<void> {
  const file = (await import(`../examples/${name}.ts`)) as { default: XdpProgramSpec };
  const bench = build(file.default);
  const without: number[] = [];
  const withCall: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    without.push(baseline(bench));
    withCall.push(runs(bench));
  }
  const [base, total] = [median(without), median(withCall)];
  const [a, b, c] = [total - base, total, base].map((ns) => ns.toFixed(1));
  console.log(`${name.padEnd(10)} ${a} ns  (${b} - ${c}), ${XDP_ACTION_NAMES[bench.verdict]}`);
}

const wanted = process.argv[2];
if (wanted === undefined) {
  const self = fileURLToPath(import.meta.url);
  for (const name of NAMES) {
    spawnSync(process.execPath, [...process.execArgv, self, name], { stdio: 'inherit' });
  }
} else if (NAMES.includes(wanted)) await measure(wanted);
else {
  console.error(`program: ${wanted} is none of ${NAMES.join(', ')}`);
  process.exitCode = 2;
}
