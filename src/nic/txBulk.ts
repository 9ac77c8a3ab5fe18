/**
 * The transmit engine's loop as WebAssembly, for the usual case: one ring waits alone, its packets
 * are one short descriptor each, and nobody watches the wire. See `rxBulk.ts` for why, and for what
 * holds it equal; `txEngine.ts` says what each step is, and does the rest.
 *
 * Words of a ring's block, at 4 bytes:
 *
 *   descriptors    0 base | 1 mask | 2 cons
 *   doorbells      3 times | 4 producers | 5 head | 6 tail
 *   completions    7 times | 8 opaques | 9 mask | 10 tail
 *   NIC            11 FIFO
 *   counted        12..14 frames, 15..17 bytes, each by `CAST_*`
 *   f64            18 wire free at | 20 picoseconds a byte | 22 completion latency |
 *                  24 CPU has seen | 26 CPU's last step ended
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { F64, I32, WasmModule } from '../host/wasm.ts';
import type { Value } from '../host/wasmFunction.ts';
import {
  HALF,
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
  shl,
  shr,
} from '../host/wasmFunction.ts';
import type { Link } from '../wire/link.ts';
import { MIN_LEN, wireBytes } from '../wire/link.ts';
import { CAST_BCAST, CAST_MCAST, CAST_UCAST } from './frameRecord.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_TYPE_LONG_TX_BD,
} from './hsi/txBd.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import type { NicParts } from './parts.ts';
import type { TxRing } from './txRing.ts';

const BASE = 0;
const MASK = 4;
const CONS = 8;
const BELL_AT = 12;
const BELL_PROD = 16;
const BELL_HEAD = 20;
const BELL_TAIL = 24;
const CMP_AT = 28;
const CMP_OPAQUE = 32;
const CMP_MASK = 36;
const CMP_TAIL = 40;
const FIFO = 44;
const FRAMES_BY_CAST = 48;
const BYTES_BY_CAST = 60;
/** End of what is counted anew each time. */
const COUNTED_END = 72;
const WIRE_FREE_AT = 72;
const PS_PER_BYTE = 80;
const CMP_LATENCY = 88;
const CPU_SEEN = 96;
const CPU_STEP_END = 104;

/** Bytes of a ring's block. */
export const TX_BLOCK = 112;

/** Within a descriptor, see `hsi/txBd.ts`. */
const OPAQUE = 4;
const HADDR = 8;
const LEN_SHIFT = 16;
const SHORT_AND_COUNT: number = TX_BD_TYPE_LONG_TX_BD | (0x1f << TX_BD_FLAGS_BD_CNT_SHIFT);
const ONE_SHORT: number = 1 << TX_BD_FLAGS_BD_CNT_SHIFT;
const OVERHEAD: number = wireBytes(MIN_LEN) - MIN_LEN;

const word = (base: Value, index: Value): Value => add(base, shl(index, 2));
const stamp = (base: Value, index: Value): Value => add(base, shl(index, 3));

/** Send what is decided on by `until`, up to the first packet that is more than one short descriptor. */
function transmitLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const base = f.i32At(q, BASE);
  const mask = f.i32At(q, MASK);
  const cons = f.i32At(q, CONS);
  const bellAt = f.i32At(q, BELL_AT);
  const bellProd = f.i32At(q, BELL_PROD);
  const bellHead = f.i32At(q, BELL_HEAD);
  const bellTail = f.i32At(q, BELL_TAIL);
  const cmpAt = f.i32At(q, CMP_AT);
  const cmpOpaque = f.i32At(q, CMP_OPAQUE);
  const cmpMask = f.i32At(q, CMP_MASK);
  const cmpTail = f.i32At(q, CMP_TAIL);
  const fifo = f.i32At(q, FIFO);
  const wireFreeAt = f.f64At(q, WIRE_FREE_AT);
  const psPerByte = f.f64At(q, PS_PER_BYTE);
  const latency = f.f64At(q, CMP_LATENCY);
  const cpuSeen = f.f64At(q, CPU_SEEN);
  const cpuStepEnd = f.f64At(q, CPU_STEP_END);
  const [at, done, bd, flags, len, counted, i] = [
    ...[f.f64(), f.f64()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  f.repeat(() => {
    f.leaveIf(eq(bellHead, bellTail));
    f.set(at, fmax(loadF64(stamp(bellAt, and(bellHead, mask))), wireFreeAt));
    f.leaveIf(fgt(at, until));
    f.set(bd, add(base, shl(cons, DESC_SHIFT)));
    f.set(flags, load32(bd));
    f.leaveIf(ne(and(flags, SHORT_AND_COUNT), ONE_SHORT));
    f.set(len, shr(flags, LEN_SHIFT));
    f.copyApart(fifo, load32(bd, HADDR), len);

    f.set(counted, q);
    f.if(and(load32(fifo), 1), () => {
      f.set(counted, add(q, 4 * CAST_MCAST));
      f.if(eq(load32(fifo), -1), () =>
        f.if(eq(and(load32(fifo, 4), 0xffff), 0xffff), () =>
          f.set(counted, add(q, 4 * CAST_BCAST)),
        ),
      );
    });
    f.store32(counted, FRAMES_BY_CAST, add(load32(counted, FRAMES_BY_CAST), 1));
    f.store32(counted, BYTES_BY_CAST, add(load32(counted, BYTES_BY_CAST), len));

    f.if(gt(MIN_LEN, len), () => f.set(len, MIN_LEN));
    f.set(wireFreeAt, fadd(at, ffloor(fadd(fmul(double(add(len, OVERHEAD)), psPerByte), HALF))));
    f.set(cons, and(add(cons, 1), mask));
    f.if(eq(cons, load32(word(bellProd, and(bellHead, mask)))), () =>
      f.set(bellHead, add(bellHead, 1)),
    );

    f.if(and(flags, TX_BD_FLAGS_NO_CMPL), () => f.again());
    f.set(done, fadd(wireFreeAt, latency));
    f.if(fgt(at, cpuSeen), () => f.set(done, fmax(done, cpuStepEnd)));
    f.set(i, and(cmpTail, cmpMask));
    f.storeF64(stamp(cmpAt, i), 0, done);
    f.store32(word(cmpOpaque, i), 0, load32(bd, OPAQUE));
    f.set(cmpTail, add(cmpTail, 1));
  });
  f.store32(q, CONS, cons);
  f.store32(q, BELL_HEAD, bellHead);
  f.store32(q, CMP_TAIL, cmpTail);
  f.storeF64(q, WIRE_FREE_AT, wireFreeAt);
  return f;
}

interface Loop {
  transmit(q: HostAddr, until: Ps): void;
}

function encodeLoop(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  transmitLoop().exportTo(module, 'transmit');
  return module.encode();
}

/** Compiled at the first use; every memory has an instance of its own. */
let compiled: WebAssembly.Module | null = null;

export class TxBulk {
  private readonly loop: Loop;
  private readonly words: HostWords;
  private readonly doubles: Float64Array;

  constructor(mem: HostMemory) {
    compiled ??= new WebAssembly.Module(encodeLoop());
    const instance = new WebAssembly.Instance(compiled, { host: { memory: mem.memory } });
    this.loop = instance.exports as unknown as Loop;
    this.words = mem.words;
    this.doubles = mem.doubles;
  }

  /** What stays as it is while `ring` exists. */
  initBlock(ring: TxRing, { timing, txFifo }: NicParts, link: Link): void {
    const { words, doubles } = this;
    const q = ring.block;
    const { cp } = ring;
    words[(q + BASE) >> 2] = ring.base;
    words[(q + MASK) >> 2] = ring.mask;
    words[(q + BELL_AT) >> 2] = ring.bellAt.byteOffset;
    words[(q + BELL_PROD) >> 2] = ring.bellProd.byteOffset;
    words[(q + CMP_AT) >> 2] = cp.txAt.byteOffset;
    words[(q + CMP_OPAQUE) >> 2] = cp.txOpaque.byteOffset;
    words[(q + CMP_MASK) >> 2] = cp.mask;
    words[(q + FIFO) >> 2] = txFifo;
    doubles[(q + PS_PER_BYTE) >> 3] = link.psPerByte;
    doubles[(q + CMP_LATENCY) >> 3] = timing.txCompletePs;
  }

  /** @param wireFreeAt when the wire is free @returns when it is free now */
  transmit(ring: TxRing, wireFreeAt: Ps, until: Ps): Ps {
    const { words, doubles } = this;
    const q = ring.block;
    const { cp, bellHead } = ring;
    const { txTail } = cp;
    const { cpu } = cp.irq;
    words[(q + CONS) >> 2] = ring.cons;
    words[(q + BELL_HEAD) >> 2] = bellHead;
    words[(q + BELL_TAIL) >> 2] = ring.bellTail;
    words[(q + CMP_TAIL) >> 2] = txTail;
    doubles[(q + WIRE_FREE_AT) >> 3] = wireFreeAt;
    doubles[(q + CPU_SEEN) >> 3] = cpu.sharedSeen;
    doubles[(q + CPU_STEP_END) >> 3] = cpu.stepEnd;
    for (let at = FRAMES_BY_CAST; at < COUNTED_END; at += 4) words[(q + at) >> 2] = 0;
    this.loop.transmit(q, until);
    ring.cons = words[(q + CONS) >> 2]!;
    ring.bellHead = bellHead + ((words[(q + BELL_HEAD) >> 2]! - bellHead) | 0);
    cp.txTail = txTail + ((words[(q + CMP_TAIL) >> 2]! - txTail) | 0);
    if (cp.txTail !== txTail) cp.forgetIrq();
    return doubles[(q + WIRE_FREE_AT) >> 3]!;
  }

  /** Book what the last `transmit` of `ring` has sent. @returns frames */
  count({ stats, block }: TxRing): number {
    const frames = (block + FRAMES_BY_CAST) >> 2;
    const bytes = (block + BYTES_BY_CAST) >> 2;
    const { words } = this;
    stats.txUcastPkts += words[frames + CAST_UCAST]!;
    stats.txUcastBytes += words[bytes + CAST_UCAST]!;
    stats.txMcastPkts += words[frames + CAST_MCAST]!;
    stats.txMcastBytes += words[bytes + CAST_MCAST]!;
    stats.txBcastPkts += words[frames + CAST_BCAST]!;
    stats.txBcastBytes += words[bytes + CAST_BCAST]!;
    return words[frames + CAST_UCAST]! + words[frames + CAST_MCAST]! + words[frames + CAST_BCAST]!;
  }
}
