/** The property is worth something only if it fails for a walk that is wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RxWalk } from '../../../src/driver/bnxt/rxWalk.ts';
import { PASS } from '../../../src/driver/bnxt/rxWalkBlock.ts';
import type { BnxtRxRingInfo } from '../../../src/driver/bnxt/bnxt.ts';
import {
  BNXT_REDIRECT_EVENT,
  BNXT_RX_EVENT,
  BNXT_TX_EVENT,
} from '../../../src/driver/bnxt/bnxt.ts';
import { LazyHardware } from '../../../src/nic/lazy.ts';
import type { History } from '../../nic/history.ts';
import { difference, historyOf } from '../../nic/history.ts';
import { droppingCase } from './droppingCases.ts';
import { unwalked } from './walked.ts';

/** The parts of a walk that mutants reach into. */
interface Inside {
  readonly rxr: BnxtRxRingInfo;
  readonly block: number;
  foundEmpty: boolean;
  prepare(): unknown;
  book(other: number): number;
}

const inside = RxWalk.prototype as unknown as Inside;
const CASES = fc.sample(droppingCase, { seed: 7, numRuns: 25 });
const histories: History[] = [];

const historyAt = (i: number): History => historyOf(CASES[i]!, () => new LazyHardware(), false);

/** Change what the compiled code finds in its block. */
const inBlock = (offset: number, change: (word: number) => number): Partial<Inside> => {
  const { prepare } = inside;
  return {
    prepare(this: Inside) {
      const walk = prepare.call(this);
      const at = (this.block + offset) >> 2;
      const { words } = this.rxr;
      words[at] = change(words[at]!);
      return walk;
    },
  };
};

const booked = (wrong: (walk: Inside, dropped: number) => void): Partial<Inside> => {
  const { book } = inside;
  return {
    book(this: Inside, other: number) {
      const dropped = book.call(this, other);
      wrong(this, dropped);
      return dropped;
    },
  };
};

test.each<[string, Partial<Inside>]>([
  ['names the RX producer of the slot before', inBlock(64, (notes) => notes - 16)],
  ['forgets the TX doorbell', booked(({ rxr }) => void (rxr.event &= ~BNXT_TX_EVENT))],
  ['charges no first touch', inBlock(36, (touches) => 1 - touches)],
  ['starts packets where the buffer starts', inBlock(28, () => 0)],
  ['goes round half the ring', inBlock(20, (mask) => mask >> 1)],
  ['takes ages from the next stamp', inBlock(32, (stamps) => stamps + 8)],
  [
    'publishes buffers while XDP_TX is under way',
    booked(({ rxr }) => void (rxr.event |= BNXT_RX_EVENT)),
  ],
  ['gives the NIC the wrong part of a new page', inBlock(116, (offset) => offset + 64)],
  ['says of frames that they came from elsewhere', inBlock(136, (memId) => memId ^ 1)],
  ['forgets to flush', booked(({ rxr }) => void (rxr.event &= ~BNXT_REDIRECT_EVENT))],
  [
    'counts a redirect twice',
    booked(({ rxr }, n) => void (rxr.fates.xdpRedirect += n > 20 ? 1 : 0)),
  ],
  ['ends a pass that goes on', booked((walk) => void (walk.foundEmpty = true))],
  ['copies packets of any length that it passes up', inBlock(PASS, () => 2000)],
  ['loses one that it passes up', booked(({ rxr }) => void (rxr.fates.xdpPass &= ~1))],
  ['forgets a fate', booked(({ rxr }, dropped) => void (rxr.fates.xdpDrop -= dropped > 0 ? 1 : 0))],
])('a walk that %s is found out', { timeout: 120_000 }, async (_, mutant) => {
  const differs = async (i: number): Promise<boolean> => {
    histories[i] ??= await unwalked(() => historyAt(i));
    const right = { prepare: inside.prepare, book: inside.book };
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
