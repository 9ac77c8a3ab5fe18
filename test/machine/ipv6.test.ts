import { describe, expect, test } from 'vitest';
import { PS_PER_SEC, PS_PER_US } from '../../src/host/clock.ts';
import { PAGE_SIZE } from '../../src/host/memory.ts';
import { NUD_REACHABLE, nudName } from '../../src/stack/neighbour.ts';
import { allocSkbWithFrags, skbStoreBits } from '../../src/stack/skbWithFrags.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import { csumFold, csumIpv6Nofold, csumPartial } from '../../src/wire/checksum.ts';
import { ParsedFrame, checksumVerdict, parseFrame } from '../../src/wire/parse.ts';
import {
  BALANCED,
  InetRig,
  MY_IP6,
  MY_MAC,
  PEER_IP6,
  PEER_MAC,
  app,
  frame6,
  udpTo,
} from './inetRig.ts';
import type { InetRigOptions } from './inetRig.ts';

const SINK: InetRigOptions = { apps: [app({ kind: 'sink', udp: 9 })] };

function fate(frame: Uint8Array, options: InetRigOptions = SINK): string {
  const rig = new InetRig([frame], options).run();
  expect(rig.books).toEqual(BALANCED);
  const [cause, ...more] = Object.keys(rig.lost);
  expect(more).toEqual([]);
  return cause ?? 'arrived';
}

const parsed = (bytes: Uint8Array): ParsedFrame => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new ParsedFrame();
  parseFrame(view, 0, bytes.length, out);
  checksumVerdict(view, 0, out);
  return out;
};

/** An ICMPv6 message in a frame, its checksum made right. */
function icmp6(message: Uint8Array, more: object = {}, frame: object = {}): Uint8Array {
  const bytes = frame6({ kind: 'bytes', proto: 58, payload: message }, more, frame);
  const view = new DataView(bytes.buffer);
  view.setUint16(56, 0);
  const sum = csumPartial(view, 54, message.length, 0);
  view.setUint16(56, csumFold(csumIpv6Nofold(view, 22, message.length, 58, sum)));
  return bytes;
}

/** The checksum of the ICMPv6 message in a frame, right when 0. */
function sumOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const len = view.getUint16(18);
  return csumFold(csumIpv6Nofold(view, 22, len, 58, csumPartial(view, 54, len, 0)));
}

const NEIGHBOUR = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
const NEIGHBOUR_MAC = [2, 0, 0, 0, 0, 9];
const SOLICITED_ME = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1);
const toGroup = { dst: { hi16: 0x3333, lo32: 0xff00_0001 } };

describe('UDP', () => {
  test('an echo server answers IPv6 as it does IPv4', () => {
    const payload = Uint8Array.from({ length: 333 }, (_, i) => i & 0xff);
    const rig = new InetRig([frame6(udpTo(7, payload))], {
      apps: [app({ kind: 'echo', udp: 7, cpu: 1 })],
    }).run();
    const { bytes } = rig.sent[0]!;
    expect(parsed(bytes)).toMatchObject({ l3Kind: 6, srcPort: 7, dstPort: 4000, l4CsumOk: true });
    expect(bytes.subarray(22, 38)).toEqual(MY_IP6);
    expect(bytes.subarray(38, 54)).toEqual(PEER_IP6);
    expect(bytes.subarray(62)).toEqual(payload);
    expect([...bytes.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 0xfe]);
    expect(rig.snmp['Udp6']).toMatchObject({ InDatagrams: 1, OutDatagrams: 1 });
    expect(rig.snmp['Udp']).toMatchObject({ InDatagrams: 0 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('a checksum of 0 is none, and that is not allowed here', () => {
    expect(fate(frame6({ kind: 'udp', srcPort: 1, dstPort: 9, noChecksum: true }))).toBe(
      'UDP_CSUM',
    );
  });

  test('nobody listens: a port unreachable that quotes the packet', () => {
    const asked = frame6(udpTo(99, 20));
    const rig = new InetRig([asked]).run();
    expect(rig.lost).toEqual({ NO_SOCKET: 1 });
    const { bytes } = rig.sent[0]!;
    expect([bytes[54], bytes[55]]).toEqual([1, 4]);
    expect(bytes.subarray(62, 62 + 68)).toEqual(asked.subarray(14, 14 + 68));
    expect(sumOf(bytes)).toBe(0);
    expect(rig.snmp['Icmp6']).toMatchObject({ OutMsgs: 1, OutType1: 1 });
  });

  test('an error quotes no more than fits into 1280 bytes', () => {
    const rig = new InetRig([frame6(udpTo(99, 1400))]).run();
    expect(rig.sent[0]!.bytes.length).toBe(14 + 1280);
    expect(sumOf(rig.sent[0]!.bytes)).toBe(0);
  });
});

describe('what IPv6 refuses, and why', () => {
  const changed = (
    bytes: Readonly<Record<number, number>>,
    frame = frame6(udpTo(9)),
  ): Uint8Array => {
    for (const [at, value] of Object.entries(bytes)) frame[14 + Number(at)] = value;
    return frame;
  };
  const ext = (proto: number, bytes: number[]) => ({ proto, bytes: Uint8Array.from(bytes) });

  test.each<[string, Uint8Array, string]>([
    ['nothing', frame6(udpTo(9)), 'arrived'],
    ['version 4 in an IPv6 frame', changed({ 0: 0x40 }), 'UNHANDLED_PROTO'],
    ['a payload beyond the frame', changed({ 4: 2 }), 'PKT_TOO_SMALL'],
    ['from a group', changed({ 8: 0xff }), 'IP_INHDR'],
    ['to a group of this interface alone', changed({ 24: 0xff, 25: 1 }), 'IP_INHDR'],
    ['to a group we are not in', changed({ 24: 0xff, 25: 2, 39: 77 }), 'NOT_SPECIFIED'],
    ['to somebody else', changed({ 39: 77 }), 'IP_INADDRERRORS'],
    ['a protocol nobody speaks', frame6({ kind: 'bytes', proto: 99, payload: 20 }), 'IP_NOPROTO'],
    ['no next header', frame6({ kind: 'bytes', proto: 59, payload: 20 }), 'NOT_SPECIFIED'],
    ['TCP, where nobody listens', frame6({ kind: 'tcp', srcPort: 1, dstPort: 80 }), 'NO_SOCKET'],
    ['for another MAC', frame6(udpTo(9), {}, { dst: { hi16: 0x0200, lo32: 5 } }), 'OTHERHOST'],
    [
      'hop-by-hop and destination options that are only padding',
      frame6(udpTo(9), {
        extensions: [ext(0, [0, 0, 1, 4, 0, 0, 0, 0]), ext(60, [0, 0, 0, 0, 1, 2, 0, 0])],
      }),
      'arrived',
    ],
    [
      'a router alert',
      frame6(udpTo(9), { extensions: [ext(0, [0, 0, 5, 2, 0, 0, 1, 0])] }),
      'arrived',
    ],
    [
      'an option that may be skipped',
      frame6(udpTo(9), { extensions: [ext(60, [0, 0, 0x1e, 4, 1, 2, 3, 4])] }),
      'arrived',
    ],
    [
      'an option that must be known',
      frame6(udpTo(9), { extensions: [ext(60, [0, 0, 0x7e, 4, 1, 2, 3, 4])] }),
      'UNHANDLED_PROTO',
    ],
    [
      'an option that is longer than its header',
      frame6(udpTo(9), { extensions: [ext(60, [0, 0, 0x1e, 9, 1, 2, 3, 4])] }),
      'IP_INHDR',
    ],
    [
      'a source route with somewhere to go',
      frame6(udpTo(9), { extensions: [ext(43, [0, 0, 0, 1, 0, 0, 0, 0])] }),
      'NOT_SPECIFIED',
    ],
    [
      'a source route at its end',
      frame6(udpTo(9), { extensions: [ext(43, [0, 0, 0, 0, 0, 0, 0, 0])] }),
      'arrived',
    ],
  ])('%s', (_, frame, cause) => expect(fate(frame)).toBe(cause));

  test('an unknown protocol and an unknown option are reported, with where they stand', () => {
    const proto = new InetRig([frame6({ kind: 'bytes', proto: 99, payload: 20 })]).run();
    const said = (rig: InetRig): number[] => {
      const { bytes } = rig.sent[0]!;
      return [bytes[54]!, bytes[55]!, bytes[61]!];
    };
    expect(said(proto)).toEqual([4, 1, 6]); // parameter problem, next header, at byte 6
    const option = ext(60, [0, 0, 0x9e, 4, 1, 2, 3, 4]);
    expect(said(new InetRig([frame6(udpTo(9), { extensions: [option] })]).run())).toEqual([
      4, 2, 42,
    ]);
  });
});

describe('ICMPv6', () => {
  test.each([0, 1, 56, 1452])('an echo of %i bytes comes back as it was', (payload) => {
    const asked = frame6({ kind: 'echo', id: 0x1234, seq: 7, payload });
    const rig = new InetRig([asked]).run();
    const { bytes } = rig.sent[0]!;
    const end = 54 + 8 + payload;
    expect(bytes[54]).toBe(129);
    expect([...bytes.subarray(58, end)]).toEqual([...asked.subarray(58, end)]);
    expect(sumOf(bytes)).toBe(0);
    expect(rig.fates.toStack).toBe(1);
    expect(rig.books).toEqual(BALANCED);
  });

  test('a wrong checksum; an unknown type; an answer nobody waits for', () => {
    const wrong = frame6({ kind: 'echo', payload: 20 });
    wrong[70]! ^= 1;
    expect(fate(wrong)).toBe('ICMP_CSUM');
    expect(fate(icmp6(Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0)))).toBe('NOT_SPECIFIED');
    expect(fate(icmp6(Uint8Array.of(129, 0, 0, 0, 0, 0, 0, 0)))).toBe('NO_SOCKET');
  });
});

describe('neighbour discovery', () => {
  const solicitation = (target: Uint8Array, option: number[]): Uint8Array =>
    Uint8Array.from([135, 0, 0, 0, 0, 0, 0, 0, ...target, ...option]);
  const SOURCE_MAC = [1, 1, ...NEIGHBOUR_MAC];
  const ask = (message: Uint8Array, more: object = {}): Uint8Array =>
    icmp6(message, { src: NEIGHBOUR, dst: SOLICITED_ME, hopLimit: 255, ...more }, toGroup);
  const neighbour = (rig: InetRig) =>
    rig.machine.net.inet!.nd.lookup(rig.machine.nics[0]!.bp.dev, 0xfd00_0000, 0, 0, 9);

  test('who asks for us is told, and known from then on', () => {
    const rig = new InetRig([ask(solicitation(MY_IP6, SOURCE_MAC))]).run();
    const { bytes } = rig.sent[0]!;
    expect([...bytes.subarray(0, 6)]).toEqual(NEIGHBOUR_MAC);
    expect(bytes[21]).toBe(255);
    expect([bytes[54], bytes[58]]).toEqual([136, 0x60]); // solicited, override
    expect(bytes.subarray(62, 78)).toEqual(MY_IP6);
    expect([...bytes.subarray(78, 86)]).toEqual([2, 1, 2, 0, 0, 0, 0, 1]);
    expect(sumOf(bytes)).toBe(0);
    expect(nudName(neighbour(rig)!.state)).toBe('STALE');
    expect(rig.fates.toStack).toBe(1);
  });

  test('somebody who looks for duplicates is told in front of everybody', () => {
    const any = new Uint8Array(16);
    const rig = new InetRig([ask(solicitation(MY_IP6, []), { src: any })]).run();
    const { bytes } = rig.sent[0]!;
    expect([...bytes.subarray(0, 6)]).toEqual([0x33, 0x33, 0, 0, 0, 1]);
    expect([...bytes.subarray(38, 54)]).toEqual([
      0xff,
      2,
      ...Array.from({ length: 13 }, () => 0),
      1,
    ]);
    expect(bytes[58]).toBe(0x20);
  });

  test.each<[string, Uint8Array, string]>([
    [
      'from another link',
      ask(solicitation(MY_IP6, SOURCE_MAC), { hopLimit: 64 }),
      'IPV6_NDISC_HOP_LIMIT',
    ],
    [
      'with a code',
      ask(Uint8Array.from([135, 1, 0, 0, 0, 0, 0, 0, ...MY_IP6])),
      'IPV6_NDISC_BAD_CODE',
    ],
    ['cut short', ask(solicitation(MY_IP6, []).slice(0, 20)), 'PKT_TOO_SMALL'],
    ['for somebody else', ask(solicitation(NEIGHBOUR, SOURCE_MAC)), 'IPV6_NDISC_NS_OTHERHOST'],
    [
      'with an option of length 0',
      ask(solicitation(MY_IP6, [1, 0, 0, 0, 0, 0, 0, 0])),
      'IPV6_NDISC_BAD_OPTIONS',
    ],
    [
      'with an option beyond its end',
      ask(solicitation(MY_IP6, [1, 2, 0, 0, 0, 0, 0, 0])),
      'IPV6_NDISC_BAD_OPTIONS',
    ],
  ])('%s: dropped', (_, frame, cause) => expect(fate(frame)).toBe(cause));

  test('a reply to a stranger waits until the stranger is known', () => {
    const advert = icmp6(
      Uint8Array.from([136, 0, 0, 0, 0x60, 0, 0, 0, ...NEIGHBOUR, 2, 1, ...NEIGHBOUR_MAC]),
      { src: NEIGHBOUR, dst: MY_IP6, hopLimit: 255 },
    );
    const asked = frame6(udpTo(7), { src: NEIGHBOUR });
    const apps = [app({ kind: 'echo', udp: 7 })];
    const rig = new InetRig([asked, asked, advert], { apps, gap: 5 * PS_PER_US });
    rig.run(PS_PER_SEC / 2);
    const [solicited, ...replies] = rig.sent.map(({ bytes }) => bytes);
    expect([...solicited!.subarray(0, 6)]).toEqual([0x33, 0x33, 0xff, 0, 0, 9]);
    expect([solicited![54], sumOf(solicited!)]).toEqual([135, 0]);
    expect(replies.length).toBe(2);
    expect([...replies[0]!.subarray(0, 6)]).toEqual(NEIGHBOUR_MAC);
    expect(neighbour(rig)!.state).toBe(NUD_REACHABLE);
    expect(rig.books).toEqual(BALANCED);
  });
});

describe('fragments', () => {
  const DATA = Uint8Array.from({ length: 3000 }, (_, i) => (i * 13) & 0xff);
  const datagram = frame6(udpTo(9, DATA)).subarray(54);
  const piece = (from: number, to: number, id = 77): Uint8Array => {
    const header = new DataView(new ArrayBuffer(8));
    header.setUint16(2, from | (to < datagram.length ? 1 : 0));
    header.setUint32(4, id);
    const body: BodySpec = { kind: 'bytes', proto: 17, payload: datagram.slice(from, to) };
    const extensions = [{ proto: 44, bytes: new Uint8Array(header.buffer) }];
    const net = { kind: 'ipv6', src: PEER_IP6, dst: MY_IP6, extensions, body } as const;
    return buildFrame({ dst: MY_MAC, src: PEER_MAC, net });
  };

  test('become the datagram again, in any order', () => {
    const pieces = [piece(0, 1400), piece(1400, 2800), piece(2800, 3008)];
    for (const order of [pieces, pieces.toReversed()]) {
      const rig = new InetRig(order, { apps: [app({ kind: 'capture', udp: 9 })] }).run(PS_PER_SEC);
      expect(rig.machine.apps[0]!.captured.map(({ bytes }) => bytes)).toEqual([DATA]);
      expect(rig.snmp['Ip6']).toMatchObject({ ReasmReqds: 3, ReasmOKs: 1 });
      expect(rig.books).toEqual(BALANCED);
    }
  });

  test('nothing is kept of fragments that cannot be right', () => {
    const ext = (id: number) => ({
      proto: 44,
      bytes: Uint8Array.from([17, 0, 0, 1, 0, 0, id >> 8, id & 255]),
    });
    const odd = Array.from({ length: 300 }, (_, id) =>
      frame6({ kind: 'bytes', proto: 17, payload: 61 }, { extensions: [ext(id)] }),
    );
    const rig = new InetRig(odd).run();
    expect(rig.machine.net.inet!.frags6.memory).toBe(0);
    expect(rig.books).toEqual(BALANCED);
  });

  test('a fragment that is the whole packet needs no others', () => {
    const header = { proto: 44, bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5) };
    expect(fate(frame6(udpTo(9), { extensions: [header] }))).toBe('arrived');
  });

  test('what stays incomplete is given up', () => {
    const rig = new InetRig([piece(1400, 2800)]).run();
    expect(rig.lost).toEqual({ FRAG_REASM_TIMEOUT: 1 });
    expect(rig.sent).toEqual([]); // nobody knows whose packet it was
    expect(rig.books).toEqual(BALANCED);
  });
});

test('headers that have to be pulled out of pages move, and what was known of them with it', () => {
  const rig = new InetRig([]);
  const { machine } = rig;
  machine.open();
  const macs = [
    { hi16: 0x0200, lo32: 0x11 },
    { hi16: 0x0200, lo32: 0x12 },
  ] as const;
  const [v0, v1] = machine.addVeth({ name: 'v0', mac: macs[0] }, { name: 'v1', mac: macs[1] });
  v0.mtu = v1.mtu = 9000;
  // an option that may be skipped, 250 bytes of it, five times: far more than the 64 linear bytes
  const options = Uint8Array.from({ length: 1264 }, (_, i) => {
    const at = (i - 2) % 252;
    if (i < 2) return i === 0 ? 0 : 1264 / 8 - 1;
    if (i >= 2 + 5 * 252) return 0; // Pad1
    return at === 0 ? 0x1e : at === 1 ? 250 : 7;
  });
  const bytes = frame6(
    { kind: 'bytes', proto: 99, payload: 5000 },
    { extensions: [{ proto: 60, bytes: options }] },
    { dst: macs[1] },
  );
  const [cpu] = machine.cpus;
  const skb = allocSkbWithFrags(v0, bytes.length, cpu!)!;
  const page = machine.pages.alloc();
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const part = bytes.subarray(at, at + PAGE_SIZE);
    machine.mem.u8.set(part, page);
    skbStoreBits(skb, at, page, part.length, cpu!);
  }
  machine.pages.release(page);
  expect(skb.tail - skb.data).toBe(64);
  devQueueXmit(skb, cpu!);
  rig.run();
  const error = rig.sent[0]!.bytes;
  expect([error[54], error[55]]).toEqual([4, 1]); // parameter problem, unrecognized next header
  expect(new DataView(error.buffer, error.byteOffset).getUint32(58)).toBe(40);
  expect(rig.snmp['Ip6']).toMatchObject({ InUnknownProtos: 1 });
});
