import { describe, expect, test } from 'vitest';
import {
  ICMP_ECHO,
  icmpCheck,
  icmpCode,
  icmpEchoId,
  icmpEchoSeq,
  icmpSum,
  icmpType,
  ICMPV6_ECHO_REQUEST,
  icmpv6Sum,
  setIcmpCheck,
  setIcmpCode,
  setIcmpEchoId,
  setIcmpEchoSeq,
  setIcmpType,
} from '../../src/wire/icmp.ts';
import { hex, toHex } from './bytes.ts';

/** The smallest echo request there is; 8 << 8 and its complement are easily summed by hand. */
const echo = (): DataView => hex('08 00 f7fd 0001 0001');

// ICMPv6 echo: 8000 + 0001 + 0001 + addresses 2001 + 0db8 + 0001, twice but 0002, + length 8 + protocol 58
const echo6 = (): DataView =>
  hex(
    '60000000 0008 3a 40 20010db8000000000000000000000001 20010db8000000000000000000000002',
    '80 00 2446 0001 0001',
  );

describe('RFC 792', () => {
  test('an echo request holds type, code, checksum, identifier, sequence number', () => {
    const view = echo();
    expect([icmpType(view, 0), icmpCode(view, 0), icmpCheck(view, 0)]).toEqual([
      ICMP_ECHO,
      0,
      0xf7fd,
    ]);
    expect([icmpEchoId(view, 0), icmpEchoSeq(view, 0)]).toEqual([1, 1]);
  });

  test('the checksum covers the message alone', () => {
    const view = echo();
    expect(icmpSum(view, 0, 8)).toBe(0);
    setIcmpEchoSeq(view, 0, 2);
    expect(icmpSum(view, 0, 8)).not.toBe(0);
  });

  test('writers fill exactly their fields', () => {
    const view = hex('ee'.repeat(10));
    setIcmpType(view, 1, 0x81);
    setIcmpCode(view, 1, 2);
    setIcmpCheck(view, 1, 0xf304);
    setIcmpEchoId(view, 1, 0xf506);
    setIcmpEchoSeq(view, 1, 0xf708);
    expect(toHex(view)).toBe('ee8102f304f506f708ee');
  });
});

describe('RFC 4443', () => {
  test('§2.3: the checksum covers the pseudo-header', () => {
    const view = echo6();
    expect(icmpType(view, 40)).toBe(ICMPV6_ECHO_REQUEST);
    expect(icmpv6Sum(view, 0, 40, 8)).toBe(0);
    view.setUint8(8, 0x21);
    expect(icmpv6Sum(view, 0, 40, 8)).not.toBe(0);
  });
});
