/** `ringscope map` and maps as files, as a user calls them. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import type { MapsFile } from '../../src/lab/mapState.ts';
import { buildMachine } from '../../src/machine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-maps-'));
const inDir = (name: string): string => join(dir, name);
const FILTER = fileURLToPath(new URL('../../examples/bpf/ddos_filter.o', import.meta.url));
const TRAFFIC = ['--traffic', 'udp size=64 flows=1 rate=1Mpps', '--count', '500', '--cpus', '2'];

async function ringscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(args, terminal, buildMachine);
  return { code, out, err };
}

const run = (...args: string[]): ReturnType<typeof ringscope> =>
  ringscope('run', '--xdp', FILTER, ...TRAFFIC, ...args);
const EVERYBODY = '0000000000000000'; // 0.0.0.0/0

describe('a run leaves its maps, and another starts from them', () => {
  const file = inDir('maps.json');

  test('what a program counted is in the file', async () => {
    expect(await run('--maps-out', file, '--json')).toMatchObject({ code: 0, err: '' });
    const { maps } = JSON.parse(readFileSync(file, 'utf8')) as MapsFile;
    expect(maps.map(({ name, type }) => [name, type])).toEqual([
      ['blocked4', 'lpm_trie'],
      ['blocked6', 'lpm_trie'],
      ['counters', 'percpu_array'],
    ]);
    // 500 packets, 30,000 bytes; the one flow goes to one of two CPUs
    const passed = maps[2]!.elems[0]!.value;
    const perCpu = [passed.slice(0, 32), passed.slice(32)];
    expect(perCpu.toSorted()).toEqual(['00'.repeat(16), 'f4010000000000003075000000000000']);
  });

  test('an element put in is what the next run drops by', async () => {
    await ringscope('map', 'update', file, 'blocked4', EVERYBODY, '07 00 00 00');
    expect(await ringscope('map', 'lookup', file, 'blocked4', EVERYBODY)).toEqual({
      code: 0,
      out: '07 00 00 00\n',
      err: '',
    });
    const { out } = await run('--maps', file, '--json');
    expect(JSON.parse(out)).toMatchObject({ packets: { xdpDrop: 500 } });
    const listed = await ringscope('map', 'dump', file, '--map', 'blocked4');
    expect(listed.out).toBe(
      'blocked4  lpm_trie, 1 element\n  00 00 00 00 00 00 00 00  07 00 00 00\n',
    );
  });
});

const object = (name: string): string => fileURLToPath(new URL(`../../${name}.o`, import.meta.url));

describe('programs and maps in maps go by name, in files too', () => {
  const file = inDir('stages.json');
  const TAILS = object('examples/bpf/tail_calls');
  const stages = (...args: string[]): ReturnType<typeof ringscope> =>
    ringscope('run', '--xdp', TAILS, ...TRAFFIC, '--json', ...args);
  const after = inDir('after.json');
  const INDEX = (n: number): string => `0${n}000000`;

  test('a program array is listed', async () => {
    expect((await stages('--maps-out', file)).code).toBe(0);
    expect((await ringscope('map', 'dump', file, '--map', 'stages')).out).toBe(
      'stages  prog_array, 3 elements\n' +
        '  00 00 00 00  parse_ipv4\n  01 00 00 00  parse_ipv6\n  02 00 00 00  verdict\n',
    );
    expect((await ringscope('map', 'lookup', TAILS, 'stages', INDEX(1))).out).toBe('parse_ipv6\n');
  });

  test('what is taken out of it stays out, what is put in is put in', async () => {
    await ringscope('map', 'delete', file, 'stages', INDEX(0));
    await ringscope('map', 'update', file, 'stages', INDEX(1), 'verdict');
    expect((await stages('--maps', file, '--maps-out', after)).code).toBe(0);
    expect((await ringscope('map', 'dump', after, '--map', 'stages')).out).toBe(
      'stages  prog_array, 2 elements\n  01 00 00 00  verdict\n  02 00 00 00  verdict\n',
    );
    await ringscope('map', 'update', file, 'stages', INDEX(1), 'nobody');
    const { code, err } = await stages('--maps', file);
    expect([code, err]).toEqual([
      2,
      `${file}: map stages, key 01000000: needs a name, one of entry, parse_ipv4, parse_ipv6, verdict, not nobody\n`,
    ]);
  });

  test('maps of maps likewise, and in a run that goes on', async () => {
    const nested = object('test/bpf/map_in_map');
    const start = await ringscope('map', 'dump', nested, '--map', 'by_index');
    expect(start.out).toContain('  00 00 00 00  first\n  02 00 00 00  second\n');
    const at = ['--at', '100us update by_index 1 second; 200us delete by_index 0'];
    const left = inDir('nested.json');
    await ringscope('run', '--xdp', nested, ...TRAFFIC, ...at, '--maps-out', left);
    expect((await ringscope('map', 'dump', left, '--map', 'by_index')).out).toBe(
      'by_index  array_of_maps, 2 elements\n  01 00 00 00  second\n  02 00 00 00  second\n',
    );
  });

  test('show lists the maps of a file', async () => {
    const { out } = await ringscope('map', 'show', inDir('nested.json'), '--json');
    expect(JSON.parse(out)).toContainEqual({
      name: 'by_index',
      type: 'array_of_maps',
      bytes_key: 4,
      bytes_value: 4,
      elements: 2,
    });
    expect((await ringscope('map', 'show', file)).out).toContain('stages    prog_array  4 B');
  });

  test('an object is known by its content, whatever it is called', async () => {
    const renamed = inDir('filter');
    writeFileSync(renamed, readFileSync(TAILS));
    const { code, out } = await ringscope('map', 'dump', renamed, '--map', 'stages');
    expect([code, out.split('\n')[0]]).toEqual([0, 'stages  prog_array, 3 elements']);
    // keys by type, of an object alone
    const found = await ringscope('map', 'lookup', renamed, 'stages', '1');
    expect(found).toMatchObject({ code: 0, out: 'parse_ipv6\n' });
    expect((await ringscope('map', 'show', renamed)).out).toContain('[1] parse_ipv6');
    const written = await ringscope('map', 'update', renamed, 'stages', '1', 'entry');
    expect([written.code, written.err]).toEqual([2, `${renamed}: an object is not written to\n`]);
  });

  test('what has no elements says so', async () => {
    const { code, err } = await ringscope(
      'map',
      'dump',
      object('examples/bpf/sampler'),
      '--map',
      'samples',
    );
    expect([code, err]).toEqual([
      2,
      `${object('examples/bpf/sampler')}: map samples (ringbuf) has no elements that can be listed\n`,
    ]);
  });
});

describe('bad input is one line on stderr and exit code 2', () => {
  const maps = {
    format: 'ringscope maps 1',
    maps: [{ name: 'blocked4', type: 'lpm_trie', keySize: 8, valueSize: 4, elems: [] }],
  };
  const put = (name: string, value: unknown): string => {
    writeFileSync(inDir(name), JSON.stringify(value));
    return inDir(name);
  };
  const good = put('good.json', maps);
  const other = put('other.json', { ...maps, maps: [{ ...maps.maps[0], name: 'none' }] });
  const wide = put('wide.json', { ...maps, maps: [{ ...maps.maps[0], keySize: 4 }] });
  const odd = put('odd.json', {
    ...maps,
    maps: [{ ...maps.maps[0], elems: [{ key: '0', value: '' }] }],
  });

  test.each<[string[], RegExp]>([
    [
      ['map', 'lookup', good, 'blocked4', '00'],
      /^KEY: 00 is not 8 bytes in hex \(16 digits\); values by type need --btf\n$/,
    ],
    [
      ['map', 'lookup', good, 'blocked', EVERYBODY],
      /no map blocked \(did you mean blocked4\?\); it has blocked4\n$/,
    ],
    [['map', 'lookup', good, 'blocked4', EVERYBODY], /map blocked4 has no key 0000000000000000\n$/],
    [['map', 'update', FILTER, 'blocked4', EVERYBODY, '00'], /an object is not written to\n$/],
    [['map', 'dump', odd], /odd\.json: maps\.0\.elems\.0\.key: an even number of hex digits\n$/],
    [
      ['run', '--xdp', FILTER, '--maps', other],
      /the program has no map none; it has blocked4, blocked6, counters\n$/,
    ],
    [
      ['run', '--xdp', FILTER, '--maps', wide],
      /keys of 4 and values of 4 bytes, the program's is lpm_trie with 8 and 4\n$/,
    ],
    [['run', '--maps', FILTER], /not JSON/],
  ])('%j', async (args, message) => {
    const { code, out, err } = await ringscope(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});
