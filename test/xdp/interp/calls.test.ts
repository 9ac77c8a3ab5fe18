import { describe, expect, test } from 'vitest';
import type { EngineImage, EngineMap, RunningEngine } from '../../../src/xdp/engine.ts';
import type { Helper } from '../../../src/xdp/helpers/helper.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { ProgramFault } from '../../../src/xdp/program.ts';
import { EXIT, bareBpf, insn, load64 } from './rig.ts';

const mov = (dst: number, imm: number): Insn => insn(0xb7, { dst, imm });
const movReg = (dst: number, src: number): Insn => insn(0xbf, { dst, src });
const add = (dst: number, src: number): Insn => insn(0x0f, { dst, src });
const local = (imm: number): Insn => insn(0x85, { src: 1, imm });
const helperCall = (imm: number): Insn => insn(0x85, { imm });

describe('local calls', () => {
  test('r6 to r9 and the stack are the caller’s again; r0 is the callee’s', () => {
    const insns = [
      ...[mov(6, 1), mov(7, 2), mov(8, 3), mov(9, 4)],
      insn(0x7a, { dst: 10, off: -8, imm: 77 }),
      local(7), // to slot 13
      ...[add(0, 6), add(0, 7), add(0, 8), add(0, 9)],
      insn(0x79, { dst: 1, src: 10, off: -8 }),
      add(0, 1),
      EXIT,
      ...[mov(6, 9), mov(7, 9), mov(8, 9), mov(9, 9)],
      insn(0x7a, { dst: 10, off: -8, imm: 88 }),
      mov(0, 1000),
      EXIT,
    ];
    const it = new Interpreter({ name: 'c', insns }, bareBpf(), { checked: true });
    expect(it.run(0)).toBe(1000 + 1 + 2 + 3 + 4 + 77);
  });

  test('eight frames are the most', () => {
    // f(r1) = r1 === 0 ? 0 : f(r1 - 1)
    const recurse = (times: number): number =>
      new Interpreter(
        {
          name: 'deep',
          insns: [
            mov(1, times),
            local(1),
            EXIT,
            insn(0x15, { dst: 1, off: 2 }),
            insn(0x07, { dst: 1, imm: -1 }),
            local(-3),
            EXIT,
          ],
        },
        bareBpf(),
      ).run(0);
    expect(recurse(6)).toBe(recurse(0));
    expect(() => recurse(7)).toThrow('instruction 5 the call stack of 8 frames is too deep');
  });

  test('each frame has its own budget of may_goto', () => {
    // count how often may_goto falls through: 8388608 times, then it jumps
    const insns = [
      mov(0, 0),
      insn(0xe5, { off: 2 }),
      insn(0x07, { imm: 1 }),
      insn(0x05, { off: -3 }),
      EXIT,
    ];
    expect(new Interpreter({ name: 'may', insns }, bareBpf()).run(0)).toBe(8388608);
  });
});

describe('helpers', () => {
  const seen: number[][] = [];
  const sum: Helper = {
    ...{ id: 3, name: 'sum', wideArgs: 0, wideRet: false },
    call: (_, ...args) => {
      seen.push(args);
      return -5;
    },
  };

  test('take five words; a word is returned sign-extended', () => {
    const insns = [
      mov(1, 1),
      mov(2, -2),
      mov(3, 3),
      ...load64(4, 0x9_00000004n),
      mov(5, 5),
      helperCall(3),
      EXIT,
    ];
    const helpers: Helper[] = [];
    helpers[3] = sum;
    const it = new Interpreter({ name: 'h', insns }, bareBpf(), { helpers });
    it.run(0);
    expect(seen).toEqual([[1, -2, 3, 4, 5]]);
    expect(it.reg(0)).toBe(0xffffffff_fffffffbn);
  });

  test('wide arguments and results pass their high words through `hi`', () => {
    const double: Helper = {
      ...{ id: 1, name: 'double', wideArgs: 1 << 2, wideRet: true },
      call: (bpf, _, low) => {
        const { words } = bpf.mem;
        words[bpf.hi >> 2] = words[(bpf.hi >> 2) + 2]! * 2;
        return low * 2;
      },
    };
    const insns = [...load64(2, 0x1234_00000021n), helperCall(1), EXIT];
    const it = new Interpreter({ name: 'w', insns }, bareBpf(), { helpers: [undefined, double] });
    it.run(0);
    expect(it.reg(0)).toBe(0x2468_00000042n);
  });

  test('call back a function, whose frame lies below the caller’s', () => {
    const twice: Helper = {
      ...{ id: 1, name: 'twice', wideArgs: 0, wideRet: false },
      call: (bpf, func, ctx) =>
        bpf.engine!.call(func, 20, ctx, 0, 0) + bpf.engine!.call(func, 30, ctx, 0, 0),
    };
    const insns = [
      mov(6, 5),
      insn(0x18, { dst: 1, src: 4, imm: 6 }), // the function at slot 1 + 1 + 6 = 8
      insn(0),
      mov(2, 100),
      helperCall(1),
      add(0, 6),
      EXIT,
      mov(0, 0),
      mov(6, 1000), // slot 8
      movReg(0, 1),
      add(0, 2),
      EXIT,
    ];
    const it = new Interpreter({ name: 'cb', insns: [...insns, EXIT] }, bareBpf(), {
      helpers: [undefined, twice],
    });
    expect(it.run(0)).toBe(120 + 130 + 5);
    // nobody runs any more
    expect(it.executed).toBe(6 + 4 + 4);
  });

  test('callx calls the helper whose number a register holds', () => {
    const insns = [mov(3, 1), insn(0x8d, { dst: 3 }), EXIT];
    const nine: Helper = { id: 1, name: 'nine', wideArgs: 0, wideRet: false, call: () => 9 };
    expect(
      new Interpreter({ name: 'x', insns }, bareBpf(), { helpers: [undefined, nine] }).run(0),
    ).toBe(9);
    expect(() => new Interpreter({ name: 'x', insns }, bareBpf(), { helpers: [] }).run(0)).toThrow(
      'instruction 1 calls the unknown function 1',
    );
  });

  test.each([
    [250, '250'],
    [26, 'bpf_skb_load_bytes#26'],
  ])('missing helper %i is named before anything runs', (id, said) => {
    const insns = [mov(0, 0), helperCall(id), EXIT];
    expect(() => new Interpreter({ name: 'u', insns }, bareBpf())).toThrow(
      `program u, instruction 1: unknown function ${said}`,
    );
  });
});

describe('tail calls', () => {
  const TAIL: Helper = { id: 12, name: 'tail_call', wideArgs: 0, wideRet: false, call: () => 0 };
  const helpers: Helper[] = [];
  helpers[12] = TAIL;
  const progArray = (entries: readonly (EngineImage | null)[]): EngineMap => ({
    ...{ id: 7, handle: 0x40, maxEntries: entries.length, inline: null },
    progAt: (index) => entries[index] ?? null,
  });
  const tail = (index: number): Insn[] => [
    ...[insn(0x18, { dst: 2, src: 1, imm: 7 }), insn(0)],
    mov(3, index),
    helperCall(12),
  ];

  test('the other program goes on with the context, in the same frame, and ends the run', () => {
    const target = { name: 'b', insns: [movReg(0, 1), insn(0x07, { imm: 1 }), EXIT] };
    const insns = [...tail(1), mov(0, 3), EXIT];
    const bpf = bareBpf([progArray([null, target])]);
    const it = new Interpreter({ name: 'a', insns }, bpf, { helpers });
    expect(it.run(5000)).toBe(5001);
    expect(it.image.name).toBe('b');
    expect(it.run(6000)).toBe(6001);
  });

  test.each([0, 2, -1])('an empty entry, or none (%d): the next instruction', (index) => {
    const insns = [...tail(index), mov(0, 3), EXIT];
    const it = new Interpreter({ name: 'a', insns }, bareBpf([progArray([null, null])]), {
      helpers,
    });
    expect(it.run(0)).toBe(3);
  });

  test('33 in one run', () => {
    const entries: EngineImage[] = [];
    const counts = {
      name: 'again',
      insns: [insn(0x07, { dst: 6, imm: 1 }), ...tail(0), movReg(0, 6), EXIT],
    };
    entries.push(counts);
    const it = new Interpreter(
      { name: 'first', insns: [mov(6, 0), ...tail(0), EXIT] },
      bareBpf([progArray(entries)]),
      {
        helpers,
      },
    );
    expect(it.run(0)).toBe(33);
  });

  test('from a subprogram, the callee’s end returns to the caller', () => {
    const target = { name: 'b', insns: [mov(0, 40), mov(6, 9), EXIT] };
    const insns = [mov(6, 2), local(2), add(0, 6), EXIT, ...tail(0), mov(0, 3), EXIT];
    const it = new Interpreter({ name: 'a', insns }, bareBpf([progArray([target])]), { helpers });
    expect(it.run(0)).toBe(42);
  });
});

describe('callbacks of a program that a tail call led to', () => {
  const kept: { engine: RunningEngine | null; func: number } = { engine: null, func: 0 };
  const keep: Helper = {
    ...{ id: 1, name: 'keep', wideArgs: 0, wideRet: false },
    call: (bpf, func) => {
      kept.engine = bpf.engine;
      kept.func = func;
      return 0;
    },
  };
  const func = (at: number, to: number): Insn[] => [
    insn(0x18, { dst: 1, src: 4, imm: to - at - 1 }),
    insn(0),
  ];
  /** Keeps its function at slot 5, which returns `value` plus its argument. */
  const keeper = (name: string, value: number): EngineImage => ({
    name,
    insns: [...func(0, 5), helperCall(1), mov(0, 0), EXIT, mov(0, value), add(0, 1), EXIT],
  });

  test('are its own, and go on working when nobody runs', () => {
    const target = keeper('b', 200);
    const map: EngineMap = {
      id: 7,
      handle: 0x40,
      maxEntries: 1,
      inline: null,
      progAt: () => target,
    };
    const insns = [
      ...[insn(0x18, { dst: 2, src: 1, imm: 7 }), insn(0), mov(3, 0), helperCall(12), EXIT],
      ...[mov(0, 100), EXIT],
    ];
    const tail: Helper = { ...keep, id: 12, name: 'tail_call', call: () => 0 };
    const helpers: Helper[] = [];
    helpers[1] = keep;
    helpers[12] = tail;
    const it = new Interpreter({ name: 'a', insns }, bareBpf([map]), { helpers, maxInsns: 10 });
    expect(it.run(0)).toBe(0);
    for (let i = 0; i < 10; i++) expect(kept.engine!.call(kept.func, i, 0, 0, 0)).toBe(200 + i);
    expect(it.run(0)).toBe(0);
  });

  test('a number that is no function is a fault', () => {
    const it = new Interpreter(keeper('c', 1), bareBpf(), { helpers: [undefined, keep] });
    it.run(0);
    for (const wrong of [0, 8, 1 << 20, -1]) {
      expect(() => kept.engine!.call(wrong, 0, 0, 0, 0)).toThrow(
        `calls back to ${wrong}, which is no function`,
      );
    }
  });
});

describe('kernel functions', () => {
  test('are called by the name the program’s list has for them', () => {
    const insns = (kfunc: number): Insn[] => [
      ...[mov(6, 0), movReg(1, 10), insn(0x07, { dst: 1, imm: -8 }), mov(2, 3), mov(3, 7)],
      insn(0x85, { src: 2, imm: kfunc }),
      EXIT,
    ];
    const kfuncs = ['bpf_nothing', 'bpf_iter_num_new'];
    expect(new Interpreter({ name: 'k', insns: insns(1), kfuncs }, bareBpf()).run(0)).toBe(0);
    expect(() => new Interpreter({ name: 'k', insns: insns(0), kfuncs }, bareBpf())).toThrow(
      'program k, instruction 5: unknown kernel function bpf_nothing',
    );
  });
});

describe('map operands', () => {
  test('a map’s pointer, and the address of a value', () => {
    const map: EngineMap = { id: 9, handle: 0x1240, maxEntries: 4, inline: { at: 0x8000 } };
    const of = (src: number, imm: number, off: number): number => {
      const insns = [insn(0x18, { src, imm }), insn(0, { imm: off }), EXIT];
      return new Interpreter({ name: 'm', insns, maps: [map] }, bareBpf([map])).run(0);
    };
    expect(of(1, 9, 0)).toBe(0x1240);
    expect(of(2, 9, 20)).toBe(0x8014);
    expect(of(5, 0, 0)).toBe(0x1240);
    expect(of(6, 0, 4)).toBe(0x8004);
    expect(() => of(1, 8, 0)).toThrow('instruction 0: no map 8');
  });
});

describe('legacy packet loads, big-endian', () => {
  const bpf = bareBpf();
  bpf.mem.u8.set([1, 2, 3, 4, 5], bpf.given);
  const r0 = (...insns: Insn[]): number =>
    new Interpreter({ name: 'l', insns: [...insns, EXIT] }, bpf).runOn(bpf.given, 5);

  test('at a constant, and at a register plus a constant', () => {
    expect(r0(insn(0x20, { imm: 1 }))).toBe(0x02030405);
    expect(r0(insn(0x28, { imm: 3 }))).toBe(0x0405);
    expect(r0(insn(0x30, { imm: 4 }))).toBe(5);
    expect(r0(mov(2, 1), insn(0x48, { src: 2, imm: 1 }))).toBe(0x0304);
  });

  test('outside the packet the program ends with 0', () => {
    expect(r0(insn(0x20, { imm: 2 }), mov(0, 7))).toBe(0);
    expect(r0(insn(0x30, { imm: -1 }), mov(0, 7))).toBe(0);
    expect(r0(insn(0x30, { imm: 4 }), mov(0, 7))).toBe(7);
  });
});

describe('stepping', () => {
  const insns = [
    ...load64(0, 1n << 40n),
    insn(0x7b, { dst: 10, off: -8 }),
    insn(0x07, { imm: 1 }),
    EXIT,
  ];
  const lineInfo = [
    { slot: 0, file: 'a.c', line: 3, column: 5, text: 'long x = 1L << 40;' },
    { slot: 3, file: 'a.c', line: 4, column: 5, text: 'return x + 1;' },
  ];

  test('shows slot, registers, stack and source line before every instruction', () => {
    const it = new Interpreter({ name: 's', insns, lineInfo }, bareBpf());
    it.start(0);
    const seen: unknown[] = [];
    do seen.push([it.slot, it.reg(0), it.source()?.line]);
    while (it.step());
    expect(seen).toEqual([
      [0, 0n, 3],
      [2, 1n << 40n, 3],
      [3, 1n << 40n, 4],
      [4, (1n << 40n) + 1n, 4],
    ]);
    expect(it.executed).toBe(4);
    expect([...it.stack().subarray(504)]).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
    expect(it.step()).toBe(false);
  });

  test('can be given up for the rest of the run', () => {
    const it = new Interpreter({ name: 's', insns }, bareBpf());
    it.start(0);
    it.step();
    expect(it.finish()).toBe(1);
    expect(it.r0Hi).toBe(256);
    expect(it.executed).toBe(4);
  });

  test('a listener hears of every instruction, callbacks included', () => {
    const heard: number[] = [];
    const back: Helper = {
      ...{ id: 1, name: 'back', wideArgs: 0, wideRet: false },
      call: (bpf, func) => bpf.engine!.call(func, 0, 0, 0, 0),
    };
    const program = [
      insn(0x18, { dst: 1, src: 4, imm: 3 }),
      insn(0),
      helperCall(1),
      EXIT,
      mov(0, 6),
      EXIT,
    ];
    const it = new Interpreter({ name: 'l', insns: program }, bareBpf(), {
      helpers: [undefined, back],
    });
    it.onInsn((at) => heard.push(at.slot));
    expect(it.run(0)).toBe(6);
    expect(heard).toEqual([0, 2, 4, 5, 3]);
    // stepping stops outside the callback
    it.onInsn(null);
    it.start(0);
    it.step();
    it.step();
    expect(it.slot).toBe(3);
  });

  test('after a fault the next run starts afresh', () => {
    const program = [insn(0x15, { dst: 1, off: 1 }), insn(0x79, { src: 1 }), mov(0, 8), EXIT];
    const bpf = bareBpf();
    const it = new Interpreter({ name: 'f', insns: program }, bpf);
    expect(() => it.run(3)).toThrow(ProgramFault);
    expect(bpf.engine).toBe(null);
    expect(it.step()).toBe(false);
    expect(it.run(0)).toBe(8);
  });
});
