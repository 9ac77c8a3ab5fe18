import { expect, test } from 'vitest';
import { Link, LinkFeed, wireBytes } from '../../src/wire/link.ts';
import { frameRig, take, traffic, wants } from './trafficRig.ts';

const GBPS = 1e9;

/** Start to last bit at 100 Gb/s, 80 ps a byte. */
const last = (len: number): number => (8 + len + 4) * 80;

/** Line time of so many bytes at 7,777,777,777 bit/s, in ps, cut to a tenth. */
const exactPs = (bytes: bigint): number => Number((bytes * 8n * 10n ** 13n) / 7_777_777_777n) / 10;

test('64-byte frames with FCS fill a 100 Gb/s line at 148,809,523.8 a second', () => {
  const link = new Link(100 * GBPS);
  expect(link.wirePs(60)).toBe(6720);

  const { source } = traffic('udp size=64 rate=line', { count: 1_000_001 });
  const { at } = take(new LinkFeed(link, source), Infinity);
  const pps = 1_000_000 / ((at.at(-1)! - at[0]!) / 1e12);
  expect(pps.toFixed(1)).toBe('148809523.8');
});

test('a frame takes preamble 8, its bytes, FCS 4 and gap 12, and is padded to 60 before', () => {
  expect(wireBytes(1514)).toBe(8 + 1514 + 4 + 12);
  expect(wireBytes(60)).toBe(84);
  expect(wireBytes(14)).toBe(84);
  expect(wireBytes(0)).toBe(84);
});

test('a frame has arrived when its last FCS bit has, a delay later; the gap comes after', () => {
  const link = new Link(10 * GBPS, 5_000); // 800 ps a byte
  const { frames } = frameRig(4096);
  const feed = new LinkFeed(link, wants(frames, [[1_000, 100]]));
  expect(take(feed, 1).at).toEqual([1_000 + (8 + 100 + 4) * 800 + 5_000]);
  expect(link.arrivalPs(100)).toBe((8 + 100 + 4) * 800 + 5_000);
  expect(link.wirePs(100)).toBe((8 + 100 + 4 + 12) * 800);
});

test('a frame that is wanted while the line is busy starts when the gap has passed', () => {
  const { frames } = frameRig(4096);
  const sends = [
    [0, 60],
    [6_719, 60], // one picosecond too early: held back
    [13_440, 100], // just when the line is free
    [50_000, 60], // after a pause
  ] as const;
  const feed = new LinkFeed(new Link(100 * GBPS), wants(frames, sends));
  expect(take(feed, 4).at).toEqual([
    last(60),
    6_720 + last(60),
    13_440 + last(100),
    50_000 + last(60),
  ]);
});

test('a sender that wants more than the line carries loses nothing and keeps the line full', () => {
  const { source } = traffic('udp size=64 rate=20Mpps', { count: 10_000 });
  const { at } = take(new LinkFeed(new Link(10 * GBPS), source), Infinity);
  expect(at).toHaveLength(10_000);
  expect(at[9_999]! - at[0]!).toBe(9_999 * 84 * 800);
});

test('a line whose byte is no whole number of picoseconds does not drift in a million frames', () => {
  const { source } = traffic('udp size=64 rate=line', { count: 1_000_000 });
  const { at } = take(new LinkFeed(new Link(7_777_777_777), source), Infinity);
  for (const i of [0, 1, 2, 999, 123_456, 999_999]) {
    const error = Math.abs(at[i]! - exactPs(BigInt(i) * 84n + 72n));
    expect(error).toBeLessThanOrEqual(0.6); // half a picosecond of rounding, a tenth of the check's own
  }
});

test('the end of sending counts from the true start, not from the wanted one', () => {
  const { frames } = frameRig(4096);
  const sends = [
    [0, 60],
    [0, 60],
    [0, 60],
    [20_000, 60],
  ] as const;
  const feed = new LinkFeed(new Link(100 * GBPS), wants(frames, sends, 13_440));
  expect(take(feed, 10).at).toHaveLength(2); // the third would start at 13,440
  expect(take(feed, 10).at).toEqual([]);
});

test.each([
  [[999_999], 'line rate, in bit/s: 999999 is out of range (1000000 to 1000000000000)'],
  [[1e12 + 1], /^line rate/],
  [[NaN], /^line rate, in bit\/s: NaN/],
  [[1e9, -1], 'link delay, in ps: -1 is out of range (0 to 1000000000000)'],
  [[1e9, 0.5], /^link delay/],
] as const)('a link of %j is refused', ([rateBps, delayPs], message) => {
  expect(() => new Link(rateBps, delayPs)).toThrow(message);
});
