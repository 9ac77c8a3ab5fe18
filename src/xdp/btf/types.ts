/**
 * The types BTF knows, one shape per kind. A type refers to others by id; id 0 is `void`.
 *
 * @linux include/uapi/linux/btf.h
 * @spec Documentation/bpf/btf.rst
 */
export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;

/** A variable's linkage. */
export const BTF_VAR_STATIC = 0;
export const BTF_VAR_GLOBAL_ALLOCATED = 1;
export const BTF_VAR_GLOBAL_EXTERN = 2;

/** A function's linkage. */
export const BTF_FUNC_STATIC = 0;
export const BTF_FUNC_GLOBAL = 1;
export const BTF_FUNC_EXTERN = 2;

interface Named {
  readonly id: number;
  /** Empty where C gives none. */
  readonly name: string;
}

export interface BtfVoid extends Named {
  readonly kind: 'void';
}

export interface BtfInt extends Named {
  readonly kind: 'int';
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
  /** Where the bits begin in old BTF's bitfields. */
  readonly bitOffset: number;
  readonly bits: number;
}

export interface BtfFloat extends Named {
  readonly kind: 'float';
  readonly size: number;
}

export interface BtfPtr extends Named {
  readonly kind: 'ptr';
  readonly type: number;
}

/** What stands between a name and its type. */
export interface BtfModifier extends Named {
  readonly kind: 'typedef' | 'volatile' | 'const' | 'restrict' | 'typeTag';
  readonly type: number;
}

export interface BtfArray extends Named {
  readonly kind: 'array';
  readonly type: number;
  readonly indexType: number;
  readonly count: number;
}

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0: no bitfield. */
  readonly bits: number;
}

export interface BtfComposite extends Named {
  readonly kind: 'struct' | 'union';
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export interface BtfEnumValue {
  readonly name: string;
  /** Exact: a bigint only beyond 2^53. */
  readonly value: number | bigint;
}

export interface BtfEnum extends Named {
  readonly kind: 'enum';
  /** 1 to 8 bytes; those above 4 are ENUM64 in the file, and so may smaller ones be. */
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly BtfEnumValue[];
}

export interface BtfFwd extends Named {
  readonly kind: 'fwd';
  readonly union: boolean;
}

export interface BtfParam {
  readonly name: string;
  readonly type: number;
}

export interface BtfFuncProto extends Named {
  readonly kind: 'funcProto';
  readonly returns: number;
  readonly params: readonly BtfParam[];
}

export interface BtfFunc extends Named {
  readonly kind: 'func';
  /** Its prototype. */
  readonly type: number;
  readonly linkage: number;
}

export interface BtfVar extends Named {
  readonly kind: 'var';
  readonly type: number;
  readonly linkage: number;
}

export interface BtfSecVar {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export interface BtfDatasec extends Named {
  readonly kind: 'datasec';
  readonly size: number;
  readonly vars: readonly BtfSecVar[];
}

export interface BtfDeclTag extends Named {
  readonly kind: 'declTag';
  readonly type: number;
  /** Of the member or parameter; -1 is the whole. */
  readonly component: number;
}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfFloat
  | BtfPtr
  | BtfModifier
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfFwd
  | BtfFuncProto
  | BtfFunc
  | BtfVar
  | BtfDatasec
  | BtfDeclTag;

/** The shape of a kind; `struct` and `union` share one. */
export type BtfOfKind<K extends BtfType['kind'], T extends BtfType = BtfType> = T extends BtfType
  ? K extends T['kind']
    ? T
    : never
  : never;

export const isComposite = (type: BtfType): type is BtfComposite =>
  type.kind === 'struct' || type.kind === 'union';

export const isModifier = (type: BtfType): type is BtfModifier =>
  type.kind === 'typedef' ||
  type.kind === 'volatile' ||
  type.kind === 'const' ||
  type.kind === 'restrict' ||
  type.kind === 'typeTag';
