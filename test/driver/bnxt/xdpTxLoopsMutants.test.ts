/** The property is worth something only if it fails for a loop that is wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cpu } from '../../../src/host/cpu.ts';
import { XdpTxLoops } from '../../../src/driver/bnxt/xdpTxLoops.ts';
import { LazyHardware } from '../../../src/nic/lazy.ts';
import type { PagePool } from '../../../src/stack/pagePool.ts';
import type { History } from '../../nic/history.ts';
import { difference, historyOf } from '../../nic/history.ts';
import { unlooped } from './looped.ts';
import { redirectingCase } from './redirectingCases.ts';

/** The parts of the loops that mutants reach into. */
interface Inside {
  loop(...args: number[]): number;
  giveBack(...args: Parameters<XdpTxLoops['giveBack']>): number;
}

const inside = XdpTxLoops.prototype as unknown as Inside;
const { giveBack } = inside;
const CASES = fc.sample(redirectingCase, { seed: 7, numRuns: 12 });
const histories: History[] = [];

const historyAt = (i: number): History => historyOf(CASES[i]!, () => new LazyHardware(), false);

/** Change what the compiled code is called with: notes, mask, from, to, memory model, pool, direct. */
const called = (argument: number, change: (value: number) => number): Partial<Inside> => ({
  giveBack(this: Inside, ...given) {
    const { loop } = this;
    this.loop = (...args) => loop(...args.with(argument, change(args[argument]!)));
    try {
      return giveBack.apply(this, given);
    } finally {
      this.loop = loop;
    }
  },
});

const booked = (wrong: (pool: PagePool, cpu: Cpu, frames: number) => void): Partial<Inside> => ({
  giveBack(this: Inside, txr, cpu, from) {
    const end = giveBack.call(this, txr, cpu, from);
    wrong(txr.bnapi.rxRing!.pagePool, cpu, (end - from) & 0xffff);
    return end;
  },
});

test.each<[string, Partial<Inside>]>([
  ['goes round half the ring', called(1, (mask) => mask >> 1)],
  ['always uses the ring', called(6, () => 0)],
  ['always uses the cache', called(6, () => 1)],
  ['begins with the frame after', called(2, (cons) => (cons + 1) & 0xffff)],
  ['takes the slot before for the pool', called(5, (pool) => pool + 4)],
  ['forgets a picosecond', booked((_, cpu) => void (cpu.now -= 1))],
  ['counts a page twice', booked((pool, _, n) => void (pool.stats.recycleCached += n > 0 ? 1 : 0))],
])('a loop that %s is found out', { timeout: 120_000 }, async (_, mutant) => {
  const differs = async (i: number): Promise<boolean> => {
    histories[i] ??= await unlooped(() => historyAt(i));
    Object.assign(inside, mutant);
    try {
      return difference(historyAt(i), histories[i]) !== null;
    } catch {
      return true; // the machine itself refused what it came to
    } finally {
      Object.assign(inside, { giveBack });
    }
  };
  let caught = false;
  for (let i = 0; i < CASES.length && !caught; i++) caught = await differs(i);
  expect(caught).toBe(true);
});
