/** A generator that stops: by hand, with stalls of 3 us at the end of every 10. */
import { expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import { planTraffic } from '../../src/wire/gen.ts';
import { Link, LinkFeed } from '../../src/wire/link.ts';
import { NotUnderstood } from '../../src/wire/quantities.ts';
import { senderClock } from '../../src/wire/sender.ts';
import { afterStall, parseStall } from '../../src/wire/stall.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';
import { take, traffic } from './trafficRig.ts';

const US = 1_000_000;

test('both forms', () => {
  const times = { lenPs: 175 * US, everyPs: 43_800 * US };
  expect(parseStall('traffic stall', '175us/43.8ms')).toEqual({ sends: true, ...times });
  expect(parseStall('traffic stall', 'rx:175us/43.8ms')).toEqual({ sends: false, ...times });
});

test.each([
  ['', 'traffic stall: "" is not understood (LEN/EVERY as in 175us/43.8ms, or rx:175us/43.8ms'],
  ['175us', 'traffic stall: "175us" is not understood'],
  ['tx:175us/43.8ms', 'traffic stall: "tx:175us/43.8ms" is not understood'],
  ['175us/1ms/2', 'traffic stall: "175us/1ms/2" is not understood'],
  ['175/43.8ms', 'traffic stall: "175" is not understood (a number and its unit'],
  ['0us/1ms', 'traffic stall: 0us is out of range'],
  ['1ms/1ms', 'traffic stall: 1ms/1ms is out of range (LEN below EVERY'],
  ['rx:2s/1ms', 'traffic stall: rx:2s/1ms is out of range (LEN below EVERY'],
])('%j is refused', (text, message) => {
  expect(() => parseTraffic(`stall=${text}`)).toThrow(message);
  try {
    parseTraffic(`stall=${text}`);
  } catch (error) {
    expect(error instanceof RangeRefused || error instanceof NotUnderstood).toBe(true);
  }
});

test.each([
  [{ sends: true, lenPs: 5, everyPs: 5 }, 'traffic stall: 5ps/5ps is out of range'],
  [{ sends: true, lenPs: 0.5, everyPs: 5 }, 'traffic stall, in ps: 0.5'],
  [{ sends: true, lenPs: 1, everyPs: NaN }, 'traffic stall, in ps: NaN'],
])('an object out of range, too: %j', (stall, message) => {
  expect(() => planTraffic({ ...parseTraffic(''), stall })).toThrow(message);
});

test('at line rate only what receives can stall', () => {
  const planned = (text: string) => () => planTraffic(parseTraffic(`rate=line ${text}`));
  expect(planned('stall=1us/1ms')).toThrow(
    'traffic stall: 1us/1ms is out of range (with rate=line only rx:',
  );
  expect(planned('stall=rx:1us/1ms queue=8')).not.toThrow();
});

test('a stall is the last LEN of each EVERY', () => {
  const stall = { sends: true, lenPs: 3, everyPs: 10 };
  const after = Array.from({ length: 22 }, (_, at) => afterStall(stall, at));
  expect(after).toEqual([
    ...[0, 1, 2, 3, 4, 5, 6, 10, 10, 10],
    ...[10, 11, 12, 13, 14, 15, 16, 20, 20, 20],
    ...[20, 21],
  ]);
});

/** Starts of the frames of `text` on a link on which the first 72 bytes of each take 5.76 ns. */
function startsUs(text: string, count: number): number[] {
  const { source } = traffic(`size=64 ${text}`, { count });
  const { at } = take(new LinkFeed(new Link(100e9), source), count);
  return at.map((arrival) => (arrival - 72 * 80) / US);
}

test('three frames are due in a stall and leave at its end, back to back', () => {
  // one a microsecond: those due at 7, 8 and 9 leave at 10, before the one that is due then
  expect(startsUs('rate=1Mpps stall=3us/10us', 13)).toEqual([
    ...[0, 1, 2, 3, 4, 5, 6],
    ...[10, 10.00672, 10.01344, 10.02016], // 84 bytes take 6.72 ns
    ...[11, 12],
  ]);
  expect(startsUs('rate=1Mpps stall=rx:3us/10us', 4)).toEqual([0, 1, 2, 3]);
});

test('what comes back in a stall is seen at its end; what arrived then is not late for that', () => {
  const clock = senderClock(planTraffic(parseTraffic('stall=rx:3us/10us')), new Link(100e9))!;
  expect(clock.wayPs(5 * US, 6.5 * US)).toBe(1.5 * US);
  expect(clock.wayPs(5 * US, 7 * US)).toBe(5 * US);
  expect(clock.wayPs(8 * US, 9.9 * US)).toBe(2 * US);
  expect(clock.wayPs(8 * US, 10 * US)).toBe(2 * US);
});

test('made in a queue, seen after a stall', () => {
  const text = 'size=1500 rate=line queue=10 stall=rx:3us/10us';
  const clock = senderClock(planTraffic(parseTraffic(text)), new Link(100e9))!;
  // ten frames of 121.6 ns and 1508 bytes of its own before 5 us; sent at 8, seen at 10
  expect(clock.wayPs(5 * US, 8 * US)).toBe(5 * US + 1_216_000 + 120_640);
});
