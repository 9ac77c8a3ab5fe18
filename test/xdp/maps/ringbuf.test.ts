import { expect, test } from 'vitest';
import { EAGAIN, EINVAL } from '../../../src/host/errno.ts';
import { PAGE_SIZE } from '../../../src/host/memory.ts';
import type { RingbufMap } from '../../../src/xdp/maps/ringbuf.ts';
import {
  BPF_MAP_TYPE_RINGBUF,
  BPF_RB_AVAIL_DATA,
  BPF_RB_CONS_POS,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RB_PROD_POS,
  BPF_RB_RING_SIZE,
} from '../../../src/xdp/maps/uapi.ts';
import { def, mapRig, refusal } from './rig.ts';

const ring = { keySize: 0, valueSize: 0, maxEntries: PAGE_SIZE };
const rig = (): { map: RingbufMap; u8: Uint8Array; at: number } => {
  const { map, bpf } = mapRig<RingbufMap>(def(BPF_MAP_TYPE_RINGBUF, ring));
  return { map, u8: bpf.mem.u8, at: bpf.stackTop - 512 };
};
const read = (map: RingbufMap): number[][] => {
  const out: number[][] = [];
  map.consume((data) => out.push([...data]));
  return out;
};

test('records are read in the order of their reservation, discarded ones skipped', () => {
  const { map, u8 } = rig();
  const [a, b, c] = [map.reserve(3), map.reserve(1), map.reserve(2)];
  u8.set([1, 2, 3], a);
  u8.set([7, 8], c);
  map.submit(c, 0);
  map.discard(b, 0);
  expect(read(map)).toEqual([]);
  map.submit(a, 0);
  expect(read(map)).toEqual([
    [1, 2, 3],
    [7, 8],
  ]);
  expect(map.query(BPF_RB_CONS_POS)).toBe(16 + 16 + 16);
});

test('positions count 8 bytes of header and whole words, and a byte short of the ring fits', () => {
  const { map, at } = rig();
  expect(map.query(BPF_RB_RING_SIZE)).toBe(4096);
  expect(map.output(at, 1, 0)).toBe(0);
  expect(map.query(BPF_RB_PROD_POS)).toBe(16);
  expect(map.query(BPF_RB_AVAIL_DATA)).toBe(16);
  expect(map.reserve(4096 - 16 - 8)).toBe(0);
  expect(map.reserve(4096 - 16 - 16)).not.toBe(0);
  expect(map.output(at, 1, 0)).toBe(-EAGAIN);
  expect(map.output(at, 1, 4)).toBe(-EINVAL);
  expect(map.query(99)).toBe(0);
});

test('a record that wraps is in one piece', () => {
  const { map, u8 } = rig();
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i * 7);
  for (let round = 0; round < 20; round++) {
    const to = map.reserve(bytes.length);
    u8.set(bytes, to);
    map.submit(to, 0);
    expect(read(map)).toEqual([[...bytes]]);
  }
});

test('an unfinished record holds up those behind it once the ring has gone round', () => {
  const { map, at } = rig();
  const held = map.reserve(1000);
  expect(map.output(at, 2000, 0)).toBe(0);
  expect(map.output(at, 1200, 0)).toBe(-EAGAIN);
  map.submit(held, 0);
  expect(read(map)).toHaveLength(2);
  expect(map.output(at, 1200, 0)).toBe(0);
});

test('a commit wakes a reader that has caught up, and as its flags ask', () => {
  const { map, at } = rig();
  let wakeups = 0;
  map.onWakeup = () => wakeups++;
  map.output(at, 8, 0);
  expect(wakeups).toBe(1);
  map.output(at, 8, 0);
  expect(wakeups).toBe(1);
  map.output(at, 8, BPF_RB_FORCE_WAKEUP);
  expect(wakeups).toBe(2);
  read(map);
  map.output(at, 8, BPF_RB_NO_WAKEUP);
  expect(wakeups).toBe(2);
});

test('the size is a power of two of pages', () => {
  for (const maxEntries of [0, 100, 3 * PAGE_SIZE])
    expect(refusal(def(BPF_MAP_TYPE_RINGBUF, { ...ring, maxEntries }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_RINGBUF, { ...ring, keySize: 4 }))).toBe(EINVAL);
});
