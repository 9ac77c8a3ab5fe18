/** What holds for every machine, whatever arrives, whatever its programs do, whatever fails. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FREE } from '../../src/host/ledger.ts';
import { PAGE_SIZE } from '../../src/host/memory.ts';
import type { Machine } from '../../src/machine.ts';
import type { Trial } from './fuzzRig.ts';
import { PATIENCE, books, runTrial, runs, sumOfFates, trial } from './fuzzRig.ts';

const ZERO = { nic: 0, driver: 0, tx: 0, up: 0 };
const offeredBy = (t: Trial): number => t.nics.reduce((sum, nic) => sum + nic.count, 0);

/** Pages of the allocator's region that the ledger says are free. */
function ledgerFree({ watch, pages }: Machine): number {
  let free = 0;
  for (let i = 0; i < pages.total; i++)
    if (watch.ledger.ownerOf(pages.region.at + i * PAGE_SIZE) === FREE) free++;
  return free;
}

/** Run `t`, close it, and hold every rule. */
function holds(t: Trial): void {
  const built = runTrial(t);
  const { machine, wire, passed } = built;
  const end = machine.result();
  const fates = sumOfFates(end);

  expect(fates.offered).toBe(offeredBy(t));
  expect(fates.imbalance()).toEqual(ZERO);
  expect(end.pages.leaked).toBe(0);
  expect(end.pages.allocated).toBe(machine.pages.total - ledgerFree(machine));
  expect(fates.onWire).toBe(wire.frames.reduce((sum, n) => sum + n, 0));
  if (t.stack) expect(fates.toStack).toBe(passed.frames.reduce((sum, n) => sum + n, 0));
  for (const cpu of machine.cpus) expect(cpu.spent.reduce((sum, ps) => sum + ps, 0)).toBe(cpu.now);

  machine.close();
  const closed = machine.result();
  expect(sumOfFates(closed).imbalance()).toEqual(ZERO);
  expect(closed.pages).toEqual({ allocated: 0, pool: 0, rings: 0, inFlight: 0, leaked: 0 });
  expect(ledgerFree(machine)).toBe(machine.pages.total);
  expect(machine.mem.nullPageIsZero()).toBe(true);
}

describe('whole machines', () => {
  test('every packet has one fate, every page one owner, and all comes home', PATIENCE, () => {
    fc.assert(fc.property(trial, holds), { numRuns: runs(80), seed: 1 });
  });

  test('the same seed gives the same books and the same bytes', PATIENCE, () => {
    const twice = fc.property(trial, (t) => {
      expect(books(runTrial(t))).toBe(books(runTrial(t)));
    });
    fc.assert(twice, { numRuns: runs(15), seed: 2 });
  });
});
