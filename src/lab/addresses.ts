/** Addresses with the length of their subnet's prefix, as `ip addr` takes them. */
import { parseIpv4Addr } from '../wire/ipv4.ts';
import { parseIpv6Addr } from '../wire/ipv6Text.ts';
import type { UdpPeer } from '../machine/inetConfig.ts';
import { Refusal } from './optionKinds.ts';

/** `10.0.0.1/24`; without a length, 24. @throws Refusal, AddressError */
export function parseCidr4(text: string): readonly [addr: number, prefixLen: number] {
  const [addr, len] = halves(text, 32, 24);
  const parsed = parseIpv4Addr(addr);
  const first = parsed >>> 24;
  if (first === 0 || first === 127 || first >= 224)
    throw new Refusal(`${text} is no address of one host`);
  return [parsed, len];
}

/** `fd00::1/64`; without a length, 64. @throws Refusal, AddressError */
export function parseCidr6(
  text: string,
): readonly [addr: readonly [number, number, number, number], prefixLen: number] {
  const [addr, len] = halves(text, 128, 64);
  const words = ipv6Words(addr);
  const [w0, w1, w2, w3] = words;
  const loopback = w0 === 0 && w1 === 0 && w2 === 0 && w3 <= 1;
  if (w0 >>> 24 === 0xff || loopback) throw new Refusal(`${text} is no address of one host`);
  return [words, len];
}

/**
 * `10.0.0.0/8` or `fd00::/8`; without a length, one address.
 *
 * @returns version, four words and the length over all 128 bits: an IPv4 address is the fourth word
 * @throws Refusal, AddressError
 */
export function parseCidr(
  text: string,
): readonly [4 | 6, readonly [number, number, number, number], number] {
  if (!text.includes(':')) {
    const [addr, len] = halves(text, 32, 32);
    return [4, [0, 0, 0, parseIpv4Addr(addr)], 96 + len];
  }
  const [addr, len] = halves(text, 128, 128);
  return [6, ipv6Words(addr), len];
}

/** `10.0.0.9:4000`, `[fd00::9]:4000`. @throws Refusal, AddressError */
export function parsePeer(_place: string, text: string): UdpPeer {
  const [, addr = '', digits = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (addr === '' || port < 1 || port > 65_535)
    throw new Refusal(`${text} is no peer (as 10.0.0.9:4000 or [fd00::9]:4000, port 1 to 65535)`);
  const inner = /^\[(.*)\]$/.exec(addr)?.[1];
  if (inner === undefined) return { version: 4, addr: [0, 0, 0, parseIpv4Addr(addr)], port };
  return { version: 6, addr: ipv6Words(inner), port };
}

function ipv6Words(addr: string): [number, number, number, number] {
  const bytes = parseIpv6Addr(addr);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

function halves(text: string, max: number, fallback: number): [string, number] {
  const slash = text.indexOf('/');
  if (slash < 0) return [text, fallback];
  const len = text.slice(slash + 1);
  if (!/^\d+$/.test(len)) throw new Refusal(`${text}: no prefix length (0 to ${max}) behind the /`);
  if (Number(len) > max)
    throw new Refusal(`${text}: a prefix of ${len} bits is out of range (0 to ${max})`);
  return [text.slice(0, slash), Number(len)];
}
