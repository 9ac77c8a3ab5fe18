import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readElf } from '../../../src/xdp/elf/elf.ts';
import { BtfError } from '../../../src/xdp/elf/objectError.ts';
import { readBtf, readBtfFile } from '../../../src/xdp/btf/btf.ts';
import type { Btf } from '../../../src/xdp/btf/btf.ts';
import { readBtfExt } from '../../../src/xdp/btf/ext.ts';
import type { BtfType } from '../../../src/xdp/btf/types.ts';
import { objectBytes } from '../elf/objects.ts';
import { asBpftool } from './asBpftool.ts';
import { btfBytes } from './btfBytes.ts';

const vectors = new URL('../../vectors/btf/', import.meta.url);
const judge = readFileSync(new URL('bpftool.version', vectors), 'utf8').trim();

function partOf(object: string, name: string) {
  const section = readElf(objectBytes(object), `${object}.o`).sections.find((s) => s.name === name);
  return section!.part;
}

const btfOf = (object: string): Btf => readBtf(partOf(object, '.BTF'));

test.each([
  'counter-14',
  'counter-19',
  'core-16',
  'core-19',
  'maps-14',
  'sections',
  'types',
  'kernel',
])(`every type of %s.o reads as ${judge} reads it`, (object) => {
  const text = readFileSync(new URL(`${object}.json`, vectors), 'utf8');
  const { types } = JSON.parse(text) as { types: readonly object[] };
  expect([...btfOf(object).all()].map(asBpftool)).toEqual(types);
});

test('values of 64-bit enumerations are exact', () => {
  const wide = btfOf('types').find('wide', 'enum');
  expect(wide?.values).toEqual([
    { name: 'NARROW', value: 1 },
    { name: 'WIDE', value: 0xffffffffffffffffn },
  ]);
});

test('functions and lines of instructions', () => {
  const btf = btfOf('counter-19');
  const { funcs, lines, core } = readBtfExt(partOf('counter-19', '.BTF.ext'), btf);
  const name = (id: number): string => btf.type(id).name;

  expect([...funcs.keys()].toSorted()).toEqual(['.text', 'xdp']);
  expect(funcs.get('xdp')!.map(({ offset, type }) => [offset, name(type)])).toEqual([
    [0, 'count'],
    [0x1c8, 'count_twice'],
  ]);
  const first = lines.get('xdp')![0]!;
  expect(first.text.trim()).toBe('int count(struct xdp_md *ctx)');
  expect(first.file).toMatch(/counter\.bpf\.c$/);
  expect(first).toMatchObject({ offset: 0, line: 59 });
  expect(core.size).toBe(0);
  expect(readBtfExt(partOf('core-16', '.BTF.ext'), btfOf('core-16')).core.get('xdp')!.length).toBe(
    36,
  );
});

test('names lead to types', () => {
  const btf = btfOf('types');
  expect(
    btf
      .find('shape', 'struct')
      ?.members.map(({ name }) => name)
      .slice(0, 3),
  ).toEqual(['set', 'level', 'wide']);
  expect(btf.find('shape', 'union')).toBeNull();
  expect(btf.sizeOf(btf.find('key', 'struct')!.id)).toBe(10);
  expect(
    btf.sizeOf(btf.find('grid', 'struct')?.id ?? btf.find('shape', 'struct')!.members[7]!.type),
  ).toBe(12);
});

const refused = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof BtfError) return error.message;
    throw error;
  }
  return 'read';
};

const INT = [0, 1 << 24, 4, 32];
const typedefTo = (id: number) => [0, 8 << 24, id];
const arrayOf = (id: number, count: number) => [0, 3 << 24, 0, id, 1, count];

test.each<[string, readonly (readonly number[])[], (btf: Btf) => unknown, string]>([
  ['typedefs in a circle', [typedefTo(2), typedefTo(1)], (b) => b.resolve(1), 'typedefs in a row'],
  ['an array of itself', [arrayOf(1, 1)], (b) => b.sizeOf(1), 'more than 32 dimensions'],
  [
    'a giant',
    [INT, arrayOf(1, 2 ** 31)],
    (b) => b.sizeOf(2),
    '8589934592 bytes; 2147483648 at most',
  ],
  ['a type nowhere', [typedefTo(7)], (b) => b.resolve(1), 'type 7 does not exist; there are 2'],
  ['a name nowhere', [[99, 1 << 24, 4, 32]], (b) => b.type(1), 'a name starts here, outside'],
  ['an unknown kind', [[0, 31 << 24, 4]], (b) => b, 'a type of kind 31, which is not known'],
  ['more members than bytes', [[0, (4 << 24) | 0xffff, 4]], (b) => b, 'cut short or damaged'],
  ['no size', [[0, 13 << 24, 0]], (b) => b.sizeOf(1), 'type 1: a funcProto has no size'],
])('%s is refused', (_, types, use, message) => {
  expect(refused(() => use(readBtfFile(btfBytes(types), 'f')))).toContain(message);
});

test.each<[string, number, number, string]>([
  ['magic', 0, 0x1234, 'f: BTF, offset 0x0: magic 0x1234, not BTF'],
  ['byte order', 0, 0x9feb, 'big-endian type information'],
  ['version', 2, 7, 'version 7 of BTF; 1 is known'],
  ['header', 4, 8, 'a header of 8 bytes; 24 needed'],
  ['length of types', 12, 9999, 'cut short or damaged'],
])('a wrong %s is refused', (_, at, value, message) => {
  const bytes = btfBytes([INT]);
  new DataView(bytes.buffer).setUint16(at, value, true);
  expect(refused(() => readBtfFile(bytes, 'f'))).toContain(message);
});

test('type information cut anywhere is refused by name', () => {
  const section = partOf('types', '.BTF').bytes;
  for (let length = 0; length < section.length; length += 3) {
    const message = refused(() => [...readBtfFile(section.subarray(0, length), 'f').all()]);
    expect([length, message.startsWith('f: BTF')]).toEqual([length, true]);
  }
});

test('all kinds were met', () => {
  const kinds = new Set<BtfType['kind']>();
  for (const object of ['types', 'counter-19', 'sections']) {
    for (const { kind } of btfOf(object).all()) kinds.add(kind);
  }
  expect([...kinds].toSorted()).toEqual(
    ['array', 'const', 'datasec', 'declTag', 'enum', 'float', 'func', 'funcProto', 'fwd', 'int']
      .concat(['ptr', 'restrict', 'struct', 'typeTag', 'typedef', 'union', 'var', 'volatile'])
      .toSorted(),
  );
});
