import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAG_FIRST, FRAG_LATER, FRAG_NONE, IPPROTO_ESP, IPPROTO_NONE } from '../../src/wire/ip.ts';
import {
  ipv6DstWord,
  ipv6FlowLabel,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLen,
  ipv6SrcWord,
  ipv6TrafficClass,
  ipv6Version,
  setIpv6Class,
  setIpv6DstWord,
  setIpv6HopLimit,
  setIpv6NextHeader,
  setIpv6PayloadLen,
  setIpv6SrcWord,
  writeIpv6,
} from '../../src/wire/ipv6.ts';
import { IPV6_EXT_MAX, Ipv6Chain, walkIpv6Ext } from '../../src/wire/ipv6Ext.ts';
import { formatIpv6 } from '../../src/wire/ipv6Text.ts';
import { exactView, hex, toHex } from './bytes.ts';
import { mdns6, segmentRouting } from './realFrames.ts';

const IP = 14;

function walk(first: number, ...lines: string[]): Ipv6Chain {
  const view = hex(...lines);
  const chain = new Ipv6Chain();
  walkIpv6Ext(view, 0, view.byteLength, first, chain);
  return chain;
}

describe('header', () => {
  test('the fields of a real header lie where RFC 8200 §3 puts them', () => {
    const view = mdns6();
    expect([ipv6Version(view, IP), ipv6TrafficClass(view, IP)]).toEqual([6, 0]);
    expect([ipv6FlowLabel(view, IP), ipv6PayloadLen(view, IP)]).toEqual([0x89071, 53]);
    expect([ipv6NextHeader(view, IP), ipv6HopLimit(view, IP)]).toEqual([17, 255]);
    expect(formatIpv6(view, IP + 8)).toBe('fd52:429e:c03c:8235:883c:d6ff:fee1:4dc4');
    expect(formatIpv6(view, IP + 24)).toBe('ff02::fb');
    expect([ipv6SrcWord(view, IP, 0), ipv6SrcWord(view, IP, 3)]).toEqual([0xfd52429e, 0xfee14dc4]);
    expect([ipv6DstWord(view, IP, 0), ipv6DstWord(view, IP, 3)]).toEqual([0xff020000, 0xfb]);
  });

  test('traffic class and flow label share a word with the version', () => {
    const view = segmentRouting();
    expect([ipv6TrafficClass(view, IP), ipv6FlowLabel(view, IP)]).toEqual([0x78, 0x9abcd]);
  });

  test('writers fill exactly their fields', () => {
    const view = hex('00'.repeat(40));
    writeIpv6(view, 0, 0xb8, 0x1234, 58, 0x41);
    setIpv6Class(view, 0, 0xff, 0xabcde);
    setIpv6PayloadLen(view, 0, 0xf234);
    setIpv6NextHeader(view, 0, 0xfa);
    setIpv6HopLimit(view, 0, 0xe1);
    setIpv6SrcWord(view, 0, 1, 0x81828384);
    setIpv6DstWord(view, 0, 2, 0x91929394);
    const src = '00000000818283840000000000000000';
    const dst = '00000000000000009192939400000000';
    expect(toHex(view)).toBe('6ffabcdef234fae1' + src + dst);
  });
});

describe('extension headers', () => {
  test('§4: every kind is passed by its own length', () => {
    const chain = walk(
      0,
      '3c 00 0104 00000000', // hop-by-hop, 8 bytes
      '2b 01 0104 00000000 0000000000000000', // destination options, 16
      '2c 02 0400 00000000 20010db8000000000000000000000001', // routing, 24
      '33 00 0000 00000000', // fragment that is whole, 8
      '87 04 0000 00000000 00000000 000000000000000000000000', // AH, (4 + 2) words
      '06 01 0000 0000 0000 0000000000000000', // mobility, 16
      'aabb',
    );
    expect(chain).toMatchObject({
      proto: 6,
      lenBytes: 8 + 16 + 24 + 8 + 24 + 16,
      malformed: false,
    });
  });

  test('§4.4: a routing header tells how many stops are left', () => {
    expect(walk(43, '11 00 0403 00000000').segmentsLeft).toBe(3);
  });

  test('§4.5: the first fragment keeps its upper layer, a later one has none', () => {
    expect(walk(44, '11 00 0001 00000001 aaaa')).toMatchObject({ proto: 17, frag: FRAG_FIRST });
    expect(walk(44, '3c 00 05a9 00000001 aaaa')).toMatchObject({
      proto: 60,
      lenBytes: 8,
      frag: FRAG_LATER,
      malformed: false,
    });
  });

  test('RFC 6946: a fragment that is the whole packet is no fragment', () => {
    expect(walk(44, '11 00 0000 00000001')).toMatchObject({ proto: 17, frag: FRAG_NONE });
  });

  test('§4.3: hop-by-hop counts only in the first place', () => {
    expect(walk(60, '00 00 0104 00000000', '11 00 0104 00000000')).toMatchObject({
      proto: 0,
      lenBytes: 8,
      malformed: false,
    });
  });

  test.each([
    ['nothing there', '', 0],
    ['one byte short', '11 00 0104 000000', 0],
    ['a length beyond the payload', '11 01 0104 00000000', 0],
    ['the second header missing', '2b 00 0104 00000000 1100', 8],
  ])('a header outside the payload is malformed: %s', (_what, bytes, lenBytes) => {
    expect(walk(60, bytes)).toMatchObject({ malformed: true, lenBytes });
  });

  test.each([IPPROTO_ESP, IPPROTO_NONE, 6, 17, 58])('%i ends the chain', (proto) => {
    const next = proto.toString(16).padStart(2, '0');
    expect(walk(60, next, '00 0104 00000000', '0000')).toMatchObject({ proto, lenBytes: 8 });
    expect(walk(proto, '0000')).toMatchObject({ proto, lenBytes: 0, malformed: false });
  });

  test('the walk gives up at the ninth header', () => {
    const chain = walk(60, '3c 00 0104 00000000'.repeat(40));
    expect(chain).toMatchObject({ proto: 60, lenBytes: IPV6_EXT_MAX * 8, malformed: false });
  });

  test('whatever the bytes, the walk ends within them', () => {
    const first = fc.constantFrom(0, 43, 44, 51, 60, 135);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), first, (bytes, proto) => {
        const chain = new Ipv6Chain();
        walkIpv6Ext(exactView(bytes), 0, bytes.length, proto, chain);
        expect(chain.lenBytes).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
