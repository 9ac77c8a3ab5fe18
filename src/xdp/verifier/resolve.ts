/**
 * Before anything is followed: every code exists, and every 64-bit constant is whole and names a map
 * that is there.
 *
 * "unknown opcode %02x", "invalid bpf_ld_imm64 insn", "BPF_LDX uses reserved fields", "direct value
 * offset of %u is not allowed".
 *
 * @linux resolve_pseudo_ldimm64; kernel/bpf/verifier.c. bpf_opcode_in_insntable; kernel/bpf/core.c
 */
import { E2BIG, EBUSY, EINVAL, EPERM, EPROTO, ERANGE } from '../../host/errno.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_LDX,
  BPF_MEM,
  BPF_MEMSX,
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
  LD_IMM64,
} from '../isa/insn.ts';
import {
  BPF_MAP_TYPE_ARENA,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
} from '../maps/uapi.ts';
import type { Env } from './env.ts';
import { classOf, modeOf } from './insnKind.ts';

/** Offsets of pointers stay below this. @linux BPF_MAX_VAR_OFF */
export const BPF_MAX_VAR_OFF: number = 1 << 29;
const MAX_USED_MAPS = 64;

export function resolvePseudoLdimm64(env: Env): void {
  const used = new Set<number>();
  const { insns } = env;
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]!;
    const mode = modeOf(insn);
    const plain = (mode === BPF_MEM || mode === BPF_MEMSX) && insn.imm === 0;
    if (classOf(insn) === BPF_LDX && !plain) env.invalid('BPF_LDX uses reserved fields');
    if (insn.code !== LD_IMM64) {
      if (!opcodeKnown(insn.code))
        env.invalid(`unknown opcode ${insn.code.toString(16).padStart(2, '0')}`);
      continue;
    }
    const second = insns[i + 1];
    if (
      second === undefined ||
      second.code !== 0 ||
      second.dst !== 0 ||
      second.src !== 0 ||
      second.off !== 0
    )
      return env.invalid('invalid bpf_ld_imm64 insn');
    if (insn.src !== 0 && insn.src !== BPF_PSEUDO_FUNC) resolveMap(env, i, insn, second, used);
    i++;
  }
}

function resolveMap(env: Env, i: number, insn: Insn, second: Insn, used: Set<number>): void {
  const byIndex = insn.src === BPF_PSEUDO_MAP_IDX && second.imm === 0;
  if (byIndex || insn.src === BPF_PSEUDO_MAP_IDX_VALUE)
    env.refuse(EPROTO, 'fd_idx without fd_array is invalid');
  const value = insn.src === BPF_PSEUDO_MAP_VALUE;
  if (insn.src === BPF_PSEUDO_BTF_ID)
    env.invalid(`pseudo btf_id ${insn.imm >>> 0} in ldimm64 isn't KIND_VAR or KIND_FUNC`);
  if (!value && (insn.src !== BPF_PSEUDO_MAP_FD || second.imm !== 0))
    env.invalid('unrecognized bpf_ld_imm64 insn');
  const map = env.image.maps.find(({ id }) => id === insn.imm);
  if (map === undefined)
    return env.refuse(EBADF, `fd ${insn.imm} is not pointing to valid bpf_map`);
  if (map.type === BPF_MAP_TYPE_ARENA && !used.has(map.id)) useArena(env, map.mapExtra ?? 0);
  if (!used.has(map.id) && ONE_OF_A_KIND.includes(map.type) && usesKind(env, used, map.type))
    env.refuse(EBUSY, 'only one cgroup storage of each type is allowed');
  used.add(map.id);
  if (used.size > MAX_USED_MAPS)
    env.refuse(
      E2BIG,
      `The total number of maps per program has reached the limit of ${MAX_USED_MAPS}`,
    );
  const aux = env.aux[i]!;
  aux.map = map;
  if (!value) return;
  const off = second.imm >>> 0;
  if (off >= BPF_MAX_VAR_OFF) env.invalid(`direct value offset of ${off} is not allowed`);
  if (map.type === BPF_MAP_TYPE_ARENA) {
    if (off > map.maxEntries * PAGE_BYTES) refuseValue(env, map.valueSize, off, ERANGE);
    return;
  }
  if (map.type !== BPF_MAP_TYPE_ARRAY)
    env.invalid('no direct value access support for this map type');
  if (map.maxEntries !== 1) refuseValue(env, map.valueSize, off, ENOTSUPP);
  if (off >= map.valueSize) refuseValue(env, map.valueSize, off, EINVAL);
  aux.mapOff = off;
}

const ONE_OF_A_KIND: readonly number[] = [
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
];

const usesKind = (env: Env, used: ReadonlySet<number>, type: number): boolean =>
  env.image.maps.some((map) => map.type === type && used.has(map.id));

/** Nobody maps an arena here, as newer libbpf does; only `map_extra` says its address. @linux add_used_map */
function useArena(env: Env, address: number): void {
  if (env.hasArena) env.refuse(EBUSY, 'Only one arena per program');
  if (!env.options.perfmon) env.refuse(EPERM, 'CAP_BPF and CAP_PERFMON are required to use arena');
  if (address === 0) env.invalid("arena's user address must be set via map_extra or mmap()");
  env.hasArena = true;
}

const PAGE_BYTES = 4096;
const EBADF = 9;
const ENOTSUPP = 524;

const refuseValue = (env: Env, size: number, off: number, errno: number): never =>
  env.refuse(errno, `invalid access to map value pointer, value_size=${size} off=${off}`);

/** Codes by class; of each, those that exist. */
const KNOWN: ReadonlySet<number> = new Set([
  // alu and alu64, with register and constant: add to mov, arsh
  ...[4, 7].flatMap((kind) =>
    [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0].flatMap((op) => [
      kind | op,
      kind | op | 8,
    ]),
  ),
  // negation and byte swaps
  0x84,
  0x87,
  0xd4,
  0xdc,
  0xd7,
  // conditional jumps of both widths
  ...[5, 6].flatMap((kind) =>
    [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0].flatMap((op) => [
      kind | op,
      kind | op | 8,
    ]),
  ),
  // goto, gotol, may_goto, call, exit
  0x05,
  0x06,
  0xe5,
  0x85,
  0x95,
  // loads, sign-extending loads, stores
  0x61,
  0x69,
  0x71,
  0x79,
  0x81,
  0x89,
  0x91,
  0x62,
  0x6a,
  0x72,
  0x7a,
  0x63,
  0x6b,
  0x73,
  0x7b,
  // atomics, of all sizes since load-acquire and store-release
  0xc3,
  0xcb,
  0xd3,
  0xdb,
  // packet loads of old, and the 64-bit constant
  0x20,
  0x28,
  0x30,
  0x40,
  0x48,
  0x50,
  0x18,
]);

const opcodeKnown = (code: number): boolean => KNOWN.has(code);
