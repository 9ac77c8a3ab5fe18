/**
 * The ring buffer: records of any length from all CPUs in one order, reserved, filled in place and
 * committed.
 *
 *   record   +0 length of the data | 31 busy | 30 discarded   +4 the map   +8 data, padded to 8
 *
 * Positions count bytes for ever (they stay exact below 2^53); masked they are offsets. On Linux
 * the pages are mapped twice, one behind the other, so that a record which wraps is still in one
 * piece; here twice the memory is there, and what wraps lies in the second half.
 *
 * @linux struct bpf_ringbuf; kernel/bpf/ringbuf.c
 */
import { EAGAIN, EINVAL, ENOTSUPP } from '../../host/errno.ts';
import { bugOn } from '../../host/errors.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { ProgramFault } from '../program.ts';
import { mapStorage } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import {
  BPF_RB_AVAIL_DATA,
  BPF_RB_CONS_POS,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RB_PROD_POS,
  BPF_RB_RING_SIZE,
} from './uapi.ts';

const BUSY = 1 << 31;
const DISCARD = 1 << 30;
const LEN_MASK = 0x3fff_ffff;
const HEAD_BYTES = 8;
/** @linux RINGBUF_MAX_RECORD_SZ */
const RECORD_MAX = 0x3fff_ffff;

const recordBytes = (len: number): number => Math.ceil((len + HEAD_BYTES) / 8) * 8;

export class RingbufMap extends BpfMap {
  private readonly words: HostWords;
  private readonly at: HostAddr;
  /** Bytes of the ring, a power of two. */
  private readonly size: number;
  private producer = 0;
  private consumer = 0;
  /** The oldest record that may still be busy begins here. */
  private pending = 0;
  /** Called when a commit would wake a waiting reader. */
  onWakeup: (() => void) | null = null;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.words = bpf.mem.words;
    this.size = def.maxEntries;
    this.at = mapStorage(bpf, def, 2 * this.size);
    bpf.arena.open(this.at, (off, len) => this.isReserved(off, len));
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
  }

  /** The ring buffer of a reserved record. @linux bpf_ringbuf_restore_from_rec */
  static of(bpf: Bpf, data: HostAddr): RingbufMap {
    const map = bpf.maps.at(bpf.mem.words[(data >> 2) - 1]!);
    if (map instanceof RingbufMap) return map;
    throw new ProgramFault('', `0x${(data >>> 0).toString(16)} is no record of a ring buffer`);
  }

  /** @returns where `len` bytes go, or 0: no room @linux __bpf_ringbuf_reserve */
  reserve(len: number): HostAddr {
    const bytes = recordBytes(len);
    if (len > RECORD_MAX || bytes > this.size) return 0;
    this.skipCommitted();
    const end = this.producer + bytes;
    if (end - this.consumer >= this.size || end - this.pending >= this.size) return 0;
    const record = this.recordAt(this.producer);
    this.words[record >> 2] = len | BUSY;
    this.words[(record >> 2) + 1] = this.handle;
    this.producer = end;
    return record + HEAD_BYTES;
  }

  /** A reserved record becomes readable. @linux bpf_ringbuf_submit */
  submit(data: HostAddr, flags: number): void {
    this.commit(data, flags, 0);
  }

  /** A reserved record will be skipped. @linux bpf_ringbuf_discard */
  discard(data: HostAddr, flags: number): void {
    this.commit(data, flags, DISCARD);
  }

  /** Reserve, copy and submit in one. @linux bpf_ringbuf_output */
  output(data: HostAddr, len: number, flags: number): number {
    if ((flags & ~(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)) !== 0) return -EINVAL;
    const to = this.reserve(len);
    if (to === 0) return -EAGAIN;
    this.mem.copy(to, data, len);
    this.submit(to, flags);
    return 0;
  }

  /** @returns a number below 2^53; 0 for what is not known @linux bpf_ringbuf_query */
  query(what: number): number {
    switch (what) {
      case BPF_RB_AVAIL_DATA:
        return this.producer - this.consumer;
      case BPF_RB_RING_SIZE:
        return this.size;
      case BPF_RB_CONS_POS:
        return this.consumer;
      case BPF_RB_PROD_POS:
        return this.producer;
      default:
        return 0;
    }
  }

  /**
   * User space reads on: each finished record from the oldest, until a busy one or the end.
   *
   * @param visit gets a copy
   * @returns records read; discarded ones do not count
   */
  consume(visit: (data: Uint8Array) => void): number {
    let n = 0;
    while (this.consumer < this.producer) {
      const record = this.recordAt(this.consumer);
      const head = this.words[record >> 2]!;
      if ((head & BUSY) !== 0) break;
      const len = head & LEN_MASK;
      this.consumer += recordBytes(len);
      if ((head & DISCARD) !== 0) continue;
      n++;
      const data = record + HEAD_BYTES;
      visit(this.mem.u8.slice(data, data + len));
    }
    return n;
  }

  override updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -ENOTSUPP;
  }

  override deleteElem(_key: HostAddr): number {
    return -ENOTSUPP;
  }

  override getNextKey(_key: HostAddr, _next: HostAddr): number {
    return -ENOTSUPP;
  }

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return -ENOTSUPP;
  }

  /** @linux bpf_ringbuf_commit */
  private commit(data: HostAddr, flags: number, discard: number): void {
    const at = (data - HEAD_BYTES) >> 2;
    const head = this.words[at]!;
    bugOn((head & BUSY) === 0, 'a ring buffer record is committed twice');
    this.words[at] = (head & ~BUSY) | discard;
    const caughtUp = data - HEAD_BYTES === this.recordAt(this.consumer);
    const wakes =
      (flags & BPF_RB_FORCE_WAKEUP) !== 0 || (caughtUp && (flags & BPF_RB_NO_WAKEUP) === 0);
    if (wakes && this.onWakeup !== null) this.onWakeup();
  }

  /** Do the bytes lie in one record that is being filled? */
  private isReserved(off: number, len: number): boolean {
    for (let at = this.pending; at < this.producer;) {
      const head = this.words[this.recordAt(at) >> 2]!;
      const from = (at % this.size) + HEAD_BYTES;
      const inside = off >= from && off + len <= from + (head & LEN_MASK);
      if (inside) return (head & BUSY) !== 0;
      at += recordBytes(head & LEN_MASK);
    }
    return false;
  }

  private skipCommitted(): void {
    while (this.pending < this.producer) {
      const head = this.words[this.recordAt(this.pending) >> 2]!;
      if ((head & BUSY) !== 0) return;
      this.pending += recordBytes(head & LEN_MASK);
    }
  }

  private recordAt(position: number): HostAddr {
    return this.at + (position % this.size);
  }
}
