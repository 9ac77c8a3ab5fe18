/** Captures to run through a machine: real ones where they are present, and made ones always. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { FrameSpec } from '../src/wire/build.ts';
import { buildFrame } from '../src/wire/build.ts';
import { PcapngWriter, PcapWriter } from '../src/wire/capture.ts';
import type { CaptureWriter } from '../src/wire/capture.ts';

export interface CaptureCase {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const SHARED = new URL('../../shared/captures/', import.meta.url);
export const sharedAbsent: boolean = !existsSync(SHARED);

const sharedNames = (): string[] =>
  readdirSync(SHARED, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .toSorted();

export const SHARED_CAPTURES: readonly CaptureCase[] = sharedAbsent
  ? []
  : sharedNames().map((name) => ({
      name,
      bytes: new Uint8Array(readFileSync(new URL(name, SHARED))),
    }));

const dst = { hi16: 0x0200, lo32: 1 };
const src = { hi16: 0x0200, lo32: 0xaa };
const IP6_SRC = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
const IP6_DST = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const HOP_BY_HOP = { proto: 0, bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) };

type Net = FrameSpec['net'];
type Body = Extract<Net, { kind: 'ipv4' }>['body'];

const udp: Body = { kind: 'udp', srcPort: 4000, dstPort: 5353, payload: 33 };
const tcp: Body = { kind: 'tcp', srcPort: 4001, dstPort: 80, seq: 77, payload: 64 };
const ip4 = (body: Body, more: object = {}): Net => ({
  kind: 'ipv4',
  src: 0xc0000201,
  dst: 0x0a000001,
  body,
  ...more,
});
const ip6 = (body: Body, more: object = {}): Net => ({
  kind: 'ipv6',
  src: IP6_SRC,
  dst: IP6_DST,
  body,
  ...more,
});

const nets: readonly Net[] = [
  ip4(udp),
  ip4(tcp),
  ip4({ kind: 'udp', srcPort: 1, dstPort: 2, noChecksum: true }),
  ip4({ kind: 'echo', payload: 20 }),
  ip4(tcp, { options: Uint8Array.of(1, 1, 1, 0), tos: 0xb8, dontFragment: true }),
  ip4({ kind: 'bytes', proto: 17, payload: 64 }, { moreFragments: true, id: 5 }),
  ip4({ kind: 'bytes', proto: 17, payload: 8 }, { fragOffsetBytes: 64, id: 5 }),
  ip4(ip4(udp) as Body),
  ip6(udp),
  ip6(tcp, { trafficClass: 0x28, flowLabel: 0x12345 }),
  ip6({ kind: 'echo', payload: 8 }),
  ip6(udp, { extensions: [HOP_BY_HOP] }),
  { kind: 'arp', senderMac: src, senderIp: 0xc0000201, targetIp: 0x0a000001 },
  { kind: 'raw', etherType: 0x88b5, payload: 46 },
];

const wellFormed: readonly Uint8Array[] = nets.flatMap((net) => [
  buildFrame({ dst, src, net }),
  buildFrame({ dst, src, net, tags: [{ vid: 100, pcp: 3 }] }),
  buildFrame({ dst, src, net, tags: [{ vid: 100, tpid: 0x88a8 }, { vid: 7 }] }),
]);

/** Wrong checksums: one byte flipped where only the transport's, or only IPv4's own, covers it. */
function flipped(net: Net, at: number): Uint8Array {
  const frame = buildFrame({ dst, src, net });
  frame[at]! ^= 0x10;
  return frame;
}
const wrongSums: readonly Uint8Array[] = [
  flipped(ip4(udp), 50),
  flipped(ip4(tcp), 60),
  flipped(ip6(udp), 70),
  flipped(ip4(tcp), 22), // TTL
];

/** Frames cut short everywhere, down to less than an Ethernet header. */
const cut: readonly Uint8Array[] = [1, 13, 14, 15, 20, 33, 34, 37, 42, 53, 59].flatMap((len) => [
  buildFrame({ dst, src, net: ip4(tcp) }).slice(0, len),
  buildFrame({ dst, src, net: ip6(udp), tags: [{ vid: 4 }] }).slice(0, len),
]);

const sized = (frameLenBytes: number): Uint8Array =>
  buildFrame({ dst, src, net: ip4({ kind: 'udp', srcPort: 9, dstPort: 9 }), frameLenBytes });

function written(writer: CaptureWriter, frames: readonly Uint8Array[]): Uint8Array {
  frames.forEach((bytes, i) => writer.frame(0, i * 400_000, bytes, 0, bytes.length));
  return writer.finish();
}

export const MADE_CAPTURES: readonly CaptureCase[] = [
  { name: 'no frames.pcap', bytes: written(new PcapWriter(), []) },
  { name: 'well formed.pcap', bytes: written(new PcapWriter(), wellFormed) },
  {
    name: 'well formed, big-endian.pcapng',
    bytes: written(new PcapngWriter({ interfaces: ['a'], byteOrder: 'big' }), wellFormed),
  },
  { name: 'wrong checksums.pcap', bytes: written(new PcapWriter(), wrongSums) },
  { name: 'cut short.pcap', bytes: written(new PcapWriter(), cut) },
  {
    name: 'at the MTU.pcap',
    bytes: written(new PcapWriter(), [1513, 1514, 1518, 1519].map(sized)),
  },
  {
    name: 'many at once.pcap',
    bytes: written(
      new PcapWriter(),
      Array.from({ length: 3000 }, (_, i) => wellFormed[i % wellFormed.length]!),
    ),
  },
];

export const CAPTURES: readonly CaptureCase[] = [...MADE_CAPTURES, ...SHARED_CAPTURES];
