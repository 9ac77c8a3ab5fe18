/**
 * Reads through pointers to structs of the kernel. Few are described (`kernelStructs.ts`); others
 * are known when a kernel's types were given, else a read is refused by name.
 *
 * "only read from %s is supported", "R%d is %s invalid negative access: off=%d", "access beyond struct %s
 * at off %u size %u", "access beyond the end of member %s (mend:%u) in struct %s with off %u size %u",
 * "cannot access ptr member %s with moff %u in struct %s with off %u size %u".
 *
 * @linux check_ptr_to_map_access, check_ptr_to_btf_access; kernel/bpf/verifier.c. btf_struct_walk;
 * kernel/bpf/btf.c
 */
import { EINVAL, ENOTSUPP, EPERM } from '../../host/errno.ts';
import { specialFields } from '../btf/specialFields.ts';
import { kernelType } from './btfRef.ts';
import type { Env } from './env.ts';
import type { Btf } from '../btf/btf.ts';
import type { BtfComposite } from '../btf/types.ts';
import { isComposite } from '../btf/types.ts';
import { kernelStruct, mapStructName } from './kernelStructs.ts';
import type { Reg } from './reg.ts';
import { isTrusted } from './nullness.ts';
import { pointerReg } from './reg.ts';
import { fieldName } from './regionAccess.ts';
import { walkStruct } from './structWalk.ts';
import {
  CONST_PTR_TO_MAP,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  MEM_USER,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  typeMayBeNull,
} from './regTypes.ts';
import { tnumIsConst, tnumText } from './tnum.ts';

/** @returns what the load gives */
export function checkStructAccess(
  env: Env,
  regno: number,
  at: number,
  size: number,
  write: boolean,
): Reg {
  const reg = env.regs[regno]!;
  return reg.type === CONST_PTR_TO_MAP
    ? checkMapStruct(env, regno, at, size, write)
    : checkTyped(env, regno, at, size, write);
}

function checkMapStruct(env: Env, regno: number, at: number, size: number, write: boolean): Reg {
  const name = mapStructName(env.regs[regno]!.map!.type);
  if (!env.options.perfmon)
    env.refuse(EPERM, `'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (at < 0) env.deny(`R${regno} is ${name} invalid negative access: off=${at}`);
  if (write) env.deny(`only read from ${name} is supported`);
  return readDescribed(env, name, at, size, 0);
}

function checkTyped(env: Env, regno: number, at: number, size: number, write: boolean): Reg {
  const reg = env.regs[regno]!;
  const name = reg.btf?.name ?? '';
  if (!env.options.perfmon)
    env.refuse(EPERM, `'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (!env.image.gpl && reg.btf?.owner !== 'program')
    env.invalid(`Cannot access kernel 'struct ${name}' from non-GPL compatible program`);
  if (at < 0) env.deny(`R${regno} is ptr_${name} invalid negative access: off=${at}`);
  if (!tnumIsConst(reg.bounds) || reg.bounds.value !== 0n)
    env.deny(
      `R${regno} is ptr_${name} invalid variable offset: off=${at}, var_off=${tnumText(reg.bounds)}`,
    );
  if (reg.btf?.owner === 'program') return accessObject(env, regno, at, size, write);
  if (write) return writeTyped(env, name, at, size);
  return kernelStruct(name) === undefined
    ? readWalked(env, reg, at, size)
    : readDescribed(env, name, at, size, reg.type & PTR_UNTRUSTED);
}

/** Of all structs, a program may write a connection's mark. @linux _nf_conntrack_btf_struct_access */
function writeTyped(env: Env, name: string, at: number, size: number): Reg {
  if (name !== 'nf_conn' && name !== 'nf_conn___init') env.deny('only read is supported');
  const mark = kernelStruct('nf_conn')!.members.find((one) => one.name === 'mark')!;
  if (at !== mark.at) env.deny(`no write support to nf_conn at off ${at}`);
  if (at + size > mark.end)
    env.deny(
      `write access at off ${at} with size ${size} beyond the member of nf_conn ended at ${mark.end}`,
    );
  return env.unknown;
}

/** An object that a program made; pointers in it are numbers. @linux btf_struct_access */
function accessObject(env: Env, regno: number, at: number, size: number, write: boolean): Reg {
  const reg = env.regs[regno]!;
  const { name, id } = reg.btf!;
  if ((reg.type & MEM_PERCPU) !== 0)
    env.deny(`R${regno} is ptr_${name} access percpu memory: off=${at}`);
  const own = (reg.type & MEM_ALLOC) !== 0;
  if (write && !own) env.deny('only read is supported');
  const btf = env.image.btf!;
  const struct = btf.resolve(id);
  if (!isComposite(struct)) return refuseUnknown(env, name);
  for (const field of own ? specialFields(btf, id, true) : [])
    if (at < field.at + field.bytes && field.at < at + size)
      env.deny(`direct access to ${fieldName(field)} is disallowed`);
  const { target } = walkStruct(env, btf, struct, at, size);
  return own || target === null ? env.unknown : refuseUnknown(env, name);
}

const refuseUnknown = (env: Env, name: string): never =>
  env.refuse(ENOTSUPP, `reading struct ${name} is not supported by this verifier`);

/** What a pointer to no struct gives: memory that may be read, wherever it is. */
const UNTYPED = pointerReg(PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED, { memSize: 0 });

/** Of a struct that the kernel's types describe; of those built in, only what they describe is known. */
function readWalked(env: Env, reg: Reg, at: number, size: number): Reg {
  const name = reg.btf?.name ?? '';
  const types = env.image.kernelTypes;
  const struct = types?.btf.find(name, 'struct') ?? null;
  if (types === undefined || struct === null) return refuseUnknown(env, name);
  if (!types.whole && !describes(types.btf, struct, at, size)) return refuseUnknown(env, name);
  const { target, tags, member, struct: inner } = walkStruct(env, types.btf, struct, at, size);
  if (target === null) return env.unknown;
  if (!isComposite(target)) return types.whole ? UNTYPED : refuseUnknown(env, name);
  const type = PTR_TO_BTF_ID | pointerFlags(reg, `${inner}.${member}`, tags);
  const id = typeMayBeNull(type) ? env.newId() : 0;
  return pointerReg(type, { btf: kernelType(target.name), id });
}

/** Members are left out of what is built in: is there one at these bytes, or are they beyond the struct? */
function describes(types: Btf, struct: BtfComposite, at: number, size: number): boolean {
  if (at + size > struct.size) return true;
  return struct.members.some(({ bitOffset, type }) => {
    const from = Math.floor(bitOffset / 8);
    return from <= at && at < from + types.sizeOf(type);
  });
}

/** Members that live as long as their struct. @linux BTF_TYPE_SAFE_TRUSTED */
const SAFE_TRUSTED: ReadonlySet<string> = new Set(['linux_binprm.file', 'file.f_inode']);
/** @linux BTF_TYPE_SAFE_TRUSTED_OR_NULL */
const SAFE_TRUSTED_OR_NULL: ReadonlySet<string> = new Set([
  'socket.sk',
  'vm_area_struct.vm_mm',
  'vm_area_struct.vm_file',
]);
/** Members under RCU that are never NULL. @linux BTF_TYPE_SAFE_RCU */
const SAFE_RCU: ReadonlySet<string> = new Set([
  'task_struct.cpus_ptr',
  'task_struct.cgroups',
  'task_struct.real_parent',
  'task_struct.group_leader',
  'cgroup.kn',
  'css_set.dfl_cgrp',
  'cgroup_subsys_state.cgroup',
]);
/** @linux BTF_TYPE_SAFE_RCU_OR_NULL */
const SAFE_RCU_OR_NULL: ReadonlySet<string> = new Set([
  'mm_struct.exe_file',
  'sk_buff.sk',
  'request_sock.sk',
]);

/** How far a pointer that was read is to be trusted; XDP programs run under RCU. @linux check_ptr_to_btf_access */
function pointerFlags(reg: Reg, field: string, tags: ReadonlySet<string>): number {
  if ((reg.type & PTR_UNTRUSTED) !== 0) return PTR_UNTRUSTED;
  const kept = (tags.has('user') ? MEM_USER : 0) | (tags.has('percpu') ? MEM_PERCPU : 0);
  if (!isTrusted(reg) && (reg.type & MEM_RCU) === 0) return kept;
  if (SAFE_TRUSTED.has(field)) return PTR_TRUSTED;
  if (SAFE_TRUSTED_OR_NULL.has(field)) return PTR_TRUSTED | PTR_MAYBE_NULL;
  if (SAFE_RCU.has(field)) return MEM_RCU;
  if (tags.has('rcu') || SAFE_RCU_OR_NULL.has(field)) return MEM_RCU | PTR_MAYBE_NULL;
  return kept;
}

/** @param flags of the pointer that was read through */
function readDescribed(env: Env, name: string, at: number, size: number, flags: number): Reg {
  const struct = kernelStruct(name);
  if (struct?.first && at < struct.first.bytes)
    return readDescribed(env, struct.first.name, at, size, flags);
  if (struct === undefined) return refuseUnknown(env, name);
  if (at + size > struct.bytes) env.deny(`access beyond struct ${name} at off ${at} size ${size}`);
  const member = struct.members.find((one) => at < one.end);
  if (member === undefined || at < member.at)
    return env.refuse(EINVAL, `struct ${name} doesn't have field at offset ${at}`);
  const where = `in struct ${name} with off ${at} size ${size}`;
  const { target } = member;
  if (target !== null && (at !== member.at || size !== member.end - member.at))
    env.deny(`cannot access ptr member ${member.name} with moff ${member.at} ${where}`);
  if (at + size > member.end)
    env.deny(`access beyond the end of member ${member.name} (mend:${member.end}) ${where}`);
  if (target === null) return env.unknown;
  if (target === '') return UNTYPED;
  return pointerReg(PTR_TO_BTF_ID | flags, { btf: kernelType(target) });
}
