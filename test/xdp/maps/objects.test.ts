import { describe, expect, test } from 'vitest';
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT, ENOSPC, ENOTSUPP } from '../../../src/host/errno.ts';
import type { BpfProgRef } from '../../../src/xdp/bpf.ts';
import type { BpfMap } from '../../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import type { DevMap, DevMapHash } from '../../../src/xdp/maps/devmap.ts';
import type { PerfEventArrayMap, PerfRecord } from '../../../src/xdp/maps/perfEventArray.ts';
import type { ProgArrayMap } from '../../../src/xdp/maps/progArray.ts';
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_NOEXIST,
} from '../../../src/xdp/maps/uapi.ts';
import { xdpRig } from '../rig.ts';
import { def, mapRig, refusal, u32, words } from './rig.ts';

const prog = (id: number, more: Partial<BpfProgRef> = {}): BpfProgRef => ({
  ...{ id, name: `p${id}`, type: 6, attachType: 0, frags: false },
  image: { name: `p${id}`, insns: [] },
  run: () => 2,
  ...more,
});

describe('a prog_array', () => {
  test('leads to programs of one kind, and shows user space their ids', () => {
    const { map, bpf } = mapRig<ProgArrayMap>(def(BPF_MAP_TYPE_PROG_ARRAY));
    const [a, withFrags] = [prog(5), prog(6, { frags: true })];
    for (const p of [a, withFrags]) bpf.progs.set(p.id, p);
    expect(map.sysUpdate(u32(1), u32(5))).toBe(0);
    expect(map.progAt(1)).toBe(a.image);
    expect(map.progAt(0)).toBeNull();
    expect(words(map.sysLookup(u32(1)))).toEqual([5]);
    expect(map.sysLookup(u32(0))).toBeNull();
    expect(map.sysUpdate(u32(1), u32(6))).toBe(-EINVAL);
    expect(map.sysUpdate(u32(1), u32(7))).toBe(-EBADF);
    expect(map.sysUpdate(u32(4), u32(5))).toBe(-E2BIG);
    expect(map.sysUpdate(u32(1), u32(5), BPF_NOEXIST)).toBe(-EINVAL);
    expect(map.sysDelete(u32(1))).toBe(0);
    expect(map.sysDelete(u32(1))).toBe(-ENOENT);
  });
});

describe.each([BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS])('map-in-map %d', (type) => {
  const inner = def(BPF_MAP_TYPE_ARRAY, { maxEntries: 2 });

  test('a lookup gives the handle of the inner map, user space its id', () => {
    const { map, bpf, lookup } = mapRig(def(type, { inner }));
    const one = createMap(bpf, inner);
    expect(map.sysUpdate(u32(1), u32(one.id))).toBe(0);
    bpf.mem.words[(bpf.stackTop - 64) >> 2] = 1;
    expect(map.lookupElem(bpf.stackTop - 64)).toBe(one.handle);
    expect(words(map.sysLookup(u32(1)))).toEqual([one.id]);
    expect(lookup(0)).toBeNull();
  });

  test('takes only maps like its model, and keeps them alive', () => {
    const { map, bpf } = mapRig<BpfMap>(def(type, { inner }));
    const other = createMap(bpf, { ...inner, maxEntries: 3 });
    expect(map.sysUpdate(u32(1), u32(other.id))).toBe(-EINVAL);
    expect(map.sysUpdate(u32(1), u32(99))).toBe(-EBADF);
    const [a, b] = [createMap(bpf, inner), createMap(bpf, inner)];
    expect(map.sysUpdate(u32(1), u32(a.id))).toBe(0);
    a.release();
    expect(bpf.maps.get(a.id)).toBe(a);
    expect(map.sysUpdate(u32(1), u32(b.id))).toBe(0);
    expect(bpf.maps.get(a.id)).toBeUndefined();
    b.release();
    expect(map.sysDelete(u32(1))).toBe(0);
    expect(bpf.maps.get(b.id)).toBeUndefined();
    expect(map.sysDelete(u32(1))).toBe(-ENOENT);
  });

  test('cannot be without a model, nor hold maps of maps or of programs', () => {
    expect(refusal(def(type))).toBe(EBADF);
    expect(refusal(def(type, { inner: def(type, { inner }) }))).toBe(EINVAL);
    expect(refusal(def(type, { inner: def(BPF_MAP_TYPE_PROG_ARRAY) }))).toBe(ENOTSUPP);
  });
});

describe('a perf_event_array', () => {
  const perf = (pages: number): { map: PerfEventArrayMap; at: number; read(): PerfRecord[] } => {
    const { map, bpf } = mapRig<PerfEventArrayMap>(def(BPF_MAP_TYPE_PERF_EVENT_ARRAY), { cpus: 2 });
    if (pages !== 0) map.open(pages);
    const at = bpf.stackTop - 64;
    bpf.mem.u8.set([1, 2, 3, 4, 5, 6], at);
    const read = (): PerfRecord[] => {
      const out: PerfRecord[] = [];
      map.consume((record) => out.push(record));
      return out;
    };
    return { map, at, read };
  };

  test('a sample is the data, the packet, and padding to 4 past a word', () => {
    const { map, at, read } = perf(1);
    expect(map.output(0, at, 2, at + 2, 3)).toBe(0);
    const data = Uint8Array.of(1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0);
    expect(read()).toEqual([{ type: 'sample', cpu: 0, data }]);
    expect(read()).toEqual([]);
  });

  test('without an event, past the end, and on another CPU it is refused', () => {
    expect(perf(0).map.output(0, 0, 0, 0, 0)).toBe(-ENOENT);
    const { map, at } = perf(1);
    expect(map.output(4, at, 4, 0, 0)).toBe(-E2BIG);
    expect(map.output(1, at, 4, 0, 0)).toBe(-95);
    expect(() => map.sysLookup(u32(0))).toThrow('ENOTSUPP');
  });

  test('a full ring loses samples, and says how many before the next', () => {
    const { map, at, read } = perf(1);
    const results = Array.from({ length: 260 }, () => map.output(0, at, 4, 0, 0));
    // 16 bytes each, one byte of 4096 stays free
    expect(results.filter((rc) => rc === 0)).toHaveLength(255);
    expect(results.slice(255)).toEqual(Array.from({ length: 5 }, () => -ENOSPC));
    expect(read()).toHaveLength(255);
    expect(map.output(0, at, 4, 0, 0)).toBe(0);
    expect(read()[0]).toEqual({ type: 'lost', cpu: 0, count: 5 });
  });
});

describe('devmaps by bpf(2)', () => {
  const devices = (type: number, valueSize = 4): { map: DevMap & DevMapHash; keys(): number[] } => {
    const { xdp, target } = xdpRig();
    for (const ifindex of [7, 8]) target(ifindex);
    for (const p of [prog(1, { attachType: 33 }), prog(2)]) xdp.bpf.progs.set(p.id, p);
    const map = createMap(xdp.bpf, def(type, { valueSize })) as DevMap & DevMapHash;
    const keys = (): number[] => {
      const out: number[] = [];
      for (let k = map.sysGetNextKey(null); k !== null; k = map.sysGetNextKey(k))
        out.push(words(k)![0]!);
      return out;
    };
    return { map, keys };
  };

  test('an array of devices: ifindex 0 removes, unknown ones are refused', () => {
    const { map, keys } = devices(BPF_MAP_TYPE_DEVMAP);
    expect(map.sysUpdate(u32(1), u32(7))).toBe(0);
    expect(map.lookup(1)?.ifindex).toBe(7);
    expect(words(map.sysLookup(u32(1)))).toEqual([7]);
    expect(map.sysUpdate(u32(1), u32(9))).toBe(-EINVAL);
    expect(map.sysUpdate(u32(1), u32(7), BPF_NOEXIST)).toBe(-EEXIST);
    expect(map.sysUpdate(u32(4), u32(7))).toBe(-E2BIG);
    expect(map.sysUpdate(u32(1), u32(0))).toBe(0);
    expect(map.sysLookup(u32(1))).toBeNull();
    expect(keys()).toEqual([0, 1, 2, 3]);
  });

  test('a hash of devices, walked chain by chain, the youngest first', () => {
    const { map, keys } = devices(BPF_MAP_TYPE_DEVMAP_HASH);
    for (const key of [6, 100, 1, 2]) expect(map.sysUpdate(u32(key), u32(8))).toBe(0);
    expect(map.sysUpdate(u32(3), u32(8))).toBe(-E2BIG);
    expect(keys()).toEqual([100, 1, 2, 6]);
    expect(map.lookup(100)?.ifindex).toBe(8);
    expect(map.sysUpdate(u32(100), u32(0))).toBe(-EINVAL);
    expect(map.sysDelete(u32(100))).toBe(0);
    expect(map.sysDelete(u32(100))).toBe(-ENOENT);
  });

  test('an entry may name a program made for devmaps', () => {
    const { map } = devices(BPF_MAP_TYPE_DEVMAP, 8);
    expect(map.sysUpdate(u32(0), u32(7, 1))).toBe(0);
    expect(words(map.sysLookup(u32(0)))).toEqual([7, 1]);
    expect(map.entryProg(0)?.id).toBe(1);
    expect(map.sysUpdate(u32(0), u32(7, 2))).toBe(-EINVAL);
    expect(map.sysUpdate(u32(0), u32(7, 3))).toBe(-EBADF);
  });
});

test('a cpumap knows the CPUs of the machine', () => {
  const { map } = mapRig(def(BPF_MAP_TYPE_CPUMAP), { cpus: 2 });
  expect(map.sysUpdate(u32(1), u32(192))).toBe(0);
  expect(words(map.sysLookup(u32(1)))).toEqual([192]);
  expect(map.sysUpdate(u32(2), u32(192))).toBe(-19);
  expect(map.sysUpdate(u32(1), u32(16385))).toBe(-75);
  expect(map.sysUpdate(u32(1), u32(0))).toBe(0);
  expect(map.sysLookup(u32(1))).toBeNull();
});
