/**
 * The transmit engine's loop as WebAssembly, for the usual case: one ring waits alone, its packets
 * are one short descriptor each, the queue has no slot, and nobody watches the wire. See `rxBulk.ts`
 * for why, and for what holds it equal; `txEngine.ts` says what each step is, and does the rest.
 *
 * Words of a ring's block, at 4 bytes:
 *
 *   descriptors    0 base | 1 mask | 2 cons
 *   doorbells      3 times | 4 producers | 5 head | 6 tail
 *   elsewhere      7 completion ring | 8 counters | 9 FIFO
 *   f64            10 picoseconds a byte | 12 completion latency
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { F64, I32 } from '../host/wasm.ts';
import { SHORT_MAX, copyApart, copyShort } from '../host/wasmCopy.ts';
import type { Value } from '../host/wasmFunction.ts';
import {
  HALF,
  ONE,
  WasmFunction,
  add,
  and,
  double,
  eq,
  fadd,
  ffloor,
  fgt,
  fmax,
  fmul,
  gt,
  load32,
  loadF64,
  ne,
  or,
  shl,
  shr,
  sub,
} from '../host/wasmFunction.ts';
import { wasmLoops } from '../host/wasmLoops.ts';
import type { Link } from '../wire/link.ts';
import { MIN_LEN, wireBytes } from '../wire/link.ts';
import { CP_SLOTS, CP_TX_AT, CP_TX_OPAQUE, CP_TX_TAIL } from './completionRing.ts';
import { CAST_BCAST, CAST_MCAST } from './frameRecord.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_TYPE_LONG_TX_BD,
} from './hsi/txBd.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import type { NicParts } from './parts.ts';
import { stamp, word } from './rxBulkBlock.ts';
import { TX_BYTES, TX_PKTS } from './stats.ts';
import type { TxRing } from './txRing.ts';

const BASE = 0;
const MASK = 4;
export const TX_CONS = 8;
const BELL_AT = 12;
const BELL_PROD = 16;
export const BELL_HEAD = 20;
export const BELL_TAIL = 24;
const CP = 28;
const STATS = 32;
const FIFO = 36;
const PS_PER_BYTE = 40;
const CMP_LATENCY = 48;

/** Bytes of a ring's block. */
export const TX_BLOCK = 56;

/** Within a descriptor, see `hsi/txBd.ts`. */
const OPAQUE = 4;
const HADDR = 8;
const LEN_SHIFT = 16;
const SHORT_AND_COUNT: number = TX_BD_TYPE_LONG_TX_BD | (0x1f << TX_BD_FLAGS_BD_CNT_SHIFT);
const ONE_SHORT: number = 1 << TX_BD_FLAGS_BD_CNT_SHIFT;
const OVERHEAD: number = wireBytes(MIN_LEN) - MIN_LEN;

/**
 * Send what is decided on by `until`, up to the first packet that is more than one short descriptor:
 * doorbell by doorbell, and of each the packets before its producer. Usual frames have a loop of their
 * own, without calls, and are counted together. Leaves when the wire is free then.
 */
function transmitLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const wireFreeAt = f.param(F64);
  const cpuSeen = f.param(F64);
  const cpuStepEnd = f.param(F64);
  const base = f.i32At(q, BASE);
  const cp = f.i32At(q, CP);
  const cmpTail = f.i32At(cp, CP_TX_TAIL);
  const fifo = f.i32At(q, FIFO);
  const psPerByte = f.f64At(q, PS_PER_BYTE);
  const latency = f.f64At(q, CMP_LATENCY);
  const [at, done, bd, bdEnd, prod, flags, len, counted, packets, bytes, i] = [
    ...[f.f64(), f.f64(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const count = (offset: number, more: Value): void =>
    f.storeF64(counted, offset, fadd(loadF64(counted, offset), more));
  const bellHead = load32(q, BELL_HEAD);
  const descriptor = (index: Value): Value => add(base, shl(index, DESC_SHIFT));

  /** Leaves where the next packet is not to be sent by `until`; else with its `at`, `flags` and `len`. */
  const look = (): void => {
    f.if(eq(bd, prod), () => {
      f.leaveIf(eq(bellHead, load32(q, BELL_TAIL)));
      f.set(i, and(bellHead, load32(q, MASK)));
      f.set(at, fmax(loadF64(stamp(load32(q, BELL_AT), i)), wireFreeAt));
      f.set(prod, descriptor(load32(word(load32(q, BELL_PROD), i))));
    });
    f.leaveIf(fgt(at, until));
    f.set(flags, load32(bd));
    f.leaveIf(ne(and(flags, SHORT_AND_COUNT), ONE_SHORT));
    f.set(len, shr(flags, LEN_SHIFT));
  };
  /** It has left, and its completion becomes visible. */
  const complete = (): void => {
    f.set(done, fmul(double(add(len, OVERHEAD)), psPerByte));
    f.set(wireFreeAt, fadd(at, ffloor(fadd(done, HALF))));
    f.if(eq(and(flags, TX_BD_FLAGS_NO_CMPL), 0), () => {
      f.set(done, fadd(wireFreeAt, latency));
      f.if(fgt(at, cpuSeen), () => f.if(fgt(cpuStepEnd, done), () => f.set(done, cpuStepEnd)));
      f.set(i, and(cmpTail, sub(load32(cp, CP_SLOTS), 1)));
      f.storeF64(stamp(load32(cp, CP_TX_AT), i), 0, done);
      f.store32(word(load32(cp, CP_TX_OPAQUE), i), 0, load32(bd, OPAQUE));
      f.set(cmpTail, add(cmpTail, 1));
    });
    f.set(at, wireFreeAt);
    f.set(bd, add(bd, 1 << DESC_SHIFT));
    f.if(eq(bd, bdEnd), () => f.set(bd, base));
    f.if(eq(bd, prod), () => f.store32(q, BELL_HEAD, add(bellHead, 1)));
  };
  /** It is not unicast, too short for the wire, or longer than what is copied without a call. */
  const isOdd = or(gt(sub(len, MIN_LEN), SHORT_MAX - MIN_LEN), and(load32(load32(bd, HADDR)), 1));

  f.set(bd, descriptor(load32(q, TX_CONS)));
  f.set(bdEnd, descriptor(add(load32(q, MASK), 1)));
  f.set(prod, bd);
  f.repeat(() => {
    f.set(packets, 0);
    f.set(bytes, 0);
    f.repeat(() => {
      look();
      f.leaveIf(isOdd);
      copyShort(f, fifo, load32(bd, HADDR), len);
      f.set(packets, add(packets, 1));
      f.set(bytes, add(bytes, len));
      complete();
    });
    f.set(counted, load32(q, STATS));
    count(TX_PKTS * 8, double(packets));
    count(TX_BYTES * 8, double(bytes));
    look();
    copyApart(f, fifo, load32(bd, HADDR), len);
    f.if(and(load32(fifo), 1), () => {
      f.set(counted, add(counted, 8 * CAST_MCAST));
      f.if(eq(load32(fifo), -1), () =>
        f.if(eq(and(load32(fifo, 4), 0xffff), 0xffff), () =>
          f.set(counted, add(load32(q, STATS), 8 * CAST_BCAST)),
        ),
      );
    });
    count(TX_PKTS * 8, ONE);
    count(TX_BYTES * 8, double(len));
    f.if(gt(MIN_LEN, len), () => f.set(len, MIN_LEN));
    complete();
  });
  f.store32(q, TX_CONS, shr(sub(bd, base), DESC_SHIFT));
  f.store32(cp, CP_TX_TAIL, cmpTail);
  f.returns(wireFreeAt, F64);
  return f;
}

interface Loops {
  transmit(q: HostAddr, until: Ps, wireFreeAt: Ps, cpuSeen: Ps, cpuStepEnd: Ps): Ps;
}

const loopsOn = wasmLoops<Loops>({ transmit: transmitLoop });

export class TxBulk {
  private readonly loops: Loops;
  private readonly words: HostWords;
  private readonly doubles: Float64Array;

  constructor(mem: HostMemory) {
    this.loops = loopsOn(mem.memory);
    this.words = mem.words;
    this.doubles = mem.doubles;
  }

  /** What stays as it is while `ring` exists. */
  initBlock(ring: TxRing, { timing, txFifo }: NicParts, link: Link): void {
    const { words, doubles } = this;
    const q = ring.block;
    words[(q + BASE) >> 2] = ring.base;
    words[(q + MASK) >> 2] = ring.mask;
    words[(q + BELL_AT) >> 2] = ring.bellAt.byteOffset;
    words[(q + BELL_PROD) >> 2] = ring.bellProd.byteOffset;
    words[(q + CP) >> 2] = ring.cp.block;
    words[(q + STATS) >> 2] = ring.stats.by.byteOffset;
    words[(q + FIFO) >> 2] = txFifo;
    doubles[(q + PS_PER_BYTE) >> 3] = link.psPerByte;
    doubles[(q + CMP_LATENCY) >> 3] = timing.txCompletePs;
  }

  /** @param wireFreeAt when the wire is free @returns when it is free now */
  transmit(ring: TxRing, wireFreeAt: Ps, until: Ps): Ps {
    const { cp } = ring;
    const { txTail } = cp;
    const { sharedSeen, stepEnd } = cp.irq.cpu;
    const freeAt = this.loops.transmit(ring.block, until, wireFreeAt, sharedSeen, stepEnd);
    if (cp.txTail !== txTail) cp.txPended();
    return freeAt;
  }
}
