import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressError } from '../../src/wire/addressError.ts';
import { formatIpv6, parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { exactView } from './bytes.ts';

const canonical = (text: string): string => formatIpv6(exactView(parseIpv6Addr(text)), 0);

describe('RFC 5952', () => {
  test.each([
    ['§4.1 leading zeros go', '2001:0db8::0001', '2001:db8::1'],
    ['§4.2.1 shorten as much as possible', '2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['§4.2.2 one group is not shortened', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['§4.2.3 the longest run', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['§4.2.3 the first of equal runs', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['§4.3 lower case', '2001:DB8::ABCD', '2001:db8::abcd'],
    ['§5 an IPv4-mapped address', '::FFFF:c000:201', '::ffff:192.0.2.1'],
    ['all zeros', '0:0:0:0:0:0:0:0', '::'],
    ['zeros at the end', 'fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['zeros at the start', '0:0:0:0:0:0:0:1', '::1'],
  ])('%s', (_rule, written, text) => {
    expect(canonical(written)).toBe(text);
  });

  test('any address survives being written and read', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff]));
        expect(parseIpv6Addr(formatIpv6(exactView(bytes), 0))).toEqual(bytes);
      }),
    );
  });
});

describe('RFC 4291 §2.2', () => {
  test('the text may end in a dotted IPv4 address', () => {
    const bytes = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33];
    expect([...parseIpv6Addr('64:ff9b::192.0.2.33')]).toEqual(bytes);
  });

  test.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    ':1::',
    '1:',
    '::1.2.3',
    '1.2.3.4::',
    'fe80::1%eth0',
  ])('%j is refused, and the message shows it', (text) => {
    expect(() => parseIpv6Addr(text)).toThrow(AddressError);
    expect(() => parseIpv6Addr(text)).toThrow(JSON.stringify(text));
  });
});
