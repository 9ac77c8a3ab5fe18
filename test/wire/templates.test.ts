import { expect, test } from 'vitest';
import { icmpSum } from '../../src/wire/icmp.ts';
import { ipv4Src } from '../../src/wire/ipv4.ts';
import { checksumVerdict, ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { FrameStamp, headersLen } from '../../src/wire/templates.ts';
import {
  parseTraffic,
  TRAFFIC_PROTOS,
  type TrafficProto,
  type TrafficSpec,
} from '../../src/wire/trafficSpec.ts';
import { udpCheck } from '../../src/wire/udp.ts';

const UDP = 17;
const TCP = 6;
const ICMP = 1;
const L4: Readonly<Record<TrafficProto, number>> = {
  udp: UDP,
  udp6: UDP,
  tcp: TCP,
  tcp6: TCP,
  icmp: ICMP,
  arp: 0,
};

const FLOWS = [0, 1, 2, 255, 256, 16_383, 16_384, 65_535, 65_536, 1_000_000, 2 ** 20 - 1];

function judged(bytes: Uint8Array): { view: DataView; frame: ParsedFrame } {
  const view = new DataView(bytes.slice().buffer);
  const frame = new ParsedFrame();
  parseFrame(view, 0, bytes.length, frame);
  checksumVerdict(view, 0, frame);
  return { view, frame };
}

const hexOf = (frame: Uint8Array, from: number, to: number): string =>
  Buffer.from(frame.subarray(from, to)).toString('hex');

for (const tags of ['', 'vlan=100', 'vlan=100.200']) {
  const spec: TrafficSpec = parseTraffic(tags === '' ? '' : `udp ${tags}`);
  test.each(TRAFFIC_PROTOS)(`every flow of %s is whole, its checksums right ${tags}`, (proto) => {
    for (const lenBytes of [Math.max(60, headersLen(proto, spec.vlan.length)), 101, 590, 1514]) {
      const stamp = new FrameStamp(proto, lenBytes, spec);
      for (const flow of FLOWS) {
        const { view, frame } = judged(stamp.frameOf(flow));
        expect(frame.lenBytes).toBe(lenBytes);
        expect([frame.l2Malformed, frame.l3Malformed, frame.l4Malformed]).toEqual([
          false,
          false,
          false,
        ]);
        expect(frame.vlanCount).toBe(spec.vlan.length);
        expect(frame.l4Proto).toBe(L4[proto]);
        expect(frame.ipCsumOk).toBe(frame.l3Kind === 4);
        expect(frame.l4CsumOk).toBe(proto !== 'icmp' && proto !== 'arp');
        if (proto === 'icmp') expect(icmpSum(view, frame.l4Offset, frame.l4Len)).toBe(0);
        if (proto === 'arp') expect(frame.etherType).toBe(0x0806);
      }
    }
  });
}

test('flows differ in source address and port, and go to one place', () => {
  const stamp = new FrameStamp('udp', 60, parseTraffic(''));
  const seen = new Set<string>();
  const wrong: number[] = [];
  for (let flow = 0; flow < 100_000; flow++) {
    const { view, frame } = judged(stamp.frameOf(flow));
    const src = ipv4Src(view, frame.l3Offset);
    seen.add(`${src} ${frame.srcPort}`);
    // A sum of zero must go out as ffff: zero would say that there is no checksum.
    const isSummed = udpCheck(view, frame.l4Offset) !== 0 && frame.l4CsumOk;
    if (!isSummed || src !== 0x0a01_0000 + flow) wrong.push(flow);
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBe(100_000);
});

test('frames go to 02:00:00:00:00:01 and 10.0.0.1, from 10.1.0.0 on; ARP goes to everyone', () => {
  const udp = new FrameStamp('udp', 60, parseTraffic('')).frameOf(3);
  expect(hexOf(udp, 0, 12)).toBe('0200000000010200000000fe');
  expect(hexOf(udp, 26, 38)).toBe('0a0100030a000001c0030009');
  const arp = new FrameStamp('arp', 60, parseTraffic('')).frameOf(3);
  expect(hexOf(arp, 0, 42)).toBe(
    'ffffffffffff' +
      '0200000000fe' +
      '0806' + // Ethernet
      '0001' +
      '0800' +
      '0604' +
      '0001' + // request, Ethernet and IPv4
      '0200000000fe' +
      '0a010003' +
      '000000000000' +
      '0a000001',
  );
});

test('IPv6 flows come from fd00:0:0:1:: on and go to fd00::1', () => {
  const tcp = new FrameStamp('tcp6', 74, parseTraffic('')).frameOf(0x12345);
  expect(hexOf(tcp, 22, 54)).toBe(
    'fd000000000000010000000000012345fd000000000000000000000000000001',
  );
});

test('two tags are 802.1ad outside and 802.1Q inside', () => {
  const frame = new FrameStamp('udp', 68, parseTraffic('udp vlan=100.200')).frameOf(0);
  expect(hexOf(frame, 12, 22)).toBe('88a80064810000c80800');
  const single = new FrameStamp('udp', 64, parseTraffic('udp vlan=4094')).frameOf(0);
  expect(hexOf(single, 12, 18)).toBe('81000ffe0800');
});
