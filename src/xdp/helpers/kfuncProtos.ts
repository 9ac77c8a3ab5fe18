/**
 * Kernel functions that an XDP program may call, and what the verifier must know of them.
 *
 * Linux names them by their number in the kernel's BTF. Here a call's `imm` is the function's place
 * in this table, counted from 1; the loader puts it there by name.
 *
 * @linux BTF_ID_FLAGS(func, ...); kernel/bpf/helpers.c, net/core/filter.c
 */

import { KFUNCS_NOT_ALLOWED, KFUNCS_SLEEPABLE, KFUNCS_UNMODELLED } from './kfuncNames.ts';

/** What an argument has to be. */
export type KfuncArg =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  | { readonly kind: 'iter' }
  /** `uninit`: the function makes it. */
  | { readonly kind: 'dynptr'; readonly uninit: boolean }
  /** Memory whose size is the next argument, of a struct or of no type; `optional`: may be NULL. */
  | {
      readonly kind: 'mem';
      readonly optional: boolean;
      readonly struct: string;
      readonly bytes: number;
    }
  /** Its size; `known`: has to be a constant. */
  | { readonly kind: 'size'; readonly known: boolean }
  /** A number of a type; has to be a constant. @linux __k */
  | { readonly kind: 'typeId' }
  /** A number; has to be a constant. */
  | { readonly kind: 'memOf'; readonly bytes: number }
  | { readonly kind: 'irqFlag' }
  /** In a map's value. */
  | { readonly kind: 'resLock' | 'wq' | 'taskWork' }
  /** The map that the argument before lies in. @linux __map */
  | { readonly kind: 'map' }
  | { readonly kind: 'callback' }
  /** What the program made. @linux __alloc */
  | { readonly kind: 'object' }
  /** One that counts its owners. @linux __refcounted_kptr */
  | { readonly kind: 'counted' }
  | { readonly kind: 'root'; readonly of: 'list_head' | 'rb_root' }
  | { readonly kind: 'node'; readonly of: 'list_node' | 'rb_node' }
  /** Anything: the function looks at it in its own way. @linux __ign */
  | { readonly kind: 'ignored' }
  /** A pointer to a struct of the kernel. */
  | { readonly kind: 'struct'; readonly struct: string };

/** Why no program of type XDP can call it here. */
export type KfuncRefusal = 'notAllowed' | 'sleepable' | 'unmodelled';

export interface KfuncProto {
  readonly name: string;
  /** `object`: of the program's type that the constant argument says. `slice`: memory of a dynptr, of the size the constant argument says; `cast`: of the type it says. */
  readonly ret:
    | 'void'
    | 'scalar'
    | 'slice'
    | 'rdonlySlice'
    | 'number'
    | 'struct'
    | 'cast'
    | 'object'
    | 'node'
    | 'counted';
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
  /** Name of the struct that the pointer returned points to. */
  readonly retStruct?: string;
  /** What it returns has to be given back. @linux KF_ACQUIRE */
  readonly acquires: boolean;
  /** Takes back what another gave. @linux KF_RELEASE */
  readonly releases: boolean;
  /** Pointers have to be held, or known to live. @linux KF_TRUSTED_ARGS */
  readonly trustedArgs: boolean;
  /** It is enough that they live as long as this program runs. @linux KF_RCU */
  readonly rcuArgs: boolean;
  /** Pointers into the packet are void afterwards. */
  readonly changesPktData: boolean;
  /** May be called with a lock held. @linux kfunc_spin_allowed */
  readonly underLock: boolean;
  /** Puts an object into a list or tree. */
  readonly puts: boolean;
  /** Its callback runs before it returns. */
  readonly callsNow: boolean;
  /** Its callback runs by itself, some time, where it may sleep. */
  readonly callsLater: boolean;
  readonly refusal?: KfuncRefusal;
}

type Rest = Partial<Omit<KfuncProto, 'name' | 'ret' | 'args'>>;

const kfunc = (
  name: string,
  ret: KfuncProto['ret'],
  args: readonly KfuncArg[],
  rest: Rest = {},
): KfuncProto => ({
  ...{ name, ret, args, retNull: false, fastcall: false, devBound: false, acquires: false },
  ...{ releases: false, trustedArgs: false, rcuArgs: false, changesPktData: false },
  ...{ underLock: false, callsLater: false, puts: false, callsNow: false },
  ...rest,
});

/** Gives an object that has to be given back, or NULL. */
const acquires = (retStruct: string, rest: Rest = {}): Rest => ({
  ...{ retStruct, acquires: true, retNull: true },
  ...rest,
});
/** Takes an object back. */
const releasing = (name: string, struct: string): KfuncProto =>
  kfunc(name, 'void', [structArg(struct)], { releases: true, trustedArgs: true });
const structArg = (struct: string): KfuncArg => ({ kind: 'struct', struct });
const text = (name: string, ...args: KfuncArg[]): KfuncProto => kfunc(name, 'scalar', args);

const RES_LOCK: KfuncArg = { kind: 'resLock' };
const WQ: KfuncArg = { kind: 'wq' };
const TASK_WORK: KfuncArg = { kind: 'taskWork' };
const MAP: KfuncArg = { kind: 'map' };
const CALLBACK: KfuncArg = { kind: 'callback' };
const SCALAR: KfuncArg = { kind: 'scalar' };
const CTX: KfuncArg = { kind: 'ctx' };
const ITER: KfuncArg = { kind: 'iter' };
const DYNPTR: KfuncArg = { kind: 'dynptr', uninit: false };
const NEW_DYNPTR: KfuncArg = { kind: 'dynptr', uninit: true };
const OPTIONAL_MEM: KfuncArg = { kind: 'mem', optional: true, struct: '', bytes: 0 };
const TYPE_ID: KfuncArg = { kind: 'typeId' };
const KNOWN_SIZE: KfuncArg = { kind: 'size', known: true };
const IRQ_FLAG: KfuncArg = { kind: 'irqFlag' };
const memOf = (bytes: number): KfuncArg => ({ kind: 'memOf', bytes });
const memOfStruct = (struct: string, bytes: number): KfuncArg => ({
  ...{ kind: 'mem', optional: false, struct, bytes },
});
const TUPLE: KfuncArg = memOfStruct('bpf_sock_tuple', 36);
const CT_OPTS: KfuncArg = memOfStruct('bpf_ct_opts', 16);
const XFRM_OPTS: KfuncArg = memOfStruct('bpf_xfrm_state_opts', 36);
const SIZE: KfuncArg = { kind: 'size', known: false };
const IGNORED: KfuncArg = { kind: 'ignored' };
const TASK: KfuncArg = { kind: 'struct', struct: 'task_struct' };
const CGROUP: KfuncArg = { kind: 'struct', struct: 'cgroup' };
const CT_INIT: KfuncArg = { kind: 'struct', struct: 'nf_conn___init' };
const CT: KfuncArg = { kind: 'struct', struct: 'nf_conn' };
const TRUSTED: Rest = { trustedArgs: true };
const RCU: Rest = { rcuArgs: true };
const UNDER_LOCK: Rest = { underLock: true };
const LOOKS: Rest = { underLock: true, retNull: true };
const TAKES: Rest = { ...LOOKS, acquires: true };
const LIST: KfuncArg = { kind: 'root', of: 'list_head' };
const LIST_NODE: KfuncArg = { kind: 'node', of: 'list_node' };
const TREE: KfuncArg = { kind: 'root', of: 'rb_root' };
const TREE_NODE: KfuncArg = { kind: 'node', of: 'rb_node' };
/** Bytes of `union nf_inet_addr`. */
const INET_ADDR_BYTES = 16;
const BITS_ITER: Rest = { iterName: 'bits', iterBytes: 16 };
const NUM_ITER: Rest = { iterName: 'num', iterBytes: 8, underLock: true };
const SLICE_ARGS: readonly KfuncArg[] = [DYNPTR, SCALAR, OPTIONAL_MEM, KNOWN_SIZE];

const CALLABLE: readonly KfuncProto[] = [
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
  kfunc('bpf_res_spin_lock', 'scalar', [RES_LOCK], UNDER_LOCK),
  kfunc('bpf_res_spin_unlock', 'void', [RES_LOCK], UNDER_LOCK),
  kfunc('bpf_res_spin_lock_irqsave', 'scalar', [RES_LOCK, IRQ_FLAG], UNDER_LOCK),
  kfunc('bpf_res_spin_unlock_irqrestore', 'void', [RES_LOCK, IRQ_FLAG], UNDER_LOCK),
  kfunc('bpf_obj_new_impl', 'object', [TYPE_ID, IGNORED], { acquires: true, retNull: true }),
  kfunc('bpf_obj_drop_impl', 'void', [{ kind: 'object' }, IGNORED], {
    ...{ releases: true, trustedArgs: true },
  }),
  kfunc('bpf_refcount_acquire_impl', 'counted', [{ kind: 'counted' }, IGNORED], {
    ...{ acquires: true, rcuArgs: true, underLock: true },
  }),
  ...['bpf_list_push_front_impl', 'bpf_list_push_back_impl'].map((name) =>
    kfunc(name, 'scalar', [LIST, LIST_NODE, IGNORED, SCALAR], { ...UNDER_LOCK, puts: true }),
  ),
  ...['bpf_list_pop_front', 'bpf_list_pop_back'].map((name) => kfunc(name, 'node', [LIST], TAKES)),
  ...['bpf_list_front', 'bpf_list_back'].map((name) => kfunc(name, 'node', [LIST], LOOKS)),
  kfunc('bpf_rbtree_add_impl', 'scalar', [TREE, TREE_NODE, CALLBACK, IGNORED, SCALAR], {
    ...UNDER_LOCK,
    ...{ puts: true, callsNow: true },
  }),
  kfunc('bpf_rbtree_remove', 'node', [TREE, TREE_NODE], TAKES),
  ...['bpf_rbtree_first', 'bpf_rbtree_root'].map((name) => kfunc(name, 'node', [TREE], LOOKS)),
  ...['bpf_rbtree_left', 'bpf_rbtree_right'].map((name) =>
    kfunc(name, 'node', [TREE, TREE_NODE], LOOKS),
  ),
  kfunc('bpf_wq_init', 'scalar', [WQ, MAP, SCALAR]),
  kfunc('bpf_wq_set_callback_impl', 'scalar', [WQ, CALLBACK, SCALAR, IGNORED], {
    callsLater: true,
  }),
  kfunc('bpf_wq_start', 'scalar', [WQ, SCALAR]),
  ...['bpf_task_work_schedule_signal_impl', 'bpf_task_work_schedule_resume_impl'].map((name) =>
    kfunc(name, 'scalar', [TASK, TASK_WORK, MAP, CALLBACK, IGNORED], {
      ...TRUSTED,
      callsLater: true,
    }),
  ),
  kfunc('bpf_iter_bits_new', 'scalar', [ITER, IGNORED, SCALAR], { ...BITS_ITER, iter: 'new' }),
  kfunc('bpf_iter_bits_next', 'number', [ITER], {
    ...BITS_ITER,
    ...{ iter: 'next', retNull: true, retBytes: 4 },
  }),
  kfunc('bpf_iter_bits_destroy', 'void', [ITER], { ...BITS_ITER, iter: 'destroy' }),
  kfunc('bpf_xdp_pull_data', 'scalar', [CTX, SCALAR], { changesPktData: true }),
  kfunc('bpf_throw', 'void', [SCALAR]),
  kfunc('bpf_cast_to_kern_ctx', 'struct', [CTX], { fastcall: true, retStruct: 'xdp_buff' }),
  kfunc('bpf_rdonly_cast', 'cast', [IGNORED, TYPE_ID], { fastcall: true }),
  kfunc('bpf_map_sum_elem_count', 'scalar', [structArg('bpf_map')], TRUSTED),
  text('bpf_strcmp', IGNORED, IGNORED),
  text('bpf_strcasecmp', IGNORED, IGNORED),
  text('bpf_strchr', IGNORED, SCALAR),
  text('bpf_strchrnul', IGNORED, SCALAR),
  text('bpf_strrchr', IGNORED, SCALAR),
  text('bpf_strnchr', IGNORED, SCALAR, SCALAR),
  text('bpf_strlen', IGNORED),
  text('bpf_strnlen', IGNORED, SCALAR),
  text('bpf_strspn', IGNORED, IGNORED),
  text('bpf_strcspn', IGNORED, IGNORED),
  text('bpf_strstr', IGNORED, IGNORED),
  text('bpf_strnstr', IGNORED, IGNORED, SCALAR),
  kfunc(
    'bpf_xdp_ct_alloc',
    'struct',
    [CTX, TUPLE, SIZE, CT_OPTS, SIZE],
    acquires('nf_conn___init'),
  ),
  kfunc('bpf_xdp_ct_lookup', 'struct', [CTX, TUPLE, SIZE, CT_OPTS, SIZE], acquires('nf_conn')),
  kfunc('bpf_ct_insert_entry', 'struct', [CT_INIT], {
    ...acquires('nf_conn'),
    ...{ releases: true, trustedArgs: true },
  }),
  releasing('bpf_ct_release', 'nf_conn'),
  kfunc('bpf_ct_set_timeout', 'void', [CT_INIT, SCALAR], TRUSTED),
  kfunc('bpf_ct_change_timeout', 'scalar', [CT, SCALAR], TRUSTED),
  kfunc('bpf_ct_set_status', 'scalar', [CT_INIT, SCALAR], TRUSTED),
  kfunc('bpf_ct_change_status', 'scalar', [CT, SCALAR], TRUSTED),
  kfunc(
    'bpf_ct_set_nat_info',
    'scalar',
    [CT_INIT, memOf(INET_ADDR_BYTES), SCALAR, SCALAR],
    TRUSTED,
  ),
  kfunc('bpf_xdp_get_xfrm_state', 'struct', [CTX, XFRM_OPTS, SIZE], acquires('xfrm_state')),
  releasing('bpf_xdp_xfrm_state_release', 'xfrm_state'),
  kfunc('bpf_task_acquire', 'struct', [TASK], acquires('task_struct', RCU)),
  kfunc('bpf_task_from_pid', 'struct', [SCALAR], acquires('task_struct')),
  kfunc('bpf_task_from_vpid', 'struct', [SCALAR], acquires('task_struct')),
  releasing('bpf_task_release', 'task_struct'),
  kfunc('bpf_task_under_cgroup', 'scalar', [TASK, CGROUP], RCU),
  kfunc('bpf_task_get_cgroup1', 'struct', [TASK, SCALAR], acquires('cgroup', RCU)),
  kfunc('bpf_send_signal_task', 'scalar', [TASK, SCALAR, SCALAR, SCALAR], TRUSTED),
  kfunc('bpf_cgroup_acquire', 'struct', [CGROUP], acquires('cgroup', RCU)),
  kfunc('bpf_cgroup_ancestor', 'struct', [CGROUP, SCALAR], acquires('cgroup', RCU)),
  kfunc('bpf_cgroup_from_id', 'struct', [SCALAR], acquires('cgroup')),
  releasing('bpf_cgroup_release', 'cgroup'),
  kfunc('bpf_lookup_system_key', 'struct', [SCALAR], acquires('bpf_key')),
  releasing('bpf_key_put', 'bpf_key'),
  kfunc('bpf_xdp_metadata_rx_timestamp', 'scalar', [CTX, memOf(8)], { devBound: true }),
  kfunc('bpf_xdp_metadata_rx_hash', 'scalar', [CTX, memOf(4), memOf(4)], { devBound: true }),
  kfunc('bpf_xdp_metadata_rx_vlan_tag', 'scalar', [CTX, memOf(2), memOf(2)], { devBound: true }),
];

const refused = (refusal: KfuncRefusal, names: readonly string[]): KfuncProto[] =>
  names.map((name) => kfunc(name, 'void', [], { refusal }));

const KFUNCS: readonly KfuncProto[] = [
  ...CALLABLE,
  ...refused('notAllowed', KFUNCS_NOT_ALLOWED),
  ...refused('sleepable', KFUNCS_SLEEPABLE),
  ...refused('unmodelled', KFUNCS_UNMODELLED),
];

/** The function a call's `imm` names. */
export const kfuncByImm = (imm: number): KfuncProto | undefined => KFUNCS[imm - 1];

/** What a call's `imm` has to be; 0 for a name that is not known. */
export const kfuncImm = (name: string): number =>
  KFUNCS.findIndex((proto) => proto.name === name) + 1;
