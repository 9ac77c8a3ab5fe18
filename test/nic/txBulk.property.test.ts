/** The transmit loop sends as the engine does packet by packet: same times, completions and counts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_FLAGS_PACKET_END,
} from '../../src/nic/hsi/txBd.ts';
import { TxRing } from '../../src/nic/txRing.ts';
import { nicRig } from './rig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
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
    { numRuns: 60 * RUNS, seed: 8 },
  );
}, 300_000);
