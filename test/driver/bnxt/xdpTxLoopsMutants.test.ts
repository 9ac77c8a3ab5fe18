/** The property is worth something only if it fails for a loop that is wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cpu } from '../../../src/host/cpu.ts';
import type { BnxtTxRingInfo } from '../../../src/driver/bnxt/bnxt.ts';
import { XdpTxLoops } from '../../../src/driver/bnxt/xdpTxLoops.ts';
import { LazyHardware } from '../../../src/nic/lazy.ts';
import type { History } from '../../nic/history.ts';
import { difference, historyOf } from '../../nic/history.ts';
import { unlooped } from './looped.ts';
import { redirectingCase } from './redirectingCases.ts';

type Name = 'giveBack' | 'xmit';

/** The parts of the loops that mutants reach into. */
interface Inside extends Record<Name, (cpu: Cpu, ...args: number[]) => number> {
  readonly txr: BnxtTxRingInfo;
  loops: Record<Name, (...args: number[]) => number>;
}

const inside = XdpTxLoops.prototype as unknown as Inside;
const right = { giveBack: inside.giveBack, xmit: inside.xmit };
const CASES = fc.sample(redirectingCase, { seed: 7, numRuns: 12 });
const histories: History[] = [];

const historyAt = (i: number): History => historyOf(CASES[i]!, () => new LazyHardware(), false);

/** Change what the compiled code is called with. */
const called = (
  name: Name,
  argument: number,
  change: (value: number) => number,
): Partial<Inside> => ({
  [name](this: Inside, cpu: Cpu, ...given: number[]) {
    const { loops } = this;
    const wrong = (...args: number[]): number =>
      loops[name](...args.with(argument, change(args[argument]!)));
    this.loops = { ...loops, [name]: wrong };
    try {
      return right[name].call(this, cpu, ...given);
    } finally {
      this.loops = loops;
    }
  },
});

const booked = (
  name: Name,
  wrong: (txr: BnxtTxRingInfo, cpu: Cpu, frames: number) => void,
): Partial<Inside> => ({
  [name](this: Inside, cpu: Cpu, ...given: number[]) {
    const result = right[name].call(this, cpu, ...given);
    wrong(this.txr, cpu, name === 'xmit' ? result : (result - given[0]!) & 0xffff);
    return result;
  },
});

const countTwice = ({ bnapi }: BnxtTxRingInfo, _: Cpu, frames: number): void => {
  bnapi.rxRing!.pagePool.stats.recycleCached += frames > 0 ? 1 : 0;
};

// giveBack: notes, mask, from, to, memory model, pool, direct; xmit: frames, n, ring, notes, mask, from, opaque
test.each<[string, Partial<Inside>]>([
  ['gives back round half the ring', called('giveBack', 1, (mask) => mask >> 1)],
  ['always gives to the ring', called('giveBack', 6, () => 0)],
  ['always gives to the cache', called('giveBack', 6, () => 1)],
  ['gives back from the frame after', called('giveBack', 2, (cons) => (cons + 1) & 0xffff)],
  ['takes another word for the pool', called('giveBack', 5, (pool) => pool + 4)],
  ['forgets a picosecond of giving back', booked('giveBack', (_, cpu) => void (cpu.now -= 1))],
  ['counts a page twice', booked('giveBack', countTwice)],
  ['sends round half the ring', called('xmit', 4, (mask) => mask >> 1)],
  ['leaves one behind', called('xmit', 1, (n) => Math.max(n - 1, 0))],
  ['notes a frame a slot too early', called('xmit', 3, (notes) => notes - 16)],
  ['names another descriptor', called('xmit', 6, (opaque) => opaque ^ 1)],
  ['forgets a picosecond of sending', booked('xmit', (_, cpu) => void (cpu.now -= 1))],
])('a loop that %s is found out', { timeout: 120_000 }, async (_, mutant) => {
  const differs = async (i: number): Promise<boolean> => {
    histories[i] ??= await unlooped(() => historyAt(i));
    Object.assign(inside, mutant);
    try {
      return difference(historyAt(i), histories[i]) !== null;
    } catch {
      return true; // the machine itself refused what it came to
    } finally {
      Object.assign(inside, right);
    }
  };
  let caught = false;
  for (let i = 0; i < CASES.length && !caught; i++) caught = await differs(i);
  expect(caught).toBe(true);
});
