/** Whole programs: their graphs, their bounds, their size. */
import { describe, expect, test } from 'vitest';
import { findLeaders, buildGraph } from '../../../src/xdp/jit/graph.ts';
import { moduleOf } from '../../../src/xdp/jit/moduleCache.ts';
import { I32, WasmCode, WasmModule } from '../../../src/host/wasm.ts';
import { WasmFunction, add, eq } from '../../../src/host/wasmFunction.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { ProgramFault } from '../../../src/xdp/program.ts';
import { EXIT, insn } from '../interp/rig.ts';
import { jitRig } from './rig.ts';

const mov = (dst: number, imm: number): Insn => insn(0xb7, { dst, imm });
const addImm = (dst: number, imm: number): Insn => insn(0x07, { dst, imm });
const jump = (off: number): Insn => insn(0x05, { off });

describe('control flow', () => {
  /** Two ways into a loop: at its head, and at its middle. */
  const twoEntries = [
    mov(0, 0),
    insn(0x61, { dst: 2, src: 1 }),
    insn(0x15, { dst: 2, imm: 7, off: 1 }), // into the middle
    addImm(0, 1), // head
    addImm(0, 100), // middle
    insn(0xa5, { dst: 0, imm: 500, off: -3 }),
    EXIT,
  ];

  test('a loop with two entries is irreducible, and runs', () => {
    expect(buildGraph(twoEntries, findLeaders(twoEntries), 0).reducible).toBe(false);
    const rig = jitRig();
    const program = rig.compile(twoEntries);
    rig.bpf.mem.words[rig.page >> 2] = 7;
    expect(program.run(rig.page)).toBe(100 + 4 * 101);
    rig.bpf.mem.words[rig.page >> 2] = 0;
    expect(program.run(rig.page)).toBe(5 * 101);
  });

  test('may_goto falls through 8388608 times', () => {
    const insns = [mov(0, 0), insn(0xe5, { off: 2 }), addImm(0, 1), jump(-3), EXIT];
    expect(jitRig().compile(insns).run(0)).toBe(8388608);
  });

  test('gotol reaches beyond 16 bits', () => {
    const far = Array.from({ length: 40_000 }, () => mov(0, 1));
    const insns = [mov(0, 7), insn(0x06, { imm: far.length }), ...far, EXIT];
    expect(jitRig().compile(insns).run(0)).toBe(7);
  });

  test('code that nothing reaches may be anything that has a form', () => {
    const insns = [mov(0, 4), EXIT, insn(0x85, { imm: 9999 }), EXIT];
    expect(jitRig().compile(insns).run(0)).toBe(4);
  });

  test('thousands of conditions nested in one another', () => {
    const depth = 30_000;
    const checks = Array.from({ length: depth }, (_, i) => [
      insn(0x55, { dst: 2, imm: i, off: 1 }),
      addImm(0, 1),
      addImm(2, 1),
    ]).flat();
    const insns = [mov(0, 0), mov(2, 0), ...checks, EXIT];
    expect(jitRig().compile(insns).run(0)).toBe(depth);
    // all leave for the same end
    const leave = Array.from({ length: depth }, (_, i) =>
      insn(0x15, { dst: 1, imm: i + 1, off: Math.min(depth - i - 1, 32767) }),
    );
    expect(
      jitRig()
        .compile([mov(0, 3), ...leave, EXIT])
        .run(0),
    ).toBe(3);
  });

  test('loops nested deeper than facts are followed', () => {
    // r2 is narrow at first, and wide after the innermost turn
    const depth = 100;
    const heads = Array.from({ length: depth }, () => insn(0x07, { imm: 1 }));
    const back = Array.from({ length: depth }, (_, i) =>
      insn(0x55, { dst: 2, imm: -1, off: -(2 * i + 3) }),
    );
    const insns = [
      mov(0, 0),
      mov(2, 1),
      ...heads,
      mov(2, -1),
      ...back,
      insn(0xac, { dst: 2 }),
      EXIT,
    ];
    expect(jitRig().compile(insns).run(0)).toBe(depth);
  });

  test('many loops inside loops', () => {
    // r0 counts 3^6
    const insns: Insn[] = [mov(0, 0)];
    const heads: number[] = [];
    for (let r = 1; r <= 6; r++) {
      insns.push(mov(r, 3));
      heads.push(insns.length);
    }
    insns.push(addImm(0, 1));
    for (let r = 6; r >= 1; r--) {
      insns.push(addImm(r, -1));
      insns.push(insn(0x55, { dst: r, off: heads[r - 1]! - insns.length - 1 }));
    }
    expect(
      jitRig()
        .compile([...insns, EXIT])
        .run(0),
    ).toBe(3 ** 6);
  });
});

describe('checked mode', () => {
  const rig = jitRig();
  const { words } = rig.bpf.mem;
  const md = rig.page;
  const data = rig.page + 4096;
  words.set([data, data + 64, data], md >> 2);
  const run = (...insns: Insn[]): number => rig.compile(insns, { checked: true }).run(md);
  const fromPacket = insn(0x61, { dst: 2, src: 1 });

  test('lets a program read its context, packet and stack', () => {
    words[(data + 60) >> 2] = 33;
    expect(run(fromPacket, insn(0x61, { src: 2, off: 60 }), EXIT)).toBe(33);
    expect(
      run(insn(0x7a, { dst: 10, off: -512, imm: 5 }), insn(0x79, { src: 10, off: -512 }), EXIT),
    ).toBe(5);
  });

  test.each<[string, Insn[]]>([
    [
      'reads 4 bytes at .*, which is not the program’s',
      [fromPacket, insn(0x61, { src: 2, off: 61 })],
    ],
    ['writes 1 bytes at .*, which is not the program’s', [insn(0x72, { dst: 10 })]],
    ['writes 4 bytes at .*, which is not the program’s', [insn(0x62, { dst: 1 })]],
    ['reads 8 bytes at 0x0, outside host memory', [mov(2, 0), insn(0x79, { src: 2 })]],
    ['reads 8 bytes at 0xffffffffffffffff, outside', [mov(2, -1), insn(0x79, { src: 2 })]],
  ])('%s', (text, insns) => {
    expect(() => run(mov(0, 0), ...insns, EXIT)).toThrow(ProgramFault);
    expect(() => run(mov(0, 0), ...insns, EXIT)).toThrow(new RegExp(`instruction \\d ${text}`));
  });

  test('ends a run that goes on for ever', () => {
    const program = rig.compile([jump(-1)], { checked: true, maxInsns: 1000 });
    expect(() => program.run(md)).toThrow('instruction 0 still running after 1000 instructions');
    expect(() => program.run(md)).toThrow(ProgramFault);
  });

  test('legacy loads read the packet in network order, or end the program with 0', () => {
    rig.bpf.mem.u8.set([1, 2, 3, 4], data + 10);
    expect(run(insn(0x20, { imm: 10 }), EXIT)).toBe(0x01020304);
    expect(run(mov(2, 10), insn(0x48, { src: 2, imm: 1 }), EXIT)).toBe(0x0203);
    expect(run(insn(0x30, { imm: 64 }), mov(0, 9), EXIT)).toBe(0);
    expect(() => rig.compile([insn(0x20, { imm: 10 }), EXIT])).toThrow(
      'instruction 0: BPF_LD_[ABS|IND] instructions not allowed for this program type',
    );
  });
});

test('a wild program in plain mode stays inside host memory', () => {
  const rig = jitRig();
  const program = rig.compile([
    insn(0x18, { dst: 2, imm: 0x7fff0000 }),
    insn(0),
    insn(0x79, { src: 2, off: 32767 }),
    EXIT,
  ]);
  expect(() => program.run(0)).toThrow('memory access out of bounds');
});

test.each<[string, Insn[]]>([
  ['instruction 0: jump out of range from insn 0 to 9', [jump(8), EXIT]],
  ['instruction 0: unknown opcode ff', [insn(0xff), EXIT]],
  ['instruction 0: last insn is not an exit or jmp', [mov(0, 0)]],
  ['instruction 0: no map 12345', [insn(0x18, { src: 1, imm: 12345 }), insn(0), EXIT]],
])('refused: %s', (text, insns) => {
  expect(() => jitRig().compile(insns)).toThrow(`program p, ${text}`);
});

test('functions that share code are refused before they fill memory', () => {
  const straight = Array.from({ length: 1000 }, () => addImm(0, 1));
  const calls = Array.from({ length: 10 }, (_, i) => insn(0x85, { src: 1, imm: 100 + 50 * i }));
  expect(() => jitRig().compile([mov(0, 0), ...calls, EXIT, ...straight, EXIT])).toThrow(
    'functions of the program overlap',
  );
  // the program calling itself is one function more, and no more
  const itself = [insn(0x15, { dst: 1, off: 2 }), mov(1, 0), insn(0x85, { src: 1, imm: -3 }), EXIT];
  expect(
    jitRig()
      .compile([...itself])
      .run(8),
  ).toBe(0);
});

test('a batch runs on contexts at equal distances', () => {
  const rig = jitRig();
  const { words } = rig.bpf.mem;
  for (let i = 0; i < 10; i++) words[(rig.page + i * 24) >> 2] = i * i;
  const insns = [insn(0x61, { src: 1 }), addImm(0, 1), EXIT];
  const verdicts = rig.page + 4096;
  const expected = Array.from({ length: 10 }, (_, i) => i * i + 1);
  for (const checked of [false, true]) {
    words.fill(0, verdicts >> 2, (verdicts >> 2) + 11);
    // reads what is not its context: only plain mode may
    const program = rig.compile(checked ? [mov(0, 8), EXIT] : insns, { checked });
    program.runBatch(rig.page, 24, 10, verdicts);
    const found = [...words.subarray(verdicts >> 2, (verdicts >> 2) + 11)];
    expect(found).toEqual(checked ? [...Array<number>(10).fill(8), 0] : [...expected, 0]);
  }
});

test('modules are kept by their bytes', () => {
  const bytesOf = (n: number): Uint8Array<ArrayBuffer> => {
    const module = new WasmModule();
    const own = module.declare();
    module.define(own, module.type([], [0x7f]), [], new WasmCode().i32(n));
    module.exportFunction('f', own);
    return module.encode();
  };
  const one = moduleOf(bytesOf(1));
  expect(moduleOf(bytesOf(1))).toBe(one);
  expect(moduleOf(bytesOf(2))).not.toBe(one);
});

describe('within a function of somebody else', () => {
  /** The square of the word at the context, by a loop. */
  const squares = [
    ...[mov(0, 0), insn(0x61, { dst: 2, src: 1 }), insn(0xbf, { dst: 3, src: 2 })],
    ...[insn(0x15, { dst: 3, off: 3 }), insn(0x0f, { src: 2 }), addImm(3, -1), jump(-4), EXIT],
  ];

  test('it runs again and again', () => {
    const rig = jitRig();
    const { words } = rig.bpf.mem;
    [3, 1, 4, 1, 5].forEach((n, i) => (words[(rig.page >> 2) + i] = n));
    const program = rig.compile(squares);
    const exported = program.link!((module, inlined) => {
      const f = new WasmFunction();
      const [at, end] = [f.param(I32), f.param(I32)] as const;
      const sum = f.i32();
      f.repeat(() => {
        f.leaveIf(eq(at, end));
        f.set(sum, add(sum, inlined(f, at)));
        f.set(at, add(at, 4));
      });
      f.returns(sum, I32);
      f.exportTo(module, 'sum');
    }, {});
    const sum = exported['sum'] as (at: number, end: number) => number;
    expect(sum(rig.page, rig.page + 20)).toBe(9 + 1 + 16 + 1 + 25);
    expect(program.run(rig.page + 8)).toBe(16);
  });

  test('not what needs preparation, nor what is long', () => {
    const rig = jitRig();
    expect(rig.compile(squares, { checked: true }).link).toBeUndefined();
    const long = Array.from({ length: 40_000 }, (_, i) => mov(2, 2 ** 31 - 1 - i));
    const program = rig.compile([...long, ...squares]);
    expect(program.link).toBeUndefined();
    expect(program.run(rig.page)).toBe(0);
  });
});
