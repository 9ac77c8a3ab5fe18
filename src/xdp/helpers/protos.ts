/**
 * What the verifier must know of each helper that an XDP program may call: what its arguments have to
 * be, and what it returns.
 *
 * Argument and return types are Linux's: a base type in the low byte with the flags of register types
 * above it. `T | PTR_MAYBE_NULL` also takes NULL.
 *
 * @linux struct bpf_func_proto, enum bpf_arg_type, enum bpf_return_type; include/linux/bpf.h.
 *   bpf_base_func_proto; kernel/bpf/helpers.c. xdp_func_proto; net/core/filter.c
 */
import {
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_RINGBUF,
  MEM_ALIGNED,
  MEM_FIXED_SIZE,
  MEM_RDONLY,
  MEM_RINGBUF,
  MEM_UNINIT,
  MEM_WRITE,
  OBJ_RELEASE,
  PTR_MAYBE_NULL,
  PTR_TRUSTED,
} from '../verifier/regTypes.ts';

export const ARG_CONST_MAP_PTR = 1;
export const ARG_PTR_TO_MAP_KEY = 2;
export const ARG_PTR_TO_MAP_VALUE = 3;
export const ARG_PTR_TO_MEM = 4;
export const ARG_CONST_SIZE = 6;
export const ARG_CONST_SIZE_OR_ZERO = 7;
export const ARG_PTR_TO_CTX = 8;
export const ARG_ANYTHING = 9;
export const ARG_PTR_TO_SPIN_LOCK = 10;
export const ARG_PTR_TO_SOCK_COMMON = 11;
export const ARG_PTR_TO_BTF_ID = 13;
export const ARG_PTR_TO_RINGBUF_MEM = 14;
export const ARG_CONST_ALLOC_SIZE_OR_ZERO = 15;
export const ARG_PTR_TO_BTF_ID_SOCK_COMMON = 16;
export const ARG_PTR_TO_PERCPU_BTF_ID = 17;
export const ARG_PTR_TO_FUNC = 18;
export const ARG_PTR_TO_STACK = 19;
export const ARG_PTR_TO_CONST_STR = 20;
export const ARG_PTR_TO_TIMER = 21;
export const ARG_KPTR_XCHG_DEST = 22;
export const ARG_PTR_TO_DYNPTR = 23;
/** Of global functions alone. */
export const ARG_PTR_TO_ARENA = 24;

export const RET_INTEGER = 0;
export const RET_VOID = 1;
export const RET_PTR_TO_MAP_VALUE = 2;
export const RET_PTR_TO_SOCKET = 3;
export const RET_PTR_TO_SOCK_COMMON = 5;
export const RET_PTR_TO_MEM = 6;
export const RET_PTR_TO_MEM_OR_BTF_ID = 7;
export const RET_PTR_TO_BTF_ID = 8;

const MEM_IN: number = ARG_PTR_TO_MEM | MEM_RDONLY;
const MEM_IN_OR_NULL: number = MEM_IN | PTR_MAYBE_NULL;
/** Memory that is only written to: it need not be set. */
const MEM_OUT: number = ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE;
const VALUE_OUT: number = ARG_PTR_TO_MAP_VALUE | MEM_UNINIT | MEM_WRITE;
const STACK_OR_NULL: number = ARG_PTR_TO_STACK | PTR_MAYBE_NULL;
const DYNPTR_IN: number = ARG_PTR_TO_DYNPTR | MEM_RDONLY;
const DYNPTR_NEW: number = ARG_PTR_TO_DYNPTR | MEM_UNINIT | MEM_WRITE;
const WORD_OUT: number = ARG_PTR_TO_MEM | MEM_FIXED_SIZE | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED;
const FIXED_IN: number = ARG_PTR_TO_MEM | MEM_FIXED_SIZE | MEM_RDONLY;

export interface HelperProto {
  readonly id: number;
  /** `enum bpf_func_id` without `BPF_FUNC_`. */
  readonly name: string;
  readonly ret: number;
  readonly args: readonly number[];
  /** Bytes of arguments with MEM_FIXED_SIZE, by argument. */
  readonly sizes: readonly number[];
  readonly gplOnly: boolean;
  /** Memory arguments may lie in the packet. */
  readonly pktAccess: boolean;
  /** The packet may move: pointers into it are void afterwards. */
  readonly changesPktData: boolean;
  readonly mightSleep: boolean;
  /** Only with CAP_PERFMON. */
  readonly perfmon: boolean;
  /** Kernel struct returned. */
  readonly struct: string;
  /** Kernel struct that arguments of type ARG_PTR_TO_BTF_ID point to. */
  readonly argStruct: string;
}

type Rest = Partial<Omit<HelperProto, 'id' | 'name' | 'ret' | 'args'>>;

const helper = (
  id: number,
  name: string,
  ret: number,
  args: readonly number[],
  rest: Rest = {},
): HelperProto => ({
  id,
  name,
  ret,
  args,
  sizes: [],
  gplOnly: false,
  pktAccess: false,
  changesPktData: false,
  mightSleep: false,
  perfmon: false,
  struct: '',
  argStruct: '',
  ...rest,
});

const GPL: Rest = { gplOnly: true };
const PKT: Rest = { pktAccess: true };
const GPL_PKT: Rest = { gplOnly: true, pktAccess: true };
const MOVES: Rest = { changesPktData: true };
const PERFMON: Rest = { perfmon: true };
const GPL_PERFMON: Rest = { gplOnly: true, perfmon: true };

const MAP = ARG_CONST_MAP_PTR;
const KEY = ARG_PTR_TO_MAP_KEY;
const ANY = ARG_ANYTHING;
const CTX = ARG_PTR_TO_CTX;
const SIZE = ARG_CONST_SIZE;
const SIZE0 = ARG_CONST_SIZE_OR_ZERO;
const TUPLE_ARGS: readonly number[] = [CTX, MEM_IN, SIZE0, ANY, ANY];
const SOCK: number = ARG_PTR_TO_BTF_ID_SOCK_COMMON;
const SYNCOOKIE_ARGS: readonly number[] = [SOCK, MEM_IN, SIZE, MEM_IN, SIZE];
const SOCK_CAST: readonly number[] = [SOCK];
const VALUE_OR_NULL: number = RET_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL;
const STRUCT_OR_NULL: number = RET_PTR_TO_BTF_ID | PTR_MAYBE_NULL;
const probeRead = (id: number, name: string): HelperProto =>
  helper(id, name, RET_INTEGER, [MEM_OUT, SIZE0, ANY], GPL_PERFMON);
const sockCast = (id: number, name: string, struct: string): HelperProto =>
  helper(id, name, STRUCT_OR_NULL, SOCK_CAST, { perfmon: true, struct });

const IPHDR_BYTES = 20;
const IPV6HDR_BYTES = 40;
const TCPHDR_BYTES = 20;

const PROTOS: readonly HelperProto[] = [
  helper(1, 'map_lookup_elem', VALUE_OR_NULL, [MAP, KEY], PKT),
  helper(2, 'map_update_elem', RET_INTEGER, [MAP, KEY, ARG_PTR_TO_MAP_VALUE, ANY], PKT),
  helper(3, 'map_delete_elem', RET_INTEGER, [MAP, KEY], PKT),
  helper(5, 'ktime_get_ns', RET_INTEGER, []),
  helper(6, 'trace_printk', RET_INTEGER, [MEM_IN, SIZE], GPL_PERFMON),
  helper(7, 'get_prandom_u32', RET_INTEGER, []),
  helper(8, 'get_smp_processor_id', RET_INTEGER, []),
  helper(12, 'tail_call', RET_VOID, [CTX, MAP, ANY], MOVES),
  helper(14, 'get_current_pid_tgid', RET_INTEGER, []),
  helper(15, 'get_current_uid_gid', RET_INTEGER, []),
  helper(16, 'get_current_comm', RET_INTEGER, [MEM_OUT, SIZE], PERFMON),
  helper(17, 'get_cgroup_classid', RET_INTEGER, []),
  helper(22, 'perf_event_read', RET_INTEGER, [MAP, ANY], GPL_PERFMON),
  helper(23, 'redirect', RET_INTEGER, [ANY, ANY]),
  helper(25, 'perf_event_output', RET_INTEGER, [CTX, MAP, ANY, MEM_IN, SIZE0], GPL),
  helper(28, 'csum_diff', RET_INTEGER, [MEM_IN_OR_NULL, SIZE0, MEM_IN_OR_NULL, SIZE0, ANY], PKT),
  helper(35, 'get_current_task', RET_INTEGER, [], GPL_PERFMON),
  helper(37, 'current_task_under_cgroup', RET_INTEGER, [MAP, ANY]),
  helper(42, 'get_numa_node_id', RET_INTEGER, []),
  helper(44, 'xdp_adjust_head', RET_INTEGER, [CTX, ANY], MOVES),
  helper(51, 'redirect_map', RET_INTEGER, [MAP, ANY, ANY]),
  helper(54, 'xdp_adjust_meta', RET_INTEGER, [CTX, ANY], MOVES),
  helper(55, 'perf_event_read_value', RET_INTEGER, [MAP, ANY, MEM_OUT, SIZE], GPL_PERFMON),
  helper(65, 'xdp_adjust_tail', RET_INTEGER, [CTX, ANY], MOVES),
  helper(69, 'fib_lookup', RET_INTEGER, [CTX, ARG_PTR_TO_MEM | MEM_WRITE, SIZE, ANY], GPL),
  helper(80, 'get_current_cgroup_id', RET_INTEGER, []),
  helper(84, 'sk_lookup_tcp', RET_PTR_TO_SOCKET | PTR_MAYBE_NULL, TUPLE_ARGS, PKT),
  helper(85, 'sk_lookup_udp', RET_PTR_TO_SOCKET | PTR_MAYBE_NULL, TUPLE_ARGS, PKT),
  helper(86, 'sk_release', RET_INTEGER, [SOCK | OBJ_RELEASE]),
  helper(87, 'map_push_elem', RET_INTEGER, [MAP, ARG_PTR_TO_MAP_VALUE, ANY], PKT),
  helper(88, 'map_pop_elem', RET_INTEGER, [MAP, VALUE_OUT]),
  helper(89, 'map_peek_elem', RET_INTEGER, [MAP, VALUE_OUT]),
  helper(93, 'spin_lock', RET_VOID, [ARG_PTR_TO_SPIN_LOCK]),
  helper(94, 'spin_unlock', RET_VOID, [ARG_PTR_TO_SPIN_LOCK]),
  helper(99, 'skc_lookup_tcp', RET_PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL, TUPLE_ARGS, PKT),
  helper(100, 'tcp_check_syncookie', RET_INTEGER, SYNCOOKIE_ARGS, GPL_PKT),
  helper(105, 'strtol', RET_INTEGER, [MEM_IN, SIZE, ANY, WORD_OUT], { sizes: [0, 0, 0, 8] }),
  helper(106, 'strtoul', RET_INTEGER, [MEM_IN, SIZE, ANY, WORD_OUT], { sizes: [0, 0, 0, 8] }),
  helper(109, 'send_signal', RET_INTEGER, [ANY], PERFMON),
  helper(110, 'tcp_gen_syncookie', RET_INTEGER, SYNCOOKIE_ARGS, GPL_PKT),
  probeRead(112, 'probe_read_user'),
  probeRead(113, 'probe_read_kernel'),
  probeRead(114, 'probe_read_user_str'),
  probeRead(115, 'probe_read_kernel_str'),
  helper(117, 'send_signal_thread', RET_INTEGER, [ANY], PERFMON),
  helper(118, 'jiffies64', RET_INTEGER, []),
  helper(120, 'get_ns_current_pid_tgid', RET_INTEGER, [ANY, ANY, MEM_OUT, SIZE]),
  helper(123, 'get_current_ancestor_cgroup_id', RET_INTEGER, [ANY]),
  helper(125, 'ktime_get_boot_ns', RET_INTEGER, []),
  helper(130, 'ringbuf_output', RET_INTEGER, [MAP, MEM_IN, SIZE0, ANY]),
  helper(131, 'ringbuf_reserve', RET_PTR_TO_MEM | MEM_RINGBUF | PTR_MAYBE_NULL, [
    MAP,
    ARG_CONST_ALLOC_SIZE_OR_ZERO,
    ANY,
  ]),
  helper(132, 'ringbuf_submit', RET_VOID, [ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ANY]),
  helper(133, 'ringbuf_discard', RET_VOID, [ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ANY]),
  helper(134, 'ringbuf_query', RET_INTEGER, [MAP, ANY]),
  sockCast(136, 'skc_to_tcp6_sock', 'tcp6_sock'),
  sockCast(137, 'skc_to_tcp_sock', 'tcp_sock'),
  sockCast(138, 'skc_to_tcp_timewait_sock', 'tcp_timewait_sock'),
  sockCast(139, 'skc_to_tcp_request_sock', 'tcp_request_sock'),
  sockCast(140, 'skc_to_udp6_sock', 'udp6_sock'),
  helper(141, 'get_task_stack', RET_INTEGER, [ARG_PTR_TO_BTF_ID, MEM_OUT, SIZE0, ANY], {
    perfmon: true,
    argStruct: 'task_struct',
  }),
  helper(148, 'copy_from_user', RET_INTEGER, [MEM_OUT, SIZE0, ANY], {
    perfmon: true,
    mightSleep: true,
  }),
  helper(
    149,
    'snprintf_btf',
    RET_INTEGER,
    [ARG_PTR_TO_MEM | MEM_WRITE, SIZE, MEM_IN, SIZE, ANY],
    PERFMON,
  ),
  helper(153, 'per_cpu_ptr', RET_PTR_TO_MEM_OR_BTF_ID | PTR_MAYBE_NULL | MEM_RDONLY, [
    ARG_PTR_TO_PERCPU_BTF_ID,
    ANY,
  ]),
  helper(154, 'this_cpu_ptr', RET_PTR_TO_MEM_OR_BTF_ID | MEM_RDONLY, [ARG_PTR_TO_PERCPU_BTF_ID]),
  helper(
    156,
    'task_storage_get',
    VALUE_OR_NULL,
    [MAP, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL, ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ANY],
    { argStruct: 'task_struct' },
  ),
  helper(157, 'task_storage_delete', RET_INTEGER, [MAP, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL], {
    argStruct: 'task_struct',
  }),
  helper(158, 'get_current_task_btf', RET_PTR_TO_BTF_ID | PTR_TRUSTED, [], {
    gplOnly: true,
    perfmon: true,
    struct: 'task_struct',
  }),
  helper(160, 'ktime_get_coarse_ns', RET_INTEGER, []),
  helper(
    163,
    'check_mtu',
    RET_INTEGER,
    [CTX, ANY, ARG_PTR_TO_MEM | MEM_FIXED_SIZE | MEM_WRITE | MEM_ALIGNED, ANY, ANY],
    { gplOnly: true, sizes: [0, 0, 4] },
  ),
  helper(164, 'for_each_map_elem', RET_INTEGER, [MAP, ARG_PTR_TO_FUNC, STACK_OR_NULL, ANY]),
  helper(
    165,
    'snprintf',
    RET_INTEGER,
    [
      ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_WRITE,
      SIZE0,
      ARG_PTR_TO_CONST_STR,
      MEM_IN_OR_NULL,
      SIZE0,
    ],
    GPL_PERFMON,
  ),
  helper(169, 'timer_init', RET_INTEGER, [ARG_PTR_TO_TIMER, MAP, ANY], GPL),
  helper(170, 'timer_set_callback', RET_INTEGER, [ARG_PTR_TO_TIMER, ARG_PTR_TO_FUNC], GPL),
  helper(171, 'timer_start', RET_INTEGER, [ARG_PTR_TO_TIMER, ANY, ANY], GPL),
  helper(172, 'timer_cancel', RET_INTEGER, [ARG_PTR_TO_TIMER], GPL),
  helper(175, 'task_pt_regs', RET_PTR_TO_BTF_ID, [ARG_PTR_TO_BTF_ID], {
    gplOnly: true,
    perfmon: true,
    struct: 'pt_regs',
    argStruct: 'task_struct',
  }),
  helper(176, 'get_branch_snapshot', RET_INTEGER, [MEM_OUT, SIZE0], GPL_PERFMON),
  helper(177, 'trace_vprintk', RET_INTEGER, [MEM_IN, SIZE, MEM_IN_OR_NULL, SIZE0], GPL_PERFMON),
  sockCast(178, 'skc_to_unix_sock', 'unix_sock'),
  helper(
    180,
    'find_vma',
    RET_INTEGER,
    [ARG_PTR_TO_BTF_ID, ANY, ARG_PTR_TO_FUNC, STACK_OR_NULL, ANY],
    { perfmon: true, argStruct: 'task_struct' },
  ),
  helper(181, 'loop', RET_INTEGER, [ANY, ARG_PTR_TO_FUNC, STACK_OR_NULL, ANY]),
  helper(182, 'strncmp', RET_INTEGER, [MEM_IN, SIZE, ARG_PTR_TO_CONST_STR]),
  helper(188, 'xdp_get_buff_len', RET_INTEGER, [CTX]),
  helper(189, 'xdp_load_bytes', RET_INTEGER, [CTX, ANY, MEM_OUT, SIZE]),
  helper(190, 'xdp_store_bytes', RET_INTEGER, [CTX, ANY, MEM_IN, SIZE]),
  helper(191, 'copy_from_user_task', RET_INTEGER, [MEM_OUT, SIZE0, ANY, ARG_PTR_TO_BTF_ID, ANY], {
    gplOnly: true,
    perfmon: true,
    mightSleep: true,
    argStruct: 'task_struct',
  }),
  helper(194, 'kptr_xchg', STRUCT_OR_NULL, [
    ARG_KPTR_XCHG_DEST,
    ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL | OBJ_RELEASE,
  ]),
  helper(195, 'map_lookup_percpu_elem', VALUE_OR_NULL, [MAP, KEY, ANY], PKT),
  helper(196, 'skc_to_mptcp_sock', STRUCT_OR_NULL, [ARG_PTR_TO_SOCK_COMMON], {
    perfmon: true,
    struct: 'mptcp_sock',
  }),
  helper(197, 'dynptr_from_mem', RET_INTEGER, [
    MEM_OUT,
    SIZE0,
    ANY,
    DYNPTR_NEW | DYNPTR_TYPE_LOCAL,
  ]),
  helper(198, 'ringbuf_reserve_dynptr', RET_INTEGER, [
    MAP,
    ANY,
    ANY,
    DYNPTR_NEW | DYNPTR_TYPE_RINGBUF,
  ]),
  helper(199, 'ringbuf_submit_dynptr', RET_VOID, [
    ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF | OBJ_RELEASE,
    ANY,
  ]),
  helper(200, 'ringbuf_discard_dynptr', RET_VOID, [
    ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF | OBJ_RELEASE,
    ANY,
  ]),
  helper(201, 'dynptr_read', RET_INTEGER, [MEM_OUT, SIZE0, DYNPTR_IN, ANY, ANY]),
  helper(202, 'dynptr_write', RET_INTEGER, [DYNPTR_IN, ANY, MEM_IN, SIZE0, ANY]),
  helper(203, 'dynptr_data', RET_PTR_TO_MEM | PTR_MAYBE_NULL, [
    DYNPTR_IN,
    ANY,
    ARG_CONST_ALLOC_SIZE_OR_ZERO,
  ]),
  helper(204, 'tcp_raw_gen_syncookie_ipv4', RET_INTEGER, [FIXED_IN, MEM_IN, SIZE0], {
    ...GPL_PKT,
    sizes: [IPHDR_BYTES],
  }),
  helper(205, 'tcp_raw_gen_syncookie_ipv6', RET_INTEGER, [FIXED_IN, MEM_IN, SIZE0], {
    ...GPL_PKT,
    sizes: [IPV6HDR_BYTES],
  }),
  helper(206, 'tcp_raw_check_syncookie_ipv4', RET_INTEGER, [FIXED_IN, FIXED_IN], {
    ...GPL_PKT,
    sizes: [IPHDR_BYTES, TCPHDR_BYTES],
  }),
  helper(207, 'tcp_raw_check_syncookie_ipv6', RET_INTEGER, [FIXED_IN, FIXED_IN], {
    ...GPL_PKT,
    sizes: [IPV6HDR_BYTES, TCPHDR_BYTES],
  }),
  helper(208, 'ktime_get_tai_ns', RET_INTEGER, []),
  helper(209, 'user_ringbuf_drain', RET_INTEGER, [MAP, ARG_PTR_TO_FUNC, STACK_OR_NULL, ANY]),
  helper(
    210,
    'cgrp_storage_get',
    VALUE_OR_NULL,
    [MAP, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL, ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ANY],
    { argStruct: 'cgroup' },
  ),
  helper(211, 'cgrp_storage_delete', RET_INTEGER, [MAP, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL], {
    argStruct: 'cgroup',
  }),
];

const BY_ID: readonly (HelperProto | undefined)[] = PROTOS.reduce<(HelperProto | undefined)[]>(
  (table, proto) => {
    table[proto.id] = proto;
    return table;
  },
  [],
);

/** Prototype of a helper that XDP programs may call. */
export const helperProto = (id: number): HelperProto | undefined => BY_ID[id];
