/** Addresses with the length of their subnet's prefix, as `ip addr` takes them. */
import { parseIpv4Addr } from '../wire/ipv4.ts';
import { parseIpv6Addr } from '../wire/ipv6Text.ts';
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
  const bytes = parseIpv6Addr(addr);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const words = [0, 4, 8, 12].map((at) => view.getUint32(at));
  const [w0, w1, w2, w3] = words as [number, number, number, number];
  const loopback = w0 === 0 && w1 === 0 && w2 === 0 && w3 <= 1;
  if (w0 >>> 24 === 0xff || loopback) throw new Refusal(`${text} is no address of one host`);
  return [[w0, w1, w2, w3], len];
}

function halves(text: string, max: number, fallback: number): [string, number] {
  const slash = text.indexOf('/');
  if (slash < 0) return [text, fallback];
  const len = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(len) || Number(len) > max)
    throw new Refusal(`${text}: a prefix of ${len} bits is out of range (0 to ${max})`);
  return [text.slice(0, slash), Number(len)];
}
