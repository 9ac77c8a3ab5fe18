import pc from 'picocolors';
import { expect, test } from 'vitest';
import { Progress } from '../../src/cli/progress.ts';

function rig(live: boolean): { said: string[]; at: (ms: number) => void; progress: Progress } {
  const said: string[] = [];
  let now = 0;
  const terminal = {
    out: () => {},
    err: (text: string) => void said.push(text),
    colors: pc.createColors(false),
    live,
  };
  return { said, at: (ms) => (now = ms), progress: new Progress(terminal, () => now) };
}

test('a run of half a second shows nothing, a longer one a line five times a second', () => {
  const { said, at, progress } = rig(true);
  for (let ms = 0; ms <= 1000; ms += 10) {
    at(ms);
    progress.update(ms * 1000, 2_000_000, ms * 10);
  }
  progress.clear();
  expect(said).toEqual([
    '\r\u001b[K500,000 of 2,000,000 packets, 5 µs',
    '\r\u001b[K700,000 of 2,000,000 packets, 7 µs',
    '\r\u001b[K900,000 of 2,000,000 packets, 9 µs',
    '\r\u001b[K',
  ]);
});

test('a pipe sees nothing', () => {
  const { said, at, progress } = rig(false);
  at(10_000);
  progress.update(5, undefined, 5);
  progress.clear();
  expect(said).toEqual([]);
});
