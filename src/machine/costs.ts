/** What a machine's operations take: its profile, and what its rings make of the caches. */
import {
  buffersInUse,
  countedMissShare,
  packetMissShare,
  writeMissShare,
} from '../host/cacheModel.ts';
import {
  OP_NAMES,
  OP_NAPI_POLL,
  OP_PACKET_TOUCH,
  OP_SKB_ALLOC,
  OP_STACK_TOUCH,
  OP_XDP_XMIT,
  costTable,
  nsToPs,
} from '../host/cost.ts';
import { RangeRefused } from '../host/errors.ts';
import type { MachineConfig } from './config.ts';

/** What the rings make of the last-level cache, in percent; 0 without a memory system. */
export interface CacheBooks {
  /** Packets that wait for memory at their first touch. */
  readonly packetMissPct: number;
  /** Misses per reference, as a CPU's counters have it. */
  readonly countedMissPct: number;
  /** Lines the NIC writes that the cache does not hold. */
  readonly writeMissPct: number;
}

/**
 * @param len mean length of the frames received; 0 without any
 * @param sentShare share of the frames received that XDP sent on, 0 to 1
 * @param underWay how many of those were under way on the mean, while the NIC wrote into other buffers.
 *   The CPU's misses lack them: what these add to operations must be known before the run.
 */
export function cacheBooks(
  config: MachineConfig,
  len: number,
  sentShare: number,
  underWay: number,
): CacheBooks {
  const kept = booksWith(config, len, false, underWay);
  const sent = booksWith(config, len, true, underWay);
  const mean = (of: (books: CacheBooks) => number): number =>
    (1 - sentShare) * of(kept) + sentShare * of(sent);
  return {
    packetMissPct: mean(({ packetMissPct }) => packetMissPct),
    countedMissPct: mean(({ countedMissPct }) => countedMissPct),
    writeMissPct: mean(({ writeMissPct }) => writeMissPct),
  };
}

/** @param allSent XDP sends every frame on, and not none */
function booksWith(
  { profile, nics }: MachineConfig,
  len: number,
  allSent: boolean,
  underWay: number = 0,
): CacheBooks {
  const { memory } = profile;
  if (memory === null) return { packetMissPct: 0, countedMissPct: 0, writeMissPct: 0 };
  // all frames arrive at NIC 0: the buffers on the other rings are never written
  const completionBytes = profile.pcie?.rxCompletionBytes ?? 0;
  const buffers = buffersInUse(memory, nics[0]!.queues, nics[0]!.rxRing, allSent);
  return {
    packetMissPct: 100 * packetMissShare(memory, buffers),
    countedMissPct: 100 * countedMissShare(memory, buffers),
    writeMissPct:
      len === 0 ? 0 : 100 * writeMissShare(memory, buffers + underWay, len, completionBytes),
  };
}

/**
 * Picoseconds, indexed by `OP_*`. A packet's first touch takes its mean; the stack's comes after an
 * skb has been made, with the line under way since the driver's prefetch. What more buffers than the
 * ring has push out of the cache is booked where they are put to use, with each frame that XDP sends.
 *
 * @throws RangeRefused when an application would poll for ever, because polling takes no time
 */
export function machineCosts(config: MachineConfig): Float64Array {
  const table = costTable(config.profile);
  const missNs = config.profile.memory?.missNs ?? 0;
  const missPs = (allSent: boolean): number =>
    nsToPs((missNs * booksWith(config, 0, allSent).packetMissPct) / 100);
  const miss = missPs(false);
  table[OP_PACKET_TOUCH] = table[OP_PACKET_TOUCH]! + miss;
  table[OP_XDP_XMIT] = table[OP_XDP_XMIT]! + missPs(true) - miss;
  table[OP_STACK_TOUCH] = table[OP_STACK_TOUCH]! + Math.max(0, miss - table[OP_SKB_ALLOC]!);
  if (table[OP_NAPI_POLL] === 0 && config.inet?.apps.some(({ busyPollUsecs: us }) => us > 0))
    throw new RangeRefused(
      `cost of '${OP_NAMES[OP_NAPI_POLL]}' in the profile`,
      0,
      'more than 0, since applications poll until time has passed',
    );
  return table;
}
