/** How what is offered divides into flows, and how much of it carries VLAN tags. */
import type { Capture } from '../wire/capture.ts';
import { parseFrame, ParsedFrame } from '../wire/parse.ts';
import type { TrafficPlan } from '../wire/gen.ts';

export interface OfferShape {
  readonly flows: number;
  /** Of all packets, those of the largest flow. */
  readonly topFlowPct: number;
  readonly taggedPct: number;
}

const IPV4_ADDRS = 12;
const IPV6_ADDRS = 8;
const MACS_LEN = 12;

const percent = (share: number): number => Math.round(share * 10_000) / 100;

/** Generated: shares as they were asked for. */
export function trafficShape({ spec, flow, probs }: TrafficPlan): OfferShape {
  const shares = new Float64Array(spec.flows);
  flow.forEach((of, frame) => (shares[of]! += probs[frame]!));
  const top = shares.reduce((most, share) => Math.max(most, share), 0);
  return {
    flows: spec.flows,
    topFlowPct: percent(top),
    taggedPct: spec.vlan.length > 0 ? 100 : 0,
  };
}

/** Of a capture: a flow is addresses, protocol and ports, or a pair of MAC addresses without IP. */
export function captureShape({ bytes, frames }: Capture): OfferShape {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parsed = new ParsedFrame();
  const counts = new Map<string, number>();
  let tagged = 0;
  for (const { at, capLen } of frames) {
    parseFrame(view, at, capLen, parsed);
    if (parsed.vlanCount > 0) tagged++;
    const key = `${addressesOf(bytes, at, capLen, parsed)}/${parsed.l4Proto}/${parsed.srcPort}/${parsed.dstPort}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const all = Math.max(1, frames.length);
  const top = [...counts.values()].reduce((most, n) => Math.max(most, n), 0);
  return { flows: counts.size, topFlowPct: percent(top / all), taggedPct: percent(tagged / all) };
}

function addressesOf(bytes: Uint8Array, at: number, len: number, frame: ParsedFrame): string {
  const ip = frame.l3Kind !== 0 && !frame.l3Malformed;
  const from = ip ? at + frame.l3Offset + (frame.l3Kind === 4 ? IPV4_ADDRS : IPV6_ADDRS) : at;
  const size = ip ? (frame.l3Kind === 4 ? 8 : 32) : MACS_LEN;
  return bytes.subarray(from, Math.min(from + size, at + len)).join('.');
}
