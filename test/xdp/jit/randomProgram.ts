/**
 * Random programs that end, for comparing engines.
 *
 * A program is up to three functions, each a list of items; an item is one operation or a short fixed
 * sequence, and jumps go from item to item, anywhere. Jumps back take one from r9, which nothing else
 * writes, so no function goes back more than `TURNS` times; they may enter loops in the middle.
 * Functions call only later ones. Memory is reached through r10 and r8, which holds the address of
 * the given bytes; r7 is for addresses that are computed. What a call leaves undefined is set anew.
 */
import fc from 'fast-check';
import * as bpf from '../../../src/xdp/isa/insn.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import type { Helper } from '../../../src/xdp/helpers/helper.ts';

/** Bytes that programs are given. */
export const GIVEN_BYTES = 64;
const TURNS = 12;

/** r0 to r6: what operations work on. */
const register = fc.integer({ min: 0, max: 6 });
const word = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 7, 31, 32, 33, 63, 64, 0x7fffffff, -0x80000000, 0xffff, 0xff00),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);
const insn = (code: number, dst: number, src = 0, off = 0, imm = 0): Insn => ({
  code,
  dst,
  src,
  off,
  imm,
});

/** An operation, or a jump to the item that lies at this share of the function. */
type Item =
  | { readonly kind: 'insns'; readonly insns: readonly Insn[] }
  | { readonly kind: 'jump'; readonly insn: Insn; readonly to: number }
  | { readonly kind: 'call'; readonly later: number }
  | { readonly kind: 'exit' };

const insns = (...list: Insn[]): Item => ({ kind: 'insns', insns: list });

const ALU = [bpf.BPF_ALU, bpf.BPF_ALU64];
const SIMPLE = [
  bpf.BPF_ADD,
  bpf.BPF_SUB,
  bpf.BPF_MUL,
  bpf.BPF_OR,
  bpf.BPF_AND,
  bpf.BPF_LSH,
  bpf.BPF_RSH,
  bpf.BPF_XOR,
  bpf.BPF_MOV,
  bpf.BPF_ARSH,
];
const binary = fc
  .record({
    cls: fc.constantFrom(...ALU),
    op: fc.constantFrom(...SIMPLE),
    byRegister: fc.boolean(),
    dst: register,
    src: register,
    imm: word,
  })
  .map(({ cls, op, byRegister, dst, src, imm }) =>
    insns(byRegister ? insn(cls | op | bpf.BPF_X, dst, src) : insn(cls | op, dst, 0, 0, imm)),
  );
const division = fc
  .record({
    cls: fc.constantFrom(...ALU),
    op: fc.constantFrom(bpf.BPF_DIV, bpf.BPF_MOD),
    off: fc.constantFrom(0, 1),
    byRegister: fc.boolean(),
    dst: register,
    src: register,
    imm: word,
  })
  .map(({ cls, op, off, byRegister, dst, src, imm }) =>
    insns(
      byRegister ? insn(cls | op | bpf.BPF_X, dst, src, off) : insn(cls | op, dst, 0, off, imm),
    ),
  );
const unary = fc
  .record({
    code: fc.constantFrom(
      ...ALU.map((cls) => cls | bpf.BPF_NEG),
      bpf.BPF_ALU | bpf.BPF_END | bpf.BPF_TO_LE,
      bpf.BPF_ALU | bpf.BPF_END | bpf.BPF_TO_BE,
      bpf.BPF_ALU64 | bpf.BPF_END,
    ),
    dst: register,
    bits: fc.constantFrom(16, 32, 64),
  })
  .map(({ code, dst, bits }) =>
    insns(insn(code, dst, 0, 0, (code & 0xf0) === bpf.BPF_END ? bits : 0)),
  );
const movsx = fc
  .record({
    form: fc.constantFrom([7, 8], [7, 16], [7, 32], [4, 8], [4, 16]),
    dst: register,
    src: register,
  })
  .map(({ form, dst, src }) => insns(insn(form[0] | bpf.BPF_MOV | bpf.BPF_X, dst, src, form[1])));
const constant = fc
  .record({ dst: register, lo: word, hi: word })
  .map(({ dst, lo, hi }) => insns(insn(bpf.LD_IMM64, dst, 0, 0, lo), insn(0, 0, 0, 0, hi)));

const SIZES = [bpf.BPF_B, bpf.BPF_H, bpf.BPF_W, bpf.BPF_DW];

/** Instructions that lead to an address, the register it is in, and its offset there. */
const place = fc.oneof(
  fc.integer({ min: 0, max: 503 }).map((at) => ({ before: [], base: 10, off: at - 512 })),
  fc.integer({ min: 0, max: GIVEN_BYTES - 8 }).map((off) => ({ before: [], base: 8, off })),
  fc.record({ src: register, off: fc.integer({ min: -4, max: 4 }) }).map(({ src, off }) => ({
    before: [
      insn(bpf.BPF_ALU64 | bpf.BPF_MOV | bpf.BPF_X, 7, src),
      insn(bpf.BPF_ALU64 | bpf.BPF_AND, 7, 0, 0, 31),
      insn(bpf.BPF_ALU64 | bpf.BPF_ADD | bpf.BPF_X, 7, 8),
      insn(bpf.BPF_ALU64 | bpf.BPF_ADD, 7, 0, 0, 8),
    ],
    base: 7,
    off,
  })),
);
const load = fc
  .record({ place, size: fc.constantFrom(...SIZES), signed: fc.boolean(), dst: register })
  .map(({ place: { before, base, off }, size, signed, dst }) => {
    const mode = signed && size !== bpf.BPF_DW ? bpf.BPF_MEMSX : bpf.BPF_MEM;
    return insns(...before, insn(bpf.BPF_LDX | size | mode, dst, base, off));
  });
const store = fc
  .record({ place, size: fc.constantFrom(...SIZES), src: fc.option(register), imm: word })
  .map(({ place: { before, base, off }, size, src, imm }) => {
    const code = size | bpf.BPF_MEM | (src === null ? bpf.BPF_ST : bpf.BPF_STX);
    return insns(...before, insn(code, base, src ?? 0, off, src === null ? imm : 0));
  });
const PLAIN = [bpf.BPF_ADD, bpf.BPF_OR, bpf.BPF_AND, bpf.BPF_XOR];
const atomic = fc
  .record({
    place,
    size: fc.constantFrom(bpf.BPF_W, bpf.BPF_DW),
    src: register,
    imm: fc.constantFrom(
      ...PLAIN,
      ...PLAIN.map((op) => op | bpf.BPF_FETCH),
      bpf.BPF_XCHG,
      bpf.BPF_CMPXCHG,
      bpf.BPF_STORE_REL,
    ),
  })
  .map(({ place: { before, base, off }, size, src, imm }) =>
    insns(...before, insn(bpf.BPF_STX | bpf.BPF_ATOMIC | size, base, src, off, imm)),
  );
const acquire = fc
  .record({ place, size: fc.constantFrom(...SIZES), dst: register })
  .map(({ place: { before, base, off }, size, dst }) =>
    insns(...before, insn(bpf.BPF_STX | bpf.BPF_ATOMIC | size, dst, base, off, bpf.BPF_LOAD_ACQ)),
  );

const CONDITIONS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
/** Numbers from 0 to below 1, evenly: doubles of fast-check are mostly close to 0. */
const share = fc.nat(999).map((n) => n / 1000);
const jump = fc
  .record({
    cls: fc.constantFrom(bpf.BPF_JMP, bpf.BPF_JMP32),
    op: fc.constantFrom(...CONDITIONS),
    byRegister: fc.boolean(),
    dst: register,
    src: register,
    imm: word,
    to: share,
  })
  .map(({ cls, op, byRegister, dst, src, imm, to }): Item => ({
    kind: 'jump',
    insn: byRegister ? insn(cls | op | bpf.BPF_X, dst, src) : insn(cls | op, dst, 0, 0, imm),
    to,
  }));
const goto = fc
  .record({
    insn: fc.constantFrom(
      insn(bpf.BPF_JMP | bpf.BPF_JA, 0),
      insn(bpf.BPF_JMP32 | bpf.BPF_JA, 0),
      insn(bpf.BPF_JMP | bpf.BPF_JCOND, 0),
    ),
    to: share,
  })
  .map(({ insn: code, to }): Item => ({ kind: 'jump', insn: code, to }));

/** Helpers by number: one that takes and gives words, one whose arguments and result are wide. */
export const HELPERS: (Helper | undefined)[] = [];
HELPERS[20] = {
  id: 20,
  name: 'mix',
  wideArgs: 0,
  wideRet: false,
  call: (_, a, b, c) => (Math.imul(a, 31) + Math.imul(b, 7) - c) | 0,
};
HELPERS[21] = {
  id: 21,
  name: 'swap_halves',
  wideArgs: 0b10010,
  wideRet: true,
  call(machine, a, _b, _c, d) {
    const hi = machine.hi >> 2;
    const { words } = machine.mem;
    const result = words[hi + 1]! ^ d;
    words[hi] = a ^ words[hi + 4]!;
    return result;
  },
};
/** Arguments are undefined after a call. */
const anew = (seed: number): Insn[] =>
  [1, 2, 3, 4, 5].map((r) => insn(bpf.BPF_ALU64 | bpf.BPF_MOV, r, 0, 0, (seed * r) | 0));
const helper = fc
  .record({ id: fc.constantFrom(20, 21), seed: word })
  .map(({ id, seed }) => insns(insn(bpf.BPF_JMP | bpf.BPF_CALL, 0, 0, 0, id), ...anew(seed)));

const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 6, arbitrary: binary },
  { weight: 2, arbitrary: division },
  { weight: 2, arbitrary: unary },
  { weight: 1, arbitrary: movsx },
  { weight: 1, arbitrary: constant },
  { weight: 3, arbitrary: load },
  { weight: 3, arbitrary: store },
  { weight: 2, arbitrary: atomic },
  { weight: 1, arbitrary: acquire },
  { weight: 4, arbitrary: jump },
  { weight: 1, arbitrary: goto },
  { weight: 1, arbitrary: helper },
  { weight: 1, arbitrary: fc.nat(2).map((later): Item => ({ kind: 'call', later })) },
  { weight: 1, arbitrary: fc.constant<Item>({ kind: 'exit' }) },
);

/** One function: its start, its items, its end. */
const body = fc.record({
  start: fc.array(word, { minLength: 7, maxLength: 7 }),
  items: fc.array(item, { minLength: 1, maxLength: 40 }),
});
type Body = typeof body extends fc.Arbitrary<infer T> ? T : never;

/** A program over `GIVEN_BYTES` bytes at `given`. */
export const randomProgram = (given: number): fc.Arbitrary<readonly Insn[]> =>
  fc.array(body, { minLength: 1, maxLength: 3 }).map((bodies) => assemble(bodies, given));

/** An instruction whose target is known when all functions have their place. */
interface Open {
  readonly slot: number;
  readonly callee: number;
}

function assemble(bodies: readonly Body[], given: number): Insn[] {
  const out: Insn[] = [];
  const starts: number[] = [];
  const calls: Open[] = [];
  bodies.forEach(({ start, items }, f) => {
    starts.push(out.length);
    // arguments of a subprogram keep what the caller gave
    start.forEach((imm, r) => {
      if (f === 0 || r === 0 || r > 5) out.push(insn(bpf.BPF_ALU64 | bpf.BPF_MOV, r, 0, 0, imm));
    });
    out.push(insn(bpf.BPF_ALU64 | bpf.BPF_MOV, 7, 0, 0, 0));
    out.push(insn(bpf.LD_IMM64, 8, 0, 0, given), insn(0, 0));
    out.push(insn(bpf.BPF_ALU64 | bpf.BPF_MOV, 9, 0, 0, TURNS));
    const at: number[] = [];
    const jumps: { readonly slot: number; readonly to: number }[] = [];
    items.forEach((one, i) => {
      at.push(out.length);
      if (one.kind === 'insns') out.push(...one.insns);
      else if (one.kind === 'exit') out.push(insn(bpf.BPF_JMP | bpf.BPF_EXIT, 0));
      else if (one.kind === 'call') {
        const callee = f + 1 + one.later;
        if (callee >= bodies.length) return;
        calls.push({ slot: out.length, callee });
        out.push(insn(bpf.BPF_JMP | bpf.BPF_CALL, 0, bpf.BPF_PSEUDO_CALL), ...anew(i + 1));
      } else {
        const to = Math.min(Math.floor(one.to * items.length), items.length - 1);
        if (to <= i) {
          out.push(insn(bpf.BPF_ALU64 | bpf.BPF_SUB, 9, 0, 0, 1));
          out.push(insn(bpf.BPF_JMP | bpf.BPF_JSLT, 9, 0, 1, 0));
        }
        jumps.push({ slot: out.length, to });
        out.push(one.insn);
      }
    });
    for (const { slot, to } of jumps) {
      const distance = at[to]! - slot - 1;
      const isLong = out[slot]!.code === (bpf.BPF_JMP32 | bpf.BPF_JA);
      out[slot] = isLong ? { ...out[slot]!, imm: distance } : { ...out[slot]!, off: distance };
    }
    out.push(insn(bpf.BPF_JMP | bpf.BPF_EXIT, 0));
  });
  for (const { slot, callee } of calls)
    out[slot] = { ...out[slot]!, imm: starts[callee]! - slot - 1 };
  return out;
}
