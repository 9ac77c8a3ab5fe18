import { describe, expect, test } from 'vitest';
import { END_OF_TIME, PS_PER_MS, PS_PER_SEC, PS_PER_US } from '../../src/host/clock.ts';
import { NF_ACCEPT, NF_DROP, TC_ACT_OK, TC_ACT_SHOT } from '../../src/stack/net.ts';
import {
  NEIGH_UPDATE_F_OVERRIDE,
  NUD_DELAY,
  NUD_PROBE,
  NUD_REACHABLE,
  NUD_STALE,
  nudName,
} from '../../src/stack/neighbour.ts';
import { buildFrame } from '../../src/wire/build.ts';
import { csumFold, csumPartial } from '../../src/wire/checksum.ts';
import { updateIpv4Check } from '../../src/wire/ipv4.ts';
import { BALANCED, InetRig, MY_IP, MY_MAC, PEER_MAC, app, frame4, udpTo } from './inetRig.ts';
import type { InetRigOptions } from './inetRig.ts';

const SINK: InetRigOptions = { apps: [app({ kind: 'sink', udp: 9 })] };

/** One frame to a sink on port 9: the one cause it is lost for, or 'arrived'. */
function fate(frame: Uint8Array, options: InetRigOptions = SINK): string {
  const rig = new InetRig([frame], options).run();
  expect(rig.books).toEqual(BALANCED);
  const [cause, ...more] = Object.keys(rig.lost);
  expect(more).toEqual([]);
  return cause ?? 'arrived';
}

/** The frame with bytes changed, counted from the IP header, its checksum made right again. */
function changed(bytes: Readonly<Record<number, number>>, frame = frame4(udpTo(9))): Uint8Array {
  for (const [at, value] of Object.entries(bytes)) frame[14 + Number(at)] = value;
  const fits = 14 + (frame[14]! & 0xf) * 4 <= frame.length;
  if (fits) updateIpv4Check(new DataView(frame.buffer), 14);
  return frame;
}

describe('the hooks, in their order', () => {
  const order = (ingressSays: number, preRoutingSays: number): [string[], string] => {
    const rig = new InetRig([frame4(udpTo(9))], SINK);
    const { net } = rig.machine;
    const seen: string[] = [];
    net.addTap({ onSkb: () => void seen.push('tap') });
    net.ingress = { onSkb: () => (seen.push('ingress'), ingressSays) };
    net.preRouting = { onSkb: () => (seen.push('prerouting'), preRoutingSays) };
    rig.run();
    return [seen, Object.keys(rig.lost)[0] ?? 'arrived'];
  };

  test.each([
    [TC_ACT_OK, NF_ACCEPT, ['tap', 'ingress', 'prerouting'], 'arrived'],
    [TC_ACT_OK, NF_DROP, ['tap', 'ingress', 'prerouting'], 'NETFILTER_DROP'],
    [TC_ACT_SHOT, NF_ACCEPT, ['tap', 'ingress'], 'TC_INGRESS'],
  ])('ingress says %i, prerouting %i', (ingress, preRouting, seen, end) => {
    expect(order(ingress, preRouting)).toEqual([seen, end]);
  });
});

describe('what IPv4 refuses, and why', () => {
  const fine = (): Uint8Array => frame4(udpTo(9));

  test('a good packet arrives', () => expect(fate(fine())).toBe('arrived'));

  test.each<[string, Uint8Array, string]>([
    ['version 6 in an IPv4 frame', changed({ 0: 0x65 }), 'IP_INHDR'],
    ['a header of 16 bytes', changed({ 0: 0x44 }), 'IP_INHDR'],
    ['a header longer than the packet', changed({ 0: 0x4f }), 'IP_INHDR'],
    ['a total length below the header', changed({ 2: 0, 3: 19 }), 'IP_INHDR'],
    ['a total length beyond the frame', changed({ 2: 2 }), 'PKT_TOO_SMALL'],
    ['from a group', changed({ 12: 224 }), 'IP_INVALID_SOURCE'],
    ['from loopback', changed({ 12: 127 }), 'IP_LOCALNET'],
    ['from 0.0.0.0', frame4(udpTo(9), { src: 0 }), 'IP_INVALID_SOURCE'],
    ['to 0.0.0.0', frame4(udpTo(9), { dst: 0 }), 'IP_INVALID_DEST'],
    ['to 0.0.0.1', changed({ 16: 0 }), 'IP_INADDRERRORS'],
    ['to loopback', changed({ 16: 127 }), 'IP_LOCALNET'],
    ['from ourselves', frame4(udpTo(9), { src: MY_IP }), 'IP_LOCAL_SOURCE'],
    ['to a neighbour', changed({ 19: 77 }), 'IP_INADDRERRORS'],
    ['to a group we are not in', changed({ 16: 224, 17: 0, 18: 0, 19: 9 }), 'NOT_SPECIFIED'],
    ['a protocol nobody speaks', changed({ 9: 99 }), 'IP_NOPROTO'],
    ['TCP, where nobody listens', frame4({ kind: 'tcp', srcPort: 1, dstPort: 80 }), 'NO_SOCKET'],
  ])('%s', (_, frame, cause) => expect(fate(frame)).toBe(cause));

  // the events kfree_skb and consume_skb of Linux 6.18 after each of these, and its InDelivers
  test.each<[string, readonly number[], 'arrived' | 'NOT_SPECIFIED']>([
    ['a query of version 1', [0x11, 0, 0, 0, 0, 0, 0, 0], 'arrived'],
    ['a query of version 2', [0x11, 100, 0, 0, 0, 0, 0, 0], 'arrived'],
    ['a query of version 2 for a group', [0x11, 100, 0, 0, 239, 1, 1, 1], 'arrived'],
    ['a query of version 3', [0x11, 100, 0, 0, ...Array(8).fill(0)], 'arrived'],
    ['its sources', [0x11, 100, 0, 0, 239, 1, 1, 1, 2, 0, 0, 1, 1, 2, 3, 4], 'arrived'],
    ['its sources, missing', [0x11, 100, 0, 0, 239, 1, 1, 1, 2, 0, 0, 1], 'NOT_SPECIFIED'],
    ['sources of no group', [0x11, 100, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 1, 2, 3, 4], 'NOT_SPECIFIED'],
    ['a query of 10 bytes', [0x11, 100, 0, 0, 0, 0, 0, 0, 0, 0], 'NOT_SPECIFIED'],
    ['a report', [0x16, 0, 0, 0, 239, 1, 2, 3], 'NOT_SPECIFIED'],
    ['a report of version 3', [0x22, 0, 0, 0, 0, 0, 0, 0], 'NOT_SPECIFIED'],
    ['a message of 2 bytes', [0x11, 0], 'NOT_SPECIFIED'],
  ])('IGMP: %s', (_, message, cause) => {
    const payload = Uint8Array.from(message);
    const view = new DataView(payload.buffer);
    if (message.length >= 8) view.setUint16(2, csumFold(csumPartial(view, 0, message.length, 0)));
    const frame = frame4({ kind: 'bytes', proto: 2, payload });
    expect(fate(frame)).toBe(cause);
    const { Ip, Icmp } = new InetRig([frame]).run().snmp;
    expect([Ip!.InDelivers, Ip!.InUnknownProtos, Icmp!.OutMsgs]).toEqual([1, 0, 0]);
    if (message.length < 8) return;
    payload[3]! ^= 1;
    expect(fate(frame4({ kind: 'bytes', proto: 2, payload }))).toBe('NOT_SPECIFIED');
  });

  test('a wrong header checksum', () => {
    const frame = fine();
    frame[24]! ^= 1;
    expect(fate(frame)).toBe('IP_CSUM');
  });

  test('for another MAC, with the NIC promiscuous', () => {
    expect(fate(frame4(udpTo(9), {}, { dst: { hi16: 0x0200, lo32: 5 } }))).toBe('OTHERHOST');
  });

  test('a VLAN that is not ours; priority tags are no VLAN', () => {
    expect(fate(frame4(udpTo(9), {}, { tags: [{ vid: 5 }] }))).toBe('OTHERHOST');
    expect(fate(frame4(udpTo(9), {}, { tags: [{ vid: 0, pcp: 3 }] }))).toBe('arrived');
  });

  test('an EtherType nobody has registered', () => {
    const net = { kind: 'raw', etherType: 0x88b5, payload: 50 } as const;
    expect(fate(buildFrame({ dst: MY_MAC, src: PEER_MAC, net }))).toBe('UNHANDLED_PROTO');
  });

  test.each<[string, number[], string]>([
    ['none of interest', [1, 1, 148, 4, 0, 0, 0, 0], 'arrived'],
    ['one that claims more than there is', [7, 9, 4, 0], 'IP_INHDR'],
    ['one of length 1', [7, 1, 4, 0], 'IP_INHDR'],
    ['one without room for its length', [1, 1, 1, 7], 'IP_INHDR'],
    ['a source route', [131, 7, 4, 1, 2, 3, 4, 0], 'NOT_SPECIFIED'],
  ])('options: %s', (_, options, cause) => {
    const frame = frame4(udpTo(9), { options: Uint8Array.from(options) });
    expect(fate(frame)).toBe(cause);
  });

  test.each<[string, number[], pointer: number]>([
    ['a label of no known domain', [134, 10, 0, 0, 0, 1, 1, 4, 0, 1, 0, 0], 22],
    ['a label too short for a domain', [1, 134, 7, 0, 0, 0, 1, 1], 22],
    ['two that record a route', [7, 7, 4, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0, 0], 27],
    ['two that record times', [68, 8, 5, 0, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0], 28],
  ])('options of which the sender hears, as from Linux: %s', (_, options, pointer) => {
    const frame = frame4(udpTo(9), { options: Uint8Array.from(options) });
    expect(fate(frame)).toBe('IP_INHDR');
    const [told] = new InetRig([frame]).run().sent;
    expect([...told!.bytes.subarray(34, 36), told!.bytes[38]]).toEqual([12, 0, pointer]);
  });
});

test('IGMP: a report that everybody on the link got is heard', () => {
  const payload = Uint8Array.of(0x16, 0, 0xf8, 0xfa, 239, 1, 2, 3);
  const body = { kind: 'bytes', proto: 2, payload } as const;
  const many = { dst: { hi16: 0x0100, lo32: 0x5e00_0001 } };
  expect(fate(frame4(body, { dst: 0xe000_0001 }, many))).toBe('arrived');
  expect(fate(frame4(body, { dst: 0xe000_0001 }))).toBe('NOT_SPECIFIED');
});

describe('ICMP', () => {
  const echo = (payload: number): Uint8Array =>
    frame4({ kind: 'echo', id: 0x1234, seq: 7, payload }, { tos: 0x10 });

  test.each([0, 1, 56, 213, 214, 1472])('an echo of %i bytes comes back as it was', (payload) => {
    const asked = echo(payload);
    const rig = new InetRig([asked]).run();
    expect(rig.fates.toStack).toBe(1);
    const { bytes } = rig.sent[0]!;
    const len = 20 + 8 + payload;
    expect(bytes[34]).toBe(0); // echo reply
    expect([...bytes.subarray(38, 14 + len)]).toEqual([...asked.subarray(38, 14 + len)]);
    expect([...bytes.subarray(26, 34)]).toEqual([10, 0, 0, 1, 192, 0, 2, 1]);
    expect(rig.snmp['IcmpMsg']).toEqual({ InType8: 1, OutType0: 1 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('a wrong checksum, an unknown type, an echo to everybody, an answer nobody waits for', () => {
    const wrong = echo(20);
    wrong[50]! ^= 1;
    expect(fate(wrong)).toBe('ICMP_CSUM');
    const message = (type: number): Uint8Array => {
      const payload = Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0);
      const sum = 0xffff - (type << 8);
      payload[2] = sum >> 8;
      payload[3] = sum & 0xff;
      return frame4({ kind: 'bytes', proto: 1, payload });
    };
    expect(fate(message(40))).toBe('UNHANDLED_PROTO');
    expect(fate(message(42))).toBe('arrived'); // an extended echo, which nobody answers
    expect(fate(message(43))).toBe('NO_SOCKET');
    expect(fate(message(0))).toBe('NO_SOCKET');
    const toAll = frame4(
      { kind: 'echo', payload: 8 },
      { dst: 0x0a0000ff },
      {
        dst: { hi16: 0xffff, lo32: 0xffff_ffff },
      },
    );
    expect(fate(toAll)).toBe('INVALID_PROTO');
  });

  const message = (...bytes: number[]): Uint8Array => {
    const payload = Uint8Array.from(bytes);
    const view = new DataView(payload.buffer);
    view.setUint16(2, csumFold(csumPartial(view, 0, payload.length, 0)));
    return frame4({ kind: 'bytes', proto: 1, payload }, { tos: 0x10 });
  };

  test('who asks for the time hears when he asked and what it is here, twice', () => {
    const asked = message(13, 2, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3, 4, 9, 9, 9, 9);
    const rig = new InetRig([asked, asked], { gap: 5 * PS_PER_MS }).run();
    const [early, late] = rig.sent.map(({ bytes }) => bytes);
    expect([...late!.subarray(14, 16)]).toEqual([0x45, 0x10]);
    expect([...late!.subarray(34, 36)]).toEqual([14, 0]);
    expect([...late!.subarray(38, 54)]).toEqual([
      ...[0x12, 0x34, 0, 7, 1, 2, 3, 4],
      ...[0, 0, 0, 5, 0, 0, 0, 5],
    ]);
    expect([...early!.subarray(46, 54)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    const view = new DataView(late!.buffer, late!.byteOffset);
    expect([view.getUint16(16), csumFold(csumPartial(view, 34, 20, 0))]).toEqual([40, 0]);
    expect(rig.snmp['IcmpMsg']).toEqual({ InType13: 2, OutType14: 2 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('who does not say when he asks hears nothing', () => {
    const rig = new InetRig([message(13, 0, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3)]).run();
    expect([rig.sent, rig.lost]).toEqual([[], { PKT_TOO_SMALL: 1 }]);
    expect(rig.snmp['Icmp']!.InErrors).toBe(1);
  });

  // events and counters of Linux 6.18 after each of these
  test.each<
    [string, type: number, code: number, inner: [number, proto: number], InErrors: number, string]
  >([
    ['of a port, about nobody', 3, 3, [0x45, 17], 1, 'arrived'],
    ['of TCP, about nobody', 3, 3, [0x45, 6], 1, 'arrived'],
    ['of what nobody speaks', 3, 3, [0x45, 99], 0, 'arrived'],
    ['of an unknown code', 3, 16, [0x45, 17], 0, 'arrived'],
    ['about too few bytes', 3, 3, [0x4f, 17], 1, 'arrived'],
    ['about no header', 3, 3, [0x44, 17], 1, 'IP_INHDR'],
    ['of fragments that came too late', 11, 1, [0x45, 17], 0, 'arrived'],
    ['of such, about no header', 11, 1, [0x44, 17], 1, 'IP_INHDR'],
    ['a redirect about no header', 5, 1, [0x40, 99], 0, 'arrived'],
  ])('an error: %s', (_, type, code, inner, errors, cause) => {
    const quoted = Array<number>(28).fill(0);
    [quoted[0], quoted[9]] = inner;
    const frame = message(type, code, 0, 0, 0, 0, 0, 0, ...quoted);
    expect(fate(frame)).toBe(cause);
    expect(new InetRig([frame]).run().snmp['Icmp']!.InErrors).toBe(errors);
  });

  test('a redirect that is too short', () => {
    expect(fate(message(5, 1, 0, 0, 0, 0, 0, 0))).toBe('PKT_TOO_SMALL');
  });

  test('an unknown type for many is refused as any other is', () => {
    const payload = Uint8Array.of(40, 0, 0xd7, 0xff, 0, 0, 0, 0);
    const frame = frame4({ kind: 'bytes', proto: 1, payload }, { dst: 0xffff_ffff });
    expect(fate(frame)).toBe('INVALID_PROTO');
  });
});

describe('ARP', () => {
  const NEIGHBOUR = 0x0a00_0009;
  const asks = (targetIp: number, senderIp = NEIGHBOUR): Uint8Array =>
    buildFrame({
      dst: { hi16: 0xffff, lo32: 0xffff_ffff },
      src: { hi16: 0x0200, lo32: 9 },
      net: { kind: 'arp', senderMac: { hi16: 0x0200, lo32: 9 }, senderIp, targetIp },
    });
  const answers = buildFrame({
    dst: MY_MAC,
    src: { hi16: 0x0200, lo32: 9 },
    net: {
      kind: 'arp',
      reply: true,
      senderMac: { hi16: 0x0200, lo32: 9 },
      senderIp: NEIGHBOUR,
      targetMac: MY_MAC,
      targetIp: MY_IP,
    },
  });
  const echoApp: InetRigOptions = { apps: [app({ kind: 'echo', udp: 7 })] };
  const fromNeighbour = (): Uint8Array =>
    frame4(udpTo(7), { src: NEIGHBOUR }, { src: { hi16: 0x0200, lo32: 9 } });
  const neighbour = (rig: InetRig) =>
    rig.machine.net.inet!.arp.lookup(rig.machine.nics[0]!.bp.dev, 0, 0, 0, NEIGHBOUR);

  test('who asks for us is answered, and known from then on', () => {
    const rig = new InetRig([asks(MY_IP)]).run();
    const { bytes } = rig.sent[0]!;
    expect([...bytes.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 9]);
    expect([...bytes.subarray(20, 42)]).toEqual([
      ...[0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9],
    ]);
    expect(nudName(neighbour(rig)!.state)).toBe('STALE');
    expect(rig.fates.toStack).toBe(1);
    expect(rig.books).toEqual(BALANCED);
  });

  test('who asks for others is not; nor is a neighbour made of hearsay', () => {
    const rig = new InetRig([asks(0x0a00_0005), answers]).run();
    expect(rig.sent).toEqual([]);
    expect(neighbour(rig)).toBe(null);
  });

  test('a reply to a stranger waits until the stranger is known', () => {
    const frames = [fromNeighbour(), fromNeighbour(), answers];
    const rig = new InetRig(frames, { ...echoApp, gap: 5 * PS_PER_US }).run(PS_PER_SEC / 2);
    expect(rig.sent.map(({ bytes }) => (bytes[12]! << 8) | bytes[13]!)).toEqual([
      ...[0x0806, 0x0800, 0x0800],
    ]);
    expect([...rig.sent[0]!.bytes.subarray(38, 42)]).toEqual([10, 0, 0, 9]);
    expect(neighbour(rig)!.state).toBe(NUD_REACHABLE);
    expect(rig.books).toEqual(BALANCED);
  });

  test('a stranger who never answers is asked three times, a second apart, then given up', () => {
    const rig = new InetRig([fromNeighbour()], echoApp).run();
    expect(rig.sent.map(({ at }) => Math.round(at / PS_PER_SEC))).toEqual([0, 1, 2]);
    expect(nudName(neighbour(rig)!.state)).toBe('FAILED');
    expect(rig.machine.result().drops).toEqual({ NEIGH_FAILED: 1 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('a neighbour not heard of for long is asked again, directly, once it is used', () => {
    const rig = new InetRig([asks(MY_IP), fromNeighbour()], echoApp);
    rig.run(4 * PS_PER_SEC);
    expect(nudName(neighbour(rig)!.state)).toBe('DELAY');
    rig.run(END_OF_TIME);
    const asked = rig.sent.filter(({ bytes }) => bytes[13] === 6 && bytes[21] === 1);
    expect(asked.map(({ at }) => Math.round(at / PS_PER_SEC))).toEqual([5, 6, 7]);
    expect([...asked[0]!.bytes.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 9]);
  });

  test('what waits for a stranger is bounded: the oldest give way', () => {
    const frames = Array.from({ length: 300 }, fromNeighbour);
    const rig = new InetRig(frames, echoApp).run(PS_PER_SEC / 2);
    // 212,992 bytes of truesize hold 166 packets of 1280
    expect(neighbour(rig)!.queue.qlen).toBe(166);
    expect(rig.machine.result().drops).toEqual({ NEIGH_QUEUEFULL: 134 });
    rig.machine.close();
    expect(rig.machine.net.skbs.live).toBe(0);
  });

  test('hearsay does not make a reachable neighbour less sure, another address does', () => {
    const { machine } = new InetRig([]);
    const { arp } = machine.net.inet!;
    const [cpu] = machine.cpus;
    const neigh = arp.lookupOrCreate(machine.nics[0]!.bp.dev, 0, 0, 0, NEIGHBOUR, cpu!)!;
    const hear = (lo32: number, state: number, flags = NEIGH_UPDATE_F_OVERRIDE): void =>
      arp.update(neigh, 0x0200, lo32, state, flags, cpu!);
    hear(9, NUD_REACHABLE);
    hear(9, NUD_STALE);
    expect(neigh.state).toBe(NUD_REACHABLE);
    neigh.state = NUD_PROBE;
    hear(9, NUD_STALE);
    expect(neigh.state).toBe(NUD_PROBE);
    hear(8, NUD_STALE, 0);
    expect([neigh.state, neigh.haLo32]).toEqual([NUD_PROBE, 9]);
    hear(8, NUD_STALE);
    expect([neigh.state, neigh.haLo32]).toEqual([NUD_STALE, 8]);
  });

  const answer = (lo32: number, more: object = {}): Uint8Array => {
    const mac = { hi16: 0x0200, lo32 };
    const arp = { kind: 'arp', reply: true, senderMac: mac, senderIp: NEIGHBOUR } as const;
    const net = { ...arp, targetMac: MY_MAC, targetIp: MY_IP, ...more };
    return buildFrame({ dst: MY_MAC, src: mac, net });
  };

  test.each([
    ['the first of several answers counts for a second', [answer(9), answer(8)], PS_PER_US, 9],
    ['a later one counts again', [answer(9), answer(8)], 2 * PS_PER_SEC, 8],
    [
      'who announces himself is believed at once',
      [answer(9), answer(8, { targetIp: NEIGHBOUR, targetMac: { hi16: 0x0200, lo32: 8 } })],
      PS_PER_US,
      8,
    ],
    [
      'unless he names somebody else as well',
      [answer(9), answer(8, { targetIp: NEIGHBOUR })],
      PS_PER_US,
      9,
    ],
  ])('%s', (_, answersInTurn, gap, lo32) => {
    const rig = new InetRig([fromNeighbour(), ...answersInTurn], {
      ...echoApp,
      gap: Math.max(gap, 20 * PS_PER_US),
    }).run(5 * PS_PER_SEC);
    expect(neighbour(rig)!.haLo32).toBe(lo32);
  });

  test.each([0x7f00_0001, 0xe000_0001, 0xffff_ffff, MY_IP])(
    'who claims to ask from %i is not answered',
    (senderIp) => {
      const rig = new InetRig([asks(MY_IP, senderIp)]).run();
      expect(rig.sent).toEqual([]);
      expect([...rig.machine.net.inet!.arp.all()].length).toBe(1); // the gateway
    },
  );

  test('what waited for a neighbour counts as its use', () => {
    const rig = new InetRig([fromNeighbour(), asks(MY_IP)], { ...echoApp, gap: 20 * PS_PER_US });
    rig.run(PS_PER_SEC / 2);
    expect(neighbour(rig)!.state).toBe(NUD_DELAY);
    expect(rig.sent.length).toBe(3); // the question, the datagram, the answer
  });

  test('a full table lets go of what is stale and old, down to half', () => {
    const { machine } = new InetRig([]);
    const { arp } = machine.net.inet!;
    const { dev } = machine.nics[0]!.bp;
    const [cpu] = machine.cpus;
    const make = (i: number) => arp.lookupOrCreate(dev, 0, 0, 0, 0x0a00_1000 + i, cpu!);
    for (let i = 0; i < 1023; i++) make(i)!.state = i < 700 ? NUD_STALE : NUD_REACHABLE;
    expect(make(2000)).toBe(null); // nothing is old enough
    cpu!.idleUntil(6 * PS_PER_SEC);
    expect(make(2001)).not.toBe(null);
    expect([...arp.all()].length).toBe(513);
  });

  test('the broadcast address of the subnet needs nobody asked', () => {
    const ping = frame4({ kind: 'echo', payload: 8 }, { src: 0x0a00_00ff });
    const rig = new InetRig([ping]).run();
    expect(rig.sent.map(({ bytes }) => [...bytes.subarray(0, 14)])).toEqual([
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0],
    ]);
  });

  // `nstat` of Linux 6.18 after one such frame, as a host and as a router
  test.each([
    [false, { InReceives: 1, InAddrErrors: 1 }],
    [true, { InReceives: 1, ForwDatagrams: 1 }],
  ])('its first address is a neighbour like others: forwarding %s', (ipForward, counted) => {
    const toFirst = frame4(udpTo(9), { src: 0x0a00_00fe, dst: 0x0a00_0000 });
    const rig = new InetRig([toFirst], { inet: { ipForward } }).run();
    expect(rig.snmp['Ip']).toMatchObject(counted);
    expect(rig.snmp['Ip']!.InDelivers ?? 0).toBe(0);
  });
});

describe('fragments', () => {
  const DATA = Uint8Array.from({ length: 3000 }, (_, i) => (i * 11) & 0xff);
  const whole = frame4(udpTo(9, DATA)).subarray(34);
  const piece = (from: number, to: number, more: object = {}): Uint8Array =>
    frame4(
      { kind: 'bytes', proto: 17, payload: whole.slice(from, to) },
      { id: 5, fragOffsetBytes: from, moreFragments: to < whole.length, ...more },
    );
  const KEEP: InetRigOptions = { apps: [app({ kind: 'capture', udp: 9 })] };
  const kept = (rig: InetRig): Uint8Array[] =>
    rig.machine.apps[0]!.captured.map(({ bytes }) => bytes);

  test.each([[[0, 1480, 2960, 3008]], [[0, 8, 16, 24, 1504, 2984, 3008]], [[0, 1000, 2000, 3008]]])(
    'of a datagram, cut at %j, in any order',
    (cuts) => {
      const pieces = cuts.slice(1).map((to, i) => piece(cuts[i]!, to));
      for (const order of [pieces, pieces.toReversed(), [...pieces.slice(1), pieces[0]!]]) {
        const rig = new InetRig(order, KEEP).run(PS_PER_SEC);
        expect(kept(rig)).toEqual([DATA]);
        expect(rig.fates.toStack).toBe(pieces.length);
        expect(rig.snmp['Ip']).toMatchObject({ ReasmReqds: pieces.length, ReasmOKs: 1 });
        expect(rig.books).toEqual(BALANCED);
      }
    },
  );

  test('one that never gets whole is given up after half a minute, and its sender told', () => {
    const rig = new InetRig([piece(0, 1480)], KEEP).run();
    expect(rig.lost).toEqual({ FRAG_REASM_TIMEOUT: 1 });
    expect(Math.round(rig.sent[0]!.at / PS_PER_SEC)).toBe(30);
    expect([rig.sent[0]!.bytes[34], rig.sent[0]!.bytes[35]]).toEqual([11, 1]);
    expect(rig.snmp['Ip']).toMatchObject({ ReasmTimeout: 1, ReasmFails: 1 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('twice the same is once too often; overlaps spoil the packet', () => {
    const rest = [piece(1480, 2960), piece(2960, 3008)];
    const again = new InetRig([piece(0, 1480), piece(0, 1480), ...rest], KEEP).run();
    expect(again.lost).toEqual({ DUP_FRAG: 1 });
    expect(kept(again)).toEqual([DATA]);
    const overlap = new InetRig([piece(0, 1480), piece(1472, 2952)], KEEP).run(PS_PER_SEC);
    expect(overlap.lost).toEqual({ NOT_SPECIFIED: 2 });
    expect(kept(overlap)).toEqual([]);
    expect(overlap.books).toEqual(BALANCED);
  });

  test('ends that contradict each other, more than 64 KiB', () => {
    for (const bad of [
      [
        piece(0, 8),
        piece(1000, 1016, { moreFragments: false }),
        piece(16, 24, { moreFragments: false }),
      ],
      [piece(0, 1480, { fragOffsetBytes: 65_528 })],
    ]) {
      const rig = new InetRig(bad, KEEP).run(PS_PER_SEC);
      expect(rig.lost).toEqual({ NOT_SPECIFIED: bad.length });
      expect(rig.books).toEqual(BALANCED);
    }
  });

  test('hold 4 MiB and no more', () => {
    const many = Array.from({ length: 2000 }, (_, id) => piece(0, 1480, { id }));
    const rig = new InetRig(many, { gap: 3 * PS_PER_US }).run(PS_PER_SEC);
    const { memory } = rig.machine.net.inet!.frags4;
    expect(memory).toBeGreaterThan(4 * 2 ** 20);
    expect(memory).toBeLessThan(4 * 2 ** 20 + 6000);
    // 2112 bytes of buffer, 256 of sk_buff and 256 of queue each: the 1599th passes the limit
    expect(rig.lost).toEqual({ NOT_SPECIFIED: 2000 - 1599 });
    rig.machine.close();
    expect(rig.machine.net.skbs.live).toBe(0);
    expect(rig.books).toEqual(BALANCED);
  });
});
