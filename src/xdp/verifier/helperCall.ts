/**
 * Calls of helpers: may this program call it, do the arguments fit, and what is different afterwards.
 *
 * "invalid func %s#%d", "program of this type cannot use helper %s#%d", "cannot call GPL-restricted
 * function from non-GPL compatible program", "write into map forbidden", "func %s#%d reference has not
 * been acquired before", "callback function not allowed for map", "Unsupported reg type %s for
 * bpf_dynptr_from_mem data", "tail_call would lead to reference leak".
 *
 * @linux check_helper_call; kernel/bpf/verifier.c
 */
import { EACCES, EINVAL, ENOTSUPP } from '../../host/errno.ts';
import {
  BPF_FUNC_dynptr_data,
  BPF_FUNC_dynptr_from_mem,
  BPF_FUNC_find_vma,
  BPF_FUNC_for_each_map_elem,
  BPF_FUNC_loop,
  BPF_FUNC_map_delete_elem,
  BPF_FUNC_map_pop_elem,
  BPF_FUNC_map_push_elem,
  BPF_FUNC_map_update_elem,
  BPF_FUNC_snprintf,
  BPF_FUNC_tail_call,
  BPF_FUNC_timer_set_callback,
  BPF_FUNC_user_ringbuf_drain,
} from '../helpers/funcIds.ts';
import { BPF_FUNC_MAX_ID, funcIdName } from '../helpers/helperNames.ts';
import type { HelperProto } from '../helpers/protos.ts';
import { ARG_PTR_TO_DYNPTR, helperProto } from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_F_RDONLY_PROG,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PROG_ARRAY,
} from '../maps/uapi.ts';
import type { CallMeta } from './callMeta.ts';
import { callMeta } from './callMeta.ts';
import { dynptrOf, releaseDynptr } from './dynptrSlots.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import {
  prepareFuncExit,
  pushDrainCallback,
  pushLoopCallback,
  pushMapElemCallback,
  pushVmaCallback,
  RETURNS_ZERO,
  pushAsyncCallback,
} from './funcCall.ts';
import { checkFuncArg } from './helperArgs.ts';
import { setReturn } from './helperReturn.ts';
import { checkMapFuncCompatibility } from './mapCompat.ts';
import { checkMemAccess } from './memAccess.ts';
import { clearPktPointers } from './packetRange.ts';
import { pushPath } from './paths.ts';
import { markChainPrecision } from './precision.ts';
import { checkSnprintfFormat } from './printFormat.ts';
import { isRegConst, regConstValue, registerIsNull } from './reg.ts';
import { checkResourceLeak, releaseReference } from './references.ts';
import { clearCallerSaved } from './regArg.ts';
import { PTR_TO_MAP_VALUE, baseType, regTypeStr } from './regTypes.ts';

/** The prototype, if this program may call the helper. */
function usableProto(env: Env, id: number): HelperProto {
  const name = `${funcIdName(id)}#${id}`;
  if (id < 0 || id >= BPF_FUNC_MAX_ID) env.invalid(`invalid func ${name}`);
  const proto = helperProto(id);
  if (proto === undefined || (proto.perfmon && !env.options.perfmon))
    return env.invalid(`program of this type cannot use helper ${name}`);
  if (!env.image.gpl && proto.gplOnly)
    env.invalid('cannot call GPL-restricted function from non-GPL compatible program');
  if (proto.mightSleep && !env.cur.inSleepable)
    env.invalid('helper call might sleep in a non-sleepable prog');
  return proto;
}

const WRITES: ReadonlySet<number> = new Set([
  BPF_FUNC_map_update_elem,
  BPF_FUNC_map_delete_elem,
  BPF_FUNC_map_push_elem,
  BPF_FUNC_map_pop_elem,
]);

/** @linux record_func_map, record_func_key */
function checkMapUse(env: Env, { funcId, map }: CallMeta): void {
  if (map !== null && WRITES.has(funcId) && (map.flags & BPF_F_RDONLY_PROG) !== 0)
    env.deny('write into map forbidden');
  if (funcId !== BPF_FUNC_tail_call) return;
  if (map?.type !== BPF_MAP_TYPE_PROG_ARRAY) {
    const why = 'expected prog array map for tail call';
    env.write(why); // Linux ends no line here
    throw new Refused(EINVAL, why);
  }
  const key = env.regs[3]!;
  if (isRegConst(key, false) && regConstValue(key, false) < BigInt(map.maxEntries))
    markChainPrecision(env, 3);
}

/** What the helper takes over is no longer the program's. */
function release(env: Env, proto: HelperProto, meta: CallMeta): void {
  if (meta.releaseReg === 0) return;
  const reg = env.regs[meta.releaseReg]!;
  const dynptr = baseType(proto.args[meta.releaseReg - 1]!) === ARG_PTR_TO_DYNPTR;
  const err = dynptr
    ? releaseDynptr(env, reg)
    : meta.refObjId !== 0
      ? releaseReference(env, meta.refObjId)
      : registerIsNull(reg)
        ? 0
        : -1;
  if (err !== 0)
    env.invalid(`func bpf_${proto.name}#${proto.id} reference has not been acquired before`);
}

const ITERABLE: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
]);

/** May the call be replaced by a loop of its own? @linux update_loop_inline_state */
function checkLoopInline(env: Env, callback: number): void {
  const aux = env.aux[env.insnIdx]!;
  if (aux.loopInline === false) return;
  if (aux.loopInline === null) aux.loopCallback = callback;
  const flagsNull = registerIsNull(env.regs[4]!);
  if (flagsNull) markChainPrecision(env, 4);
  aux.loopInline = flagsNull && aux.loopCallback === callback;
}

function callLoop(env: Env, meta: CallMeta): void {
  checkLoopInline(env, meta.subprogno);
  markChainPrecision(env, 1);
  if (BigInt(env.func.callbackDepth) < env.regs[1]!.bounds.umax) {
    pushLoopCallback(env, meta.subprogno);
    return;
  }
  env.func.callbackDepth = 0;
  if (env.log.full) env.write(`frame${env.cur.curframe} bpf_loop iteration limit reached\n`);
}

/** What single helpers ask for beyond their prototype. */
function checkSpecial(env: Env, meta: CallMeta): void {
  switch (meta.funcId) {
    case BPF_FUNC_tail_call:
      checkResourceLeak(env, false, true, 'tail_call');
      break;
    case BPF_FUNC_for_each_map_elem:
      if (!ITERABLE.has(meta.map!.type))
        env.refuse(ENOTSUPP, 'callback function not allowed for map');
      pushMapElemCallback(env, meta.subprogno);
      break;
    case BPF_FUNC_find_vma:
      pushVmaCallback(env, meta.subprogno);
      break;
    case BPF_FUNC_timer_set_callback:
      pushAsyncCallback(env, meta.subprogno, 1, RETURNS_ZERO, false);
      break;
    case BPF_FUNC_user_ringbuf_drain:
      pushDrainCallback(env, meta.subprogno);
      break;
    case BPF_FUNC_loop:
      callLoop(env, meta);
      break;
    case BPF_FUNC_snprintf:
      checkSnprintfFormat(env);
      break;
    case BPF_FUNC_dynptr_from_mem:
      if (env.regs[1]!.type !== PTR_TO_MAP_VALUE)
        env.refuse(
          EACCES,
          `Unsupported reg type ${regTypeStr(env.regs[1]!.type)} for bpf_dynptr_from_mem data`,
        );
      break;
    case BPF_FUNC_dynptr_data: {
      const dynptr = dynptrOf(env, 1);
      meta.dynptrId = dynptr.id;
      meta.refObjId = dynptr.refObjId;
    }
  }
}

export function checkHelperCall(env: Env, insn: Insn): void {
  const id = insn.imm;
  const at = env.insnIdx;
  const proto = usableProto(env, id);
  const meta = callMeta(id, proto.pktAccess);
  for (let arg = 0; arg < proto.args.length; arg++) checkFuncArg(env, arg, proto, meta);
  checkMapUse(env, meta);
  for (let i = 0; i < meta.rawBytes; i++) checkMemAccess(env, at, meta.rawReg, i, 1, 'write', -1);
  release(env, proto, meta);
  checkSpecial(env, meta);
  clearCallerSaved(env, env.regs);
  setReturn(env, proto, meta, at);
  checkMapFuncCompatibility(env, meta.map, id);
  if (id === BPF_FUNC_tail_call) leaveByTailCall(env);
  else if (proto.changesPktData) clearPktPointers(env);
}

/** From a subprogram the other program returns to the caller; where it could not be called, this one goes on. */
function leaveByTailCall(env: Env): void {
  if (env.cur.curframe === 0) return;
  env.scratchReg(0);
  pushPath(env, env.insnIdx + 1, env.insnIdx);
  clearPktPointers(env);
  env.regs[0] = env.unknown;
  env.liveness.commit();
  env.liveness.forgetChain();
  prepareFuncExit(env);
  clearPktPointers(env);
  env.insnIdx--;
}
