/**
 * Does the JavaScript heap stay flat? Pushes packets through `drop` and prints, at ten points on
 * the way, what is in use after a full collection.
 *
 *   node --expose-gc --import tsx bench/heap.ts [packets, 100e6 unless given] [example]
 *
 * Exits 1 when what is in use after the last tenth exceeds what was after the first by more than
 * `ALLOWED_BYTES`.
 */
import { END_OF_TIME } from '../src/host/clock.ts';
import { FLAT } from '../src/host/profiles.ts';
import { Rng } from '../src/host/rng.ts';
import { Machine } from '../src/machine.ts';
import type { NicConfig } from '../src/machine.ts';
import { planTraffic, TrafficSource } from '../src/wire/gen.ts';
import { Link, LinkFeed } from '../src/wire/link.ts';
import { parseTraffic } from '../src/wire/trafficSpec.ts';
import type { XdpProgramSpec } from '../src/xdp/define.ts';

const POINTS = 10;
const PPS = 10_000_000;
const LINE_BPS = 100e9;
/** Compiled code and its feedback still settle after the first tenth; 100 million packets that kept a byte each would be 90 MB. */
const ALLOWED_BYTES = 1_000_000;
const MIB = 2 ** 20;

const [packets = '100e6', example = 'drop'] = process.argv.slice(2);
const count = Math.round(Number(packets));

const nic = (i: number): NicConfig => ({
  ...{ name: `eth${i}`, mac: Uint8Array.of(2, 0, 0, 0, 0, i + 1), queues: 1, mtu: 1500 },
  ...{ rxRing: 511, txRing: 511, linkBps: LINE_BPS, rxUsecs: 10, rxFrames: 15 },
  ...{ txUsecs: 28, txFrames: 30, rxvlan: true, promisc: false, irqAffinity: [0] },
});

async function programNamed(name: string): Promise<XdpProgramSpec> {
  const module = (await import(`../examples/${name}.ts`)) as { default: XdpProgramSpec };
  return module.default;
}

function build(xdp: XdpProgramSpec, peer: XdpProgramSpec): Machine {
  const spec = { ...parseTraffic('udp size=64 flows=64'), count };
  const plan = planTraffic({ ...spec, rate: { kind: 'pps', pps: PPS } });
  const machine = new Machine(
    {
      ...{ seed: 1, cpus: 1, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT },
      ...{ nics: [nic(0), nic(1)], stack: true, check: false, eager: false },
    },
    plan.frameBytes,
  );
  machine.attachXdp(0, xdp);
  machine.attachXdp(1, peer);
  const source = new TrafficSource(plan, machine.frames, new Rng(7));
  machine.offer(0, new LinkFeed(new Link(LINE_BPS), source));
  return machine;
}

/** Bytes in use on V8's heap and in array buffers, with nothing left to collect. */
function inUse(): { heap: number; buffers: number } {
  if (globalThis.gc === undefined) throw new Error('run with node --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers };
}

const machine = build(await programNamed(example), await programNamed('pass'));
const step = ((count / PPS) * 1e12) / POINTS;
const used: number[] = [];
console.log(`${count} packets through ${example}; MiB in use after a full collection`);
for (let point = 1; point <= POINTS; point++) {
  machine.run(point === POINTS ? END_OF_TIME : step * point);
  const { heap, buffers } = inUse();
  used.push(heap + buffers);
  const received = machine.nics[0]!.nic.port.lanes[0]!.fates.received; // a whole result would itself settle in memory
  console.log(
    `${String(received).padStart(12)} received  heap ${(heap / MIB).toFixed(3)}  buffers ${(buffers / MIB).toFixed(3)}`,
  );
}
const growth = used.at(-1)! - used[0]!;
console.log(`growth from the first tenth to the end: ${growth} bytes`);
process.exitCode = growth > ALLOWED_BYTES ? 1 : 0;
