/** Counters of records, frames and doorbells run on through 32 bits, and nothing shows. */
import { expect, test } from 'vitest';
import { TxRing } from '../../src/nic/txRing.ts';
import { TX_BD_FLAGS_BD_CNT_SHIFT, TX_BD_FLAGS_PACKET_END } from '../../src/nic/hsi/txBd.ts';
import { udp } from './frames.ts';
import { nicRig } from './rig.ts';

const ROUNDS = 120;
const ROUND_NS = 400;
const ONE_BD: number = (1 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END;
/** A whole number of laps of every ring before the sign bit. */
const NEARLY_FULL = 2 ** 31 - 512;

/** What a driver sees of a busy queue whose counters begin at `from`. */
function history(pace: 'lazy' | 'eager', from: number): unknown[] {
  const rig = nicRig({ pace });
  const { ring } = rig.nic.port.lanes[0]!;
  const tx = rig.nic.bells[rig.q(0).txId];
  if (ring === null || !(tx instanceof TxRing)) throw new Error('the rig has its rings elsewhere');
  ring.pendingHead = ring.pendingTail = from;
  ring.cp.prod = ring.cp.cons = from;
  ring.cp.txHead = ring.cp.txTail = from + 500;
  tx.bellHead = tx.bellTail = from + 500;

  Object.assign(rig.nic.parts.sink, { watched: false }); // or the compiled loop would not send
  const sent = udp({ lenBytes: 90 });
  const seen: unknown[] = [];
  rig.coalesce(5, 10);
  rig.arrive(Array.from({ length: ROUNDS * 4 }, (_, i) => [1000 + i * 100, sent]));
  for (let round = 1; round <= ROUNDS; round++) {
    rig.post(5);
    rig.queueBd(sent, ONE_BD, round);
    rig.kick();
    rig.at(1000 + round * ROUND_NS);
    seen.push(
      rig
        .poll()
        .map(({ raw, type, at }) => [raw, type, ...rig.mem.words.slice(at >> 2, (at >> 2) + 8)]),
    );
    rig.acknowledge(0, true);
    for (; rig.irqs.nextAt() !== Infinity; rig.irqs.take()) seen.push(rig.irqs.nextAt());
  }
  return [...seen, rig.nic.port.lanes[0]!.fates, rig.nic.port.lanes[0]!.stats.by];
}

test.each(['lazy', 'eager'] as const)('of an %s NIC', (pace) => {
  const seen = history(pace, NEARLY_FULL);
  expect(seen).toEqual(history(pace, 0));
  expect(seen.flat(2).length).toBeGreaterThan(ROUNDS * 4);
});
