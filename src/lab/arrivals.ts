/** The frames that a run offers to its first NIC: generated, or from a capture. */
import type { Ps } from '../host/clock.ts';
import type { Rng } from '../host/rng.ts';
import type { Capture } from '../wire/capture.ts';
import { parseMac } from '../wire/eth.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from '../wire/frames.ts';
import type { TrafficPlan } from '../wire/gen.ts';
import { planTraffic, TrafficSource } from '../wire/gen.ts';
import type { Link, SendSource } from '../wire/link.ts';
import { wireBytes } from '../wire/link.ts';
import { ReplaySource, replayFrameBytes } from '../wire/replay.ts';
import type { SenderClock } from '../wire/sender.ts';
import { senderClock } from '../wire/sender.ts';
import type { TrafficSpec } from '../wire/trafficSpec.ts';
import { TRAFFIC_DEFAULT, parseTraffic, withTrafficWord } from '../wire/trafficSpec.ts';
import { parseCidr4, parseCidr6 } from './addresses.ts';
import type { RunOptions } from './optionSchema.ts';
import type { OfferShape } from './flowShares.ts';
import { captureShape, trafficShape } from './flowShares.ts';
import { rate } from './format.ts';
import { OptionError } from './options.ts';
import { parseReplay } from './replayMode.ts';

/**
 * What a run without `--in` and `--traffic` receives: a busy front door, in bursts that the default
 * rings nearly hold.
 */
const DEFAULT_TRAFFIC =
  'udp:50,tcp:36,udp6:8,tcp6:4,icmp:1.5,arp:0.5 size=imix flows=4096 pattern=zipf:1.1 rate=24Mpps burst=800 arrivals=poisson';
export const DEFAULT_COUNT = 1_000_000;

export interface ArrivalPlan {
  /** In words, for the report. */
  readonly says: string;
  readonly offer: OfferShape;
  /** Bytes that the machine's frame region must have. */
  readonly frameBytes: number;
  /** Frames there will be; undefined where time decides. */
  readonly total: number | undefined;
  /** Store the frames, and make the stream of the times at which they want to start. */
  source(frames: FrameTable, rng: Rng): SendSource;
  /** Whose clock tells how long frames were on their way; null where it is the wire's. */
  sender(link: Link): SenderClock | null;
}

/** Generated traffic, as the options describe it. @throws RangeRefused, NotUnderstood */
export function trafficPlan(options: RunOptions): ArrivalPlan {
  const { duration } = options;
  const count = options.count ?? (duration === undefined ? DEFAULT_COUNT : undefined);
  const { mac, addr, addr6 } = options.nics[0] ?? {};
  const spec: TrafficSpec = {
    ...trafficSpec(options, {
      ...TRAFFIC_DEFAULT,
      ...(mac === undefined ? {} : { dstMac: parseMac(mac) }),
      ...(addr === undefined ? {} : { dstIp: parseCidr4(addr)[0] }),
      ...(addr6 === undefined ? {} : { dstIp6: ipv6Bytes(parseCidr6(addr6)[0]) }),
    }),
    ...(count === undefined ? {} : { count }),
    ...(duration === undefined ? {} : { durationPs: duration }),
  };
  const plan = planTraffic(spec);
  refuseAboveLine(options, plan);
  return {
    says: trafficSays(options),
    offer: trafficShape(plan),
    frameBytes: plan.frameBytes,
    total: count,
    source: (frames, rng) => new TrafficSource(plan, frames, rng),
    sender: (link) => senderClock(plan, link),
  };
}

/** Rates are typed rounded: 148.81 Mpps is the line rate of 100 Gb/s. */
const ROUNDED = 1.001;

function refuseAboveLine(options: RunOptions, { lenBytes, probs, pps, spec }: TrafficPlan): void {
  if (pps === Infinity) return;
  const gbps = options.nics[0]?.link ?? options.link;
  const bytes = lenBytes.reduce((sum, len, i) => sum + wireBytes(len) * probs[i]!, 0);
  const { stall } = spec;
  const sends = stall?.sends === true ? 1 - stall.lenPs / stall.everyPs : 1;
  const most = (sends * gbps * 1e9) / (8 * bytes);
  if (pps <= most * ROUNDED) return;
  const place = options.rate === undefined ? '--traffic: rate' : '--rate:';
  const given = spec.rate.kind === 'bps' ? `${spec.rate.bps / 1e9}Gbps` : rate(pps);
  const up = `up to ${rate(most)} of these frames${sends < 1 ? ' between stalls' : ', or line'}`;
  throw new OptionError(`${place} ${given} is more than a ${gbps} Gb/s link carries (${up})`);
}

const ipv6Bytes = (words: readonly number[]): Uint8Array => {
  const view = new DataView(new ArrayBuffer(16));
  words.forEach((word, i) => view.setUint32(i * 4, word));
  return new Uint8Array(view.buffer);
};

const PARTS = ['rate', 'size', 'flows', 'pattern'] as const;

function trafficSpec(options: RunOptions, base: TrafficSpec): TrafficSpec {
  let spec = parseTraffic(options.traffic ?? DEFAULT_TRAFFIC, base);
  for (const part of PARTS) {
    const value = options[part];
    if (value !== undefined) spec = withTrafficWord(spec, part, value, `--${part}`);
  }
  return spec;
}

/** The text of the traffic with what replaces a part of it in its place. */
function trafficSays(options: RunOptions): string {
  const words = (options.traffic ?? DEFAULT_TRAFFIC).split(/\s+/).filter(Boolean);
  for (const part of PARTS) {
    const value = options[part];
    if (value === undefined) continue;
    const at = words.findIndex((word) => word.startsWith(`${part}=`));
    words.splice(at < 0 ? words.length : at, at < 0 ? 0 : 1, `${part}=${value}`);
  }
  return words.join(' ');
}

/** A capture, sent once, or over and over until `--count` frames are sent. */
export function replayPlan(options: RunOptions, capture: Capture): ArrivalPlan {
  const timing = parseReplay('--replay', options.replay ?? 'original');
  const frames = capture.frames.length;
  const { count, duration } = options;
  const total = frames === 0 ? 0 : (count ?? frames);
  const replay = {
    timing,
    loops: Math.max(1, Math.ceil(total / Math.max(1, frames))),
    ...(duration === undefined ? {} : { durationPs: duration }),
  };
  return {
    says: `${capture.name}: ${frames} frames, ${options.replay ?? 'original'} timing`,
    offer: captureShape(capture),
    frameBytes: replayFrameBytes(capture),
    total,
    source: (table) => new ReplaySource(capture, replay, table),
    sender: () => null,
  };
}

/** Passes arrivals on, at most `most` of them, and knows how many there were and when the last came. */
export class CountedArrivals implements ArrivalSource {
  readonly frames: FrameTable;
  offered = 0;
  lastPs: Ps = 0;
  /** There are no more. */
  ended = false;
  private readonly inner: ArrivalSource;
  private readonly most: number;
  private readonly onBlock: (offered: number, lastPs: Ps) => void;

  /** @param onBlock told after each block, for progress */
  constructor(
    inner: ArrivalSource,
    most: number,
    onBlock: (offered: number, lastPs: Ps) => void = () => {},
  ) {
    this.inner = inner;
    this.frames = inner.frames;
    this.most = most;
    this.onBlock = onBlock;
  }

  /** What has been asked for still arrives, and nothing behind it. */
  stop(): void {
    this.ended = true;
  }

  fill(block: ArrivalBlock): void {
    this.ended ||= this.offered >= this.most;
    block.count = 0;
    if (this.ended) return;
    this.inner.fill(block);
    block.count = Math.min(block.count, this.most - this.offered);
    this.ended = block.count === 0;
    if (this.ended) return;
    this.offered += block.count;
    this.lastPs = block.at[block.count - 1]!;
    this.onBlock(this.offered, this.lastPs);
  }
}
