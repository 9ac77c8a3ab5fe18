/**
 * Arrivals put on the line and sorted into lanes as WebAssembly: what `LinkFeed.startFrom` and
 * `Port.sort` do, for a block of arrivals at a time.
 *
 * The loop stops in front of a frame that is not known yet, one whose lane has no room in host
 * memory, and one that would start when the line has ended; TypeScript goes on from there. A source
 * whose frames have arrived already is a line on which a byte takes no time.
 *
 * The port's block of host memory, in bytes:
 *
 *      0 block of arrivals
 *   3072 f64: line free at | 3080 ps a byte | 3088 from then to the arrival (the delay, less the gap) | 3096 end
 *   3104 lanes: of refused frames, then one per RX queue | 3108 frame records | 3112 how many
 *
 * All times are whole, so that it does not matter in which order they are added.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import { I32 } from '../host/wasm.ts';
import {
  WasmFunction,
  add,
  and,
  double,
  eq,
  fadd,
  fge,
  fgt,
  fmul,
  ge,
  load32,
  loadF64,
  mul,
  ne,
  shl,
  sub,
} from '../host/wasmFunction.ts';
import { wasmLoops } from '../host/wasmLoops.ts';
import { ArrivalBlock, BLOCK } from '../wire/frames.ts';
import type { LinkFeed } from '../wire/link.ts';
import { GAP_BYTES } from '../wire/link.ts';
import type { FrameRecords } from './frameRecord.ts';
import { REC_KNOWN, REC_LANE, REC_SHIFT, REC_WIRE_BYTES, recordsHeld } from './frameRecord.ts';
import { LANE_BYTES, LANE_FRAME, LANE_HEAD, LANE_LIMIT, LANE_ROOM, LANE_TAIL } from './lane.ts';

const FRAMES: number = BLOCK * 8;
const FREE_AT: number = ArrivalBlock.BYTES;
const PS_PER_BYTE: number = FREE_AT + 8;
const LAG: number = FREE_AT + 16;
const END: number = FREE_AT + 24;
const LANES: number = FREE_AT + 32;
const RECORDS: number = FREE_AT + 36;
const RECORDS_HELD: number = FREE_AT + 40;

/** Bytes of the port's block. */
export const ARRIVAL_BLOCK: number = FREE_AT + 48;

/** `sort(block, count)`. @returns how many of the block's arrivals lie in their lanes */
function sortLoop(): WasmFunction {
  const f = new WasmFunction();
  const block = f.param(I32);
  const count = f.param(I32);
  const freeAt = f.f64At(block, FREE_AT);
  const lag = f.f64At(block, LAG);
  const end = f.f64At(block, END);
  const lane = f.i32At(block, LANES);
  const tail = f.i32At(lane, LANE_TAIL);
  const waiting = f.i32();
  const limit = f.i32At(lane, LANE_LIMIT);
  const [start, wirePs, i, n, number, rec, at] = [
    ...[f.f64(), f.f64(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  f.set(number, -1);
  f.repeat(() => {
    f.leaveIf(eq(i, count));
    f.set(n, load32(add(block, shl(i, 2)), FRAMES));
    f.if(ne(n, number), () => {
      f.store32(lane, LANE_TAIL, tail);
      f.leaveIf(ge(n, load32(block, RECORDS_HELD)));
      f.set(rec, add(load32(block, RECORDS), shl(n, REC_SHIFT)));
      f.leaveIf(eq(load32(rec, REC_KNOWN), 0));
      f.set(wirePs, fmul(double(load32(rec, REC_WIRE_BYTES)), loadF64(block, PS_PER_BYTE)));
      f.set(lane, add(load32(block, LANES), mul(add(load32(rec, REC_LANE), 1), LANE_BYTES)));
      f.set(tail, load32(lane, LANE_TAIL));
      f.set(waiting, sub(tail, load32(lane, LANE_HEAD)));
      f.if(eq(waiting, 0), () => {
        // begin anew, in the places that are in the cache already
        f.set(tail, 0);
        f.store32(lane, LANE_HEAD, 0);
      });
      f.set(limit, load32(lane, LANE_LIMIT));
      f.set(number, n);
    });
    f.leaveIf(ge(waiting, limit));
    f.set(start, loadF64(add(block, shl(i, 3))));
    f.if(fgt(freeAt, start), () => f.set(start, freeAt));
    f.leaveIf(fge(start, end));
    f.set(freeAt, fadd(start, wirePs));
    f.set(at, and(tail, LANE_ROOM - 1));
    f.storeF64(add(lane, shl(at, 3)), 0, fadd(freeAt, lag));
    f.store32(add(lane, shl(at, 2)), LANE_FRAME, n);
    f.set(tail, add(tail, 1));
    f.set(waiting, add(waiting, 1));
    f.set(i, add(i, 1));
  });
  f.store32(lane, LANE_TAIL, tail);
  f.storeF64(block, FREE_AT, freeAt);
  f.returns(i, I32);
  return f;
}

interface Loops {
  sort(block: HostAddr, count: number): number;
}

const loopsOn = wasmLoops<Loops>({ sort: sortLoop });

export class ArrivalBulk {
  readonly block: ArrivalBlock;
  private readonly at: HostAddr;
  private readonly loops: Loops;
  private readonly doubles: Float64Array;

  /** @param at `ARRIVAL_BLOCK` bytes of host memory @param lanes blocks of all lanes, one behind the other */
  constructor(mem: HostMemory, at: HostAddr, lanes: HostAddr, records: FrameRecords) {
    this.at = at;
    this.block = ArrivalBlock.at(mem, at);
    this.loops = loopsOn(mem.memory);
    this.doubles = mem.doubles;
    mem.words[(at + LANES) >> 2] = lanes;
    mem.words[(at + RECORDS) >> 2] = records.byteOffset;
    mem.words[(at + RECORDS_HELD) >> 2] = recordsHeld(records);
  }

  /** From now on arrivals come from `feed`, which leaves them to us; null: from a source that made them itself. */
  setLine(feed: LinkFeed | null): void {
    const { doubles, at } = this;
    doubles[(at + FREE_AT) >> 3] = feed === null ? 0 : feed.freeAt;
    doubles[(at + PS_PER_BYTE) >> 3] = feed === null ? 0 : feed.link.psPerByte;
    doubles[(at + LAG) >> 3] =
      feed === null ? 0 : feed.link.delayPs - GAP_BYTES * feed.link.psPerByte;
    doubles[(at + END) >> 3] = feed === null ? Infinity : feed.endPs;
  }

  /** When the line is free. */
  get freeAt(): Ps {
    return this.doubles[(this.at + FREE_AT) >> 3]!;
  }

  set freeAt(freeAt: Ps) {
    this.doubles[(this.at + FREE_AT) >> 3] = freeAt;
  }

  /** When the last frame on the line arrives. */
  get lastAt(): Ps {
    return this.freeAt + this.doubles[(this.at + LAG) >> 3]!;
  }

  /** Put the block's arrivals into their lanes, while that is easy. @returns how many */
  intoLanes(): number {
    return this.loops.sort(this.at, this.block.count);
  }
}
