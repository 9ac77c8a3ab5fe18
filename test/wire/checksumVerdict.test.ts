import { describe, expect, test } from 'vitest';
import { buildFrame, type FrameSpec } from '../../src/wire/build.ts';
import { parseMac } from '../../src/wire/eth.ts';
import { updateIpv4Check } from '../../src/wire/ipv4.ts';
import { parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { checksumVerdict, ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { exactView } from './bytes.ts';
import { badTcp4, badTcp6, mdns6, qinqUdp, tcpSyn } from './realFrames.ts';

const word = (checked: boolean, ok: boolean): string => (checked ? (ok ? 'good' : 'bad') : '-');

/** `ip` and `l4` as `good`, `bad` or `-` for not checked. */
function verdict(view: DataView): string {
  const out = new ParsedFrame();
  parseFrame(view, 0, view.byteLength, out);
  checksumVerdict(view, 0, out);
  return `${word(out.ipCsumChecked, out.ipCsumOk)} ${word(out.l4CsumChecked, out.l4CsumOk)}`;
}

const ends = { dst: parseMac('02:00:00:00:00:01'), src: parseMac('02:00:00:00:00:02') };
const frame = (net: FrameSpec['net']): DataView => exactView(buildFrame({ ...ends, net }));
const udp = { kind: 'udp', srcPort: 1111, dstPort: 2222, payload: 5 } as const;
const v4 = { kind: 'ipv4', src: 0x0a000002, dst: 0x0a000001, body: udp } as const;
const v6 = {
  kind: 'ipv6',
  src: parseIpv6Addr('2001:db8::2'),
  dst: parseIpv6Addr('2001:db8::1'),
  body: udp,
} as const;

test('real frames with right checksums are good', () => {
  expect([tcpSyn(), qinqUdp(), mdns6()].map(verdict)).toEqual(['good good', 'good good', '- good']);
});

test('real frames made with a wrong TCP checksum are bad there only', () => {
  expect([badTcp4(), badTcp6()].map(verdict)).toEqual(['good bad', '- bad']);
});

test('every single flipped bit of header or data shows in the sum that covers it', () => {
  for (let bit = 34 * 8; bit < 74 * 8; bit++) {
    if (bit >= 46 * 8 && bit < 46 * 8 + 4) continue; // the data offset decides what is summed at all
    const view = tcpSyn();
    view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (7 - (bit & 7))));
    expect(verdict(view)).toBe('good bad');
  }
});

test('padding takes no part in any sum', () => {
  const view = frame(v4);
  view.setUint8(59, 0xff);
  expect(verdict(view)).toBe('good good');
});

test('an IPv4 header sum says nothing about the transport, nor the other way round', () => {
  const view = tcpSyn();
  view.setUint16(24, 0x1377);
  expect(verdict(view)).toBe('bad good');
});

describe('what is not checked', () => {
  test('RFC 768: a UDP checksum of 0 over IPv4', () => {
    expect(verdict(frame({ ...v4, body: { ...udp, noChecksum: true } }))).toBe('good -');
  });

  test('RFC 8200 §8.1: over IPv6 that 0 is wrong', () => {
    expect(verdict(frame({ ...v6, body: { ...udp, noChecksum: true } }))).toBe('- bad');
  });

  test('fragments, first and later', () => {
    expect(verdict(frame({ ...v4, moreFragments: true }))).toBe('good -');
    const later = { kind: 'bytes', proto: 17, payload: 16 } as const;
    expect(verdict(frame({ ...v4, body: later, fragOffsetBytes: 8 }))).toBe('good -');
  });

  test('packets that claim more bytes than there are, and broken transport headers', () => {
    const long = frame(v4);
    long.setUint16(16, 47);
    updateIpv4Check(long, 14);
    expect(verdict(long)).toBe('- -');
    const broken = frame(v4);
    broken.setUint16(38, 7);
    expect(verdict(broken)).toBe('good -');
  });

  test('protocols other than TCP and UDP, tunnels included', () => {
    expect(verdict(frame({ ...v4, body: { kind: 'echo' } }))).toBe('good -');
    expect(verdict(frame({ ...v4, body: v4 }))).toBe('good -');
    expect(verdict(frame({ kind: 'raw', etherType: 0x88b5, payload: 50 }))).toBe('- -');
  });

  test('RFC 8200 §8.1: a packet that has stops left on its route', () => {
    for (const [left, words] of [
      [0, '- good'],
      [1, '- -'],
    ] as const) {
      const extensions = [{ proto: 43, bytes: Uint8Array.of(0, 0, 4, left, 0, 0, 0, 0) }];
      expect(verdict(frame({ ...v6, extensions }))).toBe(words);
    }
  });

  test.each([131, 137])('RFC 791 §3.1: source route option %i until it is used up', (kind) => {
    const route = (pointer: number): Uint8Array => Uint8Array.of(kind, 7, pointer, 192, 0, 2, 9, 0);
    expect(verdict(frame({ ...v4, options: route(4) }))).toBe('good -');
    expect(verdict(frame({ ...v4, options: route(8) }))).toBe('good good');
    const withoutPointer = Uint8Array.of(kind, 2, 1, 1);
    expect(verdict(frame({ ...v4, options: withoutPointer }))).toBe('good good');
  });
});
