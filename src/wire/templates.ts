/**
 * The frames a generator sends. One frame for each protocol and length is built in full; the frame
 * of a flow is a copy in which address, port and checksums are exchanged, so that a million flows
 * take a fraction of a second.
 *
 * Who sends: MAC 02:00:00:00:00:fe for all; flow f comes from 10.1.0.0 + f (IPv6: fd00:0:0:1:: + f),
 * port 49152 + f mod 16384, ICMP id f mod 65536. UDP goes to port 9 (discard), TCP to port 80.
 */
import { buildFrame, type FrameSpec, type VlanSpec } from './build.ts';
import type { BodySpec } from './buildIp.ts';
import { csumReplace2, csumReplace4 } from './checksum.ts';
import { ETH_HLEN, ETH_P_8021AD, ETH_P_8021Q, type MacAddr } from './eth.ts';
import { SIZE_MAX } from './quantities.ts';
import type { TrafficProto, TrafficSpec } from './trafficSpec.ts';
import { VLAN_HLEN } from './vlan.ts';

const SRC_MAC: MacAddr = { hi16: 0x0200, lo32: 0xfe };
const SRC_IP = 0x0a01_0000;
/** The dynamic ports: no dissector takes their payload for a protocol. @spec RFC 6335 §6 */
const SRC_PORT = 49_152;
const SRC_PORTS = 65536 - SRC_PORT;
const UDP_DISCARD = 9;
const TCP_HTTP = 80;
const ARP_LEN = 28;
const ARP_SENDER_IP = 14;
const IPV4_LEN = 20;
const IPV4_CHECK = 10;
const IPV4_SRC = 12;
const IPV6_LEN = 40;
/** Last word of the source address, the only one that differs from flow to flow. */
const IPV6_SRC_LOW = 20;
const UDP_CHECK = 6;
const TCP_CHECK = 16;
const ICMP_CHECK = 2;
const ICMP_ID = 4;

/** Payload of every frame, cut to length: made once, since a range of sizes makes many frames. */
const PATTERN: Uint8Array = Uint8Array.from({ length: SIZE_MAX }, (_, i) => i & 0xff);

const L3_L4_LEN: Readonly<Record<TrafficProto, number>> = {
  udp: IPV4_LEN + 8,
  tcp: IPV4_LEN + 20,
  icmp: IPV4_LEN + 8,
  arp: ARP_LEN,
  udp6: IPV6_LEN + 8,
  tcp6: IPV6_LEN + 20,
};

/** Bytes that the headers of a frame take, tags included, without FCS. */
export const headersLen = (proto: TrafficProto, tags: number): number =>
  ETH_HLEN + VLAN_HLEN * tags + L3_L4_LEN[proto];

/** The frames of one protocol and length, of any flow. */
export class FrameStamp {
  private readonly proto: TrafficProto;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly l3: number;
  private readonly l4: number;
  /** Checksums of flow 0. */
  private readonly ipCheck: number;
  private readonly l4Check: number;
  private readonly l4CheckAt: number;

  /** @param lenBytes without FCS, at least 60 and what the headers need */
  constructor(proto: TrafficProto, lenBytes: number, spec: TrafficSpec) {
    this.proto = proto;
    this.bytes = buildFrame(frameSpec(proto, lenBytes, spec));
    this.view = new DataView(this.bytes.buffer);
    this.l3 = ETH_HLEN + VLAN_HLEN * spec.vlan.length;
    this.l4 = this.l3 + (proto === 'udp6' || proto === 'tcp6' ? IPV6_LEN : IPV4_LEN);
    this.l4CheckAt = this.l4 + l4CheckOffset(proto);
    this.ipCheck = this.view.getUint16(this.l3 + IPV4_CHECK);
    this.l4Check = this.view.getUint16(this.l4CheckAt);
  }

  /** The frame of a flow; the bytes are good until the next call. @param flow 0 to 2^20 - 1 */
  frameOf(flow: number): Uint8Array {
    switch (this.proto) {
      case 'udp':
      case 'tcp':
        this.stampPort(flow, this.stampIpv4(flow));
        break;
      case 'udp6':
      case 'tcp6':
        this.view.setUint32(this.l3 + IPV6_SRC_LOW, flow);
        this.stampPort(flow, csumReplace4(this.l4Check, 0, flow));
        break;
      case 'icmp':
        this.stampIpv4(flow);
        this.view.setUint16(this.l4 + ICMP_ID, flow & 0xffff);
        this.view.setUint16(this.l4CheckAt, csumReplace2(this.l4Check, 0, flow & 0xffff));
        break;
      case 'arp':
        this.view.setUint32(this.l3 + ARP_SENDER_IP, SRC_IP + flow);
    }
    return this.bytes;
  }

  /** @returns the transport checksum with the new pseudo-header, the ports still those of flow 0 */
  private stampIpv4(flow: number): number {
    const src = SRC_IP + flow;
    this.view.setUint32(this.l3 + IPV4_SRC, src);
    this.view.setUint16(this.l3 + IPV4_CHECK, csumReplace4(this.ipCheck, SRC_IP, src));
    return csumReplace4(this.l4Check, SRC_IP, src);
  }

  private stampPort(flow: number, check: number): void {
    const port = portOf(flow);
    this.view.setUint16(this.l4, port);
    const withPort = csumReplace2(check, SRC_PORT, port);
    const isUdp = this.proto === 'udp' || this.proto === 'udp6';
    this.view.setUint16(this.l4CheckAt, withPort === 0 && isUdp ? 0xffff : withPort);
  }
}

const portOf = (flow: number): number => SRC_PORT + (flow % SRC_PORTS);

function l4CheckOffset(proto: TrafficProto): number {
  if (proto === 'tcp' || proto === 'tcp6') return TCP_CHECK;
  return proto === 'icmp' ? ICMP_CHECK : UDP_CHECK;
}

function frameSpec(proto: TrafficProto, frameLenBytes: number, spec: TrafficSpec): FrameSpec {
  const tags = spec.vlan.map((vid, i): VlanSpec => {
    const isService = i < spec.vlan.length - 1;
    return { vid, tpid: isService ? ETH_P_8021AD : ETH_P_8021Q };
  });
  const payload = PATTERN.subarray(0, frameLenBytes - headersLen(proto, tags.length));
  const isArp = proto === 'arp';
  const dst: MacAddr = isArp ? { hi16: 0xffff, lo32: 0xffff_ffff } : spec.dstMac;
  return { dst, src: SRC_MAC, tags, net: netSpec(proto, spec, payload), frameLenBytes };
}

function netSpec(proto: TrafficProto, spec: TrafficSpec, payload: Uint8Array): FrameSpec['net'] {
  if (proto === 'arp') {
    return { kind: 'arp', senderMac: SRC_MAC, senderIp: SRC_IP, targetIp: spec.dstIp };
  }
  const body = bodySpec(proto, payload);
  if (proto === 'udp6' || proto === 'tcp6') {
    return { kind: 'ipv6', src: srcIp6(), dst: spec.dstIp6, body };
  }
  return { kind: 'ipv4', src: SRC_IP, dst: spec.dstIp, dontFragment: true, body };
}

function bodySpec(proto: Exclude<TrafficProto, 'arp'>, payload: Uint8Array): BodySpec {
  if (proto === 'icmp') return { kind: 'echo', id: 0, payload };
  const isTcp = proto === 'tcp' || proto === 'tcp6';
  return isTcp
    ? { kind: 'tcp', srcPort: SRC_PORT, dstPort: TCP_HTTP, payload }
    : { kind: 'udp', srcPort: SRC_PORT, dstPort: UDP_DISCARD, payload };
}

/** fd00:0:0:1::, to which a flow adds its number. */
function srcIp6(): Uint8Array {
  const addr = new Uint8Array(16);
  addr[0] = 0xfd;
  addr[7] = 1;
  return addr;
}
