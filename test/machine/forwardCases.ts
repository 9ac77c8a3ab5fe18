/** Frames for a router, by name: what Linux did with them is in `test/vectors/forward.json`. */
import { formatIpv4, updateIpv4Check } from '../../src/wire/ipv4.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import { csumFold, csumPartial } from '../../src/wire/checksum.ts';
import { frame4, udpTo } from './inetRig.ts';

/** As `ip route add` and `ip neigh add` took them, beside the machine's own addresses and default route. */
export const ROUTES: readonly string[] = [
  '10.5.0.0/16 via 10.0.1.9',
  '10.5.7.0/24 via 10.0.1.10 dev eth1',
  '10.4.0.0/16 via 10.0.0.9',
  'unreachable 10.9.0.0/16',
  'blackhole 10.8.0.0/16',
  'prohibit 10.7.0.0/16',
  'throw 10.6.0.0/16',
];
export const NEIGHBOURS: readonly string[] = [
  '10.0.1.9 lladdr 02:00:00:00:01:09 dev eth1',
  '10.0.1.10 lladdr 02:00:00:00:01:0a dev eth1',
  '10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0',
  '10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0',
  '10.0.0.78 lladdr 02:00:00:00:00:78 dev eth0',
  '10.0.0.79 lladdr 02:00:00:00:00:79 dev eth0',
];

const FAR = 0x0a00_0109; // 10.0.1.9, on the other link
const ip = (text: string): number =>
  text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

let sender = 0;
/** Each from another host behind the gateway, since errors to one are limited. */
const from = (): number => ip('198.51.100.0') + ++sender;

function to(dst: number | string, more: object = {}, body: BodySpec = udpTo(9)): Uint8Array {
  const addr = typeof dst === 'string' ? ip(dst) : dst;
  return frame4(body, { src: from(), dst: addr, ttl: 33, ...more });
}

function icmpTo(dst: number, message: number[], more: object = {}): Uint8Array {
  const payload = Uint8Array.from(message);
  const view = new DataView(payload.buffer);
  view.setUint16(2, csumFold(csumPartial(view, 0, payload.length, 0)));
  return to(dst, more, { kind: 'bytes', proto: 1, payload });
}

const long = (len: number): BodySpec => ({ kind: 'bytes', proto: 17, payload: len });
const options = (...bytes: number[]): object => ({ options: Uint8Array.from(bytes) });
const broadcastMac = { dst: { hi16: 0xffff, lo32: 0xffff_ffff } };

function spoilt(frame: Uint8Array, at: number): Uint8Array {
  frame[at]! ^= 1;
  return frame;
}

/** The flag that RFC 791 has zero. */
function reserved(frame: Uint8Array): Uint8Array {
  frame[20]! |= 0x80;
  updateIpv4Check(new DataView(frame.buffer), 14);
  return frame;
}

/** The checksum such that one hop less makes it cross 0xffff: found by the identification. */
function withCheck(check: number): Uint8Array {
  const frame = to(FAR);
  const view = new DataView(frame.buffer);
  for (let id = 0; view.getUint16(24) !== check; id++) {
    view.setUint16(18, id);
    updateIpv4Check(view, 14);
  }
  return frame;
}

const gateway = (dst: string, src: string, more: object = {}): Uint8Array =>
  to(dst, { src: ip(src), ...more });

export const FORWARD_CASES: Readonly<Record<string, Uint8Array>> = {
  'to the other link': to(FAR),
  'a short packet, padded': to(FAR, {}, long(1)),
  'by a route': to('10.5.1.1'),
  'by the longer of two prefixes': to('10.5.7.1'),
  'by the default route, out again where it came in': to('203.0.113.5'),
  'from a neighbour, out again where it came in': gateway('203.0.113.5', '10.0.0.77'),
  'from a neighbour, to another neighbour': gateway('10.0.0.9', '10.0.0.78'),
  'TTL 2': to(FAR, { ttl: 2 }),
  'TTL 1': to(FAR, { ttl: 1 }),
  'TTL 0': to(FAR, { ttl: 0 }),
  'TTL 1, a later fragment': to(FAR, { ttl: 1, fragOffsetBytes: 800 }),
  'TTL 1, an ICMP error': icmpTo(FAR, [3, 3, 0, 0, 0, 0, 0, 0], { ttl: 1 }),
  'TTL 1, an echo request': icmpTo(FAR, [8, 0, 0, 0, 0, 1, 0, 1], { ttl: 1 }),
  'TTL 1, for ourselves': to('10.0.0.1', { ttl: 1 }, udpTo(99)),
  'TTL 1, for our other address': to('10.0.1.1', { ttl: 1 }, udpTo(99)),
  'a type of service': to(FAR, { tos: 0xb8 }),
  'as long as the MTU': to(FAR, { dontFragment: true }, long(1480)),
  'a byte too long': to(FAR, {}, long(1481)),
  'a byte too long, not to be fragmented': to(FAR, { dontFragment: true }, long(1481)),
  'too long by a piece that ends between two units': to(FAR, {}, long(1480 + 1477)),
  'a fragment too long': to(FAR, { fragOffsetBytes: 1600, moreFragments: true }, long(1600)),
  'a last fragment too long': to(FAR, { fragOffsetBytes: 1600 }, long(1600)),
  'too long, with options for all fragments and for the first': to(
    FAR,
    options(130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1, 1),
    long(1500),
  ),
  'no-operations': to(FAR, options(1, 1, 1, 1)),
  'records its route': to(FAR, options(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
  'records its route, half full': to(FAR, options(7, 11, 8, 1, 2, 3, 4, 0, 0, 0, 0, 0)),
  'records its route, full': to(FAR, options(7, 7, 8, 1, 2, 3, 4, 0)),
  'records addresses and times': to(FAR, options(68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
  'records addresses and times, full': to(FAR, options(68, 12, 13, 1, 1, 2, 3, 4, 5, 6, 7, 8)),
  'records times, overflown 15 times': to(FAR, options(68, 8, 9, 0xf0, 1, 2, 3, 4)),
  'times with an unknown flag': to(FAR, options(68, 8, 5, 2, 0, 0, 0, 0)),
  'times of others': to(FAR, options(68, 12, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0)),
  'router alert': to(FAR, options(148, 4, 0, 0)),
  'a wrong option': to(FAR, options(7, 9, 4, 0)),
  'a wrong option, and no way': to('10.9.0.1', options(7, 9, 4, 0)),
  'a source route': to(FAR, options(131, 7, 4, 10, 0, 1, 10, 0)),
  'wrong header checksum': spoilt(to(FAR), 24),
  'checksum feff': withCheck(0xfeff),
  'checksum fefe': withCheck(0xfefe),
  'checksum ff00': withCheck(0xff00),
  'wrong UDP checksum': spoilt(to(FAR), 50),
  'to everybody': to('255.255.255.255', {}, udpTo(99)),
  'to everybody on the other link': to('10.0.1.255', {}, udpTo(99)),
  'to a group': to('224.0.0.251'),
  'to a group far away': to('239.1.2.3'),
  'to loopback': to('127.0.0.1'),
  'to 0.1.2.3': to('0.1.2.3'),
  'to class E': to('240.0.0.1'),
  'from loopback': to(FAR, { src: ip('127.0.0.1') }),
  'from a group': to(FAR, { src: ip('224.0.0.5') }),
  'from everybody': to(FAR, { src: 0xffff_ffff }),
  'from 0.0.0.0': to(FAR, { src: 0 }),
  'from ourselves': to(FAR, { src: ip('10.0.0.1') }),
  'from our other address': to(FAR, { src: ip('10.0.1.1') }),
  'from ourselves, out again where it came in': to('203.0.113.5', { src: ip('10.0.0.1') }),
  "from a link's broadcast address": to(FAR, { src: ip('10.0.0.255') }),
  "from a link's broadcast address, out again where it came in": to('203.0.113.5', {
    src: ip('10.0.0.255'),
  }),
  'from the other link': to('10.5.1.1', { src: ip('10.0.1.77') }),
  unreachable: to('10.9.0.1'),
  'a black hole': to('10.8.0.1'),
  prohibited: to('10.7.0.1'),
  'no route': to('10.6.0.1'),
  'no route, to everybody on Ethernet': frame4(
    udpTo(9),
    { src: from(), dst: ip('10.6.0.1') },
    broadcastMac,
  ),
  'to the other link, to everybody on Ethernet': frame4(
    udpTo(9),
    { src: from(), dst: FAR },
    broadcastMac,
  ),
  'for another MAC': frame4(
    udpTo(9),
    { src: from(), dst: FAR },
    { dst: { hi16: 0x0200, lo32: 5 } },
  ),
  'to a neighbour who does not answer': to('10.0.1.88'),
  'too long, to a neighbour who does not answer': to('10.0.1.89', {}, long(1600)),
  'TTL 1, ICMP of the last known type': icmpTo(FAR, [18, 0, 0, 0, 0, 1, 0, 1], { ttl: 1 }),
  'TTL 1, ICMP of an unknown type': icmpTo(FAR, [19, 0, 0, 0, 0, 1, 0, 1], { ttl: 1 }),
  'a source route that ends within an address': to(FAR, options(131, 7, 6, 10, 0, 1, 10, 0)),
  'two source routes, the other too short': to(
    FAR,
    options(131, 7, 4, 10, 0, 1, 10, 137, 2, 1, 1, 1),
  ),
  'something behind the end of options': to(FAR, options(1, 0, 7, 11, 4, 1, 2, 3, 4, 5, 6, 7)),
  'the reserved bit, too long': reserved(to(FAR, {}, long(1500))),
  'a fragment too long, with options for the first': to(
    FAR,
    { ...options(68, 8, 5, 6, 0, 0, 0, 0), fragOffsetBytes: 1600 },
    long(1600),
  ),
  'times of ourselves': to(FAR, options(68, 12, 5, 3, 10, 0, 1, 1, 0, 0, 0, 0)),
  'times of everybody on a link': to(FAR, options(68, 12, 5, 3, 10, 0, 1, 255, 0, 0, 0, 0)),
  'times of everybody': to(FAR, options(68, 12, 5, 3, 255, 255, 255, 255, 0, 0, 0, 0)),
  'times of a group': to(FAR, options(68, 12, 5, 3, 224, 0, 0, 251, 0, 0, 0, 0)),
  'times of 0.0.0.0': to(FAR, options(68, 12, 5, 3, 0, 0, 0, 0, 0, 0, 0, 0)),
  'times of 127.0.0.9': to(FAR, options(68, 12, 5, 3, 127, 0, 0, 9, 0, 0, 0, 0)),
};

/** Several of one kind in a row, a millisecond apart: what the sender hears. */
export const FORWARD_SERIES: Readonly<Record<string, readonly Uint8Array[]>> = {
  'time exceeded': Array.from({ length: 9 }, () =>
    gateway(formatIpv4(FAR), '198.51.101.1', { ttl: 1 }),
  ),
  'no route': Array.from({ length: 9 }, () => gateway('10.6.0.1', '198.51.101.2')),
  'too long': Array.from({ length: 9 }, () =>
    to(FAR, { src: ip('198.51.101.3'), dontFragment: true }, long(1481)),
  ),
  redirected: Array.from({ length: 9 }, () => gateway('203.0.113.5', '10.0.0.79')),
};
