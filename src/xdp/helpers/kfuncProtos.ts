/**
 * Kernel functions that an XDP program may call, and what the verifier must know of them.
 *
 * Linux names them by their number in the kernel's BTF. Here a call's `imm` is the function's place
 * in this table, counted from 1; the loader puts it there by name.
 *
 * @linux BTF_ID_FLAGS(func, ...); kernel/bpf/helpers.c, net/core/filter.c
 */

/** What an argument has to be. */
export type KfuncArg =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  | { readonly kind: 'iter' }
  /** `uninit`: the function makes it. */
  | { readonly kind: 'dynptr'; readonly uninit: boolean }
  /** Memory whose size is the next argument; `optional`: may be NULL. */
  | { readonly kind: 'mem'; readonly optional: boolean }
  /** Its size; `known`: has to be a constant. */
  | { readonly kind: 'size'; readonly known: boolean }
  /** A number; has to be a constant. */
  | { readonly kind: 'memOf'; readonly bytes: number }
  | { readonly kind: 'irqFlag' };

export interface KfuncProto {
  readonly name: string;
  /** `slice`: memory of a dynptr, of the size the constant argument says. */
  readonly ret: 'void' | 'scalar' | 'slice' | 'rdonlySlice' | 'number';
  readonly args: readonly KfuncArg[];
  readonly iter?: 'new' | 'next' | 'destroy';
  /** Type of the iterator behind `bpf_iter_`, and bytes of its state. */
  readonly iterName?: string;
  readonly iterBytes?: number;
  readonly retNull: boolean;
  readonly fastcall: boolean;
  /** Bytes of the number that the pointer returned points to. */
  readonly retBytes?: number;
  /** Needs a program bound to a device when it is loaded. */
  readonly devBound: boolean;
}

type Rest = Partial<Omit<KfuncProto, 'name' | 'ret' | 'args'>>;

const kfunc = (
  name: string,
  ret: KfuncProto['ret'],
  args: readonly KfuncArg[],
  rest: Rest = {},
): KfuncProto => ({ name, ret, args, retNull: false, fastcall: false, devBound: false, ...rest });

const SCALAR: KfuncArg = { kind: 'scalar' };
const CTX: KfuncArg = { kind: 'ctx' };
const ITER: KfuncArg = { kind: 'iter' };
const DYNPTR: KfuncArg = { kind: 'dynptr', uninit: false };
const NEW_DYNPTR: KfuncArg = { kind: 'dynptr', uninit: true };
const OPTIONAL_MEM: KfuncArg = { kind: 'mem', optional: true };
const KNOWN_SIZE: KfuncArg = { kind: 'size', known: true };
const IRQ_FLAG: KfuncArg = { kind: 'irqFlag' };
const memOf = (bytes: number): KfuncArg => ({ kind: 'memOf', bytes });
const NUM_ITER: Rest = { iterName: 'num', iterBytes: 8 };
const SLICE_ARGS: readonly KfuncArg[] = [DYNPTR, SCALAR, OPTIONAL_MEM, KNOWN_SIZE];

const KFUNCS: readonly KfuncProto[] = [
  kfunc('bpf_iter_num_new', 'scalar', [ITER, SCALAR, SCALAR], { ...NUM_ITER, iter: 'new' }),
  kfunc('bpf_iter_num_next', 'number', [ITER], {
    ...NUM_ITER,
    iter: 'next',
    retNull: true,
    retBytes: 4,
  }),
  kfunc('bpf_iter_num_destroy', 'void', [ITER], { ...NUM_ITER, iter: 'destroy' }),
  kfunc('bpf_dynptr_from_xdp', 'scalar', [CTX, SCALAR, NEW_DYNPTR]),
  kfunc('bpf_dynptr_slice', 'rdonlySlice', SLICE_ARGS, { retNull: true }),
  kfunc('bpf_dynptr_slice_rdwr', 'slice', SLICE_ARGS, { retNull: true }),
  kfunc('bpf_dynptr_adjust', 'scalar', [DYNPTR, SCALAR, SCALAR]),
  kfunc('bpf_dynptr_is_null', 'scalar', [DYNPTR]),
  kfunc('bpf_dynptr_is_rdonly', 'scalar', [DYNPTR]),
  kfunc('bpf_dynptr_size', 'scalar', [DYNPTR]),
  kfunc('bpf_dynptr_clone', 'scalar', [DYNPTR, NEW_DYNPTR]),
  kfunc('bpf_dynptr_copy', 'scalar', [DYNPTR, SCALAR, DYNPTR, SCALAR, SCALAR]),
  kfunc('bpf_dynptr_memset', 'scalar', [DYNPTR, SCALAR, SCALAR, SCALAR]),
  kfunc('bpf_rcu_read_lock', 'void', []),
  kfunc('bpf_rcu_read_unlock', 'void', []),
  kfunc('bpf_preempt_disable', 'void', []),
  kfunc('bpf_preempt_enable', 'void', []),
  kfunc('bpf_local_irq_save', 'void', [IRQ_FLAG]),
  kfunc('bpf_local_irq_restore', 'void', [IRQ_FLAG]),
  kfunc('bpf_xdp_metadata_rx_timestamp', 'scalar', [CTX, memOf(8)], { devBound: true }),
  kfunc('bpf_xdp_metadata_rx_hash', 'scalar', [CTX, memOf(4), memOf(4)], { devBound: true }),
  kfunc('bpf_xdp_metadata_rx_vlan_tag', 'scalar', [CTX, memOf(2), memOf(2)], { devBound: true }),
];

/** The function a call's `imm` names. */
export const kfuncByImm = (imm: number): KfuncProto | undefined => KFUNCS[imm - 1];

/** What a call's `imm` has to be; 0 for a name that is not known. */
export const kfuncImm = (name: string): number =>
  KFUNCS.findIndex((proto) => proto.name === name) + 1;
