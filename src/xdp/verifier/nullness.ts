/**
 * Pointers that may be NULL, and what a comparison with NULL says of them and of their copies.
 *
 * @linux mark_ptr_or_null_regs, mark_ptr_not_null_reg, reg_not_null; kernel/bpf/verifier.c
 */
import { BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_XSKMAP } from '../maps/uapi.ts';
import type { Reg } from './reg.ts';
import { withReg } from './reg.ts';
import { dropReference } from './references.ts';
import {
  BPF_REG_TRUSTED_MODIFIERS,
  CONST_PTR_TO_MAP,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
  baseType,
  typeFlag,
  typeHasUnsafeModifiers,
  typeMayBeNull,
} from './regTypes.ts';
import type { VerifierState } from './state.ts';
import { mapHasField } from './verifierMap.ts';

/** What the pointer is once it is known not to be NULL. */
export function markPtrNotNull(reg: Reg): Reg {
  const { map } = reg;
  if (baseType(reg.type) !== PTR_TO_MAP_VALUE || map === null)
    return withReg(reg, { type: reg.type & ~PTR_MAYBE_NULL });
  if (map.inner !== undefined) {
    // the id of the look-up tells inner maps apart
    const mapUid = mapHasField(map.inner, 'timer', 'wq', 'task_work') ? reg.id : reg.mapUid;
    return withReg(reg, { type: CONST_PTR_TO_MAP, map: map.inner, mapUid });
  }
  if (map.type === BPF_MAP_TYPE_XSKMAP) return withReg(reg, { type: PTR_TO_XDP_SOCK, map: null });
  if (map.type === BPF_MAP_TYPE_SOCKMAP || map.type === BPF_MAP_TYPE_SOCKHASH)
    return withReg(reg, { type: PTR_TO_SOCKET, map: null });
  return withReg(reg, { type: PTR_TO_MAP_VALUE });
}

/** @linux is_trusted_reg */
export function isTrusted(reg: Reg): boolean {
  if (reg.refObjId !== 0) return true;
  const base = baseType(reg.type);
  const kernelTyped =
    base === PTR_TO_SOCKET ||
    base === PTR_TO_SOCK_COMMON ||
    base === PTR_TO_TCP_SOCK ||
    base === CONST_PTR_TO_MAP;
  if (kernelTyped && !typeHasUnsafeModifiers(reg.type)) return true;
  return (
    (typeFlag(reg.type) & BPF_REG_TRUSTED_MODIFIERS) !== 0 && !typeHasUnsafeModifiers(reg.type)
  );
}

/** Is the pointer surely not NULL? */
export function regNotNull(reg: Reg): boolean {
  if (typeMayBeNull(reg.type)) return false;
  switch (baseType(reg.type)) {
    case PTR_TO_SOCKET:
    case PTR_TO_TCP_SOCK:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MAP_KEY:
    case PTR_TO_SOCK_COMMON:
    case CONST_PTR_TO_MAP:
      return true;
    case PTR_TO_BTF_ID:
      return isTrusted(reg);
    case PTR_TO_MEM:
      return (reg.type & PTR_UNTRUSTED) === 0;
    default:
      return false;
  }
}

function decided(reg: Reg, id: number, isNull: boolean): Reg {
  if (!typeMayBeNull(reg.type) || reg.id !== id) return reg;
  if (isNull) return withReg(reg, { type: SCALAR_VALUE, id: 0, refObjId: 0, off: 0 });
  const known = markPtrNotNull(reg);
  // values with a lock stay told apart
  return mapHasField(
    known.type === PTR_TO_MAP_VALUE ? known.map : null,
    'spin_lock',
    'res_spin_lock',
  )
    ? known
    : withReg(known, { id: 0 });
}

/** The register, and all copies of it, are NULL or are not. @linux mark_ptr_or_null_regs */
export function markPtrOrNullRegs(state: VerifierState, regno: number, isNull: boolean): void {
  const { id, refObjId } = state.top.regs[regno]!;
  if (refObjId !== 0 && refObjId === id && isNull) dropReference(state, id);
  state.mapRegs((reg) => decided(reg, id, isNull));
}
