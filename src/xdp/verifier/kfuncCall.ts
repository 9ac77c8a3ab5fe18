/**
 * Calls of kernel functions.
 *
 * "calling kernel function %s is not allowed", "program must be sleepable to call sleepable kfunc %s",
 * "R%d is not a scalar", "R%d must be a known constant", "arg#%d expected pointer to ctx, but got %s",
 * "arg#%d arg#%d memory, len pair leads to invalid memory access", "nested rcu read lock (kernel
 * function %s)", "unmatched rcu read unlock (kernel function %s)", "unmatched attempt to enable
 * preemption (kernel function %s)". Pointers to structs: `kfuncObject.ts`.
 *
 * @linux check_kfunc_call, check_kfunc_args; kernel/bpf/verifier.c
 */
import { EOPNOTSUPP } from '../../host/errno.ts';
import type { KfuncArg, KfuncProto } from '../helpers/kfuncProtos.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { ARG_PTR_TO_DYNPTR } from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import { S32_MAX, S32_MIN, UNBOUNDED, draftBounds, sync } from './bounds.ts';
import { dynptrFlag, dynptrOf, processDynptr } from './dynptrSlots.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { RETURNS_ZERO, pushAsyncCallback, pushLessCallback } from './funcCall.ts';
import { checkCounted, checkNode, checkRoot, handOver, nodeReg, unowned } from './graph.ts';
import type { GraphTarget } from '../maps/mapDef.ts';
import { acquireReference } from './references.ts';
import { checkArgOffset } from './helperArgs.ts';
import { checkKfuncMemSize, checkMemReg } from './helperMem.ts';
import { processIrqFlag } from './irqFlags.ts';
import type { IterPlace } from './iterators.ts';
import { processIter, splitAtNext } from './iterators.ts';
import {
  castReg,
  checkObject,
  checkObjectArg,
  newObject,
  objectReg,
  pointsToStruct,
  refuseNullObject,
  releaseObject,
} from './kfuncObject.ts';
import { processMapField, processSpinLock } from './mapFields.ts';
import { clearPktPointers } from './packetRange.ts';
import { pushPath } from './paths.ts';
import { markChainPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, constReg, pointerReg, registerIsNull, scalarReg, withReg } from './reg.ts';
import { clearCallerSaved } from './regArg.ts';
import {
  BPF_DYNPTR_TYPE_INVALID,
  CONST_PTR_TO_DYNPTR,
  DYNPTR_TYPE_XDP,
  MEM_ALLOC,
  MEM_RCU,
  MEM_RDONLY,
  MEM_UNINIT,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_FUNC,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
  regTypeStr,
  typeIsNonOwningRef,
} from './regTypes.ts';
import type { ReturnRange } from './state.ts';
import { tnumIsConst } from './tnum.ts';
import type { VerifierMap } from './verifierMap.ts';
import { mapHasField } from './verifierMap.ts';

/** Largest error number of a function. */
const MAX_ERRNO = 4095;
/** What a task's work may return. */
const RETURNS_INT: ReturnRange = { min: S32_MIN, max: S32_MAX };

/** What the arguments say of the result. */
interface Call {
  readonly kfunc: KfuncProto;
  refObjId: number;
  iter: IterPlace | null;
  dynptr: Pick<Reg, 'id' | 'dynptrType' | 'refObjId'>;
  /** Value of the constant argument. */
  size: number;
  /** Register of what is given back; 0: none. */
  releaseReg: number;
  /** The map whose value holds a queue of work, and the register that points there. */
  map: VerifierMap | null;
  mapUid: number;
  fieldReg: number;
  subprogno: number;
  /** The list or tree. */
  root: GraphTarget | null;
  /** The first argument. */
  first: Reg;
}

const NO_DYNPTR: Call['dynptr'] = { id: 0, dynptrType: BPF_DYNPTR_TYPE_INVALID, refObjId: 0 };

function checkDynptr(env: Env, regno: number, uninit: boolean, call: Call): void {
  const { name } = call.kfunc;
  let type = ARG_PTR_TO_DYNPTR | (uninit ? MEM_UNINIT : 0);
  if (env.regs[regno]!.type === CONST_PTR_TO_DYNPTR) type |= MEM_RDONLY;
  if (name === 'bpf_dynptr_from_xdp') type |= DYNPTR_TYPE_XDP;
  const clones = name === 'bpf_dynptr_clone' && uninit;
  if (clones) type |= dynptrFlag(call.dynptr.dynptrType);
  processDynptr(env, regno, type, env.insnIdx, clones ? call.dynptr.refObjId : 0);
  if (!uninit) call.dynptr = dynptrOf(env, regno);
}

/** A pointer and its size, the argument behind it; where that is no number, what the pointer's type says. */
function checkMem(env: Env, regno: number, arg: KfuncArg & { kind: 'mem' }, call: Call): void {
  const reg = env.regs[regno]!;
  const { struct, bytes, optional } = arg;
  const untyped = 'pointer type UNKNOWN  ';
  if (pointsToStruct(reg.type)) {
    if (struct === '')
      env.invalid(
        `kernel function ${call.kfunc.name} args#${regno - 1} ${untyped}is not supported`,
      );
    checkObjectArg(env, regno, struct, call.kfunc);
    return;
  }
  if (env.regs[regno + 1]!.type !== SCALAR_VALUE) {
    if (struct === '')
      env.invalid(`arg#${regno - 1} ${untyped}must point to scalar, or struct with scalar`);
    checkMemReg(env, regno, bytes);
    return;
  }
  if (optional && registerIsNull(env.regs[regno]!)) return;
  try {
    checkKfuncMemSize(env, regno + 1);
  } catch (error) {
    if (error instanceof Refused)
      env.write(`arg#${regno - 1} arg#${regno} memory, len pair leads to invalid memory access\n`);
    throw error;
  }
}

function checkResLock(env: Env, regno: number, name: string): void {
  if (env.regs[regno]!.type !== PTR_TO_MAP_VALUE)
    env.invalid(`arg#${regno - 1} doesn't point to map value or allocated object`);
  const irq = name.includes('irq');
  processSpinLock(env, regno, name.includes('_lock'), irq ? 'resLockIrq' : 'resLock');
}

/** The map that the field before lies in, and of maps inside maps the very one. */
function checkFieldMap(env: Env, regno: number, call: Call): void {
  const { map, mapUid } = env.regs[regno]!;
  if (map === null) return env.invalid(`pointer in R${regno} isn't map pointer`);
  const differs = map !== call.map || mapUid !== call.mapUid;
  const pair = (what: string): never =>
    env.invalid(
      `${what} pointer in R${regno - 1} map_uid=${call.mapUid} doesn't match map pointer in ` +
        `R${regno} map_uid=${mapUid}`,
    );
  if (differs && mapHasField(map, 'task_work')) pair('bpf_task_work');
  if (differs && mapHasField(map, 'wq')) pair('workqueue');
  call.map = map;
  call.mapUid = mapUid;
  checkObjectArg(env, regno, 'bpf_map', call.kfunc);
}

/** A lock that could not be had leaves the error; with it the path goes on apart. */
function pushFailedLock(env: Env): void {
  const { regs } = pushPath(env, env.insnIdx + 1, env.insnIdx).top;
  clearCallerSaved(env, regs);
  const d = draftBounds(UNBOUNDED);
  d.s32Min = -MAX_ERRNO;
  d.s32Max = -1;
  d.smin = BigInt(-MAX_ERRNO);
  d.smax = -1n;
  regs[0] = scalarReg(sync(d), !env.bpfCapable);
}

function checkArg(env: Env, regno: number, arg: KfuncArg, call: Call): void {
  const reg = env.regs[regno]!;
  if (arg.kind === 'ignored') return;
  if (arg.kind === 'scalar' || arg.kind === 'size' || arg.kind === 'typeId') {
    if (reg.type !== SCALAR_VALUE) env.invalid(`R${regno} is not a scalar`);
    if (arg.kind === 'scalar') return;
    const known = arg.kind === 'typeId' || arg.known;
    if (known && !tnumIsConst(reg.bounds)) env.invalid(`R${regno} must be a known constant`);
    if (arg.kind === 'typeId') markChainPrecision(env, regno);
    call.size = Number(reg.bounds.value & 0xffff_ffffn);
    return;
  }
  refuseNullObject(env, regno, call.kfunc);
  if (reg.refObjId !== 0) {
    call.refObjId = reg.refObjId;
    if (call.kfunc.releases) call.releaseReg = regno;
  }
  if (arg.kind === 'map') {
    checkFieldMap(env, regno, call);
    return;
  }
  if (arg.kind === 'struct') {
    checkObjectArg(env, regno, arg.struct, call.kfunc);
    return;
  }
  if (arg.kind === 'object') {
    checkObject(env, regno);
    return;
  }
  if (arg.kind === 'counted') {
    checkCounted(env, regno);
    return;
  }
  if (!(arg.kind === 'mem' && arg.optional && registerIsNull(reg))) checkArgOffset(env, regno, 0);
  switch (arg.kind) {
    case 'ctx':
      if (reg.type !== PTR_TO_CTX)
        env.invalid(`arg#${regno - 1} expected pointer to ctx, but got ${regTypeStr(reg.type)}`);
      break;
    case 'dynptr':
      checkDynptr(env, regno, arg.uninit, call);
      break;
    case 'iter':
      call.iter = processIter(env, regno, call.kfunc);
      if (call.kfunc.iter !== 'new') call.refObjId = call.iter.refObjId;
      break;
    case 'memOf':
      checkMemReg(env, regno, arg.bytes);
      break;
    case 'mem':
      checkMem(env, regno, arg, call);
      break;
    case 'irqFlag': {
      const { name } = call.kfunc;
      const kind = name.includes('res_spin') ? 'irqOfLock' : 'irq';
      processIrqFlag(env, regno, name.endsWith('save'), kind);
      break;
    }
    case 'resLock':
      checkResLock(env, regno, call.kfunc.name);
      break;
    case 'wq':
    case 'taskWork':
      if (reg.type !== PTR_TO_MAP_VALUE)
        env.invalid(`arg#${regno - 1} doesn't point to a map value`);
      call.fieldReg = regno;
      processMapField(env, regno, arg.kind === 'wq' ? 'wq' : 'task_work', call);
      break;
    case 'root':
      call.root = checkRoot(env, regno, arg.of);
      break;
    case 'node':
      checkNode(env, regno, arg.of, call.root!, call.kfunc.puts ? '' : call.kfunc.name);
      break;
    case 'callback':
      if (reg.type !== PTR_TO_FUNC) env.invalid(`arg${regno - 1} expected pointer to func`);
      call.subprogno = reg.subprogno;
  }
}

/** Behind the section nothing says any more that the object is there. */
const outOfRcu = (reg: Reg): Reg =>
  (reg.type & MEM_RCU) === 0
    ? reg
    : withReg(reg, { type: (reg.type & ~(MEM_RCU | PTR_MAYBE_NULL)) | PTR_UNTRUSTED });

/** Sections in which the program may not be disturbed. */
function trackSections(env: Env, name: string): void {
  const { cur } = env;
  const of = `(kernel function ${name})`;
  switch (name) {
    case 'bpf_rcu_read_lock':
      if (cur.activeRcuLock) env.invalid(`nested rcu read lock ${of}`);
      cur.activeRcuLock = true;
      break;
    case 'bpf_rcu_read_unlock':
      if (!cur.activeRcuLock) env.invalid(`unmatched rcu read unlock ${of}`);
      cur.activeRcuLock = false;
      cur.mapRegs(outOfRcu);
      break;
    case 'bpf_preempt_disable':
      cur.activePreemptLocks++;
      break;
    case 'bpf_preempt_enable':
      if (cur.activePreemptLocks === 0) env.invalid(`unmatched attempt to enable preemption ${of}`);
      cur.activePreemptLocks--;
  }
}

/** With a reference of its own. */
function acquired(env: Env, reg: Reg, mayFail: boolean): Reg {
  if (mayFail) env.newId(); // Linux takes one for the check, then uses the reference's
  const id = acquireReference(env, env.insnIdx);
  const type = mayFail ? reg.type | PTR_MAYBE_NULL : reg.type;
  return withReg(reg, { type, id: mayFail ? id : 0, refObjId: id });
}

function returned(env: Env, { kfunc, dynptr, size, refObjId, root, first }: Call): Reg {
  switch (kfunc.ret) {
    case 'void':
      return NOT_INIT_REG;
    case 'scalar':
      return env.unknown;
    case 'struct':
      return objectReg(env, kfunc);
    case 'object':
      return newObject(env, size);
    case 'counted': {
      const type = PTR_TO_BTF_ID | MEM_ALLOC;
      // who owns it can count one more; who only sees it may be too late
      return acquired(env, withReg(first, { type, off: 0 }), typeIsNonOwningRef(first.type));
    }
    case 'node': {
      const node = nodeReg(root!);
      return kfunc.acquires ? acquired(env, node, true) : unowned(env, node);
    }
    case 'cast':
      return castReg(env, size);
    case 'number':
      return pointerReg(PTR_TO_MEM | MEM_RDONLY, { memSize: kfunc.retBytes!, refObjId });
    default: {
      const readOnly = kfunc.ret === 'rdonlySlice' ? MEM_RDONLY : 0;
      const type = PTR_TO_MEM | dynptrFlag(dynptr.dynptrType) | readOnly;
      return pointerReg(type, { memSize: size, dynptrId: dynptr.id });
    }
  }
}

/** @linux fetch_kfunc_meta */
function refuseByName(env: Env, { name, refusal }: KfuncProto): void {
  if (refusal === 'notAllowed') env.deny(`calling kernel function ${name} is not allowed`);
  if (refusal === 'sleepable' && !env.cur.inSleepable)
    env.deny(`program must be sleepable to call sleepable kfunc ${name}`);
  if (refusal !== undefined)
    env.refuse(EOPNOTSUPP, `kernel function ${name} is not supported by this verifier`);
}

export function checkKfuncCall(env: Env, insn: Insn): void {
  const kfunc = kfuncByImm(insn.imm);
  if (kfunc === undefined) return; // refused in the end, if it is not dead code
  refuseByName(env, kfunc);
  env.aux[env.insnIdx]!.isIterNext = kfunc.iter === 'next';
  const call: Call = {
    ...{ kfunc, refObjId: 0, iter: null, dynptr: NO_DYNPTR, size: 0, releaseReg: 0 },
    ...{ map: null, mapUid: 0, fieldReg: 0, subprogno: 0, root: null, first: env.regs[1]! },
  };
  const locks = kfunc.args[0]?.kind === 'resLock' && kfunc.ret === 'scalar';
  if (locks) pushFailedLock(env);
  kfunc.args.forEach((arg, i) => checkArg(env, i + 1, arg, call));
  if (kfunc.callsLater) {
    const range = kfunc.args[0]!.kind === 'wq' ? RETURNS_ZERO : RETURNS_INT;
    pushAsyncCallback(env, call.subprogno, call.fieldReg, range, true);
  }
  if (kfunc.callsNow) pushLessCallback(env, call.subprogno, call.root!);
  releaseObject(env, kfunc, call.releaseReg);
  if (kfunc.puts) handOver(env, env.regs[2]!.refObjId);
  trackSections(env, kfunc.name);
  clearCallerSaved(env, env.regs);
  const r0 = locks ? constReg(0n) : returned(env, call);
  env.regs[0] = kfunc.retNull
    ? withReg(r0, { type: r0.type | PTR_MAYBE_NULL, id: r0.id === 0 ? env.newId() : r0.id })
    : r0;
  if (kfunc.changesPktData) clearPktPointers(env);
  if (kfunc.iter === 'next') splitAtNext(env, call.iter!);
}
