import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import type { RunProgress } from '../../src/lab/observe.ts';
import { observeRun } from '../../src/lab/observe.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';

const unread = (): Promise<never> => Promise.reject(new Error('nothing to read'));
const io = { readFile: unread, importProgram: unread, nowMs: () => 0 };
const options = (flags: Readonly<Record<string, unknown>>) => readOptions([fromFlags(flags)]);

test('progress never goes back and ends at the frames asked for; then comes the outcome', async () => {
  const events = await lastValueFrom(
    observeRun(options({ xdp: 'drop', count: 2000 }), io).pipe(toArray()),
  );
  const last = events.pop()!;
  const progress = events as RunProgress[];
  expect(progress.every(({ kind, total }) => kind === 'progress' && total === 2000)).toBe(true);
  const offered = progress.map((event) => event.offered);
  expect(offered).toEqual(offered.toSorted((a, b) => a - b));
  expect([offered[0]! < 2000, offered.at(-1)]).toEqual([true, 2000]);
  expect(last.kind === 'done' && last.outcome.report.packets.xdpDrop).toBe(2000);
});

test('what a run refuses is the error of its stream', async () => {
  const stream = observeRun(options({ xdp: 'no-such' }), io);
  await expect(firstValueFrom(stream)).rejects.toThrow(/no-such is no example/);
});
