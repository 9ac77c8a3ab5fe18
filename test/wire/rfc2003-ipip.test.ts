import { describe, expect, test } from 'vitest';
import { buildIpv4, buildIpv6 } from '../../src/wire/buildIp.ts';
import {
  ipipInnerVersion,
  ipPacketLen,
  writeIpipOuter4,
  writeIpipOuter6,
} from '../../src/wire/ipip.ts';
import {
  ipv4CheckOk,
  ipv4DontFragment,
  ipv4Dst,
  ipv4Id,
  ipv4Proto,
  ipv4Src,
  ipv4Tos,
  ipv4TotalLen,
  ipv4Ttl,
} from '../../src/wire/ipv4.ts';
import {
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLen,
  ipv6TrafficClass,
} from '../../src/wire/ipv6.ts';
import { parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { toHex } from './bytes.ts';

const udp = { kind: 'udp', srcPort: 1, dstPort: 2, payload: 4 } as const;
const inner4 = (dontFragment: boolean): Uint8Array =>
  buildIpv4(
    { kind: 'ipv4', src: 0x0a000001, dst: 0x0a000002, tos: 0xb9, dontFragment, body: udp },
    undefined,
  );
const inner6 = (): Uint8Array =>
  buildIpv6(
    {
      kind: 'ipv6',
      src: parseIpv6Addr('2001:db8::1'),
      dst: parseIpv6Addr('2001:db8::2'),
      trafficClass: 0x2e,
      body: udp,
    },
    undefined,
  );

/** A packet with dirty room for an outer header in front. */
function behindRoom(room: number, inner: Uint8Array): DataView {
  const bytes = new Uint8Array(room + inner.length).fill(0xee);
  bytes.set(inner, room);
  return new DataView(bytes.buffer);
}

test('protocol 4 announces IPv4, 41 IPv6, others no tunnel', () => {
  expect([4, 41, 17, 47].map(ipipInnerVersion)).toEqual([4, 6, 0, 0]);
});

describe('an outer IPv4 header', () => {
  test('RFC 2003 §3.1: length, protocol, addresses and checksum are those of the outer packet', () => {
    const inner = inner4(false);
    const view = behindRoom(20, inner);
    writeIpipOuter4(view, 0, 0x1234, 33, 0xc0000201, 0xc0000202);
    expect([ipv4TotalLen(view, 0), ipv4Proto(view, 0)]).toEqual([20 + 20 + 8 + 4, 4]);
    expect([ipv4Id(view, 0), ipv4Ttl(view, 0)]).toEqual([0x1234, 33]);
    expect([ipv4Src(view, 0), ipv4Dst(view, 0)]).toEqual([0xc0000201, 0xc0000202]);
    expect(ipv4CheckOk(view, 0)).toBe(true);
    expect(toHex(new DataView(view.buffer, 20))).toBe(toHex(new DataView(inner.buffer)));
  });

  test('RFC 2003 §3.1: the type of service is copied, DF too', () => {
    for (const dontFragment of [false, true]) {
      const view = behindRoom(20, inner4(dontFragment));
      writeIpipOuter4(view, 0, 1, 64, 1, 2);
      expect(ipv4Tos(view, 0)).toBe(0xb9);
      expect(ipv4DontFragment(view, 0)).toBe(dontFragment);
    }
  });

  test('RFC 4213 §3: IPv6 inside is protocol 41', () => {
    const view = behindRoom(20, inner6());
    writeIpipOuter4(view, 0, 1, 64, 1, 2);
    expect([ipv4TotalLen(view, 0), ipv4Proto(view, 0)]).toEqual([20 + 40 + 8 + 4, 41]);
    expect([ipv4Tos(view, 0), ipv4DontFragment(view, 0), ipv4CheckOk(view, 0)]).toEqual([
      0x2e,
      true,
      true,
    ]);
  });
});

describe('an outer IPv6 header', () => {
  test.each([
    ['IPv4', inner4(true), 4, 20 + 8 + 4, 0xb9],
    ['IPv6', inner6(), 41, 40 + 8 + 4, 0x2e],
  ])('RFC 2473: %s inside', (_kind, inner, proto, len, trafficClass) => {
    const view = behindRoom(40, inner);
    writeIpipOuter6(view, 0, 9);
    expect([ipv6NextHeader(view, 0), ipv6PayloadLen(view, 0)]).toEqual([proto, len]);
    expect([ipv6TrafficClass(view, 0), ipv6HopLimit(view, 0)]).toEqual([trafficClass, 9]);
    expect(ipPacketLen(view, 0)).toBe(40 + len);
    expect(toHex(new DataView(view.buffer, 8, 32))).toBe('ee'.repeat(32));
  });
});
