import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeRefused } from '../../../src/host/errors.ts';
import { decodeInsns, encodeInsns, isLdImm64 } from '../../../src/xdp/isa/insn.ts';

test('a slot is code, registers, offset and constant, little-endian', () => {
  // RFC 9669, section 3.1: opcode, src in the high nibble and dst in the low one, offset, imm.
  const bytes = Uint8Array.of(0x61, 0x5a, 0xfc, 0xff, 0x78, 0x56, 0x34, 0x92);
  expect(decodeInsns(bytes)).toEqual([
    { code: 0x61, dst: 10, src: 5, off: -4, imm: 0x92345678 | 0 },
  ]);
});

test('a 64-bit constant takes two slots', () => {
  const bytes = Uint8Array.of(0x18, 1, 0, 0, 0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0, 1, 0, 0, 0);
  const [first, second] = decodeInsns(bytes);
  expect(first).toEqual({ code: 0x18, dst: 1, src: 0, off: 0, imm: 0xdeadbeef | 0 });
  expect(second).toEqual({ code: 0, dst: 0, src: 0, off: 0, imm: 1 });
  expect([isLdImm64(first!), isLdImm64(second!)]).toEqual([true, false]);
});

test('any bytes come back from their instructions', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (some) => {
      const bytes = some.slice(0, some.length & ~7);
      expect(encodeInsns(decodeInsns(bytes))).toEqual(bytes);
    }),
  );
});

test('half an instruction is refused', () => {
  expect(() => decodeInsns(new Uint8Array(12))).toThrow(RangeRefused);
});
