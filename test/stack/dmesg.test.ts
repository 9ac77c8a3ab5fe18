import { expect, test } from 'vitest';
import { Dmesg } from '../../src/stack/dmesg.ts';

test('a complaint is said once for its place, with the numbers of its first time', () => {
  const dmesg = new Dmesg();
  dmesg.once('eth0: returned 65', 'returned');
  dmesg.once('eth0: returned 66', 'returned');
  dmesg.once('eth0: down');
  dmesg.once('eth0: down');
  expect(dmesg.lines).toEqual(['eth0: returned 65', 'eth0: down']);
});

test('the log is bounded', () => {
  const dmesg = new Dmesg();
  for (let i = 0; i < 1500; i++) dmesg.once(`line ${i}`);
  expect(dmesg.lines.length).toBe(1000);
});
