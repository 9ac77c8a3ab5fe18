/**
 * The receive engine's two loops as WebAssembly: what `rxEngine.ts` does frame by frame, for all
 * frames of a queue that have come by now.
 *
 * Most of what a loop over arrays does in JavaScript is to check that they are what they were;
 * without that a frame takes 15 ns less. The history is the same: the lazy pace settles through
 * these loops, the eager pace through `rxEngine.ts`, and a property test holds the two equal. What
 * is rare (a frame longer than its buffer, fault points, a watched machine) stays with
 * `rxEngine.ts`; a loop stops in front of it.
 *
 * The loops keep their state where `Lane`, `RxRing` and `CompletionRing` have theirs, in blocks of
 * host memory, so that nothing is carried to and fro.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { F64, I32 } from '../host/wasm.ts';
import {
  WasmFunction,
  add,
  and,
  callOwn,
  eq,
  load32,
  or,
  shl,
  shr,
  sub,
  xor,
} from '../host/wasmFunction.ts';
import { wasmLoops } from '../host/wasmLoops.ts';
import type { Lane } from './lane.ts';
import { LANE_HEAD } from './lane.ts';
import type { NicParts } from './parts.ts';
import {
  CP,
  DMA_LATENCY,
  DMA_SLOT,
  LANE,
  RECORDS,
  RX_BASE,
  RX_MASK,
  RX_STAMPS,
  RX_STAMP_STRIDE,
} from './rxBulkBlock.ts';
import { completeLoop } from './rxBulkComplete.ts';
import { acceptOne, plainLoop } from './rxBulkReceive.ts';
import type { RxRing } from './rxRing.ts';

/** How `settle` tells what it has moved: frames taken, and above them frames completed. */
const TAKEN_BITS = 12;
const TAKEN_MASK: number = (1 << TAKEN_BITS) - 1;

/** What `settle` calls: their order is that in which `loopsOn` has them. */
const PLAIN = 0;
const ONE = 1;
const COMPLETE = 2;

/** Accept, then complete; what it moved, inverted when it stopped in front of something odd. */
function settleLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const lane = f.i32At(q, LANE);
  const head = f.i32At(lane, LANE_HEAD);
  const [isOdd, taken, completed] = [f.i32(), f.i32(), f.i32()] as const;
  f.repeat(() => {
    f.leaveIf(eq(callOwn(PLAIN, q, until), 0));
    f.set(isOdd, callOwn(ONE, q));
    f.leaveIf(isOdd);
  });
  f.set(taken, sub(load32(lane, LANE_HEAD), head));
  f.set(completed, callOwn(COMPLETE, q, until));
  f.set(isOdd, or(isOdd, and(completed, 1)));
  f.set(taken, add(taken, shl(shr(completed, 1), TAKEN_BITS)));
  f.returns(xor(taken, sub(0, isOdd)), I32);
  return f;
}

interface Loops extends Record<'plain' | 'one' | 'complete', unknown> {
  settle(q: HostAddr, until: Ps): number;
}

const loopsOn = wasmLoops<Loops>({
  plain: plainLoop,
  one: acceptOne,
  complete: completeLoop,
  settle: settleLoop,
});

export class RxBulk {
  private readonly loops: Loops;
  private readonly words: HostWords;
  private readonly doubles: Float64Array;

  constructor(mem: HostMemory) {
    this.loops = loopsOn(mem.memory);
    this.words = mem.words;
    this.doubles = mem.doubles;
  }

  /** What stays as it is while `rx` exists. */
  initBlock(rx: RxRing, lane: Lane, records: Int32Array, { stamps, timing }: NicParts): void {
    const { words, doubles } = this;
    const q = rx.block;
    words[(q + RX_BASE) >> 2] = rx.base;
    words[(q + RX_MASK) >> 2] = rx.mask;
    words[(q + LANE) >> 2] = lane.block;
    words[(q + CP) >> 2] = rx.cp.block;
    words[(q + RECORDS) >> 2] = records.byteOffset;
    words[(q + RX_STAMPS) >> 2] = stamps.at.byteOffset;
    words[(q + RX_STAMP_STRIDE) >> 2] = stamps.pages * 8;
    doubles[(q + DMA_SLOT) >> 3] = timing.rxDmaSlotPs;
    doubles[(q + DMA_LATENCY) >> 3] = timing.rxDmaPs;
  }

  /**
   * As `RxEngine.receive` and then `Nic.writeDue`, while lane and records lie in host memory.
   *
   * It completes up to `until` even where it stopped before; but the MAC refuses what is longer than
   * the MTU allows, which buffers have room for, so that none is known to stop it.
   *
   * @returns 0 when no frame has moved; negative when it stopped in front of one that does not fit its buffer
   */
  settle({ fates }: Lane, rx: RxRing, until: Ps): number {
    const told = this.loops.settle(rx.block, until);
    const moved = told < 0 ? ~told : told;
    fates.offered += moved & TAKEN_MASK;
    fates.received += moved >> TAKEN_BITS;
    return told;
  }
}
