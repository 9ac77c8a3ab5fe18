import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { ProgramFault } from '../../../src/xdp/program.ts';
import { EXIT, bareBpf, insn, load64 } from './rig.ts';

const BYTES = [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0xf1];
const AS_U64 = 0xf1234567_89abcdefn;

/** Run `insns` with r1 on `BYTES`, 4 bytes inside 16 of given memory. */
function onBytes(insns: readonly Insn[], checked = true): { r0: bigint; memory: number[] } {
  const bpf = bareBpf();
  bpf.mem.u8.set(BYTES, bpf.given + 4);
  const it = new Interpreter(
    { name: 'm', insns: [insn(0x07, { dst: 1, imm: 4 }), ...insns, EXIT] },
    bpf,
    { checked },
  );
  it.runOn(bpf.given, 16);
  return { r0: it.reg(0), memory: [...bpf.mem.u8.subarray(bpf.given + 4, bpf.given + 12)] };
}

test.each([
  ['u8', 0x71, 0xefn],
  ['u16', 0x69, 0xcdefn],
  ['u32', 0x61, 0x89abcdefn],
  ['u64', 0x79, AS_U64],
  ['s8', 0x91, 0xffffffff_ffffffefn],
  ['s16', 0x89, 0xffffffff_ffffcdefn],
  ['s32', 0x81, 0xffffffff_89abcdefn],
])('load %s', (_, code, value) => {
  expect(onBytes([insn(code, { src: 1 })]).r0).toBe(value);
});

test('offsets count both ways, and accesses need no alignment', () => {
  expect(onBytes([insn(0x69, { src: 1, off: 1 })]).r0).toBe(0xabcdn);
  const back = [insn(0x07, { dst: 1, imm: 8 }), insn(0x61, { src: 1, off: -5 })];
  expect(onBytes(back).r0).toBe(0x23456789n);
});

test.each([
  ['u8', 0x73, 1],
  ['u16', 0x6b, 2],
  ['u32', 0x63, 4],
  ['u64', 0x7b, 8],
])('store %s', (_, code, bytes) => {
  const fromReg = onBytes([...load64(2, 0x8877665544332211n), insn(code, { dst: 1, src: 2 })]);
  const given = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
  expect(fromReg.memory).toEqual([...given.slice(0, bytes), ...BYTES.slice(bytes)]);
  // a constant is sign-extended to 64 bits
  const fromImm = onBytes([insn(code - 1, { dst: 1, imm: -2 })]);
  const minusTwo = [0xfe, 255, 255, 255, 255, 255, 255, 255];
  expect(fromImm.memory).toEqual([...minusTwo.slice(0, bytes), ...BYTES.slice(bytes)]);
});

describe('atomics', () => {
  const OPERAND = 0x01010101_ff00ff02n;
  const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);
  const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
  const OPS: readonly [string, number, (old: bigint, given: bigint) => bigint][] = [
    ['add', 0x00, (a, b) => a + b],
    ['or', 0x40, (a, b) => a | b],
    ['and', 0x50, (a, b) => a & b],
    ['xor', 0xa0, (a, b) => a ^ b],
    ['xchg', 0xe0, (_, b) => b],
  ];
  const bytesOf = (x: bigint, n: number): number[] =>
    Array.from({ length: n }, (_, i) => Number((x >> BigInt(8 * i)) & 255n));

  test.each(OPS)('%s', (name, imm, of) => {
    for (const fetch of name === 'xchg' ? [1] : [0, 1]) {
      const move = insn(0xbf, { dst: 0, src: 2 });
      const wide = onBytes([
        ...load64(2, OPERAND),
        insn(0xdb, { dst: 1, src: 2, imm: imm | fetch }),
        move,
      ]);
      expect(wide.memory).toEqual(bytesOf(u64(of(AS_U64, OPERAND)), 8));
      expect(wide.r0).toBe(fetch === 1 ? AS_U64 : OPERAND);
      const word = onBytes([
        ...load64(2, OPERAND),
        insn(0xc3, { dst: 1, src: 2, imm: imm | fetch }),
        move,
      ]);
      expect(word.memory).toEqual([...bytesOf(u32(of(AS_U64, OPERAND)), 4), ...BYTES.slice(4)]);
      expect(word.r0).toBe(fetch === 1 ? u32(AS_U64) : OPERAND);
    }
  });

  test('cmpxchg writes when r0 holds what is there, and leaves the old value in r0', () => {
    const exchange = (code: number, expected: bigint): ReturnType<typeof onBytes> =>
      onBytes([
        ...load64(0, expected),
        ...load64(2, OPERAND),
        insn(code, { dst: 1, src: 2, imm: 0xf1 }),
      ]);
    expect(exchange(0xdb, AS_U64)).toEqual({ r0: AS_U64, memory: bytesOf(OPERAND, 8) });
    expect(exchange(0xdb, AS_U64 ^ (1n << 40n))).toEqual({ r0: AS_U64, memory: BYTES });
    // 32 bits: the high half of r0 does not count, and is cleared
    expect(exchange(0xc3, AS_U64 ^ (1n << 40n))).toEqual({
      r0: u32(AS_U64),
      memory: [...bytesOf(OPERAND, 4), ...BYTES.slice(4)],
    });
    expect(exchange(0xc3, 5n)).toEqual({ r0: u32(AS_U64), memory: BYTES });
  });

  test('load-acquire and store-release, of every size', () => {
    expect(onBytes([insn(0xd3, { src: 1, imm: 0x100 })]).r0).toBe(0xefn);
    expect(onBytes([insn(0xcb, { src: 1, imm: 0x100 })]).r0).toBe(0xcdefn);
    expect(onBytes([insn(0xc3, { src: 1, imm: 0x100 })]).r0).toBe(0x89abcdefn);
    expect(onBytes([insn(0xdb, { src: 1, imm: 0x100 })]).r0).toBe(AS_U64);
    const release = [...load64(2, OPERAND), insn(0xcb, { dst: 1, src: 2, imm: 0x110 })];
    expect(onBytes(release).memory).toEqual([...bytesOf(OPERAND, 2), ...BYTES.slice(2)]);
  });
});

describe('accesses that end a run', () => {
  const MIB = 1 << 16; // all of the rig's host memory
  const reads = (at: bigint, code = 0x79): Insn[] => [...load64(2, at), insn(code, { src: 2 })];
  const LOST = [
    0n,
    0xff8n,
    BigInt(MIB),
    BigInt(MIB - 7),
    1n << 31n,
    1n << 32n,
    (1n << 32n) + 8192n,
    -1n,
    -8n,
  ];

  test.each(LOST)('outside host memory: %d', (at) => {
    for (const checked of [true, false]) {
      expect(() => onBytes(reads(at), checked)).toThrow(ProgramFault);
      const write = [...load64(2, at), insn(0x7b, { dst: 2, src: 2 })];
      expect(() => onBytes(write, checked)).toThrow(ProgramFault);
    }
  });

  test('the last bytes of host memory are still inside', () => {
    expect(onBytes(reads(BigInt(MIB - 8)), false).r0).toBe(0n);
    expect(onBytes(reads(BigInt(MIB - 1), 0x71), false).r0).toBe(0n);
  });

  test('an address is a sum modulo 2^64', () => {
    const wraps = [...load64(2, -8n), insn(0x71, { src: 2, off: 0x2008 })];
    expect(onBytes(wraps, false).r0).toBe(0n);
  });

  test('checked: given memory and the stack, and nothing around them', () => {
    const given = BigInt(bareBpf().given);
    expect(onBytes(reads(given + 8n)).r0).toBe(0xf1234567n);
    expect(() => onBytes(reads(given + 9n))).toThrow(
      'program m: instruction 3 reads 8 bytes at 0x2009, which is not the program’s',
    );
    expect(() => onBytes(reads(given - 1n))).toThrow('reads 8 bytes');
    expect(
      onBytes([insn(0x7b, { dst: 10, off: -8, src: 1 }), insn(0x79, { src: 10, off: -8 })]).r0,
    ).toBe(given + 4n);
    expect(() => onBytes([insn(0x79, { src: 10, off: -7 })])).toThrow('reads 8 bytes');
  });
});

test('a run of too many instructions is a fault', () => {
  const bpf = bareBpf();
  const it = new Interpreter({ name: 'loop', insns: [insn(0x05, { off: -1 })] }, bpf, {
    maxInsns: 1000,
  });
  expect(() => it.run(0)).toThrow(
    'program loop: instruction 0 still running after 1000 instructions',
  );
  expect(it.executed).toBe(1000);
});
