/**
 * What a helper leaves in r0.
 *
 * @linux check_helper_call, do_refine_retval_range; kernel/bpf/verifier.c
 */
import {
  BPF_FUNC_dynptr_data,
  BPF_FUNC_get_smp_processor_id,
  BPF_FUNC_kptr_xchg,
  BPF_FUNC_map_lookup_elem,
  BPF_FUNC_ringbuf_reserve,
  BPF_FUNC_sk_lookup_tcp,
  BPF_FUNC_sk_lookup_udp,
  BPF_FUNC_skc_lookup_tcp,
} from '../helpers/funcIds.ts';
import type { HelperProto } from '../helpers/protos.ts';
import {
  RET_INTEGER,
  RET_PTR_TO_BTF_ID,
  RET_PTR_TO_MAP_VALUE,
  RET_PTR_TO_MEM,
  RET_PTR_TO_SOCKET,
  RET_PTR_TO_SOCK_COMMON,
  RET_VOID,
} from '../helpers/protos.ts';
import { BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP } from '../maps/uapi.ts';
import { draftBounds, sync } from './bounds.ts';
import { kernelType } from './btfRef.ts';
import type { CallMeta } from './callMeta.ts';
import type { Env } from './env.ts';
import { lookupNeverFails } from './helperArgs.ts';
import { saneBounds } from './memAccess.ts';
import { exchangedReg } from './kptrs.ts';
import { acquireReference } from './references.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, pointerReg, withReg } from './reg.ts';
import {
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  baseType,
  typeFlag,
  typeMayBeNull,
} from './regTypes.ts';
import { s64 } from './tnum.ts';
import { mapHasField } from './verifierMap.ts';

const MAX_ERRNO = 4095;

/** Helpers that say how many bytes they wrote, at most as many as they were given. @linux do_refine_retval_range */
const COUNTS_BYTES: ReadonlySet<number> = new Set([45, 114, 115, 141]); // probe_read_str and its sisters, get_task_stack

/** Casts of sockets: the result holds the argument's reference. @linux is_ptr_cast_function */
const CASTS: ReadonlySet<number> = new Set([136, 137, 138, 139, 140, 178, 196]);

const ACQUIRES: ReadonlySet<number> = new Set([
  BPF_FUNC_sk_lookup_tcp,
  BPF_FUNC_sk_lookup_udp,
  BPF_FUNC_skc_lookup_tcp,
  BPF_FUNC_ringbuf_reserve,
  BPF_FUNC_kptr_xchg,
]);

/** @linux is_acquire_function */
const acquires = ({ funcId, map }: CallMeta): boolean =>
  ACQUIRES.has(funcId) ||
  (funcId === BPF_FUNC_map_lookup_elem &&
    (map?.type === BPF_MAP_TYPE_SOCKMAP || map?.type === BPF_MAP_TYPE_SOCKHASH));

/** The element is there: the key is known and small enough. */
const neverFails = ({ funcId, map, constMapKey }: CallMeta): boolean =>
  funcId === BPF_FUNC_map_lookup_elem &&
  map !== null &&
  lookupNeverFails(map) &&
  constMapKey >= 0n &&
  constMapKey < BigInt(map.maxEntries);

function valuePointer(env: Env, ret: number, meta: CallMeta): Reg {
  const flag = neverFails(meta) ? typeFlag(ret) & ~PTR_MAYBE_NULL : typeFlag(ret);
  const { map, mapUid } = meta;
  const reg = pointerReg(PTR_TO_MAP_VALUE | flag, { map, mapUid });
  const lockable = !typeMayBeNull(reg.type) && mapHasField(map, 'spin_lock', 'res_spin_lock');
  return lockable ? withReg(reg, { id: env.newId() }) : reg;
}

function pointerTo(env: Env, proto: HelperProto, meta: CallMeta): Reg {
  const flag = typeFlag(proto.ret);
  switch (baseType(proto.ret)) {
    case RET_PTR_TO_MAP_VALUE:
      return valuePointer(env, proto.ret, meta);
    case RET_PTR_TO_SOCKET:
      return pointerReg(PTR_TO_SOCKET | flag);
    case RET_PTR_TO_SOCK_COMMON:
      return pointerReg(PTR_TO_SOCK_COMMON | flag);
    case RET_PTR_TO_MEM:
      return pointerReg(PTR_TO_MEM | flag, { memSize: meta.memSize });
    case RET_PTR_TO_BTF_ID:
      if (meta.kptr !== null) return exchangedReg(env, meta.kptr);
      return pointerReg(PTR_TO_BTF_ID | flag, { btf: kernelType(proto.struct) });
    default:
      return env.invalid(`unknown return type ${baseType(proto.ret)} of func bpf_${proto.name}`);
  }
}

function number(env: Env, meta: CallMeta): Reg {
  const reg = env.unknown;
  const d = draftBounds(reg.bounds);
  if (COUNTS_BYTES.has(meta.funcId)) {
    d.smax = s64(meta.largest);
    d.s32Max = Number(BigInt.asIntN(32, meta.largest));
    d.smin = BigInt(-MAX_ERRNO);
    d.s32Min = -MAX_ERRNO;
  } else if (meta.funcId === BPF_FUNC_get_smp_processor_id) {
    const last = env.options.cpus - 1;
    d.umax = d.smax = BigInt(last);
    d.u32Max = d.s32Max = last;
    d.umin = d.smin = 0n;
    d.u32Min = d.s32Min = 0;
  } else {
    return reg;
  }
  return saneBounds(env, withReg(reg, { bounds: sync(d) }), 'retval');
}

/** @param insnIdx of the call */
export function setReturn(env: Env, proto: HelperProto, meta: CallMeta, insnIdx: number): void {
  const { regs } = env;
  if (proto.ret === RET_INTEGER || proto.ret === RET_VOID) {
    regs[0] = proto.ret === RET_VOID ? NOT_INIT_REG : number(env, meta);
    return;
  }
  let reg = pointerTo(env, proto, meta);
  if (typeMayBeNull(reg.type)) reg = withReg(reg, { id: env.newId() });
  if (meta.funcId === BPF_FUNC_dynptr_data)
    reg = withReg(reg, { dynptrId: meta.dynptrId, refObjId: meta.refObjId });
  else if (CASTS.has(meta.funcId)) reg = withReg(reg, { refObjId: meta.refObjId });
  else if (acquires(meta)) {
    const id = acquireReference(env, insnIdx);
    reg = withReg(reg, { id, refObjId: id });
  }
  regs[0] = reg;
}
