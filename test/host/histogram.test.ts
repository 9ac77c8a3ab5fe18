import { describe, expect, test } from 'vitest';
import { HISTOGRAM_BYTES, Histogram, recordInHistogram } from '../../src/host/histogram.ts';
import { HostMemory } from '../../src/host/memory.ts';
import { Rng } from '../../src/host/rng.ts';
import { F64, I32, WasmModule } from '../../src/host/wasm.ts';
import { WasmFunction } from '../../src/host/wasmFunction.ts';

/** What the first sentence of the file promises; below 32 units of 1024 ps it is half a unit, below one unit 0. */
const WORST = 1 / 32;
const UNIT = 1024;

function of(...values: number[]): Histogram {
  const histogram = new Histogram();
  for (const ps of values) histogram.record(ps);
  return histogram;
}

/** All that a histogram tells. */
const told = (histogram: Histogram): unknown => ({
  count: histogram.count,
  mean: histogram.meanPs(),
  max: histogram.maxPs,
  quantiles: Array.from({ length: 21 }, (_, i) => histogram.quantilePs(i / 20)),
});

describe('a value is found again', () => {
  test('within 3.2 % or half a unit, from 1024 ps to the end of time', () => {
    const rng = new Rng(2);
    for (let bits = 1; bits <= 53; bits++) {
      for (let n = 0; n < 40; n++) {
        const ps = Math.floor((2 ** bits * (rng.uint32() + 2 ** 32)) / 2 ** 33);
        const found = of(ps, 2 ** 53).quantilePs(0.5);
        const off = Math.abs(found - ps);
        if (ps < UNIT) expect(found, `${ps}`).toBe(0);
        else expect(off, `${ps}`).toBeLessThanOrEqual(Math.max(UNIT / 2, WORST * ps));
      }
    }
  });

  test('on both sides of each power of two', () => {
    for (let bits = 12; bits < 53; bits++) {
      for (const ps of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
        const found = of(ps, 2 ** 53).quantilePs(0.5);
        expect(Math.abs(found - ps), `${ps}`).toBeLessThanOrEqual(Math.max(UNIT / 2, WORST * ps));
      }
    }
  });
});

describe('quantiles', () => {
  test('are those of the sorted values, to the same error', () => {
    const rng = new Rng(4);
    const values = Array.from({ length: 5001 }, () => 1000 + rng.below(1 << 20) * 300);
    const sorted = values.toSorted((a, b) => a - b);
    const histogram = of(...values);
    for (const share of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999]) {
      const exact = sorted[Math.ceil(share * 5001) - 1]!;
      expect(Math.abs(histogram.quantilePs(share) - exact) / exact).toBeLessThan(WORST);
    }
  });

  test('never exceed the largest value; 0 and 1 are the ends', () => {
    const histogram = of(5_000_000, 77_777_777);
    expect(histogram.quantilePs(1)).toBeLessThanOrEqual(77_777_777);
    expect(histogram.quantilePs(1)).toBeGreaterThan(77_777_777 * (1 - WORST));
    expect(Math.abs(histogram.quantilePs(0) - 5_000_000)).toBeLessThan(5_000_000 * WORST);
  });

  test('of what did not wait are zero, whatever a few others did', () => {
    const histogram = of(...Array.from({ length: 99 }, () => 0), 40_000);
    const shares = [0, 0.5, 0.9, 0.99];
    expect(shares.map((share) => histogram.quantilePs(share))).toEqual([0, 0, 0, 0]);
    expect(histogram.quantilePs(1)).toBeGreaterThan(40_000 * (1 - WORST));
    expect(of(1023).quantilePs(0.5)).toBe(0);
    expect(of(1024).quantilePs(0.5)).toBe(1024);
  });

  test('of nothing are zero', () => {
    const empty = new Histogram();
    expect([empty.quantilePs(0.5), empty.meanPs(), empty.maxPs]).toEqual([0, 0, 0]);
  });
});

test('count, mean and maximum are exact', () => {
  const histogram = of(1, 2, 3_000_000_000_000, 6);
  expect(histogram.count).toBe(4);
  expect(histogram.meanPs()).toBe(3_000_000_000_009 / 4);
  expect(histogram.maxPs).toBe(3_000_000_000_000);
});

test('two histograms added are one of all their values', () => {
  const all = of(10_000, 20_000, 5_000_000, 2 ** 45);
  const sum = of(10_000, 5_000_000);
  sum.add(of(20_000, 2 ** 45));
  expect(told(sum)).toEqual(told(all));
});

test('reset forgets everything', () => {
  const histogram = of(10_000, 2 ** 45);
  histogram.reset();
  expect(told(histogram)).toEqual(told(new Histogram()));
  histogram.record(7000);
  expect(told(histogram)).toEqual(told(of(7000)));
});

describe('a histogram in host memory', () => {
  const AT = 4096;
  const mem = new HostMemory(65536);
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  const f = new WasmFunction();
  recordInHistogram(f, f.param(I32), f.param(F64), f.i32());
  f.exportTo(module, 'record');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    host: { memory: mem.memory },
  });
  const record = exports['record'] as (at: number, ps: number) => void;
  const rng = new Rng(3);
  const values = Array.from({ length: 4000 }, (_, i) =>
    i < 54
      ? 2 ** i
      : i < 108
        ? 2 ** (i - 54) - 1
        : Math.floor(2 ** ((rng.uint32() / 2 ** 32) * 53)),
  );

  test('counts what is less than nothing as nothing, in the first bucket and nowhere else', () => {
    const histogram = of();
    histogram.moveTo(mem.doublesAt(AT, HISTOGRAM_BYTES / 8));
    for (const ps of [-1, -5_109_000, -(2 ** 53)]) record(AT, ps);
    histogram.counted(3);
    expect(told(histogram)).toEqual(told(of(-1, -5_109_000, -(2 ** 53))));
    expect(mem.words.subarray((AT + HISTOGRAM_BYTES) >> 2).every((word) => word === 0)).toBe(true);
    histogram.moveTo(null);
    mem.fill(AT, HISTOGRAM_BYTES, 0);
  });

  test('is told the same by compiled code and by `record`, in turn, and keeps it', () => {
    const histogram = of(...values.slice(0, 300));
    histogram.moveTo(mem.doublesAt(AT, HISTOGRAM_BYTES / 8));
    for (const ps of values.slice(300, 3000)) record(AT, ps);
    histogram.counted(2700);
    for (const ps of values.slice(3000)) histogram.record(ps);
    expect(told(histogram)).toEqual(told(of(...values)));
    histogram.moveTo(null);
    mem.fill(AT, HISTOGRAM_BYTES, 0);
    expect(told(histogram)).toEqual(told(of(...values)));
  });
});
