import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Btf } from '../../../src/xdp/btf/btf.ts';
import { readBtf, readBtfFile } from '../../../src/xdp/btf/btf.ts';
import { readValue } from '../../../src/xdp/btf/readValue.ts';
import type { BtfInput } from '../../../src/xdp/btf/value.ts';
import { ValueRefused } from '../../../src/xdp/btf/value.ts';
import { writeValue } from '../../../src/xdp/btf/writeValue.ts';
import { BtfError } from '../../../src/xdp/elf/objectError.ts';
import { readElf } from '../../../src/xdp/elf/elf.ts';
import { objectBytes } from '../elf/objects.ts';
import { btfBytes } from './btfBytes.ts';

const section = readElf(objectBytes('types'), 'types.o').sections.find(
  ({ name }) => name === '.BTF',
)!;
const btf: Btf = readBtf(section.part);
const SHAPE = btf.find('shape', 'struct')!.id;
const KEY = btf.find('key', 'struct')!.id;

/** `struct shape` of test/objects/types.bpf.c, by hand: offsets as the C compiler lays them out. */
function shapeBytes(): Uint8Array {
  const bytes = new Uint8Array(112);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setInt32(4, -1, true);
  view.setBigUint64(8, 0xffffffffffffffffn, true);
  view.setFloat64(16, 1.5, true);
  view.setFloat32(24, 0.25, true);
  view.setBigInt64(32, -5n, true);
  view.setBigUint64(40, 1n << 63n, true);
  [1, 2, 3, 4, 5, 65535].forEach((value, i) => view.setUint16(48 + 2 * i, value, true));
  view.setUint32(60, 0x01020304, true);
  // three: 5 in bits 2:0, minus: -3 in 7:3, forty in 47:8, rest in 63:48
  view.setBigUint64(64, 5n | (29n << 3n) | (0xabcdef0123n << 8n) | (0xfffen << 48n), true);
  view.setBigUint64(72, 0x1000n, true);
  view.setUint32(88, 7, true);
  view.setBigUint64(96, 1n, true);
  view.setBigUint64(104, 2n, true);
  return bytes;
}

const shape = {
  set: true,
  level: 'LOW',
  wide: 'WIDE',
  number: 1.5,
  small: 0.25,
  negative: -5,
  huge: 1n << 63n,
  grid: [
    [1, 2, 3],
    [4, 5, 65535],
  ],
  word: 0x01020304,
  bytes: [4, 3, 2, 1],
  bits: { three: 5, minus: -3, forty: 0xabcdef0123, rest: 0xfffe },
  pointer: 0x1000,
  tagged: 0,
  lock: { val: 7 },
  large: (2n << 64n) + 1n,
};

test('a struct of everything: read and written', () => {
  expect(readValue(btf, SHAPE, shapeBytes())).toEqual(shape);
  expect(writeValue(btf, SHAPE, shape, 'shape')).toEqual(shapeBytes());
});

test('text, packed members, and network byte order', () => {
  const key = Uint8Array.of(6, ...Buffer.from('eth0\0\0\0'), 0x01, 0xbb);
  expect(readValue(btf, KEY, key)).toEqual({ proto: 6, name: 'eth0', port: 443 });
  expect(writeValue(btf, KEY, { proto: 6, name: 'eth0', port: 443 }, 'key')).toEqual(key);
});

test('what is no text is numbers, so that nothing is lost', () => {
  const key = Uint8Array.of(6, 104, 105, 0, 1, 0, 0, 0, 0, 0);
  expect(readValue(btf, KEY, key)).toMatchObject({ name: [104, 105, 0, 1, 0, 0, 0] });
  const latin = Uint8Array.of(6, 0xff, 0, 0, 0, 0, 0, 0, 0, 0);
  const value = readValue(btf, KEY, latin);
  expect(value).toMatchObject({ name: [-1, 0, 0, 0, 0, 0, 0] });
  expect(writeValue(btf, KEY, value as BtfInput, 'key')).toEqual(latin);
});

test('members and elements left out are zero; bytes stand for any value', () => {
  expect(writeValue(btf, KEY, { proto: 17 }, 'key')).toEqual(
    Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  const grid = writeValue(btf, SHAPE, { grid: [[], [9]] }, 'shape').subarray(48, 60);
  expect([...grid]).toEqual([0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
  const bytes = shapeBytes();
  expect(writeValue(btf, SHAPE, bytes, 'shape')).toEqual(bytes);
  expect(writeValue(btf, SHAPE, { lock: Uint8Array.of(1, 2, 3, 4) }, 'shape')[90]).toBe(3);
});

describe('what does not fit is refused by the place it was meant for', () => {
  test.each<[string, BtfInput]>([
    ['key.proto: 256 is out of range (0 to 255)', { proto: 256 }],
    ['key.proto: -1 is out of range (0 to 255)', { proto: -1 }],
    ['key.proto: 1.5 is no exact integer; a bigint is, beyond 2^53', { proto: 1.5 }],
    ['key.proto: "6" is no number', { proto: '6' }],
    ['key: there is no member prot; there are proto, name, port', { prot: 6 }],
    ['key: 6 where a struct of proto, name, port is wanted', 6],
    ['key.name: 8 elements; 7 at most', { name: 'wlp0s20f' }],
    ['key.name[1]: 300 is out of range (-128 to 127)', { name: [1, 300] }],
    ['key.port: 65536 is out of range (0 to 65535)', { port: 65536 }],
    ['key: 3 bytes, not 10', new Uint8Array(3)],
  ])('%s', (message, value) => {
    expect(() => writeValue(btf, KEY, value, 'key')).toThrow(ValueRefused);
    expect(() => writeValue(btf, KEY, value, 'key')).toThrow(message);
  });

  test.each<[string, BtfInput]>([
    ['shape.level: MEDIUM is none of LOW, MIDDLE, HIGH', { level: 'MEDIUM' }],
    ['shape.bits.minus: 16 is out of range (-16 to 15)', { bits: { minus: 16 } }],
    ['shape.grid[1]: 4 elements; 3 at most', { grid: [[], [1, 2, 3, 4]] }],
    ['shape.grid: "text" where an array of numbers is wanted', { grid: 'text' }],
    ['shape.number: "1" is no number', { number: '1' }],
  ])('%s', (message, value) => {
    expect(() => writeValue(btf, SHAPE, value, 'shape')).toThrow(message);
  });
});

test('every value that is written is read again', () => {
  const signed = (bits: number) =>
    fc.bigInt(-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n);
  const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
  const value = fc.record({
    set: fc.boolean(),
    level: fc.oneof(
      fc.constantFrom('LOW', 'MIDDLE', 'HIGH'),
      fc.integer({ min: 8, max: 2 ** 31 - 1 }),
    ),
    number: fc.double({ noNaN: true }),
    negative: signed(64).map(exact),
    huge: fc.bigInt(0n, (1n << 64n) - 1n).map(exact),
    grid: fc.array(fc.array(fc.nat(65535), { minLength: 3, maxLength: 3 }), {
      minLength: 2,
      maxLength: 2,
    }),
    bits: fc.record({
      three: fc.nat(7),
      minus: signed(5).map(Number),
      forty: fc.bigInt(0n, (1n << 40n) - 1n).map(Number),
      rest: fc.nat(65535),
    }),
    large: signed(128).map(exact),
  });
  fc.assert(
    fc.property(value, (given) => {
      expect(readValue(btf, SHAPE, writeValue(btf, SHAPE, given, 'shape'))).toMatchObject(given);
    }),
  );
});

const INT = [1, 1 << 24, 4, 32];

test.each<[string, readonly (readonly number[])[], string]>([
  // struct s { struct s; }, of 4 bytes, inside itself
  ['a struct inside itself', [[0, (4 << 24) | 1, 4, 1, 1, 0]], 'values nested deeper than 64'],
  [
    'a member over the end',
    [[0, (4 << 24) | 1, 4, 1, 2, 64], INT],
    'reaches over the 8 of the whole',
  ],
  ['an endless array', [[0, 3 << 24, 0, 2, 2, 2 ** 28], INT], 'bytes a value; there are 8'],
  [
    'an array of nothing',
    [[0, 3 << 24, 0, 2, 3, 2 ** 31], [0, 4 << 24, 0], INT],
    'over 1048576 parts',
  ],
])('hostile types: %s', (_, types, message) => {
  const hostile = readBtfFile(btfBytes(types, '\0m\0'), 'f');
  expect(() => readValue(hostile, 1, new Uint8Array(8))).toThrow(BtfError);
  expect(() => readValue(hostile, 1, new Uint8Array(8))).toThrow(message);
});
