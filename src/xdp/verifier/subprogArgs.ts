/**
 * What BTF says a subprogram takes, and whether a call gives it. Global functions are verified by
 * themselves on the strength of this; for static ones it only decides how far BTF is to be trusted.
 *
 * "Global function %s() doesn't return scalar. Only those are supported.", "Caller passes invalid args
 * into func#%d ('%s')", "arg#%d expects pointer to ctx", "R%d is not a scalar", "arg#%d reference
 * type('%s %s') size cannot be determined: %ld", "arg#%d should be `%s %s *`", "arg#%d type doesn't have a
 * name", "arg#%d reference type('%s %s') has no matches", "R%d is not a pointer to arena or scalar."
 *
 * Without a kernel's types, what structs the kernel has is known of some thirty by name.
 *
 * @linux btf_prepare_func_args; kernel/bpf/btf.c. btf_check_func_arg_match; kernel/bpf/verifier.c
 */
import { EINVAL, ENOENT, EOPNOTSUPP } from '../../host/errno.ts';
import type { Btf } from '../btf/btf.ts';
import { essentialName } from '../btf/essentialName.ts';
import type { BtfFunc, BtfType } from '../btf/types.ts';
import {
  ARG_ANYTHING,
  ARG_PTR_TO_ARENA,
  ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_CTX,
  ARG_PTR_TO_DYNPTR,
  ARG_PTR_TO_MEM,
} from '../helpers/protos.ts';
import type { BtfRef } from './btfRef.ts';
import { kernelType } from './btfRef.ts';
import { processDynptr } from './dynptrSlots.ts';
import type { Env, Subprog, SubprogArg } from './env.ts';
import { Refused } from './env.ts';
import { checkArgOffset, checkStructReg } from './helperArgs.ts';
import { checkMemReg } from './helperMem.ts';
import { registerIsNull } from './reg.ts';
import {
  MEM_RDONLY,
  PTR_MAYBE_NULL,
  PTR_TO_ARENA,
  PTR_TO_CTX,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
  baseType,
  typeMayBeNull,
} from './regTypes.ts';

const MAX_ARGS = 5;
const TAGS: ReadonlySet<string> = new Set([
  ...['ctx', 'nonnull', 'nullable', 'trusted', 'untrusted', 'arena'],
]);

const kindStr = (type: BtfType): string =>
  type.kind === 'funcProto'
    ? 'FUNC_PROTO'
    : type.kind === 'void'
      ? 'UNKNOWN'
      : type.kind.toUpperCase();

/** @linux btf_type_is_scalar, btf_type_is_primitive */
const isScalar = (type: BtfType): boolean => type.kind === 'int' || type.kind === 'enum';

/** Tags `arg:…` on a parameter. */
function argTags(env: Env, btf: Btf, func: BtfFunc, index: number, global: boolean): Set<string> {
  const tags = new Set<string>();
  for (const tag of btf.tagsOf(func.id)) {
    if (tag.component !== index || !tag.name.startsWith('arg:')) continue;
    if (!global)
      env.refuse(EOPNOTSUPP, `arg#${index} type tag is not supported in static functions`);
    const name = tag.name.slice('arg:'.length);
    if (!TAGS.has(name)) env.refuse(EOPNOTSUPP, `arg#${index} has unsupported set of tags`);
    tags.add(name);
  }
  return tags;
}

const SCALAR_ARG: SubprogArg = { type: ARG_ANYTHING, memSize: 0, btf: null };
const CTX_ARG: SubprogArg = { type: ARG_PTR_TO_CTX, memSize: 0, btf: null };
const ARENA_ARG: SubprogArg = { type: ARG_PTR_TO_ARENA, memSize: 0, btf: null };
const UNTRUSTED_ARG: SubprogArg = {
  type: ARG_PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED,
  ...{ memSize: 0, btf: null },
};
const DYNPTR_ARG: SubprogArg = { type: ARG_PTR_TO_DYNPTR | MEM_RDONLY, memSize: 0, btf: null };

/** What is tagged as context points to this program's context, or to void. @linux btf_validate_prog_ctx_type */
function validateCtxType(env: Env, index: number, target: BtfType): void {
  if (target.kind === 'void') return;
  if (!('name' in target) || target.name === '')
    env.invalid(`arg#${index} type doesn't have a name`);
  if (target.name !== 'xdp_md') env.invalid(`arg#${index} should be \`struct xdp_md *\``);
}

/** Structs of the kernel by name, for when no kernel's types were given. */
const KERNEL_STRUCTS: ReadonlySet<string> = new Set(
  (
    'task_struct cgroup css_set mm_struct vm_area_struct files_struct file inode dentry path cred ' +
    'sk_buff sock sock_common tcp_sock socket request_sock net net_device nf_conn bpf_map bpf_prog ' +
    'linux_binprm super_block bio request user_namespace pid nsproxy module seq_file pt_regs ' +
    'bpf_cpumask bpf_crypto_ctx bpf_key xfrm_state nf_conn___init'
  ).split(' '),
);

/** Has the kernel a struct of this name? */
export function isKernelStruct({ image: { kernelTypes } }: Env, name: string): boolean {
  return kernelTypes?.whole === true
    ? kernelTypes.btf.find(name, 'struct') !== null
    : KERNEL_STRUCTS.has(name);
}

/** The kernel's struct of the same name. @linux btf_get_ptr_to_btf_id */
function kernelStructOf(env: Env, index: number, target: BtfType): BtfRef {
  const what = `arg#${index} reference type('${kindStr(target)} ${target.name || '(anon)'}')`;
  if (target.kind !== 'struct') return env.invalid(`${what} candidate matching error: -${EINVAL}`);
  const name = essentialName(target.name);
  if (!isKernelStruct(env, name)) env.refuse(ENOENT, `${what} has no matches`);
  return kernelType(name);
}

function pointerArg(
  env: Env,
  btf: Btf,
  index: number,
  pointee: number,
  tags: ReadonlySet<string>,
): SubprogArg {
  const target = btf.resolve(pointee);
  const badTags = (): never => env.invalid(`arg#${index} has invalid combination of tags`);
  const context =
    target.kind === 'struct' && (target.name === 'xdp_md' || target.name === 'xdp_buff');
  if (context || tags.has('ctx')) {
    if (tags.size > (tags.has('ctx') ? 1 : 0)) badTags();
    if (tags.has('ctx')) validateCtxType(env, index, target);
    return CTX_ARG;
  }
  if (target.kind === 'struct' && target.name === 'bpf_dynptr') {
    if (tags.size > 0) badTags();
    return DYNPTR_ARG;
  }
  const alone = (tag: string): void => {
    if (tags.size > 1) env.invalid(`arg#${index} ${tag} cannot be combined with any other tags`);
  };
  if (tags.has('trusted')) {
    if (tags.has('nonnull')) badTags();
    const nullable = tags.has('nullable') ? PTR_MAYBE_NULL : 0;
    const type = ARG_PTR_TO_BTF_ID | PTR_TRUSTED | nullable;
    return { type, memSize: 0, btf: kernelStructOf(env, index, target) };
  }
  if (tags.has('untrusted')) {
    alone('untrusted');
    if (target.kind === 'void' || isScalar(target)) return UNTRUSTED_ARG;
    const type = ARG_PTR_TO_BTF_ID | PTR_UNTRUSTED;
    return { type, memSize: 0, btf: kernelStructOf(env, index, target) };
  }
  if (tags.has('arena')) {
    alone('arena');
    return ARENA_ARG;
  }
  let memSize = 0;
  try {
    memSize = btf.sizeOf(target.id);
  } catch {
    env.invalid(
      `arg#${index} reference type('${kindStr(target)} ${target.name}') size cannot be determined: -${EINVAL}`,
    );
  }
  const type = ARG_PTR_TO_MEM | (tags.has('nonnull') ? 0 : PTR_MAYBE_NULL);
  return { type, memSize, btf: null };
}

/** Silent refusal: the function's BTF is of no use. */
const useless = (): never => {
  throw new Refused(EINVAL, 'BTF of the function does not say what it takes');
};

/** @linux btf_prepare_func_args */
export function prepareFuncArgs(env: Env, subprog: Subprog): readonly SubprogArg[] {
  if (subprog.args !== null) return subprog.args;
  const { btf } = env.image;
  const func = btf?.type(subprog.typeId);
  if (btf === null || func?.kind !== 'func') return useless();
  const proto = btf.type(func.type);
  if (proto.kind !== 'funcProto') return useless();
  const { name, global } = subprog;
  if (proto.params.length > MAX_ARGS) {
    if (!global) return useless();
    env.invalid(
      `Global function ${name}() with ${proto.params.length} > ${MAX_ARGS} args. Buggy compiler.`,
    );
  }
  if (!isScalar(btf.resolve(proto.returns))) {
    if (!global) return useless();
    env.invalid(`Global function ${name}() doesn't return scalar. Only those are supported.`);
  }
  subprog.args = proto.params.map((param, i) => {
    const tags = argTags(env, btf, func, i, global);
    const type = btf.resolve(param.type);
    if (type.kind === 'ptr' && (global || isKnownPointer(btf, type.type)))
      return pointerArg(env, btf, i, type.type, tags);
    if (tags.size > 0) env.invalid(`arg#${i} has pointer tag, but is not a pointer type`);
    if (isScalar(type)) return SCALAR_ARG;
    if (!global) return useless();
    return env.invalid(`Arg#${i} type ${kindStr(type)} in ${name}() is not supported yet.`);
  });
  return subprog.args;
}

/** Of static functions only pointers to the context and to dynptrs are known. */
function isKnownPointer(btf: Btf, pointee: number): boolean {
  const target = btf.resolve(pointee);
  return target.kind === 'struct' && ['xdp_md', 'xdp_buff', 'bpf_dynptr'].includes(target.name);
}

function checkArg(env: Env, index: number, arg: SubprogArg): void {
  const regno = index + 1;
  const reg = env.regs[regno]!;
  if (arg.type === ARG_ANYTHING) {
    if (reg.type !== SCALAR_VALUE) env.invalid(`R${regno} is not a scalar`);
    return;
  }
  if (arg.type === ARG_PTR_TO_ARENA) {
    if (reg.type !== PTR_TO_ARENA && reg.type !== SCALAR_VALUE)
      env.invalid(`R${regno} is not a pointer to arena or scalar.`);
    return;
  }
  if ((arg.type & PTR_UNTRUSTED) !== 0) return; // reads through it are guarded
  if (baseType(arg.type) === ARG_PTR_TO_BTF_ID) {
    if (registerIsNull(reg) && typeMayBeNull(arg.type)) return;
    checkStructReg(env, regno, arg);
    checkArgOffset(env, regno, arg.type);
    return;
  }
  checkArgOffset(env, regno, 0);
  if (arg.type === ARG_PTR_TO_CTX) {
    if (reg.type !== PTR_TO_CTX) env.invalid(`arg#${index} expects pointer to ctx`);
  } else if (baseType(arg.type) === ARG_PTR_TO_MEM) {
    checkMemReg(env, regno, arg.memSize);
    if (!typeMayBeNull(arg.type) && typeMayBeNull(reg.type))
      env.invalid(`arg#${index} is expected to be non-NULL`);
  } else {
    processDynptr(env, regno, arg.type, -1, 0);
  }
}

/**
 * Do the registers hold what the function takes? What does not fit is written to the log; for a
 * static function it only means that its BTF is not believed from then on.
 *
 * @returns 0 or an errno
 * @linux btf_check_subprog_call
 */
export function checkSubprogArgs(env: Env, subprog: Subprog): number {
  if (subprog.typeId === 0 || subprog.unreliable) return EINVAL;
  try {
    prepareFuncArgs(env, subprog).forEach((arg, i) => checkArg(env, i, arg));
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    subprog.unreliable = true;
    return EINVAL;
  }
}
