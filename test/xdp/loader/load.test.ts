import { expect, test } from 'vitest';
import { LoadError } from '../../../src/xdp/loader/image.ts';
import { listMaps } from '../../../src/lab/objectListing.ts';
import { collectionMapMemory } from '../../../src/xdp/loader/createMaps.ts';
import type { LoadOptions } from '../../../src/xdp/loader/load.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { TypedMap } from '../../../src/xdp/loader/typedMap.ts';
import { ProgramFault } from '../../../src/xdp/program.ts';
import { MapError } from '../../../src/xdp/maps/mapDef.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { kernelTypes } from '../elf/objects.ts';
import { interpreted, loadRig, specOf } from './rig.ts';

const XDP_ABORTED = 0;
const XDP_DROP = 1;
const XDP_PASS = 2;
const XDP_TX = 3;

test.each([
  ['counter-14', 'interpreter'],
  ['counter-14', 'compiler'],
  ['counter-16', 'compiler'],
  ['counter-19', 'compiler'],
  ['counter-19-v4', 'interpreter'],
  ['counter-19-v4', 'compiler'],
])('%s.o runs on the %s: global data, maps, subprograms, a callback', (object, engine) => {
  const options = engine === 'interpreter' ? { engine: interpreted! } : {};
  const { run, variable, maps } = loadRig(specOf(object), options);

  expect(run('count', 64)).toBe(XDP_PASS);
  expect(run('count', 2000)).toBe(XDP_DROP); // above `limit`

  // total begins at 0x1122334455667788
  expect(variable('total')).toBe(u64(0x1122334455667788n + 64n + 2000n));
  // last[i & 1] grows by i for i below 4, twice: 0 + 2, 1 + 3; last[2] is 7 + 'o'
  expect(variable('last')).toBe(u64(4n) + u64(8n) + u64(7n + 0x6fn));
  expect(variable('errors')).toBe('00000000');
  const counts = (index: number) =>
    Buffer.from(maps['counters']!.sysLookup(Uint8Array.of(index, 0, 0, 0))!).toString('hex');
  expect(counts(XDP_PASS)).toBe(u64(1n) + u64(64n));
  expect(counts(XDP_DROP)).toBe(u64(1n) + u64(2000n));
  // the key is `port`
  expect(maps['seen']!.sysLookup(Uint8Array.of(0xbb, 1, 0, 0, 0, 0, 0, 0))).toEqual(
    Uint8Array.of(0xd0, 7, 0, 0),
  );
});

const u64 = (value: bigint): string => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return Buffer.from(bytes).toString('hex');
};

test('a blueprint is edited before it is loaded', () => {
  const spec = specOf('counter-19');
  const { map, offset } = spec.variables['limit']!;
  new DataView(spec.maps[map]!.contents!.buffer).setUint32(offset, 10, true);
  spec.maps['seen']!.maxEntries = 7;

  const { run, maps } = loadRig(spec);

  expect(maps['seen']!.maxEntries).toBe(7);
  expect(run('count', 64)).toBe(XDP_DROP);
});

test('read-only data is frozen, and maps have the names the kernel would give', () => {
  const { maps } = loadRig(specOf('counter-19'));
  expect([maps['.rodata']!.frozen, maps['.data']!.frozen]).toEqual([true, false]);
  expect(Object.entries(maps).map(([name, map]) => [name, map.name])).toEqual([
    ['seen', 'seen'],
    ['counters', 'counters'],
    ['.rodata', 'counter_.rodata'],
    ['.rodata.label', '.rodata.label'],
    ['.data', 'counter_.data'],
    ['.bss', 'counter_.bss'],
  ]);
});

test('maps may be shared between objects', () => {
  const bpf = standaloneBpf();
  const engine = () => ({ run: () => 0, r0Hi: 0 });
  const first = loadCollection(specOf('counter-19'), bpf, { engine });
  const shared = { seen: first.maps['seen']! };
  const second = loadCollection(specOf('counter-14'), bpf, { engine, maps: shared });
  expect(second.maps['seen']).toBe(first.maps['seen']);
  expect(second.maps['counters']).not.toBe(first.maps['counters']);

  const other = specOf('counter-14');
  other.maps['seen']!.valueSize = 16;
  expect(() => loadCollection(other, bpf, { engine, maps: shared })).toThrow(
    "counter-14.o: map seen: the given map's valueSize is 4, not 16",
  );
});

test('only XDP programs are loaded; others are named when they are asked for', () => {
  const { programs } = loadRig(specOf('sections'));
  expect(Object.keys(programs)).toEqual([
    ...['first', 'second', 'third', 'in_fragments', 'on_device', 'on_device_frags'],
    ...['on_cpu', 'on_cpu_frags'],
  ]);
  expect(() => loadRig(specOf('sections'), { programs: ['probe'] })).toThrow(
    'sections.o: program probe: of type kprobe (section kprobe/do_nothing); only XDP programs run here',
  );
  expect(() => loadRig(specOf('sections'), { programs: ['nobody'] })).toThrow(
    /^sections\.o: program nobody: there is none; the object has first, second,/,
  );
});

test('a map that the kernel would refuse is refused, and nothing stays behind', () => {
  const bpf = standaloneBpf();
  const spec = specOf('counter-19');
  spec.maps['.data']!.maxEntries = 0;
  expect(() => loadCollection(spec, bpf)).toThrow(MapError);
  expect([...bpf.maps.values()]).toEqual([]);

  const endless = specOf('maps-19');
  endless.maps['jumps']!.maxEntries = 2 ** 31;
  expect(() => loadCollection(endless, bpf)).toThrow(
    'map jumps (prog_array): 2147483648 entries; 4194304 at most here (ENOMEM)',
  );
  expect([...bpf.maps.values()]).toEqual([]);
});

test('a program that verifier or engine refuses leaves nothing behind', () => {
  const bpf = standaloneBpf();
  const verify = (): never => {
    throw new LoadError('f', 'program', 'no');
  };
  expect(() => loadCollection(specOf('counter-19'), bpf, { verify })).toThrow(LoadError);
  expect([...bpf.maps.values()]).toEqual([]);
});

test('memory of an object is known before it is loaded', () => {
  const spec = specOf('counter-19');
  const bytes = collectionMapMemory(spec, 2);
  expect(bytes).toBeGreaterThan(1024 * 16);
  const engine = () => ({ run: () => 0, r0Hi: 0 });
  const bpf = standaloneBpf({ mapBytes: bytes, cpus: 2 });
  expect(Object.keys(loadCollection(spec, bpf, { engine }).maps)).toHaveLength(6);
});

const TAILS: LoadOptions = { programs: ['tail_one', 'tail_two'] };

test('tail calls and maps of maps are connected', () => {
  const { run, maps, programs } = loadRig(specOf('maps-19'), TAILS);
  const id = (map: string, index: number) => words(maps[map]!.sysLookup(word(index))!)[0];
  expect([id('jumps', 0), id('jumps', 3)]).toEqual([
    programs['tail_one']!.id,
    programs['tail_two']!.id,
  ]);
  expect([id('outer', 1), id('outer', 6)]).toEqual([maps['left']!.id, maps['right']!.id]);

  // tail_two looks map 0 of `outer` up, which is empty
  expect(run('tail_one')).toBe(XDP_ABORTED);
  expect(maps['outer']!.sysUpdate(word(0), word(maps['left']!.id))).toBe(0);
  expect(run('tail_one')).toBe(XDP_PASS);
  maps['left']!.sysUpdate(word(0), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  expect(run('tail_one')).toBe(XDP_TX);
});

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)];

test('settings of the kernel: built in, given, or missing where they may be', () => {
  const contents = (options: LoadOptions) => {
    const { maps, spec } = loadRig(specOf('maps-19'), { ...TAILS, ...options });
    const map = new TypedMap(maps['.kconfig']!, spec.maps['.kconfig']);
    return map.get(0);
  };
  expect(contents({})).toEqual({
    LINUX_KERNEL_VERSION: 0x061200,
    CONFIG_HZ: 250,
    CONFIG_NO_SUCH_THING: false,
  });
  expect(contents({ kconfig: { CONFIG_HZ: 1000, CONFIG_NO_SUCH_THING: true } })).toMatchObject({
    CONFIG_HZ: 1000,
    CONFIG_NO_SUCH_THING: true,
  });
  expect(() => contents({ kconfig: { CONFIG_HZ: -1 } })).toThrow(
    'maps-19.o: setting CONFIG_HZ: -1 is out of range (0 to 4294967295)',
  );
  expect(() => contents({ kconfig: { CONFIG_HZ: 'y' } })).toThrow('wants a number');
});

test('a setting that must be there and that nobody knows: listed as unknown, not loaded', () => {
  const spec = specOf('maps-19');
  for (const { refs } of Object.values(spec.programs)) {
    for (const [slot, ref] of refs)
      if (ref.name === 'CONFIG_NO_SUCH_THING')
        refs.set(slot, { ...ref, weak: false } as typeof ref);
  }
  const listed = listMaps(spec).find(({ name }) => name === '.kconfig')!.variables;
  expect(listed.map(({ value }) => value)).toEqual([250, 0x061200, null]);
  expect(() => loadRig(spec, TAILS)).toThrow(
    'maps-19.o: setting CONFIG_NO_SUCH_THING: no value is known; give one',
  );
});

test('what the kernel does not have may be asked for, but not reached', () => {
  const { run, variable } = loadRig(specOf('core-19'), {
    kernelTypes: kernelTypes(),
    programs: ['accesses'],
  });
  run('accesses');
  expect(variable('results').length).toBe(1024);
  // the verifier refuses it in Linux's words; without it the run tells
  expect(() => loadRig(specOf('core-19'), { kernelTypes: kernelTypes() })).toThrow(
    'program relocations, instruction 28: invalid func unknown#195896080 (EINVAL)',
  );
  for (const engine of [interpreted, undefined]) {
    const options = { verify: null, ...(engine === undefined ? {} : { engine }) };
    const rig = loadRig(specOf('core-19'), { kernelTypes: kernelTypes(), ...options });
    expect(() => rig.run('relocations')).toThrow(ProgramFault);
    expect(() => rig.run('relocations')).toThrow(/a type or a field that the kernel does not have/);
  }
});

test('kernel functions and symbols: found, missing, or missing where they may be', () => {
  const { run, programs } = loadRig(specOf('ksyms'), { programs: ['asks', 'counts'] });
  expect(programs['counts']!.image.kfuncs).toEqual([
    'bpf_iter_num_new',
    'bpf_iter_num_next',
    'bpf_iter_num_destroy',
  ]);
  expect(run('counts')).toBe(XDP_TX); // 0 + 1 + 2
  expect(run('asks')).toBe(XDP_PASS); // no weak function, no weak symbol
  expect(() => loadRig(specOf('ksyms'), { programs: ['needs'] })).toThrow(
    /^ksyms\.o: program needs, instruction \d+: calls no_such_function, a kernel function that is not here$/,
  );
  expect(() => loadRig(specOf('ksyms'), { programs: ['reads'] })).toThrow(
    /^ksyms\.o: program reads, instruction \d+: refers to no_such_symbol, a symbol of the kernel/,
  );
});
