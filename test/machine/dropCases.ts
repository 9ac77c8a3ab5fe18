/** Frames that the stack does not deliver, by name: judged by Linux (`test/vectors/stackDrops.json`) and by our own stack. */
import { buildFrame } from '../../src/wire/build.ts';
import { csumFold, csumIpv6Nofold, csumPartial } from '../../src/wire/checksum.ts';
import { updateIpv4Check } from '../../src/wire/ipv4.ts';
import { MY_IP, MY_IP6, MY_MAC, PEER_MAC, frame4, frame6, udpTo } from './inetRig.ts';

/** IPv4 header bytes changed, the checksum made right again where the header fits. */
function ip4(bytes: Readonly<Record<number, number>>, frame = frame4(udpTo(9))): Uint8Array {
  for (const [at, value] of Object.entries(bytes)) frame[14 + Number(at)] = value;
  if (14 + (frame[14]! & 0xf) * 4 <= frame.length) updateIpv4Check(new DataView(frame.buffer), 14);
  return frame;
}

function ip6(bytes: Readonly<Record<number, number>>, frame = frame6(udpTo(9))): Uint8Array {
  for (const [at, value] of Object.entries(bytes)) frame[14 + Number(at)] = value;
  return frame;
}

function flipped(frame: Uint8Array, at: number): Uint8Array {
  frame[at]! ^= 1;
  return frame;
}

/** An ICMP message of eight bytes or more, its checksum right. */
function icmp4(message: number[], more: object = {}, frame: object = {}): Uint8Array {
  const payload = Uint8Array.from(message);
  const view = new DataView(payload.buffer);
  view.setUint16(2, csumFold(csumPartial(view, 0, payload.length, 0)));
  return frame4({ kind: 'bytes', proto: 1, payload }, more, frame);
}

function icmp6(message: readonly number[], more: object = {}, frame: object = {}): Uint8Array {
  const bytes = frame6(
    { kind: 'bytes', proto: 58, payload: Uint8Array.from(message) },
    more,
    frame,
  );
  const view = new DataView(bytes.buffer);
  const sum = csumPartial(view, 54, message.length, 0);
  view.setUint16(56, csumFold(csumIpv6Nofold(view, 22, message.length, 58, sum)));
  return bytes;
}

const options = (...bytes: number[]): object => ({ options: Uint8Array.from(bytes) });
const extensions = (...headers: [number, number[]][]): object => ({
  extensions: headers.map(([proto, bytes]) => ({ proto, bytes: Uint8Array.from(bytes) })),
});
const others = { dst: { hi16: 0x0200, lo32: 5 } };
const broadcast = { dst: { hi16: 0xffff, lo32: 0xffff_ffff } };
const group6 = { dst: { hi16: 0x3333, lo32: 0xff00_0001 } };
const NEIGHBOUR = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
const solicit = (target: Uint8Array, ...option: number[]): number[] => [
  135,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  ...target,
  ...option,
];
const nd = { src: NEIGHBOUR, hopLimit: 255 };
const raw = (etherType: number): Uint8Array =>
  buildFrame({ dst: MY_MAC, src: PEER_MAC, net: { kind: 'raw', etherType, payload: 50 } });
const arp = (change: Readonly<Record<number, number>>): Uint8Array => {
  const net = { kind: 'arp', senderMac: PEER_MAC, senderIp: 0x0a00_0009, targetIp: MY_IP } as const;
  const frame = buildFrame({ ...broadcast, src: PEER_MAC, net });
  for (const [at, value] of Object.entries(change)) frame[14 + Number(at)] = value;
  return frame;
};

export const DROP_CASES: Readonly<Record<string, Uint8Array>> = {
  'IPv4: version 6': ip4({ 0: 0x65 }),
  'IPv4: header of 16 bytes': ip4({ 0: 0x44 }),
  'IPv4: header beyond the packet': ip4({ 0: 0x4f }),
  'IPv4: total length below the header': ip4({ 2: 0, 3: 19 }),
  'IPv4: total length beyond the frame': ip4({ 2: 2 }),
  'IPv4: wrong header checksum': flipped(frame4(udpTo(9)), 24),
  'IPv4: cut inside the header': frame4(udpTo(9)).slice(0, 30),
  'IPv4: for another MAC': frame4(udpTo(9), {}, others),
  'IPv4: from a group': ip4({ 12: 224 }),
  'IPv4: from 255.255.255.255': ip4({ 12: 255, 13: 255, 14: 255, 15: 255 }),
  'IPv4: from 0.1.2.3': ip4({ 12: 0 }),
  'IPv4: from loopback': ip4({ 12: 127 }),
  'IPv4: from ourselves': frame4(udpTo(9), { src: MY_IP }),
  'IPv4: to 0.0.0.1': ip4({ 16: 0 }),
  'IPv4: to loopback': ip4({ 16: 127 }),
  'IPv4: to a neighbour': ip4({ 19: 77 }),
  'IPv4: to a group': ip4({ 16: 224, 17: 0, 18: 0, 19: 9 }),
  'IPv4: unknown protocol': ip4({ 9: 99 }),
  'IPv4: option beyond the header': frame4(udpTo(9), options(7, 9, 4, 0)),
  'IPv4: option of length 1': frame4(udpTo(9), options(7, 1, 4, 0)),
  'IPv4: option without its length': frame4(udpTo(9), options(1, 1, 1, 7)),
  'IPv4: source route': frame4(udpTo(9), options(131, 7, 4, 1, 2, 3, 4, 0)),
  'UDP: nobody listens': frame4(udpTo(99)),
  'UDP: length below 8': (() => {
    const frame = frame4(udpTo(99));
    frame[39] = 7;
    return frame;
  })(),
  'UDP: length beyond the packet': (() => {
    const frame = frame4(udpTo(99));
    frame[39] = 200;
    return frame;
  })(),
  'UDP: no room for a header': frame4({ kind: 'bytes', proto: 17, payload: 4 }),
  'UDP: wrong checksum, short': flipped(frame4(udpTo(99, 30)), 50),
  'UDP: wrong checksum, long': flipped(frame4(udpTo(99, 300)), 90),
  'UDP: to everybody, nobody listens': frame4(udpTo(99), { dst: 0x0a00_00ff }, broadcast),
  'TCP: nobody listens': frame4({ kind: 'tcp', srcPort: 1, dstPort: 80, flags: 2 }),
  'ICMP: wrong checksum': flipped(frame4({ kind: 'echo', payload: 20 }), 50),
  'ICMP: unknown type': icmp4([40, 0, 0, 0, 0, 0, 0, 0]),
  'ICMP: reply nobody waits for': icmp4([0, 0, 0, 0, 0, 0, 0, 0]),
  'ICMP: echo to everybody': icmp4([8, 0, 0, 0, 0, 0, 0, 0], { dst: 0x0a00_00ff }, broadcast),
  'ICMP: four bytes': icmp4([8, 0, 0, 0]),
  'ICMP: unreachable that quotes nothing': icmp4([3, 3, 0, 0, 0, 0, 0, 0]),
  'ICMP: address mask request': icmp4([17, 0, 0, 0, 0, 0, 0, 0]),
  'VLAN that is not ours': frame4(udpTo(99), {}, { tags: [{ vid: 5 }] }),
  'VLAN cut short': frame4(udpTo(99), {}, { tags: [{ vid: 5 }] }).slice(0, 17),
  'unknown EtherType': raw(0x88b5),
  'ARP: of another hardware': arp({ 1: 7 }),
  'ARP: of IEEE 802 hardware': arp({ 1: 6 }),
  'ARP: an unknown operation': arp({ 7: 9 }),
  'ARP: cut short': arp({}).slice(0, 30),
  'ARP: asked from loopback': arp({ 14: 127 }),
  'ARP: asked from a group': arp({ 14: 224 }),
  'IPv4: from loopback to everybody': frame4(
    udpTo(9),
    { src: 0x7f00_0001, dst: 0xffff_ffff },
    broadcast,
  ),
  'IPv6: version 4': ip6({ 0: 0x40 }),
  'IPv6: payload beyond the frame': ip6({ 4: 2 }),
  'IPv6: cut inside the header': frame6(udpTo(9)).slice(0, 40),
  'IPv6: for another MAC': frame6(udpTo(9), {}, others),
  'IPv6: from a group': ip6({ 8: 0xff }),
  'IPv6: from an IPv4 address': ip6({
    ...{ 8: 0, 9: 0, 10: 0, 11: 0, 12: 0, 13: 0, 14: 0, 15: 0, 16: 0, 17: 0 },
    ...{ 18: 0xff, 19: 0xff, 20: 192, 21: 0, 22: 2, 23: 1 },
  }),
  'IPv6: to a group of the interface': ip6({ 24: 0xff, 25: 1 }),
  'IPv6: to a group': ip6({ 24: 0xff, 25: 2, 39: 77 }),
  'IPv6: to somebody else': ip6({ 39: 77 }),
  'IPv6: unknown protocol': frame6({ kind: 'bytes', proto: 99, payload: 20 }),
  'IPv6: no next header': frame6({ kind: 'bytes', proto: 59, payload: 20 }),
  'IPv6: option that must be known': frame6(
    udpTo(9),
    extensions([60, [0, 0, 0x7e, 4, 1, 2, 3, 4]]),
  ),
  'IPv6: option that is reported': frame6(udpTo(9), extensions([60, [0, 0, 0x9e, 4, 1, 2, 3, 4]])),
  'IPv6: option beyond its header': frame6(udpTo(9), extensions([60, [0, 0, 0x1e, 9, 1, 2, 3, 4]])),
  'IPv6: hop-by-hop option that must be known': frame6(
    udpTo(9),
    extensions([0, [0, 0, 0x7e, 4, 1, 2, 3, 4]]),
  ),
  'IPv6: hop-by-hop option beyond its header': frame6(
    udpTo(9),
    extensions([0, [0, 0, 0x1e, 9, 1, 2, 3, 4]]),
  ),
  'IPv6: option header beyond the packet': frame6({
    kind: 'bytes',
    proto: 60,
    payload: Uint8Array.of(17, 9, 0, 0, 0, 0, 0, 0),
  }),
  'IPv6: source route': frame6(udpTo(9), extensions([43, [0, 0, 0, 1, 0, 0, 0, 0]])),
  'UDP over IPv6: to all nodes, nobody listens': frame6(
    udpTo(99),
    { dst: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { dst: { hi16: 0x3333, lo32: 1 } },
  ),
  'UDP over IPv6: nobody listens': frame6(udpTo(99)),
  'UDP over IPv6: no checksum': frame6({ kind: 'udp', srcPort: 1, dstPort: 99, noChecksum: true }),
  'UDP over IPv6: wrong checksum, short': flipped(frame6(udpTo(99, 20)), 70),
  'TCP over IPv6: nobody listens': frame6({ kind: 'tcp', srcPort: 1, dstPort: 80, flags: 2 }),
  'ICMPv6: wrong checksum': flipped(frame6({ kind: 'echo', payload: 20 }), 70),
  'ICMPv6: unknown message': icmp6([200, 0, 0, 0, 0, 0, 0, 0]),
  'ICMPv6: reply nobody waits for': icmp6([129, 0, 0, 0, 0, 0, 0, 0]),
  'ND: from another link': icmp6(solicit(MY_IP6), { ...nd, hopLimit: 64 }),
  'ND: with a code': icmp6([135, 1, 0, 0, 0, 0, 0, 0, ...MY_IP6], nd),
  'ND: cut short': icmp6(solicit(MY_IP6).slice(0, 20), nd),
  'ND: for somebody else': icmp6(
    solicit(NEIGHBOUR, 1, 1, 2, 0, 0, 0, 0, 9),
    { ...nd, dst: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1) },
    group6,
  ),
  'ND: option of length 0': icmp6(solicit(MY_IP6, 1, 0, 0, 0, 0, 0, 0, 0), nd),
};

/** A fragment of packet `id`, `len` bytes of it from `at` on. */
const piece = (id: number, at: number, len: number, moreFragments: boolean = true): Uint8Array =>
  frame4(
    { kind: 'bytes', proto: 17, payload: Uint8Array.from({ length: len }, (_, i) => at + i) },
    { id, fragOffsetBytes: at, moreFragments },
  );
const piece6 = (id: number, at: number, len: number, more: number = 1): Uint8Array =>
  frame6(
    { kind: 'bytes', proto: 17, payload: Uint8Array.from({ length: len }, (_, i) => at + i) },
    extensions([44, [17, 0, at >>> 8, (at & 0xf8) | more, 0, 0, 0, id]]),
  );

/** Packets in fragments, of which the last is judged (`test/vectors/fragmentDrops.json`). */
export const FRAGMENT_CASES: Readonly<Record<string, readonly Uint8Array[]>> = {
  'twice the same': [piece(1, 0, 16), piece(1, 0, 16)],
  'within one': [piece(2, 0, 32), piece(2, 8, 8)],
  'within two that came in their order': [piece(3, 0, 16), piece(3, 16, 16), piece(3, 8, 16)],
  'within three, the middle one last': [
    ...[piece(4, 0, 8), piece(4, 16, 8), piece(4, 8, 8)],
    piece(4, 0, 24),
  ],
  'over the end of one': [piece(5, 0, 16), piece(5, 8, 16)],
  'around one': [piece(6, 8, 8), piece(6, 0, 24)],
  'behind a gap': [piece(7, 0, 8), piece(7, 32, 8)],
  'into a gap too small': [piece(8, 0, 8), piece(8, 16, 8), piece(8, 8, 16)],
  'behind one whose odd end was cut': [piece(9, 0, 21), piece(9, 16, 8)],
  'over what was cut': [piece(10, 0, 21), piece(10, 8, 16)],
  'nothing left of it': [piece(11, 8, 5)],
  'behind the end': [piece(12, 8, 8, false), piece(12, 16, 8)],
  'another end': [piece(13, 8, 8, false), piece(13, 8, 16, false)],
  'an end before what is known': [piece(14, 24, 8), piece(14, 8, 8, false)],
  'the same end again': [piece(15, 8, 8, false), piece(15, 8, 8, false)],
  'IPv6: within one': [piece6(1, 0, 32), piece6(1, 8, 8)],
  'IPv6: over the end of one': [piece6(2, 0, 16), piece6(2, 8, 16)],
  'IPv6: an odd length': [piece6(3, 0, 21)],
  'IPv6: behind a gap': [piece6(4, 0, 8), piece6(4, 32, 8)],
};
