import { expect, test } from 'vitest';
import { HostMemory } from '../../src/host/memory.ts';
import { LANE_BYTES, Lane } from '../../src/nic/lane.ts';
import { ArrivalBlock } from '../../src/wire/frames.ts';

const mem = new HostMemory(2 ** 20);

/** Frame numbers from `first`, arriving at ten times their number. */
function block(first: number, count: number): ArrivalBlock {
  const at = mem.region('block', count * 12).at;
  const frames = new ArrivalBlock(mem.doublesAt(at, count), mem.wordsAt(at + count * 8, count));
  for (let i = 0; i < count; i++) {
    frames.frame[i] = first + i;
    frames.at[i] = (first + i) * 10;
  }
  return frames;
}

function takeAll(lane: Lane): number[] {
  const taken: number[] = [];
  while (lane.size > 0) {
    expect(lane.headAt()).toBe(lane.frame[lane.head & lane.mask]! * 10);
    taken.push(lane.take());
  }
  return taken;
}

function newLane(): Lane {
  return new Lane(0, mem, mem.region('lane', LANE_BYTES).at);
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

test.each([0, 1, 700, 2047])(
  'a lane that grows for a run, its head at %i, holds what it held and the run',
  (head) => {
    const lane = newLane();
    for (let n = 0; n < head; n++) {
      lane.push(n * 10, n);
      lane.take();
    }
    const waiting = block(head, 1924); // not full: 124 places are free
    lane.pushRun(waiting, 0, 1924);
    const run = block(head + 1924, 256);
    lane.pushRun(run, 0, 256);
    expect(lane.inHostMemory).toBe(false);
    expect(lane.size).toBe(2180);
    expect(takeAll(lane)).toEqual(numbers(head, head + 2180));
    lane.pushRun(run, 0, 1);
    expect(lane.inHostMemory).toBe(true); // empty in between, it has moved back
  },
);

test('single frames and runs, short and long, come out in order', () => {
  const lane = newLane();
  let pushed = 0;
  let taken = 0;
  for (const count of [1, 31, 32, 256, 3, 200, 256, 256, 256, 256, 1, 256]) {
    lane.pushRun(block(pushed, count), 0, count);
    pushed += count;
    for (let i = 0; i < 40 && lane.size > 0; i++) expect(lane.take()).toBe(taken++);
  }
  expect(takeAll(lane)).toEqual(numbers(taken, pushed));
});
