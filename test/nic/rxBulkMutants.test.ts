/** The lazy/eager property is worth something for the NIC's loops only if it fails for loops that are wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EagerHardware } from '../../src/nic/eager.ts';
import { LazyHardware } from '../../src/nic/lazy.ts';
import { RxBulk } from '../../src/nic/rxBulk.ts';
import { anyCase } from './cases.ts';
import type { History } from './history.ts';
import { difference, historyOf } from './history.ts';

const CASES = fc.sample(anyCase, { seed: 7, numRuns: 40 });
const eager: History[] = [];
const eagerAt = (i: number): History =>
  (eager[i] ??= historyOf(CASES[i]!, (cpus) => new EagerHardware(cpus)));

type Inside = Pick<RxBulk, 'initBlock' | 'settle'>;
const right: Inside = { initBlock: RxBulk.prototype.initBlock, settle: RxBulk.prototype.settle };

/** Another value in a ring's block, see `rxBulkBlock.ts`. */
const inBlock = (
  kind: 'words' | 'doubles',
  offset: number,
  change: (value: number) => number,
): Partial<Inside> => ({
  initBlock(this: RxBulk, rx, lane, records, parts) {
    right.initBlock.call(this, rx, lane, records, parts);
    const view = parts.mem[kind];
    const at = (rx.block + offset) / view.BYTES_PER_ELEMENT;
    view[at] = change(view[at]!);
  },
});

const until = (change: (at: number) => number): Partial<Inside> => ({
  settle(this: RxBulk, lane, rx, at) {
    return right.settle.call(this, lane, rx, change(at));
  },
});

test.each<[string, Partial<Inside>]>([
  ['are a picosecond late', inBlock('doubles', 64, (latency) => latency + 1)],
  ['take longer for each frame', inBlock('doubles', 56, (slot) => slot + 1000)],
  ['note arrivals beside their places', inBlock('words', 36, (stamps) => stamps + 8)],
  ['take each frame for the next', inBlock('words', 32, (records) => records + 64)],
  ['go round half the ring', inBlock('words', 4, (mask) => mask >> 1)],
  ['leave off before what happens just now', until((at) => at - 1)],
  ['go on behind the present', until((at) => at + 100_000)],
])('loops that %s are found out', { timeout: 120_000 }, (_, mutant) => {
  const differs = (i: number): boolean => {
    const history = eagerAt(i);
    Object.assign(RxBulk.prototype, mutant);
    try {
      const lazy = historyOf(CASES[i]!, () => new LazyHardware(), false);
      return difference(lazy, history) !== null;
    } catch {
      return true; // the machine itself refused what it came to
    } finally {
      Object.assign(RxBulk.prototype, right);
    }
  };
  expect(CASES.some((__, i) => differs(i))).toBe(true);
});
