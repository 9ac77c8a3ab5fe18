/**
 * The Internet checksum: one's-complement sums of 16-bit big-endian words.
 *
 * A running sum is an ordinary non-negative number below 2^32 that has not been folded yet; where a
 * block starts at an even offset of what is summed, sums of blocks may simply be chained. Names
 * follow the kernel's; unlike there, words and addresses are in host order, as the accessors give
 * them.
 *
 * @spec RFC 1071, RFC 1624
 * @linux include/net/checksum.h, include/asm-generic/checksum.h
 */
const MAX_BLOCK = 0x8000;

/**
 * Folds a running sum to 16 bits, end-around carries included.
 *
 * @linux csum_from32to16
 */
export function csumFrom32to16(sum: number): number {
  sum = (sum >>> 16) + (sum & 0xffff);
  sum = (sum >>> 16) + (sum & 0xffff);
  return sum;
}

/**
 * The checksum field for a running sum: folded and complemented. Over bytes that contain their own
 * checksum the result is 0 exactly when that checksum is right.
 *
 * @linux csum_fold
 */
export const csumFold = (sum: number): number => ~csumFrom32to16(sum) & 0xffff;

/**
 * Adds `len` bytes to a running sum; an odd last byte counts as the high half of its word.
 *
 * @returns the running sum, below 2^32
 * @linux csum_partial
 */
export function csumPartial(view: DataView, at: number, len: number, sum: number): number {
  while (len > MAX_BLOCK) {
    sum = blockSum(view, at, MAX_BLOCK, csumFrom32to16(sum));
    at += MAX_BLOCK;
    len -= MAX_BLOCK;
  }
  return blockSum(view, at, len, csumFrom32to16(sum));
}

// High and low halves are summed apart: over one block neither sum can pass 2^30, so nothing is
// carried or rounded, and `| 0` tells the compiler that it need not look for it.
function blockSum(view: DataView, at: number, len: number, sum: number): number {
  const end = at + len;
  let hi = sum;
  let lo = 0;
  let p = at;
  for (; p + 16 <= end; p += 16) {
    const a = view.getInt32(p);
    const b = view.getInt32(p + 4);
    const c = view.getInt32(p + 8);
    const d = view.getInt32(p + 12);
    hi = (hi + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    lo = (lo + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
  }
  for (; p + 2 <= end; p += 2) hi += view.getUint16(p);
  if (p < end) hi += view.getUint8(p) << 8;
  return hi + lo;
}

/**
 * Adds the IPv4 pseudo-header of TCP and UDP.
 *
 * @param len bytes of transport header and data
 * @spec RFC 768, RFC 9293 §3.1
 * @linux csum_tcpudp_nofold
 */
export const csumTcpudpNofold = (
  saddr: number,
  daddr: number,
  len: number,
  proto: number,
  sum: number,
): number =>
  csumFrom32to16(sum) +
  (saddr >>> 16) +
  (saddr & 0xffff) +
  (daddr >>> 16) +
  (daddr & 0xffff) +
  len +
  proto;

/**
 * Adds the IPv6 pseudo-header; source and destination are read as they follow each other in an
 * IPv6 header.
 *
 * @param addrs address of the 16 bytes of source, followed by the 16 of destination
 * @param len bytes of upper-layer header and data
 * @spec RFC 8200 §8.1
 */
export const csumIpv6Nofold = (
  view: DataView,
  addrs: number,
  len: number,
  proto: number,
  sum: number,
): number => csumPartial(view, addrs, 32, sum) + (len >>> 16) + (len & 0xffff) + proto;

/**
 * What a sender writes into the UDP checksum field: a computed 0 goes out as 0xffff, because a 0
 * on the wire says that there is no checksum.
 *
 * @spec RFC 768; RFC 8200 §8.1
 */
export const csumUdp = (sum: number): number => csumFold(sum) || 0xffff;

/**
 * The checksum field after one 16-bit word it covers has changed.
 *
 * @spec RFC 1624 §3, equation 3
 * @linux csum_replace2
 */
export const csumReplace2 = (check: number, from: number, to: number): number =>
  csumFold((~check & 0xffff) + (~from & 0xffff) + to);

/**
 * The checksum field after an aligned 32-bit field it covers has changed.
 *
 * @spec RFC 1624 §3, equation 3
 * @linux csum_replace4
 */
export const csumReplace4 = (check: number, from: number, to: number): number =>
  csumFold((~check & 0xffff) + (~from >>> 16) + (~from & 0xffff) + (to >>> 16) + (to & 0xffff));
