/**
 * What the verifier knows of one register, or of a value spilled to the stack.
 *
 * A `Reg` never changes: registers, slots and saved states share them, and whoever learns more makes
 * a new one. Which of the fields below `bounds` mean something depends on the type; the others are 0.
 *
 * @linux struct bpf_reg_state; include/linux/bpf_verifier.h
 */
import type { Bounds } from './bounds.ts';
import { UNBOUNDED, ZERO, boundsEqual, knownBounds } from './bounds.ts';
import type { BtfRef } from './btfRef.ts';
import { btfRefEqual } from './btfRef.ts';
import {
  BPF_DYNPTR_TYPE_INVALID,
  CONST_PTR_TO_DYNPTR,
  NOT_INIT,
  PTR_TO_PACKET_END,
  SCALAR_VALUE,
  typeIsPktPointer,
} from './regTypes.ts';
import { tnumEqualsConst, tnumIsConst } from './tnum.ts';
import type { VerifierMap } from './verifierMap.ts';

/** An iterator on the stack. @linux enum bpf_iter_state */
export type IterState = 'none' | 'active' | 'drained';

export interface Reg {
  readonly type: number;
  /** Pointers: the known part of the offset. Scalars that are linked by a constant: their distance. */
  readonly off: number;
  /** The number, or the unknown part of a pointer's offset. */
  readonly bounds: Bounds;
  /** Registers of one id hold the same value or point into the same object; `ADD_CONST64` and `ADD_CONST32` say at a distance. */
  readonly id: number;
  /** The reference that must be released, and with which this register dies. */
  readonly refObjId: number;
  /** PTR_TO_STACK: whose stack. */
  readonly frameno: number;
  /** The program's safety depends on the number: states may not be merged across different ones. */
  readonly precise: boolean;
  /** Packet pointers: bytes behind the pointer's base that are inside the packet; negative: `AT_PKT_END`, `BEYOND_PKT_END`. */
  readonly range: number;
  readonly map: VerifierMap | null;
  /** Which inner map, for those that were looked up. */
  readonly mapUid: number;
  /** PTR_TO_MEM: bytes that may be used. */
  readonly memSize: number;
  /** PTR_TO_MEM: the dynptr it was sliced from. */
  readonly dynptrId: number;
  /** PTR_TO_FUNC: number of the subprogram. */
  readonly subprogno: number;
  /** PTR_TO_BTF_ID: the type pointed to. */
  readonly btf: BtfRef | null;
  readonly dynptrType: number;
  readonly firstSlot: boolean;
  /** Name of an iterator's type behind `bpf_iter_`, or ''. */
  readonly iterName: string;
  readonly iterState: IterState;
  readonly iterDepth: number;
}

/** Marks of an id: the register is the one the id stands for plus `off`, by a 64-bit or a 32-bit addition. */
export const ADD_CONST64: number = 1 << 31;
export const ADD_CONST32: number = 1 << 30;
const ADD_CONST: number = ADD_CONST64 | ADD_CONST32;
const ID_MASK = 0x3fffffff;

/** Values of `range` below 0. */
export const AT_PKT_END = -1;
export const BEYOND_PKT_END = -2;

export const baseId = (id: number): number => id & ID_MASK;
export const isAddConst = (id: number): boolean => (id & ADD_CONST) !== 0;
export const addConstMark = (id: number): number => id & ADD_CONST;
/** Linked by additions of different widths? */
export const mixedLink = (a: number, b: number): boolean => ((a ^ b) & ADD_CONST) === ADD_CONST;

const BLANK: Reg = {
  type: NOT_INIT,
  off: 0,
  bounds: UNBOUNDED,
  id: 0,
  refObjId: 0,
  frameno: 0,
  precise: false,
  range: 0,
  map: null,
  mapUid: 0,
  memSize: 0,
  dynptrId: 0,
  subprogno: 0,
  btf: null,
  dynptrType: BPF_DYNPTR_TYPE_INVALID,
  firstSlot: false,
  iterName: '',
  iterState: 'none',
  iterDepth: 0,
};

/** `reg` with some fields changed. */
export const withReg = (reg: Reg, fields: Partial<Reg>): Reg => ({ ...reg, ...fields });

export const NOT_INIT_REG: Reg = BLANK;
export const UNKNOWN_REG: Reg = { ...BLANK, type: SCALAR_VALUE };
/** As all numbers are for programs without CAP_BPF: nothing may be forgotten of them. */
const PRECISE_UNKNOWN_REG: Reg = { ...UNKNOWN_REG, precise: true };

export const unknownReg = (precise: boolean): Reg => (precise ? PRECISE_UNKNOWN_REG : UNKNOWN_REG);

export const scalarReg = (bounds: Bounds, precise: boolean): Reg => ({
  ...BLANK,
  type: SCALAR_VALUE,
  bounds,
  precise,
});

const CONST_ZERO_REG: Reg = { ...BLANK, type: SCALAR_VALUE, bounds: ZERO };

export const constReg = (value: bigint, precise: boolean = false): Reg =>
  value === 0n && !precise ? CONST_ZERO_REG : scalarReg(knownBounds(value), precise);

/** A pointer to the start of what `fields` say. */
export const pointerReg = (type: number, fields: Partial<Reg> = {}): Reg => ({
  ...BLANK,
  type,
  bounds: ZERO,
  ...fields,
});

/** @linux __mark_dynptr_reg */
export const dynptrReg = (dynptrType: number, firstSlot: boolean, id: number): Reg =>
  pointerReg(CONST_PTR_TO_DYNPTR, { dynptrType, firstSlot, id });

/** @linux register_is_null */
export const registerIsNull = (reg: Reg): boolean =>
  reg.type === SCALAR_VALUE && tnumEqualsConst(reg.bounds, 0n);

/** @linux is_reg_const */
export const isRegConst = (reg: Reg, subreg32: boolean): boolean =>
  reg.type === SCALAR_VALUE &&
  (subreg32 ? (reg.bounds.mask & 0xffff_ffffn) === 0n : tnumIsConst(reg.bounds));

/** @linux reg_const_value */
export const regConstValue = (reg: Reg, subreg32: boolean): bigint =>
  subreg32 ? reg.bounds.value & 0xffff_ffffn : reg.bounds.value;

/** @linux reg_is_pkt_pointer_any */
export const regIsPktPointerAny = (reg: Reg): boolean =>
  typeIsPktPointer(reg.type) || reg.type === PTR_TO_PACKET_END;

/** The whole offset of a pointer whose offset is known. */
export const fixedOffset = (reg: Reg): number => reg.off + Number(reg.bounds.smin);

/** Type and all that belongs to it, without the bounds and what identifies the register. */
export const sameKind = (a: Reg, b: Reg): boolean =>
  a.type === b.type &&
  a.off === b.off &&
  a.range === b.range &&
  a.map === b.map &&
  a.mapUid === b.mapUid &&
  a.memSize === b.memSize &&
  a.dynptrId === b.dynptrId &&
  a.subprogno === b.subprogno &&
  btfRefEqual(a.btf, b.btf) &&
  a.dynptrType === b.dynptrType &&
  a.firstSlot === b.firstSlot &&
  a.iterName === b.iterName &&
  a.iterState === b.iterState &&
  a.iterDepth === b.iterDepth;

/** Equal in all but id, reference, frame and precision. */
export const sameValue = (a: Reg, b: Reg): boolean =>
  a === b || (sameKind(a, b) && boundsEqual(a.bounds, b.bounds));
