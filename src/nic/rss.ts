/**
 * Receive-side scaling: the Toeplitz hash and what it is computed over.
 *
 * @spec Microsoft, Introduction to Receive Side Scaling; RSS hashing types and verification suite
 */
import { BugError } from '../host/errors.ts';
import {
  HW_HASH_INDEX_SIZE,
  HW_HASH_KEY_SIZE,
  VNIC_RSS_CFG_REQ_HASH_TYPE_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_IPV6,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6,
} from './hsi/hwrm.ts';

/** The key of the verification suite: what NICs use whose driver does not bring its own. */
export const STANDARD_HASH_KEY: Uint8Array = Uint8Array.from([
  0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
  0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
  0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
]);

/**
 * Toeplitz hash of `input`: for each set bit, the 32 key bits that start at that bit, XORed.
 *
 * @param key 40 bytes
 * @param input at most 36 bytes: addresses, then ports, in network order
 * @returns unsigned 32-bit hash
 */
export function toeplitz(key: Uint8Array, input: Uint8Array): number {
  let hash = 0;
  let window = (key[0]! << 24) | (key[1]! << 16) | (key[2]! << 8) | key[3]! | 0;
  for (let i = 0; i < input.length; i++) {
    const byte = input[i]!;
    const next = key[i + 4]!;
    for (let bit = 7; bit >= 0; bit--) {
      if ((byte >> bit) & 1) hash ^= window;
      window = (window << 1) | ((next >> bit) & 1);
    }
  }
  return hash >>> 0;
}

/** What a frame offers to the hash. Addresses and ports in network order. */
export interface HashTuple {
  /** 4, 6, or 0 for what is not IP. */
  readonly ipVersion: number;
  /** 6 TCP, 17 UDP, else addresses only. 0 on fragments. */
  readonly protocol: number;
  /** Source then destination address. */
  readonly addresses: Uint8Array;
  /** Source then destination port. */
  readonly ports: Uint8Array;
}

export interface RssHash {
  readonly hash: number;
  /** The ports took part. */
  readonly l4: boolean;
}

/** The indirection table, the key and the hash types of one VNIC. */
export class Rss {
  key: Uint8Array = STANDARD_HASH_KEY;
  hashType = 0;
  ringTable: Uint16Array = new Uint16Array(HW_HASH_INDEX_SIZE);

  configure(hashType: number, key: Uint8Array, ringTable: Uint16Array): void {
    if (key.length !== HW_HASH_KEY_SIZE || ringTable.length !== HW_HASH_INDEX_SIZE) {
      throw new BugError(
        `RSS: a key of ${key.length} bytes and a table of ${ringTable.length} entries (${HW_HASH_KEY_SIZE} and ${HW_HASH_INDEX_SIZE} wanted)`,
      );
    }
    this.hashType = hashType;
    this.key = key.slice();
    this.ringTable = ringTable.slice();
  }

  /** The hash, or null when no enabled type covers the frame. */
  hash(tuple: HashTuple): RssHash | null {
    const l4 = this.coversL4(tuple.ipVersion, tuple.protocol);
    if (!l4 && !this.coversIp(tuple.ipVersion)) return null;
    const input = new Uint8Array(tuple.addresses.length + (l4 ? 4 : 0));
    input.set(tuple.addresses);
    if (l4) input.set(tuple.ports, tuple.addresses.length);
    return { hash: toeplitz(this.key, input), l4 };
  }

  ring(hash: number): number {
    return this.ringTable[hash & (HW_HASH_INDEX_SIZE - 1)]!;
  }

  private coversIp(version: number): boolean {
    if (version === 4) return (this.hashType & VNIC_RSS_CFG_REQ_HASH_TYPE_IPV4) !== 0;
    return version === 6 && (this.hashType & VNIC_RSS_CFG_REQ_HASH_TYPE_IPV6) !== 0;
  }

  private coversL4(version: number, protocol: number): boolean {
    const tcp =
      version === 4 ? VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4 : VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6;
    const udp =
      version === 4 ? VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4 : VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6;
    const wanted = protocol === 6 ? tcp : protocol === 17 ? udp : 0;
    return version !== 0 && (this.hashType & wanted) !== 0;
  }
}
