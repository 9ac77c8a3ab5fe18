/**
 * The last-level cache as received packets see it.
 *
 * Buffers begin at multiples of `bufferAlignment`, so of the cache's sets only some hold the first
 * line of a packet: with a page for each packet, one in 64. Which of a slice's sets a buffer can
 * take follows from its address, and buffers that were allocated one behind the other take them in
 * turn: on each such set of all slices together fall as many. Which slice it is, is a hash of the
 * address, as good as chance: the lines of one set are binomially distributed,
 *
 *   X ~ B(lambda * slices, 1 / slices)
 *   lambda = buffers in use / (sets * 64 / alignment)
 *
 * Where a set has more lines than ways, each round of the ring evicts them before they come again.
 * A packet whose set is too full waits for memory at its first touch:
 *
 *   waits   = P(X >= ways)
 *
 * Counters say less, since of X lines only X - ways are gone each round, and one way is left to
 * everything else:
 *
 *   counted = E[(X - (ways - 1))+] / lambda
 *
 * What the NIC writes may take a new line in the DDIO ways alone. Where a set has more lines than
 * these, how often one misses depends on their order and on which of them gives way, and neither is
 * published: with one line too many on two ways, in turn and by lot, it is 2/3; in any order, 1/3
 * whichever gives way. Between them lies by lot with others that miss independently, 1/2 there:
 *
 *   missed(X') = 1 - (1 - 1 / ddioWays)^(X' missed(X')), 0 when X' < ddioWays
 *   X'         ~ B(lambda * slices - 1, 1 / slices)         the others in its set
 *
 * An inclusive cache holds all lines of a frame and of its completion there. From another one a core
 * takes the lines it reads - a frame's first and the completions - and gives them back to any way,
 * where the NIC's next write finds them; they neither miss nor take up DDIO ways.
 */
import type { MemorySpec } from './profile.ts';

const LINE = 64;

/** P(X >= n) for X ~ B(trials, p). */
function binomialAtLeast(n: number, trials: number, p: number): number {
  if (p === 1) return trials >= n ? 1 : 0;
  // terms relative to the first one
  let term = 1;
  let below = n > 0 ? 1 : 0;
  for (let k = 1; k < n && k <= trials; k++) {
    term *= ((trials - k + 1) / k) * (p / (1 - p));
    below += term;
  }
  return Math.max(0, 1 - below * (1 - p) ** trials);
}

/** `of` whole trials, or of both neighbours of a broken number, by their shares. */
function mixed(trials: number, of: (whole: number) => number): number {
  const whole = Math.floor(trials);
  const more = trials - whole;
  return (1 - more) * of(whole) + (more === 0 ? 0 : more * of(whole + 1));
}

/** P(X >= n) for the lines X of a set, `lambda` in the mean. */
export const linesAtLeast = (n: number, lambda: number, slices: number): number =>
  mixed(lambda * slices, (trials) => binomialAtLeast(n, trials, 1 / slices));

/** E[(X - n)+] for the lines X of a set, `lambda` in the mean. */
export const linesBeyond = (n: number, lambda: number, slices: number): number =>
  mixed(lambda * slices, (trials) => {
    const p = 1 / slices;
    if (trials === 0) return 0;
    const within = trials * p * binomialAtLeast(n, trials - 1, p);
    return Math.max(0, within - n * binomialAtLeast(n + 1, trials, p));
  });

/**
 * Buffers in use of `queues` RX rings of `ring` descriptors. A packet that is dropped leaves its
 * buffer to the ring; one that is sent keeps it for a while, and the ring takes another of those
 * that go round besides. How many wait to be sent at a time a run alone can tell.
 */
export const buffersInUse = (
  spec: MemorySpec,
  queues: number,
  ring: number,
  sent: boolean,
): number => queues * (ring + (sent ? spec.buffersPerQueue : 0));

/** Lines per set, of those sets that hold any, when each buffer holds `lines` of them in use. */
function linesPerSet(spec: MemorySpec, buffers: number, lines: number): number {
  const sets = spec.llcBytes / spec.llcWays / LINE;
  const used = Math.min(1, (lines * LINE) / spec.bufferAlignment);
  return (buffers * lines) / (sets * used);
}

/** Share of packets that wait for memory at their first touch. */
export const packetMissShare = (spec: MemorySpec, buffers: number): number =>
  linesAtLeast(spec.llcWays, linesPerSet(spec, buffers, 1), spec.llcSlices);

/** Misses per reference to the last-level cache, as a CPU's counters have it. */
export function countedMissShare(spec: MemorySpec, buffers: number): number {
  const lambda = linesPerSet(spec, buffers, 1);
  return spec.otherMissPct / 100 + linesBeyond(spec.llcWays - 1, lambda, spec.llcSlices) / lambda;
}

/** How often a line misses that shares `ways` with `others`, each of which misses as often. */
export function missBeside(others: number, ways: number): number {
  if (others < ways) return 0;
  let missed = 1;
  for (let before = 2; before - missed > 1e-9;) {
    before = missed;
    missed = 1 - (1 - 1 / ways) ** (missed * others);
  }
  return missed;
}

/** The same, where the others are X' ~ B(trials, 1 / slices). */
function missAmong(trials: number, slices: number, ways: number): number {
  if (slices === 1) return missBeside(trials, ways);
  let term = (1 - 1 / slices) ** trials;
  let held = 0;
  for (let others = 0; others <= trials; others++) {
    const hit = 1 - missBeside(others, ways);
    if (hit < 1e-9) break;
    held += term * hit;
    term *= (trials - others) / (others + 1) / (slices - 1);
  }
  return Math.max(0, 1 - held);
}

/**
 * Share of the NIC's writes, of frames of `len` bytes and their completions, whose line the cache
 * does not hold.
 */
export function writeMissShare(
  spec: MemorySpec,
  buffers: number,
  len: number,
  completionBytes: number,
): number {
  const frame = Math.ceil(len / LINE);
  const written = frame + completionBytes / LINE;
  const kept = spec.llcInclusive === 0 ? frame - 1 : written;
  if (kept <= 0) return 0;
  const others = linesPerSet(spec, buffers, kept) * spec.llcSlices - 1;
  const miss = mixed(Math.max(0, others), (trials) =>
    missAmong(trials, spec.llcSlices, spec.ddioWays),
  );
  return (kept / written) * miss;
}
