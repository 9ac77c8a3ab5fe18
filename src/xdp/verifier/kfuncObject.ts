/**
 * Objects of the kernel that its functions take and give: tasks, cgroups, connections.
 *
 * A pointer is good enough when the program holds a reference to the object, or knows that it lives.
 *
 * "Possibly NULL pointer passed to trusted arg%d", "R%d must be referenced or trusted", "R%d must be a
 * rcu pointer", "arg#%d is %s expected %s or socket", "release kernel function %s expects refcounted
 * PTR_TO_BTF_ID", "kernel function %s args#%d expected pointer to STRUCT %s but R%d has a pointer to
 * STRUCT %s".
 *
 * @linux check_kfunc_args, process_kf_arg_ptr_to_btf_id, check_kfunc_call; kernel/bpf/verifier.c
 */
import type { KfuncProto } from '../helpers/kfuncProtos.ts';
import { kernelType } from './btfRef.ts';
import type { Env } from './env.ts';
import { checkArgOffset } from './helperArgs.ts';
import { isTrusted } from './nullness.ts';
import type { Reg } from './reg.ts';
import { pointerReg, registerIsNull } from './reg.ts';
import { acquireReference, releaseReference } from './references.ts';
import {
  CONST_PTR_TO_MAP,
  MEM_ALLOC,
  MEM_RCU,
  MEM_RDONLY,
  OBJ_RELEASE,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_TCP_SOCK,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  baseType,
  regTypeStr,
  typeHasUnsafeModifiers,
  typeMayBeNull,
} from './regTypes.ts';

/** Register types that stand for a struct of the kernel. @linux reg2btf_ids */
const STRUCT_OF: ReadonlyMap<number, string> = new Map([
  [PTR_TO_SOCKET, 'sock'],
  [PTR_TO_SOCK_COMMON, 'sock_common'],
  [PTR_TO_TCP_SOCK, 'tcp_sock'],
  [CONST_PTR_TO_MAP, 'bpf_map'],
]);

export const pointsToStruct = (type: number): boolean =>
  baseType(type) === PTR_TO_BTF_ID || STRUCT_OF.has(baseType(type));

/** No pointer of a function that trusts its arguments may be NULL. */
export function refuseNullObject(env: Env, regno: number, kfunc: KfuncProto): void {
  if (!kfunc.trustedArgs && !kfunc.rcuArgs) return;
  const reg = env.regs[regno]!;
  if (registerIsNull(reg) || typeMayBeNull(reg.type))
    env.deny(`Possibly NULL pointer passed to trusted arg${regno - 1}`);
}

export function checkObjectArg(env: Env, regno: number, struct: string, kfunc: KfuncProto): void {
  const reg = env.regs[regno]!;
  const { type } = reg;
  const arg = regno - 1;
  if (!pointsToStruct(type))
    env.invalid(
      `arg#${arg} pointer type STRUCT ${struct} must point to scalar, or struct with scalar`,
    );
  if ((kfunc.trustedArgs || kfunc.rcuArgs) && !isTrusted(reg)) {
    if (!kfunc.rcuArgs) env.invalid(`R${regno} must be referenced or trusted`);
    if ((type & MEM_RCU) === 0) env.invalid(`R${regno} must be a rcu pointer`);
  }
  checkArgOffset(env, regno, kfunc.releases && reg.refObjId !== 0 ? OBJ_RELEASE : 0);
  const unsafe = typeHasUnsafeModifiers(type) && (type & MEM_RCU) === 0;
  if (baseType(type) === PTR_TO_BTF_ID && unsafe)
    env.invalid(`arg#${arg} is ${regTypeStr(type)} expected struct ${struct} or socket`);
  const given = reg.btf?.name ?? STRUCT_OF.get(baseType(type)) ?? '';
  if (given !== struct)
    env.invalid(
      `kernel function ${kfunc.name} args#${arg} expected pointer to STRUCT ${struct} ` +
        `but R${regno} has a pointer to STRUCT ${given}`,
    );
}

/** What `bpf_obj_new` made, to be given back. */
export function checkObject(env: Env, regno: number): void {
  const reg = env.regs[regno]!;
  if (!isTrusted(reg)) env.invalid(`R${regno} must be referenced or trusted`);
  checkArgOffset(env, regno, reg.refObjId === 0 ? 0 : OBJ_RELEASE);
  if (reg.type !== (PTR_TO_BTF_ID | MEM_ALLOC))
    env.invalid(`arg#${regno - 1} expected pointer to allocated object`);
  if (reg.refObjId === 0) env.invalid('allocated object must be referenced');
}

/** @param typeId in the program's BTF @linux check_special_kfunc */
export function newObject(env: Env, typeId: number): Reg {
  const { btf } = env.image;
  if (btf === null) return env.invalid('bpf_obj_new/bpf_percpu_obj_new requires prog BTF');
  const type = typeId < btf.count ? btf.type(typeId) : null;
  if (type?.kind !== 'struct')
    return env.invalid('bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct');
  env.newId(); // Linux takes one for the check, then uses the reference's
  const id = acquireReference(env, env.insnIdx);
  return pointerReg(PTR_TO_BTF_ID | MEM_ALLOC, {
    btf: { owner: 'program', id: typeId, name: type.name },
    ...{ id, refObjId: id },
  });
}

/** @param regno of the reference given back; 0: none was there */
export function releaseObject(env: Env, kfunc: KfuncProto, regno: number): void {
  if (!kfunc.releases) return;
  if (regno === 0)
    env.invalid(`release kernel function ${kfunc.name} expects refcounted PTR_TO_BTF_ID`);
  if (releaseReference(env, env.regs[regno]!.refObjId) !== 0)
    env.invalid(`kfunc ${kfunc.name}#0 reference has not been acquired before`);
}

/** What r0 points to; a reference if the function gives one. */
export function objectReg(env: Env, kfunc: KfuncProto): Reg {
  const btf = kernelType(kfunc.retStruct!);
  if (!kfunc.acquires) return pointerReg(PTR_TO_BTF_ID | PTR_TRUSTED, { btf });
  if (kfunc.retNull) env.newId(); // Linux takes one for the check, then uses the reference's
  const id = acquireReference(env, env.insnIdx);
  return pointerReg(PTR_TO_BTF_ID, { btf, id, refObjId: id });
}

/** Anything as a struct of the kernel, or as mere memory, that may only be read. @linux check_special_kfunc */
export function castReg(env: Env, typeId: number): Reg {
  if (typeId === 0) return pointerReg(PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED, { memSize: 0 });
  const { kernelTypes } = env.image;
  if (kernelTypes === undefined || typeId >= kernelTypes.btf.count)
    return env.invalid(`Unknown type ID ${typeId} passed to kfunc bpf_rdonly_cast`);
  const type = kernelTypes.btf.resolve(typeId);
  if (type.kind !== 'struct')
    return env.invalid('kfunc bpf_rdonly_cast type ID argument must be of a struct or void');
  return pointerReg(PTR_TO_BTF_ID | PTR_UNTRUSTED, { btf: kernelType(type.name) });
}
