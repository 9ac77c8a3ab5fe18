/**
 * Frames from a plain description: Ethernet, any tags, and one of ARP, IPv4, IPv6 or raw bytes, with
 * every length and checksum right. Cold: the traffic generator builds its templates with it, tests
 * their input. A packet's body may itself be a packet, which makes the four kinds of IP in IP.
 *
 * Payload given as a number is that many bytes counting up from 0 (and over again after 255), so
 * that a shifted or torn copy shows.
 */
import { RangeRefused } from '../host/errors.ts';
import {
  ARP_LEN,
  ARPOP_REPLY,
  ARPOP_REQUEST,
  setArpOp,
  setArpSender,
  setArpTarget,
} from './arp.ts';
import { buildIpv4, buildIpv6, type Ipv4Spec, type Ipv6Spec } from './buildIp.ts';
import { payloadBytes } from './buildL4.ts';
import { checkInt } from './checkInt.ts';
import {
  ETH_HLEN,
  ETH_P_8021Q,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  ETH_ZLEN,
  type MacAddr,
  setEthDst,
  setEthSrc,
  setEthType,
} from './eth.ts';
import { makeTci, setVlanTag, VLAN_HLEN, VLAN_OFFSET } from './vlan.ts';

/** Longest frame that can be asked for, without FCS: two tags and the largest IPv4 packet. */
const FRAME_LEN_MAX: number = 65_557;

/** One VLAN tag; `tpid` is 0x8100 unless given. */
export interface VlanSpec {
  readonly vid: number;
  readonly pcp?: number;
  readonly dei?: boolean;
  readonly tpid?: number;
}

/** An ARP request (target MAC unknown, zero) or reply. */
interface ArpSpec {
  readonly kind: 'arp';
  readonly reply?: boolean;
  readonly senderMac: MacAddr;
  readonly senderIp: number;
  readonly targetMac?: MacAddr;
  readonly targetIp: number;
}

/** Anything else: an EtherType and what follows it. */
interface RawSpec {
  readonly kind: 'raw';
  readonly etherType: number;
  readonly payload?: Uint8Array | number;
}

/** One frame. */
export interface FrameSpec {
  readonly dst: MacAddr;
  readonly src: MacAddr;
  /** Outermost first. */
  readonly tags?: readonly VlanSpec[];
  readonly net: Ipv4Spec | Ipv6Spec | ArpSpec | RawSpec;
  /**
   * Bytes of the whole frame, without FCS, at least 60. A payload that was not given grows to fill
   * it; behind one that was given, zeros pad the frame. Without this the frame is as long as it
   * needs to be, but never under 60.
   */
  readonly frameLenBytes?: number;
}

/**
 * Builds the frame.
 *
 * @returns the frame's bytes, without FCS, at least 60
 * @throws RangeRefused when `frameLenBytes`, or an address, port, length or field, cannot be
 */
export function buildFrame(spec: FrameSpec): Uint8Array {
  const tags = spec.tags ?? [];
  const l2Len = ETH_HLEN + VLAN_HLEN * tags.length;
  if (spec.frameLenBytes !== undefined) {
    checkInt('frameLenBytes', spec.frameLenBytes, ETH_ZLEN, FRAME_LEN_MAX);
  }
  const room = spec.frameLenBytes === undefined ? undefined : spec.frameLenBytes - l2Len;
  const packet = buildNet(spec.net, room);
  const frameLen = spec.frameLenBytes ?? Math.max(ETH_ZLEN, l2Len + packet.length);
  if (l2Len + packet.length > frameLen) {
    const allowed = `${l2Len + packet.length} to ${FRAME_LEN_MAX} with these headers and payload`;
    throw new RangeRefused('frameLenBytes', frameLen, allowed);
  }
  const frame = new Uint8Array(frameLen);
  writeL2(new DataView(frame.buffer), spec, tags);
  frame.set(packet, l2Len);
  return frame;
}

function buildNet(net: FrameSpec['net'], room: number | undefined): Uint8Array {
  switch (net.kind) {
    case 'ipv4':
      return buildIpv4(net, room);
    case 'ipv6':
      return buildIpv6(net, room);
    case 'arp':
      return buildArp(net);
    case 'raw':
      return payloadBytes(net.payload, room ?? 0);
  }
}

function writeL2(view: DataView, spec: FrameSpec, tags: readonly VlanSpec[]): void {
  setEthDst(view, 0, spec.dst.hi16, spec.dst.lo32);
  setEthSrc(view, 0, spec.src.hi16, spec.src.lo32);
  tags.forEach((tag, i) => {
    const pcp = checkInt('tags.pcp', tag.pcp ?? 0, 0, 7);
    const vid = checkInt('tags.vid', tag.vid, 0, 4095);
    const tci = makeTci(pcp, tag.dei ?? false, vid);
    setVlanTag(view, VLAN_OFFSET + VLAN_HLEN * i, tag.tpid ?? ETH_P_8021Q, tci);
  });
  setEthType(view, VLAN_HLEN * tags.length, etherTypeOf(spec.net));
}

function etherTypeOf(net: FrameSpec['net']): number {
  if (net.kind === 'raw') return net.etherType;
  if (net.kind === 'arp') return ETH_P_ARP;
  return net.kind === 'ipv4' ? ETH_P_IP : ETH_P_IPV6;
}

function buildArp(arp: ArpSpec): Uint8Array {
  const bytes = new Uint8Array(ARP_LEN);
  const view = new DataView(bytes.buffer);
  const target = arp.targetMac ?? { hi16: 0, lo32: 0 };
  setArpOp(view, 0, arp.reply ? ARPOP_REPLY : ARPOP_REQUEST);
  setArpSender(view, 0, arp.senderMac.hi16, arp.senderMac.lo32, arp.senderIp);
  setArpTarget(view, 0, target.hi16, target.lo32, arp.targetIp);
  return bytes;
}
