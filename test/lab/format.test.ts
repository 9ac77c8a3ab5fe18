import { expect, test } from 'vitest';
import { count, duration, percent, plural, rate, share } from '../../src/lab/format.ts';

test('counts have thousands separators', () => {
  expect([0, 999, 1000, 1234567, -4321].map(count)).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567',
    '-4,321',
  ]);
});

test('rates and durations take the unit that fits', () => {
  expect([0, 12, 1000, 14_880_000, 148_809_524, 2e9].map(rate)).toEqual([
    '0 pps',
    '12 pps',
    '1 kpps',
    '14.88 Mpps',
    '148.8 Mpps',
    '2 Gpps',
  ]);
  expect([0, 812, 1240, 151_000, 3_100_000, 9_007e9].map(duration)).toEqual([
    '0 ns',
    '812 ns',
    '1.24 µs',
    '151 µs',
    '3.10 ms',
    '9,007 s',
  ]);
});

test('what rounds to a thousand of a unit is one of the next', () => {
  expect([999_949, 999_950, 999_999].map(rate)).toEqual(['999.9 kpps', '1.00 Mpps', '1.00 Mpps']);
  expect([999.9, 999.96].map(duration)).toEqual(['999.9 ns', '1.00 µs']);
});

test('a share rounds to nothing or all only when it is', () => {
  expect([0, 1, 500, 99_999, 100_000].map((n) => share(n, 100_000))).toEqual([
    '0 %',
    '<0.01 %',
    '0.50 %',
    '>99.99 %',
    '100 %',
  ]);
  expect(share(5, 0)).toBe('0 %');
  expect(percent(12.34, 1)).toBe('12.3 %');
});

test('one is singular', () => {
  expect([plural(1, 'queue'), plural(2, 'queue')]).toEqual(['1 queue', '2 queues']);
});
