import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { HostMemory } from '../../src/host/memory.ts';
import { Rng } from '../../src/host/rng.ts';
import { CountedArrivals, DEFAULT_COUNT, replayPlan, trafficPlan } from '../../src/lab/arrivals.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import type { RunOptions } from '../../src/lab/optionSchema.ts';
import type { Capture } from '../../src/wire/capture.ts';
import { PcapngWriter, readCapture } from '../../src/wire/capture.ts';
import type { ArrivalSource } from '../../src/wire/frames.ts';
import { ArrivalBlock, BLOCK, FrameTable } from '../../src/wire/frames.ts';

const options = (flags: Record<string, unknown>): RunOptions => readOptions([fromFlags(flags)]);

const memories = new WeakMap<FrameTable, HostMemory>();
const memoryOf = (frames: FrameTable): HostMemory => memories.get(frames)!;

const table = (bytes: number): FrameTable => {
  const mem = new HostMemory(bytes + 65536);
  const frames = new FrameTable(mem, mem.region('frames', bytes + 1));
  memories.set(frames, mem);
  return frames;
};

function drained(source: ArrivalSource, block: ArrivalBlock = new ArrivalBlock()): number[] {
  const times: number[] = [];
  for (source.fill(block); block.count > 0; source.fill(block)) {
    times.push(...block.at.subarray(0, block.count));
  }
  return times;
}

/** Frames at 0, 1, … µs, each one byte longer than the one before. */
function capture(frames: number): Capture {
  const writer = new PcapngWriter({ interfaces: ['eth0'] });
  const bytes = new Uint8Array(64 + frames);
  for (let i = 0; i < frames; i++) writer.frame(0, i * 1_000_000, bytes, 0, 60 + i);
  return readCapture(writer.finish(), 'some.pcapng');
}

describe('generated traffic', () => {
  test('ends after a million frames, --count, or --duration', () => {
    expect(trafficPlan(options({})).total).toBe(DEFAULT_COUNT);
    expect(trafficPlan(options({ count: '7' })).total).toBe(7);
    expect(trafficPlan(options({ duration: '1ms' })).total).toBeUndefined();
    const both = trafficPlan(options({ traffic: 'udp rate=1M', count: '7', duration: '5us' }));
    expect(drained(both.source(table(both.frameBytes), new Rng(1)))).toHaveLength(5);
  });

  test('is sent to the first NIC, whatever its address', () => {
    const plan = trafficPlan({ ...options({ count: '1' }), nics: [{ mac: '02:00:00:00:00:09' }] });
    const frames = table(plan.frameBytes);
    drained(plan.source(frames, new Rng(1)));
    const dst = frames.at[0]!;
    expect([...memoryOf(frames).u8.subarray(dst, dst + 6)]).toEqual([2, 0, 0, 0, 0, 9]);
  });

  test('a part of --traffic is replaced, and the report says so', () => {
    const plan = trafficPlan(options({ traffic: 'udp rate=1M', rate: '2Mpps', count: '3' }));
    expect(plan.says).toBe('udp rate=2Mpps');
    expect(drained(plan.source(table(plan.frameBytes), new Rng(1)))).toEqual([
      0, 500_000, 1_000_000,
    ]);
  });
});

function replay(flags: Record<string, unknown>, frames: number): number[] {
  const plan = replayPlan(options({ in: 'some.pcapng', ...flags }), capture(frames));
  const source = plan.source(table(plan.frameBytes), new Rng(1));
  return drained(new CountedArrivals(source, plan.total ?? Infinity));
}

describe('a replayed capture', () => {
  test('keeps its timing, scales it, or takes a rate', () => {
    expect(replay({}, 3)).toEqual([0, 1_000_000, 2_000_000]);
    expect(replay({ replay: 'x4' }, 3)).toEqual([0, 250_000, 500_000]);
    expect(replay({ replay: '5Mpps' }, 3)).toEqual([0, 200_000, 400_000]);
    expect(replay({ replay: 'asap' }, 3)).toEqual([0, 0, 0]);
  });

  test('is cut short by --count, or repeated until there are as many', () => {
    expect(replay({ count: '2' }, 3)).toHaveLength(2);
    expect(replay({ count: '8', replay: 'asap' }, 3)).toHaveLength(8);
  });

  test('of no frames offers none, however many are asked for', () => {
    expect(replay({ count: '5' }, 0)).toEqual([]);
  });
});

test('counted arrivals know how many there were, and when the last came', () => {
  const plan = trafficPlan(options({ traffic: 'udp rate=1M', count: '1000' }));
  const seen: number[] = [];
  const counted = new CountedArrivals(
    plan.source(table(plan.frameBytes), new Rng(1)),
    BLOCK + 10,
    (offered) => seen.push(offered),
  );
  expect(drained(counted)).toHaveLength(BLOCK + 10);
  expect([counted.offered, counted.lastPs]).toEqual([BLOCK + 10, (BLOCK + 9) * 1_000_000]);
  expect(seen).toEqual([BLOCK, BLOCK + 10]);
});

describe('what a line cannot carry is refused', () => {
  // 64 bytes with FCS, 8 of preamble and 12 of gap are 672 bits: 10 Gb/s carry 14,880,952 a second
  test.each([
    [{ traffic: 'udp rate=14.89M', link: '10' }, null],
    [
      { traffic: 'udp rate=15M', link: '10' },
      '--traffic: rate 15 Mpps is more than a 10 Gb/s link carries (up to 14.88 Mpps of these frames, or line)',
    ],
    [{ traffic: 'udp size=1518 rate=10Gbps', link: '10' }, null],
    [
      { traffic: 'udp size=1518', rate: '11Gbps', link: '10' },
      '--rate: 11Gbps is more than a 10 Gb/s link carries (up to 812.7 kpps of these frames, or line)',
    ],
    [{ traffic: 'udp rate=line', link: '1' }, null],
  ])('%j', (flags, message) => {
    const plan = (): unknown => trafficPlan(options(flags));
    if (message === null) expect(plan).not.toThrow();
    else expect(plan).toThrow(message);
  });
});

describe('flows and tags of an offer', () => {
  test('generated: the shares that were asked for', () => {
    const shape = (traffic: string): unknown => trafficPlan(options({ traffic })).offer;
    expect(shape('udp flows=10 pattern=elephant:0.7')).toEqual({
      flows: 10,
      topFlowPct: 70,
      taggedPct: 0,
    });
    expect(shape('udp flows=8 size=imix vlan=100')).toEqual({
      flows: 8,
      topFlowPct: 12.5,
      taggedPct: 100,
    });
  });

  test('of a capture: what its frames say', () => {
    const name = 'examples/captures/vlan.pcap';
    const tagged = readCapture(readFileSync(name), name);
    expect(replayPlan(options({}), tagged).offer).toMatchObject({ taggedPct: 100 });
    const same = capture(4);
    expect(replayPlan(options({}), same).offer).toEqual({
      flows: 1,
      topFlowPct: 100,
      taggedPct: 0,
    });
  });
});
