/**
 * The traffic generator: from a `TrafficSpec` to frames and the times at which they want to start.
 *
 * Every distinct frame is stored before the first is sent, so that sending costs two draws at most.
 * What one frame is, is a flow and a length; `planTraffic` decides which of these pairs exist. All
 * of them, if they fit (65,536 frames and 128 MiB, or one frame for each flow where there are more
 * flows). If not, a flow gets fewer lengths, the heavier flow the more of them: it cuts the
 * distribution of lengths into as many parts of equal weight and takes one length from each, and
 * where in the part is different from flow to flow. So a light flow may always have one length, but
 * over all flows lengths are distributed as asked.
 */
import { END_OF_TIME } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { Rng } from '../host/rng.ts';
import { ConstantStarts, LineStarts, PoissonStarts, type StartTimes } from './arrivals.ts';
import { flowMix, type FlowMix } from './flows.ts';
import { BLOCK, type ArrivalBlock, FrameTable } from './frames.ts';
import { type SendSource, wireBytes } from './link.ts';
import { checkRate } from './quantities.ts';
import { type SizeMix, sizeMix, SizeQuantiles } from './sizes.ts';
import { StalledStarts } from './stall.ts';
import { FrameStamp, headersLen } from './templates.ts';
import { checkTraffic, type TrafficSpec } from './trafficSpec.ts';
import { WeightedDraw } from './variates.ts';

const FRAMES_MAX = 65_536;
const FRAME_BYTES_MAX = 128 * 2 ** 20;
/** 2^32 over the golden ratio: multiples of it, modulo 2^32, fill the range as evenly as can be. */
const GOLDEN = 0x9e37_79b1;
/** Stamps kept at a time; a stamp is as large as its frame. */
const STAMPS_MAX = 4096;

/** Which frames exist, by number: the flow, the length without FCS, and the probability of each. */
export interface TrafficPlan {
  readonly spec: TrafficSpec;
  readonly flow: Int32Array;
  readonly lenBytes: Int32Array;
  readonly probs: Float64Array;
  /** Index in `spec.protos`, by flow. */
  readonly flowProto: Uint8Array;
  /** What a region for a `FrameTable` of all these frames must have. */
  readonly frameBytes: number;
  /** Frames a second that are wanted; Infinity when the line decides. */
  readonly pps: number;
}

/**
 * Decides all that is fixed before the first frame is sent.
 *
 * @throws RangeRefused when the spec, or the memory it needs, is out of range
 */
export function planTraffic(spec: TrafficSpec): TrafficPlan {
  checkTraffic(spec);
  const sizes = sizeMix(spec.size);
  const flows = flowMix(spec.pattern, spec.flows, spec.protos);
  const lengthsOf = lengthsPerFlow(spec, sizes, flows.probs);
  const count = lengthsOf.reduce((a, b) => a + b, 0);
  const flow = new Int32Array(count);
  const lenBytes = new Int32Array(count);
  const probs = new Float64Array(count);
  layOutFrames({ flow, lenBytes, probs }, spec, sizes, flows, lengthsOf);
  const frameBytes = FrameTable.bytesFor(lenBytes);
  const pps = wantedPps(spec, lenBytes, probs);
  return { spec, flow, lenBytes, probs, flowProto: flows.proto, frameBytes, pps };
}

/**
 * Bytes that the region of a `FrameTable` must have for this traffic.
 *
 * @throws RangeRefused
 */
export const trafficFrameBytes = (spec: TrafficSpec): number => planTraffic(spec).frameBytes;

/** How many lengths each flow gets. */
function lengthsPerFlow(spec: TrafficSpec, sizes: SizeMix, probs: Float64Array): Int32Array {
  const most = framesThatFit(spec, sizes);
  const all = sizes.lens.length;
  const spare = Math.max(0, Math.min(FRAMES_MAX, most) - spec.flows);
  if (spec.flows * (all - 1) <= spare) return new Int32Array(spec.flows).fill(all);
  return Int32Array.from(probs, (p) => Math.min(all, 1 + Math.floor(spare * p)));
}

function framesThatFit(spec: TrafficSpec, sizes: SizeMix): number {
  const headers = Math.max(...spec.protos.map((p) => headersLen(p.proto, spec.vlan.length)));
  const lens = Array.from(sizes.lens, (len) => Math.max(len, headers));
  const mean = lens.reduce((sum, len, i) => sum + FrameTable.bytesFor([len]) * sizes.probs[i]!, 0);
  const most = Math.floor(FRAME_BYTES_MAX / mean);
  if (spec.flows <= most) return most;
  throw new RangeRefused(
    'traffic flows',
    spec.flows,
    `1 to ${most} with frames of this size: they are kept in memory, ${FRAME_BYTES_MAX} bytes at most`,
  );
}

function layOutFrames(
  out: Pick<TrafficPlan, 'flow' | 'lenBytes' | 'probs'>,
  spec: TrafficSpec,
  sizes: SizeMix,
  flows: FlowMix,
  lengthsOf: Int32Array,
): void {
  const quantiles = new SizeQuantiles(sizes);
  const headers = spec.protos.map((p) => headersLen(p.proto, spec.vlan.length));
  const all = sizes.lens.length;
  let frame = 0;
  for (let flow = 0; flow < spec.flows; flow++) {
    const parts = lengthsOf[flow]!;
    const shift = (Math.imul(flow, GOLDEN) >>> 0) / 2 ** 32;
    const least = headers[flows.proto[flow]!]!;
    for (let part = 0; part < parts; part++, frame++) {
      const isWhole = parts === all;
      const len = isWhole ? sizes.lens[part]! : quantiles.at((part + shift) / parts);
      out.flow[frame] = flow;
      out.lenBytes[frame] = Math.max(len, least);
      out.probs[frame] = flows.probs[flow]! * (isWhole ? sizes.probs[part]! : 1 / parts);
    }
  }
}

function wantedPps(spec: TrafficSpec, lenBytes: Int32Array, probs: Float64Array): number {
  if (spec.rate.kind === 'line') return Infinity;
  if (spec.rate.kind === 'pps') return spec.rate.pps;
  const mean = lenBytes.reduce((sum, len, i) => sum + wireBytes(len) * probs[i]!, 0);
  const pps = spec.rate.bps / (8 * mean);
  checkRate('traffic rate', { kind: 'pps', pps }, `${spec.rate.bps}bps, ${pps} frames a second,`);
  return pps;
}

/**
 * The generator itself. `at` of the arrivals it fills is when a frame wants to start: put a
 * `LinkFeed` around it.
 *
 * Times and frames are drawn from separate streams: another pattern does not shift the times.
 */
export class TrafficSource implements SendSource {
  readonly frames: FrameTable;
  readonly endPs: Ps;
  private readonly times: StartTimes;
  private readonly pick: WeightedDraw;
  private left: number;

  /** Adds the plan's frames to `frames`, which others may share. @throws RangeRefused if it is full */
  constructor(plan: TrafficPlan, frames: FrameTable, rng: Rng) {
    const first = frames.count;
    const timeRng = rng.fork();
    this.frames = frames;
    this.endPs = plan.spec.durationPs ?? END_OF_TIME;
    this.left = plan.spec.count ?? Infinity;
    this.times = startTimes(plan, this.endPs, timeRng);
    this.pick = new WeightedDraw(plan.probs, first, rng.fork());
    addFrames(plan, frames);
  }

  fill(block: ArrivalBlock): void {
    const count = this.times.starts(block.at, Math.min(BLOCK, this.left));
    this.pick.draw(block.frame, count);
    this.left -= count;
    block.count = count;
  }
}

function startTimes(plan: TrafficPlan, endPs: Ps, rng: Rng): StartTimes {
  const { stall } = plan.spec;
  const due = dueTimes(plan, endPs, rng);
  return stall?.sends === true ? new StalledStarts(due, stall) : due;
}

function dueTimes(plan: TrafficPlan, endPs: Ps, rng: Rng): StartTimes {
  const { burst, arrivals } = plan.spec;
  if (plan.pps === Infinity) return new LineStarts();
  if (arrivals === 'poisson') return new PoissonStarts(plan.pps, burst, endPs, rng);
  return new ConstantStarts(plan.pps, burst, endPs);
}

function addFrames(plan: TrafficPlan, frames: FrameTable): void {
  const { spec, flow, lenBytes, flowProto } = plan;
  const stamps = new Map<number, FrameStamp>();
  for (let i = 0; i < flow.length; i++) {
    const proto = flowProto[flow[i]!]!;
    const key = proto * 65_536 + lenBytes[i]!;
    let stamp = stamps.get(key);
    if (stamp === undefined) {
      if (stamps.size === STAMPS_MAX) stamps.clear();
      stamp = new FrameStamp(spec.protos[proto]!.proto, lenBytes[i]!, spec);
      stamps.set(key, stamp);
    }
    frames.add(stamp.frameOf(flow[i]!));
  }
}
