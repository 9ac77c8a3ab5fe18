import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureError, PcapngWriter, readCapture, type Capture } from '../../src/wire/capture.ts';
import { ascii, concat, counting, hex, Pieces } from './captureRig.ts';

const le = new Pieces('little');
const be = new Pieces('big');
const data = counting(6, 0xa0);
const PS = 10n ** 12n;

const read = (...parts: readonly Uint8Array[]): Capture =>
  readCapture(concat(...parts), 'x.pcapng');

function refusal(...parts: readonly Uint8Array[]): CaptureError {
  try {
    read(...parts);
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error('the file was read');
}

/** Picoseconds since 1970 of each frame. */
const absolutePs = ({ start, frames }: Capture): bigint[] =>
  frames.map(
    ({ sec, subPs }) => BigInt(start.sec + sec) * PS + BigInt(start.subPs) + BigInt(subPs),
  );

/** if_tsresol and, optionally, if_tsoffset of an interface. */
const ticks = (resolution: number, offset?: bigint): Uint8Array =>
  concat(
    le.option(9, Uint8Array.of(resolution)),
    offset === undefined ? hex('') : le.option(14, le.i64(offset)),
  );

describe('reading', () => {
  test('a little-endian section in bytes: header, interface, enhanced packet', () => {
    const capture = read(
      hex('0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000'),
      hex('01000000 14000000 0100 0000 00000400 14000000'),
      hex('06000000 28000000 00000000 97c30400 aa47ca64 06000000 40000000'),
      hex('a0a1a2a3 a4a50000 28000000'),
    );
    expect(capture.format).toBe('pcapng');
    expect(capture.interfaces).toEqual([{ name: '', linkType: 1, snapLen: 262144 }]);
    expect(capture.start).toEqual({ sec: 1340954905, subPs: 298_858_000_000 });
    expect(capture.frames).toEqual([
      {
        number: 1,
        offset: 48,
        at: 76,
        capLen: 6,
        wireLen: 64,
        fcsLen: 0,
        interfaceId: 0,
        linkType: 1,
        comment: '',
        sec: 0,
        subPs: 0,
      },
    ]);
    expect(capture.bytes.subarray(76, 82)).toEqual(data);
  });

  test('each section has its own byte order and counts its interfaces anew', () => {
    const capture = read(
      le.section(),
      le.interface(1, 0, le.option(2, ascii('eth0'))),
      le.interface(0, 0, le.option(2, ascii('null1'))),
      le.enhanced(0, 1_000_000n, data),
      le.enhanced(1, 1_500_000n, data),
      be.section(),
      be.interface(1, 96, be.option(2, ascii('eth1')), be.option(9, Uint8Array.of(9))),
      be.enhanced(0, 2_000_000_001n, data, 60),
    );
    expect(capture.interfaces).toEqual([
      { name: 'eth0', linkType: 1, snapLen: 0 },
      { name: 'null1', linkType: 0, snapLen: 0 },
      { name: 'eth1', linkType: 1, snapLen: 96 },
    ]);
    expect(capture.frames.map(({ number, interfaceId }) => [number, interfaceId])).toEqual([
      [1, 0],
      [3, 2],
    ]);
    expect(capture.skipped).toEqual([{ linkType: 0, frames: 1 }]);
    expect(absolutePs(capture)).toEqual([PS, 2n * PS + 1000n]);
  });

  test('a simple packet is of interface 0, cut by its snap length, without a time', () => {
    const capture = read(
      be.section(),
      be.interface(1, 6),
      be.block(3, be.u32(4), data.subarray(0, 4)),
      be.enhanced(0, 7_000_000n, data),
      be.block(3, be.u32(300), data),
    );
    expect(capture.frames).toMatchObject([
      { capLen: 4, wireLen: 4, sec: 0, subPs: 0 },
      { capLen: 6, wireLen: 6, sec: 0, subPs: 0 },
      { capLen: 6, wireLen: 300, sec: 0, subPs: 0 },
    ]);
    expect(capture.start).toEqual({ sec: 7, subPs: 0 });
    expect(capture.notes).toEqual([
      '2 frames without a time stamp: each takes the time of the frame before it',
    ]);
  });

  test('an old packet block names its interface in 16 bits, a drop count behind it', () => {
    for (const pieces of [le, be]) {
      const capture = read(
        pieces.section(),
        pieces.interface(0, 0),
        pieces.interface(1, 0),
        pieces.block(2, pieces.u16(1, 3), pieces.u32(0, 1_500_000, 6, 70), data),
      );
      expect(capture.frames).toMatchObject([{ interfaceId: 1, capLen: 6, wireLen: 70 }]);
      expect(absolutePs(capture)).toEqual([(3n * PS) / 2n]);
    }
  });

  test('blocks that are not frames are passed over, and numbered where Wireshark does', () => {
    const packet = le.enhanced(0, 0n, data);
    const capture = read(
      le.section(),
      le.interface(1, 0),
      packet,
      le.block(4, le.u16(1, 6), hex('c0a80102 6100 0000 00000000')),
      le.block(5, le.u32(0, 0, 0)),
      le.block(10, le.u32(0x544c534b, 4), data),
      le.block(0x80000001),
      packet,
      le.block(0xbad, le.u32(32473), data),
      packet,
      le.block(0x40000bad, le.u32(32473)),
      le.block(9, ascii('__REALTIME_TIMESTAMP=1\n')),
      packet,
    );
    expect(capture.frames.map(({ number }) => number)).toEqual([1, 2, 4, 7]);
  });

  test('a block length that is no multiple of four is rounded up', () => {
    const odd = hex('77070000 0f000000 61626300 0f000000');
    const capture = read(le.section(), odd, le.interface(1, 0), le.enhanced(0, 0n, data));
    expect(capture.frames).toHaveLength(1);
  });

  test('comments stay with their frame', () => {
    const options = [le.option(1, ascii('one')), le.option(1, ascii('two')), le.u32(0)];
    const capture = read(
      le.section(),
      le.interface(1, 0),
      le.enhanced(0, 0n, data, 6, ...options),
      le.enhanced(0, 0n, data, 6),
    );
    expect(capture.frames.map(({ comment }) => comment)).toEqual(['one\ntwo', '']);
  });

  test('the FCS length is that of the packet, or that of its interface in bytes or bits', () => {
    const fcsLen = (option: Uint8Array, ...packetOptions: readonly Uint8Array[]): unknown =>
      read(le.section(), le.interface(1, 0, option), le.enhanced(0, 0n, data, 6, ...packetOptions))
        .frames[0]?.fcsLen;
    expect(fcsLen(le.option(13, Uint8Array.of(4)))).toBe(4);
    expect(fcsLen(le.option(13, Uint8Array.of(32)))).toBe(4);
    expect(fcsLen(hex(''), le.option(2, le.u32((4 << 5) | 1)))).toBe(4);
    expect(fcsLen(hex(''), le.option(2, le.u32(1)))).toBe(0);
  });
});

describe('time', () => {
  test('ticks of every power of ten and of two are exact to the picosecond', () => {
    const resolution = fc.oneof(
      fc.nat(19),
      fc.nat(63).map((power) => 0x80 | power),
    );
    fc.assert(
      fc.property(resolution, fc.bigInt(0n, 2n ** 64n - 1n), (code, count) => {
        const perSec = (code & 0x80 ? 2n : 10n) ** BigInt(code & 0x7f);
        fc.pre(count / perSec < 2n ** 51n);
        const packet = le.enhanced(0, count, data);
        const capture = read(le.section(), le.interface(1, 0, ticks(code)), packet);
        expect(absolutePs(capture)).toEqual([(count * PS) / perSec]);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test('if_tsoffset moves by whole seconds, either way', () => {
    for (const offset of [1_700_000_000n, -5n]) {
      const options = ticks(12, offset);
      const packet = le.enhanced(0, 7_234_567_890_123n, data);
      expect(absolutePs(read(le.section(), le.interface(1, 0, options), packet))).toEqual([
        offset * PS + 7_234_567_890_123n,
      ]);
    }
  });

  test('frames of differently timed interfaces share one time line, which never goes back', () => {
    const capture = read(
      le.section(),
      le.interface(1, 0),
      le.interface(1, 0, ticks(9)),
      le.enhanced(0, 2_000_000n, data),
      le.enhanced(1, 1_999_999_999n, data),
      le.enhanced(1, 2_000_000_001n, data),
      le.enhanced(0, 2_000_001n, data),
    );
    const times = capture.frames.map(({ sec, subPs }) => [sec, subPs]);
    expect(times).toEqual([
      [0, 0],
      [0, 0],
      [0, 1000],
      [0, 1_000_000],
    ]);
    expect(capture.notes).toEqual([
      '1 frame went back in time: each takes the time of the frame before it',
    ]);
  });
});

describe('refusing', () => {
  const packet = le.enhanced(0, 0n, data);
  const head = [le.section(), le.interface(1, 0)];
  const at = 28 + 20;

  test.each<[string, Uint8Array[], string, number, number]>([
    [
      'a packet cut short',
      [...head, packet, packet.subarray(0, 30)],
      'packet 2 at offset 0x58: block says 40 bytes, 30 are left in the file',
      2,
      at + 40,
    ],
    [
      'less than a block at the end',
      [...head, packet, hex('0600 0000 28')],
      'packet 2 at offset 0x58: a block has at least 12 bytes, 5 are left in the file',
      2,
      at + 40,
    ],
    [
      'more captured bytes than the block holds',
      [...head, le.block(6, le.u32(0, 0, 0, 80, 80), data)],
      'packet 1 at offset 0x30: record says 80 bytes captured, 8 are left in the block',
      1,
      at,
    ],
    [
      'a simple packet longer than its block',
      [...head, le.block(3, le.u32(9), data)],
      'packet 1 at offset 0x30: record says 9 bytes captured, 8 are left in the block',
      1,
      at,
    ],
    [
      'a packet of an interface that nothing describes',
      [...head, le.enhanced(1, 0n, data)],
      'packet 1 at offset 0x30: it is of interface 1, the section has described 1 so far',
      1,
      at,
    ],
    [
      'an interface of the section before',
      [...head, packet, le.section(), packet],
      'packet 2 at offset 0x74: it is of interface 0, the section has described 0 so far',
      2,
      at + 40 + 28,
    ],
    [
      'a block with two lengths',
      [...head, concat(packet.subarray(0, 36), le.u32(44))],
      'packet 1 at offset 0x30: block says 40 bytes at its start, 44 at its end',
      1,
      at,
    ],
    [
      'a block shorter than its frame',
      [...head, packet, le.u32(5, 8, 8)],
      'block 0x5 at offset 0x58, after packet 1: block says 8 bytes, it has at least 12',
      1,
      at + 40,
    ],
    [
      'a body too small',
      [...head, le.block(6, le.u32(0, 0))],
      'packet 1 at offset 0x30: its body has 8 bytes, at least 20 are needed',
      1,
      at,
    ],
    [
      'an option beyond its block',
      [...head, le.enhanced(0, 0n, data, 6, le.u16(1, 5), ascii('abcd'))],
      'packet 1 at offset 0x30: option 1 says 5 bytes, 4 are left in the block',
      1,
      at,
    ],
    [
      'an option of the wrong size',
      [le.section(), le.interface(1, 0, le.option(9, hex('0900')))],
      'block 0x1 at offset 0x1c, before the first packet: option if_tsresol has 2 bytes, expected 1',
      0,
      28,
    ],
    [
      'ticks too fine for 64 bits',
      [le.section(), le.interface(1, 0, ticks(20))],
      'block 0x1 at offset 0x1c, before the first packet: if_tsresol 0x14 is not supported (to 10^-19 s and 2^-63 s)',
      0,
      28,
    ],
    [
      'a time stamp of billions of years',
      [le.section(), le.interface(1, 0, ticks(0)), le.enhanced(0, 2n ** 52n, data)],
      'packet 1 at offset 0x38: time stamp is 4503599627370496 s from 1970, at most 2^51 s can be held',
      1,
      56,
    ],
    [
      'an unknown version',
      [le.block(0x0a0d0d0a, le.u32(0x1a2b3c4d), le.u16(2, 0), hex('ffffffffffffffff'))],
      'block 0xa0d0d0a at offset 0x0, before the first packet: pcapng version 2.0 is not supported (1.0, 1.2)',
      0,
      0,
    ],
    [
      'a section without byte order',
      [le.block(0x0a0d0d0a, le.u32(0x1a2b3c4e), le.u16(1, 0), hex('ffffffffffffffff'))],
      'block 0xa0d0d0a at offset 0x0, before the first packet: byte-order magic is 0x4e3c2b1a, expected 0x1a2b3c4d or 0x4d3c2b1a',
      0,
      0,
    ],
  ])('%s is named with place and expectation', (_, parts, message, packet_, offset) => {
    const error = refusal(...parts);
    expect(error.message).toBe(`x.pcapng: ${message}`);
    expect([error.packet, error.offset]).toEqual([packet_, offset]);
  });
});

describe('writing', () => {
  test('the bytes are those of the specification, in either byte order', () => {
    for (const [byteOrder, pieces] of [['little', le] as const, ['big', be] as const]) {
      const writer = new PcapngWriter({ byteOrder, interfaces: ['eth0'], snapLen: 65535 });
      writer.frame(0, 2_000_001_000, counting(10, 0x9c), 4, 6, {
        wireLen: 64,
        direction: 'out',
        comment: 'lost',
      });
      const end = pieces.u32(0);
      const options = [
        pieces.option(1, ascii('lost')),
        pieces.option(2, pieces.u32(2)),
        end,
      ] as const;
      expect(writer.finish(), byteOrder).toEqual(
        concat(
          pieces.block(
            0x0a0d0d0a,
            pieces.u32(0x1a2b3c4d),
            pieces.u16(1, 0),
            hex('ffffffffffffffff'),
            pieces.option(4, ascii('ringscope')),
            end,
          ),
          pieces.interface(
            1,
            65535,
            pieces.option(2, ascii('eth0')),
            pieces.option(9, Uint8Array.of(9)),
            end,
          ),
          pieces.enhanced(0, 2_000_001n, data, 64, ...options),
        ),
      );
    }
  });

  test('picoseconds count from the start, which the interface names in seconds', () => {
    const start = { sec: 1_700_000_000, subPs: 5 };
    const writer = new PcapngWriter({ resolution: 'ps', interfaces: ['eth0'], start });
    writer.frame(0, 1_000_000_000_001, data, 0, 6);
    const { frames, ...capture } = readCapture(writer.finish(), 'x.pcapng');
    expect(capture.start).toEqual({ sec: 1_700_000_001, subPs: 6 });
    expect(frames).toHaveLength(1);
  });

  test('a time, an interface or a comment that the file cannot hold is refused', () => {
    const writer = new PcapngWriter({ interfaces: ['eth0'] });
    expect(() => writer.frame(1, 0, data, 0, 6)).toThrow(
      'capture interface: 1 is out of range (0 to 0)',
    );
    expect(() => writer.frameAt(0, 18_446_744_073, 0, data, 0, 6)).toThrow(
      '18446744073 s is out of range (0 to 18446744072 s since 1970)',
    );
    expect(() => writer.frame(0, 0, data, 0, 6, { comment: 'x'.repeat(65536) })).toThrow(
      'comment: 65536 bytes is out of range (0 to 65535 bytes of UTF-8)',
    );
  });

  test('whatever is written is read back, over the whole range of 64-bit nanoseconds', () => {
    const frame = fc.record({
      id: fc.nat(2),
      sec: fc.nat(4_000_000_000),
      subPs: fc.nat(999_999_999_999),
      data: fc.uint8Array({ maxLength: 3000 }),
      more: fc.nat(100),
      comment: fc.option(fc.string({ unit: 'grapheme', maxLength: 30 }), { nil: '' }),
    });
    const options = fc.record({
      byteOrder: fc.constantFrom('little' as const, 'big' as const),
      resolution: fc.constantFrom('us' as const, 'ns' as const, 'ps' as const),
      start: fc.record({ sec: fc.nat(2 ** 31), subPs: fc.nat(999_999_999_999) }),
    });
    fc.assert(
      fc.property(options, fc.array(frame, { maxLength: 10 }), (chosen, frames) => {
        const tick = { us: 1_000_000n, ns: 1000n, ps: 1n }[chosen.resolution];
        const start = BigInt(chosen.start.sec) * PS + BigInt(chosen.start.subPs);
        const writer = new PcapngWriter({ ...chosen, interfaces: ['a', 'b', 'c'] });
        const limit = chosen.resolution === 'ps' ? 18_446_742 : 4_000_000_000;
        const inOrder = frames
          .map((one) => ({ ...one, sec: one.sec % limit }))
          .toSorted((a, b) => a.sec - b.sec || a.subPs - b.subPs);
        for (const { id, sec, subPs, data: bytes, more, comment } of inOrder) {
          const extra = { wireLen: bytes.length + more, ...(comment === '' ? {} : { comment }) };
          writer.frameAt(id, sec, subPs, bytes, 0, bytes.length, extra);
        }
        const capture = readCapture(writer.finish(), 'x.pcapng');
        expect(absolutePs(capture)).toEqual(
          inOrder.map(
            ({ sec, subPs }) => ((start + BigInt(sec) * PS + BigInt(subPs)) / tick) * tick,
          ),
        );
        expect(
          capture.frames.map(({ interfaceId, at, capLen, wireLen, comment }) => ({
            id: interfaceId,
            data: new Uint8Array(capture.bytes.subarray(at, at + capLen)),
            more: wireLen - capLen,
            comment,
          })),
        ).toEqual(
          inOrder.map(({ id, data: bytes, more, comment }) => ({ id, data: bytes, more, comment })),
        );
      }),
      { numRuns: 80, seed: 1 },
    );
  });
});
