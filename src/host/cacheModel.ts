/**
 * The last-level cache as received packets see it.
 *
 * Buffers begin at multiples of `bufferAlignment`, so of the cache's sets only some hold the first
 * line of a packet: with a page for each packet, one in 64. Buffers fall on those sets by chance
 * (slice and upper index bits are a hash of the address): the lines of one set are Poisson
 * distributed with mean
 *
 *   lambda = buffers in use / (sets * 64 / alignment)
 *
 * Where a set has more lines than ways, each round of the ring evicts them before they come again.
 * A packet whose set is too full waits for memory at its first touch:
 *
 *   waits   = P(X >= ways)
 *
 * Counters say less, since of X lines only X - ways are gone each round. One way is left to
 * everything else on the CPU's side; on the NIC's side only the DDIO ways may take a new line:
 *
 *   counted = E[(X - (ways - 1))+] / lambda
 *   written = E[(X - ddioWays)+] / lambda       over all lines of a frame and its completion
 */
import type { MemorySpec } from './profile.ts';

const LINE = 64;

/** P(X >= n) for X Poisson distributed with mean `lambda`. */
export function poissonAtLeast(n: number, lambda: number): number {
  // terms relative to the first one: their sum is e^lambda
  let term = 1;
  let sum = 1;
  let below = n > 0 ? 1 : 0;
  for (let k = 1; k < n || term > sum * 1e-17; k++) {
    term *= lambda / k;
    sum += term;
    if (k < n) below += term;
  }
  return Math.max(0, 1 - below / sum);
}

/** E[(X - n)+] for X Poisson distributed with mean `lambda`. */
export const poissonBeyond = (n: number, lambda: number): number =>
  lambda * poissonAtLeast(n, lambda) - n * poissonAtLeast(n + 1, lambda);

/** Buffers in use of `queues` RX rings of `ring` descriptors. */
export const buffersInUse = (spec: MemorySpec, queues: number, ring: number): number =>
  queues * (ring + spec.buffersPerQueue);

/** Lines per set, of those sets that hold any, when each buffer holds `lines` of them in use. */
function linesPerSet(spec: MemorySpec, buffers: number, lines: number): number {
  const sets = spec.llcBytes / spec.llcWays / LINE;
  const used = Math.min(1, (lines * LINE) / spec.bufferAlignment);
  return (buffers * lines) / (sets * used);
}

/** Share of packets that wait for memory at their first touch. */
export const packetMissShare = (spec: MemorySpec, buffers: number): number =>
  poissonAtLeast(spec.llcWays, linesPerSet(spec, buffers, 1));

/** Misses per reference to the last-level cache, as a CPU's counters have it. */
export function countedMissShare(spec: MemorySpec, buffers: number): number {
  const lambda = linesPerSet(spec, buffers, 1);
  return spec.otherMissPct / 100 + poissonBeyond(spec.llcWays - 1, lambda) / lambda;
}

/** Share of the NIC's writes, of frames of `len` bytes, whose line the cache does not hold. */
export function writeMissShare(spec: MemorySpec, buffers: number, len: number): number {
  const lambda = linesPerSet(spec, buffers, Math.ceil(len / LINE) + 1);
  return poissonBeyond(spec.ddioWays, lambda) / lambda;
}
