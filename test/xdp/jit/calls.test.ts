/** Calls of compiled programs: subprograms, helpers, callbacks, other programs, maps. */
import { describe, expect, test } from 'vitest';
import type { EngineImage } from '../../../src/xdp/engine.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import type { JitMap } from '../../../src/xdp/jit/jitBpf.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import { EXIT, insn, load64 } from '../interp/rig.ts';
import { def, u32 } from '../maps/rig.ts';
import { helper, helpersOf, jitRig } from './rig.ts';

const mov = (dst: number, imm: number): Insn => insn(0xb7, { dst, imm });
const movReg = (dst: number, src: number): Insn => insn(0xbf, { dst, src });
const add = (dst: number, src: number): Insn => insn(0x0f, { dst, src });
const addImm = (dst: number, imm: number): Insn => insn(0x07, { dst, imm });
const local = (imm: number): Insn => insn(0x85, { src: 1, imm });
const call = (imm: number): Insn => insn(0x85, { imm });
const address = (src: number, imm: number): Insn[] => [insn(0x18, { dst: 1, src, imm }), insn(0)];

describe('local calls', () => {
  const nested = [
    mov(6, 1),
    insn(0x7a, { dst: 10, off: -8, imm: 77 }),
    local(4), // to slot 7
    add(0, 6),
    insn(0x79, { dst: 1, src: 10, off: -8 }),
    add(0, 1),
    EXIT,
    mov(6, 9),
    insn(0x7a, { dst: 10, off: -8, imm: 88 }),
    mov(0, 1000),
    EXIT,
  ];

  test.each([false, true])('keep r6 and the stack of the caller, checked: %s', (checked) => {
    expect(jitRig().compile(nested, { checked }).run(0)).toBe(1000 + 1 + 77);
  });

  test('eight frames are the most in checked mode', () => {
    // f(r1) = r1 === 0 ? 0 : f(r1 - 1)
    const recurse = (times: number): number =>
      jitRig()
        .compile(
          [
            ...[mov(1, times), local(1), EXIT],
            ...[mov(0, 0), insn(0x15, { dst: 1, off: 2 }), addImm(1, -1), local(-4), EXIT],
          ],
          { checked: true },
        )
        .run(0);
    expect(recurse(6)).toBe(0);
    expect(() => recurse(7)).toThrow('instruction 6 the call stack of 8 frames is too deep');
  });
});

describe('helpers', () => {
  test('get the words of their arguments; a word is returned sign-extended', () => {
    const seen: number[][] = [];
    const helpers = helpersOf(
      helper(3, (_, a, b, c, d, e) => {
        seen.push([a, b, c, d, e]);
        return -5;
      }),
    );
    const insns = [mov(1, 1), mov(2, -2), mov(3, 3), ...load64(4, 0x9_00000004n), mov(5, 5)];
    const program = jitRig().compile([...insns, call(3), EXIT], { helpers });
    expect([program.run(0), program.r0Hi]).toEqual([-5, -1]);
    expect(seen).toEqual([[1, -2, 3, 4, 5]]);
  });

  test('of every number of parameters', () => {
    const helpers = helpersOf(
      helper(1, () => 1),
      helper(2, (_, a) => a),
      helper(3, (_, a, b) => a + b),
      helper(4, (_, a, b, c) => a + b + c),
      helper(5, (_, a, b, c, d) => a + b + c + d),
      helper(6, (_, a, b, c, d, e) => a + b + c + d + e),
    );
    [1, 1, 3, 7, 15, 31].forEach((sum, i) => {
      const args = [1, 2, 3, 4, 5].map((r) => mov(r, 1 << (r - 1)));
      const program = jitRig().compile([...args, call(i + 1), EXIT], { helpers });
      expect(program.run(0)).toBe(sum);
    });
  });

  test('that are missing are named with their instruction', () => {
    expect(() => jitRig().compile([mov(0, 0), call(4000), EXIT])).toThrow(
      'program p, instruction 1: unknown function 4000',
    );
    expect(() => jitRig().compile([mov(0, 0), call(26), EXIT])).toThrow(
      'program p, instruction 1: unknown function bpf_skb_load_bytes#26',
    );
  });

  test('are called by a register’s number only in checked mode', () => {
    const helpers = helpersOf(helper(7, (_, a) => a + 1));
    const insns = [mov(1, 41), mov(3, 7), insn(0x8d, { dst: 3 }), EXIT];
    expect(jitRig().compile(insns, { helpers, checked: true }).run(0)).toBe(42);
    expect(() => jitRig().compile(insns, { helpers })).toThrow(
      'program p, instruction 2: unknown opcode 8d',
    );
  });
});

describe('callbacks', () => {
  /** Calls `func(n, ctx)` for n from 0. */
  const loop = helper(181, (machine, times, func, ctx) => {
    for (let n = 0; n < times; n++)
      if (machine.engine!.call(func, n, ctx, 0, 0) !== 0) return n + 1;
    return times;
  });
  const helpers = helpersOf(loop);
  const withLoop = (times: number, body: Insn[]): Insn[] => [
    insn(0x7a, { dst: 10, off: -8, imm: 0 }),
    ...[insn(0x18, { dst: 2, src: 4, imm: 7 }), insn(0)], // the function at slot 1 + 1 + 7
    movReg(3, 10),
    mov(1, times),
    call(181),
    insn(0x79, { dst: 0, src: 10, off: -8 }),
    EXIT,
    mov(0, 0),
    ...body,
  ];
  /** *(u64 *)(r2 - 8) += r1 */
  const sum = insn(0xdb, { dst: 2, src: 1, off: -8 });
  const ownFrame = insn(0x7a, { dst: 10, off: -8, imm: 99 });

  test.each([false, true])('have frames of their own, checked: %s', (checked) => {
    const program = jitRig().compile(withLoop(10, [ownFrame, sum, mov(0, 0), EXIT]), {
      helpers,
      checked,
    });
    expect(program.run(0)).toBe(45);
    expect(program.run(0)).toBe(45);
  });

  test('come back after the run as well, with a stack and a budget of their own', () => {
    const { bpf, machine, compile } = jitRig();
    let ring = (): number => -1;
    const keep = helper(170, (_, func) => {
      const engine = machine.engine!;
      ring = () => engine.call(func, 40, 0, 0, 0);
      return 0;
    });
    const insns = [
      ...[insn(0x18, { dst: 1, src: 4, imm: 4 }), insn(0)],
      call(170),
      EXIT,
      EXIT,
      // the function at slot 5 returns its argument and two, through its stack
      insn(0x7b, { dst: 10, src: 1, off: -8 }),
      insn(0x79, { src: 10, off: -8 }),
      addImm(0, 2),
      EXIT,
    ];
    const options = { helpers: helpersOf(keep), checked: true, maxInsns: 4 };
    compile(insns, options).run(0);
    for (let i = 0; i < 5; i++) expect(ring()).toBe(42);
    expect(bpf.mem.words[(bpf.stackTop - 8) >> 2]).toBe(40);
    expect(machine.engine).toBe(null);
  });

  test('call helpers that call back', () => {
    const inner = [
      insn(0x7b, { dst: 10, src: 2, off: -16 }),
      ownFrame,
      ...[insn(0x18, { dst: 2, src: 4, imm: 6 }), insn(0)],
      insn(0x79, { dst: 3, src: 10, off: -16 }),
      mov(1, 3),
      call(181),
      mov(0, 0),
      EXIT,
      mov(0, 0),
      ...[ownFrame, sum, mov(0, 0), EXIT],
    ];
    const program = jitRig().compile(withLoop(4, inner), { helpers, checked: true });
    expect(program.run(0)).toBe(4 * (0 + 1 + 2));
  });
});

describe('tail calls', () => {
  const helpers = helpersOf(helper(12, () => 0));
  const progArray = (entries: readonly (EngineImage | null)[]): JitMap => ({
    ...{ id: 700, handle: 0x40, maxEntries: entries.length, inline: null },
    lookupElem: () => 0,
    progAt: (index) => entries[index] ?? null,
  });
  const tail = (index: number): Insn[] => [
    ...[insn(0x18, { dst: 2, src: 1, imm: 700 }), insn(0)],
    mov(3, index),
    call(12),
  ];
  const plusOne = { name: 'b', insns: [movReg(0, 1), addImm(0, 1), EXIT] };

  test('go on with the context and end the run', () => {
    const rig = jitRig(1, [progArray([null, plusOne])]);
    const program = rig.compile([...tail(1), mov(0, 3), EXIT], { helpers });
    expect([program.run(5000), program.run(6000)]).toEqual([5001, 6001]);
  });

  test.each([0, 2, -1])('to an empty entry, or none (%d): the next instruction', (index) => {
    const rig = jitRig(1, [progArray([null, null])]);
    expect(rig.compile([...tail(index), mov(0, 3), EXIT], { helpers }).run(0)).toBe(3);
  });

  test('that do not happen leave r0 as it was, on both engines', () => {
    // the second value is read behind a jump, so in another block than the call
    const insns = [mov(0, 5), ...tail(0), insn(0x15, { dst: 3, off: 1, imm: 9 }), addImm(0, 1)];
    const rig = jitRig(1, [progArray([null])]);
    const image = { name: 'p', insns: [...insns, EXIT] };
    const interpreter = new Interpreter(image, rig.machine, { helpers });
    expect(interpreter.runOn(rig.page, 64)).toBe(6);
    for (const checked of [false, true]) {
      const program = rig.compile(image.insns, { helpers, checked });
      expect([checked, program.runOn(rig.page, 64)]).toEqual([checked, 6]);
    }
  });

  test('follow the map’s changes', () => {
    const entries: (EngineImage | null)[] = [null];
    const program = jitRig(1, [progArray(entries)]).compile([...tail(0), mov(0, 3), EXIT], {
      helpers,
    });
    expect(program.run(10)).toBe(3);
    entries[0] = plusOne;
    expect(program.run(10)).toBe(11);
    entries[0] = { name: 'c', insns: [mov(0, 70), EXIT] };
    expect(program.run(10)).toBe(70);
  });

  test('33 in one run, counted anew in the next', () => {
    const rig = jitRig();
    const entries: EngineImage[] = [];
    const at = rig.page;
    // counts its runs in the word the context points to
    const again = [mov(4, 1), insn(0xc3, { dst: 1, src: 4 }), ...tail(0), mov(0, 0), EXIT];
    entries.push({ name: 'again', insns: again });
    const withMap = jitRig(1, [progArray(entries)]);
    const program = withMap.compile(again, { helpers });
    program.run(at);
    expect(withMap.bpf.mem.words[at >> 2]).toBe(34);
    program.run(at);
    expect(withMap.bpf.mem.words[at >> 2]).toBe(68);
  });

  test('count only when they happen, on both engines', () => {
    // 40 calls of an empty entry, then 33 of itself
    const missing = Array.from({ length: 40 }, () => tail(1)).flat();
    const entries: (EngineImage | null)[] = [null, null];
    const counting = {
      name: 'again',
      insns: [mov(4, 1), insn(0xc3, { dst: 1, src: 4 }), ...tail(0), EXIT],
    };
    entries[0] = counting;
    const first: EngineImage = { name: 'first', insns: [...missing, ...tail(0), EXIT] };
    const rig = jitRig(1, [progArray(entries)]);
    const runOf = {
      compiler: () => rig.compile(first.insns, { helpers }).run(rig.page),
      interpreter: () => new Interpreter(first, rig.machine, { helpers }).run(rig.page),
    };
    for (const [name, run] of Object.entries(runOf)) {
      rig.bpf.mem.words[rig.page >> 2] = 0;
      run();
      expect([name, rig.bpf.mem.words[rig.page >> 2]]).toEqual([name, 33]);
    }
  });

  test('leave the caller of a subprogram its own callbacks', () => {
    const callBack = helper(181, (machine, func) => machine.engine!.call(func, 0, 0, 0, 0));
    /** Calls its function at slot `at`, which returns `value`. */
    const calling = (before: Insn[], value: number): Insn[] => [
      ...before,
      ...[insn(0x18, { dst: 1, src: 4, imm: 4 }), insn(0)],
      call(181),
      EXIT,
      EXIT,
      mov(0, value),
      EXIT,
    ];
    const entries: EngineImage[] = [{ name: 'b', insns: calling([], 7) }];
    // the subprogram at slot 8 goes on with the other, whose r0 it returns; then 5 comes back
    const insns = [...calling([local(7)], 5), ...tail(0), mov(0, 3), EXIT];
    const rig = jitRig(1, [progArray(entries)]);
    const program = rig.compile(insns, {
      helpers: helpersOf(
        helper(12, () => 0),
        callBack,
      ),
    });
    expect([program.run(0), program.run(0)]).toEqual([5, 5]);
  });

  test('from a subprogram return to its caller', () => {
    const rig = jitRig(1, [progArray([plusOne])]);
    const insns = [local(2), addImm(0, 100), EXIT, ...tail(0), mov(0, 3), EXIT];
    expect(rig.compile(insns, { helpers }).run(5)).toBe(106);
  });
});

describe('look-ups in maps that are known', () => {
  const helpers = helpersOf(
    helper(1, () => {
      throw new Error('called');
    }),
  );
  /** r0 = the word at the value of key `key`, or -1. */
  const lookup = (id: number, key: number): Insn[] => [
    insn(0x62, { dst: 10, off: -4, imm: key }),
    movReg(2, 10),
    addImm(2, -4),
    ...address(1, id),
    movReg(7, 1),
    movReg(1, 7), // the map is known through copies
    call(1),
    insn(0x55, { off: 2 }),
    mov(0, -1),
    EXIT,
    insn(0x61, { src: 0 }),
    EXIT,
  ];

  test.each([false, true])('arrays are read without a call, checked: %s', (checked) => {
    const rig = jitRig();
    const map = createMap(rig.bpf, def(2, { valueSize: 12, maxEntries: 3 }));
    [0, 1, 2].forEach((i) => map.sysUpdate(u32(i), u32(10 + i, 0, 0)));
    const at = (key: number): number =>
      rig.compile(lookup(map.id, key), { helpers, checked }).run(0);
    expect([at(0), at(2), at(3), at(-1)]).toEqual([10, 12, -1, -1]);
  });

  test('per-CPU arrays: the value of the CPU that runs', () => {
    const rig = jitRig(3);
    const map = createMap(rig.bpf, def(6, { maxEntries: 2 }));
    map.sysUpdate(u32(1), u32(5, 0, 6, 0, 7, 0));
    const program = rig.compile(lookup(map.id, 1), { helpers });
    const on = [0, 1, 2].map((id) => {
      rig.bpf.xdp.cpu = { ...rig.bpf.xdp.cpu, id } as typeof rig.bpf.xdp.cpu;
      return program.run(0);
    });
    expect(on).toEqual([5, 6, 7]);
  });

  test('the CPU that runs is read from memory', () => {
    const rig = jitRig(3);
    const program = rig.compile([call(8), EXIT], { helpers: helpersOf(helper(8, () => -1)) });
    rig.bpf.xdp.cpu = { ...rig.bpf.xdp.cpu, id: 2 } as typeof rig.bpf.xdp.cpu;
    expect(program.run(0)).toBe(2);
  });

  test('hash maps are asked directly', () => {
    const rig = jitRig();
    const map = createMap(rig.bpf, def(1));
    map.sysUpdate(u32(9), u32(90));
    const at = (key: number): number => rig.compile(lookup(map.id, key), { helpers }).run(0);
    expect([at(9), at(8)]).toEqual([90, -1]);
  });

  test('global data is addressed directly', () => {
    const rig = jitRig();
    const map = createMap(rig.bpf, def(2, { valueSize: 16, maxEntries: 1 }));
    map.sysUpdate(u32(0), u32(1, 2, 3, 4));
    const insns = [insn(0x18, { dst: 1, src: 2, imm: map.id }), insn(0, { imm: 8 })];
    const program = rig.compile([...insns, insn(0x61, { src: 1, off: 4 }), EXIT]);
    expect(program.run(0)).toBe(4);
  });
});
