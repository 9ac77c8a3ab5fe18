/**
 * A bloom filter: it knows what was never put in, and guesses about the rest.
 *
 * With BPF_F_ZERO_SEED it guesses as Linux does: the size of the bit set and the hashes are the
 * kernel's.
 *
 * @linux kernel/bpf/bloom_filter.c
 */
import { EINVAL, ENOENT, EOPNOTSUPP } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import { Rng } from '../../host/rng.ts';
import type { Bpf } from '../bpf.ts';
import { mapStorage } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import { jhash } from './jhash.ts';
import type { MapDef } from './mapDef.ts';
import { MapError } from './mapDef.ts';
import { BPF_ANY, BPF_F_ZERO_SEED } from './uapi.ts';

const DEFAULT_HASHES = 5;
const MIN_BITS = 64;
/** Above this the kernel takes all 2^32 bits, which no map memory here holds. */
const MAX_COUNTED_BITS = 2 ** 31;

const hashCount = (def: MapDef): number => (def.mapExtra ?? 0) || DEFAULT_HASHES;

/** Bits of the set: entries * hashes / ln 2, with 7/5 for 1/ln 2, as a power of two. */
export function bloomBits(def: MapDef): number {
  const product = def.maxEntries * hashCount(def);
  const bits = Math.floor(product / 5) * 7;
  if (product >= 2 ** 32 || bits > MAX_COUNTED_BITS) return 2 ** 32;
  return bits <= MIN_BITS ? MIN_BITS : 2 ** (32 - Math.clz32(bits - 1));
}

export class BloomFilterMap extends BpfMap {
  private readonly at: HostAddr;
  private readonly mask: number;
  private readonly seed: number;
  private readonly hashes: number;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    const bits = bloomBits(def);
    this.at = mapStorage(bpf, def, bits / 8);
    this.mask = bits - 1;
    this.hashes = hashCount(def);
    this.seed = (def.flags & BPF_F_ZERO_SEED) === 0 ? new Rng(this.id).int32() : 0;
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
  }

  override pushElem(value: HostAddr, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    const at = this.wordValue(value);
    const { u8 } = this.mem;
    for (let i = 0; i < this.hashes; i++) {
      const bit = this.bit(at, i);
      u8[this.at + (bit >>> 3)]! |= 1 << (bit & 7);
    }
    return 0;
  }

  /** @returns 0: perhaps it was put in; -ENOENT: it was not */
  override peekElem(value: HostAddr): number {
    const at = this.wordValue(value);
    const { u8 } = this.mem;
    for (let i = 0; i < this.hashes; i++) {
      const bit = this.bit(at, i);
      if ((u8[this.at + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return -ENOENT;
    }
    return 0;
  }

  override updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -EINVAL;
  }

  /**
   * User space asks with a value, not with a key.
   *
   * @throws MapError when it may not
   * @linux BPF_MAP_LOOKUP_ELEM
   */
  sysTest(value: Uint8Array, flags: number = 0): boolean {
    const rc = flags === 0 ? this.readable() : -EINVAL;
    if (rc !== 0) throw new MapError(this, -rc, 'lookup refused');
    return this.peekElem(this.stageValue(value)) === 0;
  }

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return -EOPNOTSUPP;
  }

  protected override copyIn(_key: HostAddr, value: HostAddr, flags: number): number {
    return this.pushElem(value, flags);
  }

  private bit(value: HostAddr, i: number): number {
    return jhash(this.mem.words, value >> 2, this.valueSize, (this.seed + i) | 0) & this.mask;
  }

  /** The value itself, or a padded copy that words can be read from. */
  private wordValue(value: HostAddr): HostAddr {
    if (((value | this.valueSize) & 3) === 0) return value;
    const at = this.bpf.scratch.value;
    this.mem.copy(at, value, this.valueSize);
    this.mem.fill(at + this.valueSize, -this.valueSize & 3, 0);
    return at;
  }
}
