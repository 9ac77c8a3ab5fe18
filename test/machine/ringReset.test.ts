/** A ring that is reset starts over: nothing of before the reset is taken for new. */
import { expect, test } from 'vitest';
import { END_OF_TIME } from '../../src/host/clock.ts';
import { RangeRefused } from '../../src/host/errors.ts';
import type { MachineResult } from '../../src/machine/result.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { XDP_DROP, XDP_TX } from '../../src/xdp/uapi.ts';
import { oneNic } from './oneNic.ts';
import { PATIENCE } from './fuzzRig.ts';

const drop = defineXdp(() => XDP_DROP, { name: 'drop' });
const echo = defineXdp(() => XDP_TX, { name: 'echo' });

const stat = (result: MachineResult, name: string): number =>
  new Map(result.nics[0]!.ethtool).get(name)!;

const withMtu = (mtu: number): void => {
  oneNic({ xdp: drop, count: 5, nic: { mtu } }).run(END_OF_TIME);
};

/**
 * Frames are polled 64 at a time. One of them was in the wrong slot, so the ring is reset 20 us
 * later, when the completions of some twenty more lie unread. Each of those would break the new
 * ring again, unless its index happened to fit, which is worse.
 */
test('completions of before the reset are discarded, and the new ring stays whole', () => {
  const nic = { rxRing: 255, rxUsecs: 200, rxFrames: 64 };
  const machine = oneNic({ xdp: drop, count: 700, nic });
  machine.faults.arm('rxCmpOutOfOrder', 250);
  machine.run(END_OF_TIME);
  expect(stat(machine.result(), '[0]: rx_resets')).toBe(1);
});

test('so is one of which only the first half has been written', PATIENCE, () => {
  for (let after = 120; after < 256; after += 3) {
    const nic = { rxRing: 255, rxUsecs: 200, rxFrames: 64 };
    const machine = oneNic({ xdp: drop, count: 700, traffic: 'rate=3Mpps', nic });
    machine.faults.arm('rxCmpOutOfOrder', after);
    machine.faults.arm('rxCmpHalf', 0, 1);
    machine.run(END_OF_TIME);
    expect(stat(machine.result(), '[0]: rx_resets'), `after ${after}`).toBe(1);
  }
});

test('what waits for transmission is sent unharmed, and its pages come home', () => {
  const nic = { rxRing: 64, txRing: 63, linkBps: 1e9 };
  const machine = oneNic({ xdp: echo, count: 2000, traffic: 'rate=1.4Mpps', nic });
  machine.faults.arm('rxCmpBuffer', 100, 150);
  machine.run(END_OF_TIME);
  const result = machine.result();
  expect(stat(result, '[0]: rx_resets')).toBeGreaterThan(5);
  expect(result.nics[0]!.fates.onWire).toBe(result.nics[0]!.fates.xdpTx);
  expect(result.pages.leaked).toBe(0);
  machine.close();
  expect(machine.result().pages.allocated).toBe(0);
});

test('an MTU that needs several buffers is refused when the device opens, with the limit', () => {
  withMtu(3502);
  expect(() => withMtu(3503)).toThrow(RangeRefused);
  expect(() => withMtu(3503)).toThrow(/eth0.*3503.*3502/);
});
