/**
 * The parts of border programs that make, use and give back objects: elements of a hash, records of a
 * ring buffer, dynptrs, and functions that helpers call.
 */
import { asm } from '../../src/xdp/isa/asm.ts';
import type { Draft } from './borderDraft.ts';
import { CTX, FP, HASH_BYTES, VAL, VALUE_BYTES, r } from './borderDraft.ts';

const LOOKUP = 1;
const UPDATE = 2;
const RESERVE = 131;
const SUBMIT = 132;
const DISCARD = 133;
const LOOP = 181;
const LOAD_BYTES = 189;
const FROM_MEM = 197;
const RESERVE_DYNPTR = 198;
const SUBMIT_DYNPTR = 199;
const DISCARD_DYNPTR = 200;
const DYNPTR_READ = 201;
const DYNPTR_WRITE = 202;
const DYNPTR_DATA = 203;

/** On the stack, below what the rest of the program uses. */
const KEY = -72;
const ELEMENT = -104;
const DYNPTR = -120;

/** An element of the hash is written, or not; looked up; used. */
export function element(d: Draft): void {
  d.put(asm.store('u32', FP, KEY, d.below(3)));
  if (d.chance(60)) {
    for (let at = 0; at < HASH_BYTES; at += 8)
      if (d.chance(98)) d.put(asm.store('u64', FP, ELEMENT + at, d.edge()));
    d.put(asm.mapPtr(r(1), 1), asm.mov(r(2), FP), asm.add(r(2), KEY), asm.mov(r(3), FP));
    d.put(asm.add(r(3), ELEMENT), asm.mov(r(4), 0), asm.call(UPDATE));
  }
  d.put(asm.mapPtr(r(1), 1), asm.mov(r(2), FP), asm.add(r(2), KEY), asm.call(LOOKUP));
  const none = d.label();
  if (d.chance(97)) d.put(asm.jeq(r(0), 0, none));
  d.put(asm.mov(r(2), 1));
  if (d.chance(40)) {
    const most = d.pick([1, 3, 7, 15]);
    d.put(asm.load('u8', r(3), r(0), d.near(HASH_BYTES, 1)), asm.and(r(3), most));
    d.put(asm.add(r(0), r(3)));
    d.touch(r(0), HASH_BYTES - most);
  } else {
    d.touch(r(0), HASH_BYTES);
  }
  d.put(asm.label(none));
  d.numbers(0);
}

/** A record of the ring buffer is reserved, filled, and, mostly, handed over. */
export function record(d: Draft): void {
  const bytes = d.pick([8, 16, 20, 33]);
  d.put(asm.mapPtr(r(1), 2), asm.mov(r(2), bytes), asm.mov(r(3), 0), asm.call(RESERVE));
  const none = d.label();
  if (d.chance(98)) d.put(asm.jeq(r(0), 0, none));
  for (let n = 1 + d.below(2); n > 0; n--) d.touch(r(0), bytes);
  if (d.chance(97)) {
    d.put(asm.mov(r(1), r(0)), asm.mov(r(2), 0), asm.call(d.pick([SUBMIT, DISCARD])));
    if (d.chance(2)) d.touch(r(1), bytes);
  }
  d.put(asm.label(none));
  d.numbers(0);
}

/** A dynptr to part of the map value or to a record; a slice of it; reads and writes through it. */
export function dynptr(d: Draft): void {
  const isRecord = d.chance(50);
  const bytes = isRecord ? d.pick([16, 24, 40]) : d.pick([16, 24, VALUE_BYTES, VALUE_BYTES + 1]);
  const self = (n: number): void => d.put(asm.mov(r(n), FP), asm.add(r(n), DYNPTR));
  if (isRecord) d.put(asm.mapPtr(r(1), 2));
  else d.put(asm.mov(r(1), VAL));
  d.put(asm.mov(r(2), bytes), asm.mov(r(3), 0));
  self(4);
  d.put(asm.call(isRecord ? RESERVE_DYNPTR : FROM_MEM));
  if (d.chance(60)) {
    const length = d.pick([4, 8, 16]);
    self(1);
    d.put(asm.mov(r(2), d.pick([0, 1, 8, bytes - length])), asm.mov(r(3), length));
    d.put(asm.call(DYNPTR_DATA));
    const none = d.label();
    if (d.chance(97)) d.put(asm.jeq(r(0), 0, none));
    d.touch(r(0), length);
    d.put(asm.label(none));
  }
  if (d.chance(40)) {
    const length = d.pick([8, 16, 17]);
    const at = d.pick([VAL, VAL, FP]);
    const off = at === VAL ? d.near(VALUE_BYTES, length) : -48;
    const isRead = d.chance(50);
    const memory = isRead ? 1 : 3;
    if (isRead) {
      d.put(asm.mov(r(2), length));
      self(3);
      d.put(asm.mov(r(4), d.pick([0, 1, 8])));
    } else {
      self(1);
      d.put(asm.mov(r(2), d.pick([0, 1, 8])), asm.mov(r(4), length));
    }
    d.put(asm.mov(r(memory), at), asm.add(r(memory), off), asm.mov(r(5), 0));
    d.put(asm.call(isRead ? DYNPTR_READ : DYNPTR_WRITE));
  }
  if (isRecord && d.chance(97)) {
    self(1);
    d.put(asm.mov(r(2), 0), asm.call(d.pick([SUBMIT_DYNPTR, DISCARD_DYNPTR])));
  }
  d.numbers(0);
}

/** A helper writes the packet's bytes into the map value. */
export function loadIntoValue(d: Draft): void {
  const most = d.pick([7, 15]);
  d.put(asm.mov(r(4), d.number()), asm.and(r(4), most), asm.add(r(4), 1));
  d.put(asm.mov(r(1), CTX), asm.mov(r(2), 0), asm.mov(r(3), VAL));
  d.put(asm.add(r(3), d.near(VALUE_BYTES, most + 1)), asm.call(LOAD_BYTES));
  d.numbers(0);
}

/** `bpf_loop` over a function of the program, which gets the stack or nothing. */
export function repeated(d: Draft, name: string): void {
  if (d.chance(85)) d.put(asm.mov(r(1), d.below(5)));
  else d.put(asm.mov(r(1), d.number()), asm.and(r(1), 3));
  d.put(asm.func(r(2), name), asm.mov(r(3), d.chance(70) ? FP : 0));
  d.put(asm.mov(r(4), d.chance(97) ? 0 : 1), asm.call(LOOP));
  d.numbers(0);
}

/** What `repeated` calls: r1 the turn, r2 the stack of who called. */
export function callback(d: Draft): void {
  const at = -8 * (1 + d.below(6));
  const over = d.label();
  d.put(asm.mov(r(0), r(1)));
  if (d.chance(50)) d.put(asm.and(r(0), d.pick([3, 7])));
  if (d.chance(20)) d.put(asm.jeq(r(2), 0, over));
  if (d.chance(50)) {
    d.put(asm.store('u64', r(2), at, r(0)));
    if (d.chance(50)) d.put(asm.load(d.pick(['u32', 'u64'] as const), r(0), r(2), at));
  }
  if (d.chance(30)) d.put(asm.store('u64', FP, -8, r(0)), asm.load('u64', r(3), FP, -8));
  d.put(asm.label(over));
  d.put(d.pick([asm.mov(r(0), 0), asm.and(r(0), 1), asm.rsh(r(0), 63)]), asm.exit());
}
