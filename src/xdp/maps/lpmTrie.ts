/**
 * Longest prefix match: a binary trie whose nodes skip the bits that all below them share.
 *
 * A key is a prefix length and the bits, first bit highest. A node without a value of its own (an
 * intermediate one) has exactly two children. Data words are kept byte-swapped, so that the first
 * bit is the highest of the word and the length of a match is a count of leading zeros.
 *
 *   node   +0 child for bit 0 | +4 child for bit 1 | +8 prefix length | +12 1: intermediate
 *          +16 data, padded to 8 | value
 *
 * @linux struct lpm_trie; kernel/bpf/lpm_trie.c
 */
import { EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from '../../host/errno.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { BpfMap, copyBytes } from './bpfMap.ts';
import { ElemSlab, onDemandElems } from './elemSlab.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { BPF_EXIST, BPF_NOEXIST } from './uapi.ts';

/** Indices of a node's words; its children come first. */
const PREFIX_LEN = 2;
const INTERMEDIATE = 3;
const DATA = 4;
const NODE_HEAD_BYTES = 16;
/** The link to the root, in the map's struct, so that every link is a word of host memory. */
const ROOT_LINK = 40;
/** Bytes of a key's prefix length. */
const PREFIX_BYTES = 4;

/** Bytes of one node. */
export const lpmNodeBytes = (def: MapDef): number =>
  NODE_HEAD_BYTES + round8(def.keySize - PREFIX_BYTES) + round8(def.valueSize);

/** A value may need an intermediate node above it; an update needs the new node beside the old. */
export const lpmNodesMax = (def: MapDef): number => 2 * def.maxEntries;

const swap = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);

export class LpmTrie extends BpfMap {
  private readonly words: HostWords;
  private readonly nodes: ElemSlab;
  private readonly dataBytes: number;
  private readonly dataWords: number;
  private readonly maxPrefixLen: number;
  private readonly valueAt: number;
  private readonly rootLink: HostAddr;
  private count = 0;
  /** The key that `loadKey` read, its data byte-swapped. */
  private readonly data: Int32Array;
  private prefixLen = 0;
  /** Where `descend` ended: the link it stopped at, the one above, and how many bits agreed. */
  private link: HostAddr = 0;
  private linkAbove: HostAddr = 0;
  private matched = 0;

  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.words = bpf.mem.words;
    this.dataBytes = def.keySize - PREFIX_BYTES;
    this.dataWords = Math.ceil(this.dataBytes / 4);
    this.maxPrefixLen = this.dataBytes * 8;
    this.valueAt = NODE_HEAD_BYTES + round8(this.dataBytes);
    this.data = new Int32Array(this.dataWords);
    const elem = { bytes: lpmNodeBytes(def), keyAt: -1, valueAt: this.valueAt };
    const room = onDemandElems(lpmNodesMax(def), elem.bytes);
    this.nodes = new ElemSlab(bpf.mem, bpf.arena, def, elem, room);
    this.rootLink = handle + ROOT_LINK;
    this.words[this.rootLink >> 2] = 0;
  }

  protected override destroy(): void {
    this.nodes.destroy();
  }

  /** The value of the longest prefix that covers the key. @linux trie_lookup_elem */
  override lookupElem(key: HostAddr): HostAddr {
    if (this.loadKey(key) > this.maxPrefixLen) return 0;
    const words = this.words;
    let found = 0;
    let node = words[this.rootLink >> 2]!;
    while (node !== 0) {
      const at = node >> 2;
      const len = words[at + PREFIX_LEN]!;
      if (this.matchLen(at, len) < len) break;
      if (words[at + INTERMEDIATE] === 0) found = node;
      if (len === this.maxPrefixLen) break;
      node = words[at + this.bit(len)]!;
    }
    return found === 0 ? 0 : found + this.valueAt;
  }

  /** @linux trie_update_elem */
  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    if (flags >>> 0 > BPF_EXIST || this.loadKey(key) > this.maxPrefixLen) return -EINVAL;
    const node = this.descend();
    const len = node === 0 ? -1 : this.words[(node >> 2) + PREFIX_LEN]!;
    const exact = len === this.matched && node !== 0;
    const present = exact && this.words[(node >> 2) + INTERMEDIATE] === 0;
    if (present && flags === BPF_NOEXIST) return -EEXIST;
    if (!present && flags === BPF_EXIST) return -ENOENT;
    if (!present && this.count === this.maxEntries) return -ENOSPC;
    const fresh = this.newNode(this.prefixLen, 0);
    if (fresh === 0) return -ENOMEM;
    copyBytes(this.mem, fresh + this.valueAt, value, this.valueSize);
    if (exact) this.replace(node, fresh);
    else if (node !== 0 && !this.insertAbove(node, fresh)) {
      this.nodes.release(fresh);
      return -ENOMEM;
    } else if (node === 0) this.words[this.link >> 2] = fresh;
    if (!present) this.count++;
    return 0;
  }

  /** @linux trie_delete_elem */
  override deleteElem(key: HostAddr): number {
    if (this.loadKey(key) > this.maxPrefixLen) return -EINVAL;
    const node = this.descend();
    const words = this.words;
    const at = node >> 2;
    const here = node !== 0 && words[at + PREFIX_LEN] === this.prefixLen;
    if (!here || this.matched !== this.prefixLen || words[at + INTERMEDIATE] !== 0) return -ENOENT;
    this.count--;
    if (words[at] !== 0 && words[at + 1] !== 0) {
      words[at + INTERMEDIATE] = 1;
      return 0;
    }
    const child = words[at]! || words[at + 1]!;
    words[this.link >> 2] = child;
    if (child === 0) this.dropLoneParent();
    this.nodes.release(node);
    return 0;
  }

  /** More specific prefixes come before the one that covers them. @linux trie_get_next_key */
  override getNextKey(key: HostAddr, next: HostAddr): number {
    const root = this.words[this.rootLink >> 2]!;
    if (root === 0) return -ENOENT;
    const path = key === 0 ? [] : this.pathTo(key);
    const node = path.length === 0 ? this.deepest(root) : this.after(path);
    if (node === 0) return -ENOENT;
    const at = node >> 2;
    for (let i = 0; i < this.dataWords; i++)
      this.words[(next >> 2) + 1 + i] = swap(this.words[at + DATA + i]!);
    this.words[next >> 2] = this.words[at + PREFIX_LEN]!;
    return 0;
  }

  /** Keep the key for what follows. @returns its prefix length, unsigned */
  private loadKey(key: HostAddr): number {
    const at = (key & 3) === 0 && (this.dataBytes & 3) === 0 ? key : this.paddedKey(key);
    const words = this.words;
    const from = (at >> 2) + 1;
    for (let i = 0; i < this.dataWords; i++) this.data[i] = swap(words[from + i]!);
    this.prefixLen = words[at >> 2]! >>> 0;
    return this.prefixLen;
  }

  private paddedKey(key: HostAddr): HostAddr {
    const at = this.bpf.scratch.nextKey;
    this.words[(at >> 2) + this.dataWords] = 0;
    this.mem.copy(at, key, this.keySize);
    return at;
  }

  /** Leading bits that node and key share, at most the shorter prefix. @linux longest_prefix_match */
  private matchLen(at: number, nodeLen: number): number {
    const limit = nodeLen < this.prefixLen ? nodeLen : this.prefixLen;
    for (let i = 0, end = 32; ; i++, end += 32) {
      const diff = this.words[at + DATA + i]! ^ this.data[i]!;
      if (diff !== 0) {
        const len = end - 32 + Math.clz32(diff);
        return len < limit ? len : limit;
      }
      if (end >= limit) return limit;
    }
  }

  /** Bit number `i` of the key. */
  private bit(i: number): number {
    return (this.data[i >> 5]! >>> (31 - (i & 31))) & 1;
  }

  /**
   * Walk down to the key's own node, to the node that parts from the key, or to the empty link
   * where it belongs.
   *
   * @returns the node at `link`, or 0
   */
  private descend(): HostAddr {
    const words = this.words;
    this.link = this.rootLink;
    this.linkAbove = 0;
    for (;;) {
      const node = words[this.link >> 2]!;
      if (node === 0) return 0;
      const len = words[(node >> 2) + PREFIX_LEN]!;
      this.matched = this.matchLen(node >> 2, len);
      if (len !== this.matched || len === this.prefixLen) return node;
      this.linkAbove = this.link;
      this.link = node + 4 * this.bit(len);
    }
  }

  private newNode(prefixLen: number, intermediate: number): HostAddr {
    const node = this.nodes.alloc();
    if (node === 0) return 0;
    const words = this.words;
    const at = node >> 2;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + PREFIX_LEN] = prefixLen;
    words[at + INTERMEDIATE] = intermediate;
    for (let i = 0; i < this.dataWords; i++) words[at + DATA + i] = this.data[i]!;
    return node;
  }

  /** `fresh` takes the place of the node with the same prefix. */
  private replace(node: HostAddr, fresh: HostAddr): void {
    const words = this.words;
    words[fresh >> 2] = words[node >> 2]!;
    words[(fresh >> 2) + 1] = words[(node >> 2) + 1]!;
    words[this.link >> 2] = fresh;
    this.nodes.release(node);
  }

  /**
   * `fresh` goes above `node` when its prefix covers it, else beside it under a new intermediate
   * node.
   *
   * @returns false: no memory
   */
  private insertAbove(node: HostAddr, fresh: HostAddr): boolean {
    const words = this.words;
    const at = this.matched;
    const nodeBit = (words[(node >> 2) + DATA + (at >> 5)]! >>> (31 - (at & 31))) & 1;
    let top = fresh;
    if (at !== this.prefixLen) {
      top = this.newNode(at, 1);
      if (top === 0) return false;
      words[(top >> 2) + 1 - nodeBit] = fresh;
    }
    words[(top >> 2) + nodeBit] = node;
    words[this.link >> 2] = top;
    return true;
  }

  /** An intermediate node that lost a child makes room for the other. */
  private dropLoneParent(): void {
    if (this.linkAbove === 0) return;
    const words = this.words;
    const parent = words[this.linkAbove >> 2]!;
    if (words[(parent >> 2) + INTERMEDIATE] === 0) return;
    words[this.linkAbove >> 2] = words[parent >> 2]! || words[(parent >> 2) + 1]!;
    this.nodes.release(parent);
  }

  /** The nodes from the root to the key's own; none when it is not there. */
  private pathTo(key: HostAddr): HostAddr[] {
    if (this.loadKey(key) > this.maxPrefixLen) return [];
    const words = this.words;
    const path: HostAddr[] = [];
    let node = words[this.rootLink >> 2]!;
    while (node !== 0) {
      path.push(node);
      const len = words[(node >> 2) + PREFIX_LEN]!;
      if (this.matchLen(node >> 2, len) !== len) return [];
      if (len === this.prefixLen) return words[(node >> 2) + INTERMEDIATE] === 0 ? path : [];
      node = words[(node >> 2) + this.bit(len)]!;
    }
    return [];
  }

  /** The value after the last node of `path`, or 0. */
  private after(path: HostAddr[]): HostAddr {
    const words = this.words;
    let node = path.pop()!;
    for (let parent = path.pop(); parent !== undefined; parent = path.pop()) {
      const at = parent >> 2;
      if (words[at] === node && words[at + 1] !== 0) return this.deepest(words[at + 1]!);
      if (words[at + INTERMEDIATE] === 0) return parent;
      node = parent;
    }
    return 0;
  }

  /** The first node of a subtree in the order of iteration: down to a leaf, by 0 where there is one. */
  private deepest(node: HostAddr): HostAddr {
    let leaf = node;
    for (let at = node; at !== 0; at = this.words[at >> 2]! || this.words[(at >> 2) + 1]!)
      leaf = at;
    return leaf;
  }
}
