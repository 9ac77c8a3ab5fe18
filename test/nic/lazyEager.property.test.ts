/**
 * The lazy NIC gives the history that simulating every arrival as an event gives.
 *
 * RINGSCOPE_RUNS multiplies the number of random machines, RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EagerHardware } from '../../src/nic/eager.ts';
import { LazyHardware } from '../../src/nic/lazy.ts';
import { anyCase, faultyCase, moderatedCase, regimeCase } from './cases.ts';
import { FOUND } from './foundCases.ts';
import type { History } from './history.ts';
import { difference, historyOf } from './history.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);
const CASES = 60 * RUNS;

/** Doorbells are six numbers with the time as the fourth, NIC events begin with their time. */
const DOORBELL = 6;
const DOORBELL_TIME = 3;
const NIC_EVENT_WORDS = 6;
/** Ring, records, ticks and time. */
const COALESCING = 4;

/** Events inside the NIC at the picosecond of a doorbell. */
function ties(history: History): number {
  const bells = new Set<number>();
  const { doorbells, nicTrace } = history;
  for (let i = DOORBELL_TIME; i < doorbells!.length; i += DOORBELL) bells.add(doorbells![i]!);
  bells.delete(0);
  let count = 0;
  for (let i = 0; i < nicTrace!.length; i += NIC_EVENT_WORDS) {
    if (bells.has(nicTrace![i]!)) count++;
  }
  return count;
}

describe('lazy and eager', () => {
  test(
    'give the identical history, whatever the machine and its traffic',
    () => {
      const seen = { ties: 0, irqs: 0, onWire: 0, passed: 0, answers: 0, nicEvents: 0 };
      fc.assert(
        fc.property(anyCase, (c) => {
          const lazy = historyOf(c, () => new LazyHardware());
          const eager = historyOf(c, (cpus) => new EagerHardware(cpus));
          expect(difference(lazy, eager)).toBeNull();
          expect(
            difference(
              historyOf(c, () => new LazyHardware(), false),
              eager,
            ),
          ).toBeNull();
          seen.ties += ties(lazy);
          seen.irqs += lazy['irqs']!.length;
          seen.onWire += lazy['wire 0']!.length + lazy['wire 1']!.length;
          seen.passed += lazy['passed']!.length;
          seen.answers += (c.answerEvery ?? 0) > 0 ? lazy['passed']!.length : 0;
          seen.nicEvents += lazy['nicTrace']!.length;
        }),
        { numRuns: CASES, seed: SEED, endOnFailure: true },
      );
      // two empty histories are equal too: the cases must have been worth comparing
      expect(seen.ties).toBeGreaterThan(5 * CASES);
      expect(seen.irqs).toBeGreaterThan(50 * CASES);
      expect(seen.onWire).toBeGreaterThan(50 * CASES);
      expect(seen.passed).toBeGreaterThan(20 * CASES);
      expect(seen.answers).toBeGreaterThan(10 * CASES);
      expect(seen.nicEvents).toBeGreaterThan(500 * CASES);
    },
    60_000 + 2000 * CASES,
  );

  test(
    'agree while faults make the driver reset its rings under traffic',
    () => {
      fc.assert(
        fc.property(faultyCase, (c) => {
          const lazy = historyOf(c, () => new LazyHardware());
          const eager = historyOf(c, (cpus) => new EagerHardware(cpus));
          expect(difference(lazy, eager)).toBeNull();
          expect(
            difference(
              historyOf(c, () => new LazyHardware(), false),
              eager,
            ),
          ).toBeNull();
        }),
        { numRuns: 25 * RUNS, seed: SEED, endOnFailure: true },
      );
    },
    60_000 + 2000 * CASES,
  );

  test(
    'agree while DIM sets the limits of running rings',
    () => {
      let told = 0;
      fc.assert(
        fc.property(moderatedCase, (c) => {
          const lazy = historyOf(c, () => new LazyHardware());
          const eager = historyOf(c, (cpus) => new EagerHardware(cpus));
          expect(difference(lazy, eager)).toBeNull();
          told += lazy['coalescing']!.length / COALESCING;
        }),
        { numRuns: 15 * RUNS, seed: SEED, endOnFailure: true },
      );
      expect(told).toBeGreaterThan(20 * RUNS);
    },
    60_000 + 2000 * CASES,
  );

  test(
    'agree whoever polls: timers, threads, applications, in any mixture',
    () => {
      fc.assert(
        fc.property(regimeCase, (c) => {
          const lazy = historyOf(c, () => new LazyHardware());
          const eager = historyOf(c, (cpus) => new EagerHardware(cpus));
          expect(difference(lazy, eager)).toBeNull();
          expect(
            difference(
              historyOf(c, () => new LazyHardware(), false),
              eager,
            ),
          ).toBeNull();
        }),
        { numRuns: 25 * RUNS, seed: SEED, endOnFailure: true },
      );
    },
    60_000 + 2000 * CASES,
  );

  test.each(FOUND)('agree where they once differed: $was', (c) => {
    const lazy = historyOf(c, () => new LazyHardware());
    const eager = historyOf(c, (cpus) => new EagerHardware(cpus));
    expect(difference(lazy, eager)).toBeNull();
    expect(
      difference(
        historyOf(c, () => new LazyHardware(), false),
        eager,
      ),
    ).toBeNull();
  });
});
