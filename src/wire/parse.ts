/**
 * What a NIC's parser finds in a frame: one bounded pass over Ethernet, VLAN tags, IPv4 or IPv6
 * and the transport header, into an object that is reused.
 *
 * It never throws and never reads outside [at, at + len): each header is read only after its
 * whole length has been compared with what is left. Lengths are believed only as far as bytes
 * are there: a packet that claims more than the frame holds is malformed, and nothing beyond that
 * header is looked at. Bytes after the IP packet are padding, not payload.
 *
 * All offsets count from the frame's first byte, so a result stays true when the frame is copied.
 * Structure and checksums are two calls, because few readers need the second.
 */
import { csumFold, csumIpv6Nofold, csumPartial, csumTcpudpNofold } from './checksum.ts';
import { ETH_P_IP, ETH_P_IPV6, ethType } from './eth.ts';
import {
  FRAG_FIRST,
  FRAG_LATER,
  FRAG_NONE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from './ip.ts';
import { ipipInnerVersion } from './ipip.ts';
import {
  ipv4CheckOk,
  ipv4Dst,
  ipv4FragOffset,
  ipv4HeaderLen,
  ipv4IsFragment,
  ipv4Proto,
  ipv4Src,
  ipv4TotalLen,
  ipv4Version,
} from './ipv4.ts';
import { IPV6_ADDRS, ipv6NextHeader, ipv6PayloadLen, ipv6Version } from './ipv6.ts';
import { Ipv6Chain, isIpv6Ext, walkIpv6Ext } from './ipv6Ext.ts';
import { findOption } from './options.ts';
import { ParsedFrame } from './parsedFrame.ts';
import { tcpHeaderLen } from './tcp.ts';
import { udpCheck, udpLen } from './udp.ts';
import { isVlanTpid, vlanNextType, vlanTci } from './vlan.ts';

export { ParsedFrame };

// Copies of other modules' exports: a constant of one's own module folds into optimised code.
const ETHERTYPE_IP = ETH_P_IP;
const ETHERTYPE_IPV6 = ETH_P_IPV6;
const ICMP = IPPROTO_ICMP;
const ICMPV6 = IPPROTO_ICMPV6;
const TCP = IPPROTO_TCP;
const UDP = IPPROTO_UDP;
const WHOLE = FRAG_NONE;
const FIRST = FRAG_FIRST;
const LATER = FRAG_LATER;
const ADDRS6 = IPV6_ADDRS;
const ETH_LEN = 14;
const TYPE_OFFSET = 12;
const TAG_LEN = 4;
const IP4_MIN = 20;
const IP6_LEN = 40;
const TCP_MIN = 20;
const UDP_LEN = 8;
const ICMP_LEN = 8;
const DST_PORT = 2;
const IPOPT_LSRR = 131;
const IPOPT_SSRR = 137;

const chain = new Ipv6Chain();

/**
 * Fills `out` with the structure of the frame at `at`; its checksum fields are cleared.
 *
 * @param len bytes of the frame, without FCS; 0 and runts are fine
 */
export function parseFrame(view: DataView, at: number, len: number, out: ParsedFrame): void {
  out.reset(len);
  if (len < ETH_LEN) {
    out.l2Malformed = true;
    return;
  }
  parseL2(view, at, len, out);
  if (out.l2Malformed) return;
  out.payloadOffset = out.l2Len;
  out.payloadLen = len - out.l2Len;
  if (out.etherType === ETHERTYPE_IP) parseIpv4(view, at, len, out);
  else if (out.etherType === ETHERTYPE_IPV6) parseIpv6(view, at, len, out);
}

function parseL2(view: DataView, at: number, len: number, out: ParsedFrame): void {
  let type = ethType(view, at);
  let l2Len = ETH_LEN;
  while (isVlanTpid(type)) {
    if (l2Len + TAG_LEN > len) {
      out.l2Malformed = true;
      return;
    }
    const tag = at + l2Len - ETH_LEN + TYPE_OFFSET;
    noteTag(out, type, vlanTci(view, tag));
    type = vlanNextType(view, tag);
    l2Len += TAG_LEN;
  }
  out.etherType = type;
  out.l2Len = l2Len;
  out.l3Offset = l2Len;
}

function noteTag(out: ParsedFrame, tpid: number, tci: number): void {
  if (out.vlanCount === 0) {
    out.outerTpid = tpid;
    out.outerTci = tci;
  } else if (out.vlanCount === 1) {
    out.innerTpid = tpid;
    out.innerTci = tci;
  }
  out.vlanCount++;
}

function parseIpv4(view: DataView, at: number, len: number, out: ParsedFrame): void {
  out.l3Kind = 4;
  const ip = at + out.l3Offset;
  const left = len - out.l3Offset;
  if (left < IP4_MIN || ipv4Version(view, ip) !== 4) return l3Bad(out);
  const hlen = ipv4HeaderLen(view, ip);
  const total = ipv4TotalLen(view, ip);
  if (hlen < IP4_MIN || total < hlen || total > left) return l3Bad(out);
  out.l3HeaderLen = hlen;
  out.l4Proto = ipv4Proto(view, ip);
  if (ipv4IsFragment(view, ip)) out.frag = ipv4FragOffset(view, ip) === 0 ? FIRST : LATER;
  parseL4(view, at, out, total - hlen);
}

function parseIpv6(view: DataView, at: number, len: number, out: ParsedFrame): void {
  out.l3Kind = 6;
  const ip = at + out.l3Offset;
  const left = len - out.l3Offset - IP6_LEN;
  if (left < 0 || ipv6Version(view, ip) !== 6) return l3Bad(out);
  const payload = ipv6PayloadLen(view, ip);
  if (payload > left) return l3Bad(out);
  out.l3HeaderLen = IP6_LEN;
  out.l4Proto = ipv6NextHeader(view, ip);
  if (isIpv6Ext(out.l4Proto)) parseIpv6Chain(view, ip + IP6_LEN, payload, out);
  if (!out.l4Malformed) parseL4(view, at, out, payload - (out.l3HeaderLen - IP6_LEN));
}

function parseIpv6Chain(view: DataView, first: number, payload: number, out: ParsedFrame): void {
  walkIpv6Ext(view, first, payload, out.l4Proto, chain);
  out.l3HeaderLen = IP6_LEN + chain.lenBytes;
  out.l4Proto = chain.proto;
  out.frag = chain.frag;
  out.routingPending = chain.segmentsLeft !== 0;
  if (chain.malformed) l4Bad(out);
}

function l3Bad(out: ParsedFrame): void {
  out.l3Malformed = true;
  out.payloadOffset = 0;
  out.payloadLen = 0;
}

function l4Bad(out: ParsedFrame): void {
  out.l4Malformed = true;
  out.payloadOffset = 0;
  out.payloadLen = 0;
}

function parseL4(view: DataView, at: number, out: ParsedFrame, l4Len: number): void {
  const offset = out.l3Offset + out.l3HeaderLen;
  out.payloadOffset = offset;
  out.payloadLen = l4Len;
  if (out.frag === LATER) return;
  out.l4Offset = offset;
  out.l4Len = l4Len;
  const proto = out.l4Proto;
  if (proto === TCP) parseTcp(view, at + offset, out);
  else if (proto === UDP) parseUdp(view, at + offset, out);
  else if (proto === (out.l3Kind === 4 ? ICMP : ICMPV6)) passHeader(out, ICMP_LEN);
  else if (ipipInnerVersion(proto) !== 0) parseIpip(view, at + offset, out);
}

function passHeader(out: ParsedFrame, hlen: number): void {
  if (out.l4Len < hlen) return l4Bad(out);
  out.payloadOffset = out.l4Offset + hlen;
  out.payloadLen = out.l4Len - hlen;
}

function parseTcp(view: DataView, tcp: number, out: ParsedFrame): void {
  if (out.l4Len < TCP_MIN) return l4Bad(out);
  const hlen = tcpHeaderLen(view, tcp);
  if (hlen < TCP_MIN) return l4Bad(out);
  passHeader(out, hlen);
  if (!out.l4Malformed) readPorts(view, tcp, out);
}

// The length field of a first fragment speaks of the whole datagram; elsewhere it must fit, and
// what IP carries beyond it does not belong to the datagram.
function parseUdp(view: DataView, udp: number, out: ParsedFrame): void {
  if (out.l4Len < UDP_LEN) return l4Bad(out);
  const claimed = udpLen(view, udp);
  if (out.frag === WHOLE) {
    if (claimed < UDP_LEN || claimed > out.l4Len) return l4Bad(out);
    out.l4Len = claimed;
  }
  passHeader(out, UDP_LEN);
  readPorts(view, udp, out);
}

function readPorts(view: DataView, l4: number, out: ParsedFrame): void {
  out.srcPort = view.getUint16(l4);
  out.dstPort = view.getUint16(l4 + DST_PORT);
}

function parseIpip(view: DataView, inner: number, out: ParsedFrame): void {
  const version = ipipInnerVersion(out.l4Proto);
  if (out.l4Len < (version === 4 ? IP4_MIN : IP6_LEN)) return l4Bad(out);
  if (ipv4Version(view, inner) !== version) return l4Bad(out);
  out.innerL3Kind = version;
  out.innerL3Offset = out.l4Offset;
}

/**
 * Fills the checksum fields of a frame that `parseFrame` has just described.
 *
 * Only what can be judged is judged. Fragments, malformed packets, tunnels' inside, protocols other
 * than TCP and UDP, and packets still on a source route stay unchecked, and so does a UDP
 * checksum of 0 over IPv4; over IPv6 that 0 is wrong.
 */
export function checksumVerdict(view: DataView, at: number, out: ParsedFrame): void {
  out.resetVerdict();
  if (out.l3Kind === 0 || out.l3Malformed) return;
  if (out.l3Kind === 4) {
    out.ipCsumChecked = true;
    out.ipCsumOk = ipv4CheckOk(view, at + out.l3Offset);
  }
  if (!hasL4Checksum(view, at, out)) return;
  out.l4CsumChecked = true;
  out.l4CsumOk = l4ChecksumOk(view, at, out);
}

function hasL4Checksum(view: DataView, at: number, out: ParsedFrame): boolean {
  if (out.l4Offset === 0 || out.l4Malformed || out.frag !== WHOLE) return false;
  if (out.l4Proto !== TCP && out.l4Proto !== UDP) return false;
  if (out.l3Kind === 6) return !out.routingPending;
  if (out.l4Proto === UDP && udpCheck(view, at + out.l4Offset) === 0) return false;
  return out.l3HeaderLen === IP4_MIN || !sourceRoutePending(view, at, out);
}

// Pointer and length of a route option: the route is used up once the pointer has passed the end.
function sourceRoutePending(view: DataView, at: number, out: ParsedFrame): boolean {
  const options = at + out.l3Offset + IP4_MIN;
  const end = at + out.l3Offset + out.l3HeaderLen;
  let route = findOption(view, options, end, IPOPT_LSRR);
  if (route < 0) route = findOption(view, options, end, IPOPT_SSRR);
  if (route < 0 || view.getUint8(route + 1) < 3) return false;
  return view.getUint8(route + 2) <= view.getUint8(route + 1);
}

function l4ChecksumOk(view: DataView, at: number, out: ParsedFrame): boolean {
  const ip = at + out.l3Offset;
  const l4 = at + out.l4Offset;
  const len = out.l4Len;
  if (out.l3Kind === 6 && out.l4Proto === UDP && udpCheck(view, l4) === 0) return false;
  const sum = csumPartial(view, l4, len, 0);
  const all =
    out.l3Kind === 4
      ? csumTcpudpNofold(ipv4Src(view, ip), ipv4Dst(view, ip), len, out.l4Proto, sum)
      : csumIpv6Nofold(view, ip + ADDRS6, len, out.l4Proto, sum);
  return csumFold(all) === 0;
}
