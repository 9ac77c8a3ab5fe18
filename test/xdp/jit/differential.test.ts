/**
 * Interpreter and compiler do the same: on every operation with corner values, and on random
 * programs, in result and given bytes, in checked mode in the stack, too. A random program that a
 * loop may contain does the same on its second turn there, whatever the first left in locals.
 *
 * RINGSCOPE_RUNS multiplies the number of random programs, RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { I32 } from '../../../src/host/wasm.ts';
import { WasmFunction, callImport, eq } from '../../../src/host/wasmFunction.ts';
import { CALL_CHAIN_BYTES } from '../../../src/xdp/engine.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import * as isa from '../../../src/xdp/isa/insn.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { compile } from '../../../src/xdp/jit/compile.ts';
import type { JitProgram } from '../../../src/xdp/jit/compile.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { GIVEN_BYTES, HELPERS, randomProgram } from './randomProgram.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);
const PROGRAMS = 1500 * RUNS;
/** Bytes of a result. */
const WORDS = 8;

const bpf = standaloneBpf({ moreBytes: 65536 });
const given = bpf.mem.region('given', 4096).at;
const stacks = bpf.stackTop - CALL_CHAIN_BYTES;

/** Both engines, as functions of the same form. */
interface Subject {
  readonly r0Hi: number;
  runOn(at: number, len: number): number;
}

function fillGiven(): void {
  for (let i = 0; i < GIVEN_BYTES; i++) bpf.mem.u8[given + i] = (i * 37 + 11) & 0xff;
}

/** Result, given bytes and stack, as bytes. */
function outcomeOf(subject: Subject): Buffer {
  fillGiven();
  const lo = subject.runOn(given, GIVEN_BYTES);
  return Buffer.concat([
    new Uint8Array(Int32Array.of(lo, subject.r0Hi).buffer),
    bpf.mem.u8.subarray(given, given + GIVEN_BYTES),
    bpf.mem.u8.subarray(stacks, bpf.stackTop),
  ]);
}

/** Low words of the results and given bytes of two runs in one loop, from the same memory. */
function outcomesInLoop(program: JitProgram): Buffer[] {
  const outcomes: Buffer[] = [];
  const begin = (): number => {
    fillGiven();
    bpf.mem.fill(stacks, CALL_CHAIN_BYTES, 0);
    return given;
  };
  const end = (lo: number): number => {
    const bytes = bpf.mem.u8.subarray(given, given + GIVEN_BYTES);
    return outcomes.push(Buffer.concat([new Uint8Array(Int32Array.of(lo).buffer), bytes]));
  };
  const { loop } = program.link!(
    (module, inlined) => {
      const begins = module.importFunction('test', 'begin', module.type([], [I32]));
      const ends = module.importFunction('test', 'end', module.type([I32], [I32]));
      const f = new WasmFunction();
      const [ctx, runs] = [f.i32(), f.i32()];
      f.repeat(() => {
        f.leaveIf(eq(runs, 2));
        f.set(ctx, callImport(begins));
        f.set(runs, callImport(ends, inlined(f, ctx)));
      });
      f.exportTo(module, 'loop');
    },
    { test: { begin, end } },
  );
  (loop as () => void)();
  expect(outcomes.length).toBe(2);
  return outcomes;
}

const subjectsOf = (insns: readonly Insn[]): [Interpreter, JitProgram, JitProgram] => [
  new Interpreter({ name: 'random', insns }, bpf, { helpers: HELPERS }),
  compile({ name: 'random', insns }, bpf, { helpers: HELPERS }),
  compile({ name: 'random', insns }, bpf, { helpers: HELPERS, checked: true }),
];

test('random programs', () => {
  fc.assert(
    fc.property(randomProgram(given), (insns) => {
      const subjects = subjectsOf(insns);
      const [reference, plain, checked] = subjects.map(outcomeOf);
      // a plain program holds slots of its stack in registers
      const seen = reference!.subarray(0, WORDS + GIVEN_BYTES);
      if (!plain!.subarray(0, seen.length).equals(seen)) expect(plain).toEqual(reference);
      if (!checked!.equals(reference!)) expect(checked).toEqual(reference);
      const expected = Buffer.concat([seen.subarray(0, 4), seen.subarray(WORDS)]);
      for (const looped of outcomesInLoop(subjects[1]))
        if (!looped.equals(expected)) expect(looped).toEqual(expected);
    }),
    { numRuns: PROGRAMS, seed: SEED },
  );
}, 3_600_000);

describe('operations on corner values', () => {
  const corners: bigint[] = [0n, 7n, 8n, 15n, 16n, 31n, 32n, 47n, 63n].flatMap((bit) => {
    const power = 1n << bit;
    return [power - 1n, power, power + 1n, -power, -power - 1n];
  });
  corners.push(0x0123456789abcdefn, 0xdeadbeef00000000n);
  const imms = [0, 1, 2, 7, 31, 32, 63, 64, 65535, 2 ** 31 - 1, -1, -2, -(2 ** 31)];
  const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({
    ...{ code, dst, src, off, imm },
  });
  /** r2 and r3 from the first bytes given, then `body`. */
  const around = (...body: Insn[]): Insn[] => [
    insn(0x79, 2, 1, 0),
    insn(0x79, 3, 1, 8),
    ...body,
    insn(0x95),
  ];
  const into0 = insn(0xbf, 0, 2);

  function compare(insns: Insn[]): void {
    const [reference, , compiled] = subjectsOf(insns);
    for (const a of corners) {
      for (const b of corners) {
        const r0 = (subject: Subject): [number, number] => {
          bpf.mem.view.setBigInt64(given, BigInt.asIntN(64, a), true);
          bpf.mem.view.setBigInt64(given + 8, BigInt.asIntN(64, b), true);
          return [subject.runOn(given, GIVEN_BYTES), subject.r0Hi];
        };
        const [x, y] = [r0(reference), r0(compiled)];
        if (x[0] !== y[0] || x[1] !== y[1]) expect([a, b, y]).toEqual([a, b, x]);
      }
    }
  }

  const operations = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0];
  const signed = (op: number): number[] => (op === 0x30 || op === 0x90 ? [0, 1] : [0]);
  const NARROW = insn(0xbc, 2, 2);
  const NARROW_BOTH = [NARROW, insn(0xbc, 3, 3)];

  test.each(operations)('arithmetic 0x%s with a register', (op) => {
    for (const cls of [isa.BPF_ALU, isa.BPF_ALU64]) {
      for (const off of signed(op)) {
        const code = insn(cls | op | isa.BPF_X, 2, 3, off);
        for (const first of [[], [NARROW], NARROW_BOTH]) compare(around(...first, code, into0));
      }
    }
  });

  test.each(operations)('arithmetic 0x%s with a constant', (op) => {
    for (const cls of [isa.BPF_ALU, isa.BPF_ALU64]) {
      for (const off of signed(op)) {
        for (const imm of imms) {
          const code = insn(cls | op, 2, 0, off, imm);
          for (const first of [[], [NARROW]]) compare(around(...first, code, into0));
        }
      }
    }
  });

  test('negation, sign extension and byte orders', () => {
    for (const first of [[], [NARROW]]) {
      for (const cls of [isa.BPF_ALU, isa.BPF_ALU64]) {
        compare(around(...first, insn(cls | isa.BPF_NEG, 2), into0));
        for (const off of cls === isa.BPF_ALU ? [8, 16] : [8, 16, 32])
          compare(around(...first, insn(cls | isa.BPF_MOV | isa.BPF_X, 2, 2, off), into0));
      }
      for (const code of [0xd4, 0xdc, 0xd7]) {
        for (const bits of [16, 32, 64])
          compare(around(...first, insn(code, 2, 0, 0, bits), into0));
      }
    }
  });

  test('conditions', () => {
    for (const cls of [isa.BPF_JMP, isa.BPF_JMP32]) {
      for (const op of [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0]) {
        const way = [insn(0xb7, 0, 0, 0, 1), insn(0xb7, 0, 0, 0, 2)];
        compare(around(way[0]!, insn(cls | op | isa.BPF_X, 2, 3, 1), way[1]!));
        for (const imm of imms) {
          compare(around(way[0]!, insn(cls | op, 2, 0, 1, imm), way[1]!));
        }
      }
    }
  });
});
