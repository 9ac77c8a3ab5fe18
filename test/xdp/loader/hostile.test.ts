/**
 * Damaged objects: whatever the bytes are, parsing ends soon, with a blueprint or with one error
 * that names file, section, offset and reason. RINGSCOPE_RUNS multiplies the number of objects.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ElfError } from '../../../src/xdp/elf/objectError.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { objectBytes } from '../elf/objects.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const OBJECTS = ['counter-19', 'maps-14', 'core-19', 'types', 'legacy28', 'legacy36', 'sections'];
const originals = OBJECTS.map((name) => objectBytes(name));

/** @returns whether it was read */
function survives(bytes: Uint8Array): boolean {
  try {
    parseElf(bytes, { file: 'f.o' });
    return true;
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    expect(error.message).toMatch(/^f\.o: [^\n]+, offset 0x[\da-f]+: [^\n]+$/);
    return false;
  }
}

/** Every byte of the small ones; of the others the steps miss none in the long run. */
test.each(OBJECTS)('%s.o cut at many bytes', (name) => {
  const bytes = objectBytes(name);
  const step = bytes.length < 2000 || RUNS > 1 ? 1 : 11;
  let read = 0;
  for (let length = 0; length < bytes.length; length += step) {
    if (survives(bytes.subarray(0, length))) read++;
  }
  expect(read).toBe(0);
});

test('bytes changed at random', () => {
  let refused = 0;
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.nat(OBJECTS.length - 1),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      (which, changes) => {
        const bytes = originals[which]!.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        if (!survives(bytes)) refused++;
      },
    ),
    { numRuns: 400 * RUNS },
  );
  expect(refused).toBeGreaterThan(50);
});

test('words of headers, symbols, relocations and types replaced by extremes', () => {
  const extreme = fc.constantFrom(0, 1, 7, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff);
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(OBJECTS.length - 1), fc.nat(), extreme, (which, at, value) => {
      const bytes = originals[which]!.slice();
      const view = new DataView(bytes.buffer);
      view.setUint32((at % (bytes.length / 4 - 1)) * 4, value, true);
      if (!survives(bytes)) refused++;
    }),
    { numRuns: 600 * RUNS },
  );
  expect(refused).toBeGreaterThan(50);
});

/** Errors that say in one line what is wrong with an object. */
const REFUSALS = [
  'ElfError',
  'BtfError',
  'LoadError',
  'MapError',
  'VerifierError',
  'ProgramRefused',
];

test('what is parsed from damaged bytes is loaded, or refused by name', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  const bpf = standaloneBpf();
  let loaded = 0;
  fc.assert(
    fc.property(fc.nat(OBJECTS.length - 1), changes, (which, list) => {
      const bytes = originals[which]!.slice();
      for (const [at, value] of list) bytes[at % bytes.length] = value;
      try {
        const { maps } = loadCollection(parseElf(bytes, { file: 'f.o' }), bpf);
        for (const map of Object.values(maps)) map.release();
        loaded++;
      } catch (error) {
        expect(REFUSALS).toContain((error as Error).name);
      }
    }),
    { numRuns: 100 * RUNS },
  );
  expect(loaded).toBeGreaterThan(10);
});
