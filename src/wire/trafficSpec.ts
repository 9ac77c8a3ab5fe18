/**
 * What traffic is wanted, as an object and as the text people type:
 *
 *   udp:8,tcp:2 size=imix flows=1024 pattern=zipf:1.1 rate=14.88Mpps burst=32 arrivals=poisson vlan=100.200
 *   udp rate=1Mpps dst=10.2.0.1
 *   udp size=1500 rate=line queue=1280
 *   udp rate=1Mpps stall=175us/43.8ms
 *
 * Every word may be left out. The first may be a protocol mix without `proto=` before it.
 */
import { END_OF_TIME } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import { AddressError } from './addressError.ts';
import { checkInt } from './checkInt.ts';
import type { MacAddr } from './eth.ts';
import { parseIpv4Addr } from './ipv4.ts';
import { parseIpv6Addr } from './ipv6Text.ts';
import {
  checkRate,
  checkSize,
  NotUnderstood,
  parseCount,
  parseRate,
  parseSize,
  type RateSpec,
  type SizeSpec,
} from './quantities.ts';
import { checkStall, parseStall, stallText, type StallSpec } from './stall.ts';

/** `icmp` is an echo request; the two with a 6 travel over IPv6. */
export type TrafficProto = 'udp' | 'tcp' | 'icmp' | 'arp' | 'udp6' | 'tcp6';

export const TRAFFIC_PROTOS: readonly TrafficProto[] = [
  'udp',
  'tcp',
  'icmp',
  'arp',
  'udp6',
  'tcp6',
];

/** A protocol and its share of the frames, relative to the other weights. */
export interface ProtoWeight {
  readonly proto: TrafficProto;
  readonly weight: number;
}

/** How frames spread over flows: evenly; flow k like 1 / k^exponent; or one flow takes `share`. */
export type PatternSpec =
  | { readonly kind: 'uniform' }
  | { readonly kind: 'zipf'; readonly exponent: number }
  | { readonly kind: 'elephant'; readonly share: number };

export interface TrafficSpec {
  /** Each protocol once. */
  readonly protos: readonly ProtoWeight[];
  /** With FCS. A frame whose headers need more is as long as they are. */
  readonly size: SizeSpec;
  /** Distinct senders over all protocols; at least as many as protocols. */
  readonly flows: number;
  readonly pattern: PatternSpec;
  readonly rate: RateSpec;
  /** Frames sent back to back before a gap that keeps the mean rate. */
  readonly burst: number;
  readonly arrivals: 'constant' | 'poisson';
  /**
   * Frames that each frame waits for in the sender's own queue, which is always full: with
   * `rate: line`, and 0 otherwise. It shows in latencies that the sender takes (`SenderClock`).
   */
  readonly queue: number;
  /** When the generator does nothing; null: never. */
  readonly stall: StallSpec | null;
  /** VLAN ids, outermost first: none, one (802.1Q) or two (802.1ad outside, 802.1Q inside). */
  readonly vlan: readonly number[];
  /** Frames in all; without it no limit. */
  readonly count?: number;
  /** No frame starts at this time or later; without it no limit. */
  readonly durationPs?: Ps;
  readonly dstMac: MacAddr;
  /** As one number, its first octet the highest. */
  readonly dstIp: number;
  /** 16 bytes. */
  readonly dstIp6: Uint8Array;
}

/** What each part is when nothing is said about it. */
export const TRAFFIC_DEFAULT: TrafficSpec = {
  protos: [{ proto: 'udp', weight: 1 }],
  size: { kind: 'fixed', bytes: 64 },
  flows: 1,
  pattern: { kind: 'uniform' },
  rate: { kind: 'pps', pps: 1_000_000 },
  burst: 1,
  arrivals: 'constant',
  queue: 0,
  stall: null,
  vlan: [],
  dstMac: { hi16: 0x0200, lo32: 1 },
  dstIp: 0x0a00_0001,
  dstIp6: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
};

const FLOWS_MAX = 2 ** 20;
const BURST_MAX = 1_000_000;
const QUEUE_MAX = 1_000_000;
const VID_MAX = 4094;
const WEIGHT_MAX = 1_000_000;
const EXPONENT_MIN = 0.01;
const EXPONENT_MAX = 10;
const SHARE_MIN = 0.001;

const PATTERN_FORMS = 'uniform, zipf, zipf:1.1, elephant or elephant:0.8';
const PROTO_FORMS = `${TRAFFIC_PROTOS.join(', ')}, with weights like udp:8,tcp:2`;
const WORD_FORMS =
  'proto, size, flows, pattern, rate, burst, arrivals, queue, stall, vlan and dst, as in size=64';
const VLAN_FORMS = 'vlan=100, or vlan=100.200 with the outer tag first';

const DST_FORMS = 'an address, as dst=10.0.1.9 or dst=fd00:1::9';

type Part = Partial<TrafficSpec>;

const WORDS: Readonly<Record<string, (what: string, value: string) => Part>> = {
  proto: (what, value) => ({ protos: parseProtos(what, value) }),
  size: (what, value) => ({ size: parseSize(what, value) }),
  flows: (what, value) => ({ flows: parseCount(what, value, 1, FLOWS_MAX) }),
  pattern: (what, value) => ({ pattern: parsePattern(what, value) }),
  rate: (what, value) => ({ rate: parseRate(what, value) }),
  burst: (what, value) => ({ burst: parseCount(what, value, 1, BURST_MAX) }),
  arrivals: (what, value) => ({ arrivals: parseArrivals(what, value) }),
  queue: (what, value) => ({ queue: parseCount(what, value, 1, QUEUE_MAX) }),
  stall: (what, value) => ({ stall: parseStall(what, value) }),
  vlan: (what, value) => ({ vlan: parseVlan(what, value) }),
  dst: parseDst,
};

/**
 * Reads the text form; what it does not mention is taken from `base`. A mix of protocols that does
 * not say how many flows it wants gets at least one for each.
 *
 * @throws NotUnderstood, RangeRefused naming the word, its value and what is allowed
 */
export function parseTraffic(text: string, base: TrafficSpec = TRAFFIC_DEFAULT): TrafficSpec {
  let spec = base;
  let dst: string | null = null;
  const seen = new Set<string>();
  for (const [i, token] of text.split(/\s+/).filter(Boolean).entries()) {
    const cut = token.indexOf('=');
    const bareProto = cut < 0 && i === 0;
    if (cut < 0 && !bareProto) throw new NotUnderstood('traffic word', token, WORD_FORMS);
    const word = bareProto ? 'proto' : token.slice(0, cut);
    if (seen.has(word)) throw new NotUnderstood(`traffic ${word}`, token, 'it was given before');
    seen.add(word);
    spec = withTrafficWord(spec, word, token.slice(cut + 1));
    if (word === 'dst') dst = token.slice(cut + 1);
  }
  if (dst !== null) checkDst(dst, spec.protos);
  if (seen.has('flows') || spec.flows >= spec.protos.length) return spec;
  return { ...spec, flows: spec.protos.length };
}

/**
 * The same traffic with one word of the text form changed, as `--rate` does over `--traffic`.
 *
 * @param what the place, as a message should name it
 * @throws NotUnderstood, RangeRefused
 */
export function withTrafficWord(
  spec: TrafficSpec,
  word: string,
  value: string,
  what: string = `traffic ${word}`,
): TrafficSpec {
  const parse = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (parse === undefined) {
    throw new NotUnderstood('traffic word', `${word}=${value}`, WORD_FORMS);
  }
  return { ...spec, ...parse(what, value) };
}

function parseProtos(what: string, text: string): ProtoWeight[] {
  const protos = text.split(',').map((part): ProtoWeight => {
    const match = /^([a-z0-9]+)(?::(\d+(?:\.\d+)?))?$/.exec(part);
    const proto = TRAFFIC_PROTOS.find((name) => name === match?.[1]);
    if (proto === undefined) throw new NotUnderstood(what, part, PROTO_FORMS);
    return { proto, weight: Number(match?.[2] ?? 1) };
  });
  checkProtos(what, protos);
  return protos;
}

function checkProtos(what: string, protos: readonly ProtoWeight[]): void {
  if (protos.length === 0) throw new RangeRefused(what, 'none', PROTO_FORMS);
  protos.forEach(({ proto, weight }, i) => {
    if (!(weight > 0 && weight <= WEIGHT_MAX)) {
      throw new RangeRefused(what, `${proto}:${weight}`, `weights above 0, up to ${WEIGHT_MAX}`);
    }
    if (protos.findIndex((other) => other.proto === proto) < i) {
      throw new RangeRefused(what, `${proto} twice`, 'each protocol once');
    }
  });
}

function parsePattern(what: string, text: string): PatternSpec {
  const match = /^(uniform|zipf|elephant)(?::(\d+(?:\.\d+)?))?$/.exec(text);
  const parameter = match?.[2] === undefined ? null : Number(match[2]);
  const kind = match?.[1];
  if (kind === undefined || (kind === 'uniform' && parameter !== null)) {
    throw new NotUnderstood(what, text, PATTERN_FORMS);
  }
  const pattern: PatternSpec =
    kind === 'zipf'
      ? { kind, exponent: parameter ?? 1 }
      : kind === 'elephant'
        ? { kind, share: parameter ?? 0.5 }
        : { kind: 'uniform' };
  checkPattern(what, pattern);
  return pattern;
}

function checkPattern(what: string, pattern: PatternSpec): void {
  if (pattern.kind === 'zipf') {
    const { exponent } = pattern;
    if (exponent >= EXPONENT_MIN && exponent <= EXPONENT_MAX) return;
    const allowed = `exponents from ${EXPONENT_MIN} to ${EXPONENT_MAX}`;
    throw new RangeRefused(what, `zipf:${exponent}`, allowed);
  }
  if (pattern.kind === 'elephant') {
    const { share } = pattern;
    if (share >= SHARE_MIN && share <= 1) return;
    throw new RangeRefused(what, `elephant:${share}`, `shares from ${SHARE_MIN} to 1`);
  }
}

function parseArrivals(what: string, text: string): TrafficSpec['arrivals'] {
  if (text === 'constant' || text === 'poisson') return text;
  throw new NotUnderstood(what, text, 'constant or poisson');
}

/** To whom frames go whose MAC address is still the NIC's: somebody behind it. */
function parseDst(what: string, text: string): Part {
  try {
    return text.includes(':') ? { dstIp6: parseIpv6Addr(text) } : { dstIp: parseIpv4Addr(text) };
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new NotUnderstood(what, text, DST_FORMS);
  }
}

/** An address that no frame of these protocols could be for. ARP asks for the NIC's, whatever `dst` is. */
function checkDst(dst: string, protos: readonly ProtoWeight[]): void {
  const six = dst.includes(':');
  const takers: readonly TrafficProto[] = six ? ['udp6', 'tcp6'] : ['udp', 'tcp', 'icmp'];
  if (protos.some(({ proto }) => takers.includes(proto))) return;
  const given = protos.map(({ proto }) => proto).join(',');
  throw new RangeRefused('traffic dst', `${dst} with ${given}`, `is for ${takers.join(', ')}`);
}

function parseVlan(what: string, text: string): number[] {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new NotUnderstood(what, text, VLAN_FORMS);
  return text.split('.').map((vid) => checkInt(what, Number(vid), 1, VID_MAX));
}

/**
 * Refuses what the generator cannot make, however the object came about.
 *
 * @throws RangeRefused
 */
export function checkTraffic(spec: TrafficSpec): void {
  checkProtos('traffic proto', spec.protos);
  checkSize('traffic size', spec.size);
  checkPattern('traffic pattern', spec.pattern);
  checkRate('traffic rate', spec.rate);
  checkInt('traffic flows', spec.flows, 1, FLOWS_MAX);
  checkInt('traffic burst', spec.burst, 1, BURST_MAX);
  checkInt('traffic queue', spec.queue, 0, QUEUE_MAX);
  if (spec.queue > 0 && spec.rate.kind !== 'line') {
    throw new RangeRefused('traffic queue', spec.queue, 'only with rate=line: else none waits');
  }
  if (spec.stall !== null) {
    checkStall('traffic stall', spec.stall);
    if (spec.stall.sends && spec.rate.kind === 'line') {
      const why = 'with rate=line only rx: what is in the queue leaves during a stall, too';
      throw new RangeRefused('traffic stall', stallText(spec.stall), why);
    }
  }
  if (spec.vlan.length > 2) throw new RangeRefused('traffic vlan', spec.vlan.join('.'), VLAN_FORMS);
  for (const vid of spec.vlan) checkInt('traffic vlan', vid, 1, VID_MAX);
  if (spec.count !== undefined) checkInt('traffic count', spec.count, 0, Number.MAX_SAFE_INTEGER);
  if (spec.durationPs !== undefined) {
    checkInt('traffic duration, in ps', spec.durationPs, 0, END_OF_TIME - 1);
  }
  if (spec.flows < spec.protos.length) {
    const allowed = `${spec.protos.length} to ${FLOWS_MAX} with this many protocols`;
    throw new RangeRefused('traffic flows', spec.flows, allowed);
  }
}
