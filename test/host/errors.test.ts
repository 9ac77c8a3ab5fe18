import { expect, test } from 'vitest';
import { printable } from '../../src/host/errors.ts';
import { ElfError } from '../../src/xdp/elf/objectError.ts';

test('a name out of a file neither breaks the line nor steers the terminal', () => {
  expect(printable('a\nb\x1b[31m\x7f ü')).toBe('a\\x0ab\\x1b[31m\\x7f ü');
  const error = new ElfError('f.o', '.BTF', 16, 'member "x\ny" lies outside');
  expect(error.message).toBe('f.o: .BTF, offset 0x10: member "x\\x0ay" lies outside');
});
