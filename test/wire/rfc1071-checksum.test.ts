import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  csumFold,
  csumFrom32to16,
  csumIpv6Nofold,
  csumPartial,
  csumTcpudpNofold,
  csumUdp,
} from '../../src/wire/checksum.ts';
import { exactView, hex } from './bytes.ts';

/** The sum by the definition, in arithmetic that cannot overflow. */
function sumByDefinition(bytes: Uint8Array): number {
  let sum = 0n;
  bytes.forEach((byte, i) => (sum += BigInt(byte) << (i % 2 === 0 ? 8n : 0n)));
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(sum);
}

const onesSum = (view: DataView): number =>
  csumFrom32to16(csumPartial(view, 0, view.byteLength, 0));

describe('RFC 1071', () => {
  test('§3: the worked example sums to ddf2', () => {
    expect(onesSum(hex('0001 f203 f4f5 f6f7'))).toBe(0xddf2);
  });

  test('§3: the checksum is the complement of the sum', () => {
    expect(csumFold(csumPartial(hex('0001 f203 f4f5 f6f7'), 0, 8, 0))).toBe(0x220d);
  });

  test('§1 (2): data with its own checksum in it folds to 0', () => {
    expect(csumFold(csumPartial(hex('0001 f203 f4f5 f6f7 220d'), 0, 10, 0))).toBe(0);
  });

  test('§4.1: an odd last byte counts as the high half of a word', () => {
    expect(onesSum(hex('0001 f2'))).toBe(0xf201);
  });

  test('§2 (A): blocks may be summed one after the other', () => {
    const bytes = hex('0001 f203 f4f5 f6f7 0102 03');
    for (const cut of [0, 2, 4, 6, 8, 10]) {
      const first = csumPartial(bytes, 0, cut, 0);
      expect(csumFold(csumPartial(bytes, cut, 11 - cut, first))).toBe(
        csumFold(csumPartial(bytes, 0, 11, 0)),
      );
    }
  });

  test('§2 (B): a carry out of the fold is folded in again', () => {
    expect(csumFrom32to16(0xffff_ffff)).toBe(0xffff);
    expect(csumFrom32to16(0x0001_ffff)).toBe(0x0001);
    expect(csumFrom32to16(0xffff_0001)).toBe(0x0001);
  });

  test('any bytes at any address sum as the definition says', () => {
    const start = fc.nat({ max: 7 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), start, (bytes, at) => {
        const view = exactView(Uint8Array.from([...new Uint8Array(at).fill(0xaa), ...bytes]));
        const sum = csumPartial(view, at, bytes.length, 0);
        expect(csumFrom32to16(sum)).toBe(sumByDefinition(bytes));
      }),
    );
  });

  test('the longest sums stay exact: ones throughout, past every block limit', () => {
    for (const len of [0x7fff, 0x8000, 0x8001, 65_535, 262_144]) {
      const bytes = new Uint8Array(len).fill(0xff);
      const sum = csumPartial(exactView(bytes), 0, len, 0xffff_ffff);
      expect(sum).toBeLessThan(2 ** 32);
      expect(csumFrom32to16(sum)).toBe(sumByDefinition(bytes));
    }
  });
});

describe('pseudo-headers', () => {
  test('RFC 768: addresses, protocol and length take part', () => {
    const pseudo = hex('c0a8010b d157f912 00 06 0028');
    const sum = csumTcpudpNofold(0xc0a8010b, 0xd157f912, 0x28, 6, 0);
    expect(csumFold(sum)).toBe(csumFold(csumPartial(pseudo, 0, 12, 0)));
  });

  test('RFC 8200 §8.1: a 32-bit length and the next header take part', () => {
    const addrs = 'fd52429ec03c8235883cd6fffee14dc4 ff0200000000000000000000000000fb';
    const pseudo = hex(addrs, '00012345 000000 11');
    const sum = csumIpv6Nofold(pseudo, 0, 0x12345, 17, 0);
    expect(csumFold(sum)).toBe(csumFold(csumPartial(pseudo, 0, 40, 0)));
  });

  test('RFC 768: a computed 0 is sent as all ones', () => {
    expect(csumUdp(0xffff)).toBe(0xffff);
    expect(csumUdp(0xfffe)).toBe(1);
  });
});
