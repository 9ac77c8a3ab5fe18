/**
 * A completion ring that is full: records wait in the NIC until the driver acknowledges, in order,
 * and nothing that was not acknowledged is overwritten. The ring has 256 slots; a frame takes two, a
 * transmission one. Nothing is watched, so the lazy NIC goes through its compiled loops.
 */
import { describe, expect, test } from 'vitest';
import { CMP_TYPE_TX_L2_CMP } from '../../src/nic/hsi/txCmp.ts';
import { CMP_TYPE_RX_L2_CMP } from '../../src/nic/hsi/rxCmp.ts';
import { udp } from './frames.ts';
import type { Rig } from './rig.ts';
import { nicRig } from './rig.ts';

const SLOTS = 256;
const BD = (1 << 8) | (1 << 6); // one descriptor, the packet's last
const LATE_NS = 1_000_000;

describe.each(['lazy', 'eager'] as const)('%s', (pace) => {
  /** `count` frames, 100 ns apart from `from` on, and buffers for 255. */
  function rigWith(count: number, from = 10_000): Rig {
    const rig = nicRig({ pace });
    rig.post(255);
    rig.arrive(Array.from({ length: count }, (_, i) => [from + 100 * i, udp()]));
    return rig;
  }

  const ring = (rig: Rig): Int32Array => {
    const { cpBase } = rig.q(0);
    return rig.mem.words.slice(cpBase >> 2, (cpBase + SLOTS * 16) >> 2);
  };

  /** The driver gives back `slots` of what it has not yet acknowledged, having read further. */
  function acknowledge(rig: Rig, raw: number): void {
    const queue = rig.q(0);
    const read = queue.rawCons;
    queue.rawCons = raw;
    rig.acknowledge();
    queue.rawCons = read;
  }

  test('takes what has room, to the last slot, and the rest after the acknowledgement', () => {
    const rig = rigWith(200);
    rig.at(LATE_NS);
    expect(rig.poll()).toHaveLength(SLOTS / 2);
    const before = ring(rig);
    rig.at(LATE_NS + 1000);
    expect(rig.poll()).toHaveLength(0);
    expect(ring(rig)).toEqual(before);
    rig.acknowledge();
    expect(rig.poll()).toHaveLength(200 - SLOTS / 2);
    expect(rig.nic.port.lanes[0]!.fates.received).toBe(200);
  });

  test('goes on by as many as were acknowledged', () => {
    const rig = rigWith(200);
    rig.at(LATE_NS);
    rig.poll();
    acknowledge(rig, 2);
    expect(rig.poll().map(({ raw }) => raw)).toEqual([256]);
    acknowledge(rig, 8);
    expect(rig.poll().map(({ raw }) => raw)).toEqual([258, 260, 262]);
  });

  test('has no room for a frame in one slot', () => {
    const rig = rigWith(140);
    rig.queueBd(udp(), BD, 0);
    rig.kick(); // long before the first frame
    rig.at(LATE_NS);
    const found = rig.poll();
    expect(found.map(({ type }) => type)).toEqual([
      CMP_TYPE_TX_L2_CMP,
      ...Array<number>(127).fill(CMP_TYPE_RX_L2_CMP),
    ]);
    const before = ring(rig);
    rig.at(LATE_NS + 1000);
    expect(rig.poll()).toHaveLength(0);
    expect(ring(rig)).toEqual(before);
    acknowledge(rig, 1);
    expect(rig.poll().map(({ raw }) => raw)).toEqual([255]);
  });

  test('has no room for a transmission in none, and lets none pass a frame', () => {
    const rig = rigWith(129);
    rig.at(50_000);
    rig.queueBd(udp(), BD, 0);
    rig.kick();
    rig.at(LATE_NS);
    expect(rig.poll()).toHaveLength(128);
    const before = ring(rig);
    rig.at(LATE_NS + 1000);
    expect(rig.poll()).toHaveLength(0);
    expect(ring(rig)).toEqual(before);
    acknowledge(rig, 1); // enough for the transmission, but the frame came first
    expect(rig.poll()).toHaveLength(0);
    acknowledge(rig, 2);
    expect(rig.poll().map(({ type }) => type)).toEqual([CMP_TYPE_RX_L2_CMP]);
    acknowledge(rig, 3);
    expect(rig.poll().map(({ type }) => type)).toEqual([CMP_TYPE_TX_L2_CMP]);
  });

  test('full of frames, makes a transmission wait for a slot', () => {
    const rig = rigWith(128);
    rig.at(50_000);
    rig.queueBd(udp(), BD, 0);
    rig.kick();
    rig.at(LATE_NS);
    expect(rig.poll()).toHaveLength(128);
    const before = ring(rig);
    expect(rig.poll()).toHaveLength(0);
    expect(ring(rig)).toEqual(before);
    acknowledge(rig, 1);
    expect(rig.poll().map(({ type }) => type)).toEqual([CMP_TYPE_TX_L2_CMP]);
  });
});
