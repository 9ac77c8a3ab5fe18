import { describe, expect, test } from 'vitest';
import { Rng } from '../../src/host/rng.ts';
import {
  planTraffic,
  trafficFrameBytes,
  TrafficSource,
  type TrafficPlan,
} from '../../src/wire/gen.ts';
import { Link, LinkFeed } from '../../src/wire/link.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';
import { bytesOf, frameRig, take, traffic } from './trafficRig.ts';

const plan = (text: string): TrafficPlan => planTraffic(parseTraffic(text));

/** Sum of the plan's probabilities, by whatever `key` of a frame. */
function sumBy(p: TrafficPlan, key: (frame: number) => number): Map<number, number> {
  const sums = new Map<number, number>();
  p.probs.forEach((prob, i) => sums.set(key(i), (sums.get(key(i)) ?? 0) + prob));
  return sums;
}

/** How often each value occurs, as a share of all. */
function shares(values: readonly number[]): Map<number, number> {
  const out = new Map<number, number>();
  for (const value of values) out.set(value, (out.get(value) ?? 0) + 1 / values.length);
  return out;
}

/** Four standard deviations of a share seen in `n` draws. */
const tolerance = (p: number, n: number): number => 4 * Math.sqrt((p * (1 - p)) / n);

const MILLION = 1_000_000;

const poissonTimes = (pattern: string): number[] =>
  take(traffic(`udp flows=9 arrivals=poisson pattern=${pattern}`).source, 1000).at;

describe('flows', () => {
  test('uniform: each flow is sent equally often', () => {
    const { source } = traffic('udp flows=100');
    const seen = shares(take(source, MILLION).frame);
    expect(seen.size).toBe(100);
    for (const share of seen.values()) {
      expect(Math.abs(share - 0.01)).toBeLessThan(tolerance(0.01, MILLION));
    }
  });

  test('zipf: flow k is sent in proportion to 1 / k', () => {
    const { source } = traffic('udp flows=1000 pattern=zipf');
    const seen = shares(take(source, MILLION).frame);
    const harmonic = Array.from({ length: 1000 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
    for (const k of [1, 2, 3, 4, 5, 10, 50, 100, 500, 1000]) {
      const p = 1 / (k * harmonic);
      expect(Math.abs((seen.get(k - 1) ?? 0) - p)).toBeLessThan(tolerance(p, MILLION));
    }
  });

  test('zipf:1.3: flow k has k to the power of -1.3 of what flow 1 has', () => {
    const { probs } = plan('udp flows=1000 pattern=zipf:1.3');
    for (const k of [2, 3, 10, 77, 1000]) {
      expect(Math.abs(probs[k - 1]! / probs[0]! / k ** -1.3 - 1)).toBeLessThan(1e-12);
    }
  });

  test('elephant: one flow takes its share and the others divide the rest', () => {
    const { source } = traffic('udp flows=11 pattern=elephant:0.8');
    const seen = shares(take(source, MILLION).frame);
    expect(Math.abs(seen.get(0)! - 0.8)).toBeLessThan(tolerance(0.8, MILLION));
    for (let flow = 1; flow < 11; flow++) {
      expect(Math.abs(seen.get(flow)! - 0.02)).toBeLessThan(tolerance(0.02, MILLION));
    }
  });

  test('elephant takes half unless told', () => {
    expect(plan('udp flows=5 pattern=elephant').probs[0]).toBe(0.5);
  });

  test('a million flows of 64 bytes are a million frames', () => {
    const p = plan('udp flows=1048576');
    expect(p.flow).toHaveLength(2 ** 20);
    expect(p.frameBytes).toBe(2 ** 26);
  });
});

describe('sizes', () => {
  test('IMIX is 7 of 64 bytes, 4 of 594 and 1 of 1518, FCS included', () => {
    const { source, frames } = traffic('udp size=imix flows=16');
    const seen = shares(Array.from(take(source, MILLION).frame, (frame) => frames.len[frame]!));
    expect([...seen.keys()].toSorted((a, b) => a - b)).toEqual([60, 590, 1514]);
    for (const [len, twelfths] of [
      [60, 7],
      [590, 4],
      [1514, 1],
    ] as const) {
      const p = twelfths / 12;
      expect(Math.abs(seen.get(len)! - p)).toBeLessThan(tolerance(p, MILLION));
    }
  });

  test('a range has every length equally often', () => {
    const bySize = sumBy(plan('udp size=64-1518'), (i) => i);
    expect(bySize.size).toBe(1455);
    for (const p of bySize.values()) expect(Math.abs(p - 1 / 1455)).toBeLessThan(1e-12);
  });

  test.each(['uniform', 'zipf', 'elephant:0.8'])(
    'flows too many to have every length each still have them all together (%s)',
    (pattern) => {
      const p = plan(`udp size=64-1518 flows=50000 pattern=${pattern}`);
      expect(p.flow.length).toBeLessThanOrEqual(65_536);
      const sums = sumBy(p, (i) => p.lenBytes[i]!);
      let reached = 0;
      let furthest = 0;
      for (let len = 60; len <= 1514; len++) {
        reached += sums.get(len) ?? 0;
        furthest = Math.max(furthest, Math.abs(reached - (len - 59) / 1455));
      }
      expect(reached).toBeCloseTo(1, 9);
      expect(furthest).toBeLessThan(0.002);
    },
  );

  test('flows too many to have every IMIX length still make 7 : 4 : 1', () => {
    const p = plan('udp size=imix flows=65536');
    const sums = sumBy(p, (i) => p.lenBytes[i]!);
    expect(p.flow).toHaveLength(65_536);
    expect(sums.get(60)).toBeCloseTo(7 / 12, 3);
    expect(sums.get(590)).toBeCloseTo(4 / 12, 3);
    expect(sums.get(1514)).toBeCloseTo(1 / 12, 3);
  });

  test('frames are kept in a region of exactly the bytes foretold', () => {
    const text = 'udp:1,tcp6:1 size=imix flows=1000';
    const { frames } = traffic(text); // its region is no larger
    const used = Array.from(
      { length: frames.count },
      (_, i) => 16 * Math.ceil(frames.len[i]! / 16),
    );
    expect(trafficFrameBytes(parseTraffic(text))).toBe(used.reduce((a, b) => a + b));
  });

  test('more than can be kept is refused, with the number of flows that can', () => {
    expect(() => plan('udp size=1518 flows=1M')).toThrow(
      /^traffic flows: 1000000 is out of range \(1 to 88301 with frames of this size/,
    );
  });
});

describe('protocols', () => {
  test.each(['uniform', 'zipf', 'elephant'])('weights are shares of the frames (%s)', (pattern) => {
    const p = plan(`udp:8,tcp:1.5,arp:0.5 flows=1024 pattern=${pattern}`);
    const sums = sumBy(p, (i) => p.flowProto[p.flow[i]!]!);
    expect(sums.get(0)).toBeCloseTo(0.8, 9);
    expect(sums.get(1)).toBeCloseTo(0.15, 9);
    expect(sums.get(2)).toBeCloseTo(0.05, 9);
  });

  test('with many flows the pattern keeps its law beside the weights', () => {
    const mixed = plan('udp:8,tcp:2 flows=1024 pattern=zipf').probs;
    const pure = plan('udp flows=1024 pattern=zipf').probs;
    mixed.forEach((p, i) => expect(Math.abs(p / pure[i]! - 1)).toBeLessThan(0.01));
  });

  test('each protocol has a flow, however light it is', () => {
    const p = plan('udp:1000,tcp:1,icmp:1 flows=3');
    expect([...p.flowProto].toSorted()).toEqual([0, 1, 2]);
    expect([...p.probs].map((x) => Math.round(x * 1002)).toSorted()).toEqual([1, 1, 1000]);
  });

  test('an elephant of everything leaves the other protocols their weights', () => {
    const p = plan('udp:3,tcp:1 flows=4 pattern=elephant:1');
    const sums = sumBy(p, (i) => p.flowProto[p.flow[i]!]!);
    expect(sums.get(0)).toBeCloseTo(0.75, 9);
    expect(sums.get(1)).toBeCloseTo(0.25, 9);
  });
});

describe('rates and limits', () => {
  test('a rate in bits counts what a frame takes on the wire', () => {
    expect(plan('udp size=64 rate=10Gbps').pps).toBeCloseTo(1e10 / (84 * 8), 6);
    const imix = (7 * 84 + 4 * 614 + 1538) / 12;
    expect(plan('udp size=imix rate=10Gbps').pps).toBeCloseTo(1e10 / (imix * 8), 6);
  });

  test('a rate in bits of more than a billion frames a second is refused', () => {
    expect(() => plan('udp size=64 rate=1000Gbps')).toThrow(/^traffic rate: 1000000000000bps, 148/);
  });

  test('a mix at a rate in bits keeps the line as busy as asked', () => {
    const { source } = traffic('udp:8,tcp:2 size=imix flows=64 rate=40Gbps arrivals=poisson');
    const { at, frame } = take(source, MILLION);
    const bits = frame.reduce((sum, f) => sum + (source.frames.len[f]! + 24) * 8, 0);
    expect(Math.abs(bits / (at.at(-1)! / 1e12) / 40e9 - 1)).toBeLessThan(0.01);
  });

  test('bursts reach the wire back to back, and the mean rate holds', () => {
    const { source } = traffic('udp size=64 rate=10Mpps burst=32', { count: 3200 });
    const { at } = take(new LinkFeed(new Link(100e9), source), Infinity);
    at.forEach((t, i) => {
      expect(t).toBe(Math.floor(i / 32) * 3_200_000 + (i % 32) * 6_720 + 72 * 80);
    });
  });

  test('the count and the duration end the stream', () => {
    expect(take(traffic('udp', { count: 1000 }).source, Infinity).at).toHaveLength(1000);
    expect(take(traffic('udp', { count: 0 }).source, Infinity).at).toHaveLength(0);
    const { source } = traffic('udp rate=1M', { durationPs: 2_500_000_000 });
    expect(take(source, Infinity).at).toHaveLength(2500);
    expect(take(source, Infinity).at).toHaveLength(0);
  });

  test('at line rate the duration counts on the wire', () => {
    const { source } = traffic('udp size=64 rate=line', { durationPs: 6_720_000 });
    const { at } = take(new LinkFeed(new Link(100e9), source), Infinity);
    expect(at).toHaveLength(1000);
  });
});

describe('determinism', () => {
  const TEXT = 'udp:8,tcp:2 size=imix flows=512 pattern=zipf:1.1 rate=5Mpps arrivals=poisson';
  const run = (seed: number): unknown => {
    const rig = traffic(TEXT, { count: 10_000 }, seed);
    const { at, frame } = take(rig.source, Infinity);
    return { at, bytes: frame.map((f) => Buffer.from(bytesOf(rig, f)).toString('base64')) };
  };

  test('one seed gives the same times and the same bytes', () => {
    expect(run(42)).toEqual(run(42));
  });

  test('another seed gives others', () => {
    expect(run(43)).not.toEqual(run(42));
  });

  test('another pattern does not move the arrivals', () => {
    expect(poissonTimes('zipf')).toEqual(poissonTimes('uniform'));
  });

  test('a second source in the same table sends frames of its own', () => {
    const plans = [plan('udp flows=3'), plan('tcp flows=2')];
    const { frames } = frameRig(plans[0]!.frameBytes + plans[1]!.frameBytes);
    const [udp, tcp] = plans.map((p) => new TrafficSource(p, frames, new Rng(1)));
    expect(new Set(take(udp!, 1000).frame)).toEqual(new Set([0, 1, 2]));
    expect(new Set(take(tcp!, 1000).frame)).toEqual(new Set([3, 4]));
  });
});
