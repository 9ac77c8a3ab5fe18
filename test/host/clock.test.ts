import { describe, expect, test } from 'vitest';
import { END_OF_TIME, PS_PER_SEC, VirtualClock, checkedPs } from '../../src/host/clock.ts';

/** Three alarms that note when they ring. */
function rig() {
  const clock = new VirtualClock();
  const rung: [string, number][] = [];
  const alarm = (name: string) => clock.alarm((at) => rung.push([name, at]));
  return { clock, rung, a: alarm('a'), b: alarm('b'), c: alarm('c') };
}

describe('alarms', () => {
  test('ring in the order of time; together due, in the order they were made', () => {
    const { clock, rung, a, b, c } = rig();
    c.set(50);
    b.set(70);
    a.set(70);
    while (clock.nextAt() < Infinity) clock.ringNext();
    expect(rung).toEqual([
      ['c', 50],
      ['a', 70],
      ['b', 70],
    ]);
  });

  test('ring once for each time they are set; the last setting counts', () => {
    const { clock, rung, a } = rig();
    a.set(10);
    a.set(20);
    expect(clock.nextAt()).toBe(20);
    clock.ringNext();
    clock.ringNext();
    expect(a.armed).toBe(false);
    a.set(30);
    clock.ringNext();
    expect(rung).toEqual([
      ['a', 20],
      ['a', 30],
    ]);
  });

  test('a cancelled alarm stays silent', () => {
    const { clock, rung, a, b } = rig();
    a.set(1);
    b.set(2);
    a.cancel();
    clock.ringNext();
    clock.ringNext();
    expect(rung).toEqual([['b', 2]]);
    expect(clock.nextAt()).toBe(Infinity);
  });

  test('an alarm may set itself while it rings', () => {
    const clock = new VirtualClock();
    const rung: number[] = [];
    const tick = clock.alarm((at) => {
      rung.push(at);
      if (at < 30) tick.set(at + 10);
    });
    tick.set(10);
    while (clock.nextAt() < Infinity) clock.ringNext();
    expect(rung).toEqual([10, 20, 30]);
  });
});

describe('points in time', () => {
  test('are whole picoseconds that a double can count', () => {
    expect(checkedPs('duration', 1.5)).toBe(2);
    expect(checkedPs('duration', END_OF_TIME - 1)).toBe(2 ** 53 - 1);
    expect(END_OF_TIME + 1).toBe(END_OF_TIME); // the first one it cannot count past
  });

  test.each([-1, NaN, Infinity, END_OF_TIME])('%s is refused with the range', (ps) => {
    const hours = Math.floor(END_OF_TIME / PS_PER_SEC);
    expect(() => checkedPs('duration', ps)).toThrow(
      `duration: ${ps / PS_PER_SEC} s is out of range (0 to ${hours} s)`,
    );
  });
});
