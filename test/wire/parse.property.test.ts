import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildFrame, type FrameSpec } from '../../src/wire/build.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import { parseMac } from '../../src/wire/eth.ts';
import { checksumVerdict, ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { exactView } from './bytes.ts';
import * as real from './realFrames.ts';

const addr6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const payload = fc.uint8Array({ maxLength: 100 });
const transport: fc.Arbitrary<BodySpec> = fc.oneof(
  fc.record({ kind: fc.constant('udp' as const), srcPort: u16, dstPort: u16, payload }),
  fc.record({ kind: fc.constant('tcp' as const), srcPort: u16, dstPort: u16, seq: u32, payload }),
  fc.record({ kind: fc.constant('echo' as const), id: u16, payload }),
);
const net: fc.Arbitrary<FrameSpec['net']> = fc.oneof(
  fc.record({ kind: fc.constant('ipv4' as const), src: u32, dst: u32, body: transport }),
  fc.record({ kind: fc.constant('ipv6' as const), src: addr6, dst: addr6, body: transport }),
);
const tags = fc.array(fc.record({ vid: fc.nat({ max: 4095 }) }), { maxLength: 3 });
const ends = { dst: parseMac('02:00:00:00:00:01'), src: parseMac('02:00:00:00:00:02') };
const frame = fc.record({ net, tags }).map((spec) => buildFrame({ ...ends, ...spec }));

/** Parses with nothing but the frame in view, so that a read outside throws. */
function parseExactly(bytes: Uint8Array): ParsedFrame {
  const out = new ParsedFrame();
  const view = exactView(bytes);
  parseFrame(view, 0, bytes.length, out);
  checksumVerdict(view, 0, out);
  return out;
}

function expectWithin(out: ParsedFrame, len: number): void {
  for (const end of [
    out.l3Offset + out.l3HeaderLen,
    out.l4Offset + out.l4Len,
    out.payloadOffset + out.payloadLen,
  ]) {
    expect(end).toBeLessThanOrEqual(len);
  }
  expect(out.payloadLen).toBeGreaterThanOrEqual(0);
}

const flips = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 });

describe('never outside the frame, never an exception', () => {
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), (bytes) => {
        expectWithin(parseExactly(bytes), bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test('any bytes behind the EtherType of IPv4, IPv6 or a tag', () => {
    const type = fc.constantFrom(
      ...[0x0800, 0x86dd, 0x8100, 0x88a8].map((t) => [t >> 8, t & 0xff] as const),
    );
    const first = fc.constantFrom(0x45, 0x46, 0x4f, 0x60);
    fc.assert(
      fc.property(type, first, fc.uint8Array({ maxLength: 160 }), (t, version, rest) => {
        const bytes = Uint8Array.from([...new Uint8Array(12), ...t, version, ...rest]);
        expectWithin(parseExactly(bytes), bytes.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('well-formed frames with some bytes changed', () => {
    fc.assert(
      fc.property(frame, flips, (bytes, changes) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        expectWithin(parseExactly(changed), changed.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('every real frame, cut at every byte', () => {
    for (const make of Object.values(real)) {
      const whole = new Uint8Array(make().buffer);
      for (let len = 0; len <= whole.length; len++) {
        expectWithin(parseExactly(whole.subarray(0, len)), len);
      }
    }
  });

  test('transport headers that end anywhere, at the very end of the frame', () => {
    const ip = { kind: 'ipv6', src: new Uint8Array(16), dst: new Uint8Array(16) } as const;
    for (const proto of [0, 4, 6, 17, 41, 43, 44, 51, 58, 60, 135]) {
      for (let len = 0; len < 40; len++) {
        const body = { kind: 'bytes', proto, payload: len } as const;
        const bytes = buildFrame({ ...ends, net: { ...ip, body } }).subarray(0, 54 + len);
        expectWithin(parseExactly(bytes), bytes.length);
      }
    }
  });

  test('a cut IP packet is malformed, never checked', () => {
    for (const make of [real.tcpSyn, real.qinqUdp, real.mdns6]) {
      const whole = new Uint8Array(make().buffer);
      for (let len = 22; len < whole.length; len++) {
        const out = parseExactly(whole.subarray(0, len));
        expect([out.l3Malformed, out.ipCsumChecked, out.l4CsumChecked]).toEqual([
          true,
          false,
          false,
        ]);
      }
    }
  });
});

test('what was built is well-formed, and its checksums are right', () => {
  fc.assert(
    fc.property(frame, (bytes) => {
      const out = parseExactly(bytes);
      expect(out.l3Malformed || out.l4Malformed).toBe(false);
      expect(out.ipCsumChecked).toBe(out.l3Kind === 4);
      expect(out.ipCsumOk).toBe(out.ipCsumChecked);
      expect(out.l4CsumChecked).toBe(out.l4Proto === 6 || out.l4Proto === 17);
      expect(out.l4CsumOk).toBe(out.l4CsumChecked);
    }),
  );
});
