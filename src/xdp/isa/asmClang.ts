/**
 * The assembly that clang writes and reads, and that Linux's verifier log prints.
 *
 *   r1 = 5                        w1 s>>= w2              r1 = (s8)r2         r1 = be16 r1
 *   r1 = *(u32 *)(r2 + 4)         *(u64 *)(r10 - 8) = r1  r1 = 0x1122334455 ll
 *   lock *(u64 *)(r1 + 0) += r2   r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)
 *   if w1 s> 5 goto LBB0_2        goto +3                 gotol LBB0_2        call 12
 *
 * and what bpftool prints of a program that is loaded: `r1 = map[id:3]`, `r1 = map[id:3][0]+8`,
 * `r2 = subprog[+5]` (or `subprog[LABEL]`); `call kfunc#2` is the kernel function of that number.
 *
 * A label stands alone with a colon. Directives (a dot and a word) and comments (`#`, `;` or `//` to
 * the line's end) count for nothing. Constants that are symbols are a linker's, not ours.
 */
import type { AsmLine, AtomicOp, Operand, Reg, SignedSize, Size, Target } from './asm.ts';
import { asm, assemble } from './asm.ts';
import { AsmError } from './asmError.ts';
import type { Insn } from './insn.ts';
import { BPF_ABS, BPF_B, BPF_H, BPF_IND, BPF_LD, BPF_W } from './insn.ts';

/** @throws AsmError naming the line */
export function assembleClang(text: string): Insn[] {
  const lines = text.split('\n').flatMap((raw, index) => {
    const statement = raw
      .replace(/(#(?!\d)|;|\/\/).*/, '')
      .trim()
      .replace(/\s+/g, ' ');
    if (statement === '' || /^\.[a-z]\w*( |$)/.test(statement)) return [];
    return AsmError.at(index + 1, statement, () => statementLines(statement));
  });
  return AsmError.at(null, '', () => assemble(lines));
}

function statementLines(statement: string): AsmLine[] {
  for (const [form, make] of FORMS) {
    const match = form.exec(statement);
    if (match === null) continue;
    const made = make(match.groups ?? {});
    return Array.isArray(made) ? made : [made];
  }
  throw new AsmError('no instruction has this form');
}

/** Named groups of a form: all that it names are there when it matches. */
type Found = Readonly<Record<string, string>>;
type Form = readonly [RegExp, (found: Found) => AsmLine | AsmLine[]];

const NUMBER = '[+-]? ?(?:0x[0-9a-f]+|\\d+)';
const at = (types: string): string =>
  `\\((?<size>${types}) \\*\\)\\(r(?<at>\\d+) ?(?<off>${NUMBER})\\)`;
const form = (pattern: string): RegExp => new RegExp(`^${pattern}$`, 'i');

const ALU_SIGNS = {
  '+=': 'add',
  '-=': 'sub',
  '*=': 'mul',
  '/=': 'div',
  's/=': 'sdiv',
  '%=': 'mod',
  's%=': 'smod',
  '|=': 'or',
  '&=': 'and',
  '^=': 'xor',
  '<<=': 'lsh',
  '>>=': 'rsh',
  's>>=': 'arsh',
  '=': 'mov',
} as const;
const JUMP_SIGNS = {
  '==': 'jeq',
  '!=': 'jne',
  '>': 'jgt',
  '>=': 'jge',
  '<': 'jlt',
  '<=': 'jle',
  '&': 'jset',
  's>': 'jsgt',
  's>=': 'jsge',
  's<': 'jslt',
  's<=': 'jsle',
} as const;
const ATOMIC_SIGNS: Readonly<Record<string, AtomicOp>> = {
  '+': 'add',
  '|': 'or',
  '&': 'and',
  '^': 'xor',
};
const SKB_SIZES: Readonly<Record<string, number>> = { u8: BPF_B, u16: BPF_H, u32: BPF_W };

const FORMS: readonly Form[] = [
  [form('(?<label>[\\w.$]+):'), ({ label }) => asm.label(label!)],
  [form('exit'), () => asm.exit()],
  [
    form('(?<r>[rw])(?<dst>\\d+) = -\\k<r>\\k<dst>'),
    ({ r, dst }) => (r === 'r' ? asm.neg : asm.neg32)(reg(dst!)),
  ],
  [
    form('(?<r>[rw])(?<dst>\\d+) = \\(s(?<bits>8|16|32)\\) ?\\k<r>(?<src>\\d+)'),
    ({ r, dst, bits, src }) => {
      if (r === 'r') return asm.movsx(Number(bits) as 8 | 16 | 32, reg(dst!), reg(src!));
      if (bits === '32') throw new AsmError('32 bits are all of a w register');
      return asm.movsx32(Number(bits) as 8 | 16, reg(dst!), reg(src!));
    },
  ],
  [
    form('r(?<dst>\\d+) = addr_space_cast\\(r(?<src>\\d+), (?<to>\\d+), (?<from>\\d+)\\)'),
    ({ dst, src, to, from }) => asm.addrSpaceCast(reg(dst!), reg(src!), small(to!), small(from!)),
  ],
  [
    form('r(?<dst>\\d+) = (?<order>be|le|bswap)(?<bits>16|32|64) r\\k<dst>'),
    ({ dst, order, bits }) =>
      asm[order as 'be' | 'le' | 'bswap'](Number(bits) as 16 | 32 | 64, reg(dst!)),
  ],
  [
    form(`r(?<dst>\\d+) = (?<value>${NUMBER}) ll`),
    ({ dst, value }) => asm.imm64(reg(dst!), big(value!)),
  ],
  [
    form('r(?<dst>\\d+) = map\\[id:(?<id>\\d+)\\]'),
    ({ dst, id }) => asm.mapPtr(reg(dst!), small(id!)),
  ],
  [
    form(`r(?<dst>\\d+) = map\\[id:(?<id>\\d+)\\]\\[0\\](?<off>${NUMBER})`),
    ({ dst, id, off }) => asm.mapValue(reg(dst!), small(id!), small(off!)),
  ],
  [
    form('r(?<dst>\\d+) = subprog\\[(?<to>\\S+)\\]'),
    ({ dst, to }) => asm.func(reg(dst!), target(to!)),
  ],
  [
    form(`(?<r>[rw])(?<dst>\\d+) (?<sign>s?[-+*/%|&^<>]*=) (?<operand>[rw]\\d+|${NUMBER})`),
    ({ r, dst, sign, operand }) => {
      if (!Object.hasOwn(ALU_SIGNS, sign!)) throw new AsmError(`no operation ${sign}`);
      const name = ALU_SIGNS[sign as keyof typeof ALU_SIGNS];
      return asm[sized(r!, name)](reg(dst!), operandOf(r!, operand!));
    },
  ],
  [
    form(`[rw](?<dst>\\d+) = \\*${at('[us]8|[us]16|[us]32|u64')}`),
    ({ dst, size, at: from, off }) =>
      asm.load(size as Size | SignedSize, reg(dst!), reg(from!), small(off!)),
  ],
  [
    form(`\\*${at('u8|u16|u32|u64')} = (?:[rw](?<src>\\d+)|(?<value>${NUMBER}))`),
    ({ size, at: to, off, src, value }) =>
      asm.store(size as Size, reg(to!), small(off!), src === undefined ? small(value!) : reg(src)),
  ],
  [
    form(`lock \\*${at('u32|u64')} (?<sign>[+|&^])= [rw](?<src>\\d+)`),
    ({ size, at: to, off, sign, src }) =>
      asm.atomic(ATOMIC_SIGNS[sign!]!, ...place(size!, to!, off!), reg(src!)),
  ],
  [
    form(
      `[rw](?<src>\\d+) = atomic(?:64)?_fetch_(?<op>add|or|and|xor)\\(${at('u32|u64')}, [rw]\\k<src>\\)`,
    ),
    ({ op, size, at: to, off, src }) =>
      asm.fetch(op as AtomicOp, ...place(size!, to!, off!), reg(src!)),
  ],
  [
    form(`[rw](?<src>\\d+) = atomic(?:64)?_xchg\\(${at('u32|u64')}, [rw]\\k<src>\\)`),
    ({ size, at: to, off, src }) => asm.xchg(...place(size!, to!, off!), reg(src!)),
  ],
  [
    form(`[rw]0 = atomic(?:64)?_cmpxchg\\(${at('u32|u64')}, [rw]0, [rw](?<src>\\d+)\\)`),
    ({ size, at: to, off, src }) => asm.cmpxchg(...place(size!, to!, off!), reg(src!)),
  ],
  [
    form(
      `[rw](?<src>\\d+) = xchg(?<bits>_64|32_32)\\(r(?<at>\\d+) ?(?<off>${NUMBER}), [rw]\\k<src>\\)`,
    ),
    ({ bits, at: to, off, src }) =>
      asm.xchg(...place(bits === '_64' ? 'u64' : 'u32', to!, off!), reg(src!)),
  ],
  [
    form(
      `[rw]0 = cmpxchg(?<bits>_64|32_32)\\(r(?<at>\\d+) ?(?<off>${NUMBER}), [rw]0, [rw](?<src>\\d+)\\)`,
    ),
    ({ bits, at: to, off, src }) =>
      asm.cmpxchg(...place(bits === '_64' ? 'u64' : 'u32', to!, off!), reg(src!)),
  ],
  [
    form(`[rw](?<dst>\\d+) = load_acquire\\(${at('u8|u16|u32|u64')}\\)`),
    ({ dst, size, at: from, off }) =>
      asm.loadAcquire(size as Size, reg(dst!), reg(from!), small(off!)),
  ],
  [
    form(`store_release\\(${at('u8|u16|u32|u64')}, [rw](?<src>\\d+)\\)`),
    ({ size, at: to, off, src }) =>
      asm.storeRelease(size as Size, reg(to!), small(off!), reg(src!)),
  ],
  [
    form(`r0 = \\*\\((?<size>u8|u16|u32) \\*\\)skb\\[(?<off>${NUMBER})\\]`),
    ({ size, off }) => skb(BPF_ABS | SKB_SIZES[size!]!, 0, small(off!)),
  ],
  [
    form(
      `r0 = \\*\\((?<size>u8|u16|u32) \\*\\)skb\\[r(?<src>\\d+)(?: (?:\\+ )?(?<off>${NUMBER}))?\\]`,
    ),
    ({ size, src, off }) =>
      skb(BPF_IND | SKB_SIZES[size!]!, reg(src!).reg, off === undefined ? 0 : small(off)),
  ],
  [
    form(
      `if (?<r>[rw])(?<dst>\\d+) (?<sign>s?[=!<>&]=?) (?<operand>[rw]\\d+|${NUMBER}) goto (?<to>\\S+)`,
    ),
    ({ r, dst, sign, operand, to }) => {
      if (!Object.hasOwn(JUMP_SIGNS, sign!)) throw new AsmError(`no comparison ${sign}`);
      const name = JUMP_SIGNS[sign as keyof typeof JUMP_SIGNS];
      return asm[sized(r!, name)](reg(dst!), operandOf(r!, operand!), target(to!));
    },
  ],
  [form('goto (?<to>\\S+)'), ({ to }) => asm.ja(target(to!))],
  [form('gotol (?<to>\\S+)'), ({ to }) => asm.ja32(target(to!))],
  [form('may_goto (?<to>\\S+)'), ({ to }) => asm.mayGoto(target(to!))],
  [form('callx r(?<src>\\d+)'), ({ src }) => asm.callx(reg(src!))],
  [form(`call kfunc#(?<id>${NUMBER})`), ({ id }) => asm.callKfunc(small(id!))],
  [form(`call (?:\\w+#)?(?<id>${NUMBER})`), ({ id }) => asm.call(small(id!))],
  [form('call (?<to>\\S+)'), ({ to }) => asm.callLocal(target(to!))],
];

function reg(number: string): Reg {
  if (Number(number) > 10) throw new AsmError(`there is no register ${number}`);
  return { reg: Number(number) };
}

/** The name of the operation on registers of this letter. */
const sized = <Name extends string>(r: string, name: Name): Name | `${Name}32` =>
  r === 'r' ? name : `${name}32`;

function operandOf(r: string, text: string): Operand {
  if (!/^[rw]/i.test(text)) return small(text);
  if (text[0] !== r) throw new AsmError('a 64-bit and a 32-bit register in one operation');
  return reg(text.slice(1));
}

const big = (text: string): bigint => {
  const digits = text.replace(/[+\- ]/g, '');
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
};

const small = (text: string): number => Number(big(text));

const place = (size: string, to: string, off: string): ['u32' | 'u64', Reg, number] => [
  size as 'u32' | 'u64',
  reg(to),
  small(off),
];

const target = (text: string): Target => {
  const distance = /^(?:pc)?([+-](?:0x[0-9a-f]+|\d+))$/i.exec(text)?.[1];
  return distance === undefined ? text : small(distance);
};

const skb = (code: number, src: number, imm: number): AsmLine => ({
  insn: { code: BPF_LD | code, dst: 0, src, off: 0, imm },
});
