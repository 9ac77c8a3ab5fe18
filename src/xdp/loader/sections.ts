/**
 * From a section's name to the type of the program in it, as libbpf knows them, and the names that
 * objects had before libbpf did.
 *
 * @linux section_defs, sec_def_matches; tools/lib/bpf/libbpf.c
 */
import { BPF_PROG_TYPE_UNSPEC, BPF_XDP, BPF_XDP_CPUMAP, BPF_XDP_DEVMAP } from '../uapi.ts';

/** By number, as bpftool prints them. @linux enum bpf_prog_type */
const PROG_TYPE_NAMES: readonly string[] = (
  'unspec socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event cgroup_skb cgroup_sock ' +
  'lwt_in lwt_out lwt_xmit sock_ops sk_skb cgroup_device sk_msg raw_tracepoint cgroup_sock_addr ' +
  'lwt_seg6local lirc_mode2 sk_reuseport flow_dissector cgroup_sysctl raw_tracepoint_writable ' +
  'cgroup_sockopt tracing struct_ops ext lsm sk_lookup syscall netfilter'
).split(' ');

export const progTypeName = (type: number): string => PROG_TYPE_NAMES[type] ?? `type ${type}`;

const typeNumber = (name: string): number => PROG_TYPE_NAMES.indexOf(name);

export interface SectionKind {
  /** BPF_PROG_TYPE_UNSPEC when the name says nothing. */
  readonly type: number;
  /** @linux enum bpf_attach_type */
  readonly attachType: number;
  /** Does the program accept packets in several buffers? @linux BPF_F_XDP_HAS_FRAGS */
  readonly frags: boolean;
}

/** Section, type, attach type. A `+` at the end admits "/anything" behind it. */
type Row = readonly [section: string, type: string, attachType: number];

const XDP_SECTIONS: readonly Row[] = [
  ['xdp.frags/devmap', 'xdp', BPF_XDP_DEVMAP],
  ['xdp/devmap', 'xdp', BPF_XDP_DEVMAP],
  ['xdp.frags/cpumap', 'xdp', BPF_XDP_CPUMAP],
  ['xdp/cpumap', 'xdp', BPF_XDP_CPUMAP],
  ['xdp.frags', 'xdp', BPF_XDP],
  ['xdp', 'xdp', BPF_XDP],
];

const OTHER_SECTIONS: readonly Row[] = [
  ['socket', 'socket_filter', 0],
  ['sk_reuseport/migrate', 'sk_reuseport', 40],
  ['sk_reuseport', 'sk_reuseport', 39],
  ...rows('kprobe', 0, 'kprobe+ uprobe+ uprobe.s+ kretprobe+ uretprobe+ uretprobe.s+'),
  ...rows('kprobe', 0, 'ksyscall+ kretsyscall+ usdt+ usdt.s+'),
  ...rows('kprobe', 42, 'kprobe.multi+ kretprobe.multi+'),
  ...rows('kprobe', 48, 'uprobe.multi+ uretprobe.multi+ uprobe.multi.s+ uretprobe.multi.s+'),
  ['kprobe.session+', 'kprobe', 56],
  ...rows('kprobe', 57, 'uprobe.session+ uprobe.session.s+'),
  ...rows('sched_cls', 46, 'tc/ingress tcx/ingress'),
  ...rows('sched_cls', 47, 'tc/egress tcx/egress'),
  ['netkit/primary', 'sched_cls', 54],
  ['netkit/peer', 'sched_cls', 55],
  ...rows('sched_cls', 0, 'tc classifier'),
  ['action', 'sched_act', 0],
  ...rows('tracepoint', 0, 'tracepoint+ tp+'),
  ...rows('raw_tracepoint', 0, 'raw_tracepoint+ raw_tp+'),
  ...rows('raw_tracepoint_writable', 0, 'raw_tracepoint.w+ raw_tp.w+'),
  ['tp_btf+', 'tracing', 23],
  ...rows('tracing', 24, 'fentry+ fentry.s+'),
  ...rows('tracing', 25, 'fexit+ fexit.s+'),
  ...rows('tracing', 26, 'fmod_ret+ fmod_ret.s+'),
  ...rows('tracing', 28, 'iter+ iter.s+'),
  ['freplace+', 'ext', 0],
  ...rows('lsm', 27, 'lsm+ lsm.s+'),
  ['lsm_cgroup+', 'lsm', 43],
  ['syscall', 'syscall', 0],
  ['perf_event', 'perf_event', 41],
  ['lwt_in', 'lwt_in', 0],
  ['lwt_out', 'lwt_out', 0],
  ['lwt_xmit', 'lwt_xmit', 0],
  ['lwt_seg6local', 'lwt_seg6local', 0],
  ['sockops', 'sock_ops', 3],
  ['sk_skb/stream_parser', 'sk_skb', 4],
  ['sk_skb/stream_verdict', 'sk_skb', 5],
  ['sk_skb/verdict', 'sk_skb', 38],
  ['sk_skb', 'sk_skb', 0],
  ['sk_msg', 'sk_msg', 7],
  ['lirc_mode2', 'lirc_mode2', 16],
  ['flow_dissector', 'flow_dissector', 17],
  ['cgroup_skb/ingress', 'cgroup_skb', 0],
  ['cgroup_skb/egress', 'cgroup_skb', 1],
  ['cgroup/skb', 'cgroup_skb', 0],
  ...rows('cgroup_sock', 2, 'cgroup/sock_create cgroup/sock'),
  ['cgroup/sock_release', 'cgroup_sock', 34],
  ['cgroup/post_bind4', 'cgroup_sock', 12],
  ['cgroup/post_bind6', 'cgroup_sock', 13],
  ['cgroup/bind4', 'cgroup_sock_addr', 8],
  ['cgroup/bind6', 'cgroup_sock_addr', 9],
  ['cgroup/connect4', 'cgroup_sock_addr', 10],
  ['cgroup/connect6', 'cgroup_sock_addr', 11],
  ['cgroup/connect_unix', 'cgroup_sock_addr', 49],
  ['cgroup/sendmsg4', 'cgroup_sock_addr', 14],
  ['cgroup/sendmsg6', 'cgroup_sock_addr', 15],
  ['cgroup/sendmsg_unix', 'cgroup_sock_addr', 50],
  ['cgroup/recvmsg4', 'cgroup_sock_addr', 19],
  ['cgroup/recvmsg6', 'cgroup_sock_addr', 20],
  ['cgroup/recvmsg_unix', 'cgroup_sock_addr', 51],
  ['cgroup/getpeername4', 'cgroup_sock_addr', 29],
  ['cgroup/getpeername6', 'cgroup_sock_addr', 30],
  ['cgroup/getpeername_unix', 'cgroup_sock_addr', 52],
  ['cgroup/getsockname4', 'cgroup_sock_addr', 31],
  ['cgroup/getsockname6', 'cgroup_sock_addr', 32],
  ['cgroup/getsockname_unix', 'cgroup_sock_addr', 53],
  ['cgroup/sysctl', 'cgroup_sysctl', 18],
  ['cgroup/getsockopt', 'cgroup_sockopt', 21],
  ['cgroup/setsockopt', 'cgroup_sockopt', 22],
  ['cgroup/dev', 'cgroup_device', 6],
  ...rows('struct_ops', 44, 'struct_ops+ struct_ops.s+'),
  ['sk_lookup', 'sk_lookup', 36],
  ['netfilter', 'netfilter', 45],
];

/** Beginnings of names, from when libbpf and iproute2 looked at no more than that. */
const OLD_SECTIONS: readonly Row[] = [
  ['xdp', 'xdp', BPF_XDP],
  ['prog', 'xdp', BPF_XDP],
  ['classifier', 'sched_cls', 0],
  ['tc', 'sched_cls', 0],
  ['action', 'sched_act', 0],
  ['socket', 'socket_filter', 0],
];

function rows(type: string, attachType: number, sections: string): Row[] {
  return sections.split(' ').map((section): Row => [section, type, attachType]);
}

/** @param section without the `?` that keeps a program from loading by itself */
export function sectionKind(section: string): SectionKind {
  const row =
    [...XDP_SECTIONS, ...OTHER_SECTIONS].find(([name]) => sectionMatches(name, section)) ??
    OLD_SECTIONS.find(([name]) => section.startsWith(name));
  if (row === undefined) return { type: BPF_PROG_TYPE_UNSPEC, attachType: 0, frags: false };
  const [, type, attachType] = row;
  return { type: typeNumber(type), attachType, frags: section.startsWith('xdp.frags') };
}

function sectionMatches(name: string, section: string): boolean {
  if (!name.endsWith('+')) return section === name;
  const start = name.slice(0, -1);
  return section === start || section.startsWith(`${start}/`);
}

/**
 * iproute2's sections for tail calls: "2/7" goes into the map of id 2, at index 7. Numbers as C has
 * them, also in hex.
 */
export function tailCallSlot(section: string): { mapId: number; index: number } | null {
  const match = /^(0x[\da-f]{1,8}|\d{1,9})\/(0x[\da-f]{1,8}|\d{1,9})$/i.exec(section);
  return match === null ? null : { mapId: cNumber(match[1]!), index: cNumber(match[2]!) };
}

const cNumber = (digits: string): number =>
  /^0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
