/** What a sender's clock adds, by hand: 1500 bytes take 1520 of line time, 121.6 ns at 100 Gb/s. */
import { expect, test } from 'vitest';
import { planTraffic } from '../../src/wire/gen.ts';
import { Link } from '../../src/wire/link.ts';
import { senderClock } from '../../src/wire/sender.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';

const clockOf = (text: string, link: Link) => senderClock(planTraffic(parseTraffic(text)), link);

test('a frame was made when the tenth before it started', () => {
  const clock = clockOf('size=1500 rate=line queue=10', new Link(100e9))!;
  // frame 30 starts at 3,648,000 ps and has arrived 1508 bytes later; frame 20 started at 2,432,000
  const arrived = 30 * 121_600 + 1508 * 80;
  expect(clock.wayPs(arrived, arrived + 5000)).toBe(arrived + 5000 - 20 * 121_600);
  // the tenth was made at 0 as the first was
  for (const i of [10, 9, 1, 0]) {
    const at = i * 121_600 + 1508 * 80;
    expect(clock.wayPs(at, at + 777)).toBe(at + 777);
  }
});

test('a byte that is no whole number of picoseconds, and a cable', () => {
  // at 3 Gb/s a byte takes 2,666 2/3 ps: 256 frames of 84 bytes and 72 of the frame's own
  const ahead = Math.round(((256 * 84 + 72) * 8000) / 3);
  const clock = clockOf('size=64 rate=line queue=256', new Link(3e9, 1_000_000))!;
  expect(clock.wayPs(1e12, 1e12)).toBe(ahead + 1_000_000);
});

test('of several sizes the mean: 7 of 64, 4 of 594 and 1 of 1518', () => {
  const mean = (7 * 84 + 4 * 614 + 1538) / 12;
  const clock = clockOf('size=imix rate=line queue=1000', new Link(100e9))!;
  expect(clock.wayPs(1e12, 1e12)).toBe(Math.round((1001 * mean - 12) * 80));
});

test('who has no queue has no clock of its own', () => {
  expect(clockOf('size=64 rate=line', new Link(100e9))).toBeNull();
});
