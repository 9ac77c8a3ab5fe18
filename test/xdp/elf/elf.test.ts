import { expect, test } from 'vitest';
import { readElf, SHT_NOBITS, STT_FUNC } from '../../../src/xdp/elf/elf.ts';
import { ElfError } from '../../../src/xdp/elf/objectError.ts';
import { objectBytes } from './objects.ts';

/** As `llvm-readelf-19 -S -r -s` lists it. */
test('sections, symbols and relocations of an object of clang 19', () => {
  const { sections, symbols, relocs } = readElf(objectBytes('counter-19'), 'counter-19.o');
  const named = (name: string) => sections.find((section) => section.name === name)!;

  expect(sections.length).toBe(18);
  expect(named('xdp')).toMatchObject({ index: 4, size: 0x220 });
  expect(named('xdp').part.length).toBe(0x220);
  expect(named('.bss')).toMatchObject({ type: SHT_NOBITS, size: 0x20 });
  expect(named('.bss').part.length).toBe(0);
  expect(relocs.get(2)?.map(({ offset, type, symbol }) => [offset, type, symbol.name])).toEqual([
    [0x30, 1, 'errors'],
    [0x88, 1, 'counters'],
    [0x140, 1, '.bss'],
  ]);
  expect(symbols.find(({ name }) => name === 'count_twice')).toMatchObject({
    type: STT_FUNC,
    section: 4,
    value: 0x1c8,
    size: 0x58,
  });
});

/** What an object becomes by `change`. */
function refusal(change: (view: DataView, bytes: Uint8Array) => Uint8Array | void): string {
  const bytes = objectBytes('legacy20');
  const changed = change(new DataView(bytes.buffer, bytes.byteOffset), bytes) ?? bytes;
  try {
    readElf(changed, 'f.o');
  } catch (error) {
    expect(error).toBeInstanceOf(ElfError);
    return (error as ElfError).message;
  }
  return 'read';
}

test.each<[string, (view: DataView, bytes: Uint8Array) => Uint8Array | void, string]>([
  ['nothing', () => new Uint8Array(0), 'f.o: ELF header, offset 0x0: the file is empty'],
  ['text', () => new Uint8Array(100).fill(65), 'f.o: ELF header, offset 0x0: not an ELF file'],
  ['32 bits', (v) => v.setUint8(4, 1), 'offset 0x4: class 1, not a 64-bit ELF file'],
  ['foreign-endian', (v) => v.setUint8(5, 2), 'offset 0x5: big-endian; only little-endian'],
  ['wrong machine', (v) => v.setUint16(18, 62, true), 'machine 62 (x86-64), not BPF (247)'],
  ['a program', (v) => v.setUint16(16, 2, true), 'type 2, not a relocatable object (1)'],
  ['no sections', (v) => v.setUint32(40, 0, true), 'there is no section header table'],
  ['sections outside', (v) => v.setUint32(40, 1 << 30, true), 'outside the file'],
  ['a 64-bit offset', (v) => v.setUint32(44, 1 << 30, true), 'outside the file'],
  ['too many sections', (v) => v.setUint16(60, 65535, true), '65535 section headers do not fit'],
  ['names nowhere', (v) => v.setUint16(62, 4000, true), 'section 4000 is said to hold names'],
])('%s is refused', (_, change, message) => {
  expect(refusal(change)).toContain(message);
});

test('an object of before BPF had a number (EM_NONE) is read', () => {
  expect(refusal((view) => view.setUint16(18, 0, true))).toBe('read');
});

test('a file cut anywhere is refused by name, or complete without what was cut', () => {
  const bytes = objectBytes('legacy20');
  const shoff = new DataView(bytes.buffer, bytes.byteOffset).getUint32(40, true);
  for (let length = 0; length < bytes.length; length++) {
    const message = refusal(() => bytes.subarray(0, length));
    expect([length, message.startsWith('f.o: ')]).toEqual([length, true]);
  }
  // this object ends with its section headers, so that every byte is needed
  expect(shoff + 64).toBeLessThan(bytes.length);
});

test('two sections over the same bytes cannot multiply a file', () => {
  const message = refusal((view) => {
    const shoff = view.getUint32(40, true);
    view.setUint32(shoff + 2 * 64 + 24, 0, true);
    view.setUint32(shoff + 2 * 64 + 32, 1100, true);
  });
  expect(message).toMatch(/sections of \d+ bytes together in a file of \d+/);
});
