/**
 * What the NIC knows of one distinct frame: sixteen words, one cache line.
 *
 *   0 unknown, known, or known and plain | 1 lane (-1 refused) | 2 cause | 3 cast | 4 strip | 5 bytes in host memory | 6 where the bytes are
 *   7 bytes of line time
 *   8..15: both slots of its receive completion, as they will stand in the ring but for the buffer's
 *   number and the valid bits
 *
 * Kept flat, because a million flows have a million of these and each packet reads one.
 */
import type { HostAddr, HostWords } from '../host/memory.ts';
import { SHORT_MAX, SHORT_MIN } from '../host/wasmCopy.ts';
import { CMP_TYPE_RX_L2_CMP, rxCmpExtWrite, rxCmpWrite } from './hsi/rxCmp.ts';

const SHIFT = 4;
const KNOWN = 0;
const LANE = 1;
const CAUSE = 2;
const CAST = 3;
const STRIP = 4;
const LEN = 5;
const FROM = 6;
const WIRE_BYTES = 7;
const COMPLETION = 8;
const EXT = 12;
const LEN_FLAGS = 8;
const MISC = 10;
const HASH = 11;
const FLAGS2 = 12;
const META_DATA = 13;
const ERRORS = 14;

/** For loops that read records from host memory: shift of a number, and byte offsets of fields. */
export const REC_SHIFT: number = SHIFT + 2;
export const REC_KNOWN: number = KNOWN * 4;
export const REC_LANE: number = LANE * 4;
export const REC_CAST: number = CAST * 4;
export const REC_STRIP: number = STRIP * 4;
export const REC_LEN: number = LEN * 4;
export const REC_FROM: number = FROM * 4;
export const REC_WIRE_BYTES: number = WIRE_BYTES * 4;
export const REC_COMPLETION: number = COMPLETION * 4;
export const REC_EXT: number = EXT * 4;

/**
 * What a loop needs no branches for: a unicast frame that goes into memory as it is, without a call
 * for its copy.
 */
export const REC_PLAIN = 2;

export const CAST_UCAST = 0;
export const CAST_MCAST = 1;
export const CAST_BCAST = 2;

/** Records by frame number. */
export type FrameRecords = Int32Array;

export const frameRecords = (frames: number): FrameRecords => new Int32Array(frames << SHIFT);
/** Bytes that the records of frames want which take `bytes` themselves: a record is as long as the shortest frame. */
export const recordBytes = (bytes: number): number => Math.ceil(bytes / 64) * 64;
export const recordsHeld = (rec: FrameRecords): number => rec.length >> SHIFT;

export const recKnown = (rec: FrameRecords, n: number): boolean => rec[(n << SHIFT) + KNOWN] !== 0;
export const recLane = (rec: FrameRecords, n: number): number => rec[(n << SHIFT) + LANE]!;
export const recCause = (rec: FrameRecords, n: number): number => rec[(n << SHIFT) + CAUSE]!;
export const recCast = (rec: FrameRecords, n: number): number => rec[(n << SHIFT) + CAST]!;
export const recStrip = (rec: FrameRecords, n: number): boolean => rec[(n << SHIFT) + STRIP] === 1;
export const recLen = (rec: FrameRecords, n: number): number => rec[(n << SHIFT) + LEN]!;
export const recFrom = (rec: FrameRecords, n: number): HostAddr => rec[(n << SHIFT) + FROM]!;

/** Write both slots of frame `n`'s completion. @param v, vExt valid bits of the writer's lap in each slot */
export function recComplete(
  words: HostWords,
  rec: FrameRecords,
  n: number,
  at: HostAddr,
  ext: HostAddr,
  opaque: number,
  v: number,
  vExt: number,
): void {
  const r = n << SHIFT;
  rxCmpExtWrite(words, ext, rec[r + FLAGS2]!, rec[r + META_DATA]!, rec[r + ERRORS]!, vExt);
  rxCmpWrite(words, at, rec[r + LEN_FLAGS]!, opaque, rec[r + HASH]!, rec[r + MISC]!, v);
}

/** The same with error bits added, and only the halves asked for. */
export function recCompleteHalf(
  words: HostWords,
  rec: FrameRecords,
  n: number,
  at: HostAddr,
  opaque: number,
  flags: number,
  v: number,
): void {
  const r = n << SHIFT;
  rxCmpWrite(words, at, rec[r + LEN_FLAGS]! | flags, opaque, rec[r + HASH]!, rec[r + MISC]!, v);
}

export function recCompleteExt(
  words: HostWords,
  rec: FrameRecords,
  n: number,
  ext: HostAddr,
  errors: number,
  vExt: number,
): void {
  const r = n << SHIFT;
  rxCmpExtWrite(words, ext, rec[r + FLAGS2]!, rec[r + META_DATA]!, rec[r + ERRORS]! | errors, vExt);
}

export interface FrameClass {
  readonly lane: number;
  readonly cause: number;
  readonly cast: number;
  readonly strip: boolean;
  readonly len: number;
  readonly from: HostAddr;
  readonly wireBytes: number;
  readonly lenFlags: number;
  readonly misc: number;
  readonly hash: number;
  readonly flags2: number;
  readonly metaData: number;
  readonly errors: number;
}

export function recStore(rec: FrameRecords, n: number, c: FrameClass): void {
  const r = n << SHIFT;
  const short = c.len >= SHORT_MIN && c.len <= SHORT_MAX;
  rec[r + KNOWN] = short && c.cast === CAST_UCAST && !c.strip ? REC_PLAIN : 1;
  rec[r + LANE] = c.lane;
  rec[r + CAUSE] = c.cause;
  rec[r + CAST] = c.cast;
  rec[r + STRIP] = c.strip ? 1 : 0;
  rec[r + LEN] = c.len;
  rec[r + FROM] = c.from;
  rec[r + WIRE_BYTES] = c.wireBytes;
  rec[r + LEN_FLAGS] = c.lenFlags | CMP_TYPE_RX_L2_CMP;
  rec[r + MISC] = c.misc;
  rec[r + HASH] = c.hash;
  rec[r + FLAGS2] = c.flags2;
  rec[r + META_DATA] = c.metaData;
  rec[r + ERRORS] = c.errors;
}

/** What was found out about frame `n` holds no more. */
export function recForgetOne(rec: FrameRecords, n: number): void {
  rec[(n << SHIFT) + KNOWN] = 0;
}

/** What was found out holds no more. */
export function recForget(rec: FrameRecords): void {
  for (let r = KNOWN; r < rec.length; r += 1 << SHIFT) rec[r] = 0;
}
