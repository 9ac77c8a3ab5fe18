/** Bytes read and written one by one, which a plain program reads and writes as whole numbers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import { withWholeNumbers } from '../../../src/xdp/jit/bytes.ts';
import { buildGraph, findLeaders } from '../../../src/xdp/jit/graph.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { EXIT, insn } from '../interp/rig.ts';
import { jitRig } from './rig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);

const [LDX_B, LDX_H, LDX_W] = [0x71, 0x69, 0x61] as const;
const [STX_B, STX_H, STX_W] = [0x73, 0x6b, 0x63] as const;
const [ST_B, ST_H] = [0x72, 0x6a] as const;
const [MOV, MOV32, MOV_K, LSH, LSH32, RSH32, OR, OR32] = [
  ...[0xbf, 0xbc, 0xb7, 0x67, 0x64, 0x74, 0x4f, 0x4c],
] as const;

const load = (code: number, dst: number, src: number, off: number): Insn =>
  insn(code, { dst, src, off });
const store = (code: number, dst: number, off: number, src: number): Insn =>
  insn(code, { dst, off, src });

/** What is left of `insns` when bytes are joined, without what became nothing. */
function joined(...insns: Insn[]): Insn[] {
  const all = [...insns, EXIT];
  const graph = buildGraph(all, findLeaders(all), 0);
  return withWholeNumbers(all, graph).filter(({ code }) => code !== 0x05 && code !== 0x95);
}

describe('joined', () => {
  test('two bytes of a packet, and four', () => {
    const [low, high] = [load(LDX_B, 2, 1, 12), load(LDX_B, 0, 1, 13)];
    const sixteen = [low, high, insn(LSH32, { imm: 8 }), insn(OR32, { src: 2 })];
    expect(joined(...sixteen)).toEqual([load(LDX_H, 0, 1, 12)]);
    const upper = [
      ...[load(LDX_B, 3, 1, 15), load(LDX_B, 4, 1, 14), insn(LSH32, { dst: 3, imm: 8 })],
      ...[insn(OR32, { dst: 3, src: 4 }), insn(LSH32, { dst: 3, imm: 16 })],
    ];
    expect(joined(...sixteen, ...upper, insn(OR, { src: 3 }))).toEqual([load(LDX_W, 0, 1, 12)]);
  });

  test('parts of one number, and constants', () => {
    const shifted = (dst: number, imm: number): Insn[] => [
      ...[insn(MOV32, { dst, src: 2 }), insn(RSH32, { dst, imm })],
    ];
    const number = [
      ...[...shifted(3, 24), store(STX_B, 1, 9, 3), ...shifted(3, 16), store(STX_B, 1, 8, 3)],
      ...[store(STX_B, 1, 6, 2), insn(RSH32, { dst: 2, imm: 8 }), store(STX_B, 1, 7, 2)],
    ];
    expect(joined(...number)).toEqual([store(STX_W, 1, 6, 2)]);
    const constants = [
      ...[insn(MOV_K, { dst: 2, imm: 0x1ff }), store(STX_B, 1, 1, 2)],
      ...[insn(ST_B, { dst: 1, off: 0, imm: 2 }), insn(ST_H, { dst: 1, off: 2, imm: -2 })],
    ];
    expect(joined(...constants)).toEqual([insn(0x62, { dst: 1, imm: 0xfffeff02 | 0 })]);
  });

  test('however many there are in a row', () => {
    const bytes = Array.from({ length: 200 }, (_, off) => insn(ST_B, { dst: 1, off, imm: off }));
    const words = Array.from({ length: 50 }, (_, i) =>
      insn(0x62, { dst: 1, off: 4 * i, imm: (0x03020100 + 0x04040404 * i) | 0 }),
    );
    expect(joined(...bytes)).toEqual(words);
  });
});

describe('left alone', () => {
  test('bytes between which something is written, or that are not neighbours', () => {
    const between = [
      ...[load(LDX_B, 2, 1, 0), store(STX_W, 1, 0, 1), load(LDX_B, 3, 1, 1)],
      ...[insn(LSH32, { dst: 3, imm: 8 }), insn(OR32, { dst: 3, src: 2 }), insn(MOV, { src: 3 })],
    ];
    expect(joined(...between)).toEqual(between);
    const apart = between.map((one) => (one.code === STX_W ? insn(MOV, { dst: 4, src: 1 }) : one));
    apart[2] = load(LDX_B, 3, 1, 2);
    expect(joined(...apart)).toEqual(apart);
  });

  test('parts between which something is read', () => {
    const insns = [
      ...[store(STX_B, 1, 0, 2), load(LDX_B, 0, 1, 0)],
      ...[insn(RSH32, { dst: 2, imm: 8 }), store(STX_B, 1, 1, 2)],
    ];
    expect(joined(...insns)).toEqual(insns);
  });
});

test('whatever is joined, memory and result are as the interpreter leaves them', () => {
  const rig = jitRig();
  const BYTES = 64;
  const at = rig.page;
  const outcome = (subject: { run(ctx: number): number; readonly r0Hi: number }): string => {
    for (let i = 0; i < BYTES; i++) rig.bpf.mem.u8[at + i] = (i * 41 + 7) & 0xff;
    return [subject.run(at), subject.r0Hi, ...rig.bpf.mem.u8.subarray(at, at + BYTES)].join();
  };
  // r6 is where r1 is, or two bytes behind: what one writes the other reads
  const register = fc.constantFrom(0, 2, 3);
  const base = fc.constantFrom(1, 1, 1, 6);
  const off = fc.integer({ min: 8, max: 13 });
  const bits = fc.constantFrom(8, 8, 8, 16, 24, 4);
  const one = fc.oneof(
    fc.tuple(fc.constantFrom(LDX_B, LDX_B, LDX_H), register, base, off).map((a) => load(...a)),
    fc
      .tuple(fc.constantFrom(STX_B, STX_B, STX_H, STX_W), base, off, register)
      .map((a) => store(...a)),
    fc
      .tuple(fc.constantFrom(ST_B, ST_H), base, off, fc.integer({ min: -300, max: 300 }))
      .map(([code, dst, to, imm]) => insn(code, { dst, off: to, imm })),
    fc
      .tuple(fc.constantFrom(LSH, LSH32, RSH32, RSH32), register, bits)
      .map(([code, dst, imm]) => insn(code, { dst, imm })),
    fc
      .tuple(fc.constantFrom(MOV, MOV32, OR, OR32, OR32), register, register)
      .map(([code, dst, src]) => insn(code, { dst, src })),
    fc.tuple(register, fc.integer()).map(([dst, imm]) => insn(MOV_K, { dst, imm })),
  );
  /** A number in bytes, as compilers read and write it. */
  const reads = fc
    .tuple(off, fc.shuffledSubarray([0, 2, 3], { minLength: 2 }))
    .map(([from, r]) => [
      ...[load(LDX_B, r[0]!, 1, from), load(LDX_B, r[1]!, 1, from + 1)],
      ...[insn(LSH32, { dst: r[1]!, imm: 8 }), insn(OR32, { dst: r[1]!, src: r[0]! })],
    ]);
  const writes = fc
    .tuple(off, register, base)
    .map(([to, r, on]) => [
      ...[store(STX_B, on, to, r), insn(RSH32, { dst: r, imm: 8 }), store(STX_B, on, to + 1, r)],
    ]);
  const part = fc.oneof(
    { weight: 4, arbitrary: one.map((i) => [i]) },
    { weight: 1, arbitrary: fc.oneof(reads, writes) },
  );
  let changed = 0;
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 4, maxLength: 24 }),
      fc.constantFrom(0, 2),
      (parts, apart) => {
        const insns = [
          ...[
            insn(MOV_K, { imm: 0x12345678 }),
            insn(MOV, { dst: 2 }),
            insn(MOV, { dst: 3, src: 1 }),
          ],
          ...[insn(MOV, { dst: 6, src: 1 }), insn(0x07, { dst: 6, imm: apart })],
          ...[...parts.flat(), insn(0x0f, { src: 2 }), insn(0x0f, { src: 3 }), EXIT],
        ];
        if (withWholeNumbers(insns, buildGraph(insns, findLeaders(insns), 0)) !== insns) changed++;
        const reference = outcome(new Interpreter({ name: 'p', insns }, rig.bpf));
        expect(outcome(rig.compile(insns))).toBe(reference);
      },
    ),
    { numRuns: 1000 * RUNS, seed: SEED },
  );
  expect(changed).toBeGreaterThan(300 * RUNS);
}, 600_000);
