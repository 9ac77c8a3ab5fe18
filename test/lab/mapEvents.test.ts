import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/host/clock.ts';
import { perfRecords, ringbufRecords } from '../../src/lab/mapEvents.ts';
import { createMap } from '../../src/xdp/maps/createMap.ts';
import type { PerfEventArrayMap, PerfRecord } from '../../src/xdp/maps/perfEventArray.ts';
import type { RingbufMap } from '../../src/xdp/maps/ringbuf.ts';
import {
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_RB_NO_WAKEUP,
} from '../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../src/xdp/standalone.ts';
import { def } from '../xdp/maps/rig.ts';

const RING = def(BPF_MAP_TYPE_RINGBUF, { keySize: 0, valueSize: 0, maxEntries: 4096 });

test('records come when the clock rings, never inside the program that wrote them', () => {
  const clock = new VirtualClock();
  const bpf = standaloneBpf({ clock });
  const map = createMap(bpf, RING) as RingbufMap;
  const at = bpf.stackTop - 8;
  const seen: number[] = [];
  bpf.mem.u8[at] = 1;
  map.output(at, 1, 0);
  const subscription = ringbufRecords(map).subscribe((record) => seen.push(record[0]!));
  expect(seen).toEqual([1]);
  for (const byte of [2, 3]) {
    bpf.mem.u8[at] = byte;
    map.output(at, 1, 0);
  }
  expect(seen).toEqual([1]);
  expect(clock.nextAt()).toBe(bpf.xdp.cpu.now);
  clock.ringNext();
  expect(seen).toEqual([1, 2, 3]);
  map.output(at, 1, BPF_RB_NO_WAKEUP);
  expect(clock.nextAt()).toBe(Infinity);
  subscription.unsubscribe();
  map.output(at, 1, 0);
  bpf.readers.run();
  expect(seen).toHaveLength(3);
});

test('a ring buffer has one reader at a time', () => {
  const map = createMap(standaloneBpf(), RING) as RingbufMap;
  const first = ringbufRecords(map).subscribe();
  const errors: unknown[] = [];
  const listen = (): void => {
    ringbufRecords(map).subscribe({ error: (error: unknown) => errors.push(error) });
  };
  listen();
  expect(String(errors[0])).toContain('is being read already (EBUSY)');
  first.unsubscribe();
  listen();
  expect(errors).toHaveLength(1);
});

test('perf events: subscribing opens the rings; what does not fit is counted', () => {
  const bpf = standaloneBpf({ cpus: 2 });
  const map = createMap(bpf, def(BPF_MAP_TYPE_PERF_EVENT_ARRAY)) as PerfEventArrayMap;
  const at = bpf.stackTop - 8;
  bpf.mem.u8.set([9, 8, 7, 6], at);
  const seen: PerfRecord[] = [];
  perfRecords(map, 1).subscribe((record) => seen.push(record));
  for (let i = 0; i < 258; i++) map.output(0, at, 4, 0, 0);
  bpf.readers.run();
  expect(seen).toHaveLength(255);
  map.output(0, at, 4, 0, 0);
  bpf.readers.run();
  expect(seen.slice(255)).toEqual([
    { type: 'lost', cpu: 0, count: 3 },
    { type: 'sample', cpu: 0, data: Uint8Array.of(9, 8, 7, 6) },
  ]);
});
