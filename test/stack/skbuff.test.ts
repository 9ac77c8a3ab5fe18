import { describe, expect, test } from 'vitest';
import { OP_SKB_ALLOC, OP_SKB_FREE } from '../../src/host/cost.ts';
import { CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import { FREE, POOL_CACHE, POOL_RING, SKB } from '../../src/host/ledger.ts';
import { SKB_DROP_REASON_NOMEM } from '../../src/host/dropReason.ts';
import { ethTypeTrans } from '../../src/stack/ethTypeTrans.ts';
import { napiSchedule } from '../../src/stack/napi.ts';
import { PagePool } from '../../src/stack/pagePool.ts';
import { skbCopyBits, skbFrameBytes } from '../../src/stack/skbBytes.ts';
import {
  __vlanHwaccelPutTag,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PKT_HASH_TYPE_L3,
  PKT_HASH_TYPE_L4,
  skbAddRxFrag,
  skbHeadlen,
  skbMarkForRecycle,
  skbMetadataSet,
  skbPull,
  skbPut,
  skbRecordRxQueue,
  skbReserve,
  skbSetHash,
} from '../../src/stack/skbuff.ts';
import type { SkBuff } from '../../src/stack/skbuff.ts';
import { consumeSkb, kfreeSkb, napiAllocSkb, napiBuildSkb } from '../../src/stack/skbPool.ts';
import { CountingQueue, stackRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

/** A NAPI in its softirq on CPU 0, and its page pool. */
function skbRig(options: RigOptions = {}) {
  const rig = stackRig({ cpus: 2, ...options });
  const { napi } = new CountingQueue(rig.dev, 0);
  const pool = new PagePool(rig.net, 64);
  pool.enableDirectRecycling(napi);
  napiSchedule(napi, rig.cpu);
  for (const cpu of rig.cpus) cpu.enter(CTX_SOFTIRQ);
  const build = (len: number): SkBuff => {
    const skb = napiBuildSkb(napi, pool.alloc(rig.cpu), 4096)!;
    skbReserve(skb, 256);
    skbPut(skb, len);
    skbMarkForRecycle(skb);
    return skb;
  };
  return { ...rig, napi, pool, build, other: rig.cpus[1]! };
}
/** Distinct bytes from 1 up, so that order and place show. */
const fill = (u8: Uint8Array, at: number, len: number, first: number): void => {
  for (let i = 0; i < len; i++) u8[at + i] = (first + i) & 0xff;
};
const count = (first: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (first + i) & 0xff);

describe('napi_alloc_skb', () => {
  test.each([
    [0, 1024],
    [640, 1024], // 64 + 640 + 320
    [641, 2048],
    [1024, 2048], // the largest copybreak
    [1664, 2048],
    [1665, 4096],
    [3712, 4096],
  ])('%i bytes take a slot of %i: headroom 64, shared info 320', (len, slot) => {
    const { napi } = skbRig();
    const skb = napiAllocSkb(napi, len)!;
    expect(skb.data - skb.head).toBe(64);
    expect(skb.end - skb.head).toBe(slot - 320);
    expect(skb.truesize).toBe(slot + 256);
    expect([skb.len, skb.tail]).toEqual([0, skb.data]);
    skbPut(skb, len);
    expect(skb.len).toBe(len);
  });

  test('more than a page is refused', () => {
    const { napi } = skbRig();
    expect(() => napiAllocSkb(napi, 3713)).toThrow('longer than a page');
  });

  test('slots do not overlap, and a freed one is used again', () => {
    const { napi, cpu, net } = skbRig();
    const skbs = Array.from({ length: 9 }, () => napiAllocSkb(napi, 100)!);
    const heads = skbs.map((s) => s.head).toSorted((a, b) => a - b);
    for (let i = 1; i < 9; i++) expect(heads[i]! - heads[i - 1]!).toBeGreaterThanOrEqual(1024);
    expect(net.skbs.slabPages).toBe(3); // four slots a page
    const { head } = skbs[4]!;
    consumeSkb(skbs[4]!, cpu);
    expect(napiAllocSkb(napi, 100)!.head).toBe(head);
  });

  test('slab pages belong to skbs, and go back once no slot is in use', () => {
    const { napi, cpu, net, pages, ledger } = skbRig();
    const before = pages.free;
    const skb = napiAllocSkb(napi, 100)!;
    ledger.holds(skb.head, SKB, 'test');
    expect(net.skbs.reap()).toBe(false);
    consumeSkb(skb, cpu);
    expect(net.skbs.reap()).toBe(true);
    expect(pages.free).toBe(before);
  });

  test('the fault point skbAlloc, and an empty page allocator, return null and lose nothing', () => {
    const { napi, faults, net, pages } = skbRig({ pages: 8 });
    faults.arm('skbAlloc');
    expect(napiAllocSkb(napi, 100)).toBe(null);
    while (pages.free > 0) pages.alloc();
    expect(napiAllocSkb(napi, 100)).toBe(null);
    expect(net.skbs.live).toBe(0);
  });
});

describe('napi_build_skb', () => {
  test('the packet stays where the NIC wrote it', () => {
    const { build, mem, ledger } = skbRig();
    const skb = build(1500);
    expect(skb.data).toBe(skb.head + 256);
    expect(skb.end).toBe(skb.head + 4096 - 320);
    expect(skb.truesize).toBe(4096 + 256);
    expect(skb.tail - skb.data).toBe(1500);
    ledger.holds(skb.data, SKB, 'test');
    fill(mem.u8, skb.data, 3, 7);
    const to = new Uint8Array(3);
    expect(skbCopyBits(mem, skb, 0, to, 0, 3)).toBe(true);
    expect([...to]).toEqual([7, 8, 9]);
  });

  test('a put beyond the shared info stops the run', () => {
    const { build } = skbRig();
    const skb = build(4096 - 320 - 256);
    expect(() => skbPut(skb, 1)).toThrow('skb_over_panic');
  });

  test("when it fails the page is still the driver's", () => {
    const { napi, pool, cpu, faults } = skbRig();
    const page = pool.alloc(cpu);
    faults.arm('skbAlloc');
    expect(napiBuildSkb(napi, page, 4096)).toBe(null);
    pool.recycleDirect(page, cpu);
    expect(pool.outPages).toBe(0);
  });
});

describe('freeing', () => {
  test('in the softirq that owns the pool a page goes to its cache', () => {
    const { build, pool, ledger, cpu } = skbRig();
    const skb = build(100);
    const page = skb.head;
    consumeSkb(skb, cpu);
    ledger.holds(page, POOL_CACHE, 'test');
    expect(pool.stats.recycleCached).toBe(1);
  });

  test('on another CPU it goes to the ring', () => {
    const { build, pool, ledger, other } = skbRig();
    const skb = build(100);
    const page = skb.head;
    consumeSkb(skb, other);
    ledger.holds(page, POOL_RING, 'test');
    expect(pool.stats.recycleRing).toBe(1);
  });

  test('a small skb with pages as frags returns them all: slot and pages', () => {
    const { napi, pool, cpu, net } = skbRig();
    const skb = napiAllocSkb(napi, 128)!;
    skbPut(skb, 54);
    skbAddRxFrag(skb, pool.alloc(cpu), 256 + 54, 1446, 4096);
    expect([skb.len, skb.dataLen, skbHeadlen(skb)]).toEqual([1500, 1446, 54]);
    expect(skb.truesize).toBe(1024 + 256 + 4096);
    skbAddRxFrag(skb, pool.alloc(cpu), 0, 4096, 4096);
    skbMarkForRecycle(skb);
    consumeSkb(skb, cpu);
    expect([pool.outPages, net.skbs.live]).toEqual([0, 0]);
    expect(net.skbs.reap()).toBe(true);
  });

  test('a page that belongs to no pool goes back to the allocator', () => {
    const { napi, pages, ledger, cpu } = skbRig();
    const page = pages.alloc();
    const skb = napiBuildSkb(napi, page, 4096)!;
    consumeSkb(skb, cpu);
    ledger.holds(page, FREE, 'test');
  });

  test('a page_pool page without skb_mark_for_recycle would leak, and is refused', () => {
    const { build, cpu } = skbRig();
    const skb = build(100);
    skb.ppRecycle = false;
    expect(() => consumeSkb(skb, cpu)).toThrow('skb_mark_for_recycle');
  });

  test('an skb freed twice is refused', () => {
    const { build, cpu } = skbRig({ checked: false });
    const skb = build(100);
    consumeSkb(skb, cpu);
    expect(() => consumeSkb(skb, cpu)).toThrow('freed twice');
  });

  test('a drop counts its reason, a delivery none', () => {
    const { build, net, cpu } = skbRig();
    kfreeSkb(build(60), SKB_DROP_REASON_NOMEM, cpu);
    consumeSkb(build(60), cpu);
    expect(net.skbs.drops[SKB_DROP_REASON_NOMEM]).toBe(1);
    expect(net.skbs.drops.reduce((sum, n) => sum + n)).toBe(1);
  });

  test('an object comes back as new', () => {
    const { build, cpu } = skbRig();
    const first = build(700);
    Object.assign(first, { csumLevel: 1, ipSummed: 1, pktType: PACKET_MULTICAST, macHeader: 1 });
    skbSetHash(first, 0xdeadbeef, PKT_HASH_TYPE_L4);
    skbRecordRxQueue(first, 3);
    __vlanHwaccelPutTag(first, 0x8100, 5);
    skbMetadataSet(first, 8);
    consumeSkb(first, cpu);

    const second = build(60);

    expect(second).toBe(first);
    expect(second).toMatchObject({
      ...{ len: 60, dataLen: 0, nrFrags: 0, macHeader: 0, hash: 0, l4Hash: false, metaLen: 0 },
      ...{ queueMapping: 0, vlanProto: 0, vlanTci: 0, csumLevel: 0, ipSummed: 0, pktType: 0 },
    });
  });

  test('allocation and free take their time', () => {
    const costs = { [OP_SKB_ALLOC]: 17, [OP_SKB_FREE]: 11 };
    const { napi, cpu, other } = skbRig({ costs });
    const skb = napiAllocSkb(napi, 200)!;
    consumeSkb(skb, other);
    expect([cpu.now, other.now]).toEqual([17, 11]);
  });
});

describe('fields', () => {
  test('pull gives up linear bytes only', () => {
    const { napi, pool, cpu } = skbRig();
    const skb = napiAllocSkb(napi, 100)!;
    skbPut(skb, 20);
    skbAddRxFrag(skb, pool.alloc(cpu), 0, 50, 4096);
    const { data } = skb;
    expect(skbPull(skb, 21)).toBe(0);
    expect(skbPull(skb, 20)).toBe(data + 20);
    expect([skb.len, skbHeadlen(skb)]).toEqual([50, 0]);
  });

  test('at most 17 frags', () => {
    const { napi, pool, cpu } = skbRig();
    const skb = napiAllocSkb(napi, 100)!;
    for (let i = 0; i < 17; i++) skbAddRxFrag(skb, pool.alloc(cpu), 0, 1, 4096);
    expect(() => skbAddRxFrag(skb, pool.alloc(cpu), 0, 1, 4096)).toThrow('at most 17');
  });

  test('the hash says whether it covers ports; the queue is recorded as queue + 1', () => {
    const { build } = skbRig();
    const skb = build(60);
    skbSetHash(skb, 0x51ccc178, PKT_HASH_TYPE_L4);
    expect([skb.hash, skb.l4Hash]).toEqual([0x51ccc178, true]);
    skbSetHash(skb, 0x323e8fc2, PKT_HASH_TYPE_L3);
    expect([skb.hash, skb.l4Hash]).toEqual([0x323e8fc2, false]);
    skbRecordRxQueue(skb, 0);
    expect(skb.queueMapping).toBe(1);
  });
});

const received = (frame: readonly number[]) => {
  const rig = skbRig();
  const skb = rig.build(60);
  rig.mem.u8.set(frame, skb.data);
  const at = skb.data;
  const protocol = ethTypeTrans(skb, rig.dev);
  return { skb, protocol, at };
};

describe('eth_type_trans', () => {
  const FROM = [2, 0, 0, 0, 0, 9];

  test.each([
    ['our own address', [2, 0, 0, 0, 0, 1], PACKET_HOST],
    ['broadcast', [255, 255, 255, 255, 255, 255], PACKET_BROADCAST],
    ['a group', [1, 0, 0x5e, 0, 0, 251], PACKET_MULTICAST],
    ['somebody else', [2, 0, 0, 0, 0, 2], PACKET_OTHERHOST],
  ])('a frame to %s', (_who, dst, pktType) => {
    expect(received([...dst, ...FROM, 8, 0]).skb.pktType).toBe(pktType);
  });

  test('the header is taken off and remembered', () => {
    const { skb, protocol, at } = received([2, 0, 0, 0, 0, 1, ...FROM, 0x86, 0xdd]);
    expect(protocol).toBe(0x86dd);
    expect([skb.macHeader, skb.data, skb.len]).toEqual([at, at + 14, 46]);
  });

  test('below 0x0600 the field is an 802.3 length: LLC, or raw with a first word of 0xffff', () => {
    expect(received([...FROM, ...FROM, 0x05, 0xff, 0x42, 0x42]).protocol).toBe(0x0004);
    expect(received([...FROM, ...FROM, 0x00, 0x40, 0xff, 0xff]).protocol).toBe(0x0001);
    expect(received([...FROM, ...FROM, 0x06, 0x00, 0xff, 0xff]).protocol).toBe(0x0600);
  });
});

/** 20 linear bytes 1 to 20, then frags of 5 and 7 bytes counting on. */
const fragmented = () => {
  const rig = skbRig();
  const skb = napiAllocSkb(rig.napi, 100)!;
  fill(rig.mem.u8, skbPut(skb, 20), 20, 1);
  for (const [size, first] of [
    [5, 21],
    [7, 26],
  ] as const) {
    const page = rig.pool.alloc(rig.cpu);
    fill(rig.mem.u8, page + 256, size, first);
    skbAddRxFrag(skb, page, 256, size, 4096);
  }
  return { ...rig, skb };
};

describe('bytes in a row', () => {
  test.each([
    [0, 32],
    [0, 20],
    [18, 4],
    [20, 5],
    [22, 8],
    [25, 7],
    [31, 1],
    [32, 0],
  ])('from %i, %i bytes', (offset, len) => {
    const { mem, skb } = fragmented();
    const to = new Uint8Array(40);
    expect(skbCopyBits(mem, skb, offset, to, 2, len)).toBe(true);
    expect([...to.subarray(2, 2 + len)]).toEqual(count(1 + offset, len));
    expect(to[2 + len]).toBe(0);
  });

  test('more than the packet has, or the target takes, is refused', () => {
    const { mem, skb } = fragmented();
    expect(skbCopyBits(mem, skb, 30, new Uint8Array(40), 0, 3)).toBe(false);
    expect(skbCopyBits(mem, skb, -65, new Uint8Array(80), 0, 66)).toBe(false);
    expect(skbCopyBits(mem, skb, 0, new Uint8Array(4), 0, 5)).toBe(false);
  });

  test('a frame begins at its MAC header, with the stripped tag put back', () => {
    const { mem, skb, dev } = fragmented();
    ethTypeTrans(skb, dev);
    const to = new Uint8Array(64);
    expect(skbFrameBytes(mem, skb, to)).toBe(32);
    expect([...to.subarray(0, 32)]).toEqual(count(1, 32));

    __vlanHwaccelPutTag(skb, 0x8100, 0xa123);

    expect(skbFrameBytes(mem, skb, to)).toBe(36);
    const tagged = [...count(1, 12), 0x81, 0x00, 0xa1, 0x23, ...count(13, 20)];
    expect([...to.subarray(0, 36)]).toEqual(tagged);
  });
});
