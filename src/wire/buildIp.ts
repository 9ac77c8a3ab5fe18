/** IPv4 and IPv6 packets from a plain description; a packet's body may be a packet again. */
import { RangeRefused } from '../host/errors.ts';
import { buildL4, checkedOptions, type L4Spec, protoOf, type PseudoSum } from './buildL4.ts';
import { checkInt } from './checkInt.ts';
import { csumIpv6Nofold, csumTcpudpNofold } from './checksum.ts';
import { IPPROTO_IPIP, IPPROTO_IPV6 } from './ip.ts';
import {
  IP_DF,
  IP_MF,
  IPV4_HLEN_MIN,
  setIpv4HeaderLen,
  updateIpv4Check,
  writeIpv4,
} from './ipv4.ts';
import { IPV6_ADDRS, IPV6_HLEN, setIpv6Class, writeIpv6 } from './ipv6.ts';

/** What a packet carries: a transport or, for a tunnel, another packet. */
export type BodySpec = L4Spec | Ipv4Spec | Ipv6Spec;

/** An IPv4 packet; addresses are numbers below 2^32. */
export interface Ipv4Spec {
  readonly kind: 'ipv4';
  readonly src: number;
  readonly dst: number;
  readonly body: BodySpec;
  readonly tos?: number;
  readonly id?: number;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** A multiple of 8. */
  readonly fragOffsetBytes?: number;
  readonly options?: Uint8Array;
}

/** One extension header: its number and its bytes, of which the first is filled in. */
interface Ipv6ExtSpec {
  readonly proto: number;
  readonly bytes: Uint8Array;
}

/** An IPv6 packet; addresses are 16 bytes. */
export interface Ipv6Spec {
  readonly kind: 'ipv6';
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly body: BodySpec;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  readonly hopLimit?: number;
  readonly extensions?: readonly Ipv6ExtSpec[];
}

const TTL_DEFAULT = 64;

/** Builds the packet; `room` as in `buildL4`, for the packet as a whole. */
export function buildIpv4(ip: Ipv4Spec, room: number | undefined): Uint8Array {
  const options = checkedOptions(ip.options);
  const hlen = IPV4_HLEN_MIN + options.length;
  const src = checkInt('src', ip.src, 0, 0xffff_ffff);
  const dst = checkInt('dst', ip.dst, 0, 0xffff_ffff);
  const pseudo: PseudoSum = (proto, len) => csumTcpudpNofold(src, dst, len, proto, 0);
  const body = buildBody(ip.body, 4, room === undefined ? undefined : room - hlen, pseudo);
  const total = checkInt('IPv4 total length', hlen + body.length, hlen, 0xffff);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes.set(options, IPV4_HLEN_MIN);
  bytes.set(body, hlen);
  const id = checkInt('id', ip.id ?? 0, 0, 0xffff);
  const ttl = checkInt('ttl', ip.ttl ?? TTL_DEFAULT, 0, 255);
  const tos = checkInt('tos', ip.tos ?? 0, 0, 255);
  writeIpv4(view, 0, tos, total, id, fragWord(ip), ttl, bodyProto(ip.body, 4), src, dst);
  setIpv4HeaderLen(view, 0, hlen);
  updateIpv4Check(view, 0);
  return bytes;
}

function fragWord(ip: Ipv4Spec): number {
  const units = (ip.fragOffsetBytes ?? 0) / 8;
  checkInt('fragOffsetBytes, in units of 8', units, 0, 0x1fff);
  return (ip.dontFragment ? IP_DF : 0) | (ip.moreFragments ? IP_MF : 0) | units;
}

/** Builds the packet; `room` as in `buildL4`, for the packet as a whole. */
export function buildIpv6(ip: Ipv6Spec, room: number | undefined): Uint8Array {
  const extensions = ip.extensions ?? [];
  const extLen = extensions.reduce((sum, ext) => sum + ext.bytes.length, 0);
  const hlen = IPV6_HLEN + extLen;
  const addrs = new Uint8Array(32);
  addrs.set(checkedAddr('src', ip.src), 0);
  addrs.set(checkedAddr('dst', ip.dst), 16);
  const addrView = new DataView(addrs.buffer);
  const pseudo: PseudoSum = (proto, len) => csumIpv6Nofold(addrView, 0, len, proto, 0);
  const body = buildBody(ip.body, 6, room === undefined ? undefined : room - hlen, pseudo);
  const payloadLen = checkInt('IPv6 payload length', extLen + body.length, 0, 0xffff);
  const bytes = new Uint8Array(hlen + body.length);
  const view = new DataView(bytes.buffer);
  const first = writeExtensions(bytes, extensions, bodyProto(ip.body, 6));
  const tclass = checkInt('trafficClass', ip.trafficClass ?? 0, 0, 255);
  const hops = checkInt('hopLimit', ip.hopLimit ?? TTL_DEFAULT, 0, 255);
  writeIpv6(view, 0, tclass, payloadLen, first, hops);
  setIpv6Class(view, 0, tclass, checkInt('flowLabel', ip.flowLabel ?? 0, 0, 0xf_ffff));
  bytes.set(addrs, IPV6_ADDRS);
  bytes.set(body, hlen);
  return bytes;
}

function checkedAddr(what: string, addr: Uint8Array): Uint8Array {
  if (addr.length !== 16) throw new RangeRefused(`${what}, in bytes`, addr.length, '16');
  return addr;
}

// Each header names the next one, so the chain is written from its end.
function writeExtensions(
  bytes: Uint8Array,
  extensions: readonly Ipv6ExtSpec[],
  body: number,
): number {
  let end = IPV6_HLEN + extensions.reduce((sum, ext) => sum + ext.bytes.length, 0);
  return extensions.reduceRight((next, ext) => {
    end -= ext.bytes.length;
    bytes.set(ext.bytes, end);
    bytes[end] = next;
    return checkInt('extension proto', ext.proto, 0, 255);
  }, body);
}

function buildBody(
  body: BodySpec,
  version: 4 | 6,
  room: number | undefined,
  pseudo: PseudoSum,
): Uint8Array {
  if (body.kind === 'ipv4') return buildIpv4(body, room);
  if (body.kind === 'ipv6') return buildIpv6(body, room);
  return buildL4(body, version, room, pseudo);
}

function bodyProto(body: BodySpec, version: 4 | 6): number {
  if (body.kind === 'ipv4') return IPPROTO_IPIP;
  return body.kind === 'ipv6' ? IPPROTO_IPV6 : protoOf(body, version);
}
