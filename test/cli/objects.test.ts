/** `ringscope prog show`, `prog dump` and `map show` as a user calls them. */
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import type { JitDump } from '../../src/lab/jitDump.ts';
import type { ListedInsn } from '../../src/xdp/isa/listing.ts';
import type { MapListing, ProgramListing } from '../../src/lab/objectListing.ts';
import { standIn } from '../lab/standInMachine.ts';

const object = (name: string): string =>
  fileURLToPath(new URL(`../objects/${name}.o`, import.meta.url));

async function ringscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(args, terminal, standIn());
  return { code, out, err };
}

async function asJson<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await ringscope(...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

test('prog show lists programs of every type', async () => {
  const programs = await asJson<ProgramListing[]>('prog', 'show', object('sections'));
  expect(programs).toHaveLength(16);
  expect(programs[3]).toEqual({
    name: 'in_fragments',
    section: 'xdp.frags',
    type: 'xdp',
    attach_type: 37,
    frags: true,
    autoload: true,
    gpl_compatible: true,
    insns: 2,
    functions: ['in_fragments'],
    maps: [],
    externs: [],
    core: 0,
    run_config: null,
  });
  const { out } = await ringscope('prog', 'show', object('sections'));
  expect(out).toContain('licence Dual MIT/GPL');
  expect(out).toMatch(/^ {2}probe +kprobe\/do_nothing +kprobe +2$/m);
  expect(out).toMatch(/^ {2}not_by_itself +xdp +xdp +2 +only when asked for$/m);
});

test('prog show says which place programs want among several', async () => {
  const { code, out } = await ringscope('prog', 'show', object('runConfig'));
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}first .* priority 10; goes on after XDP_DROP/m);
  expect(out).toMatch(/^ {2}odd .*of program odd: a member urgency, which is not known$/m);
  expect(await asJson<ProgramListing[]>('prog', 'show', object('runConfig'))).toContainEqual(
    expect.objectContaining({
      name: 'first',
      run_config: { priority: 10, chain_call_actions: expect.arrayContaining(['XDP_DROP']) },
    }),
  );
});

test('prog show names subprograms, maps, externs and CO-RE', async () => {
  const [count] = await asJson<ProgramListing[]>('prog', 'show', object('counter-19'));
  expect(count).toMatchObject({
    insns: 107,
    functions: ['count', 'visit', 'verdict_of', 'account'],
    maps: ['.data', '.rodata', '.rodata.label', '.bss', 'seen', 'counters'],
  });
  const { out } = await ringscope('prog', 'show', object('ksyms'));
  expect(out).toContain('externs bpf_iter_num_new bpf_iter_num_next bpf_iter_num_destroy');
  expect((await ringscope('prog', 'show', object('core-19'))).out).toContain('4 CO-RE');
});

test('prog dump: instructions as the verifier prints them, with C lines and names', async () => {
  const { code, out } = await ringscope(
    'prog',
    'dump',
    object('counter-19'),
    '--program',
    'count_twice',
  );
  expect(code).toBe(0);
  expect(out).toContain(
    [
      'account:',
      '; static __noinline int account(struct xdp_md *ctx, __u32 index) @ counter.bpf.c:34',
      '  11: (bf) r6 = r1',
      '  12: (63) *(u32 *)(r10 -4) = r2',
    ].join('\n'),
  );
  expect(out).toMatch(/\(18\) r1 = 0x0 +map counters\n/);
  expect(out).toContain('(85) call bpf_map_lookup_elem#1\n');
  expect(out).not.toContain('r6 = r0');

  const dumps = await asJson<{ program: string; insns: ListedInsn[] }[]>(
    'prog',
    'dump',
    object('core-19'),
  );
  expect(dumps.map(({ program }) => program)).toEqual(['relocations', 'accesses']);
  expect(dumps[1]!.insns[1]).toEqual({
    slot: 2,
    text: '(61) r2 = *(u32 *)(r1 +16)',
    source: { file: './core.bpf.c', line: 100, text: '\tresults[40] = device->parts[1].a;' },
    note: 'CO-RE <byte_off> device 0:4:1:0',
  });
});

test('prog dump --sec takes any type; an unknown name is refused with those there are', async () => {
  const { out } = await ringscope('prog', 'dump', object('sections'), '--sec', 'sk_lookup');
  expect(out).toBe(
    'lookup (sk_lookup)\nlookup:\n; SEC("sk_lookup") int lookup(struct bpf_sk_lookup *ctx) { return 1; } @ sections.bpf.c:20\n   0: (b7) r0 = 1\n   1: (95) exit\n',
  );
  const { code, err } = await ringscope('prog', 'dump', object('counter-19'), '--program', 'x');
  expect(code).toBe(2);
  expect(err).toMatch(
    /counter-19\.o: no such program; the object has count \(xdp\), count_twice \(xdp\)\n$/,
  );
});

test('map show: definitions, types, initial values, variables', async () => {
  const maps = await asJson<MapListing[]>('map', 'show', object('maps-19'));
  const named = (name: string) => maps.find((map) => map.name === name)!;
  expect(named('left')).toMatchObject({
    type: 'array',
    key: '__u32',
    value: '__u64',
    max_entries: 2,
  });
  expect(named('by_flow').inner).toMatchObject({
    type: 'lru_hash',
    key: '__u32',
    value: 'struct flow',
  });
  expect(named('jumps').values).toEqual([
    { index: 0, name: 'tail_one' },
    { index: 3, name: 'tail_two' },
  ]);
  const data = (await asJson<MapListing[]>('map', 'show', object('counter-19'))).find(
    ({ name }) => name === '.data',
  )!;
  expect(data.variables).toEqual([
    // beyond 2^53: a text
    { name: 'total', type: '__u64', offset: 0, bytes: 8, value: String(0x1122334455667788n) },
    { name: 'offset_in_data', type: 'volatile __u32', offset: 8, bytes: 4, value: 7 },
  ]);
  // as the emulated kernel has them; the last it has not
  expect(named('.kconfig').variables).toMatchObject([
    { name: 'CONFIG_HZ', type: 'unsigned int', value: 250 },
    { name: 'LINUX_KERNEL_VERSION', type: 'int', value: 0x061200 },
    { name: 'CONFIG_NO_SUCH_THING', type: '_Bool', value: false },
  ]);
  const { out } = await ringscope('map', 'show', object('types'));
  expect(out).toMatch(/^ {2}shapes +hash +10 B +112 B +8 +0x0 +struct key → struct shape$/m);
});

test('prog dump --jited: WebAssembly below the instructions and the C it comes from', async () => {
  const args = ['prog', 'dump', object('counter-19'), '--jited', '--program', 'count_twice'];
  const { code, out, err } = await ringscope(...args);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^count_twice \(xdp\): 48 instructions, \d+ bytes of WebAssembly\n\n/);
  expect(out).toContain('\ncount_twice(ctx i32) -> i32, exported as run\n');
  expect(out).toContain('\naccount(r1 i64, r2 i64, r3 i64, r4 i64, r5 i64, frame i32) -> i64\n');
  // r6 = r1, at the start of a function
  expect(out).toMatch(
    /  11: \(bf\) r6 = r1\n +[\da-f]+ {4}local\.get \$r1\n +[\da-f]+ {4}local\.set \$r6\n/,
  );
  expect(out).toMatch(/call account\n/);
  expect(out).toContain('(18) r1 = 0x');
  expect(out).toContain('map counters\n');

  const one = ['prog', 'dump', object('../../examples/bpf/tail_calls'), '--jited', '--json'];
  const [entry, ...stages] = await asJson<JitDump[]>(...one, '--program', 'entry');
  expect([entry!.program, stages]).toEqual(['entry', []]);

  const [dump, ...others] = await asJson<JitDump[]>(...args);
  expect(others).toEqual([]);
  expect(dump!.functions.map(({ name }) => name)).toEqual([
    'count_twice',
    'account',
    'verdict_of',
    'batch',
  ]);
  const { params, results, names, code: lines } = dump!.functions[1]!;
  expect([params, results]).toEqual([['i64', 'i64', 'i64', 'i64', 'i64', 'i32'], ['i64']]);
  expect(names.slice(0, 6)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'frame']);
  expect(lines[0]).toEqual({ at: 0, depth: 0, text: 'block $1' });
  expect(lines[1]).toEqual({
    at: 2,
    depth: 1,
    text: 'local.get $r1',
    insns: [expect.objectContaining({ slot: 11, text: '(bf) r6 = r1' })],
  });
  // every instruction of the function is there
  const slots = lines.flatMap(({ insns = [] }) => insns.map(({ slot }) => slot));
  expect(slots[0]).toBe(11);
  expect(slots).toEqual(slots.toSorted((a, b) => a - b));
});

test('prog dump --jited --verify off shows the tests; other types and stray options are refused', async () => {
  const file = object('counter-19');
  const checked = await ringscope('prog', 'dump', file, '--jited', '--verify', 'off');
  expect(checked.out).toContain('call access\n');
  const { code, err } = await ringscope(
    'prog',
    'dump',
    object('sections'),
    '--sec',
    'sk_lookup',
    '--jited',
  );
  expect(code).toBe(2);
  expect(err).toMatch(/: program lookup: of type sk_lookup .*only XDP programs run here\n$/);
  expect((await ringscope('prog', 'dump', file, '--verify', 'off')).err).toMatch(
    /--verify is for dumps with --jited/,
  );
});

test('what is no object is refused in one line', async () => {
  const here = fileURLToPath(import.meta.url);
  for (const command of [
    ['prog', 'show'],
    ['prog', 'dump'],
    ['map', 'show'],
  ]) {
    const { code, out, err } = await ringscope(...command, here);
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(`${here}: ELF header, offset 0x0: not an ELF file\n`);
  }
});
