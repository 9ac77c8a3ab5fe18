/**
 * Which element of an LRU map goes next.
 *
 * Elements wait on doubly linked lists: free, inactive, active. New ones start inactive; a use only
 * sets an element's ref bit, and the lists are put in order when an element is needed: inactive
 * elements that were used move to the active list, active ones that were not go back, and the
 * oldest unused inactive ones are taken.
 *
 * With one set of lists for all CPUs, each CPU keeps a stock of free elements and a list of pending
 * ones, which it used since the stock was filled; with BPF_F_NO_COMMON_LRU every CPU has a set.
 *
 *   element   +8 previous | +12 next | +16 list in bits 7:0, CPU above | +20 ref
 *
 * @linux struct bpf_lru; kernel/bpf/bpf_lru_list.c
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';

/** Bytes of an element before its key: chain, hash, and what this file keeps. */
export const LRU_HEAD_BYTES = 24;

const PREV = 2;
const NEXT = 3;
const WHERE = 4;
const REF = 5;
const CPU_SHIFT = 8;
const LIST_MASK = 255;

const ACTIVE = 0;
const INACTIVE = 1;
const FREE = 2;
const LOCAL_FREE = 3;
const PENDING = 4;
const LISTS = 5;

const COMMON_SCANS = 128;
const COMMON_STOCK_MAX = 128;
const PERCPU_SCANS = 4;
const PERCPU_TAKE = 4;

/** One set of lists; their heads are elements without content. */
interface LruLists {
  readonly heads: readonly HostAddr[];
  readonly counts: number[];
  /** Where the next look at the inactive list begins. */
  rotateFrom: HostAddr;
}

/** Bytes of all list heads. */
export const lruHeadsBytes = (cpus: number): number => (2 * cpus + 1) * LISTS * LRU_HEAD_BYTES;

export class LruList {
  private readonly words: HostWords;
  private readonly bpf: Bpf;
  private readonly perCpu: boolean;
  /** One, or one for each CPU. */
  private readonly sets: LruLists[];
  /** Per CPU: its stock and its pending elements. */
  private readonly locals: LruLists[];
  private readonly nextSteal: number[];
  private readonly scans: number;
  private readonly stock: number;
  private readonly evict: (elem: HostAddr) => void;

  /**
   * @param heads `lruHeadsBytes` of memory
   * @param elems the first of `count` free elements, `elemBytes` apart
   * @param evict takes an element out of its chain
   */
  constructor(
    bpf: Bpf,
    heads: HostAddr,
    elems: { at: HostAddr; count: number; elemBytes: number },
    perCpu: boolean,
    evict: (elem: HostAddr) => void,
  ) {
    this.bpf = bpf;
    this.words = bpf.mem.words;
    this.perCpu = perCpu;
    this.evict = evict;
    this.scans = perCpu ? PERCPU_SCANS : COMMON_SCANS;
    this.stock = Math.min(Math.max(Math.floor(elems.count / bpf.cpus / 2), 1), COMMON_STOCK_MAX);
    const set = (i: number): LruLists => this.newSet(heads + i * LISTS * LRU_HEAD_BYTES);
    const cpus = Array.from({ length: bpf.cpus }, (_, cpu) => cpu);
    this.sets = perCpu ? cpus.map(set) : [set(0)];
    this.locals = perCpu ? [] : cpus.map((cpu) => set(1 + cpu));
    this.nextSteal = cpus;
    const share = Math.floor(elems.count / this.sets.length);
    for (let i = 0; i < elems.count; i++) {
      const cpu = Math.min(Math.floor(i / share), this.sets.length - 1);
      const elem = elems.at + i * elems.elemBytes;
      this.words[(elem >> 2) + WHERE] = FREE | (cpu << CPU_SHIFT);
      this.add(this.sets[cpu]!, FREE, elem);
    }
  }

  /** The element was used. @linux bpf_lru_node_set_ref */
  touch(elem: HostAddr): void {
    const ref = (elem >> 2) + REF;
    if (this.words[ref] === 0) this.words[ref] = 1;
  }

  /** A free element, another one's if there is none; 0 when all are held elsewhere. @linux bpf_lru_pop_free */
  pop(): HostAddr {
    const cpu = this.bpf.xdp.cpu.id;
    return this.perCpu ? this.popPercpu(this.sets[cpu]!) : this.popCommon(cpu);
  }

  /** An element that is in no chain any more. @linux bpf_lru_push_free */
  push(elem: HostAddr): void {
    const where = this.words[(elem >> 2) + WHERE]!;
    const cpu = where >> CPU_SHIFT;
    if ((where & LIST_MASK) === PENDING) {
      this.words[(elem >> 2) + REF] = 0;
      this.move(this.locals[cpu]!, LOCAL_FREE, elem);
    } else this.shift(this.sets[this.perCpu ? cpu : 0]!, FREE, elem);
  }

  private popPercpu(set: LruLists): HostAddr {
    this.rotate(set);
    if (this.first(set, FREE) === 0) this.shrink(set, PERCPU_TAKE, set, FREE);
    const elem = this.first(set, FREE);
    if (elem !== 0) this.shift(set, INACTIVE, elem);
    return elem;
  }

  private popCommon(cpu: number): HostAddr {
    const local = this.locals[cpu]!;
    let elem = this.first(local, LOCAL_FREE);
    if (elem === 0) {
      this.fillStock(local);
      elem = this.first(local, LOCAL_FREE);
    }
    if (elem === 0) elem = this.steal(cpu);
    if (elem === 0) return 0;
    const at = elem >> 2;
    this.words[at + WHERE] = PENDING | (cpu << CPU_SHIFT);
    this.words[at + REF] = 0;
    this.move(local, PENDING, elem);
    return elem;
  }

  /** Pending elements join the common lists, and free ones fill the stock. @linux bpf_lru_list_pop_free_to_local */
  private fillStock(local: LruLists): void {
    const set = this.sets[0]!;
    for (let elem = this.last(local, PENDING); elem !== 0; elem = this.last(local, PENDING))
      this.join(set, elem);
    this.rotate(set);
    let n = 0;
    for (; n < this.stock; n++) {
      const elem = this.first(set, FREE);
      if (elem === 0) break;
      this.leave(set, elem, local, LOCAL_FREE);
    }
    if (n < this.stock) this.shrink(set, this.stock - n, local, LOCAL_FREE);
  }

  /** From the stocks and pending elements of all CPUs in turn. */
  private steal(cpu: number): HostAddr {
    const begin = this.nextSteal[cpu]!;
    let from = begin;
    let elem = 0;
    do {
      const local = this.locals[from]!;
      elem = this.first(local, LOCAL_FREE) || this.takePending(local);
      from = (from + 1) % this.locals.length;
    } while (elem === 0 && from !== begin);
    this.nextSteal[cpu] = from;
    return elem;
  }

  /** The oldest unused pending element, else the oldest. */
  private takePending(local: LruLists): HostAddr {
    const head = local.heads[PENDING]!;
    let elem = this.words[(head >> 2) + PREV]!;
    while (elem !== head && this.words[(elem >> 2) + REF] !== 0)
      elem = this.words[(elem >> 2) + PREV]!;
    if (elem === head) elem = this.words[(head >> 2) + PREV]!;
    if (elem === head) return 0;
    this.evict(elem);
    return elem;
  }

  /** @linux __bpf_lru_list_rotate */
  private rotate(set: LruLists): void {
    if (set.counts[INACTIVE]! < set.counts[ACTIVE]!) this.rotateActive(set);
    this.rotateInactive(set);
  }

  /** From the oldest on: used ones stay active, unused ones become inactive. */
  private rotateActive(set: LruLists): void {
    const stop = this.first(set, ACTIVE);
    let elem = this.last(set, ACTIVE);
    for (let i = 0; elem !== 0 && i < this.scans; i++) {
      const before = this.before(set, ACTIVE, elem);
      this.shift(set, this.used(elem) ? ACTIVE : INACTIVE, elem);
      if (elem === stop) return;
      elem = before;
    }
  }

  /** Some of the inactive ones, where the last look ended: used ones become active. */
  private rotateInactive(set: LruLists): void {
    const head = set.heads[INACTIVE]!;
    if (this.first(set, INACTIVE) === 0) return;
    let stop = this.words[(set.rotateFrom >> 2) + NEXT]!;
    if (stop === head) stop = this.words[(head >> 2) + NEXT]!;
    let elem = set.rotateFrom;
    let before = elem;
    for (let i = 0; i < this.scans;) {
      if (elem === head) {
        elem = this.words[(head >> 2) + PREV]!;
        continue;
      }
      before = this.words[(elem >> 2) + PREV]!;
      if (this.used(elem)) this.shift(set, ACTIVE, elem);
      if (elem === stop) break;
      elem = before;
      i++;
    }
    set.rotateFrom = before;
  }

  /** Free up to `want` elements into a list. @linux __bpf_lru_list_shrink */
  private shrink(set: LruLists, want: number, to: LruLists, list: number): void {
    let taken = 0;
    let elem = this.last(set, INACTIVE);
    for (let i = 0; elem !== 0 && i < this.scans && taken < want; i++) {
      const before = this.before(set, INACTIVE, elem);
      if (this.used(elem)) this.shift(set, ACTIVE, elem);
      else {
        this.evict(elem);
        this.leave(set, elem, to, list);
        taken++;
      }
      elem = before;
    }
    if (taken !== 0) return;
    const oldest = this.last(set, INACTIVE) || this.last(set, ACTIVE);
    if (oldest === 0) return;
    this.evict(oldest);
    this.leave(set, oldest, to, list);
  }

  private used(elem: HostAddr): boolean {
    return this.words[(elem >> 2) + REF] !== 0;
  }

  /** From a CPU's pending list to a common one. @linux __bpf_lru_node_move_in */
  private join(set: LruLists, elem: HostAddr): void {
    const list = this.used(elem) ? ACTIVE : INACTIVE;
    this.words[(elem >> 2) + REF] = 0;
    set.counts[list]!++;
    this.move(set, list, elem);
  }

  /** Between the lists of a set. @linux __bpf_lru_node_move */
  private shift(set: LruLists, list: number, elem: HostAddr): void {
    const from = this.words[(elem >> 2) + WHERE]! & LIST_MASK;
    set.counts[from]!--;
    set.counts[list]!++;
    this.words[(elem >> 2) + REF] = 0;
    this.passOver(set, elem);
    this.move(set, list, elem);
  }

  /** Out of a set, to be free. @linux __bpf_lru_node_move_to_free */
  private leave(set: LruLists, elem: HostAddr, to: LruLists, list: number): void {
    this.passOver(set, elem);
    set.counts[this.words[(elem >> 2) + WHERE]! & LIST_MASK]!--;
    if (to === set) set.counts[list]!++;
    this.move(to, list, elem);
  }

  private passOver(set: LruLists, elem: HostAddr): void {
    if (set.rotateFrom === elem) set.rotateFrom = this.words[(elem >> 2) + PREV]!;
  }

  // Lists.

  private newSet(at: HostAddr): LruLists {
    const heads = Array.from({ length: LISTS }, (_, i) => at + i * LRU_HEAD_BYTES);
    for (const head of heads) {
      this.words[(head >> 2) + PREV] = head;
      this.words[(head >> 2) + NEXT] = head;
    }
    return { heads, counts: heads.map(() => 0), rotateFrom: heads[INACTIVE]! };
  }

  /** Take out of its list and put in front of another. */
  private move(set: LruLists, list: number, elem: HostAddr): void {
    const words = this.words;
    const at = elem >> 2;
    const prev = words[at + PREV]!;
    const next = words[at + NEXT]!;
    words[(prev >> 2) + NEXT] = next;
    words[(next >> 2) + PREV] = prev;
    words[at + WHERE] = (words[at + WHERE]! & ~LIST_MASK) | list;
    this.add(set, list, elem);
  }

  private add(set: LruLists, list: number, elem: HostAddr): void {
    const words = this.words;
    const head = set.heads[list]!;
    const next = words[(head >> 2) + NEXT]!;
    words[(elem >> 2) + PREV] = head;
    words[(elem >> 2) + NEXT] = next;
    words[(next >> 2) + PREV] = elem;
    words[(head >> 2) + NEXT] = elem;
  }

  private first(set: LruLists, list: number): HostAddr {
    const head = set.heads[list]!;
    const elem = this.words[(head >> 2) + NEXT]!;
    return elem === head ? 0 : elem;
  }

  private last(set: LruLists, list: number): HostAddr {
    return this.before(set, list, set.heads[list]!);
  }

  private before(set: LruLists, list: number, elem: HostAddr): HostAddr {
    const prev = this.words[(elem >> 2) + PREV]!;
    return prev === set.heads[list] ? 0 : prev;
  }
}
