import { describe, expect, test } from 'vitest';
import { buildFrame, type FrameSpec } from '../../src/wire/build.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import { parseMac } from '../../src/wire/eth.ts';
import { FRAG_FIRST, FRAG_LATER, FRAG_NONE } from '../../src/wire/ip.ts';
import { parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { exactView, hex } from './bytes.ts';
import { arpReply, mdns6, qinqArp, qinqUdp, segmentRouting, tcpSyn } from './realFrames.ts';

function parse(view: DataView, len: number = view.byteLength): ParsedFrame {
  const out = new ParsedFrame();
  parseFrame(view, 0, len, out);
  return out;
}

const ends = { dst: parseMac('02:00:00:00:00:01'), src: parseMac('02:00:00:00:00:02') };
const frame = (net: FrameSpec['net'], tags: FrameSpec['tags'] = []): DataView =>
  exactView(buildFrame({ ...ends, net, tags }));
const v4 = (body: BodySpec): Extract<FrameSpec['net'], { kind: 'ipv4' }> => ({
  kind: 'ipv4',
  src: 0x0a000002,
  dst: 0x0a000001,
  body,
});
const v6 = (body: BodySpec): Extract<FrameSpec['net'], { kind: 'ipv6' }> => ({
  kind: 'ipv6',
  src: parseIpv6Addr('2001:db8::2'),
  dst: parseIpv6Addr('2001:db8::1'),
  body,
});
const udp = { kind: 'udp', srcPort: 1111, dstPort: 2222, payload: 5 } as const;
const tcp = { kind: 'tcp', srcPort: 3333, dstPort: 4444, payload: 6 } as const;

describe('real frames', () => {
  test('TCP SYN over IPv4', () => {
    expect(parse(tcpSyn())).toMatchObject({
      l2Len: 14,
      vlanCount: 0,
      etherType: 0x0800,
      l3Kind: 4,
      l3Offset: 14,
      l3HeaderLen: 20,
      l4Proto: 6,
      l4Offset: 34,
      l4Len: 40,
      srcPort: 33779,
      dstPort: 53,
      payloadOffset: 74,
      payloadLen: 0,
      frag: FRAG_NONE,
      l2Malformed: false,
      l3Malformed: false,
      l4Malformed: false,
    });
  });

  test('UDP over IPv4 behind two tags', () => {
    expect(parse(qinqUdp())).toMatchObject({
      l2Len: 22,
      vlanCount: 2,
      outerTpid: 0x8100,
      outerTci: 13,
      innerTpid: 0x8100,
      innerTci: 10,
      etherType: 0x0800,
      l3Offset: 22,
      l4Proto: 17,
      l4Offset: 42,
      l4Len: 26,
      srcPort: 47808,
      dstPort: 47808,
      payloadOffset: 50,
      payloadLen: 18,
    });
  });

  test('UDP over IPv6', () => {
    expect(parse(mdns6())).toMatchObject({
      l3Kind: 6,
      l3HeaderLen: 40,
      l4Proto: 17,
      l4Offset: 54,
      l4Len: 53,
      srcPort: 5353,
      dstPort: 5353,
      payloadOffset: 62,
      payloadLen: 45,
    });
  });

  test('ARP, tagged and not, is no IP', () => {
    expect(parse(arpReply())).toMatchObject({ etherType: 0x0806, l3Kind: 0, l3Offset: 14 });
    expect(parse(arpReply())).toMatchObject({ payloadOffset: 14, payloadLen: 46, l4Offset: 0 });
    expect(parse(qinqArp())).toMatchObject({ outerTpid: 0x88a8, outerTci: 200, innerTci: 2001 });
    expect(parse(qinqArp())).toMatchObject({ etherType: 0x0806, l3Kind: 0, l3Offset: 22 });
  });

  test('a routing header, then nothing', () => {
    expect(parse(segmentRouting())).toMatchObject({
      l3Kind: 6,
      l3HeaderLen: 88,
      l4Proto: 59,
      l4Offset: 102,
      l4Malformed: false,
      payloadOffset: 102,
      payloadLen: 0,
      routingPending: false,
    });
  });
});

describe('Ethernet and tags', () => {
  test('a runt and a frame that ends within a tag are malformed', () => {
    expect(parse(hex('00'.repeat(13)))).toMatchObject({ l2Malformed: true, l2Len: 0 });
    const tagged = hex('020000000001 020000000002 8100 0005 0800');
    for (const len of [14, 15, 17]) {
      expect(parse(tagged, len)).toMatchObject({ l2Malformed: true, etherType: 0, l3Kind: 0 });
    }
    expect(parse(tagged)).toMatchObject({ l2Malformed: false, l3Kind: 4, l3Malformed: true });
  });

  test('any number of tags is passed; the two outermost are kept', () => {
    const tags = [1, 2, 3, 4, 5].map((vid) => ({ vid, tpid: vid === 1 ? 0x88a8 : 0x8100 }));
    expect(parse(frame(v4(udp), tags))).toMatchObject({
      vlanCount: 5,
      l2Len: 34,
      outerTpid: 0x88a8,
      outerTci: 1,
      innerTpid: 0x8100,
      innerTci: 2,
      l3Kind: 4,
      dstPort: 2222,
    });
  });

  test('nothing of the last frame is left in the next', () => {
    const out = new ParsedFrame();
    const used = frame(v6(udp), [{ vid: 1 }, { vid: 2 }]);
    parseFrame(used, 0, used.byteLength, out);
    parseFrame(used, 0, 0, out);
    const fresh = new ParsedFrame();
    fresh.l2Malformed = true;
    expect(out).toEqual(fresh);
  });

  test('offsets count from the frame, wherever it lies', () => {
    const bytes = new Uint8Array(tcpSyn().buffer);
    const shifted = exactView(Uint8Array.from([...new Uint8Array(7), ...bytes]));
    const out = new ParsedFrame();
    parseFrame(shifted, 7, bytes.length, out);
    expect(out).toEqual(parse(tcpSyn()));
  });
});

describe('IPv4', () => {
  test('bytes after the total length are padding, not payload', () => {
    expect(parse(frame(v4(udp)))).toMatchObject({ lenBytes: 60, payloadOffset: 42, payloadLen: 5 });
  });

  test('options push the transport header back', () => {
    const net = { ...v4(udp), options: new Uint8Array(8).fill(1) };
    expect(parse(frame(net))).toMatchObject({ l3HeaderLen: 28, l4Offset: 42, dstPort: 2222 });
  });

  const broken: [string, (view: DataView) => void][] = [
    ['another version', (v): void => v.setUint8(14, 0x65)],
    ['a header below 20 bytes', (v): void => v.setUint8(14, 0x44)],
    ['a header longer than the packet', (v): void => v.setUint16(16, 19)],
    ['more bytes than the frame has', (v): void => v.setUint16(16, v.byteLength - 13)],
  ];
  test.each(broken)('%s: malformed, and nothing of the transport is told', (_what, breakIt) => {
    const view = frame(v4(udp));
    breakIt(view);
    expect(parse(view)).toMatchObject({
      l3Kind: 4,
      l3Malformed: true,
      l4Proto: 0,
      l4Offset: 0,
      srcPort: 0,
      payloadLen: 0,
    });
  });

  test('the first fragment has its ports; a later one is all data', () => {
    const first = { ...v4({ ...udp, payload: 24 }), moreFragments: true };
    const view = frame(first);
    view.setUint16(38, 8 + 100); // the length of the whole datagram, as a real first fragment has
    expect(parse(view)).toMatchObject({ frag: FRAG_FIRST, dstPort: 2222, l4Malformed: false });
    expect(parse(view)).toMatchObject({ l4Len: 32, payloadLen: 24 });
    const later = { ...v4({ kind: 'bytes', proto: 17, payload: 16 }), fragOffsetBytes: 32 };
    expect(parse(frame(later))).toMatchObject({
      frag: FRAG_LATER,
      l4Proto: 17,
      l4Offset: 0,
      srcPort: 0,
      payloadOffset: 34,
      payloadLen: 16,
    });
  });
});

describe('IPv6', () => {
  test('a payload beyond the frame, or another version, is malformed', () => {
    for (const [at, value] of [
      [18, 0xff],
      [14, 0x45],
    ] as const) {
      const view = frame(v6(udp));
      view.setUint8(at, value);
      expect(parse(view)).toMatchObject({ l3Kind: 6, l3Malformed: true, l4Offset: 0 });
    }
  });

  test('extension headers push the transport header back', () => {
    const extensions = [
      { proto: 0, bytes: new Uint8Array(8) },
      { proto: 60, bytes: Uint8Array.of(0, 1, ...new Uint8Array(14)) },
    ];
    expect(parse(frame({ ...v6(tcp), extensions }))).toMatchObject({
      l3HeaderLen: 64,
      l4Proto: 6,
      l4Offset: 78,
      dstPort: 4444,
      payloadLen: 6,
    });
  });

  test('an extension header beyond the payload: the IP header stands, the rest is malformed', () => {
    const extensions = [{ proto: 60, bytes: Uint8Array.of(0, 9, 0, 0, 0, 0, 0, 0) }];
    expect(parse(frame({ ...v6(udp), extensions }))).toMatchObject({
      l3Malformed: false,
      l4Malformed: true,
      l4Offset: 0,
      srcPort: 0,
      payloadLen: 0,
    });
  });

  test('a routing header with stops left is told', () => {
    const extensions = [{ proto: 43, bytes: Uint8Array.of(0, 0, 4, 1, 0, 0, 0, 0) }];
    expect(parse(frame({ ...v6(udp), extensions }))).toMatchObject({ routingPending: true });
  });
});

describe('transport', () => {
  const cases: [string, BodySpec, (view: DataView) => void][] = [
    ['TCP below 20 bytes', { kind: 'bytes', proto: 6, payload: 19 }, (): void => {}],
    ['TCP data offset below 5', tcp, (v): void => v.setUint8(34 + 12, 0x40)],
    ['TCP header beyond the packet', tcp, (v): void => v.setUint8(34 + 12, 0x70)],
    ['UDP below 8 bytes', { kind: 'bytes', proto: 17, payload: 7 }, (): void => {}],
    ['UDP length below 8', udp, (v): void => v.setUint16(34 + 4, 7)],
    ['UDP length beyond the packet', udp, (v): void => v.setUint16(34 + 4, 14)],
    ['ICMP below 8 bytes', { kind: 'bytes', proto: 1, payload: 7 }, (): void => {}],
    ['IPv4 inside below 20 bytes', { kind: 'bytes', proto: 4, payload: 19 }, (): void => {}],
    ['IPv6 inside below 40 bytes', { kind: 'bytes', proto: 41, payload: 39 }, (): void => {}],
    ['inside another version', { kind: 'bytes', proto: 4, payload: 40 }, (): void => {}],
  ];
  test.each(cases)('%s: malformed, without ports or payload', (_what, body, breakIt) => {
    const view = frame(v4(body));
    breakIt(view);
    expect(parse(view)).toMatchObject({
      l3Malformed: false,
      l4Malformed: true,
      srcPort: 0,
      dstPort: 0,
      payloadLen: 0,
    });
  });

  test('UDP ends where its own length says', () => {
    const view = frame(v4(udp));
    view.setUint16(38, 8 + 3);
    expect(parse(view)).toMatchObject({ l4Len: 11, payloadLen: 3, l4Malformed: false });
  });

  test('an echo message is recognised by its own IP version only', () => {
    const echo = { kind: 'echo', payload: 9 } as const;
    expect(parse(frame(v4(echo)))).toMatchObject({ l4Proto: 1, payloadOffset: 42, payloadLen: 9 });
    expect(parse(frame(v6(echo)))).toMatchObject({ l4Proto: 58, payloadOffset: 62, payloadLen: 9 });
    const stray = { kind: 'bytes', proto: 58, payload: 9 } as const;
    expect(parse(frame(v4(stray)))).toMatchObject({ payloadOffset: 34, payloadLen: 9 });
  });

  test('an unknown protocol keeps its place: number, offset, all bytes as payload', () => {
    const sctp = { kind: 'bytes', proto: 132, payload: 30 } as const;
    expect(parse(frame(v4(sctp)))).toMatchObject({
      l4Proto: 132,
      l4Offset: 34,
      payloadOffset: 34,
      payloadLen: 30,
      l4Malformed: false,
    });
  });

  test.each([
    ['4in4', v4(v4(udp)), 34, 4],
    ['6in4', v4(v6(udp)), 34, 6],
    ['4in6', v6(v4(udp)), 54, 4],
    ['6in6', v6(v6(udp)), 54, 6],
  ] as const)(
    '%s: the inner header is found, not entered',
    (_kind, net, innerL3Offset, version) => {
      expect(parse(frame(net))).toMatchObject({
        innerL3Kind: version,
        innerL3Offset,
        l4Offset: innerL3Offset,
        srcPort: 0,
        dstPort: 0,
      });
    },
  );
});
