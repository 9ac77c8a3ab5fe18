import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CaptureError,
  frameTimePs,
  PcapngWriter,
  PcapWriter,
  readCapture,
  type Capture,
  type CaptureWriter,
} from '../../src/wire/capture.ts';
import { ascii, concat, counting, hex, Pieces } from './captureRig.ts';

const SHARED = new URL('../../../shared/captures/', import.meta.url);
const haveShared = existsSync(SHARED);
const haveTshark = spawnSync('tshark', ['--version']).status === 0;

/** Short, so that damage often hits what steers the reader: both formats, orders, block kinds. */
const whole = {
  pcap: concat(
    hex('a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001'),
    hex('00000001 00000005 00000006 00000040'),
    counting(6),
    hex('00000002 00000005 0000003c 0000003c'),
    counting(60),
  ),
  pcapng: everyBlock(),
};

function everyBlock(): Uint8Array {
  const parts = (['little', 'big'] as const).flatMap((order) => {
    const make = new Pieces(order);
    return [
      make.section(),
      make.interface(1, 60, make.option(2, ascii('eth0')), make.option(9, hex('09'))),
      make.interface(1, 0, make.option(9, hex('9f')), make.option(14, make.i64(-77n))),
      make.enhanced(0, 10n ** 18n, counting(60), 64, make.option(1, ascii('note')), make.u32(0)),
      make.block(2, make.u16(1, 0), make.u32(1, 2, 6, 6), counting(6)),
      make.block(0xbad, make.u32(7), counting(5)),
      make.block(3, make.u32(20), counting(20)),
    ];
  });
  return concat(...parts);
}

describe('a file that is no capture', () => {
  test.each<[string, Uint8Array, string]>([
    ['empty', hex(''), 'the file is empty, not a capture'],
    ['gzip', hex('1f8b0800 00000000'), 'it looks like a gzip file: unpack it first'],
    ['ELF', hex('7f454c46 02010100'), 'it looks like an ELF object file'],
    ['text', ascii('hello'), 'it starts with 68 65 6c 6c'],
    ['shorter than a magic number', hex('d4c3b2'), 'it starts with d4 c3 b2'],
  ])('%s: says what it looks like', (_, bytes, what) => {
    expect(() => readCapture(bytes, 'x.bin')).toThrow(what);
    expect(() => readCapture(bytes, 'x.bin')).toThrow(CaptureError);
  });
});

/** Cut short, or with up to six bytes changed, or both. */
const damaged = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      keep: fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length)),
      flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
        maxLength: 6,
      }),
    })
    .map(({ keep, flips }) => {
      const copy = bytes.slice();
      for (const [at, mask] of flips) copy[at] = copy[at]! ^ mask;
      return copy.subarray(0, keep);
    });

describe('damage', () => {
  test.each(['pcap', 'pcapng'] as const)(
    '%s: whatever happens to the bytes, frames stay inside them or a CaptureError says where',
    (format) => {
      fc.assert(
        fc.property(damaged(whole[format]), (bytes) => {
          let capture: Capture;
          try {
            capture = readCapture(bytes, 'x');
          } catch (error) {
            expect(error).toBeInstanceOf(CaptureError);
            expect((error as CaptureError).offset).toBeLessThanOrEqual(bytes.length);
            return;
          }
          let sec = 0;
          let lastEnd = 0;
          for (const frame of capture.frames) {
            expect(frame.offset).toBeGreaterThanOrEqual(lastEnd);
            lastEnd = frame.at + frame.capLen;
            expect(lastEnd).toBeLessThanOrEqual(bytes.length);
            expect(frame.sec).toBeGreaterThanOrEqual(sec);
            expect(Number.isSafeInteger(frame.sec)).toBe(true);
            expect(frame.subPs >= 0 && frame.subPs < 1e12).toBe(true);
            ({ sec } = frame);
          }
        }),
        { numRuns: 3000, seed: 1 },
      );
    },
  );

  test.each(['pcap', 'pcapng'] as const)('%s: every cut in the file is noticed', (format) => {
    const bytes = whole[format];
    const frames = readCapture(bytes, 'x').frames.length;
    for (let keep = 0; keep < bytes.length; keep++) {
      let got = -1;
      try {
        got = readCapture(bytes.subarray(0, keep), 'x').frames.length;
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError);
      }
      expect(got, `cut at ${keep}`).toBeLessThan(frames);
    }
  });
});

/** Time of the second of two frames, so long after the first. */
const lastFrameAt = (sec: number, subPs: number): number => {
  const writer = new PcapngWriter({ resolution: 'ps', interfaces: ['eth0'] });
  writer.frameAt(0, 0, 0, counting(60), 0, 60);
  writer.frameAt(0, sec, subPs, counting(60), 0, 60);
  const capture = readCapture(writer.finish(), 'x.pcapng');
  return frameTimePs(capture, capture.frames[1]!);
};

describe('time since the first frame', () => {
  test('is exact up to 2^53 picoseconds and refused beyond', () => {
    expect(lastFrameAt(9007, 199_254_740_991)).toBe(2 ** 53 - 1);
    expect(() => lastFrameAt(9007, 199_254_740_992)).toThrow(
      'packet 2 at offset 0xb4: comes 9007 s after the first; replay with original timing reaches 9007 s',
    );
    expect(() => lastFrameAt(1_000_000, 0)).toThrow(CaptureError);
  });
});

interface Judged {
  readonly frames: number;
  readonly otherLinkTypes: number;
  readonly sha256: string;
  readonly every: number;
  readonly lines: readonly string[];
}

/** As tshark prints a frame: number, captured length, length on the wire, time since 1970. */
function linesOf({ start, frames }: Capture): string[] {
  return frames.map(({ number, capLen, wireLen, sec, subPs }) => {
    const ns = BigInt(start.subPs + subPs) / 1000n + BigInt(start.sec + sec) * 10n ** 9n;
    return `${number} ${capLen} ${wireLen} ${ns / 10n ** 9n}.${String(ns % 10n ** 9n).padStart(9, '0')}`;
  });
}

const nsOf = (time: string): bigint => BigInt(time.replace('.', ''));

/** tshark leaves a time empty or lets it go back where we hold the time of the frame before. */
function heldTimes(lines: readonly string[]): string[] {
  let newest =
    lines.map((line) => line.split(' ')[3]!).find((time) => time !== '-') ?? '0.000000000';
  return lines.map((line) => {
    const [number, capLen, wireLen, time] = line.split(' ');
    if (time !== '-' && nsOf(time!) > nsOf(newest)) newest = time!;
    return `${number} ${capLen} ${wireLen} ${newest}`;
  });
}

describe('real captures, as tshark reads them', () => {
  const url = new URL('../vectors/captures/tshark.json', import.meta.url);
  const { files } = JSON.parse(readFileSync(url, 'utf8')) as { files: Record<string, Judged> };

  test.skipIf(!haveShared).each(Object.entries(files))('%s', (name, judged) => {
    const capture = readCapture(readFileSync(new URL(name, SHARED)), name);
    const lines = linesOf(capture);
    expect(lines).toHaveLength(judged.frames);
    expect(lines.filter((_, i) => i % judged.every === 0)).toEqual(heldTimes(judged.lines));
    if (judged.every > 1) {
      const digest = createHash('sha256').update(lines.map((line) => `${line}\n`).join(''));
      expect(digest.digest('hex')).toBe(judged.sha256);
    }
    const skipped = capture.skipped.reduce((sum, { frames }) => sum + frames, 0);
    expect(skipped).toBe(judged.otherLinkTypes);
  });

  test.skipIf(!haveShared)('a rewritten capture keeps every frame and its absolute time', () => {
    const name = 'zeek/pppoe-over-qinq.pcap';
    const original = readCapture(readFileSync(new URL(name, SHARED)), name);
    const { start } = original;
    for (const writer of [
      new PcapWriter({ start }),
      new PcapngWriter({ start, interfaces: ['a'] }),
    ]) {
      for (const { sec, subPs, at, capLen, wireLen } of original.frames) {
        writer.frameAt(0, sec, subPs, original.bytes, at, capLen, { wireLen });
      }
      expect(linesOf(readCapture(writer.finish(), 'copy'))).toEqual(linesOf(original));
    }
  });
});

const FIELDS =
  'frame.number frame.cap_len frame.len frame.time_epoch frame.interface_name ' +
  'frame.packet_flags_direction frame.comment eth.dst';

function tshark(file: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'capture-'));
  const path = join(folder, 'written');
  writeFileSync(path, file);
  const chosen = FIELDS.split(' ').flatMap((field) => ['-e', field]);
  const options = ['-r', path, '-T', 'fields', '-E', 'separator=;', ...chosen];
  const { status, stdout, stderr } = spawnSync('tshark', options, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(stderr).not.toMatch(/damaged|cut short|support/);
  expect(status).toBe(0);
  return stdout.trim().split('\n');
}

const start = { sec: 1_700_000_000, subPs: 999_999_998_000 };

function threeFrames(writer: CaptureWriter): Uint8Array {
  const frame = concat(hex('020000000001 020000000002 88b5'), counting(46));
  writer.frame(0, 0, frame, 0, 60, { direction: 'in' });
  writer.frame(1, 1_001_000, frame, 0, 59, { direction: 'out', comment: 'ring full' });
  writer.frame(0, 5e12, frame, 0, 60, { wireLen: 1514 });
  return writer.finish();
}

describe('what we write, as tshark reads it', () => {
  test.skipIf(!haveTshark).each(['little', 'big'] as const)('pcapng, %s-endian', (byteOrder) => {
    const interfaces = ['eth0', 'eth1'];
    const written = threeFrames(new PcapngWriter({ byteOrder, start, interfaces }));
    expect(tshark(written)).toEqual([
      '1;60;60;1700000000.999999998;eth0;0x00000001;;02:00:00:00:00:01',
      '2;59;59;1700000001.000000999;eth1;0x00000002;ring full;02:00:00:00:00:01',
      '3;60;1514;1700000005.999999998;eth0;;;02:00:00:00:00:01',
    ]);
  });

  test.skipIf(!haveTshark).each(['little', 'big'] as const)('pcap, %s-endian', (byteOrder) => {
    expect(tshark(threeFrames(new PcapWriter({ byteOrder, start })))).toEqual([
      '1;60;60;1700000000.999999998;;;;02:00:00:00:00:01',
      '2;59;59;1700000001.000000999;;;;02:00:00:00:00:01',
      '3;60;1514;1700000005.999999998;;;;02:00:00:00:00:01',
    ]);
    const coarse = threeFrames(new PcapWriter({ byteOrder, start, resolution: 'us' }));
    expect(tshark(coarse)[1]).toBe('2;59;59;1700000001.000000000;;;;02:00:00:00:00:01');
  });
});
