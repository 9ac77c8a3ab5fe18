/**
 * What a register can hold: a base type in the low byte, and flags that modify it above.
 *
 * @linux enum bpf_reg_type, enum bpf_type_flag; include/linux/bpf.h
 */

/** Nothing was written yet; reading it is refused. */
export const NOT_INIT = 0;
export const SCALAR_VALUE = 1;
export const PTR_TO_CTX = 2;
export const CONST_PTR_TO_MAP = 3;
export const PTR_TO_MAP_VALUE = 4;
export const PTR_TO_MAP_KEY = 5;
export const PTR_TO_STACK = 6;
export const PTR_TO_PACKET_META = 7;
export const PTR_TO_PACKET = 8;
export const PTR_TO_PACKET_END = 9;
export const PTR_TO_SOCKET = 11;
export const PTR_TO_SOCK_COMMON = 12;
export const PTR_TO_TCP_SOCK = 13;
export const PTR_TO_XDP_SOCK = 15;
export const PTR_TO_BTF_ID = 16;
export const PTR_TO_MEM = 17;
/** Memory shared with user space, in which every access is allowed: what is not there faults softly. */
export const PTR_TO_ARENA = 18;
export const PTR_TO_BUF = 19;
export const PTR_TO_FUNC = 20;
export const CONST_PTR_TO_DYNPTR = 21;

const BASE_TYPE_MASK = 0xff;
export const PTR_MAYBE_NULL: number = 1 << 8;
export const MEM_RDONLY: number = 1 << 9;
export const MEM_RINGBUF: number = 1 << 10;
export const MEM_USER: number = 1 << 11;
export const MEM_PERCPU: number = 1 << 12;
export const OBJ_RELEASE: number = 1 << 13;
export const PTR_UNTRUSTED: number = 1 << 14;
export const MEM_UNINIT: number = 1 << 15;
export const DYNPTR_TYPE_LOCAL: number = 1 << 16;
export const DYNPTR_TYPE_RINGBUF: number = 1 << 17;
export const MEM_FIXED_SIZE: number = 1 << 18;
export const MEM_ALLOC: number = 1 << 19;
export const PTR_TRUSTED: number = 1 << 20;
export const MEM_RCU: number = 1 << 21;
export const NON_OWN_REF: number = 1 << 22;
export const DYNPTR_TYPE_SKB: number = 1 << 23;
export const DYNPTR_TYPE_XDP: number = 1 << 24;
export const MEM_ALIGNED: number = 1 << 25;
export const MEM_WRITE: number = 1 << 26;

export const DYNPTR_TYPE_FLAG_MASK: number =
  DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_RINGBUF | DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP;
export const BPF_REG_TRUSTED_MODIFIERS: number = MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF;

/** Where a dynptr's memory lies. @linux enum bpf_dynptr_type */
export const BPF_DYNPTR_TYPE_INVALID = 0;
export const BPF_DYNPTR_TYPE_LOCAL = 1;
export const BPF_DYNPTR_TYPE_RINGBUF = 2;
export const BPF_DYNPTR_TYPE_SKB = 3;
export const BPF_DYNPTR_TYPE_XDP = 4;

/** Words of stack a dynptr takes. */
export const BPF_DYNPTR_NR_SLOTS = 2;

export const baseType = (type: number): number => type & BASE_TYPE_MASK;
export const typeFlag = (type: number): number => type & ~BASE_TYPE_MASK;
export const typeMayBeNull = (type: number): boolean => (type & PTR_MAYBE_NULL) !== 0;

/** @linux type_is_pkt_pointer */
export function typeIsPktPointer(type: number): boolean {
  const base = baseType(type);
  return base === PTR_TO_PACKET || base === PTR_TO_PACKET_META;
}

/** @linux type_is_sk_pointer */
export const typeIsSkPointer = (type: number): boolean =>
  type === PTR_TO_SOCKET ||
  type === PTR_TO_SOCK_COMMON ||
  type === PTR_TO_TCP_SOCK ||
  type === PTR_TO_XDP_SOCK;

/** @linux type_is_map_ptr */
export function typeIsMapPtr(type: number): boolean {
  const base = baseType(type);
  return base === CONST_PTR_TO_MAP || base === PTR_TO_MAP_KEY || base === PTR_TO_MAP_VALUE;
}

/** @linux type_is_ptr_alloc_obj */
export const typeIsPtrAllocObj = (type: number): boolean =>
  baseType(type) === PTR_TO_BTF_ID && (type & MEM_ALLOC) !== 0;

/** @linux type_is_non_owning_ref */
export const typeIsNonOwningRef = (type: number): boolean =>
  typeIsPtrAllocObj(type) && (type & NON_OWN_REF) !== 0;

/** @linux bpf_type_has_unsafe_modifiers */
export const typeHasUnsafeModifiers = (type: number): boolean =>
  (typeFlag(type) & ~BPF_REG_TRUSTED_MODIFIERS) !== 0;

/** May a register of this type be kept on the stack with all that is known of it? @linux is_spillable_regtype */
export function isSpillableRegtype(type: number): boolean {
  const base = baseType(type);
  return base !== NOT_INIT && base !== SCALAR_VALUE && base !== CONST_PTR_TO_DYNPTR;
}

const NAMES: readonly string[] = [
  '?',
  'scalar',
  'ctx',
  'map_ptr',
  'map_value',
  'map_key',
  'fp',
  'pkt_meta',
  'pkt',
  'pkt_end',
  'flow_keys',
  'sock',
  'sock_common',
  'tcp_sock',
  'tp_buffer',
  'xdp_sock',
  'ptr_',
  'mem',
  'arena',
  'buf',
  'func',
  'dynptr_ptr',
];

const PREFIXES: readonly (readonly [flag: number, text: string])[] = [
  [MEM_RDONLY, 'rdonly_'],
  [MEM_RINGBUF, 'ringbuf_'],
  [MEM_USER, 'user_'],
  [MEM_PERCPU, 'percpu_'],
  [MEM_RCU, 'rcu_'],
  [PTR_UNTRUSTED, 'untrusted_'],
  [PTR_TRUSTED, 'trusted_'],
];

/** @linux reg_type_str */
export function regTypeStr(type: number): string {
  const base = baseType(type);
  const prefix = PREFIXES.map(([flag, text]) => ((type & flag) === 0 ? '' : text)).join('');
  const orNull = base === PTR_TO_BTF_ID ? 'or_null_' : '_or_null';
  return `${prefix}${NAMES[base]}${typeMayBeNull(type) ? orNull : ''}`;
}

const DYNPTR_NAMES: readonly string[] = ['<invalid>', 'local', 'ringbuf', 'skb', 'xdp'];

/** @linux dynptr_type_str */
export const dynptrTypeStr = (type: number): string => DYNPTR_NAMES[type] ?? '<unknown>';
