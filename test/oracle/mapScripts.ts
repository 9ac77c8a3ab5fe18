/**
 * Scripts for `maps.c`: what user space may do to maps of every kind, drawn from a seed.
 *
 * Keys come from a small set, so that operations meet; hash maps have a zero seed, so that their
 * order is the kernel's. Everything happens on CPU 0, so that even what an LRU map forgets is.
 */
import { Rng } from '../../src/host/rng.ts';
import * as uapi from '../../src/xdp/maps/uapi.ts';

interface Subject {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  readonly extra?: number;
}

const BATCHES = ['bl', 'bt', 'bu', 'bd'];
const KEYS = 12;
const OPS = 160;

const hex = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') || '-';
const le32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.below(list.length)]!;
const isLpm = (subject: Subject): boolean => subject.type === uapi.BPF_MAP_TYPE_LPM_TRIE;
const isPercpu = ({ type }: Subject): boolean =>
  [
    uapi.BPF_MAP_TYPE_PERCPU_ARRAY,
    uapi.BPF_MAP_TYPE_PERCPU_HASH,
    uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  ].includes(type);
const isIndexed = ({ type, keySize }: Subject): boolean =>
  keySize === 4 &&
  ![
    uapi.BPF_MAP_TYPE_HASH,
    uapi.BPF_MAP_TYPE_PERCPU_HASH,
    uapi.BPF_MAP_TYPE_LRU_HASH,
    uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  ].includes(type);

/** Short prefixes of data that mostly agrees, and now and then one that is too long. */
function lpmKey(rng: Rng, size: number): number[] {
  const bits = (size - 4) * 8;
  const length = rng.below(20) === 0 ? bits + 1 : rng.below(bits + 1);
  const data = Array.from({ length: size - 4 }, (_, i) => (i < size - 5 ? 0 : rng.below(256)));
  if (rng.below(3) === 0) data[0] = rng.below(4) << 6;
  return [...le32(length), ...data];
}

function keysOf(rng: Rng, subject: Subject): string[] {
  if (subject.keySize === 0) return ['-'];
  return Array.from({ length: KEYS }, (_, i) => {
    if (isLpm(subject)) return hex(lpmKey(rng, subject.keySize));
    if (isIndexed(subject)) return hex(le32(rng.below(8) === 0 ? rng.int32() : i));
    return hex(Array.from({ length: subject.keySize }, () => rng.below(256)));
  });
}

/** One map of a kind, and operations on it. */
export function elementScript(seed: number, subject: Subject, cpus: number): string[] {
  const rng = new Rng(seed);
  const { type, keySize, valueSize, maxEntries, flags = 0, extra = 0 } = subject;
  const keys = keysOf(rng, subject);
  const bytes = isPercpu(subject) ? Math.ceil(valueSize / 8) * 8 * cpus : valueSize;
  const value = (): string =>
    [uapi.BPF_MAP_TYPE_DEVMAP, uapi.BPF_MAP_TYPE_DEVMAP_HASH].includes(type)
      ? hex([...le32(pick(rng, [1, 1, 1, 0, 99])), ...le32(0)].slice(0, valueSize))
      : type === uapi.BPF_MAP_TYPE_CPUMAP
        ? hex([...le32(pick(rng, [64, 192, 0, 16384, 16385])), ...le32(0)].slice(0, valueSize))
        : NO_SOCKETS.includes(type)
          ? pick(rng, ['ffffffff', 'ffffff7f'])
          : hex(Array.from({ length: bytes }, () => rng.below(isBloom(subject) ? 4 : 256)));
  const updateFlags = (): number => pick(rng, [0, 0, 0, 1, 2, 3, 4]);
  const lines = [`map ${type} ${keySize} ${valueSize} ${maxEntries} ${flags} ${extra} -1`];
  const some = (): string[] => Array.from({ length: 1 + rng.below(4) }, () => pick(rng, keys));
  const ops: Record<string, () => string> = {
    u: () => `u 0 ${pick(rng, keys)} ${value()} ${updateFlags()}`,
    l: () =>
      `l 0 ${pick(rng, keys)} ${pick(rng, [0, 0, 0, 1, 4])}${isBloom(subject) ? ` ${value()}` : ''}`,
    d: () => `d 0 ${pick(rng, keys)}`,
    t: () => `t 0 ${pick(rng, keys)} ${pick(rng, [0, 0, 0, 4])}`,
    n: () => `n 0 ${rng.below(5) === 0 ? '-' : pick(rng, keys)}`,
    bl: () => `bl 0 - ${pick(rng, [0, 1, 2, 5, 100])} 0`,
    bt: () => `bt 0 - ${pick(rng, [1, 2, 3])} 0`,
    bd: () => {
      const list = some();
      return `bd 0 ${list.length} ${list.join('')} 0`;
    },
    bu: () => {
      const list = some();
      return `bu 0 ${list.length} ${list.join('')} ${list.map(value).join('')} ${pick(rng, [0, 0, 1])}`;
    },
  };
  const single = ['u', 'u', 'u', 'u', 'l', 'l', 'l', 'd', 'n', 'n', 't'];
  const names = keySize === 0 ? single : [...single, ...BATCHES];
  for (let i = 0; i < OPS; i++) lines.push(ops[pick(rng, names)]!());
  if (keySize !== 0) {
    lines.push(
      'bl 0 - 1000 0',
      ...keys.map((key) => `n 0 ${key}`),
      ...keys.map((key) => `l 0 ${key} 0`),
    );
  }
  lines.push('f 0', 'f 0', ops['u']!(), ops['l']!(), ops['d']!(), 'reset');
  return lines;
}

const isBloom = (subject: Subject): boolean => subject.type === uapi.BPF_MAP_TYPE_BLOOM_FILTER;
const NO_SOCKETS: readonly number[] = [
  uapi.BPF_MAP_TYPE_XSKMAP,
  uapi.BPF_MAP_TYPE_SOCKMAP,
  uapi.BPF_MAP_TYPE_SOCKHASH,
  uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
];

const ZERO = uapi.BPF_F_ZERO_SEED;
const hash = (keySize: number, valueSize: number, maxEntries: number, flags = 0): Subject => ({
  ...{ type: uapi.BPF_MAP_TYPE_HASH, keySize, valueSize, maxEntries },
  flags: flags | ZERO,
});
const lpm = (keySize: number, valueSize: number, maxEntries: number): Subject => ({
  ...{ type: uapi.BPF_MAP_TYPE_LPM_TRIE, keySize, valueSize, maxEntries },
  flags: uapi.BPF_F_NO_PREALLOC,
});
const keyless = (type: number, valueSize: number, maxEntries: number): Subject => ({
  ...{ type, keySize: 0, valueSize, maxEntries },
});
const indexed = (type: number, valueSize: number, maxEntries: number): Subject => ({
  ...{ type, keySize: 4, valueSize, maxEntries },
});

/** Kinds and sizes that scripts are drawn for. */
export const SUBJECTS: readonly Subject[] = [
  hash(4, 4, 4),
  hash(4, 8, 16, uapi.BPF_F_NO_PREALLOC),
  hash(1, 1, 5),
  hash(6, 3, 8, uapi.BPF_F_NO_PREALLOC),
  hash(13, 20, 7),
  hash(40, 64, 16),
  { ...hash(4, 4, 6), type: uapi.BPF_MAP_TYPE_PERCPU_HASH },
  { ...hash(8, 12, 6, uapi.BPF_F_NO_PREALLOC), type: uapi.BPF_MAP_TYPE_PERCPU_HASH },
  { ...hash(4, 4, 100), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(5, 9, 100, uapi.BPF_F_NO_COMMON_LRU), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(4, 8, 100), type: uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH },
  { ...hash(4, 4, 8), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(4, 4, 5), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(4, 4, 8, uapi.BPF_F_NO_COMMON_LRU), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(4, 4, 11, uapi.BPF_F_NO_COMMON_LRU), type: uapi.BPF_MAP_TYPE_LRU_HASH },
  { ...hash(8, 4, 7), type: uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH },
  lpm(8, 4, 20),
  lpm(5, 1, 6),
  lpm(6, 8, 8),
  lpm(7, 2, 20),
  lpm(12, 4, 20),
  lpm(20, 16, 20),
  indexed(uapi.BPF_MAP_TYPE_ARRAY, 4, 8),
  indexed(uapi.BPF_MAP_TYPE_ARRAY, 13, 5),
  indexed(uapi.BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8),
  indexed(uapi.BPF_MAP_TYPE_PERCPU_ARRAY, 10, 5),
  indexed(uapi.BPF_MAP_TYPE_DEVMAP, 4, 8),
  indexed(uapi.BPF_MAP_TYPE_DEVMAP, 8, 8),
  indexed(uapi.BPF_MAP_TYPE_DEVMAP_HASH, 4, 5),
  indexed(uapi.BPF_MAP_TYPE_DEVMAP_HASH, 8, 8),
  indexed(uapi.BPF_MAP_TYPE_CPUMAP, 4, 4),
  indexed(uapi.BPF_MAP_TYPE_CPUMAP, 8, 4),
  indexed(uapi.BPF_MAP_TYPE_XSKMAP, 4, 4),
  indexed(uapi.BPF_MAP_TYPE_SOCKMAP, 4, 4),
  indexed(uapi.BPF_MAP_TYPE_SOCKHASH, 4, 4),
  indexed(uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4),
  indexed(uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4),
  keyless(uapi.BPF_MAP_TYPE_QUEUE, 4, 4),
  keyless(uapi.BPF_MAP_TYPE_QUEUE, 7, 3),
  keyless(uapi.BPF_MAP_TYPE_STACK, 4, 4),
  keyless(uapi.BPF_MAP_TYPE_STACK, 12, 2),
  keyless(uapi.BPF_MAP_TYPE_RINGBUF, 0, 4096),
  { ...keyless(uapi.BPF_MAP_TYPE_BLOOM_FILTER, 2, 4), flags: ZERO },
  { ...keyless(uapi.BPF_MAP_TYPE_BLOOM_FILTER, 4, 30), flags: ZERO, extra: 2 },
  { ...keyless(uapi.BPF_MAP_TYPE_BLOOM_FILTER, 5, 20), flags: ZERO, extra: 15 },
];

/** Every kind with attributes that are sometimes right. */
export function createScript(seed: number): string[] {
  const rng = new Rng(seed);
  const lines = [`map ${uapi.BPF_MAP_TYPE_ARRAY} 4 4 2 0 0 -1`];
  const kinds = [...new Set(SUBJECTS)];
  for (let i = 0; i < 600; i++) {
    const subject = pick(rng, kinds);
    const { type, flags = 0 } = subject;
    const keySize = pick(rng, [subject.keySize, subject.keySize, 0, 4, 8, 5, 260, 261, 512, 513]);
    const valueSize = pick(rng, [
      ...[subject.valueSize, subject.valueSize, 0, 4, 8, 64],
      ...[32768, 32769, (1 << 22) - 512, 1 << 22, (1 << 22) + 8],
    ]);
    const most = valueSize > 64 && subject.keySize !== 0 ? 3 : subject.maxEntries;
    const maxEntries = pick(rng, [1, 2, 3, 3, most, 0]);
    const more = pick(rng, [0, 0, 0, 0, 1 << rng.below(13), 1 << rng.below(13), 0x180, 0x18]);
    const extra = pick(rng, [0, 0, 0, 0, 0, subject.extra ?? 0, 3, 16]);
    lines.push(`map ${type} ${keySize} ${valueSize} ${maxEntries} ${flags ^ more} ${extra} -1`);
    if (lines.length % 4 === 0) lines.push('reset', lines[0]!);
  }
  for (const type of [uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS, uapi.BPF_MAP_TYPE_HASH_OF_MAPS]) {
    for (const inner of [-1, 0]) {
      for (const sizes of ['4 4 4', '4 8 4', '8 4 4', '4 4 0'])
        lines.push(`map ${type} ${sizes} 0 0 ${inner}`);
    }
  }
  return [...lines, 'reset'];
}

/** Maps of maps, and of programs: what fits, and what is held. */
export function objectScript(seed: number): string[] {
  const rng = new Rng(seed);
  const array = `map ${uapi.BPF_MAP_TYPE_ARRAY} 4 4`;
  const lines = ['prog 0 0', 'prog 0 0', 'prog 0 32', 'prog 37 0'];
  const outers = [
    `map ${uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS} 4 4 4 0 0 0`,
    `map ${uapi.BPF_MAP_TYPE_HASH_OF_MAPS} 4 4 3 ${ZERO} 0 0`,
    `map ${uapi.BPF_MAP_TYPE_HASH_OF_MAPS} 4 4 3 ${ZERO | uapi.BPF_F_NO_PREALLOC} 0 0`,
    `map ${uapi.BPF_MAP_TYPE_PROG_ARRAY} 4 4 4 0 0 -1`,
  ];
  for (const outer of outers) {
    lines.push(`${array} 2 0 0 -1`, `${array} 2 0 0 -1`, `${array} 3 0 0 -1`);
    lines.push(`${array} 2 ${uapi.BPF_F_MMAPABLE} 0 -1`, outer);
    const value = outer.startsWith(`map ${uapi.BPF_MAP_TYPE_PROG_ARRAY} `)
      ? (): string => pick(rng, ['$0', '$1', '$2', '$3', 'ffffffff'])
      : (): string => pick(rng, ['@0', '@1', '@2', '@3', '@4', 'ffffffff']);
    const key = (): string => hex(le32(rng.below(6)));
    const ops = [
      (): string => `u 4 ${key()} ${value()} ${pick(rng, [0, 0, 0, 1, 2, 3])}`,
      (): string => `l 4 ${key()} 0`,
      (): string => `d 4 ${key()}`,
      (): string => `n 4 ${pick(rng, ['-', key()])}`,
      (): string => `bl 4 - ${pick(rng, [1, 3, 10])} 0`,
    ];
    for (let i = 0; i < OPS; i++) lines.push(pick(rng, ops)());
    lines.push('reset');
  }
  return lines;
}

/** An LRU map under more keys than it holds, and what is left. */
export function evictionScript(seed: number, maxEntries: number, flags: number): string[] {
  const rng = new Rng(seed);
  const lines = [`map ${uapi.BPF_MAP_TYPE_LRU_HASH} 4 4 ${maxEntries} ${flags | ZERO} 0 -1`];
  const key = (): string => hex(le32(rng.below(rng.below(2) === 0 ? maxEntries : 3 * maxEntries)));
  for (let i = 0; i < 6 * maxEntries; i++) {
    const op = rng.below(12);
    lines.push(op === 0 ? `d 0 ${key()}` : `u 0 ${key()} ${hex(le32(i))} ${op === 1 ? 2 : 0}`);
  }
  return [...lines, 'bl 0 - 10000 0', 'reset'];
}

/** All scripts, by name. */
export function mapScripts(cpus: number, seed: number = 0): Record<string, string[]> {
  const scripts: Record<string, string[]> = {
    create: createScript(seed + 1),
    objects: objectScript(seed + 2),
    'eviction 300 common': evictionScript(seed + 3, 300, 0),
    'eviction 37 common': evictionScript(seed + 4, 37, 0),
    'eviction 300 per CPU': evictionScript(seed + 5, 300, uapi.BPF_F_NO_COMMON_LRU),
  };
  SUBJECTS.forEach((subject, i) => {
    const name = uapi.MAP_TYPE_NAMES[subject.type]!;
    const sizes = `${subject.keySize} ${subject.valueSize} ${subject.maxEntries} ${subject.flags ?? 0}`;
    scripts[`${name} ${sizes}`] = elementScript(seed + 100 + i, subject, cpus);
  });
  return scripts;
}
