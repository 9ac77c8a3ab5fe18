/** Every arithmetic instruction and every jump, on all pairs of corner values, against BigInt. */
import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { EXIT, bareBpf, insn, load64 } from './rig.ts';

const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s32 = (x: bigint): bigint => BigInt.asIntN(32, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);

/** 0, 1, and the neighbourhood of every power of two at which a carry, sign or half changes. */
const CORNERS: readonly bigint[] = [
  ...new Set(
    [0n, 7n, 15n, 16n, 31n, 32n, 47n, 53n, 63n].flatMap((bit) => {
      const power = 1n << bit;
      return [power - 1n, power, power + 1n, -power, -power - 1n].map(u64);
    }),
  ),
  0x0123456789abcdefn,
  0xfedcba9876543210n,
  0xdeadbeef00000000n,
];
const IMMS: readonly number[] = [
  0,
  1,
  2,
  7,
  31,
  32,
  63,
  64,
  65535,
  2 ** 31 - 1,
  -1,
  -2,
  -(2 ** 31),
];

const bpf = bareBpf();

/** r0 after `op` ran on r0 = a and r1 = b. */
function runner(op: Insn): (a: bigint, b: bigint) => bigint {
  return (a, b) => {
    const insns = [...load64(0, a), ...load64(1, b), op, EXIT];
    const it = new Interpreter({ name: 't', insns }, bpf);
    it.run(0);
    return it.reg(0);
  };
}

interface Op {
  readonly name: string;
  readonly bits: number;
  readonly off?: number;
  of64(a: bigint, b: bigint): bigint;
  of32(a: bigint, b: bigint): bigint;
}

const shift = (b: bigint, width: bigint): bigint => b & (width - 1n);
const OPS: readonly Op[] = [
  { name: 'add', bits: 0x00, of64: (a, b) => a + b, of32: (a, b) => a + b },
  { name: 'sub', bits: 0x10, of64: (a, b) => a - b, of32: (a, b) => a - b },
  { name: 'mul', bits: 0x20, of64: (a, b) => a * b, of32: (a, b) => a * b },
  { name: 'or', bits: 0x40, of64: (a, b) => a | b, of32: (a, b) => a | b },
  { name: 'and', bits: 0x50, of64: (a, b) => a & b, of32: (a, b) => a & b },
  { name: 'xor', bits: 0xa0, of64: (a, b) => a ^ b, of32: (a, b) => a ^ b },
  { name: 'mov', bits: 0xb0, of64: (_, b) => b, of32: (_, b) => b },
  {
    name: 'lsh',
    bits: 0x60,
    of64: (a, b) => a << shift(b, 64n),
    of32: (a, b) => a << shift(b, 32n),
  },
  {
    name: 'rsh',
    bits: 0x70,
    of64: (a, b) => a >> shift(b, 64n),
    of32: (a, b) => a >> shift(b, 32n),
  },
  {
    name: 'arsh',
    bits: 0xc0,
    of64: (a, b) => s64(a) >> shift(b, 64n),
    of32: (a, b) => s32(a) >> shift(b, 32n),
  },
  // RFC 9669, section 4.1: division by zero gives 0, modulo by zero leaves the destination
  {
    name: 'div',
    bits: 0x30,
    of64: (a, b) => (b === 0n ? 0n : a / b),
    of32: (a, b) => (b === 0n ? 0n : a / b),
  },
  {
    name: 'mod',
    bits: 0x90,
    of64: (a, b) => (b === 0n ? a : a % b),
    of32: (a, b) => (b === 0n ? a : a % b),
  },
  {
    name: 'sdiv',
    bits: 0x30,
    off: 1,
    of64: (a, b) => (b === 0n ? 0n : s64(a) / s64(b)),
    of32: (a, b) => (b === 0n ? 0n : s32(a) / s32(b)),
  },
  {
    name: 'smod',
    bits: 0x90,
    off: 1,
    of64: (a, b) => (b === 0n ? a : s64(a) % s64(b)),
    of32: (a, b) => (b === 0n ? a : s32(a) % s32(b)),
  },
];

describe.each(OPS)('$name', ({ bits, off = 0, of64, of32 }) => {
  test('64 bits, both operands in registers', () => {
    const run = runner(insn(bits | 0x0f, { dst: 0, src: 1, off }));
    for (const a of CORNERS)
      for (const b of CORNERS) expect([a, b, run(a, b)]).toEqual([a, b, u64(of64(a, b))]);
  });

  test('32 bits, both operands in registers; the high half becomes 0', () => {
    const run = runner(insn(bits | 0x0c, { dst: 0, src: 1, off }));
    for (const a of CORNERS)
      for (const b of CORNERS) expect([a, b, run(a, b)]).toEqual([a, b, u32(of32(u32(a), u32(b)))]);
  });

  test('with a constant, sign-extended', () => {
    for (const imm of IMMS) {
      const wide = runner(insn(bits | 0x07, { imm, off }));
      const narrow = runner(insn(bits | 0x04, { imm, off }));
      for (const a of CORNERS) {
        expect([imm, a, wide(a, 0n)]).toEqual([imm, a, u64(of64(a, u64(BigInt(imm))))]);
        expect([imm, a, narrow(a, 0n)]).toEqual([imm, a, u32(of32(u32(a), u32(BigInt(imm))))]);
      }
    }
  });

  test('destination and source the same register', () => {
    const wide = runner(insn(bits | 0x0f, { off }));
    const narrow = runner(insn(bits | 0x0c, { off }));
    for (const a of CORNERS) {
      expect([a, wide(a, 0n)]).toEqual([a, u64(of64(a, a))]);
      expect([a, narrow(a, 0n)]).toEqual([a, u32(of32(u32(a), u32(a)))]);
    }
  });
});

const swapped = (x: bigint, bits: number): bigint => {
  let out = 0n;
  for (let byte = 0; byte < bits / 8; byte++) out = (out << 8n) | ((x >> BigInt(8 * byte)) & 255n);
  return out;
};
const UNARY: readonly [string, Insn, (a: bigint) => bigint][] = [
  ['neg', insn(0x87), (a) => -a],
  ['neg32', insn(0x84), (a) => u32(-a)],
  ...[16, 32, 64].flatMap((imm): [string, Insn, (a: bigint) => bigint][] => [
    [`le${imm}`, insn(0xd4, { imm }), (a) => BigInt.asUintN(imm, a)],
    [`be${imm}`, insn(0xdc, { imm }), (a) => swapped(a, imm)],
    [`bswap${imm}`, insn(0xd7, { imm }), (a) => swapped(a, imm)],
  ]),
  ...[8, 16, 32].map((off): [string, Insn, (a: bigint) => bigint] => [
    `movsx${off}64`,
    insn(0xbf, { off }),
    (a) => BigInt.asIntN(off, a),
  ]),
  ...[8, 16].map((off): [string, Insn, (a: bigint) => bigint] => [
    `movsx${off}32`,
    insn(0xbc, { off }),
    (a) => u32(BigInt.asIntN(off, a)),
  ]),
];

test.each(UNARY)('%s', (_, op, of) => {
  const run = runner(op);
  for (const a of CORNERS) expect([a, run(a, 0n)]).toEqual([a, u64(of(a))]);
});

const JUMPS: readonly [
  string,
  number,
  (a: bigint, b: bigint, signed: (x: bigint) => bigint) => boolean,
][] = [
  ['jeq', 0x10, (a, b) => a === b],
  ['jgt', 0x20, (a, b) => a > b],
  ['jge', 0x30, (a, b) => a >= b],
  ['jset', 0x40, (a, b) => (a & b) !== 0n],
  ['jne', 0x50, (a, b) => a !== b],
  ['jsgt', 0x60, (a, b, s) => s(a) > s(b)],
  ['jsge', 0x70, (a, b, s) => s(a) >= s(b)],
  ['jlt', 0xa0, (a, b) => a < b],
  ['jle', 0xb0, (a, b) => a <= b],
  ['jslt', 0xc0, (a, b, s) => s(a) < s(b)],
  ['jsle', 0xd0, (a, b, s) => s(a) <= s(b)],
];

/** Does the jump skip the instruction behind it? */
function taken(op: Insn): (a: bigint, b: bigint) => boolean {
  return (a, b) => {
    const skipped = insn(0xb7, { imm: 5 });
    const insns = [...load64(0, a), ...load64(1, b), { ...op, off: 1 }, skipped, EXIT];
    const it = new Interpreter({ name: 't', insns }, bpf);
    it.run(0);
    return it.executed === 4;
  };
}

describe.each(JUMPS)('%s', (_, bits, when) => {
  test('on registers, 64 and 32 bits', () => {
    const wide = taken(insn(bits | 0x0d, { dst: 0, src: 1 }));
    const narrow = taken(insn(bits | 0x0e, { dst: 0, src: 1 }));
    for (const a of CORNERS)
      for (const b of CORNERS) {
        expect([a, b, wide(a, b)]).toEqual([a, b, when(a, b, s64)]);
        expect([a, b, narrow(a, b)]).toEqual([a, b, when(u32(a), u32(b), s32)]);
      }
  });

  test('on a constant', () => {
    for (const imm of IMMS) {
      const wide = taken(insn(bits | 0x05, { imm }));
      const narrow = taken(insn(bits | 0x06, { imm }));
      for (const a of CORNERS) {
        expect([a, imm, wide(a, 0n)]).toEqual([a, imm, when(a, u64(BigInt(imm)), s64)]);
        expect([a, imm, narrow(a, 0n)]).toEqual([a, imm, when(u32(a), u32(BigInt(imm)), s32)]);
      }
    }
  });
});
