/**
 * What all hash maps share: buckets, chains, the search for a key, and the order of iteration.
 *
 *   bucket    first element of its chain, or 0
 *   element   +0 next | +4 hash | what the kind keeps | key, padded to 8 | value right behind it
 *
 * A new element goes to the front of its chain, so that iteration meets buckets from 0 up and in
 * each the youngest first. With BPF_F_ZERO_SEED that order is Linux's; else it hangs on a seed,
 * which here comes from the map's id.
 *
 * @linux struct bpf_htab; kernel/bpf/hashtab.c
 */
import { E2BIG, EEXIST, EINVAL, ENOENT } from '../../host/errno.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';
import { Rng } from '../../host/rng.ts';
import type { Bpf } from '../bpf.ts';
import type { ElemVisitor } from './bpfMap.ts';
import { BpfMap } from './bpfMap.ts';
import { mapStorage } from './arrayMap.ts';
import { jhash } from './jhash.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { BPF_EXIST, BPF_F_LOCK, BPF_F_ZERO_SEED, BPF_NOEXIST } from './uapi.ts';

/** Index of an element's words; 0 is the next element of the chain. */
const HASH = 1;

/** Bytes of next and hash. */
export const ELEM_HEAD_BYTES = 8;

/** Number of chains for `maxEntries` elements: the power of two at or above it. */
export const bucketCount = (maxEntries: number): number =>
  2 ** Math.max(0, 32 - Math.clz32(maxEntries - 1));

export abstract class Htab extends BpfMap {
  protected readonly words: HostWords;
  protected readonly valueAt: number;
  private readonly keyAt: number;
  private readonly keyWords: number;
  /** A key that is no whole number of words must be padded before it is hashed. */
  private readonly ragged: boolean;
  private readonly buckets: HostAddr;
  private readonly mask: number;
  private readonly seed: number;

  /** @param headBytes what stands before the key, a multiple of 8 @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr, headBytes: number, userValueSize: number) {
    super(bpf, def, handle, userValueSize);
    this.words = bpf.mem.words;
    this.keyAt = headBytes;
    this.keyWords = Math.ceil(def.keySize / 4);
    this.ragged = def.keySize % 4 !== 0;
    this.valueAt = headBytes + round8(def.keySize);
    const buckets = bucketCount(def.maxEntries);
    this.mask = buckets - 1;
    this.buckets = mapStorage(bpf, def, buckets * 4);
    this.seed = (def.flags & BPF_F_ZERO_SEED) === 0 ? new Rng(this.id).int32() : 0;
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.buckets);
  }

  /** An element leaves its chain and is free. */
  protected abstract freeElem(elem: HostAddr): void;

  /** The key itself, or a copy of it that words can be read from. */
  protected wordKey(key: HostAddr): HostAddr {
    return (key & 3) === 0 && !this.ragged ? key : this.paddedKey(key);
  }

  private paddedKey(key: HostAddr): HostAddr {
    const at = this.bpf.scratch.nextKey;
    this.words[(at >> 2) + this.keyWords - 1] = 0;
    this.mem.copy(at, key, this.keySize);
    return at;
  }

  /** @param key from `wordKey` */
  protected hashOf(key: HostAddr): number {
    return jhash(this.words, key >> 2, this.keySize, this.seed);
  }

  /** The element with this key, or 0. @linux lookup_elem_raw */
  protected find(key: HostAddr, hash: number): HostAddr {
    const words = this.words;
    let elem = words[(this.buckets >> 2) + (hash & this.mask)]!;
    while (elem !== 0) {
      const at = elem >> 2;
      if (words[at + HASH] === hash && this.sameKey(at + (this.keyAt >> 2), key >> 2)) return elem;
      elem = words[at]!;
    }
    return 0;
  }

  private sameKey(a: number, b: number): boolean {
    const words = this.words;
    for (let i = 0; i < this.keyWords; i++) if (words[a + i] !== words[b + i]) return false;
    return true;
  }

  /** Find by a key that lies anywhere. @linux __htab_map_lookup_elem */
  protected lookup(key: HostAddr): HostAddr {
    const at = this.wordKey(key);
    return this.find(at, this.hashOf(at));
  }

  /** Write the key and put the element in front of its chain. */
  protected link(elem: HostAddr, key: HostAddr, hash: number): void {
    const words = this.words;
    const at = elem >> 2;
    const to = at + (this.keyAt >> 2);
    const from = key >> 2;
    for (let i = 0; i < this.keyWords; i++) words[to + i] = words[from + i]!;
    const bucket = (this.buckets >> 2) + (hash & this.mask);
    words[at + HASH] = hash;
    words[at] = words[bucket]!;
    words[bucket] = elem;
  }

  /** Take the element out of its chain. */
  protected unlink(elem: HostAddr): void {
    const words = this.words;
    let at = (this.buckets >> 2) + (words[(elem >> 2) + HASH]! & this.mask);
    while (words[at] !== elem) at = words[at]! >> 2;
    words[at] = words[elem >> 2]!;
  }

  /** Flags of an update against what is there. @linux check_flags */
  protected refused(old: HostAddr, flags: number): number {
    const how = flags & ~BPF_F_LOCK;
    if (old !== 0 && how === BPF_NOEXIST) return -EEXIST;
    return old === 0 && how === BPF_EXIST ? -ENOENT : 0;
  }

  protected static readonly FULL: number = -E2BIG;

  override deleteElem(key: HostAddr): number {
    const elem = this.lookup(key);
    if (elem === 0) return -ENOENT;
    this.unlink(elem);
    this.freeElem(elem);
    return 0;
  }

  /** The element after `key`; the first when `key` is not there (any more). @linux htab_map_get_next_key */
  override getNextKey(key: HostAddr, next: HostAddr): number {
    const elem = key === 0 ? 0 : this.lookup(key);
    let found = elem === 0 ? 0 : this.words[elem >> 2]!;
    let bucket = elem === 0 ? 0 : (this.words[(elem >> 2) + HASH]! & this.mask) + 1;
    for (; found === 0 && bucket <= this.mask; bucket++) found = this.firstOf(bucket);
    if (found === 0) return -ENOENT;
    this.mem.copy(next, found + this.keyAt, this.keySize);
    return 0;
  }

  /** Number of chains, and their first elements: what batches walk. */
  get bucketCount(): number {
    return this.mask + 1;
  }

  firstOf(bucket: number): HostAddr {
    return this.words[(this.buckets >> 2) + bucket]!;
  }

  nextOf(elem: HostAddr): HostAddr {
    return this.words[elem >> 2]!;
  }

  /** Write an element's key and value as user space reads them; for a batch. */
  readElem(elem: HostAddr, key: HostAddr, value: HostAddr): void {
    this.mem.copy(key, elem + this.keyAt, this.keySize);
    this.elemValueOut(elem, value);
  }

  /** A batch has read an element and drops it. */
  dropElem(elem: HostAddr): void {
    this.unlink(elem);
    this.freeElem(elem);
  }

  /** @linux bpf_for_each_hash_elem */
  override forEachElem(visit: ElemVisitor): number {
    let n = 0;
    for (let bucket = 0; bucket <= this.mask; bucket++) {
      let elem = this.firstOf(bucket);
      while (elem !== 0) {
        const next = this.words[elem >> 2]!;
        n++;
        if (visit(elem + this.keyAt, this.elemValue(elem)) !== 0) return n;
        elem = next;
      }
    }
    return n;
  }

  /** Where the running program finds the element's value. */
  protected elemValue(elem: HostAddr): HostAddr {
    return elem + this.valueAt;
  }

  /** All of the element's value, for user space. */
  protected elemValueOut(elem: HostAddr, into: HostAddr): void {
    this.copyMapValueOut(into, elem + this.valueAt);
  }

  protected override copyOut(key: HostAddr, into: HostAddr): number {
    const elem = this.lookup(key);
    if (elem === 0) return -ENOENT;
    this.elemValueOut(elem, into);
    return 0;
  }

  /** @linux htab_map_lookup_and_delete_elem */
  protected override takeOut(key: HostAddr, into: HostAddr): number {
    const rc = this.copyOut(key, into);
    return rc === 0 ? this.deleteElem(key) : rc;
  }

  /** A fresh element's lock and timer are unused. @linux check_and_init_map_value */
  protected initSpecial(value: HostAddr): void {
    for (const { at, bytes } of this.special) this.mem.fill(value + at, bytes, 0);
  }

  /** @returns -EINVAL for unknown flags, or for a lock that the value does not have */
  protected badFlags(flags: number): number {
    if ((flags & ~BPF_F_LOCK) >>> 0 > BPF_EXIST) return -EINVAL;
    return this.lockable(flags);
  }
}
