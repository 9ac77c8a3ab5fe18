/** Our own answer to a case of `objectCases.ts`, in the form in which the kernel gives its. */
import { readFileSync } from 'node:fs';
import { engineNamed } from '../../src/xdp/engines.ts';
import type { EngineName } from '../../src/xdp/engines.ts';
import { KFUNCS } from '../../src/xdp/helpers/table.ts';
import { collectionMapMemory } from '../../src/xdp/loader/createMaps.ts';
import { loadCollection } from '../../src/xdp/loader/load.ts';
import { parseElf } from '../../src/xdp/loader/parseElf.ts';
import type { BpfMap } from '../../src/xdp/maps/bpfMap.ts';
import { PerfEventArrayMap } from '../../src/xdp/maps/perfEventArray.ts';
import { RingbufMap } from '../../src/xdp/maps/ringbuf.ts';
import {
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_STACK,
} from '../../src/xdp/maps/uapi.ts';
import { MapError } from '../../src/xdp/maps/mapDef.ts';
import { standaloneBpf } from '../../src/xdp/standalone.ts';
import { TEST_RUN_MEMORY_BYTES, TestRun } from '../../src/xdp/testRun.ts';
import type { ObjectCase } from './objectCases.ts';
import type { Elem, ObjectAnswers } from './objrun.ts';

const CPUS = 2;
const PERF_PAGES = 64;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

export function askOurs(
  c: ObjectCase,
  packets: readonly Uint8Array[],
  engine: EngineName,
): ObjectAnswers {
  const bytes = readFileSync(new URL(`../../${c.object}`, import.meta.url));
  const spec = parseElf(bytes, { file: c.object });
  const bpf = standaloneBpf({
    cpus: CPUS,
    mapBytes: collectionMapMemory(spec, CPUS),
    moreBytes: TEST_RUN_MEMORY_BYTES,
  });
  const testRun = new TestRun(bpf);
  const hasKfunc = (name: string): boolean => KFUNCS.has(name);
  const { maps, programs } = loadCollection(spec, bpf, { engine: engineNamed(engine), hasKfunc });
  for (const step of c.setup ?? []) {
    if (!('set' in step)) throw new Error(`${c.object}: a setup that is not built`);
    const map = maps[step.set]!;
    const rc = map.sysUpdate(unhex(step.key), unhex(step.value));
    if (rc !== 0) throw new Error(`${c.object}: setting ${step.set} gives ${rc}`);
  }
  const events = c.events === undefined ? null : maps[c.events]!;
  if (events instanceof PerfEventArrayMap) events.open(PERF_PAGES);
  const program = programs[c.prog]!;
  const runs = packets.map((packet) => ({
    retval: testRun.run(program, packet),
    out: hex(testRun.dataOut),
    events: eventsOf(events),
  }));
  return { runs, elems: Object.entries(maps).flatMap(([name, map]) => elemsOf(name, map)) };
}

function eventsOf(map: BpfMap | null): string[] {
  const seen: string[] = [];
  if (map instanceof RingbufMap) map.consume((data) => seen.push(hex(data)));
  if (map instanceof PerfEventArrayMap) {
    map.consume((record) => {
      if (record.type === 'sample') seen.push(hex(record.data));
    });
  }
  return seen;
}

/** Their values are numbers that the machine gave. */
const UNREAD: readonly number[] = [
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PROG_ARRAY,
];
const NO_KEY = new Uint8Array(0);

function elemsOf(name: string, map: BpfMap): Elem[] {
  const elems: Elem[] = [];
  const add = (key: Uint8Array, value: Uint8Array): void => {
    elems.push({ map: name, key: hex(key), value: hex(value.subarray(0, map.valueSize)) });
  };
  if (map.type === BPF_MAP_TYPE_QUEUE || map.type === BPF_MAP_TYPE_STACK) {
    for (let v = map.sysLookupAndDelete(NO_KEY); v !== null; v = map.sysLookupAndDelete(NO_KEY)) {
      add(NO_KEY, v);
    }
    return elems;
  }
  if (UNREAD.includes(map.type)) return elems;
  try {
    for (let key = map.sysGetNextKey(null); key !== null; key = map.sysGetNextKey(key)) {
      const value = map.sysLookup(key);
      if (value !== null) add(key, value);
    }
  } catch (error) {
    if (!(error instanceof MapError)) throw error; // a kind that has no order, or no values to read
  }
  return elems;
}
