/** Sources of traffic with memory of their own, and what comes out of them as plain arrays. */
import { HostMemory } from '../../src/host/memory.ts';
import { Rng } from '../../src/host/rng.ts';
import { ArrivalBlock, type ArrivalSource, FrameTable } from '../../src/wire/frames.ts';
import { planTraffic, TrafficSource } from '../../src/wire/gen.ts';
import type { SendSource } from '../../src/wire/link.ts';
import { parseTraffic, type TrafficSpec } from '../../src/wire/trafficSpec.ts';

export interface Rig {
  readonly memory: HostMemory;
  readonly frames: FrameTable;
}

/** A frame table of exactly `bytes` (whole pages). */
export function frameRig(bytes: number): Rig {
  const memory = new HostMemory(bytes + 65536);
  return { memory, frames: new FrameTable(memory, memory.region('frames', bytes)) };
}

export function traffic(
  text: string,
  limits: Pick<TrafficSpec, 'count' | 'durationPs'> = {},
  seed = 1,
): Rig & { source: TrafficSource } {
  const plan = planTraffic({ ...parseTraffic(text), ...limits });
  const rig = frameRig(plan.frameBytes);
  return { ...rig, source: new TrafficSource(plan, rig.frames, new Rng(seed)) };
}

export interface Arrivals {
  readonly at: number[];
  readonly frame: number[];
}

/** The next `count` arrivals at least, or all when there are fewer. */
export function take(
  source: ArrivalSource,
  count: number,
  block: ArrivalBlock = new ArrivalBlock(),
): Arrivals {
  const at: number[] = [];
  const frame: number[] = [];
  do {
    source.fill(block);
    at.push(...block.at.subarray(0, block.count));
    frame.push(...block.frame.subarray(0, block.count));
  } while (block.count > 0 && at.length < count);
  return { at, frame };
}

/** A sender that wants frames of these lengths at these times, then ends. */
export function wants(
  frames: FrameTable,
  sends: readonly (readonly [at: number, lenBytes: number])[],
  endPs: number = 2 ** 53,
): SendSource {
  const numbers = sends.map(([, lenBytes]) => frames.add(new Uint8Array(lenBytes)));
  let next = 0;
  return {
    frames,
    endPs,
    fill(block: ArrivalBlock): void {
      block.count = 0;
      while (next < sends.length && block.count < block.at.length) {
        block.at[block.count] = sends[next]![0];
        block.frame[block.count++] = numbers[next++]!;
      }
    },
  };
}

/** The bytes of a stored frame. */
export const bytesOf = ({ memory, frames }: Rig, frame: number): Uint8Array =>
  memory.u8.slice(frames.at[frame], frames.at[frame]! + frames.len[frame]!);
