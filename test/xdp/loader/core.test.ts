import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { expect, test } from 'vitest';
import { readBtfFile } from '../../../src/xdp/btf/btf.ts';
import type { BtfType } from '../../../src/xdp/btf/types.ts';
import { isComposite } from '../../../src/xdp/btf/types.ts';
import { builtInTypes } from '../../../src/xdp/loader/core/builtIn.ts';
import { describedTypes } from '../../../src/xdp/loader/core/describedTypes.ts';
import { Comparison } from '../../../src/xdp/loader/core/types.ts';
import { relocateCore } from '../../../src/xdp/loader/core/relocate.ts';
import type { CoreRelo } from '../../../src/xdp/loader/spec.ts';
import { kernelTypes } from '../elf/objects.ts';
import { inLibbpfWords, normalised } from './libbpf.ts';
import type { LibbpfAnswer } from './libbpf.ts';
import { specOf } from './rig.ts';

test.each(['core-14', 'core-16', 'core-19'])(
  '%s.o against another kernel, as libbpf relocates it',
  (name) => {
    const spec = specOf(name);
    for (const program of Object.values(spec.programs)) {
      program.insns = relocateCore(spec.file, program, kernelTypes());
    }
    const url = new URL(`../../vectors/loader/${name}.json`, import.meta.url);
    const answer = JSON.parse(readFileSync(url, 'utf8')) as LibbpfAnswer;
    expect(inLibbpfWords(spec)).toEqual(normalised(answer));
  },
);

const offsetOf = (struct: string, member: string): number | undefined => {
  const btf = builtInTypes();
  const find = (type: BtfType): number | undefined => {
    if (!isComposite(type)) return undefined;
    for (const { name, type: id, bitOffset } of type.members) {
      if (name === member) return bitOffset;
      const inside = name === '' ? find(btf.resolve(id)) : undefined;
      if (inside !== undefined) return bitOffset + inside;
    }
    return undefined;
  };
  return find(btf.find(struct, 'struct')!);
};

test('the built-in types have the layouts of the packet headers', () => {
  expect(offsetOf('ethhdr', 'h_proto')).toBe(12 * 8); // IEEE 802.3
  expect([offsetOf('iphdr', 'ihl'), offsetOf('iphdr', 'version')]).toEqual([0, 4]); // RFC 791 §3.1
  expect([offsetOf('iphdr', 'protocol'), offsetOf('iphdr', 'daddr')]).toEqual([9 * 8, 16 * 8]);
  expect([offsetOf('ipv6hdr', 'nexthdr'), offsetOf('ipv6hdr', 'daddr')]).toEqual([6 * 8, 24 * 8]); // RFC 8200 §3
  expect([offsetOf('tcphdr', 'doff'), offsetOf('tcphdr', 'syn')]).toEqual([12 * 8 + 4, 13 * 8 + 1]); // RFC 9293 §3.1
  expect([offsetOf('udphdr', 'dest'), offsetOf('udphdr', 'check')]).toEqual([2 * 8, 6 * 8]); // RFC 768
  expect(offsetOf('xdp_md', 'egress_ifindex')).toBe(20 * 8); // include/uapi/linux/bpf.h
});

const VMLINUX = '/sys/kernel/btf/vmlinux';
const sameKernel = existsSync(VMLINUX) && release().startsWith('6.18.');

test.skipIf(!sameKernel)('the built-in types are those of a running Linux 6.18', () => {
  const kernel = readBtfFile(new Uint8Array(readFileSync(VMLINUX)), VMLINUX);
  const builtIn = builtInTypes();
  let compared = 0;
  for (const type of builtIn.all()) {
    if (type.name === '' || type.kind === 'int') continue;
    const comparison = new Comparison(builtIn, kernel);
    const twin = kernel.named(type.name).find((id) => kernel.type(id).kind === type.kind)!;
    expect([type.name, builtIn.sizeOf(type.id)]).toEqual([type.name, kernel.sizeOf(twin)]);
    expect([type.name, comparison.compatible(type.id, twin)]).toEqual([type.name, true]);
    if (type.kind === 'enum') expect(type.values).toEqual(kernel.find(type.name, 'enum')!.values);
    if (!isComposite(type)) continue;
    const members = new Map(kernel.find(type.name, 'struct')!.members.map((m) => [m.name, m]));
    for (const { name, bitOffset, bits } of type.members) {
      if (name === '') continue;
      expect([type.name, name, members.get(name)]).toMatchObject([
        type.name,
        name,
        { bitOffset, bits },
      ]);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(250);
});

test('a program written for vmlinux.h needs no kernel: its headers are known', () => {
  const local = describedTypes(['struct iphdr 4 daddr:u32@0'], 'local');
  const program = { ...specOf('counter-19').programs['count']!, btf: local };
  const at = { slot: 0, type: 1, access: '0:0', kind: 0 };
  const insn = { code: 0x61, dst: 0, src: 1, off: 0, imm: 0 }; // r0 = *(u32 *)(r1 + 0)
  const core = { ...program, insns: [insn], core: [at] };
  expect(relocateCore('f.o', core, builtInTypes())).toEqual([{ ...insn, off: 16 }]);

  const shorter = describedTypes(['struct iphdr 4 daddr:u16@0'], 'local');
  const halfWord = { ...insn, code: 0x69 };
  const follows = { ...core, btf: shorter, insns: [halfWord] };
  expect(relocateCore('f.o', follows, builtInTypes())).toEqual([{ ...insn, off: 16 }]);

  const unknown = describedTypes(['struct nobody 4 daddr:u32@0'], 'local');
  const poison = { code: 0x85, dst: 0, src: 0, off: 0, imm: 0xbad2310 };
  expect(relocateCore('f.o', { ...core, btf: unknown }, builtInTypes())).toEqual([poison]);
});

test('what a compiler cannot have meant is refused', () => {
  const local = describedTypes(['struct iphdr 4 daddr:u32@0'], 'local');
  const program = { ...specOf('counter-19').programs['count']!, btf: local };
  const insn = { code: 0x61, dst: 0, src: 1, off: 8, imm: 0 };
  const relocate = (relo: Partial<CoreRelo>, code = insn.code) =>
    relocateCore(
      'f.o',
      {
        ...program,
        insns: [{ ...insn, code }],
        core: [{ slot: 0, type: 1, access: '0:0', kind: 0, ...relo }],
      },
      builtInTypes(),
    );
  expect(() => relocate({})).toThrow('instruction 0: holds 8, but its relocation says 0');
  expect(() => relocate({}, 0x05)).toThrow('instruction 0: has no constant to relocate');
  expect(() => relocate({ kind: 99 })).toThrow('of kind 99, which is not known');
  expect(() => relocate({ access: '0:7' })).toThrow('access "0:7" leads to nothing');
  expect(() => relocate({ access: 'x' })).toThrow('access "x" is no path');
  expect(() => relocate({ access: Array.from({ length: 65 }, () => 0).join(':') })).toThrow(
    'over 64 steps',
  );
});

test('two types of one name in the kernel must agree', () => {
  const local = describedTypes(['struct twin 4 a:u32@0'], 'local');
  const kernel = describedTypes(
    ['struct twin 4 a:u32@0', 'struct twin___other 8 a:u32@32'],
    'kernel',
  );
  const program = { ...specOf('counter-19').programs['count']!, btf: local };
  const insns = [{ code: 0x61, dst: 0, src: 1, off: 0, imm: 0 }];
  const core = [{ slot: 0, type: 1, access: '0:0', kind: 0 }];
  expect(() => relocateCore('f.o', { ...program, insns, core }, kernel)).toThrow(
    'byte_off of twin differs between types 1 and 2 of kernel',
  );
});
