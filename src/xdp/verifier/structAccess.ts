/**
 * Reads through pointers to structs of the kernel. Few are described (`kernelStructs.ts`); a
 * read of any other is refused by name.
 *
 * "only read from %s is supported", "R%d is %s invalid negative access: off=%d", "access beyond struct %s
 * at off %u size %u", "access beyond the end of member %s (mend:%u) in struct %s with off %u size %u",
 * "cannot access ptr member %s with moff %u in struct %s with off %u size %u".
 *
 * @linux check_ptr_to_map_access, check_ptr_to_btf_access; kernel/bpf/verifier.c. btf_struct_walk;
 * kernel/bpf/btf.c
 */
import { EINVAL, ENOTSUPP, EPERM } from '../../host/errno.ts';
import { kernelType } from './btfRef.ts';
import type { Env } from './env.ts';
import { kernelStruct, mapStructName } from './kernelStructs.ts';
import type { Reg } from './reg.ts';
import { pointerReg } from './reg.ts';
import { checkPtrOffReg } from './regionAccess.ts';
import {
  CONST_PTR_TO_MAP,
  MEM_RDONLY,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_UNTRUSTED,
} from './regTypes.ts';

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
  return readMember(env, name, at, size, 0);
}

function checkTyped(env: Env, regno: number, off: number, size: number, write: boolean): Reg {
  const reg = env.regs[regno]!;
  const name = reg.btf?.name ?? '';
  if (!env.options.perfmon)
    env.refuse(EPERM, `'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (!env.image.gpl)
    env.invalid(`Cannot access kernel 'struct ${name}' from non-GPL compatible program`);
  const at = off + reg.off;
  if (at < 0) env.deny(`R${regno} is ptr_${name} invalid negative access: off=${at}`);
  checkPtrOffReg(env, reg, regno, true);
  if (write) return writeTyped(env, name, at, size);
  return readMember(env, name, at, size, reg.type & PTR_UNTRUSTED);
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

/** @param flags of the pointer that was read through */
function readMember(env: Env, name: string, at: number, size: number, flags: number): Reg {
  const struct = kernelStruct(name);
  if (struct?.first && at < struct.first.bytes)
    return readMember(env, struct.first.name, at, size, flags);
  if (struct === undefined)
    return env.refuse(ENOTSUPP, `reading struct ${name} is not supported by this verifier`);
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
  if (target === '') return pointerReg(PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED, { memSize: 0 });
  return pointerReg(PTR_TO_BTF_ID | flags, { btf: kernelType(target) });
}
