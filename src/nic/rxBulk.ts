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
import { I32 } from '../host/wasm.ts';
import type { WasmFunction } from '../host/wasmFunction.ts';
import { add, shl, sub, xor } from '../host/wasmFunction.ts';
import { wasmLoops } from '../host/wasmLoops.ts';
import type { Lane } from './lane.ts';
import type { NicParts } from './parts.ts';
import {
  BulkLoop,
  CP,
  DMA_LATENCY,
  DMA_SLOT,
  LANE,
  RECORDS,
  RX_BASE,
  RX_MASK,
  RX_STAMPS,
} from './rxBulkBlock.ts';
import { completeLoop } from './rxBulkComplete.ts';
import { receiveLoop } from './rxBulkReceive.ts';
import type { RxRing } from './rxRing.ts';

/** How `settle` tells what it has moved: frames taken, and above them frames completed. */
const TAKEN_BITS = 12;
const TAKEN_MASK: number = (1 << TAKEN_BITS) - 1;

/** Both; what it moved, inverted when it stopped in front of something odd. */
function settleLoops(): WasmFunction {
  const f = new BulkLoop();
  const moved = f.i32();
  f.set(moved, receiveLoop(f));
  f.set(moved, add(moved, shl(completeLoop(f), TAKEN_BITS)));
  f.returns(xor(moved, sub(0, f.odd)), I32);
  return f;
}

interface Loops {
  settle(q: HostAddr, until: Ps): number;
}

const loopsOn = wasmLoops<Loops>({ settle: settleLoops });

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
    doubles[(q + DMA_SLOT) >> 3] = timing.rxDmaSlotPs;
    doubles[(q + DMA_LATENCY) >> 3] = timing.rxDmaPs;
  }

  /**
   * As `RxEngine.receive` and then `Nic.writeDue`, while lane and records lie in host memory.
   *
   * @returns false when it stopped in front of a frame that does not fit its buffer
   */
  settle({ fates }: Lane, rx: RxRing, until: Ps): boolean {
    const told = this.loops.settle(rx.block, until);
    const moved = told < 0 ? ~told : told;
    fates.offered += moved & TAKEN_MASK;
    fates.received += moved >> TAKEN_BITS;
    return told >= 0;
  }
}
