/** Why the stack drops a frame, as Linux 6.18 says it: `scripts/record-stack-drops.py` recorded the kernel's answers. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DROP_CASES } from './dropCases.ts';
import { BALANCED, InetRig } from './inetRig.ts';

const linux = JSON.parse(
  readFileSync(new URL('../vectors/stackDrops.json', import.meta.url), 'utf8'),
) as Record<string, { frame: string; reason: string }>;

test('Linux has judged each case as it is now', () => {
  const now = Object.entries(DROP_CASES).map(([name, frame]) => [
    name,
    Buffer.from(frame).toString('hex'),
  ]);
  expect(Object.entries(linux).map(([name, { frame }]) => [name, frame])).toEqual(now);
});

test.each(Object.entries(DROP_CASES))('%s', (name, frame) => {
  const rig = new InetRig([frame]).run();
  expect(Object.keys(rig.lost)[0] ?? 'CONSUMED').toBe(linux[name]!.reason);
  expect(rig.books).toEqual(BALANCED);
});
