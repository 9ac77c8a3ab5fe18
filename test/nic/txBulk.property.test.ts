/**
 * The transmit loop sends as the engine does packet by packet: same times, completions and counts; and
 * a loop that is wrong is found out.
 *
 * RINGSCOPE_RUNS multiplies the number of random runs, RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_FLAGS_PACKET_END,
} from '../../src/nic/hsi/txBd.ts';
import { TxBulk } from '../../src/nic/txBulk.ts';
import { TxRing } from '../../src/nic/txRing.ts';
import { nicRig } from './rig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 8);
const ONE_BD: number = (1 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END;

interface Sent {
  readonly len: number;
  /** First bytes: the destination. */
  readonly to: readonly number[];
  readonly completes: boolean;
  /** Is a doorbell rung behind it? */
  readonly rung: boolean;
  /** Then time goes by, and the driver looks. */
  readonly ns: number;
}

/** What a driver sees, and what the NIC has counted and holds. @param bulk in the loop */
function history(frames: readonly Sent[], bulk: boolean): unknown[] {
  const rig = nicRig({ pace: 'lazy' });
  Object.assign(rig.nic.parts.sink, { watched: !bulk });
  rig.coalesce(3, 5);
  const seen: unknown[] = [];
  let now = 1000;
  const look = (): void => {
    rig.at(now);
    for (const { raw, at } of rig.poll())
      seen.push([raw, ...rig.mem.words.slice(at >> 2, (at >> 2) + 4)]);
    rig.acknowledge(0, true);
    for (; rig.irqs.nextAt() !== Infinity; rig.irqs.take()) seen.push(rig.irqs.nextAt());
  };
  frames.forEach(({ len, to, completes, rung, ns }, i) => {
    const bytes = Uint8Array.from({ length: len }, (_, at) => to[at] ?? (at * 7 + i) & 0xff);
    rig.queueBd(bytes, completes ? ONE_BD : ONE_BD | TX_BD_FLAGS_NO_CMPL, i);
    if (!rung) return;
    rig.kick();
    now += ns;
    look();
  });
  rig.kick();
  now += 100_000;
  look();
  const { parts, bells } = rig.nic;
  const ring = bells[rig.q(0).txId];
  if (!(ring instanceof TxRing)) throw new Error('the rig has its rings elsewhere');
  const fifo = [...rig.mem.u8.subarray(parts.txFifo, parts.txFifo + 1514)];
  return [bulk ? 0 : rig.sent.length, seen, ring.stats.by, fifo];
}

const destination = fc.constantFrom(
  [2, 0, 0, 0, 0, 1],
  [2, 0, 0, 0, 0, 1],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
  [1, 0, 0x5e, 0, 0, 1],
);
const sent: fc.Arbitrary<Sent> = fc.record({
  len: fc.oneof(
    fc.integer({ min: 14, max: 300 }),
    fc.constantFrom(59, 60, 61, 64, 65, 256, 257, 1514),
  ),
  to: destination,
  completes: fc.boolean(),
  rung: fc.boolean(),
  ns: fc.integer({ min: 0, max: 3000 }),
});

test('whatever is sent', () => {
  fc.assert(
    fc.property(fc.array(sent, { minLength: 1, maxLength: 60 }), (frames) => {
      const [packets, ...single] = history(frames, false);
      const [, ...bulk] = history(frames, true);
      expect(bulk).toEqual(single);
      expect(packets).toBe(frames.length);
    }),
    { numRuns: 60 * RUNS, seed: SEED },
  );
}, 300_000);

type Inside = Pick<TxBulk, 'initBlock' | 'transmit'>;
const { initBlock, transmit } = TxBulk.prototype;
const right: Inside = { initBlock, transmit };

/** Another value in a ring's block, see `txBulk.ts`. */
const inBlock = (
  kind: 'words' | 'doubles',
  offset: number,
  change: (value: number) => number,
): Partial<Inside> => ({
  initBlock(this: TxBulk, ring, parts, link) {
    right.initBlock.call(this, ring, parts, link);
    const view = parts.mem[kind];
    const at = (ring.block + offset) / view.BYTES_PER_ELEMENT;
    view[at] = change(view[at]!);
  },
});

const noWire: Partial<Inside> = {
  transmit(this: TxBulk, ring, _freeAt, until) {
    return right.transmit.call(this, ring, 0, until);
  },
};

test.each<[string, Partial<Inside>]>([
  ['has another rate', inBlock('doubles', 40, (psPerByte) => psPerByte + 1)],
  ['completes a picosecond late', inBlock('doubles', 48, (latency) => latency + 1)],
  ['counts beside its counters', inBlock('words', 32, (stats) => stats + 8)],
  ['puts frames together elsewhere', inBlock('words', 36, (fifo) => fifo + 64)],
  ['waits for no wire', noWire],
])('a loop that %s is found out', { timeout: 120_000 }, (_, mutant) => {
  const several = fc.array(sent, { minLength: 20, maxLength: 60 });
  const runs = fc.sample(several, { numRuns: 20, seed: 7 });
  const differs = (frames: readonly Sent[]): boolean => {
    const [, ...single] = history(frames, false);
    Object.assign(TxBulk.prototype, mutant);
    try {
      const [, ...bulk] = history(frames, true);
      return JSON.stringify(bulk) !== JSON.stringify(single);
    } catch {
      return true; // the NIC itself refused what it came to
    } finally {
      Object.assign(TxBulk.prototype, right);
    }
  };
  expect(runs.some(differs)).toBe(true);
});
