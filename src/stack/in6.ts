/**
 * IPv6 addresses as four words, the first the highest; an IPv4 address is the fourth word alone.
 *
 * @linux struct in6_addr; include/uapi/linux/in6.h. include/net/ipv6.h
 */
/** Each word is an unsigned 32-bit number. */
export class In6Addr {
  w0: number;
  w1: number;
  w2: number;
  w3: number;

  constructor(w0: number = 0, w1: number = 0, w2: number = 0, w3: number = 0) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }

  set(w0: number, w1: number, w2: number, w3: number): void {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }

  /** From the 16 bytes at `at`. */
  read(view: DataView, at: number): void {
    this.set(
      view.getUint32(at),
      view.getUint32(at + 4),
      view.getUint32(at + 8),
      view.getUint32(at + 12),
    );
  }

  copy(from: In6Addr): void {
    this.set(from.w0, from.w1, from.w2, from.w3);
  }

  equals(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.w3 === w3 && this.w2 === w2 && this.w1 === w1 && this.w0 === w0;
  }

  get isAny(): boolean {
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 0;
  }
}

export const in6IsMulticast = (w0: number): boolean => w0 >>> 24 === 0xff;
const in6IsLinkLocal = (w0: number): boolean => w0 >>> 22 === 0x3fa;

/** Does such an address exist on every link, so that the device must be known too? */
export const in6IsLinkScoped = (w0: number): boolean => in6IsMulticast(w0) || in6IsLinkLocal(w0);

/** Write the 16 bytes at `at`. */
export function writeIn6(view: DataView, at: number, addr: In6Addr): void {
  view.setUint32(at, addr.w0);
  view.setUint32(at + 4, addr.w1);
  view.setUint32(at + 8, addr.w2);
  view.setUint32(at + 12, addr.w3);
}

export const in6Equal = (a: In6Addr, b: In6Addr): boolean => a.equals(b.w0, b.w1, b.w2, b.w3);

/** `::ffff:a.b.c.d`: an IPv4 address in IPv6's clothes. @linux ipv6_addr_v4mapped */
export const in6IsV4mapped = ({ w0, w1, w2 }: In6Addr): boolean =>
  w0 === 0 && w1 === 0 && w2 === 0xffff;

/** Do two addresses agree in their first `bits`? @linux ipv6_prefix_equal */
export const in6SamePrefix = (a: In6Addr, b: In6Addr, bits: number): boolean =>
  sameBits(a.w0, b.w0, bits) &&
  sameBits(a.w1, b.w1, bits - 32) &&
  sameBits(a.w2, b.w2, bits - 64) &&
  sameBits(a.w3, b.w3, bits - 96);

const sameBits = (a: number, b: number, bits: number): boolean =>
  bits <= 0 || (bits >= 32 ? a === b : (a ^ b) >>> (32 - bits) === 0);
