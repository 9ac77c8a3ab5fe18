/** A map's blueprint with everything that a definition may leave out. */
import type { Btf } from '../btf/btf.ts';
import type { MapSpec } from './spec.ts';

export const BPF_MAP_TYPE_ARRAY = 2;
export const BPF_MAP_TYPE_PROG_ARRAY = 3;
const BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;
const BPF_MAP_TYPE_HASH_OF_MAPS = 13;

/** Programs cannot write it. */
export const BPF_F_RDONLY_PROG: number = 1 << 7;
export const BPF_F_MMAPABLE: number = 1 << 10;

export const holdsMaps = (type: number): boolean =>
  type === BPF_MAP_TYPE_ARRAY_OF_MAPS || type === BPF_MAP_TYPE_HASH_OF_MAPS;

export const emptyMap = (name: string, btf: Btf | null): MapSpec => ({
  name,
  type: 0,
  keySize: 0,
  valueSize: 0,
  maxEntries: 0,
  flags: 0,
  mapExtra: 0,
  numaNode: 0,
  pinning: 0,
  keyType: 0,
  valueType: 0,
  btf,
  inner: null,
  values: [],
  contents: null,
  frozen: false,
});
