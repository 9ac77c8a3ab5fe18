/** Types that the kernel does not load, with the words of its log (kernel/bpf/btf.c); and what follows. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { verifyObject } from '../../../src/lab/bpfVerify.ts';
import type { Btf } from '../../../src/xdp/btf/btf.ts';
import { readBtfFile } from '../../../src/xdp/btf/btf.ts';
import { kernelFault } from '../../../src/xdp/btf/kernelCheck.ts';
import { specialFields } from '../../../src/xdp/btf/specialFields.ts';
import { ObjectFile } from '../../../src/xdp/loader/objectFile.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { btfBytes } from './btfBytes.ts';

const STRINGS = '\0int\0a b\0x\0';
const INT_NAME = 1;
const BAD_NAME = 5;
const X = 9;
/** `int`, 32 bits, signed: type 1 of every case. */
const INT = [INT_NAME, 1 << 24, 4, (1 << 24) | 32];
const kind = (number: number, vlen = 0): number => (number << 24) | vlen;

const types = (...more: readonly (readonly number[])[]): Btf =>
  readBtfFile(btfBytes([INT, ...more], STRINGS), 'case');

it.each<[name: string, types: readonly (readonly number[])[], says: string | null]>([
  ['an int', [], null],
  ['reserved bits', [[0, kind(2) | 0x20000000, 1]], '[2] Invalid btf_info:22000000'],
  ['a pointer of three', [[0, kind(2, 3), 1]], '[2] vlen != 0'],
  ['a flag', [[0, kind(2) | (1 << 31), 1]], '[2] Invalid btf_info kind_flag'],
  ['a pointer with a name', [[X, kind(2), 1]], '[2] Invalid name'],
  ['a typedef without', [[0, kind(8), 1]], '[2] Invalid name'],
  ['a blank in a name', [[BAD_NAME, kind(8), 1]], '[2] Invalid name'],
  ['an int too wide', [[X, kind(1), 2, 32]], '[2] nr_bits exceeds type_size'],
  ['two encodings', [[X, kind(1), 4, (3 << 24) | 32]], '[2] Unsupported encoding'],
  ['a float of 3 bytes', [[X, kind(16), 3]], '[2] Invalid type_size'],
  ['an enum of 3 bytes', [[X, kind(6), 3]], '[2] Unexpected size'],
  [
    'an array by pointers',
    [
      [0, kind(2), 1],
      [0, kind(3), 0, 1, 2, 4],
    ],
    '[3] Invalid index',
  ],
  [
    'members that go back',
    [[X, kind(4, 2), 8, X, 1, 32, X, 1, 0]],
    '[2] Invalid member bits_offset',
  ],
  [
    'a member beyond the end',
    [
      [0, kind(2), 1],
      [X, kind(4, 1), 8, X, 2, 32],
    ],
    '[3] Member exceeds struct_size',
  ],
  ['a struct in itself', [[X, kind(4, 1), 4, X, 2, 0]], '[2] Loop detected'],
  [
    'a variable of a variable',
    [
      [X, kind(14), 1, 1],
      [X, kind(14), 2, 1],
    ],
    '[3] Invalid type_id',
  ],
  ['a function of an int', [[X, kind(12), 1]], '[2] Invalid type_id'],
  [
    'a parameter without a name',
    [
      [0, kind(13, 1), 1, 0, 1],
      [X, kind(12), 2],
    ],
    '[3] Invalid arg#1',
  ],
])('%s', (_, more, says) => {
  expect(kernelFault(types(...more))).toBe(says);
});

it('a type that does not exist', () => {
  expect(types([0, kind(2), 7]).loads).toBe(false);
});

it('structs in structs, twice each, 30 deep: one look at each, and not a thousand million', () => {
  const strings = '\0int\0a b\0x\0bpf_spin_lock\0y\0z\0';
  const [y, z] = [strings.indexOf('\0y') + 1, strings.indexOf('\0z') + 1];
  const lock = [strings.indexOf('bpf'), kind(4, 1), 4, X, 1, 0];
  // type 3 is struct { int x, y }; type n holds two of the type before
  const nested = Array.from({ length: 28 }, (_, i) => {
    const [bytes, part] = [8 * 2 ** i, i === 0 ? 1 : i + 2];
    return [0, kind(4, 2), bytes, X, part, 0, y, part, bytes >= 2 ** 29 ? 0 : bytes * 4];
  });
  const holder = [0, kind(4, 2), 2 ** 31 - 4, X, 2, 0, z, nested.length + 2, 32];
  const btf = readBtfFile(btfBytes([INT, lock, ...nested, holder], strings), 'case');
  expect(kernelFault(btf)).toBe(null);
  expect(specialFields(btf, nested.length + 3)).toEqual([{ kind: 'spin_lock', at: 0, bytes: 4 }]);
});

const FOLDERS = ['../../../examples/bpf/', '../../bpf/', '../../bpf/refused/'];

it.each(FOLDERS)('what compilers write is taken: %s', (folder) => {
  const at = new URL(folder, import.meta.url);
  for (const name of readdirSync(at).filter((file) => file.endsWith('.o'))) {
    const { btf } = new ObjectFile(readFileSync(new URL(name, at)), name);
    expect([name, btf === null ? null : kernelFault(btf)]).toEqual([name, null]);
  }
});

it('without them a map has no lock', () => {
  const file = 'spin_lock.o';
  const bytes = readFileSync(new URL(`../../bpf/${file}`, import.meta.url));
  const section = new ObjectFile(bytes, file).section('.BTF')!.part;
  // of the first type, a bit that means nothing
  section.bytes[24 + 7] = section.bytes[24 + 7]! | 0x20;
  const spec = parseElf(bytes, { file });
  const [verdict] = verifyObject(spec, Object.values(spec.programs).slice(0, 1));
  expect(verdict!.accepted).toBe(false);
  expect(verdict!.message).toMatch(/^map '\w+' has to have BTF in order to use bpf_spin_lock$/);
});
