/** Maps as they stand in files. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LoneProgram, readObject } from '../../src/lab/bpfObject.ts';
import { InputError } from '../../src/lab/inputError.ts';
import { mapsFile, restoreMaps } from '../../src/lab/mapState.ts';
import type { BpfMap } from '../../src/xdp/maps/bpfMap.ts';

function nested(): Readonly<Record<string, BpfMap>> {
  const bytes = readFileSync(new URL('../bpf/map_in_map.o', import.meta.url));
  const {
    first,
    second,
    by_index: byIndex,
  } = new LoneProgram(readObject('m.o', bytes)).collection.maps as {
    first: BpfMap;
    second: BpfMap;
    by_index: BpfMap;
  };
  // names that the kernel would cut to the same 15 characters
  return { a_very_long_name_1: first, a_very_long_name_2: second, by_index: byIndex };
}

test('maps inside of maps have the names of the object, whatever the kernel keeps of them', () => {
  const file = mapsFile(nested(), {}, 'by_index');
  expect(file.maps).toHaveLength(1);
  expect(file.maps[0]!.elems.map(({ key, name }) => [key, name])).toEqual([
    ['00000000', 'a_very_long_name_1'],
    ['02000000', 'a_very_long_name_2'],
  ]);
  const other = nested();
  const elem = { key: '01000000', value: '00000000', name: 'a_very_long_name_2' };
  restoreMaps('f', { ...file, maps: [{ ...file.maps[0]!, elems: [elem] }] }, other);
  const restored = mapsFile(other, {}, 'by_index').maps[0]!.elems;
  expect(restored.map(({ key, name }) => [key, name])).toEqual([['01000000', elem.name]]);
});

test('an inner map that nobody knows is refused', () => {
  const file = mapsFile(nested(), {}, 'by_index');
  const elems = (name?: string): typeof file => {
    const elem = { key: '00000000', value: '01000000', ...(name && { name }) };
    return { ...file, maps: [{ ...file.maps[0]!, elems: [elem] }] };
  };
  const names = 'a_very_long_name_1, a_very_long_name_2, by_index';
  expect(() => restoreMaps('f', elems(), nested())).toThrow(
    new InputError(`f: map by_index, key 00000000: needs a name, one of ${names}`),
  );
  expect(() => restoreMaps('f', elems('toString'), nested())).toThrow(', not toString');
});
