import { describe, expect, test } from 'vitest';
import { E2BIG, EEXIST, EINVAL, ENOMEM, EPERM } from '../../../src/host/errno.ts';
import {
  BPF_ANY,
  BPF_F_LOCK,
  BPF_F_MMAPABLE,
  BPF_F_RDONLY,
  BPF_F_WRONLY,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_NOEXIST,
} from '../../../src/xdp/maps/uapi.ts';
import { def, mapRig, refusal, u32, words } from './rig.ts';

describe('an array', () => {
  test('has all its values from the start, zero', () => {
    const { map, lookup, keys } = mapRig(def(BPF_MAP_TYPE_ARRAY));
    expect([0, 3].map(lookup)).toEqual([0, 0]);
    expect(lookup(4)).toBeNull();
    expect(keys()).toEqual([0, 1, 2, 3]);
    expect(words(map.sysLookup(u32(3)))).toEqual([0]);
    expect(map.sysLookup(u32(4))).toBeNull();
  });

  test('refuses what Linux refuses', () => {
    const { map, update, remove } = mapRig(def(BPF_MAP_TYPE_ARRAY));
    expect(update(1, 7)).toBe(0);
    expect(update(4, 7)).toBe(-E2BIG);
    expect(update(1, 7, BPF_NOEXIST)).toBe(-EEXIST);
    expect(update(1, 7, 3)).toBe(-EINVAL);
    expect(update(1, 7, BPF_F_LOCK)).toBe(-EINVAL);
    expect(remove(1)).toBe(-EINVAL);
    expect(map.sysDelete(u32(1))).toBe(-EINVAL);
    expect(words(map.sysLookup(u32(1)))).toEqual([7]);
  });

  test('lies where its inline description says', () => {
    const { map, bpf, update } = mapRig(def(BPF_MAP_TYPE_ARRAY, { valueSize: 12 }));
    update(2, 9);
    const { at, stride } = map.inline!;
    expect(stride).toBe(16);
    expect(bpf.mem.words[(at + 2 * stride) >> 2]).toBe(9);
  });

  test('once frozen is read-only for user space, and only for it', () => {
    const { map, update } = mapRig(def(BPF_MAP_TYPE_ARRAY));
    expect(map.freeze()).toBe(0);
    expect(map.sysUpdate(u32(0), u32(1))).toBe(-EPERM);
    expect(update(0, 5)).toBe(0);
    expect(words(map.sysLookup(u32(0)))).toEqual([5]);
  });

  test('access flags hold for user space', () => {
    const readOnly = mapRig(def(BPF_MAP_TYPE_ARRAY, { flags: BPF_F_RDONLY })).map;
    expect(readOnly.sysUpdate(u32(0), u32(1))).toBe(-EPERM);
    const writeOnly = mapRig(def(BPF_MAP_TYPE_ARRAY, { flags: BPF_F_WRONLY })).map;
    expect(writeOnly.sysUpdate(u32(0), u32(1))).toBe(0);
    expect(() => writeOnly.sysLookup(u32(0))).toThrow('EPERM');
  });

  test('a spin lock is neither written by updates nor shown to user space', () => {
    const special = [{ kind: 'spin_lock', at: 4, bytes: 4 }] as const;
    const { map, bpf } = mapRig(def(BPF_MAP_TYPE_ARRAY, { valueSize: 12, special }));
    const lock = (map.inline!.at + 4) >> 2;
    bpf.mem.words[lock] = 1;
    expect(map.sysUpdate(u32(0), u32(5, 6, 7), BPF_F_LOCK)).toBe(0);
    expect(bpf.mem.words[lock]).toBe(1);
    expect(words(map.sysLookup(u32(0), BPF_F_LOCK))).toEqual([5, 0, 7]);
  });

  test('a walk may hold another, each with its own index', () => {
    const { map, bpf } = mapRig(def(BPF_MAP_TYPE_ARRAY, { maxEntries: 3 }));
    const seen: number[][] = [];
    const n = map.forEachElem((outer) => {
      map.forEachElem((inner) => {
        seen.push([bpf.mem.words[outer >> 2]!, bpf.mem.words[inner >> 2]!]);
        return seen.length === 5 ? 1 : 0;
      });
      return 0;
    });
    expect(n).toBe(3);
    expect(seen).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
  });
});

describe('a per-CPU array', () => {
  test('shows a program its own CPU, and user space all of them', () => {
    const { map, bpf, lookup, update } = mapRig(def(BPF_MAP_TYPE_PERCPU_ARRAY), { cpus: 3 });
    const cpus = bpf.xdp.netContexts.length;
    expect(cpus).toBe(3);
    expect(map.sysUpdate(u32(2), u32(10, 0, 11, 0, 12, 0))).toBe(0);
    expect(lookup(2)).toBe(10);
    bpf.xdp.cpu = { ...bpf.xdp.cpu, id: 1 } as typeof bpf.xdp.cpu;
    expect(lookup(2)).toBe(11);
    expect(update(2, 99)).toBe(0);
    expect(words(map.sysLookup(u32(2)))).toEqual([10, 0, 99, 0, 12, 0]);
    const { at, stride, perCpuStride } = map.inline!;
    expect(bpf.mem.words[(at + 2 * perCpuStride + 2 * stride) >> 2]).toBe(12);
  });
});

test('attributes are refused with the kernel’s errors', () => {
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { maxEntries: 0 }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { keySize: 8 }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { valueSize: 0 }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { flags: BPF_F_MMAPABLE }))).toBe(0);
  expect(refusal(def(BPF_MAP_TYPE_PERCPU_ARRAY, { flags: BPF_F_MMAPABLE }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_PERCPU_ARRAY, { valueSize: 32769 }))).toBe(E2BIG);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { maxEntries: 1 << 20 }))).toBe(ENOMEM);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { mapExtra: 1 }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_ARRAY, { name: 'sixteen_letters_' }))).toBe(EINVAL);
});

test('a key of another length is refused by name', () => {
  const { map } = mapRig(def(BPF_MAP_TYPE_ARRAY));
  expect(() => map.sysUpdate(u32(0, 0), u32(1), BPF_ANY)).toThrow(
    'map m (array): a key of 8 bytes, not 4 (EINVAL)',
  );
});
