/** Why the stack drops a frame, as Linux 6.18 says it: `scripts/record-stack-drops.py` recorded the kernel's answers. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DROP_CASES, FRAGMENT_CASES } from './dropCases.ts';
import { PS_PER_SEC } from '../../src/host/clock.ts';
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

const pieces = JSON.parse(
  readFileSync(new URL('../vectors/fragmentDrops.json', import.meta.url), 'utf8'),
) as Record<string, { frames: string[]; reason: string }>;

test('Linux has judged the fragments as they are now', () => {
  const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');
  const now = Object.entries(FRAGMENT_CASES).map(([name, list]) => [name, list.map(hex)]);
  expect(Object.entries(pieces).map(([name, { frames }]) => [name, frames])).toEqual(now);
});

test.each(Object.entries(FRAGMENT_CASES))('fragments: %s', (name, frames) => {
  const before = new InetRig(frames.slice(0, -1)).run(PS_PER_SEC).lost;
  expect(before).toEqual({});
  const rig = new InetRig(frames).run(PS_PER_SEC);
  const { reason } = pieces[name]!;
  // what spoils a packet takes all of it along
  const lost = reason === 'NOT_SPECIFIED' ? frames.length : 1;
  expect(rig.lost).toEqual(reason === 'WAITS' ? {} : { [reason]: lost });
  expect(rig.snmp['Ip']!['ReasmFails']! + rig.snmp['Ip6']!['ReasmFails']!).toBe(
    reason === 'NOT_SPECIFIED' && name !== 'IPv6: an odd length' ? 1 : 0,
  );
});
