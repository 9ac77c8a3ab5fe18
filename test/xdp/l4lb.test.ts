import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import l4lb from '../../examples/l4lb.ts';
import { bpfProgRunXdp } from '../../src/xdp/program.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX } from '../../src/xdp/uapi.ts';
import { xdpRig } from './rig.ts';

const OWN_MAC = [0x02, 0, 0, 0, 0, 0x01];
const PEER_MAC = [0x02, 0, 0, 0, 0, 0xaa];
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const MORE_FRAGMENTS = 0x2000;

const be16 = (n: number): number[] => [(n >> 8) & 0xff, n & 0xff];
const be32 = (n: number): number[] => [...be16(n >>> 16), ...be16(n & 0xffff)];

/** RFC 1071 by its definition: add 16-bit words, then the carries, until none is left. */
function onesSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = Math.floor(sum / 65536) + (sum % 65536);
  return sum;
}

const TAGS: readonly (readonly number[])[] = [
  [],
  [0x81, 0x00, 0x20, 0x05],
  [0x88, 0xa8, 0x00, 0x64, 0x81, 0x00, 0x20, 0x05],
];

const eth = (type: number, tags: readonly number[] = []): number[] => [
  ...OWN_MAC,
  ...PEER_MAC,
  ...tags,
  ...be16(type),
];

const tcp = (sport: number, dport: number, data: readonly number[] = []): number[] => [
  ...be16(sport),
  ...be16(dport),
  ...[0, 0, 0, 1, 0, 0, 0, 2],
  ...[0x50, 0x10, 0x20, 0, 0, 0, 0, 0],
  ...data,
];

const udp = (sport: number, dport: number, data: readonly number[] = [1, 2, 3]): number[] => [
  ...be16(sport),
  ...be16(dport),
  ...be16(8 + data.length),
  ...[0, 0],
  ...data,
];

interface Ip4 {
  proto?: number;
  tos?: number;
  options?: readonly number[];
  fragment?: number;
  saddr?: number;
  daddr?: number;
}

function ip4(payload: readonly number[], fields: Ip4 = {}): number[] {
  const { proto = TCP, tos = 0, options = [], fragment = 0 } = fields;
  const { saddr = 0xc0000201, daddr = 0x0a000001 } = fields;
  const len = 20 + options.length;
  const header = [
    ...[0x40 | (len / 4), tos],
    ...be16(len + payload.length),
    ...be16(0x1234),
    ...be16(fragment),
    ...[17, proto, 0, 0],
    ...be32(saddr),
    ...be32(daddr),
    ...options,
  ];
  header.splice(10, 2, ...be16(0xffff - onesSum(header)));
  return [...header, ...payload];
}

const V6_FROM = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x33];
const V6_TO = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01];

const ip6 = (payload: readonly number[], next: number = TCP, from = V6_FROM): number[] => [
  ...[0x6a, 0xb0, 0, 0],
  ...be16(payload.length),
  ...[next, 17],
  ...from,
  ...V6_TO,
  ...payload,
];

interface Result {
  verdict: number;
  out: number[];
}

const rig = xdpRig();
const prog = l4lb.load(rig.xdp);

function balance(frame: readonly number[], headroom: number = 256): Result {
  const small = rig.mem.regions.find(({ name }) => name === 'pages')!.at;
  rig.mem.fill(small, 4096, 0x77);
  rig.mem.u8.set(frame, small + headroom);
  const words = rig.mem.words;
  const pointers = [small + headroom, small + headroom + frame.length, small + headroom];
  words.set(pointers, rig.md >> 2);
  words[(rig.md + 24) >> 2] = small;
  const verdict = bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu);
  return { verdict, out: [...rig.bytes()] };
}

/** Which server, 0 to 7: the last byte of the outer destination, less one. */
function serverOf({ verdict, out }: Result, l3: number, v6: boolean): number {
  expect(verdict).toBe(XDP_TX);
  return out[l3 + (v6 ? 39 : 19)]! - 1;
}

const patched = (packet: readonly number[], at: number, byte: number): number[] =>
  packet.map((old, i) => (i === at ? byte : old));

const flow4 = (saddr: number, sport: number, dport: number, data: readonly number[] = []) =>
  balance([...eth(0x0800), ...ip4(tcp(sport, dport, data), { saddr })]);

const differs = (make: (n: number) => number[], v6: boolean): number =>
  new Set(Array.from({ length: 40 }, (_, n) => serverOf(balance(make(n)), 14, v6))).size;

const frame4 = (payload: number[], fields: Ip4 = {}) => [...eth(0x0800), ...ip4(payload, fields)];

const frame6 = (n: number) => [...eth(0x86dd), ...ip6(tcp(1, 2), TCP, [...V6_FROM.slice(1), n])];

const tcpAndUdp = (n: number) =>
  [frame4(tcp(n, 80)), frame4(udp(n, 80), { proto: UDP })].map((f) =>
    serverOf(balance(f), 14, false),
  );

describe('what becomes of a TCP or UDP packet', () => {
  test.each([
    ['no tag', 0],
    ['one 802.1Q tag', 1],
    ['802.1ad and 802.1Q tags', 2],
  ])('IPv4 with %s: an outer IPv4 header, all else as it was', (_, tags) => {
    const inner = ip4(tcp(4000, 80, [9, 8, 7]), { tos: 0xb9 });
    const result = balance([...eth(0x0800, TAGS[tags]), ...inner]);
    const l3 = 14 + 4 * tags;
    const server = serverOf(result, l3, false);
    const { out } = result;
    expect(out.slice(0, 6)).toEqual([0x02, 0, 0, 0, 0x01, server + 1]);
    expect(out.slice(6, 12)).toEqual(OWN_MAC);
    expect(out.slice(12, l3)).toEqual([...TAGS[tags]!, 0x08, 0x00]);
    const outer = out.slice(l3, l3 + 20);
    expect(onesSum(outer)).toBe(0xffff);
    expect(outer.slice(0, 10)).toEqual([
      ...[0x45, 0xb9],
      ...be16(20 + inner.length),
      ...[0, 0, 0x40, 0, 64, 4],
    ]);
    expect(outer.slice(12)).toEqual([10, 0, 0, 1, 10, 0, 1, server + 1]);
    expect(out.slice(l3 + 20)).toEqual(inner);
  });

  test.each([
    ['no tag', 0],
    ['two tags', 2],
  ])('IPv6 with %s: an outer IPv6 header, all else as it was', (_, tags) => {
    const inner = ip6(udp(4000, 53), UDP);
    const result = balance([...eth(0x86dd, TAGS[tags]), ...inner]);
    const l3 = 14 + 4 * tags;
    const server = serverOf(result, l3, true);
    const { out } = result;
    expect(out.slice(0, 6)).toEqual([0x02, 0, 0, 0, 0x01, server + 1]);
    expect(out.slice(12, l3)).toEqual([...TAGS[tags]!, 0x86, 0xdd]);
    const outer = out.slice(l3, l3 + 40);
    expect([outer[0], outer[1]! & 0xf0]).toEqual([0x6a, 0xb0]);
    expect(outer.slice(4, 8)).toEqual([...be16(inner.length), 41, 64]);
    expect(outer.slice(8, 24)).toEqual([0xfd, 0, 0, 0, ...Array<number>(11).fill(0), 1]);
    const serverAddress = [0xfd, 0, 0, 1, ...Array<number>(11).fill(0), server + 1];
    expect(outer.slice(24)).toEqual(serverAddress);
    expect(out.slice(l3 + 40)).toEqual(inner);
  });

  test('IPv4 options are stepped over to find the ports', () => {
    const options = [0x94, 4, 0, 0, 1, 1, 1, 0];
    const plain = balance([...eth(0x0800), ...ip4(tcp(1, 2))]);
    const withOptions = balance([...eth(0x0800), ...ip4(tcp(1, 2), { options })]);
    expect(serverOf(withOptions, 14, false)).toBe(serverOf(plain, 14, false));
  });

  test('IPv6 extension headers are stepped over to find the ports', () => {
    const hopByHop = [60, 0, 1, 4, 0, 0, 0, 0];
    const destination = [43, 1, 1, 12, ...Array<number>(12).fill(0)];
    const routing = [44, 0, 4, 0, 0, 0, 0, 0];
    const firstFragment = [51, 0, 0, 1, 0, 0, 0, 7];
    const ah = [TCP, 4, 0, 0, ...Array<number>(20).fill(5)];
    const chain = [...hopByHop, ...destination, ...routing, ...firstFragment, ...ah];
    const plain = balance([...eth(0x86dd), ...ip6(tcp(1, 2))]);
    const long = balance([...eth(0x86dd), ...ip6([...chain, ...tcp(1, 2)], 0)]);
    expect(serverOf(long, 14, true)).toBe(serverOf(plain, 14, true));
  });

  test('padding behind a short packet is not counted in the outer length', () => {
    const inner = ip4(udp(1, 2, []), { proto: UDP });
    const { out } = balance([...eth(0x0800), ...inner, ...Array<number>(60).fill(0)].slice(0, 60));
    expect(out).toHaveLength(80);
    expect(out.slice(16, 18)).toEqual(be16(48));
  });
});

describe('where a flow goes', () => {
  test('all packets of a flow go to one server, tagged or not', () => {
    const first = serverOf(flow4(1, 5000, 80), 14, false);
    expect(serverOf(flow4(1, 5000, 80, [1, 2, 3, 4]), 14, false)).toBe(first);
    const frame = [...eth(0x0800, TAGS[1]), ...ip4(tcp(5000, 80), { saddr: 1, tos: 4 })];
    expect(serverOf(balance(frame), 18, false)).toBe(first);
  });

  test('each of the five parts of the tuple matters', () => {
    expect(differs((n) => frame4(tcp(n, 80)), false)).toBe(8);
    expect(differs((n) => frame4(tcp(80, n)), false)).toBe(8);
    expect(differs((n) => frame4(tcp(1, 2), { saddr: n }), false)).toBe(8);
    expect(differs((n) => frame4(tcp(1, 2), { daddr: n }), false)).toBe(8);
    expect(differs(frame6, true)).toBe(8);
    const moved = Array.from({ length: 64 }, (_, n) => tcpAndUdp(n)).filter(([a, b]) => a !== b);
    expect(moved.length).toBeGreaterThan(32);
  });

  test('eight thousand flows spread over eight servers, each within a tenth of its share', () => {
    const shares = Array<number>(8).fill(0);
    for (let n = 0; n < 8000; n++) {
      const [saddr, sport] = [0xc0000200 + (n % 200), 1024 + Math.floor(n / 200)];
      shares[serverOf(flow4(saddr, sport, 443), 14, false)]!++;
    }
    for (const share of shares) expect(Math.abs(share - 1000)).toBeLessThan(100);
  });
});

describe('what is passed, untouched', () => {
  const v6Fragment = (offset: number): number[] =>
    ip6([TCP, 0, ...be16(offset << 3), 0, 0, 0, 9, ...tcp(1, 2)], 44);
  test.each<[string, number[]]>([
    ['ARP', [...eth(0x0806), ...Array<number>(28).fill(0)]],
    ['an 802.3 length instead of a type', [...eth(46), ...Array<number>(46).fill(0xaa)]],
    ['three tags', [...eth(0x8100, [...TAGS[2]!]), 0, 5, 0x08, 0x00, ...ip4(tcp(1, 2))]],
    ['ICMP', [...eth(0x0800), ...ip4([8, 0, 0, 0, 0, 0, 0, 0], { proto: ICMP })]],
    ['an IP-in-IP packet', [...eth(0x0800), ...ip4(ip4(tcp(1, 2)), { proto: 4 })]],
    ['a later IPv4 fragment', [...eth(0x0800), ...ip4(tcp(1, 2), { fragment: 185 })]],
    ['ICMPv6', [...eth(0x86dd), ...ip6([128, 0, 0, 0, 0, 0, 0, 0], 58)]],
    ['no next header', [...eth(0x86dd), ...ip6([], 59)]],
    ['a later IPv6 fragment', [...eth(0x86dd), ...v6Fragment(185)]],
    ['a chain of nine', [...eth(0x86dd), ...ip6(Array<number>(72).fill(0), 0)]],
  ])('%s', (_, frame) => {
    expect(balance(frame)).toEqual({ verdict: XDP_PASS, out: frame });
  });
});

describe('what is dropped as malformed', () => {
  const v4 = ip4(tcp(1, 2));
  const v6 = ip6(tcp(1, 2));
  test.each<[string, number[]]>([
    ['shorter than an Ethernet header', OWN_MAC],
    ['cut inside a tag', eth(0x8100).concat([0, 5, 8])],
    ['cut inside the IPv4 header', [...eth(0x0800), ...v4.slice(0, 19)]],
    ['IPv4 by type, 6 by version', [...eth(0x0800), ...patched(v4, 0, 0x65)]],
    ['an IPv4 header of 16 bytes', [...eth(0x0800), ...patched(v4, 0, 0x44)]],
    ['an IPv4 length below its header', [...eth(0x0800), ...patched(v4, 3, 19)]],
    ['an IPv4 length past the frame', [...eth(0x0800), ...patched(v4, 3, 41)]],
    ['cut inside the TCP header', [...eth(0x0800), ...ip4(tcp(1, 2).slice(0, 19))]],
    ['a TCP header of 16 bytes', [...eth(0x0800), ...patched(v4, 32, 0x40)]],
    ['a TCP header past its packet', [...eth(0x0800), ...patched(v4, 32, 0x60)]],
    ['a UDP length of 7', [...eth(0x0800), ...patched(ip4(udp(1, 2), { proto: UDP }), 25, 7)]],
    ['a UDP length past IP', [...eth(0x0800), ...patched(ip4(udp(1, 2), { proto: UDP }), 25, 12)]],
    ['cut inside the IPv6 header', [...eth(0x86dd), ...v6.slice(0, 39)]],
    ['IPv6 by type, 4 by version', [...eth(0x86dd), ...patched(v6, 0, 0x45)]],
    ['an IPv6 length past the frame', [...eth(0x86dd), ...patched(v6, 5, 21)]],
    [
      'an extension header past its packet',
      [...eth(0x86dd), ...ip6([TCP, 9, 0, 0, 0, 0, 0, 0], 0)],
    ],
    ['cut inside an extension header', [...eth(0x86dd), ...ip6([TCP, 0, 0, 0], 0)]],
  ])('%s', (_, frame) => {
    expect(balance(frame)).toEqual({ verdict: XDP_DROP, out: frame });
  });

  test('the first fragment of a datagram is whole though its UDP length is not', () => {
    const first = patched(ip4(udp(1, 2), { proto: UDP, fragment: MORE_FRAGMENTS }), 24, 9);
    expect(balance([...eth(0x0800), ...first]).verdict).toBe(XDP_TX);
  });
});

describe('limits', () => {
  test('without headroom for the outer header the packet is aborted, unchanged', () => {
    const v4 = [...eth(0x0800), ...ip4(tcp(1, 2))];
    expect(balance(v4, 60).verdict).toBe(XDP_TX);
    expect(balance(v4, 59)).toEqual({ verdict: XDP_ABORTED, out: v4 });
    const v6 = [...eth(0x86dd), ...ip6(tcp(1, 2))];
    expect(balance(v6, 80).verdict).toBe(XDP_TX);
    expect(balance(v6, 79)).toEqual({ verdict: XDP_ABORTED, out: v6 });
  });

  test('no frame, cut or altered anywhere, makes it fault, and what it sends is in proportion', () => {
    const ext = ip6([UDP, 1, ...Array<number>(14).fill(0), ...udp(1, 2)], 60);
    const seeds = [
      [...eth(0x0800, TAGS[2]), ...ip4(tcp(1, 2, [1, 2, 3]), { options: [1, 1, 1, 0] })],
      [...eth(0x86dd, TAGS[1]), ...ext],
    ];
    const change = fc.tuple(fc.nat({ max: 120 }), fc.nat({ max: 255 }));
    const frames = fc.tuple(fc.constantFrom(...seeds), fc.nat({ max: 130 }), fc.array(change));
    fc.assert(
      fc.property(frames, ([seed, cut, changes]) => {
        const frame = seed.slice(0, Math.max(14, cut));
        for (const [at, byte] of changes.slice(0, 4)) if (at < frame.length) frame[at] = byte;
        const { verdict, out } = balance(frame);
        const grown = out.length - frame.length;
        if (verdict === XDP_TX) expect([20, 40]).toContain(grown);
        else expect(out).toEqual(frame);
        expect([XDP_TX, XDP_PASS, XDP_DROP]).toContain(verdict);
      }),
      { numRuns: 2000 },
    );
  });
});
