/** An object outside any machine, from code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chooseProgram, LoneProgram, readObject } from '../../src/lab/bpfObject.ts';
import { asm, assemble, REGS } from '../../src/xdp/isa/asm.ts';
import type { CollectionSpec } from '../../src/xdp/loader/spec.ts';
import { BPF_MAP_TYPE_HASH } from '../../src/xdp/maps/uapi.ts';
import { XDP_PASS } from '../../src/xdp/uapi.ts';

function object(path: string): CollectionSpec {
  const root = path.startsWith('examples') ? '../..' : '..';
  return readObject(`${path}.o`, readFileSync(new URL(`${root}/${path}.o`, import.meta.url)));
}

const packet = new Uint8Array(64);

test('a program that its section keeps back is loaded when it is asked for', () => {
  const spec = object('objects/sections');
  const asked = chooseProgram(spec, { program: 'not_by_itself' });
  expect(asked.autoload).toBe(false);
  expect(new LoneProgram(spec, asked).run(packet)).toBe(XDP_PASS);
});

test('what the program does not need is not loaded: another may be refused', () => {
  const spec = object('objects/sections');
  const loaded = (name: string): string[] =>
    Object.keys(new LoneProgram(spec, chooseProgram(spec, { program: name })).collection.programs);
  expect(loaded('in_fragments')).toEqual(['in_fragments']);
  const tails = object('examples/bpf/tail_calls');
  expect(Object.keys(new LoneProgram(tails).collection.programs).toSorted()).toEqual([
    'entry',
    'parse_ipv4',
    'parse_ipv6',
    'verdict',
  ]);
});

test('programs for entries of devmaps and cpumaps do not run by themselves, as on Linux', () => {
  const spec = object('objects/sections');
  for (const program of ['on_device', 'on_cpu']) {
    const lone = new LoneProgram(spec, chooseProgram(spec, { program }));
    const refusal = /^objects\/sections\.o: on_\w+ \(xdp\/\w+\) is for entries of .* EINVAL$/;
    expect(() => lone.run(packet)).toThrow(refusal);
    expect(() => lone.steps(packet)).toThrow(refusal);
  }
});

test('both engines run the same maps, the interpreter also step by step', () => {
  const lone = new LoneProgram(object('bpf/globals'));
  const walked = new LoneProgram(object('bpf/globals'));
  const verdict = lone.run(packet);
  const it = walked.steps(packet);
  let steps = 1;
  while (it.step()) steps++;
  expect(it.executed).toBe(steps);
  expect(Number(it.reg(0))).toBe(verdict);
  for (const name of Object.keys(lone.collection.maps)) {
    expect([...walked.map(name)], name).toEqual([...lone.map(name)]);
  }
});

test('a map that is not there, time that runs backwards: refused by name', () => {
  const lone = new LoneProgram(object('bpf/globals'));
  expect(() => lone.map('none')).toThrow(/^bpf\/globals\.o: no map none; it has /);
  expect(() => lone.map('toString')).toThrow('no map toString');
  expect(() => lone.advance(-1)).toThrow('advance: -1 ns is out of range (0 or more)');
  expect(() => lone.advance(NaN)).toThrow('advance: NaN ns is out of range (0 or more)');
});

test('a timer of a second rings after a second', () => {
  const spec = object('bpf/timers');
  const { insns } = chooseProgram(spec, {});
  const cancel = insns.findIndex(({ code, imm }) => code === 0x85 && imm === 172);
  insns[cancel] = assemble([asm.mov(REGS[0]!, 0)])[0]!; // the timer stays
  const lone = new LoneProgram(spec);
  lone.run(packet);
  const fired = (): unknown => (lone.map('elems').get(0) as { fired: number }).fired;
  lone.advance(999_999_999);
  expect(fired()).toBe(0);
  lone.advance(1);
  expect(fired()).toBe(1);
});

test('what cannot be loaded is refused with the name of the file', () => {
  const loading =
    (edit: (spec: CollectionSpec) => void, verify = true) =>
    (): LoneProgram => {
      const spec = object('bpf/hash');
      edit(spec);
      return new LoneProgram(spec, undefined, { verify });
    };
  const hash = (spec: CollectionSpec): CollectionSpec['maps'][string] =>
    Object.values(spec.maps).find(({ type }) => type === BPF_MAP_TYPE_HASH)!;
  const name = hash(object('bpf/hash')).name;
  expect(loading((spec) => (hash(spec).maxEntries = 0))).toThrow(
    `bpf/hash.o: map ${name} (hash): maxEntries 0 is out of range (1 or more) (EINVAL)`,
  );
  expect(loading((spec) => (hash(spec).maxEntries = 100_000_000))).toThrow(
    new RegExp(`^bpf/hash\\.o: map ${name}: needs \\d+ MiB.*; host memory has 2047 MiB at most$`),
  );
  const damaged = (spec: CollectionSpec): void => {
    chooseProgram(spec, {}).insns[0] = { code: 0xff, dst: 0, src: 0, off: 0, imm: 0 };
  };
  expect(loading(damaged, false)).toThrow(
    /^bpf\/hash\.o: program \w+, instruction 0: unknown opcode ff/,
  );
  expect(loading(damaged)).toThrow('bpf/hash.o: program hash: unknown opcode ff (EINVAL)');
});
