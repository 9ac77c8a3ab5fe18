import { expect, test } from 'vitest';
import { Rng } from '../../src/host/rng.ts';
import { drawExponential, expOf, lnOf, WeightedDraw } from '../../src/wire/variates.ts';

/** Draws what it is told. */
class Scripted extends Rng {
  private readonly script: number[];
  constructor(script: readonly number[]) {
    super(0);
    this.script = [...script];
  }
  override int32(): number {
    return this.script.shift()! | 0;
  }
}

test.each([1e-9, 0.1, 0.5, 2 / 3, 0.999999, 1, 1.0000001, 4 / 3, 1.5, 2, 1000, 2 ** 20])(
  'the portable logarithm of %d is the logarithm',
  (x) => {
    expect(Math.abs(lnOf(x) - Math.log(x))).toBeLessThan(
      2e-15 * Math.max(1, Math.abs(Math.log(x))),
    );
  },
);

test.each([-140, -20.5, -1, -0.3, 0, 0.3, 1, 20.5])('the portable exp of %d is exp', (x) => {
  expect(Math.abs(expOf(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
});

test.each([1, 2, 3, 0xff, 0x1234_5678, 0x7fff_ffff, 0x8000_0000, 0xdead_beef, 0xffff_fffe])(
  'an exponential variate is minus the logarithm of its draw, %d of 2^32',
  (bits) => {
    const exact = -Math.log(bits / 2 ** 32);
    // Straight lines between 512 points of the curve: at most (1/512)^2 / 8 above it.
    expect(Math.abs(drawExponential(new Scripted([bits])) - exact)).toBeLessThan(5e-7);
  },
);

test('a draw of zero moves 32 octaves into the tail and draws again', () => {
  const tail = drawExponential(new Scripted([0, 0, 0x4000_0000]));
  expect(tail).toBeCloseTo(64 * Math.LN2 + 2 * Math.LN2, 6);
});

test('weights decide how often a number is drawn', () => {
  const weights = [5, 0, 1, 3, 0.5, 0.5];
  const out = new Int32Array(1_000_000);
  new WeightedDraw(Float64Array.from(weights), 100, new Rng(7)).draw(out, out.length);
  weights.forEach((weight, i) => {
    const p = weight / 10;
    const seen = out.filter((n) => n === 100 + i).length / out.length;
    expect(Math.abs(seen - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / out.length));
  });
});

test('equal weights draw every number equally often (chi-square of 99 degrees, 1 in 10^6)', () => {
  const out = new Int32Array(1_000_000);
  new WeightedDraw(new Float64Array(100).fill(0.01), 0, new Rng(8)).draw(out, out.length);
  const seen = new Float64Array(100);
  for (const n of out) seen[n]!++;
  const chi2 = seen.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
  expect(chi2).toBeGreaterThan(45);
  expect(chi2).toBeLessThan(176);
});
