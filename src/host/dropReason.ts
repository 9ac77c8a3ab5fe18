/**
 * Why the stack dropped a packet: numbers for our own tables, names as `perf trace` prints them.
 *
 * A packet that was received and then dropped is lost on the way up, for this reason (`fates.ts`).
 *
 * @linux enum skb_drop_reason; include/net/dropreason-core.h
 */
export const SKB_NOT_DROPPED_YET = 0;
export const SKB_DROP_REASON_NOT_SPECIFIED = 1;
export const SKB_DROP_REASON_NOMEM = 2;
export const SKB_DROP_REASON_QDISC_DROP = 3;
export const SKB_DROP_REASON_DEV_READY = 4;
export const SKB_DROP_REASON_NO_SOCKET = 5;
export const SKB_DROP_REASON_SOCKET_CLOSE = 6;
export const SKB_DROP_REASON_SOCKET_RCVBUFF = 7;
export const SKB_DROP_REASON_PKT_TOO_SMALL = 8;
export const SKB_DROP_REASON_UDP_CSUM = 9;
export const SKB_DROP_REASON_NETFILTER_DROP = 10;
export const SKB_DROP_REASON_OTHERHOST = 11;
export const SKB_DROP_REASON_IP_CSUM = 12;
export const SKB_DROP_REASON_IP_INHDR = 13;
export const SKB_DROP_REASON_IP_NOPROTO = 14;
export const SKB_DROP_REASON_IP_INADDRERRORS = 15;
export const SKB_DROP_REASON_IP_LOCAL_SOURCE = 16;
export const SKB_DROP_REASON_IP_INVALID_SOURCE = 17;
export const SKB_DROP_REASON_IP_LOCALNET = 18;
export const SKB_DROP_REASON_IP_INVALID_DEST = 19;
export const SKB_DROP_REASON_TC_INGRESS = 20;
export const SKB_DROP_REASON_UNHANDLED_PROTO = 21;
export const SKB_DROP_REASON_ICMP_CSUM = 22;
export const SKB_DROP_REASON_INVALID_PROTO = 23;
export const SKB_DROP_REASON_CPU_BACKLOG = 24;
export const SKB_DROP_REASON_NEIGH_CREATEFAIL = 25;
export const SKB_DROP_REASON_NEIGH_FAILED = 26;
export const SKB_DROP_REASON_NEIGH_QUEUEFULL = 27;
export const SKB_DROP_REASON_DUP_FRAG = 28;
export const SKB_DROP_REASON_FRAG_REASM_TIMEOUT = 29;
export const SKB_DROP_REASON_IPV6_NDISC_HOP_LIMIT = 30;
export const SKB_DROP_REASON_IPV6_NDISC_BAD_CODE = 31;
export const SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS = 32;
export const SKB_DROP_REASON_IPV6_NDISC_NS_OTHERHOST = 33;
export const SKB_DROP_REASON_PKT_TOO_BIG = 34;
export const SKB_DROP_REASON_IP_INNOROUTES = 35;
export const SKB_DROP_REASON_IP_RPFILTER = 36;

export interface DropReason {
  readonly name: string;
  /** What a loss for this reason is called in a report: our own word where the design has one. */
  readonly cause: string;
  /** The Linux counter that moves with it, or why none does. */
  readonly counter: string;
}

const reason = (name: string, counter: string, cause: string = name): DropReason => ({
  name,
  cause,
  counter,
});

/** Indexed by `SKB_DROP_REASON_*`. */
export const SKB_DROP_REASONS: readonly DropReason[] = [
  reason('NOT_DROPPED_YET', 'none'),
  reason('NOT_SPECIFIED', 'none: tracepoint skb:kfree_skb only'),
  reason('NOMEM', 'snmp Ip: InDiscards'),
  reason('QDISC_DROP', 'tc -s qdisc: dropped'),
  reason('DEV_READY', 'none: the device is down'),
  reason('NO_SOCKET', 'snmp Udp: NoPorts, for UDP'),
  reason('SOCKET_CLOSE', 'none: the socket was closed unread'),
  reason('SOCKET_RCVBUFF', 'snmp Udp: RcvbufErrors', 'socketBufferFull'),
  reason('PKT_TOO_SMALL', 'netstat IpExt: InTruncatedPkts, or snmp Udp: InErrors'),
  reason('UDP_CSUM', 'snmp Udp: InCsumErrors'),
  reason('NETFILTER_DROP', 'iptables -t raw -L -v'),
  reason('OTHERHOST', 'ip -s -s link: otherhost'),
  reason('IP_CSUM', 'netstat IpExt: InCsumErrors'),
  reason('IP_INHDR', 'snmp Ip: InHdrErrors'),
  reason('IP_NOPROTO', 'snmp Ip: InUnknownProtos'),
  reason('IP_INADDRERRORS', 'snmp Ip: InAddrErrors'),
  reason('IP_LOCAL_SOURCE', 'none: martian source'),
  reason('IP_INVALID_SOURCE', 'none: martian source'),
  reason('IP_LOCALNET', 'none: martian source or destination'),
  reason('IP_INVALID_DEST', 'none: martian destination'),
  reason('TC_INGRESS', 'tc -s filter'),
  reason('UNHANDLED_PROTO', 'ip -s link: RX dropped, for EtherTypes; snmp6 or none for others'),
  reason('ICMP_CSUM', 'snmp Icmp: InCsumErrors'),
  reason('INVALID_PROTO', 'snmp Icmp: InErrors'),
  reason('CPU_BACKLOG', 'softnet_stat column 2', 'backlogFull'),
  reason('NEIGH_CREATEFAIL', 'ip -s ntable: table_fulls'),
  reason('NEIGH_FAILED', 'ip -s ntable: res_failed'),
  reason('NEIGH_QUEUEFULL', 'ip -s ntable: unres_discards'),
  reason('DUP_FRAG', 'none'),
  reason('FRAG_REASM_TIMEOUT', 'snmp Ip: ReasmTimeout'),
  reason('IPV6_NDISC_HOP_LIMIT', 'none'),
  reason('IPV6_NDISC_BAD_CODE', 'none'),
  reason('IPV6_NDISC_BAD_OPTIONS', 'none'),
  reason('IPV6_NDISC_NS_OTHERHOST', 'none'),
  reason('PKT_TOO_BIG', 'snmp Ip: FragFails'),
  reason('IP_INNOROUTES', 'netstat IpExt: InNoRoutes'),
  reason('IP_RPFILTER', 'netstat TcpExt: IPReversePathFilter'),
];

export const DROP_REASON_COUNT: number = SKB_DROP_REASONS.length;
