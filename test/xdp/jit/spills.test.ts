/** Slots of the stack that a plain program holds in registers, and those that must stay in memory. */
import { describe, expect, test } from 'vitest';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { EXIT, insn } from '../interp/rig.ts';
import { helper, helpersOf, jitRig } from './rig.ts';

const rig = jitRig();
const { mem, stackTop } = rig.bpf;
const FP = 10;
const [STX_W, STX_DW, LDX_B, LDX_W, LDX_DW] = [0x63, 0x7b, 0x71, 0x61, 0x79] as const;
const [ST_W, ST_DW] = [0x62, 0x7a] as const;

const store = (off: number, src: number, code: number = STX_DW): Insn =>
  insn(code, { dst: FP, src, off });
const load = (dst: number, off: number, code: number = LDX_DW): Insn =>
  insn(code, { dst, src: FP, off });
const mov = (dst: number, imm: number): Insn => insn(0xb7, { dst, imm });
const addressOf = (dst: number, off: number): Insn[] => [
  insn(0xbf, { dst, src: FP }),
  insn(0x07, { dst, imm: off }),
];

/** Helper 500 adds 1 to the 8 bytes at its first argument. */
const HELPERS = helpersOf(
  helper(500, (_bpf, at) => {
    mem.view.setBigUint64(at, mem.view.getBigUint64(at, true) + 1n, true);
    return 0;
  }),
);

/** Result, and which words below the top of the stack the run wrote. */
function run(...insns: Insn[]): { r0: number; written: number[] } {
  mem.fill(stackTop - 512, 512, 0x55);
  const r0 = rig.compile(insns, { helpers: HELPERS }).run(0);
  const words = Array.from({ length: 128 }, (_, i) => -4 * (i + 1));
  return { r0, written: words.filter((at) => mem.view.getInt32(stackTop + at) !== 0x55555555) };
}

describe('held in registers', () => {
  test('what is stored and loaded as a whole, of 4 and of 8 bytes, by register and by constant', () => {
    const insns = [
      ...[mov(2, -3), store(-8, 2), store(-12, 2, STX_W)],
      ...[insn(ST_DW, { dst: FP, off: -24, imm: -1 }), insn(ST_W, { dst: FP, off: -28, imm: -1 })],
      ...[load(3, -8), load(4, -12, LDX_W), load(5, -24), load(6, -28, LDX_W)],
      // -3 + (2^32 - 3) - 1 + (2^32 - 1) = 2^33 - 8, of which the low word and then the high one
      ...[
        insn(0xbf, { src: 3 }),
        insn(0x0f, { src: 4 }),
        insn(0x0f, { src: 5 }),
        insn(0x0f, { src: 6 }),
      ],
    ];
    expect(run(...insns, EXIT)).toEqual({ r0: -8, written: [] });
    expect(run(...insns, insn(0x77, { imm: 32 }), EXIT)).toEqual({ r0: 1, written: [] });
  });

  test('through a loop', () => {
    const insns = [
      ...[mov(2, 10), mov(3, 0), store(-8, 3)],
      // r3 = slot; r3 += r2; slot = r3
      ...[load(3, -8), insn(0x0f, { dst: 3, src: 2 }), store(-8, 3)],
      ...[insn(0x07, { dst: 2, imm: -1 }), insn(0x55, { dst: 2, off: -5 })],
      ...[load(0, -8), EXIT],
    ];
    expect(run(...insns)).toEqual({ r0: 55, written: [] });
  });

  test('below what a helper is given', () => {
    const insns = [
      ...[mov(2, 7), store(-8, 2), store(-16, 2)],
      ...[...addressOf(1, -8), insn(0x85, { imm: 500 })],
      ...[load(0, -8), load(2, -16), insn(0x27, { imm: 10 }), insn(0x0f, { src: 2 }), EXIT],
    ];
    expect(run(...insns)).toEqual({ r0: 87, written: [-4, -8] });
  });
});

describe('stays in memory', () => {
  test('what lies above what a helper is given', () => {
    const insns = [
      ...[mov(2, 7), store(-8, 2), store(-16, 2)],
      ...[...addressOf(1, -16), insn(0x85, { imm: 500 })],
      ...[load(0, -8), EXIT],
    ];
    expect(run(...insns)).toEqual({ r0: 7, written: [-4, -8, -12, -16] });
  });

  test('what is also loaded in part', () => {
    const insns = [mov(2, 0x0102), store(-8, 2), load(0, -8, LDX_B), EXIT];
    expect(run(...insns)).toEqual({ r0: 2, written: [-4, -8] });
  });

  test('what overlaps', () => {
    const insns = [mov(2, -1), store(-8, 2), store(-12, 2), load(0, -8), EXIT];
    expect(run(...insns)).toEqual({ r0: -1, written: [-4, -8, -12] });
  });

  test('what may be read before it is written', () => {
    const insns = [insn(0x15, { dst: 1, off: 1 }), store(-8, 1), load(0, -8), EXIT];
    expect(run(...insns)).toEqual({ r0: 0x55555555, written: [] });
  });

  test('everything, when an address is stored, added to something, or differs by the way', () => {
    const held = [mov(2, 7), store(-8, 2), load(0, -8)];
    const all = [-4, -8];
    const stored = [...held, insn(STX_DW, { dst: FP, src: FP, off: -16 }), EXIT];
    expect(run(...stored).written).toEqual([...all, -12, -16]);
    // r3 = r10 + r2 - 15 = r10 - 8
    const reckoned = [
      ...[...held, insn(0xbf, { dst: 3, src: FP }), insn(0x0f, { dst: 3, src: 2 })],
      ...[insn(0x07, { dst: 3, imm: -15 }), insn(LDX_DW, { dst: 4, src: 3 }), EXIT],
    ];
    expect(run(...reckoned).written).toEqual(all);
    const byTheWay = [
      ...[...held, ...addressOf(3, -8), insn(0x15, { dst: 1, off: 1 })],
      ...[insn(0x07, { dst: 3, imm: -8 }), mov(4, 9), insn(STX_DW, { dst: 3, src: 4 })],
      ...[load(0, -8), EXIT],
    ];
    expect(run(...byTheWay)).toEqual({ r0: 9, written: all });
  });

  test('everything, when an address goes below the frame and comes back', () => {
    const far = [-(2 ** 31) + 1, -(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 8];
    const insns = [
      ...[mov(2, 7), store(-8, 2), insn(0xbf, { dst: 1, src: FP })],
      ...far.map((imm) => insn(0x07, { dst: 1, imm })),
      ...[insn(LDX_DW, { dst: 0, src: 1 }), EXIT],
    ];
    expect(run(...insns)).toEqual({ r0: 7, written: [-4, -8] });
  });
});
