import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CaptureError,
  PcapWriter,
  readCapture,
  type CapturedFrame,
} from '../../src/wire/capture.ts';
import { concat, counting, hex } from './captureRig.ts';

const LITTLE_US = hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000');
const frameBytes = counting(6, 0xa0);

/** The error that reading `bytes` ends in. */
function refusal(bytes: Uint8Array): CaptureError {
  try {
    readCapture(bytes, 'x.pcap');
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error('the file was read');
}

const record = (sec: string, cap: string, wire: string): Uint8Array =>
  concat(hex(`${sec} 00000000 ${cap} ${wire}`), frameBytes);

/** The frame of a little-endian file with these words in its headers. */
function firstFrame(words: {
  minor?: string;
  network?: string;
  lengths?: string;
}): CapturedFrame | undefined {
  const { minor = '0400', network = '01000000', lengths = '06000000 06000000' } = words;
  const header = hex(`d4c3b2a1 0200 ${minor} 00000000 00000000 00000400 ${network}`);
  const bytes = concat(header, hex(`01000000 00000000 ${lengths}`), frameBytes);
  return readCapture(bytes, 'x.pcap').frames[0];
}

/** One frame, 3 µs after a start one microsecond short of eight seconds. */
function written(byteOrder: 'little' | 'big', resolution: 'us' | 'ns'): Uint8Array {
  const writer = new PcapWriter({ byteOrder, resolution, start: { sec: 7, subPs: 999_999e6 } });
  writer.frame(0, 3_000_000, counting(10, 0x9c), 4, 6, { wireLen: 64 });
  return writer.finish();
}

describe('reading', () => {
  test('a record gives lengths, place and time, whatever the byte order and resolution', () => {
    const files = {
      'little, microseconds': concat(
        LITTLE_US,
        hex('01000000 05000000 06000000 40000000'),
        frameBytes,
        hex('03000000 02000000 06000000 06000000'),
        frameBytes,
      ),
      'big, microseconds': concat(
        hex('a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001'),
        hex('00000001 00000005 00000006 00000040'),
        frameBytes,
        hex('00000003 00000002 00000006 00000006'),
        frameBytes,
      ),
      'little, nanoseconds': concat(
        hex('4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000'),
        hex('01000000 88130000 06000000 40000000'),
        frameBytes,
        hex('03000000 d0070000 06000000 06000000'),
        frameBytes,
      ),
      'big, nanoseconds': concat(
        hex('a1b23c4d 0002 0004 00000000 00000000 00040000 00000001'),
        hex('00000001 00001388 00000006 00000040'),
        frameBytes,
        hex('00000003 000007d0 00000006 00000006'),
        frameBytes,
      ),
    };
    for (const [what, bytes] of Object.entries(files)) {
      const capture = readCapture(bytes, 'x.pcap');
      expect(capture.format, what).toBe('pcap');
      expect(capture.start, what).toEqual({ sec: 1, subPs: 5_000_000 });
      expect(capture.interfaces, what).toEqual([{ name: '', linkType: 1, snapLen: 262144 }]);
      expect(capture.frames, what).toEqual([
        {
          number: 1,
          offset: 24,
          at: 40,
          capLen: 6,
          wireLen: 64,
          fcsLen: 0,
          interfaceId: 0,
          linkType: 1,
          comment: '',
          sec: 0,
          subPs: 0,
        },
        {
          number: 2,
          offset: 46,
          at: 62,
          capLen: 6,
          wireLen: 6,
          fcsLen: 0,
          interfaceId: 0,
          linkType: 1,
          comment: '',
          sec: 1,
          subPs: 999_997_000_000,
        },
      ]);
      expect(capture.bytes.subarray(62, 68), what).toEqual(frameBytes);
    }
  });

  test('a snap length below the captured length, or zero, is not held against the frame', () => {
    for (const snap of ['00000000', '02000000', 'ffffffff']) {
      const header = hex(`d4c3b2a1 0200 0400 00000000 00000000 ${snap} 01000000`);
      const bytes = concat(header, hex('01000000 00000000 06000000 06000000'), frameBytes);
      expect(readCapture(bytes, 'x.pcap').frames[0]?.capLen).toBe(6);
    }
  });

  test('the link type is the lower 16 bits; the FCS length counts only where bit 26 says so', () => {
    expect(firstFrame({ network: '01000024' })?.fcsLen).toBe(4);
    expect(firstFrame({ network: '01000020' })?.fcsLen).toBe(0);
  });

  test('a snapped frame has lost its FCS before anything else', () => {
    const header = hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000024');
    const bytes = concat(header, hex('01000000 00000000 06000000 09000000'), frameBytes);
    expect(readCapture(bytes, 'x.pcap').frames[0]?.fcsLen).toBe(1);
  });

  test('a sub-second part above a second carries over into the seconds', () => {
    const bytes = concat(LITTLE_US, hex('01000000 a0252600 06000000 06000000'), frameBytes);
    expect(readCapture(bytes, 'x.pcap').start).toEqual({ sec: 3, subPs: 500_000_000_000 });
  });

  test('before version 2.3 the length on the wire came first, and in 2.3 sometimes', () => {
    const wireFirst = '40000000 06000000';
    const capturedFirst = '06000000 40000000';
    const expected = { capLen: 6, wireLen: 64 };
    expect(firstFrame({ minor: '0200', lengths: wireFirst })).toMatchObject(expected);
    expect(firstFrame({ minor: '0300', lengths: wireFirst })).toMatchObject(expected);
    expect(firstFrame({ minor: '0300', lengths: capturedFirst })).toMatchObject(expected);
    expect(firstFrame({ minor: '0400', lengths: capturedFirst })).toMatchObject(expected);
  });

  test('frames of another link type are counted by it and keep their numbers to themselves', () => {
    const header = hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 e5000000');
    const bytes = concat(header, hex('01000000 00000000 06000000 06000000'), frameBytes);
    const capture = readCapture(bytes, 'x.pcap');
    expect(capture.frames).toEqual([]);
    expect(capture.skipped).toEqual([{ linkType: 229, frames: 1 }]);
  });

  test('a file of a header alone is a capture without frames', () => {
    const capture = readCapture(LITTLE_US, 'x.pcap');
    expect(capture.frames).toEqual([]);
    expect(capture.start).toEqual({ sec: 0, subPs: 0 });
  });

  test('what is odd but readable is noted', () => {
    const bytes = concat(
      LITTLE_US,
      record('05000000', '06000000', '06000000'),
      record('04000000', '06000000', '03000000'),
      record('06000000', '06000000', '06000000'),
    );
    const capture = readCapture(bytes, 'x.pcap');
    expect(capture.frames.map(({ sec }) => sec)).toEqual([0, 0, 1]);
    expect(capture.frames[1]).toMatchObject({ capLen: 6, wireLen: 3 });
    expect(capture.notes).toEqual([
      '1 frame went back in time: each takes the time of the frame before it',
      '1 frame with more bytes captured than on the wire: the captured ones count',
    ]);
  });
});

describe('refusing', () => {
  const first = concat(hex('01000000 05000000 06000000 40000000'), frameBytes);
  const second = concat(LITTLE_US, first);

  test.each<[string, Uint8Array, string, number, number]>([
    [
      'a captured length beyond the end of the file',
      concat(second, hex('01000000 00000000 70110100 70110100'), counting(312)),
      'x.pcap: packet 2 at offset 0x2e: record says 70000 bytes captured, 312 are left in the file',
      2,
      46,
    ],
    [
      'a record header cut short',
      concat(second, hex('01000000 0000')),
      'x.pcap: packet 2 at offset 0x2e: a record header has 16 bytes, 6 are left in the file',
      2,
      46,
    ],
    [
      'a captured length that no frame can have',
      concat(second, hex('01000000 00000000 01000400 01000400'), new Uint8Array(262145)),
      'x.pcap: packet 2 at offset 0x2e: record says 262145 bytes captured, no frame has more than 262144',
      2,
      46,
    ],
    [
      'a header cut short',
      LITTLE_US.subarray(0, 23),
      'x.pcap: a pcap header has 24 bytes, the file has 23',
      0,
      0,
    ],
    [
      'another version',
      hex('d4c3b2a1 0300 0000 00000000 00000000 00000400 01000000'),
      'x.pcap: pcap version 3.0 is not supported (2.0 to 2.4)',
      0,
      4,
    ],
    [
      'the modified format',
      hex('34cdb2a1 0200 0400 00000000 00000000 00000400 01000000'),
      'x.pcap: the modified pcap format (magic 0xa1b2cd34) is not supported',
      0,
      0,
    ],
  ])('%s is named with place and expectation', (_, bytes, message, packet, offset) => {
    expect(refusal(bytes)).toMatchObject({ message, packet, offset });
  });
});

describe('writing', () => {
  test('the bytes are those of the specification, in either order and resolution', () => {
    expect(written('little', 'us')).toEqual(
      concat(LITTLE_US, hex('08000000 02000000 06000000 40000000'), frameBytes),
    );
    expect(written('big', 'ns')).toEqual(
      concat(
        hex('a1b23c4d 0002 0004 00000000 00000000 00040000 00000001'),
        hex('00000008 000007d0 00000006 00000040'),
        frameBytes,
      ),
    );
  });

  test('a frame above the snap length is cut, its length on the wire is kept', () => {
    const writer = new PcapWriter({ snapLen: 4 });
    writer.frame(0, 0, counting(9), 0, 9);
    const [frame] = readCapture(writer.finish(), 'x.pcap').frames;
    expect(frame).toMatchObject({ capLen: 4, wireLen: 9 });
  });

  test('a time that 32 bits of seconds cannot say is refused', () => {
    const writer = new PcapWriter({ start: { sec: 2 ** 32 - 1, subPs: 0 } });
    writer.frame(0, 999_999_999_999, frameBytes, 0, 6);
    expect(() => writer.frame(0, 1_000_000_000_000, frameBytes, 0, 6)).toThrow(
      'frame time in a pcap file: 4294967296 s is out of range (0 to 4294967295 s since 1970)',
    );
  });

  test('a snap length out of range is refused', () => {
    expect(() => new PcapWriter({ snapLen: 0 })).toThrow('snapLen: 0 is out of range (1 to 262144');
  });

  test('whatever is written is read back', () => {
    const frame = fc.record({
      gapNs: fc.nat(2 ** 31 - 1),
      data: fc.uint8Array({ maxLength: 3000 }),
      more: fc.nat(100),
    });
    const options = fc.record({
      byteOrder: fc.constantFrom('little' as const, 'big' as const),
      resolution: fc.constantFrom('us' as const, 'ns' as const),
      start: fc.record({ sec: fc.nat(2 ** 31), subPs: fc.nat(999_999_999).map((ns) => ns * 1000) }),
    });
    fc.assert(
      fc.property(options, fc.array(frame, { maxLength: 20 }), (chosen, frames) => {
        const tick = chosen.resolution === 'us' ? 1000n : 1n;
        const startNs = BigInt(chosen.start.sec) * 10n ** 9n + BigInt(chosen.start.subPs / 1000);
        const writer = new PcapWriter(chosen);
        let ns = 0;
        const expected = frames.map(({ gapNs, data, more }) => {
          ns += gapNs;
          writer.frame(0, ns * 1000, data, 0, data.length, { wireLen: data.length + more });
          const absolute = ((startNs + BigInt(ns)) / tick) * tick;
          return { absolute, data, wireLen: data.length + more };
        });
        const capture = readCapture(writer.finish(), 'x.pcap');
        const got = capture.frames.map(({ sec, subPs, at, capLen, wireLen }) => ({
          absolute:
            BigInt(capture.start.sec + sec) * 10n ** 9n +
            BigInt(capture.start.subPs + subPs) / 1000n,
          data: new Uint8Array(capture.bytes.subarray(at, at + capLen)),
          wireLen,
        }));
        expect(got).toEqual(expected);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});
