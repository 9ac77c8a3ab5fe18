/** Packets of the stack: descriptors, offloads as they show on the wire, stops and wakes, closing. */
import { describe, expect, test } from 'vitest';
import { DESC_SHIFT } from '../../../src/nic/hsi/ring.ts';
import { TX_BD_FIELDS } from '../../../src/nic/hsi/txBd.ts';
import { TX_BD_EXT_FIELDS } from '../../../src/nic/hsi/txBdExt.ts';
import { allocSkb } from '../../../src/stack/skbPool.ts';
import type { SkBuff } from '../../../src/stack/skbuff.ts';
import { CHECKSUM_PARTIAL, skbAddRxFrag, skbPut } from '../../../src/stack/skbuff.ts';
import { devQueueXmit } from '../../../src/stack/xmit.ts';
import { NETDEV_TX_BUSY, NETDEV_TX_OK } from '../../../src/stack/xmitOne.ts';
import { bnxtStartXmit } from '../../../src/driver/bnxt/tx.ts';
import { XDP_PASS } from '../../../src/xdp/uapi.ts';
import { fieldsAt } from '../../nic/hsi/layout.ts';
import { NOTHING, Rig, udpFrame, verdicts } from './rig.ts';

function skbOf(rig: Rig, bytes: Uint8Array): SkBuff {
  const skb = allocSkb(rig.dev(), bytes.length, rig.cpu)!;
  rig.machine.mem.u8.set(bytes, skbPut(skb, bytes.length));
  skb.protocol = 0x0800;
  return skb;
}

/** The last `n` bytes lie in a page of their own. */
function splitSkb(rig: Rig, bytes: Uint8Array, n: number): SkBuff {
  const skb = skbOf(rig, bytes.slice(0, -n));
  const page = rig.machine.pages.alloc();
  rig.machine.mem.u8.set(bytes.slice(-n), page + 100);
  skbAddRxFrag(skb, page, 100, n, 4096);
  return skb;
}

/** The UDP checksum is left to hardware: what stands in the field is not it. */
function partial(rig: Rig, skb: SkBuff): SkBuff {
  Object.assign(skb, { ipSummed: CHECKSUM_PARTIAL, csumStart: skb.data + 34, csumOffset: 6 });
  rig.machine.mem.view.setUint16(skb.data + 40, 0xdead);
  return skb;
}

const send = (rig: Rig, skb: SkBuff): number => devQueueXmit(skb, rig.cpu);
const bd = (rig: Rig, slot: number, ring = 0) => rig.txr(ring).txDescRing + (slot << DESC_SHIFT);
const tx = (rig: Rig, slot: number, ring = 0) =>
  fieldsAt(rig.machine.mem.words, bd(rig, slot, ring), TX_BD_FIELDS);
const ext = (rig: Rig, slot: number, ring = 0) =>
  fieldsAt(rig.machine.mem.words, bd(rig, slot, ring), TX_BD_EXT_FIELDS);
/** The stack's own limit out of the way. */
function unlimited(rig: Rig): Rig {
  rig.dev().tx[0]!.dql.limit = 1e9;
  return rig;
}

describe('descriptors', () => {
  test('a long one, and its extension', () => {
    const rig = new Rig();
    send(rig, skbOf(rig, udpFrame(600)));
    const first = { type: 0x10, packetEnd: 1, noCmpl: 0, bdCnt: 2, lhint: 1, coalNow: 0 };
    expect(tx(rig, 0)).toMatchObject({ ...first, len: 600, opaqueIdx: 0, opaqueBds: 2 });
    expect(ext(rig, 1)).toMatchObject({ tcpUdpChksum: 0, ipCksum: 0, lso: 0, key: 0 });
    expect(rig.txr().txProd).toBe(2);
    expect(rig.bells()).toEqual(['tx 2']);
  });

  test('one more for each piece, of which the last ends the packet', () => {
    const rig = new Rig();
    const wire = rig.wire();
    const bytes = udpFrame(1000);
    send(rig, splitSkb(rig, bytes, 700));
    expect(tx(rig, 0)).toMatchObject({ packetEnd: 0, bdCnt: 3, lhint: 1, len: 300 });
    expect(tx(rig, 2)).toMatchObject({ type: 0, packetEnd: 1, len: 700 });
    rig.run();
    expect(wire).toEqual([{ port: 0, bytes: [...bytes] }]);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test("the tag and the checksum are the hardware's to put in", () => {
    const rig = new Rig();
    const wire = rig.wire();
    const bytes = udpFrame(200);
    const skb = partial(rig, skbOf(rig, bytes));
    skb.vlanProto = 0x8100;
    skb.vlanTci = 0x6007;
    send(rig, skb);
    expect(ext(rig, 1)).toMatchObject({ tcpUdpChksum: 1, vlanTci: 0x6007, tpid: 1, key: 1 });
    rig.run();
    const tag = [0x81, 0x00, 0x60, 0x07];
    expect(wire[0]!.bytes).toEqual([...bytes.slice(0, 12), ...tag, ...bytes.slice(12)]);
  });

  test('a checksum over pieces, as a sender without hardware writes it', () => {
    const rig = new Rig();
    const wire = rig.wire();
    const bytes = udpFrame(1001);
    send(rig, partial(rig, splitSkb(rig, bytes, 333)));
    rig.run();
    expect(wire[0]!.bytes).toEqual([...bytes]);
  });

  test('a short packet is padded to 52 bytes with zeros', () => {
    const rig = new Rig();
    const wire = rig.wire();
    const arp = Uint8Array.from({ length: 42 }, (_, i) => i + 1);
    send(rig, skbOf(rig, arp));
    rig.run();
    expect(wire[0]!.bytes).toEqual([...arp, ...Array.from({ length: 10 }, () => 0)]);
  });
});

describe('with a program attached', () => {
  test('the ring, its NAPI and its interrupt are behind those of XDP', () => {
    const rig = new Rig({ queues: 2, cpus: 2, xdp: [verdicts(XDP_PASS)] });
    const wire = rig.wire();
    send(rig, skbOf(rig, udpFrame(100)));
    devQueueXmit(skbOf(rig, udpFrame(101)), rig.machine.cpus[1]!);
    expect(rig.bp().txRing.map((txr) => txr.txProd)).toEqual([0, 0, 2, 2]);
    expect(rig.rung.map(({ irq, what }) => [irq, what])).toEqual([
      ['eth0-2', 'tx'],
      ['eth0-3', 'tx'],
    ]);
    rig.run();
    expect(wire.map(({ bytes }) => bytes.length).toSorted()).toEqual([100, 101]);
    const stats = rig.ethtool();
    expect([stats['[2]: tx_ucast_packets'], stats['[3]: tx_ucast_packets']]).toEqual([1, 1]);
    expect(rig.bp().txRing.map((txr) => txr.txCons)).toEqual([0, 0, 2, 2]);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a bulk', () => {
  test('rings once, and completes once', () => {
    const rig = unlimited(new Rig());
    for (const more of [true, true, false]) {
      expect(bnxtStartXmit(rig.bp(), skbOf(rig, udpFrame(100)), rig.cpu, more)).toBe(NETDEV_TX_OK);
    }
    expect([0, 2, 4].map((slot) => tx(rig, slot)['noCmpl'])).toEqual([1, 1, 0]);
    expect(rig.bells()).toEqual(['tx 6']);
    rig.dev().txFates.stackTx += 3;
    rig.trace();
    rig.run();
    expect(rig.events('txInt')).toEqual([[0, 6]]);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('on a ring that is half used, each packet completes', () => {
    const rig = unlimited(new Rig({ txRing: 40 }));
    const frame = udpFrame(100);
    for (let i = 0; i < 12; i++) {
      bnxtStartXmit(rig.bp(), skbOf(rig, frame), rig.cpu, true);
    }
    // 40, 38, … descriptors free: 20 and more are half a ring; with 18 left, no packet may wait
    const noCmpl = Array.from({ length: 12 }, (_, i) => tx(rig, 2 * i)['noCmpl']);
    expect(noCmpl).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  });

  test('a packet that cannot be mapped is dropped, and the doorbell it was to ring is rung', () => {
    const rig = unlimited(new Rig());
    bnxtStartXmit(rig.bp(), skbOf(rig, udpFrame(100)), rig.cpu, true);
    rig.machine.faults.arm('dmaMap', 0, 1);
    bnxtStartXmit(rig.bp(), skbOf(rig, udpFrame(100)), rig.cpu, false);
    expect(rig.bells()).toEqual(['tx 2']);
    expect(rig.lost()).toEqual({ xmitDrop: 1 });
    expect(rig.dev().stats.txDropped).toBe(1);
    rig.dev().txFates.stackTx += 2;
    rig.run();
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a ring that fills up', () => {
  test('stops the queue while one packet of most pieces still fits, and half a ring wakes it', () => {
    const rig = unlimited(new Rig({ txRing: 40 }));
    const wire = rig.wire();
    const lens = Array.from({ length: 30 }, (_, i) => 100 + i);
    for (const len of lens) send(rig, skbOf(rig, udpFrame(len)));
    // 40 - 2 * 11 = 18 = MAX_SKB_FRAGS + 1: stopped after eleven
    expect(rig.txr().txProd).toBe(22);
    expect(rig.dev().tx[0]!.qdisc.length).toBe(19);
    rig.run();
    expect(wire.map(({ bytes }) => bytes.length)).toEqual(lens);
    expect(rig.fates().stackTx).toBe(30);
    expect(rig.fates().onWire).toBe(30);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('is busy for a packet that does not fit at all', () => {
    const rig = unlimited(new Rig({ txRing: 19 }));
    let taken = 0;
    for (;;) {
      const skb = skbOf(rig, udpFrame(100));
      if (bnxtStartXmit(rig.bp(), skb, rig.cpu, false) === NETDEV_TX_BUSY) break;
      taken++;
    }
    expect(taken).toBe(9); // two descriptors each, of nineteen
    expect(rig.dev().tx[0]!.state).not.toBe(0);
  });
});

test('the byte limit lets one packet go at first, and grows as completions come', () => {
  const rig = new Rig();
  const wire = rig.wire();
  for (let i = 0; i < 200; i++) send(rig, skbOf(rig, udpFrame(1000)));
  expect(rig.txr().txProd).toBe(2);
  rig.run();
  expect(wire).toHaveLength(200);
  expect(rig.dev().tx[0]!.dql.limit).toBeGreaterThan(1000);
  expect(rig.leftOver()).toEqual(NOTHING);
});

test('closing loses what was not sent, and frees it', () => {
  const rig = unlimited(new Rig({ linkBps: 1e6 })); // a packet of 1000 bytes takes 8 ms
  for (let i = 0; i < 5; i++) send(rig, skbOf(rig, udpFrame(1000)));
  rig.run(20e9);
  const left = rig.leftOver();
  expect(left).toEqual(NOTHING);
  const { onWire } = rig.fates();
  expect(onWire).toBeGreaterThan(0);
  expect(rig.lost()).toEqual({ txDeviceClosed: 5 - onWire });
});

test('an exchange of programs keeps what waits in front of the ring', () => {
  const rig = new Rig({ linkBps: 1e8 });
  const wire = rig.wire();
  for (let i = 0; i < 20; i++) send(rig, skbOf(rig, udpFrame(500)));
  rig.machine.attachXdp(0, verdicts(XDP_PASS));
  rig.run();
  expect(wire.length + (rig.lost()['txDeviceClosed'] ?? 0)).toBe(20);
  expect(wire.length).toBeGreaterThanOrEqual(19);
  expect(rig.leftOver()).toEqual(NOTHING);
});
