import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readElf } from '../../../src/xdp/elf/elf.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { progTypeName, tailCallSlot } from '../../../src/xdp/loader/sections.ts';
import type { CollectionSpec } from '../../../src/xdp/loader/spec.ts';
import { objectBytes } from '../elf/objects.ts';
import type { LibbpfAnswer } from './libbpf.ts';
import { inLibbpfWords, normalised } from './libbpf.ts';

const parse = (name: string): CollectionSpec => parseElf(objectBytes(name), { file: `${name}.o` });

function recorded(name: string): LibbpfAnswer {
  const url = new URL(`../../vectors/loader/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as LibbpfAnswer;
}

test.each([
  'counter-14',
  'counter-16',
  'counter-19',
  'counter-19-v4',
  'maps-14',
  'maps-19',
  'types',
])('%s.o: maps and linked instructions are those of libbpf 1.1', (name) => {
  const answer = recorded(name);
  expect(answer.loaded).toBe(true);
  expect(inLibbpfWords(parse(name))).toEqual(normalised(answer));
});

test('types of programs are those of libbpf, which knows fewer names of sections', () => {
  const ours = Object.values(parse('sections').programs);
  const theirs = recorded('sections').programs;
  const unknown = theirs.filter(({ type }) => type === 0).map(({ section }) => section);
  expect(unknown).toEqual(['xdp/named', 'classifier/old']);
  const known = theirs.filter(({ type }) => type !== 0);
  const words = ({ name, section, type, attachType }: (typeof ours)[number]) => ({
    name,
    section,
    type,
    attachType,
  });
  expect(ours.map(words).filter(({ section }) => !unknown.includes(section))).toEqual(
    known.map((program) => words(program as (typeof ours)[number])),
  );
  const typeOf = (section: string) => progTypeName(ours.find((p) => p.section === section)!.type);
  expect([typeOf('xdp/named'), typeOf('classifier/old')]).toEqual(['xdp', 'sched_cls']);
});

test('fragments and autoload are read off the section', () => {
  const { programs } = parse('sections');
  const of = (key: 'frags' | 'autoload') =>
    Object.values(programs).filter((program) => program[key] === (key === 'frags'));
  expect(of('frags').map(({ name }) => name)).toEqual([
    'in_fragments',
    'on_device_frags',
    'on_cpu_frags',
  ]);
  expect(of('autoload').map(({ name }) => name)).toEqual(['not_by_itself']);
});

test('global variables: place, size, initial contents', () => {
  const { maps, variables, license } = parse('counter-19');
  const view = (name: string) => {
    const { map, offset, size } = variables[name]!;
    return Buffer.from(maps[map]!.contents!.subarray(offset, offset + size)).toString('hex');
  };
  expect(view('limit')).toBe('dc050000');
  expect(view('port')).toBe('bb01');
  expect(view('label')).toBe(Buffer.from('counter\0').toString('hex'));
  expect(view('total')).toBe('8877665544332211');
  expect(view('offset_in_data')).toBe('07000000');
  expect(view('errors')).toBe('00000000');
  expect([maps['.rodata']!.frozen, maps['.data']!.frozen]).toEqual([true, false]);
  expect(license).toBe('GPL');
});

test('initial values of maps of maps and of prog_arrays', () => {
  const { maps } = parse('maps-19');
  expect(maps['outer']!.values).toEqual([
    { index: 1, kind: 'map', name: 'left' },
    { index: 6, kind: 'map', name: 'right' },
  ]);
  expect(maps['jumps']!.values).toEqual([
    { index: 0, kind: 'program', name: 'tail_one' },
    { index: 3, kind: 'program', name: 'tail_two' },
  ]);
  expect(maps['outer']!.inner).toMatchObject({ type: 2, keySize: 4, valueSize: 8, maxEntries: 2 });
  expect(maps['by_flow']!.inner).toMatchObject({ type: 9, valueSize: 12, maxEntries: 32 });
});

test('externs keep their names, and whether they may be missing', () => {
  const { refs } = parse('maps-19').programs['externs']!;
  const externs = [...refs.values()].filter(({ kind }) => kind === 'kconfig');
  expect(externs.map((ref) => [ref.name, 'weak' in ref && ref.weak])).toEqual([
    ['CONFIG_HZ', true],
    ['CONFIG_NO_SUCH_THING', true],
    ['LINUX_KERNEL_VERSION', false],
  ]);
});

test('lines follow subprograms to where they are linked', () => {
  const { insns, funcInfo, lineInfo } = parse('counter-19').programs['count_twice']!;
  expect(funcInfo.map(({ slot, name }) => [slot, name])).toEqual([
    [0, 'count_twice'],
    [11, 'account'],
    [35, 'verdict_of'],
  ]);
  const source = readFileSync(new URL('../../objects/counter.bpf.c', import.meta.url), 'utf8');
  for (const { slot, line, text } of lineInfo) {
    expect(slot).toBeLessThan(insns.length);
    expect(source.split('\n')[line - 1]).toBe(text);
  }
});

/** The three layouts of `bpf_map_def`, by hand from the source. */
test.each([
  [20, { hits: [2, 4, 8, 16, 0], paths: [1, 8, 8, 32, 1] }],
  [28, { hits: [2, 4, 8, 16, 0], paths: [13, 8, 4, 32, 0] }],
  [36, { jumps: [3, 4, 4, 2, 0], inner: [2, 4, 8, 1, 0], outer: [12, 4, 4, 3, 0] }],
])('maps of %i bytes each, of before BTF', (bytes, expected) => {
  const { maps } = parse(`legacy${bytes}`);
  const words = Object.values(maps).map((m) => [
    m.name,
    [m.type, m.keySize, m.valueSize, m.maxEntries, m.flags],
  ]);
  expect(Object.fromEntries(words)).toEqual(expected);
});

test('inner maps and tail calls of before BTF', () => {
  expect(parse('legacy28').maps['paths']!.inner).toMatchObject({ name: 'hits', type: 2 });
  const { maps, programs } = parse('legacy36');
  expect(maps['outer']!.inner).toMatchObject({ name: 'inner' });
  expect(maps['outer']!.values).toEqual([{ index: 1, kind: 'map', name: 'inner' }]);
  expect(maps['jumps']!.values).toEqual([{ index: 1, kind: 'program', name: 'tail' }]);
  expect(Object.values(programs).map(({ section, type }) => [section, type])).toEqual([
    ['5/1', 6],
    ['prog', 6],
  ]);
});

const DEBIAN = '/usr/lib/x86_64-linux-gnu/bpf';
const installed = existsSync(DEBIAN)
  ? readdirSync(DEBIAN).filter((name) => name.endsWith('.o'))
  : [];

function oracle(): ((path: string) => LibbpfAnswer) | null {
  if (installed.length === 0 || process.getuid?.() !== 0) return null;
  const program = join(mkdtempSync(join(tmpdir(), 'ringscope-')), 'loader');
  const source = new URL('../../oracle/loader.c', import.meta.url).pathname;
  try {
    execFileSync('cc', ['-o', program, source, '-lbpf'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return (path) => JSON.parse(execFileSync(program, [path], { encoding: 'utf8' })) as LibbpfAnswer;
}

const ask = oracle();

test.skipIf(ask === null)(
  `the ${installed.length} objects of xdp-tools and libxdp read as libbpf reads them`,
  () => {
    expect(installed.length).toBeGreaterThan(10);
    for (const name of installed) {
      const path = join(DEBIAN, name);
      const spec = parseElf(new Uint8Array(readFileSync(path)), { file: name });
      const usesCore = Object.values(spec.programs).some(({ core }) => core.length > 0);
      if (!usesCore) expect([name, inLibbpfWords(spec)]).toEqual([name, normalised(ask!(path))]);
      const types = Object.values(spec.programs).map(({ type }) => progTypeName(type));
      expect([name, new Set(types)]).toEqual([
        name,
        new Set([name === 'xdpdump_bpf.o' ? 'tracing' : 'xdp']),
      ]);
    }
  },
);

/** The object with its symbols changed; `change` is given each symbol's place and name. */
function withSymbols(
  name: string,
  change: (view: DataView, at: number, symbol: string) => void,
): CollectionSpec {
  const bytes = objectBytes(name);
  const { sections, symbols } = readElf(bytes, 'f.o');
  const { part } = sections.find(({ type }) => type === 2)!;
  const view = new DataView(part.bytes.buffer, part.bytes.byteOffset);
  for (const { index, name: symbol } of symbols) change(view, index * 24, symbol);
  return parseElf(bytes, { file: 'f.o' });
}

test('an object of before functions had typed symbols', () => {
  const { programs } = withSymbols('legacy20', (view, at, symbol) => {
    if (symbol === 'count') view.setUint8(at + 4, 0x10); // global, no type
  });
  expect(Object.keys(programs)).toEqual(['count']);
  expect(programs['count']!.insns).toEqual(parse('legacy20').programs['count']!.insns);
});

test('an object without symbols of functions: a section is a program', () => {
  const { programs } = withSymbols('legacy36', (view, at, symbol) => {
    if (symbol === 'tail' || symbol === 'entry') view.setUint32(at, 0, true);
    if (symbol === 'tail' || symbol === 'entry') view.setUint8(at + 4, 0);
  });
  expect(Object.keys(programs)).toEqual(['5/1', 'prog']);
  expect(programs['prog']!.insns).toEqual(parse('legacy36').programs['entry']!.insns);
});

test('subprograms without symbols begin where calls lead', () => {
  const named = parse('counter-19').programs['count_twice']!;
  const { programs } = withSymbols('counter-19', (view, at, symbol) => {
    const ofText = view.getUint16(at + 6, true) === 2 && (view.getUint8(at + 4) & 15) === 2;
    if (ofText && symbol !== 'verdict_of') view.setUint8(at + 4, 0);
    if (symbol === 'verdict_of') view.setUint8(at + 4, 0x10);
  });
  expect(programs['count_twice']!.insns).toEqual(named.insns);
});

test('external names keep what they stand for', () => {
  const { programs } = parse('ksyms');
  const refs = (name: string) =>
    [...programs[name]!.refs.values()].map(({ kind, name: to, ...rest }) => [
      kind,
      to,
      'weak' in rest && rest.weak,
    ]);
  expect(refs('asks')).toEqual([
    ['ksym', 'no_such_weak_symbol', true],
    ['kfuncAddress', 'no_such_weak_function', true],
    ['kfunc', 'no_such_weak_function', true],
  ]);
  expect(refs('needs')).toEqual([['kfunc', 'no_such_function', false]]);
  expect(refs('reads')).toEqual([['ksym', 'no_such_symbol', false]]);
});

/** Finds a section's header and lets a test change the object there. */
function damaged(name: string, section: string, change: (view: DataView) => void): string {
  const bytes = objectBytes(name);
  const { part } = readElf(bytes, 'f.o').sections.find((s) => s.name === section)!;
  change(new DataView(part.bytes.buffer, part.bytes.byteOffset));
  try {
    parseElf(bytes, { file: 'f.o' });
  } catch (error) {
    return (error as Error).message;
  }
  return 'read';
}

test.each<[string, string, string, (view: DataView) => void, string]>([
  [
    'an unknown relocation',
    'counter-19',
    '.relxdp',
    (v) => v.setUint32(8, 77, true),
    'section xdp, offset 0x38: a relocation of type 77, which is not known in code',
  ],
  [
    'a relocation of arithmetic',
    'counter-19',
    '.relxdp',
    (v) => v.setUint32(0, 0, true),
    'section xdp, offset 0x0: a relocation of an instruction with code 0xbf: neither call nor ld_imm64',
  ],
  [
    'a relocation outside',
    'counter-19',
    '.relxdp',
    (v) => v.setUint32(0, 99999, true),
    'section xdp, offset 0x1869f: a relocation of no instruction',
  ],
])('damage: %s', (_, object, section, change, message) => {
  expect(damaged(object, section, change)).toContain(message);
});

test('an exception callback stands behind its program, with what it calls', () => {
  const { programs } = parse('exception');
  const names = (program: string): string[] => programs[program]!.funcInfo.map(({ name }) => name);
  expect(names('throws')).toEqual(['throws', 'second_callback', 'helps']);
  expect(names('throws_away')).toEqual(['throws_away']);
});

test.each([
  ['5/1', 5, 1],
  ['0xabccba/0', 0xabccba, 0],
  ['0x10/0x1F', 16, 31],
  ['010/1', 8, 1], // octal, as sscanf's %i has it
])('section %s is a tail call into map %i, index %i', (section, mapId, index) => {
  expect(tailCallSlot(section)).toEqual({ mapId, index });
});

test('a section that is no tail call', () => {
  const others = ['xdp/1', '5/', '5/1/2', '0x/1', '-1/2', '5 /1', 'ag/1'];
  expect(others.map(tailCallSlot)).toEqual(others.map(() => null));
});

test('a tail call into a map that is not there is not loaded by itself', () => {
  const bytes = objectBytes('legacy36').slice();
  const maps = readElf(bytes, 'legacy36.o').sections.find(({ name }) => name === 'maps')!;
  const { byteOffset, length } = maps.part.bytes;
  const words = new DataView(bytes.buffer, byteOffset, length);
  const id = [20, 56, 92].find((at) => words.getUint32(at, true) === 5)!;
  words.setUint32(id, 6, true);
  const { programs, maps: specs } = parseElf(bytes, { file: 'legacy36.o' });
  expect(programs['tail']!.autoload).toBe(false);
  expect(programs['entry']!.autoload).toBe(true);
  expect(specs['jumps']!.values).toEqual([]);
});
