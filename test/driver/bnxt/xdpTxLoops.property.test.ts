/**
 * The compiled loops of XDP's TX rings change nothing: not a byte of memory, not a picosecond, not a
 * count.
 *
 * RINGSCOPE_RUNS multiplies the number of random machines, RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunGiven } from '../../../src/lab/given.ts';
import { run } from '../../../src/lab/given.ts';
import { LazyHardware } from '../../../src/nic/lazy.ts';
import { difference, historyOf } from '../../nic/history.ts';
import { looped, unlooped } from './looped.ts';
import { redirectingCase } from './redirectingCases.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);
const CASES = 40 * RUNS;
const PATIENCE = { timeout: 120_000 * RUNS };

test('random machines whose NICs send each other most packets', PATIENCE, async () => {
  let [sent, givenBack] = [0, 0];
  await fc.assert(
    fc.asyncProperty(redirectingCase, async (c) => {
      const of = () => historyOf(c, () => new LazyHardware(), false);
      const one = await looped(of);
      sent += one.sent;
      givenBack += one.givenBack;
      expect(difference(one.what, await unlooped(of))).toBeNull();
    }),
    { numRuns: CASES, seed: SEED, endOnFailure: true },
  );
  expect(sent).toBeGreaterThan(100 * CASES);
  expect(givenBack).toBeGreaterThan(100 * CASES);
});

async function everythingOf(given: RunGiven): Promise<string> {
  const { report, captures } = await run(given);
  const bytes = Object.values(captures).map((capture: Uint8Array) => [...capture]);
  return JSON.stringify({ report, bytes });
}

const RATE = 'udp size=64 flows=16 rate=40Mpps';

describe('whole runs give the same report and captures', () => {
  test.each<[string, RunGiven]>([
    ['one queue', { queues: 1 }],
    ['several queues on one CPU, whose pools take turns', { queues: 4 }],
    ['two CPUs', { queues: 4, cpus: 2 }],
    ['P5', { queues: 2, chip: 'p5', txOut: true }],
    ['a short TX ring', { queues: 1, txRing: 64, txOut: true }],
    ['stages', { queues: 2, stages: true }],
    ['charges that are counted', { queues: 1, breakdown: true }],
    ['large frames', { queues: 1, traffic: 'udp size=imix rate=line' }],
    ['a program that goes, and its pool with it', { queues: 1, at: '100us xdp none' }],
  ])('%s', PATIENCE, async (_, given) => {
    const options = { xdp: 'redirect', count: 10_000, cpus: 1, traffic: RATE, ...given };
    const { what, sent, givenBack } = await looped(() => everythingOf(options));
    expect(what).toBe(await unlooped(() => everythingOf(options)));
    expect(sent).toBeGreaterThan(300);
    expect(givenBack).toBeGreaterThan(300);
  });

  test('nobody loops while somebody watches', async () => {
    const options = { xdp: 'redirect', count: 500, cpus: 1, queues: 1, check: true };
    const { sent, givenBack } = await looped(() => everythingOf(options));
    expect([sent, givenBack]).toEqual([0, 0]);
  });
});
