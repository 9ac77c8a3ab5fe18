import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/host/clock.ts';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import type { BpfMap } from '../../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import {
  BPF_F_NO_PREALLOC,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
} from '../../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { def, u32 } from './rig.ts';

/** A map whose value is 8 bytes and a timer; the timer of key 1 is due at 1000. */
function armed(type: number, flags = 0): { bpf: Bpf; map: BpfMap; clock: VirtualClock } {
  const clock = new VirtualClock();
  const bpf = standaloneBpf({ clock });
  const special = [{ kind: 'timer', at: 8, bytes: 16 }] as const;
  const map = createMap(bpf, def(type, { valueSize: 24, special, flags }));
  if (type !== BPF_MAP_TYPE_ARRAY) map.sysUpdate(u32(1), u32(0, 0, 0, 0, 0, 0));
  let value = 0;
  map.forEachElem((key, at) => {
    if (bpf.mem.words[key >> 2] === 1) value = at;
    return 0;
  });
  bpf.timers.init(value + 8, map, value);
  bpf.timers.start(bpf.timers.at(value + 8)!, 1000);
  expect(clock.nextAt()).toBe(1000);
  return { bpf, map, clock };
}

test.each([
  ['array', BPF_MAP_TYPE_ARRAY, 0],
  ['hash', BPF_MAP_TYPE_HASH, 0],
  ['hash on demand', BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC],
  ['lru_hash', BPF_MAP_TYPE_LRU_HASH, 0],
])('%s: a timer ends with an update of its value, with its element, with its map', (_, ...kind) => {
  const updated = armed(...kind);
  expect(updated.map.sysUpdate(u32(1), u32(1, 2, 3, 4, 5, 6))).toBe(0);
  expect(updated.clock.nextAt()).toBe(Infinity);
  expect(updated.map.sysLookup(u32(1))).toEqual(u32(1, 2, 0, 0, 0, 0));

  const released = armed(...kind);
  released.map.release();
  expect(released.clock.nextAt()).toBe(Infinity);

  if (kind[0] === BPF_MAP_TYPE_ARRAY) return;
  const deleted = armed(...kind);
  expect(deleted.map.sysDelete(u32(1))).toBe(0);
  expect(deleted.clock.nextAt()).toBe(Infinity);
});

test('an LRU map that forgets an element ends its timer', () => {
  const { map, clock } = armed(BPF_MAP_TYPE_LRU_HASH);
  for (let key = 2; key < 40; key++) map.sysUpdate(u32(key), u32(0, 0, 0, 0, 0, 0));
  expect(map.sysLookup(u32(1))).toBeNull();
  expect(clock.nextAt()).toBe(Infinity);
});
