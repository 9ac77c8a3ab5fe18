import { describe, expect, test } from 'vitest';
import { AddressError } from '../../src/wire/addressError.ts';
import {
  formatIpv4,
  IP_DF,
  IP_MF,
  ipv4Check,
  ipv4CheckOk,
  ipv4DontFragment,
  ipv4Dst,
  ipv4FragOffset,
  ipv4FragWord,
  ipv4HeaderLen,
  ipv4Id,
  ipv4IsFragment,
  ipv4MoreFragments,
  ipv4Proto,
  ipv4Src,
  ipv4Tos,
  ipv4TotalLen,
  ipv4Ttl,
  ipv4Version,
  parseIpv4Addr,
  setIpv4Check,
  setIpv4Dst,
  setIpv4FragWord,
  setIpv4HeaderLen,
  setIpv4Id,
  setIpv4Proto,
  setIpv4Src,
  setIpv4Tos,
  setIpv4TotalLen,
  setIpv4Ttl,
  updateIpv4Check,
  writeIpv4,
} from '../../src/wire/ipv4.ts';
import { findOption, optionKind, optionNext } from '../../src/wire/options.ts';
import { hex, toHex } from './bytes.ts';
import { tcpSyn } from './realFrames.ts';

const IP = 14;

describe('header', () => {
  test('the fields of a real header lie where RFC 791 puts them', () => {
    const view = tcpSyn();
    expect([ipv4Version(view, IP), ipv4HeaderLen(view, IP), ipv4Tos(view, IP)]).toEqual([4, 20, 0]);
    expect([ipv4TotalLen(view, IP), ipv4Id(view, IP), ipv4Ttl(view, IP)]).toEqual([60, 0x9b28, 64]);
    expect([ipv4Proto(view, IP), ipv4Check(view, IP)]).toEqual([6, 0x1376]);
    expect(formatIpv4(ipv4Src(view, IP))).toBe('192.168.1.11');
    expect(formatIpv4(ipv4Dst(view, IP))).toBe('209.87.249.18');
    expect([ipv4DontFragment(view, IP), ipv4IsFragment(view, IP)]).toEqual([true, false]);
  });

  test('RFC 791 appendix A: example 1 as bytes', () => {
    const view = hex('45 00 0015 006f 0000 7b 01 0000 c0000201 c0000202 ee');
    expect([ipv4HeaderLen(view, 0), ipv4TotalLen(view, 0), ipv4Id(view, 0)]).toEqual([20, 21, 111]);
    expect([ipv4FragOffset(view, 0), ipv4Ttl(view, 0), ipv4Proto(view, 0)]).toEqual([0, 123, 1]);
  });

  test('RFC 791 appendix A: example 2, the fragments of one datagram', () => {
    const first = hex('45 00 0118 006f 2000 77 06 0000 c0000201 c0000202');
    const second = hex('45 00 00d8 006f 0020 77 06 0000 c0000201 c0000202');
    expect([ipv4MoreFragments(first, 0), ipv4FragOffset(first, 0)]).toEqual([true, 0]);
    expect([ipv4MoreFragments(second, 0), ipv4FragOffset(second, 0)]).toEqual([false, 32 * 8]);
    expect([ipv4IsFragment(first, 0), ipv4IsFragment(second, 0)]).toEqual([true, true]);
  });

  test('each writer fills exactly its field', () => {
    const view = hex('00'.repeat(20));
    setIpv4HeaderLen(view, 0, 24);
    setIpv4Tos(view, 0, 0xb8);
    setIpv4TotalLen(view, 0, 0x1234);
    setIpv4Id(view, 0, 0x5678);
    setIpv4FragWord(view, 0, IP_DF | IP_MF | 0x0123);
    setIpv4Ttl(view, 0, 0x9a);
    setIpv4Proto(view, 0, 0xbc);
    setIpv4Check(view, 0, 0xdef0);
    setIpv4Src(view, 0, 0xc0000201);
    setIpv4Dst(view, 0, 0xfedcba98);
    expect(toHex(view)).toBe('46b81234567861239abcdef0c0000201fedcba98');
    expect([ipv4FragWord(view, 0), ipv4FragOffset(view, 0)]).toEqual([0x6123, 0x123 * 8]);
  });

  test('a header written afresh equals the real one', () => {
    const view = hex('ee'.repeat(20));
    writeIpv4(view, 0, 0, 60, 0x9b28, IP_DF, 64, 6, 0xc0a8010b, 0xd157f912);
    expect(toHex(view)).toBe(toHex(tcpSyn()).slice(2 * IP, 2 * (IP + 20)));
  });

  test('the checksum covers the options too', () => {
    const view = hex('46 00 0018 0000 0000 40 01 0000 c0000201 c0000202 94040000');
    updateIpv4Check(view, 0);
    expect(ipv4CheckOk(view, 0)).toBe(true);
    view.setUint8(21, 5);
    expect(ipv4CheckOk(view, 0)).toBe(false);
  });
});

describe('options', () => {
  test('a walk sees every option and ends at the end', () => {
    const view = hex('01 94040000 830704c0000201 00 ff');
    const kinds = [];
    let at = 0;
    for (; at >= 0 && at < 14; at = optionNext(view, at, 14)) kinds.push(optionKind(view, at));
    expect(kinds).toEqual([1, 0x94, 0x83, 0]);
    expect(at).toBe(14);
    expect(findOption(view, 0, 14, 0x83)).toBe(5);
    expect(findOption(view, 0, 14, 0xff)).toBe(-1);
  });

  test.each(['83', '8300', '8301', '8303', '0183ff'])(
    'a broken length ends the walk: %s',
    (bytes) => {
      const view = hex(bytes);
      expect(findOption(view, 0, view.byteLength, 0x83)).toBe(-1);
    },
  );
});

describe('addresses as text', () => {
  test.each([
    ['0.0.0.0', 0],
    ['192.0.2.1', 0xc0000201],
    ['255.255.255.255', 0xffff_ffff],
  ])('%s is %i, and back', (text, addr) => {
    expect(parseIpv4Addr(text)).toBe(addr);
    expect(formatIpv4(addr)).toBe(text);
  });

  test.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.x', ' 1.2.3.4', '1..2.3'])(
    '%j is refused, and the message shows it',
    (text) => {
      expect(() => parseIpv4Addr(text)).toThrow(AddressError);
      expect(() => parseIpv4Addr(text)).toThrow(JSON.stringify(text));
    },
  );
});
