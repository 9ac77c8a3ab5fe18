/** Byte queue limits, by the rules of lib/dynamic_queue_limits.c worked out by hand. */
import { expect, test } from 'vitest';
import { Dql } from '../../src/stack/dql.ts';

test('a fresh limit is zero: the first packet passes it', () => {
  const dql = new Dql(1000);
  expect(dql.avail).toBe(0);
  dql.queued(100);
  expect(dql.avail).toBe(-100);
});

test('a queue that ran dry while senders were held back gets what they were over', () => {
  const dql = new Dql(1000);
  dql.queued(100);
  dql.completed(100, 0); // over by 100 and nothing left: starved
  expect(dql.limit).toBe(100);
  dql.queued(100);
  dql.queued(100); // 100 over the new limit
  dql.completed(200, 1);
  // completed - what was queued at the last completion (100): 200 more, nothing over then
  expect(dql.limit).toBe(300);
  expect(dql.avail).toBe(300);
});

test('a queue that stays busy gives up its smallest surplus after the hold time', () => {
  const dql = new Dql(10);
  dql.limit = 1000;
  dql.queued(400);
  dql.completed(100, 0);
  dql.queued(100);
  dql.completed(100, 1); // 1000 - 2 * 100: 800 to spare
  dql.queued(100);
  dql.completed(150, 5); // 700 to spare
  expect(dql.limit).toBe(1000);
  dql.queued(100);
  dql.completed(100, 11);
  expect(dql.limit).toBe(300);
});

test('a reset forgets everything', () => {
  const dql = new Dql(10);
  dql.queued(500);
  dql.completed(500, 0);
  dql.reset(100);
  expect([dql.limit, dql.avail, dql.numQueued, dql.numCompleted]).toEqual([0, 0, 0, 0]);
});

test('and watches for a surplus anew from then on', () => {
  const dql = new Dql(10);
  dql.reset(100);
  dql.limit = 1000;
  dql.queued(400);
  dql.completed(100, 101);
  dql.queued(100);
  dql.completed(100, 110); // 800 to spare, but not for longer than ten ticks
  expect(dql.limit).toBe(1000);
  dql.queued(100);
  dql.completed(100, 111);
  expect(dql.limit).toBe(200);
});
