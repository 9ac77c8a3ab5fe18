import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { HELPERS } from '../../../src/xdp/helpers/table.ts';
import { listInsns, listingText } from '../../../src/xdp/isa/listing.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';

const names = { helper: (id: number) => HELPERS[id]?.name };
const asm = (code: number, imm = 0, off = 0): Parameters<typeof listInsns>[0]['insns'][0] => ({
  ...{ code, dst: 1, src: 0, off, imm },
});

test('functions, source lines and references stand where they begin', () => {
  const listed = listInsns(
    {
      insns: [asm(0x18), asm(0), asm(0x85, 1), asm(0x95)],
      funcInfo: [{ slot: 0, name: 'xdp_prog' }],
      lineInfo: [
        { slot: 0, file: '/src/p.c', line: 7, text: '\tv = lookup(&counters, &key);' },
        { slot: 3, file: '/src/p.c', line: 9, text: '' },
      ],
      refs: new Map([[0, { kind: 'map', name: 'counters' }]]),
    },
    names,
  );
  expect(listed.map(({ slot }) => slot)).toEqual([0, 2, 3]);
  expect(listingText(listed).split('\n')).toEqual([
    'xdp_prog:',
    '; v = lookup(&counters, &key); @ p.c:7',
    `   0: ${'(18) r1 = 0x0'.padEnd(40)}map counters`,
    '   2: (85) call bpf_map_lookup_elem#1',
    '   3: (95) exit',
  ]);
});

test('a kernel function is named in the instruction', () => {
  const kfunc = { code: 0x85, dst: 0, src: 2, off: 0, imm: -1 };
  const refs = new Map([[0, { kind: 'kfunc', name: 'bpf_dynptr_slice' }]]);
  const listed = listInsns({ insns: [kfunc], funcInfo: [], lineInfo: [], refs });
  expect(listingText(listed)).toBe('   0: (85) call bpf_dynptr_slice#-1');
});

test('a real object: every slot once, and its C lines', () => {
  const path = new URL('../../../examples/bpf/ddos_filter.o', import.meta.url);
  const spec = parseElf(readFileSync(path), { file: 'ddos_filter.o' });
  for (const program of Object.values(spec.programs)) {
    const listed = listInsns(program, names);
    const wide = program.insns.filter(({ code }) => code === 0x18).length;
    expect(listed.length).toBe(program.insns.length - wide);
    const text = listingText(listed);
    expect(text).toContain(`${program.name}:\n`);
    expect(text).toMatch(/; .* @ ddos_filter\.c:\d+\n/);
    expect(text).toContain('call bpf_map_lookup_elem#1');
    expect(text).not.toContain('unknown#');
  }
});
