import { describe, expect, test } from 'vitest';
import { type Capture, CaptureError, PcapWriter, readCapture } from '../../src/wire/capture.ts';
import { replayFrameBytes, ReplaySource, type ReplayOptions } from '../../src/wire/replay.ts';
import { counting, Pieces, concat, hex } from './captureRig.ts';
import { type Arrivals, bytesOf, frameRig, take } from './trafficRig.ts';

/** A capture of frames at these nanoseconds, each as long as its place: 60, 61, 62… bytes. */
function captured(...timesNs: readonly number[]): Capture {
  const out = new PcapWriter({ start: { sec: 1_700_000_000, subPs: 0 } });
  timesNs.forEach((ns, i) => out.frame(0, ns * 1000, counting(60 + i, i), 0, 60 + i));
  return readCapture(out.finish(), 'test.pcap');
}

function replayed(capture: Capture, options: ReplayOptions, most = 10_000): Arrivals {
  const { frames } = frameRig(replayFrameBytes(capture));
  return take(new ReplaySource(capture, options, frames), most);
}

const UNEVEN = captured(5_000, 5_100, 5_700, 8_000);

describe('timing', () => {
  test('original: as far from the first frame as when captured', () => {
    const { at, frame } = replayed(UNEVEN, { timing: { kind: 'original' } });
    expect(at).toEqual([0, 100_000, 700_000, 3_000_000]);
    expect(frame).toEqual([0, 1, 2, 3]);
  });

  test('scaled: twice as fast takes half as long', () => {
    const { at } = replayed(UNEVEN, { timing: { kind: 'scaled', speed: 2 } });
    expect(at).toEqual([0, 50_000, 350_000, 1_500_000]);
    const slow = replayed(UNEVEN, { timing: { kind: 'scaled', speed: 0.1 } });
    expect(slow.at).toEqual([0, 1_000_000, 7_000_000, 30_000_000]);
  });

  test('rate: evenly, whatever the file says', () => {
    const { at } = replayed(UNEVEN, { timing: { kind: 'rate', pps: 3_000_000 } });
    expect(at).toEqual([0, 333_333, 666_666, 1_000_000]);
  });

  test('asap: all at once, for the line to space out', () => {
    expect(replayed(UNEVEN, { timing: { kind: 'asap' } }).at).toEqual([0, 0, 0, 0]);
  });

  test('a capture of more than 2^53 ps cannot keep its original timing, but can be sped up', () => {
    const long = captured(0, 9_008e9);
    const original = (): Arrivals => replayed(long, { timing: { kind: 'original' } });
    expect(original).toThrow(CaptureError);
    expect(original).toThrow(
      'test.pcap: packet 2 at offset 0x64: comes 9008 s after the first; ' +
        'replay with original timing reaches 9007 s',
    );
    expect(replayed(long, { timing: { kind: 'scaled', speed: 1000 } }).at).toEqual([0, 9.008e12]);
    expect(() => replayed(long, { timing: { kind: 'scaled', speed: 0.5 } })).toThrow(
      'test.pcap: packet 2: comes 18016 s after the first at speed 0.5; replay reaches 9007 s',
    );
  });
});

describe('loops', () => {
  test('each begins a mean distance after the last, and frames are stored once', () => {
    const capture = captured(0, 100, 300);
    const { frames } = frameRig(replayFrameBytes(capture));
    const source = new ReplaySource(capture, { timing: { kind: 'original' }, loops: 3 }, frames);
    const { at, frame } = take(source, Infinity);
    const loop = [0, 100_000, 300_000];
    expect(at).toEqual([...loop, ...loop.map((t) => t + 450_000), ...loop.map((t) => t + 900_000)]);
    expect(frame).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
    expect(frames.count).toBe(3);
  });

  test('endless, they run until the end is reached', () => {
    const options = {
      timing: { kind: 'original' },
      loops: Infinity,
      durationPs: 1_000_000,
    } as const;
    expect(replayed(captured(0, 100, 300), options).at.at(-1)).toBe(900_000);
    expect(replayed(UNEVEN, { timing: { kind: 'rate', pps: 1e6 }, loops: 500 }).frame).toHaveLength(
      2000,
    );
  });
});

describe('bytes', () => {
  test('a frame is as long as it was captured, not as it was on the wire', () => {
    const out = new PcapWriter({ snapLen: 64 });
    out.frame(0, 0, counting(1514), 0, 1514);
    const capture = readCapture(out.finish(), 'cut.pcap');
    const rig = frameRig(replayFrameBytes(capture));
    take(new ReplaySource(capture, { timing: { kind: 'asap' } }, rig.frames), Infinity);
    expect(bytesOf(rig, 0)).toEqual(counting(64));
  });

  test('an FCS in the file is left off: the link adds its own', () => {
    const p = new Pieces('little');
    const fcsLen = p.option(13, hex('04'));
    const file = concat(
      p.section(),
      p.interface(1, 0, fcsLen, p.option(0, hex(''))),
      p.enhanced(0, 0n, counting(64)),
    );
    const capture = readCapture(file, 'fcs.pcapng');
    const rig = frameRig(replayFrameBytes(capture));
    take(new ReplaySource(capture, { timing: { kind: 'asap' } }, rig.frames), Infinity);
    expect(bytesOf(rig, 0)).toEqual(counting(60));
  });

  test('a capture without frames is a stream without arrivals', () => {
    for (const kind of ['original', 'asap'] as const) {
      const options = { timing: { kind }, loops: Infinity };
      expect(replayed(captured(), options).at).toEqual([]);
    }
  });
});

test.each<[ReplayOptions, string]>([
  [
    { timing: { kind: 'scaled', speed: 0 } },
    'replay speed: 0 is out of range (0.000001 to 1000000)',
  ],
  [{ timing: { kind: 'scaled', speed: NaN } }, 'replay speed: NaN'],
  [{ timing: { kind: 'rate', pps: 0 } }, 'replay rate: 0pps is out of range (0.001 to 1G frames'],
  [{ timing: { kind: 'asap' }, loops: 0 }, 'replay loops: 0 is out of range (1 to 1000000000)'],
  [{ timing: { kind: 'asap' }, loops: 1.5 }, 'replay loops: 1.5'],
  [{ timing: { kind: 'asap' }, durationPs: -1 }, 'replay duration, in ps: -1'],
])('%j is refused', (options, message) => {
  expect(() => replayed(UNEVEN, options)).toThrow(message);
});
