import { expect, test } from 'vitest';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import { runScenario } from '../../src/lab/run.ts';

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};
const run = async (flags: Record<string, unknown>) =>
  (
    await runScenario(
      readOptions([fromFlags({ count: '5k', rate: '2M', cpus: '2', ...flags })]),
      io,
    )
  ).report;

test.each(['drop', 'echo', 'pass', 'redirect'])(
  'with %s the operations add up to the time that all CPUs worked',
  async (xdp) => {
    const { costs, cpus, virtualNs } = await run({ xdp, stack: 'off', breakdown: true });
    const busyNs = cpus.reduce((sum, { busyPct }) => sum + (busyPct / 100) * virtualNs, 0);
    const spentNs = costs.reduce((sum, { ns }) => sum + ns, 0);
    expect(Math.abs(spentNs / busyNs - 1)).toBeLessThan(0.005);
    expect(costs.find(({ op }) => op === 'XDP program')!.count).toBe(5000);
    expect(costs.reduce((sum, { pct }) => sum + pct, 0)).toBeCloseTo(100, 0);
  },
);

test('asking where the time went takes none', async () => {
  const { costs, ...plain } = await run({ xdp: 'echo' });
  const { costs: asked, ...same } = await run({ xdp: 'echo', breakdown: true });
  expect(same).toEqual(plain);
  expect([costs.length, asked.length > 0]).toEqual([0, true]);
});
