/**
 * Completions gather between a ring's message and its next arm. A frame is two records, a
 * transmission one; a tick is 80 ns. The ring of these tests has never been armed unless they arm it.
 */
import { describe, expect, test } from 'vitest';
import { RING_ALLOC_REQ_RING_TYPE_RX } from '../../src/nic/hsi/hwrm.ts';
import { CMP_TYPE_RX_L2_CMP } from '../../src/nic/hsi/rxCmp.ts';
import { CMP_TYPE_TX_L2_CMP } from '../../src/nic/hsi/txCmp.ts';
import { udp } from './frames.ts';
import type { Rig } from './rig.ts';
import { RX_NS, TIMING, nicRig } from './rig.ts';

const BD = (1 << 8) | (1 << 6); // one descriptor, the packet's last
/** 25 ticks. */
const TIMER_NS = 2000;
const MSIX = TIMING.msixNs;

describe.each(['lazy', 'eager'] as const)('a completion, with a %s NIC,', (pace) => {
  /** Frames at these times; so many records gather, or 25 ticks long. Interrupts after `records`. */
  function rigWith(gather: number, arrivals: number[], records = 100, ticks = 50): Rig {
    const rig = nicRig({ pace });
    rig.coalesce(records, ticks, 0, 0, [gather, 25]);
    rig.arrive(arrivals.map((ns) => [ns, udp()]));
    rig.post(255);
    return rig;
  }

  /** How many records the driver finds when it looks then. */
  function seenAt(rig: Rig, ns: number): number {
    rig.at(ns);
    return rig.poll().length;
  }

  test('is written with the one that makes the number full', () => {
    const rig = rigWith(8, [1000, 1200, 1400, 1600, 1800]);
    expect(seenAt(rig, 1600 + RX_NS - 1)).toBe(0);
    expect(seenAt(rig, 1600 + RX_NS)).toBe(4);
    // the fifth waits for others in vain
    expect(seenAt(rig, 1800 + RX_NS + TIMER_NS - 1)).toBe(0);
    expect(seenAt(rig, 1800 + RX_NS + TIMER_NS)).toBe(1);
  });

  test('is not torn in two: of five records, the third frame brings six', () => {
    const rig = rigWith(5, [1000, 1200, 1400]);
    expect(seenAt(rig, 1400 + RX_NS - 1)).toBe(0);
    expect(seenAt(rig, 1400 + RX_NS)).toBe(3);
  });

  test('is written so long after the first that waits, with all that are due by then', () => {
    const rig = rigWith(60, [1000, 1500, 3000, 3100]);
    expect(seenAt(rig, 1000 + RX_NS + TIMER_NS - 1)).toBe(0);
    expect(seenAt(rig, 1000 + RX_NS + TIMER_NS)).toBe(3);
    expect(seenAt(rig, 3100 + RX_NS + TIMER_NS - 1)).toBe(0);
    expect(seenAt(rig, 3100 + RX_NS + TIMER_NS)).toBe(1);
  });

  test('is the same whether somebody looked in between or not', () => {
    const rig = rigWith(60, [1000, 1500, 3000, 3100]);
    expect(seenAt(rig, 20_000)).toBe(4);
  });

  test('waits for nothing where one frame is enough', () => {
    const rig = rigWith(2, [1000]);
    expect(seenAt(rig, 1000 + RX_NS - 1)).toBe(0);
    expect(seenAt(rig, 1000 + RX_NS)).toBe(1);
  });

  test('is written when the ring is armed', () => {
    const rig = rigWith(60, [1000]);
    expect(seenAt(rig, 1500 + RX_NS)).toBe(0);
    rig.acknowledge(0, true);
    expect(rig.poll()).toHaveLength(1);
  });

  test('counts for the interrupt from when it was due, gathered or not', () => {
    const rig = rigWith(60, [1000]);
    rig.at(1500 + RX_NS);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(1000 + RX_NS + 50 * 80 + MSIX);
    expect(rig.poll()).toHaveLength(1);
  });

  test('is written as it comes while the ring is armed, and gathers from the message on', () => {
    const rig = rigWith(60, [1000, 2000, 2200, 2400], 4, 1000);
    rig.acknowledge(0, true);
    expect(seenAt(rig, 1000 + RX_NS)).toBe(1);
    // the second frame makes four records, and the message leaves
    expect(seenAt(rig, 2400 + RX_NS)).toBe(1);
    expect(seenAt(rig, 2200 + RX_NS + TIMER_NS - 1)).toBe(0);
    expect(seenAt(rig, 2200 + RX_NS + TIMER_NS)).toBe(2);
    expect(rig.wait(50_000)).toBe(2000 + RX_NS + MSIX);
  });

  test('is written when new limits are set', () => {
    const rig = rigWith(60, [1000, 1600]);
    rig.at(1500 + RX_NS);
    rig.coalesce(100, 50, 0, 0, [60, 25]);
    expect(rig.poll()).toHaveLength(1);
    expect(seenAt(rig, 1600 + RX_NS + TIMER_NS - 1)).toBe(0);
    expect(seenAt(rig, 1600 + RX_NS + TIMER_NS)).toBe(1);
  });

  test('is written when its RX ring ends', () => {
    const rig = rigWith(60, [1000]);
    expect(seenAt(rig, 1500 + RX_NS)).toBe(0);
    rig.hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_RX, rig.q(0).rxId, rig.cpu.now);
    expect(rig.poll()).toHaveLength(1);
    const fates = rig.fates();
    expect([fates.received, fates.lost.reduce((sum, n) => sum + n, 0)]).toEqual([1, 0]);
  });

  test('fills what room there is, and the rest follows at once when room is made', () => {
    // 150 frames are 300 records, for 256 slots; sixty make a number, the last ones time
    const arrivals = Array.from({ length: 150 }, (_, i) => 1000 + 100 * i);
    const rig = rigWith(60, arrivals);
    expect(seenAt(rig, 100_000)).toBe(128);
    expect(rig.poll()).toHaveLength(0);
    rig.acknowledge();
    expect(rig.poll()).toHaveLength(22);
  });

  describe('of a transmission', () => {
    const WIRE_NS = 84 * 0.08; // 100 Gb/s
    const DUE = TIMING.txFetchNs + WIRE_NS + TIMING.txCompleteNs;

    test('waits for a second one', () => {
      const rig = rigWith(2, []);
      rig.queueBd(udp(), BD, 0);
      rig.kick();
      rig.at(1000);
      rig.queueBd(udp(), BD, 1);
      rig.kick();
      expect(seenAt(rig, 1000 + DUE - 1)).toBe(0);
      expect(seenAt(rig, 1000 + DUE)).toBe(2);
    });

    test('or for its time', () => {
      const rig = rigWith(2, []);
      rig.queueBd(udp(), BD, 0);
      rig.kick();
      expect(seenAt(rig, DUE + TIMER_NS - 1)).toBe(0);
      expect(seenAt(rig, DUE + TIMER_NS)).toBe(1);
    });

    test('or for a frame, behind which it does not go', () => {
      const rig = rigWith(2, [2000]);
      rig.queueBd(udp(), BD, 0);
      rig.kick();
      rig.at(2000 + RX_NS - 1);
      expect(rig.poll()).toHaveLength(0);
      rig.at(2000 + RX_NS);
      expect(rig.poll().map(({ type }) => type)).toEqual([CMP_TYPE_TX_L2_CMP, CMP_TYPE_RX_L2_CMP]);
    });
  });
});
