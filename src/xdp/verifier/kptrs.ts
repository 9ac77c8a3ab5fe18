/**
 * Pointers that maps keep, of the kernel's structs and of objects that programs made: read, written,
 * exchanged.
 *
 * "store to referenced kptr disallowed", "invalid kptr access, R%d
 * type=%s%s expected=%s%s", "off=%d doesn't point to kptr", "off=%d kptr isn't referenced kptr".
 *
 * @linux check_map_kptr_access, map_kptr_match_type, process_kptr_func; kernel/bpf/verifier.c
 */
import { EFAULT } from '../../host/errno.ts';
import { BPF_MEM, BPF_ST } from '../isa/insn.ts';
import type { BtfRef } from './btfRef.ts';
import { btfRefEqual, kernelType } from './btfRef.ts';
import type { Env } from './env.ts';
import { classOf, modeOf } from './insnKind.ts';
import type { Access } from './regionAccess.ts';
import { checkPtrOffReg } from './regionAccess.ts';
import type { Reg } from './reg.ts';
import { pointerReg, registerIsNull } from './reg.ts';
import {
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_VALUE,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  baseType,
  regTypeStr,
  typeFlag,
  typeMayBeNull,
} from './regTypes.ts';
import { isKernelStruct } from './subprogArgs.ts';
import { tnumIsConst } from './tnum.ts';
import type { MapField } from './verifierMap.ts';

/** Objects of the kernel that stay while a read-side section lasts. @linux rcu_protected_types */
const RCU_PROTECTED: ReadonlySet<string> = new Set([
  ...['cgroup', 'bpf_cpumask', 'task_struct', 'bpf_crypto_ctx'],
]);

/** What a kept pointer points to: the kernel's struct of that name before the program's own. */
export function kptrType(env: Env, field: MapField): BtfRef {
  const { id, name } = field.kptr!;
  return isKernelStruct(env, name) ? kernelType(name) : { owner: 'program', id, name };
}

/** Is a kept pointer at these bytes? The access was checked. */
export function kptrAt(reg: Reg, at: number): MapField | undefined {
  if (reg.map?.special === undefined || !tnumIsConst(reg.bounds)) return undefined;
  const off = at + Number(reg.bounds.value);
  return reg.map.special.find((field) => field.kind === 'kptr' && field.at === off);
}

/** @returns what a load gives @linux check_map_kptr_access */
export function accessKptr(env: Env, field: MapField, access: Access, valueReg: number): Reg {
  const insn = env.insns[env.insnIdx]!;
  if (modeOf(insn) !== BPF_MEM)
    env.deny('kptr in map can only be accessed using BPF_MEM instruction mode');
  const { tag } = field.kptr!;
  if (access === 'read') return loadedKptr(env, field);
  if (tag !== 'kptr_untrusted')
    env.deny(`store to ${tag === 'uptr' ? 'uptr' : 'referenced kptr'} disallowed`);
  if (classOf(insn) === BPF_ST) {
    if (insn.imm !== 0) env.deny(`BPF_ST imm must be 0 when storing to kptr at off=${field.at}`);
  } else if (!registerIsNull(env.regs[valueReg]!)) {
    matchKptr(env, field, valueReg);
  }
  return env.unknown;
}

/** @linux btf_ld_kptr_type */
function loadedKptr(env: Env, field: MapField): Reg {
  const { tag } = field.kptr!;
  const btf = kptrType(env, field);
  const { cur } = env;
  const inRcu = cur.activeRcuLock || cur.activeLocks > 0 || !cur.inSleepable;
  const lives = btf.owner === 'program' || RCU_PROTECTED.has(btf.name);
  let flags = PTR_UNTRUSTED;
  if (inRcu && tag === 'percpu_kptr') flags = MEM_RCU | MEM_PERCPU;
  else if (inRcu && tag === 'kptr' && lives)
    flags = MEM_RCU | (btf.owner === 'program' ? MEM_ALLOC : 0);
  return pointerReg(PTR_TO_BTF_ID | PTR_MAYBE_NULL | flags, { btf, id: env.newId() });
}

/** @linux map_kptr_match_type */
export function matchKptr(env: Env, field: MapField, regno: number): void {
  const reg = env.regs[regno]!;
  const untrusted = field.kptr!.tag === 'kptr_untrusted';
  const wanted = kptrType(env, field);
  const kernel = reg.btf?.owner !== 'program';
  const allowed = kernel
    ? PTR_MAYBE_NULL | PTR_TRUSTED | MEM_RCU | (untrusted ? PTR_UNTRUSTED : 0)
    : PTR_MAYBE_NULL | MEM_ALLOC | (field.kptr!.tag === 'percpu_kptr' ? MEM_PERCPU : 0);
  const fits = baseType(reg.type) === PTR_TO_BTF_ID && (typeFlag(reg.type) & ~allowed) === 0;
  if (fits) {
    checkPtrOffReg(env, reg, regno, true);
    if (reg.off === 0 && btfRefEqual(reg.btf, wanted)) return;
  }
  const ptr = regTypeStr(PTR_TO_BTF_ID);
  const orUntrusted = untrusted
    ? ` or ${regTypeStr(PTR_TO_BTF_ID | PTR_UNTRUSTED)}${wanted.name}`
    : '';
  env.deny(
    `invalid kptr access, R${regno} type=${regTypeStr(reg.type)}${reg.btf?.name ?? ''} ` +
      `expected=${ptr}${wanted.name}${orUntrusted}`,
  );
}

/** Where `bpf_kptr_xchg` puts the pointer. @linux process_kptr_func */
export function processKptr(env: Env, regno: number): MapField {
  const reg = env.regs[regno]!;
  const map = reg.type === PTR_TO_MAP_VALUE ? reg.map : null;
  if (map !== null && (map.special === undefined || map.untyped === true))
    env.invalid(`map '${map.name}' has to have BTF in order to use bpf_kptr_xchg`);
  if (!tnumIsConst(reg.bounds))
    env.invalid(`R${regno} doesn't have constant offset. kptr has to be at the constant offset`);
  const kptrs = map?.special?.filter(({ kind }) => kind === 'kptr') ?? [];
  if (kptrs.length === 0) env.invalid(`R${regno} has no valid kptr`);
  const off = reg.off + Number(reg.bounds.value);
  const field = kptrs.find(({ at }) => at === off);
  if (field === undefined) return env.deny(`off=${off} doesn't point to kptr`);
  const { tag } = field.kptr!;
  if (tag !== 'kptr' && tag !== 'percpu_kptr') env.deny(`off=${off} kptr isn't referenced kptr`);
  return field;
}

/** What `bpf_kptr_xchg` puts there. @linux check_reg_type */
export function checkKptrValue(env: Env, field: MapField, regno: number): void {
  const { type } = env.regs[regno]!;
  if (typeMayBeNull(type)) {
    if ((type & MEM_ALLOC) !== 0)
      env.refuse(EFAULT, 'verifier bug: invalid PTR_TO_BTF_ID register for type match');
    env.deny(`Possibly NULL pointer passed to helper arg${regno}`);
  }
  matchKptr(env, field, regno);
}

/** What `bpf_kptr_xchg` took out. */
export function exchangedReg(env: Env, field: MapField): Reg {
  const btf = kptrType(env, field);
  const percpu = field.kptr!.tag === 'percpu_kptr' ? MEM_PERCPU : 0;
  const own = btf.owner === 'program' ? MEM_ALLOC | percpu : 0;
  return pointerReg(PTR_TO_BTF_ID | PTR_MAYBE_NULL | own, { btf });
}
