/**
 * The packets that real objects are judged on: a third random bytes, a third protocols, a third
 * protocols with damage, and behind them all frames of the project's own captures. The same on every
 * machine.
 */
import { readFileSync } from 'node:fs';
import { Rng } from '../../src/host/rng.ts';
import { readCapture } from '../../src/wire/capture.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { FrameSpec } from '../../src/wire/build.ts';
import type { L4Spec } from '../../src/wire/buildL4.ts';

const MADE = 1002;
/** 153 frames: examples/captures. */
const CAPTURES = ['bulk-tcp', 'dns', 'fragments', 'http', 'ipv6', 'ping', 'vlan'];
const SEED = 20261122;
/** What `BPF_PROG_TEST_RUN` takes at least. */
const MIN_LEN = 14;

export function objectPackets(): Uint8Array[] {
  const rng = new Rng(SEED);
  const made = Array.from({ length: MADE }, (_, i) => {
    if (i % 3 === 0) return randomBytes(rng, MIN_LEN + rng.below(rng.below(8) === 0 ? 1400 : 120));
    const frame = protocolFrame(rng);
    return i % 3 === 1 ? frame : damaged(rng, frame);
  });
  return [...made, ...CAPTURES.flatMap(captured)];
}

function captured(name: string): Uint8Array[] {
  const file = new URL(`../../examples/captures/${name}.pcap`, import.meta.url);
  const { bytes, frames } = readCapture(new Uint8Array(readFileSync(file)), name);
  return frames.map(({ at, capLen }) => bytes.slice(at, at + capLen));
}

const randomBytes = (rng: Rng, len: number): Uint8Array =>
  Uint8Array.from({ length: len }, () => rng.below(256));

function damaged(rng: Rng, frame: Uint8Array): Uint8Array {
  const bytes = frame.slice(0, MIN_LEN + rng.below(Math.max(frame.length - MIN_LEN, 1)));
  for (let flips = rng.below(4); flips > 0; flips--) {
    bytes[rng.below(bytes.length)]! ^= 1 << rng.below(8);
  }
  return bytes;
}

const pick = <T>(rng: Rng, choices: readonly T[]): T => choices[rng.below(choices.length)]!;

const PORTS = [53, 80, 443, 4242, 5353];

function transport(rng: Rng): L4Spec {
  const ports = { srcPort: 1024 + rng.below(64), dstPort: pick(rng, PORTS) };
  const payload = pick(rng, [0, 4, 18, 64, 200, 512]);
  switch (rng.below(4)) {
    case 0:
      return { kind: 'udp', ...ports, dstPort: 53, payload: dnsQuery(rng) };
    case 1:
      return { kind: 'tcp', ...ports, payload };
    case 2:
      return { kind: 'echo', seq: rng.below(9), payload };
    default:
      return { kind: 'udp', ...ports, payload };
  }
}

function net(rng: Rng): FrameSpec['net'] {
  const body = transport(rng);
  switch (rng.below(5)) {
    case 0:
      return { kind: 'raw', etherType: 0x88cc, payload: 46 };
    case 1:
    case 2:
      return { kind: 'ipv6', src: ipv6Of(rng.below(16)), dst: ipv6Of(1), body };
    default: {
      const ttl = pick(rng, [1, 2, 64, 255]);
      return { kind: 'ipv4', src: 0x0a000000 + rng.below(512), dst: 0x0a000001, ttl, body };
    }
  }
}

function protocolFrame(rng: Rng): Uint8Array {
  const tags = Array.from({ length: pick(rng, [0, 0, 0, 1, 2, 3]) }, () => ({
    vid: rng.below(4095),
  }));
  const src = { hi16: 0x0200, lo32: 0x100 + rng.below(256) };
  return buildFrame({ dst: { hi16: 0x0200, lo32: 1 }, src, tags, net: net(rng) });
}

const ipv6Of = (host: number): Uint8Array =>
  Uint8Array.from([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);

const NAMES = ['example.com', 'www.Example.com', 'bad.test', 'ringscope.dev', 'a.b.c.d.e'];

/** A query for one name. @spec RFC 1035 section 4.1 */
function dnsQuery(rng: Rng): Uint8Array {
  const labels = pick(rng, NAMES)
    .split('.')
    .flatMap((label) => [label.length, ...[...label].map((c) => c.charCodeAt(0))]);
  return Uint8Array.from([
    0,
    rng.below(256),
    1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    ...labels,
    0,
    0,
    1,
    0,
    1,
  ]);
}
