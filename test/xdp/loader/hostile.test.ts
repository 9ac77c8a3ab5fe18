/**
 * Damaged objects: whatever the bytes are, parsing ends soon, with a blueprint or with one error
 * that names file, section, offset and reason. RINGSCOPE_RUNS multiplies the number of objects.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readObject } from '../../../src/lab/bpfObject.ts';
import { dumpProgram } from '../../../src/lab/objectDump.ts';
import { listMaps, listPrograms } from '../../../src/lab/objectListing.ts';
import { ElfError } from '../../../src/xdp/elf/objectError.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { runConfigOf } from '../../../src/xdp/loader/runConfig.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { objectBytes } from '../elf/objects.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const OBJECTS = [
  'counter-19',
  'maps-14',
  'core-19',
  'types',
  'legacy28',
  'legacy36',
  'sections',
  'runConfig',
];
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

/** Some seconds on a slow machine, and nothing that grows with what an object claims. */
const MOST_MS = 5000;

test('what is parsed from damaged bytes is listed, or refused by name, and soon', () => {
  const extreme = fc.constantFrom(0, 1, 7, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff);
  const change = fc.tuple(fc.nat(), extreme);
  let listed = 0;
  fc.assert(
    fc.property(
      fc.nat(OBJECTS.length - 1),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (which, changes) => {
        const bytes = originals[which]!.slice();
        const view = new DataView(bytes.buffer);
        for (const [at, value] of changes) view.setUint32(at % (bytes.length - 3), value, true);
        const start = performance.now();
        try {
          const spec = readObject('f.o', bytes);
          listPrograms(spec);
          listMaps(spec);
          Object.values(spec.programs).forEach((program) => {
            dumpProgram(program);
            runConfigOf(spec.btf, program.name);
          });
          listed++;
        } catch (error) {
          expect(REFUSALS).toContain((error as Error).name);
          expect((error as Error).message).not.toContain('\n');
        }
        expect(performance.now() - start).toBeLessThan(MOST_MS);
      },
    ),
    { numRuns: 400 * RUNS },
  );
  expect(listed).toBeGreaterThan(20);
});

/** What a word of an object's header or of its types says, and what it becomes. */
const CLAIMS: readonly [string, string, (view: DataView) => void][] = [
  ['65535 sections', 'counter-19', (view) => view.setUint16(60, 0xffff, true)],
  ['2^32 - 1 sections', 'counter-19', (view) => claimSections(view, 0xffffffff)],
  ['a section of 2^63 bytes', 'maps-14', (view) => claimSize(view, 1, 0x80000000)],
  ['a section of 4 GiB', 'maps-14', (view) => claimSize(view, 1, 1)],
];

function claimSections(view: DataView, count: number): void {
  view.setUint16(60, 0, true);
  view.setUint32(Number(view.getBigUint64(40, true)) + 32, count, true);
}

function claimSize(view: DataView, section: number, high: number): void {
  view.setUint32(Number(view.getBigUint64(40, true)) + 64 * section + 36, high, true);
}

test.each(CLAIMS)('%s (%s.o): refused in one line, without memory for it', (_, name, claim) => {
  const bytes = objectBytes(name).slice();
  claim(new DataView(bytes.buffer, bytes.byteOffset));
  expect(survives(bytes)).toBe(false);
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
