import type { Bpf } from '../../../src/xdp/bpf.ts';
import type { BpfMap } from '../../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import type { MapDef } from '../../../src/xdp/maps/mapDef.ts';
import { MapError } from '../../../src/xdp/maps/mapDef.ts';
import type { StandaloneOptions } from '../../../src/xdp/standalone.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';

export interface MapRig<M extends BpfMap> {
  readonly bpf: Bpf;
  readonly map: M;
  /** Program side, with u32 keys and values. */
  lookup(key: number): number | null;
  update(key: number, value: number, flags?: number): number;
  remove(key: number): number;
  /** Keys as user space walks them. */
  keys(): number[];
}

export const def = (type: number, more: Partial<MapDef> = {}): MapDef => ({
  ...{ name: 'm', type, keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 },
  ...more,
});

export const u32 = (...values: number[]): Uint8Array =>
  new Uint8Array(new Uint32Array(values).buffer.slice(0));

export const words = (bytes: Uint8Array | null): number[] | null =>
  bytes === null ? null : [...new Uint32Array(bytes.slice().buffer)];

/** One map of its own, and a program's stack to hold keys and values. */
export function mapRig<M extends BpfMap>(d: MapDef, options: StandaloneOptions = {}): MapRig<M> {
  const bpf = standaloneBpf(options);
  const map = createMap(bpf, d) as M;
  const key = bpf.stackTop - 64;
  const value = bpf.stackTop - 32;
  const w = bpf.mem.words;
  return {
    bpf,
    map,
    lookup(k) {
      w[key >> 2] = k;
      const at = map.lookupElem(key);
      return at === 0 ? null : w[at >> 2]! >>> 0;
    },
    update(k, v, flags = 0) {
      w[key >> 2] = k;
      w[value >> 2] = v;
      return map.updateElem(key, value, flags);
    },
    remove(k) {
      w[key >> 2] = k;
      return map.deleteElem(key);
    },
    keys() {
      const out: number[] = [];
      for (let k = map.sysGetNextKey(null); k !== null; k = map.sysGetNextKey(k))
        out.push(words(k)![0]!);
      return out;
    },
  };
}

/** The errno with which a map is refused; 0 when it is made. */
export function refusal(d: MapDef, options: StandaloneOptions = {}): number {
  try {
    createMap(standaloneBpf(options), d);
    return 0;
  } catch (error) {
    if (error instanceof MapError) return error.errno;
    throw error;
  }
}
