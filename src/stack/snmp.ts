/**
 * The counters of `/proc/net/snmp`, `/proc/net/snmp6` and `/proc/net/netstat`, under their own names.
 *
 * Only counters that something here can move are listed; the files print more, all zero.
 *
 * @linux include/uapi/linux/snmp.h; net/ipv4/proc.c, net/ipv6/proc.c
 */

/** @linux IPSTATS_MIB_* */
export class IpMib {
  InReceives = 0;
  InHdrErrors = 0;
  InAddrErrors = 0;
  InUnknownProtos = 0;
  InDiscards = 0;
  InDelivers = 0;
  OutRequests = 0;
  OutDiscards = 0;
  OutNoRoutes = 0;
  ReasmTimeout = 0;
  ReasmReqds = 0;
  ReasmOKs = 0;
  ReasmFails = 0;
  FragOKs = 0;
  FragFails = 0;
  FragCreates = 0;
  OutTransmits = 0;
  InNoRoutes = 0;
  InTruncatedPkts = 0;
  InMcastPkts = 0;
  InBcastPkts = 0;
  InCsumErrors = 0;
}

/** What IPv4 alone counts here. */
class Ip4Mib extends IpMib {
  ForwDatagrams = 0;
}

/** @linux ICMP_MIB_*, ICMP6_MIB_* */
export class IcmpMib {
  InMsgs = 0;
  InErrors = 0;
  InCsumErrors = 0;
  OutMsgs = 0;
  OutErrors = 0;
  OutRateLimitGlobal = 0;
  OutRateLimitHost = 0;
  /** Messages by type. @linux struct icmpmsg_mib */
  readonly inType: Float64Array = new Float64Array(256);
  readonly outType: Float64Array = new Float64Array(256);
}

/** @linux UDP_MIB_* */
export class UdpMib {
  InDatagrams = 0;
  NoPorts = 0;
  InErrors = 0;
  OutDatagrams = 0;
  RcvbufErrors = 0;
  SndbufErrors = 0;
  InCsumErrors = 0;
  IgnoredMulti = 0;
}

/** Of what Linux files under TCP. @linux LINUX_MIB_* */
class LinuxMib {
  IPReversePathFilter = 0;
}

/** @linux struct netns_mib */
export class NetMib {
  readonly ip: Ip4Mib = new Ip4Mib();
  readonly ip6: IpMib = new IpMib();
  readonly icmp: IcmpMib = new IcmpMib();
  readonly icmp6: IcmpMib = new IcmpMib();
  readonly udp: UdpMib = new UdpMib();
  readonly udp6: UdpMib = new UdpMib();
  readonly net: LinuxMib = new LinuxMib();
}

/** One line of `/proc/net/snmp` or `netstat`, or one group of snmp6: counters by name. */
export type SnmpGroup = Readonly<Record<string, number>>;

/** All groups as the files name them, but for IpExt, which is in Ip. @linux snmp_seq_show, snmp6_seq_show, netstat_seq_show */
export const snmpGroups = (mib: NetMib): Readonly<Record<string, SnmpGroup>> => ({
  Ip: counters(mib.ip),
  Icmp: counters(mib.icmp),
  IcmpMsg: messages(mib.icmp),
  Udp: counters(mib.udp),
  Ip6: counters(mib.ip6),
  Icmp6: { ...counters(mib.icmp6), ...messages(mib.icmp6) },
  Udp6: counters(mib.udp6),
  TcpExt: counters(mib.net),
});

const counters = (group: object): SnmpGroup =>
  Object.fromEntries(
    Object.entries(group).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    ),
  );

const messages = ({ inType, outType }: IcmpMib): SnmpGroup =>
  Object.fromEntries([...byType('InType', inType), ...byType('OutType', outType)]);

const byType = (prefix: string, types: Float64Array): [string, number][] =>
  [...types.entries()]
    .filter(([, n]) => n > 0)
    .map(([type, n]): [string, number] => [`${prefix}${type}`, n]);
