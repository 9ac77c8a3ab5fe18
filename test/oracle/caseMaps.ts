/** The maps that programs of `test/oracle/cases/` name. */
import type { OracleMap } from './oracle.ts';

interface CaseMap extends Omit<OracleMap, 'inner'> {
  /** Name of the template of a map in map. */
  readonly innerMap?: string;
}

const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 0x400;
const BPF_F_RDONLY_PROG = 0x80;
const BPF_F_WRONLY_PROG = 0x100;
const map = (type: number, keySize: number, valueSize: number, maxEntries: number): CaseMap => ({
  ...{ type, keySize, valueSize, maxEntries },
});
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const CONSTANTS = bytes(1, 2, 3, 4, 5, 6, 7, 0x80, 0x25, 0x64, 0, 0x25, 0x73, 0x20, 0x25, 0);

export const CASE_MAPS: Readonly<Record<string, CaseMap>> = {
  hash: map(1, 8, 48, 4),
  hash8: map(1, 8, 8, 1),
  hash16: map(1, 16, 16, 1),
  array: map(2, 4, 48, 1),
  array4: map(2, 4, 48, 4),
  big: map(2, 4, 4096, 1),
  progs: map(3, 4, 4, 4),
  perf: map(4, 4, 4, 2),
  percpuHash: map(5, 8, 48, 4),
  percpu: map(6, 4, 48, 1),
  stacktrace: map(7, 4, 8, 1),
  cgroups: map(8, 4, 4, 1),
  lru: map(9, 8, 48, 4),
  lpm: { ...map(11, 8, 8, 4), flags: BPF_F_NO_PREALLOC },
  arrayOfMaps: { ...map(12, 4, 4, 2), innerMap: 'array' },
  hashOfMaps: { ...map(13, 4, 4, 2), innerMap: 'hash' },
  devmap: map(14, 4, 4, 4),
  sockmap: map(15, 4, 4, 4),
  cpumap: map(16, 4, 4, 4),
  xskmap: map(17, 4, 4, 4),
  sockhash: map(18, 4, 4, 4),
  queue: map(22, 0, 8, 4),
  stack: map(23, 0, 8, 4),
  devmapHash: map(25, 4, 8, 4),
  ringbuf: map(27, 0, 0, 4096),
  arena: { ...map(33, 0, 0, 10), flags: BPF_F_MMAPABLE, extra: 2 ** 44 },
  otherArena: { ...map(33, 0, 0, 1), flags: BPF_F_MMAPABLE, extra: 2 ** 45 },
  homelessArena: { ...map(33, 0, 0, 1), flags: BPF_F_MMAPABLE },
  bloom: map(30, 0, 8, 4),
  userRingbuf: map(31, 0, 0, 4096),
  readOnly: {
    ...map(2, 4, 16, 1),
    ...{ flags: BPF_F_RDONLY_PROG, frozen: true },
    values: [[bytes(0, 0, 0, 0), CONSTANTS]],
  },
  readOnlyArray: { ...map(2, 4, 48, 1), flags: BPF_F_RDONLY_PROG },
  writeOnly: { ...map(2, 4, 48, 1), flags: BPF_F_WRONLY_PROG },
};
