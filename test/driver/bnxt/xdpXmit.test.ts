import { describe, expect, test } from 'vitest';
import { EINVAL } from '../../../src/host/errno.ts';
import { XDP_FRAME } from '../../../src/host/ledger.ts';
import { PAGE_MASK } from '../../../src/host/memory.ts';
import { devClose } from '../../../src/stack/netdevice.ts';
import {
  XDP_DROP,
  XDP_PACKET_HEADROOM,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_XMIT_FLUSH,
} from '../../../src/xdp/uapi.ts';
import { xdpPrepareBuff } from '../../../src/xdp/xdpBuff.ts';
import { xdpConvertBuffToFrame } from '../../../src/xdp/xdpFrame.ts';
import { bnxtXdpXmit } from '../../../src/driver/bnxt/xdp.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, SMALL, program, verdicts } from './rig.ts';
import { swTxBdAction, swTxBdAt, swTxBdXdpf } from '../../../src/driver/bnxt/swTxBd.ts';

/** eth0 receives; eth1 is told to transmit frames made of eth0's pages. */
function xmitRig(options: RigOptions = {}): Rig {
  return new Rig({ nics: 2, xdp: [verdicts(XDP_DROP), verdicts(XDP_PASS)], ...options });
}

/** `n` frames as the core hands them over, out of the pool of eth0. */
function frames(rig: Rig, n: number): Int32Array {
  const { mem, watch } = rig.machine;
  const rxr = rig.rxr();
  return Int32Array.from({ length: n }, () => {
    const page = rxr.pagePool.alloc(rig.cpu);
    watch.page(page, XDP_FRAME);
    mem.u8.set(SMALL, page + XDP_PACKET_HEADROOM);
    xdpPrepareBuff(mem.words, rxr.xdp, page, XDP_PACKET_HEADROOM, SMALL.length, true);
    return xdpConvertBuffToFrame(mem.words, rxr.xdp, rxr.xdpRxq);
  });
}

function xmit(rig: Rig, of: Int32Array, flags = 0, cpu = rig.cpu): number {
  const { mem } = rig.machine;
  const { at, bytes } = mem.regions.find(({ name }) => name === 'redirects')!;
  const unused = at + bytes - of.byteLength;
  mem.wordsAt(unused, of.length).set(of);
  return bnxtXdpXmit(rig.bp(1), cpu, unused, of.length, flags);
}

/** What the caller must do with frames that were not taken. */
function giveBack(rig: Rig, of: Int32Array): void {
  for (const frame of of) rig.rxr().pagePool.recycleDirect(frame & PAGE_MASK, rig.cpu);
}

const refused = (rig: Rig): void => {
  const two = frames(rig, 2);
  rig.bells();
  expect(xmit(rig, two, XDP_XMIT_FLUSH)).toBe(-EINVAL);
  expect(rig.bells(1)).toEqual([]);
  expect([...two].map((f) => rig.ownerOf(f & PAGE_MASK))).toEqual(['xdp_frame', 'xdp_frame']);
  giveBack(rig, two);
  expect(rig.leftOver()).toEqual(NOTHING);
};

describe('the whole batch is refused with -EINVAL', () => {
  test('while the device is closed', () => {
    const rig = xmitRig();
    devClose(rig.dev(1));
    refused(rig);
  });

  test('while no program is attached: then it has no XDP TX rings', () => {
    refused(xmitRig({ xdp: [verdicts(XDP_DROP), null] }));
  });

  test('while its ring is closing', () => {
    const rig = xmitRig();
    rig.txr(0, 1).closing = true;
    refused(rig);
  });
});

describe('what is queued', () => {
  test('one short descriptor per frame, marked XDP_REDIRECT, returned to its pool at completion', () => {
    const rig = xmitRig();
    const wire = rig.wire();
    const three = frames(rig, 3);
    expect(xmit(rig, three, XDP_XMIT_FLUSH)).toBe(3);
    const txr = rig.txr(0, 1);
    const { words } = rig.machine.mem;
    const at = (txr.txDescRing + 16) >> 2;
    expect(words[at]!.toString(16)).toBe('400140'); // 64 bytes, 1 BD, packet end, short, lhint 0
    expect(words[at + 1]).toBe(0x0001_0001); // ring 0 of its NAPI, 1 BD, index 1
    expect(words[at + 2]).toBe((three[1]! & PAGE_MASK) + 256);
    const note = swTxBdAt(txr.xdpBufRing, 1);
    expect([swTxBdAction(words, note), swTxBdXdpf(words, note)]).toEqual([XDP_REDIRECT, three[1]!]);
    rig.wait(10);
    rig.poll(0, 1);
    expect(wire).toEqual(Array.from({ length: 3 }, () => ({ port: 1, bytes: [...SMALL] })));
    expect([...three].map((f) => rig.ownerOf(f & PAGE_MASK))).toEqual([
      'pool ring',
      'pool ring',
      'pool ring',
    ]);
    expect(txr.txCons).toBe(3);
  });

  test('the doorbell is rung with the flush flag alone, and then even when nothing was queued', () => {
    const rig = xmitRig();
    rig.bells();
    xmit(rig, frames(rig, 2), 0);
    expect(rig.bells(1)).toEqual([]);
    xmit(rig, frames(rig, 1), XDP_XMIT_FLUSH);
    expect(rig.bells(1)).toEqual(['tx 3']);
    xmit(rig, frames(rig, 0), XDP_XMIT_FLUSH);
    expect(rig.bells(1)).toEqual(['tx 3']);
  });

  test('a ring that fills up takes what fits and says how many', () => {
    const rig = xmitRig({ txRing: 20 });
    const many = frames(rig, 30);
    expect(xmit(rig, many.subarray(0, 15))).toBe(15);
    expect(xmit(rig, many.subarray(15))).toBe(5);
    expect(rig.txr(0, 1).txProd).toBe(20);
    giveBack(rig, many.subarray(20));
  });

  test('a mapping that fails ends the batch there', () => {
    const rig = xmitRig();
    rig.machine.faults.arm('dmaMap', 4);
    const many = frames(rig, 10);
    expect(xmit(rig, many, XDP_XMIT_FLUSH)).toBe(4);
    expect(rig.bells(1)).toContain('tx 4');
    giveBack(rig, many.subarray(4));
  });
});

describe('which ring, and when it is locked', () => {
  test.each([
    [1, 1, [0], false],
    [2, 1, [0, 0], true],
    [3, 2, [0, 1, 0], true],
    [2, 2, [0, 1], false],
    [2, 4, [0, 1], false],
  ])('%i CPUs and %i queues: CPU i uses ring %j; locked: %s', (cpus, queues, rings, locked) => {
    const rig = xmitRig({ cpus, queues });
    expect(rig.bp(1).xdpLockingKey).toBe(locked);
    const used = rig.machine.cpus.map((cpu) => {
      const before = rig.bp(1).txRing.map((txr) => txr.txProd);
      expect(xmit(rig, frames(rig, 1), 0, cpu)).toBe(1);
      return rig.bp(1).txRing.findIndex((txr, i) => txr.txProd !== before[i]);
    });
    expect(used).toEqual(rings);
  });

  test('the lock is held around the whole batch, and only with the key', () => {
    for (const cpus of [1, 2]) {
      const rig = xmitRig({ cpus });
      const txr = rig.txr(0, 1);
      const steps: string[] = [];
      const { lock, unlock } = txr.xdpTxLock;
      txr.xdpTxLock.lock = function (): void {
        steps.push(`lock at ${txr.txProd}`);
        lock.call(this);
      };
      txr.xdpTxLock.unlock = function (): void {
        steps.push(`unlock at ${txr.txProd}`);
        unlock.call(this);
      };
      xmit(rig, frames(rig, 3), XDP_XMIT_FLUSH);
      expect(steps).toEqual(cpus === 1 ? [] : ['lock at 0', 'unlock at 3']);
    }
  });
});

describe('through the core', () => {
  test('frames that did not fit are lost, counted, and their pages return to the receiving NIC', () => {
    const rig = xmitRig({
      txRing: 19,
      xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)],
    });
    rig.ready(40);
    rig.poll();
    expect(rig.fates().xdpRedirect).toBe(40);
    expect(rig.lost()).toEqual({ redirectQueueFull: 21 });
    expect(rig.buffers()).toBe(511);
    rig.run();
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a failing map loses the rest of its batch of sixteen, and no page', () => {
    const rig = xmitRig({ xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)] });
    rig.machine.faults.arm('dmaMap', 20);
    rig.ready(40);
    rig.poll();
    expect(rig.lost()).toEqual({ redirectQueueFull: 12 }); // 16 taken, 4 of 16, 8
    rig.run();
    expect(rig.fates().onWire).toBe(28);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});
