/**
 * The program's functions: where they begin, that jumps stay inside them, and what BTF says of them.
 *
 * "call to invalid destination", "jump out of range from insn %d to %d", "last insn is not an exit
 * or jmp", "number of funcs in func_info doesn't match number of subprogs" and their kin.
 *
 * @linux add_subprog_and_kfunc, check_subprogs, check_btf_func; kernel/bpf/verifier.c
 */
import { E2BIG, EINVAL, EOPNOTSUPP, EPROTO } from '../../host/errno.ts';
import { BPF_FUNC_tail_call } from '../helpers/funcIds.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_ABS, BPF_CALL, BPF_EXIT, BPF_IND, BPF_JMP, BPF_JMP32, BPF_LD } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { Subprog } from './env.ts';
import { exceptionCallbackStart, markExceptionCallback } from './exceptions.ts';
import {
  EXIT,
  GOTO,
  GOTOL,
  classOf,
  isHelperCall,
  isKfuncCall,
  isPseudoFunc,
  isSubprogCall,
  jumpOffset,
  modeOf,
  opOf,
} from './insnKind.ts';

const BPF_MAX_SUBPROGS = 256;
const BTF_FUNC_STATIC = 0;
const BTF_FUNC_GLOBAL = 1;

/** @returns -1 when no subprogram starts at `slot` */
export function findSubprog(env: Env, slot: number): number {
  const index = containingSubprog(env, slot);
  return index >= 0 && env.subprogs[index]!.start === slot ? index : -1;
}

/** Number of the subprogram that holds `slot`. @linux bpf_find_containing_subprog */
export function containingSubprog(env: Env, slot: number): number {
  let low = 0;
  let high = env.subprogCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (env.subprogs[middle]!.start <= slot) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @linux add_subprog_and_kfunc */
export function addSubprogs(env: Env): void {
  const starts = new Set([0]);
  env.insns.forEach((insn, i) => {
    if (isKfuncCall(insn)) checkKfunc(env, insn);
    if (!isPseudoFunc(insn) && !isSubprogCall(insn)) return;
    const target = i + insn.imm + 1;
    if (target < 0 || target >= env.insns.length) env.invalid('call to invalid destination');
    if (!starts.has(target) && starts.size >= BPF_MAX_SUBPROGS)
      env.refuse(E2BIG, 'too many subprograms');
    starts.add(target);
  });
  const callback = exceptionCallbackStart(env);
  starts.add(callback);
  env.subprogs = [...starts, env.insns.length]
    .toSorted((a, b) => a - b)
    .map((start) => new Subprog(start));
  if (callback !== 0) markExceptionCallback(env, callback);
  if (!env.log.full) return;
  for (let i = 0; i < env.subprogCount; i++) env.write(`func#${i} @${env.subprogs[i]!.start}\n`);
}

/** @linux add_kfunc_call */
function checkKfunc(env: Env, { imm, off }: Insn): void {
  if (!env.image.gpl) env.invalid('cannot call kernel function from non-GPL compatible program');
  // functions of modules: there are none
  if (off !== 0) {
    env.write(
      off < 0
        ? 'negative offset disallowed for kernel module function call\n'
        : 'kfunc offset > 0 without fd_array is invalid\n',
    );
    env.refuse(off < 0 ? EINVAL : EPROTO, 'failed to find BTF for kernel function');
  }
  if (imm === 0) return; // no function: said if the call is ever reached
  const kfunc = kfuncByImm(imm);
  if (kfunc === undefined)
    return env.refuse(EOPNOTSUPP, 'kernel function is not supported by this verifier');
  if (kfunc.devBound) env.invalid('metadata kfuncs require device-bound program');
}

/** @linux check_subprogs */
export function checkSubprogs(env: Env): void {
  const { insns, subprogs } = env;
  let current = 0;
  insns.forEach((insn, i) => {
    const subprog = subprogs[current]!;
    const end = subprogs[current + 1]!.start;
    const kind = classOf(insn);
    if (isHelperCall(insn) && insn.imm === BPF_FUNC_tail_call) subprog.hasTailCall = true;
    if (kind === BPF_LD && (modeOf(insn) === BPF_ABS || modeOf(insn) === BPF_IND))
      subprog.hasLdAbs = true;
    const op = opOf(insn);
    if ((kind === BPF_JMP || kind === BPF_JMP32) && op !== BPF_EXIT && op !== BPF_CALL) {
      const target = (i + jumpOffset(insn) + 1) | 0;
      if (target < subprog.start || target >= end)
        env.invalid(`jump out of range from insn ${i} to ${target}`);
    }
    if (i !== end - 1) return;
    if (insn.code !== EXIT && insn.code !== GOTOL && insn.code !== GOTO)
      env.invalid('last insn is not an exit or jmp');
    current++;
  });
}

/** @linux check_abnormal_return */
function checkAbnormalReturn(env: Env): void {
  for (let i = 1; i < env.subprogCount; i++) {
    if (env.subprogs[i]!.hasLdAbs) env.invalid('LD_ABS is not allowed in subprogs without BTF');
    if (env.subprogs[i]!.hasTailCall)
      env.invalid('tail_call is not allowed in subprogs without BTF');
  }
}

/** What BTF says of each function. @linux check_btf_func */
export function checkBtfInfo(env: Env): void {
  const { funcInfo, lineInfo, btf } = env.image;
  if (funcInfo.length === 0 || btf === null) {
    checkAbnormalReturn(env);
  } else {
    if (funcInfo.length !== env.subprogCount)
      env.invalid("number of funcs in func_info doesn't match number of subprogs");
    funcInfo.forEach((info, i) => {
      const subprog = env.subprogs[i]!;
      if (subprog.start !== info.slot)
        env.invalid("func_info BTF section doesn't match subprog layout in BPF program");
      subprog.name = info.name;
      subprog.typeId = info.typeId;
      const func = btf.type(info.typeId);
      if (func.kind !== 'func')
        return env.refuse(EINVAL, `invalid type id ${info.typeId} in func info`);
      subprog.global = func.linkage === BTF_FUNC_GLOBAL;
      const proto = btf.type(func.type);
      if (proto.kind !== 'funcProto') return;
      const returned = btf.resolve(proto.returns);
      const scalar = returned.kind === 'int' || returned.kind === 'enum';
      if (i === 0 || scalar) return;
      if (subprog.hasLdAbs) env.invalid("LD_ABS is only allowed in functions that return 'int'.");
      if (subprog.hasTailCall)
        env.invalid("tail_call is only allowed in functions that return 'int'.");
    });
  }
  checkLines(
    env,
    lineInfo.map((line) => line.slot),
  );
}

/** @linux check_btf_line */
function checkLines(env: Env, slots: readonly number[]): void {
  if (slots.length === 0) return;
  let next = 0;
  slots.forEach((slot, i) => {
    const before = i === 0 ? 0 : slots[i - 1]!;
    if ((i > 0 && slot <= before) || slot >= env.insns.length)
      env.invalid(
        `Invalid line_info[${i}].insn_off:${slot} (prev_offset:${before} prog->len:${env.insns.length})`,
      );
    if (env.insns[slot]!.code === 0) env.invalid(`Invalid insn code at line_info[${i}].insn_off`);
    if (next === env.subprogCount) return;
    const { start } = env.subprogs[next]!;
    if (slot === start) next++;
    else if (start < slot) env.invalid(`missing bpf_line_info for func#${next}`);
  });
  const missing = env.subprogCount - next;
  if (missing !== 0)
    env.invalid(`missing bpf_line_info for ${missing} funcs starting from func#${next}`);
}

/** May the subprogram be a callback? */
export const subprogIsStatic = (env: Env, subprog: number): boolean => {
  const { btf } = env.image;
  const func = btf?.type(env.subprogs[subprog]!.typeId);
  return func?.kind === 'func' && func.linkage === BTF_FUNC_STATIC;
};
