/** Maps larger than a file of them may be: runs go on, and what cannot be listed says so. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chooseProgram, readObject } from '../../src/lab/bpfObject.ts';
import { run } from '../../src/lab/given.ts';
import { InputError } from '../../src/lab/inputError.ts';
import { objectXdp } from '../../src/xdp/objectProgram.ts';

const FILE = new URL('../../examples/bpf/tail_calls.o', import.meta.url);

async function runWith(entries: number): ReturnType<typeof run> {
  const spec = readObject('tail_calls.o', readFileSync(FILE));
  spec.maps['by_proto']!.maxEntries = entries;
  return run({ xdp: objectXdp(spec, chooseProgram(spec, {})), count: 3, traffic: 'udp' });
}

test('2^20 elements in all are the most', async () => {
  const outcome = await runWith(2 ** 20 + 1);
  expect(outcome.report.packets.offered).toBe(3);
  expect(() => outcome.maps).toThrow(InputError);
  expect(() => outcome.maps).toThrow(
    'map by_proto: a maps file takes at most 1048576 elements and 67108864 bytes of all maps',
  );
});

test('what is small is listed in full', async () => {
  const { maps } = (await runWith(300)).maps;
  expect(maps.map(({ name, elems }) => [name, elems.length])).toEqual([
    ['stages', 3],
    ['by_proto', 300],
  ]);
});
