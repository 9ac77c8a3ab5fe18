/**
 * Nanoseconds a packet of generator and link together, in four configurations, each in turn over
 * several rounds; median and spread. Run with `npx tsx bench/gen.ts`.
 *
 * All four share one process, so `StartTimes` and the modes of `WeightedDraw` are as polymorphic as
 * they get; a run of the emulator uses one or two.
 */
import { HostMemory } from '../src/host/memory.ts';
import { Rng } from '../src/host/rng.ts';
import { ArrivalBlock, FrameTable } from '../src/wire/frames.ts';
import { planTraffic, TrafficSource } from '../src/wire/gen.ts';
import { Link, LinkFeed } from '../src/wire/link.ts';
import { parseTraffic } from '../src/wire/trafficSpec.ts';

const CONFIGS = [
  'udp size=64 rate=14.88Mpps',
  'udp size=64 flows=65536 rate=14.88Mpps arrivals=poisson',
  'udp:8,tcp:2 size=imix flows=16384 pattern=zipf rate=10Gbps burst=32',
  'udp size=64-1518 flows=1024 rate=line',
];
const PACKETS = 4_000_000;
const ROUNDS = 9;

function feedOf(text: string): LinkFeed {
  const plan = planTraffic(parseTraffic(text));
  const memory = new HostMemory(plan.frameBytes + 2 ** 16);
  const frames = new FrameTable(memory, memory.region('frames', plan.frameBytes));
  return new LinkFeed(new Link(100e9, 500_000), new TrafficSource(plan, frames, new Rng(1)));
}

function nsPerPacket(feed: LinkFeed, block: ArrivalBlock): number {
  const start = performance.now();
  for (let done = 0; done < PACKETS; done += block.count) feed.fill(block);
  return ((performance.now() - start) * 1e6) / PACKETS;
}

const block = new ArrivalBlock();
const rows = CONFIGS.map((text) => {
  const start = performance.now();
  const feed = feedOf(text);
  return { text, feed, buildMs: performance.now() - start, ns: [] as number[] };
});
for (let round = 0; round <= ROUNDS; round++) {
  for (const row of rows) {
    const ns = nsPerPacket(row.feed, block);
    if (round > 0) row.ns.push(ns);
  }
}
for (const { text, feed, buildMs, ns } of rows) {
  ns.sort((a, b) => a - b);
  const [low, median, high] = [0, ROUNDS >> 1, ROUNDS - 1].map((i) => ns[i]!.toFixed(1));
  console.log(`${median} ns a packet (${low} to ${high})  ${text}`);
  console.log(`    ${feed.frames.count} frames stored in ${buildMs.toFixed(0)} ms`);
}
