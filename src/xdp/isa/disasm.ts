/**
 * One instruction as a line of Linux's verifier log shows it, without its number:
 *
 *   (b7) r0 = 1                       (7b) *(u64 *)(r10 -8) = r1
 *   (bc) w1 = (s8)w2                  (db) r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)
 *   (15) if r1 == 0x5 goto pc+3       (85) call bpf_map_lookup_elem#1
 *
 * @linux print_bpf_insn; kernel/bpf/disasm.c
 */
import type { Insn } from './insn.ts';
import {
  BPF_ADDR_SPACE_CAST,
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MAY_GOTO,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOV,
  BPF_NEG,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_ST,
  BPF_STORE_REL,
  BPF_TO_BE,
  BPF_X,
  BPF_XCHG,
  LD_IMM64,
} from './insn.ts';

/** What a line names that the instruction's bits do not say. */
export interface DisasmNames {
  /** Of a helper, with `bpf_` in front. */
  helper?(id: number): string | undefined;
  kfunc?(insn: Insn): string | undefined;
  /** What an `ld_imm64` loads; the constant of its slots unless given. */
  imm64?(insn: Insn): bigint | undefined;
}

/** @param next the slot behind, which holds the other half of a 64-bit constant */
export function disasm(insn: Insn, next: Insn | undefined, names: DisasmNames = {}): string {
  const text = textOf(insn, next, names);
  return text.startsWith('BUG_') ? text : `(${insn.code.toString(16).padStart(2, '0')}) ${text}`;
}

function textOf(insn: Insn, next: Insn | undefined, names: DisasmNames): string {
  switch (insn.code & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      return arithmetic(insn);
    case BPF_JMP:
    case BPF_JMP32:
      return jump(insn, names);
    case BPF_LD:
      return load64(insn, next, names);
    case BPF_LDX:
      return load(insn);
    case BPF_ST:
      return mode(insn) === BPF_MEM ? `${at(insn, insn.dst)} = ${insn.imm}` : bug('st_', insn);
    default:
      return store(insn);
  }
}

const ALU_SIGNS: readonly string[] = [
  ...['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>='],
  ...['neg', '%=', '^=', '=', 's>>=', 'endian'],
];
const SIGNED_SIGNS: Readonly<Record<string, string>> = { '/=': 's/=', '%=': 's%=' };
const JUMP_SIGNS: readonly string[] = [
  ...['jmp', '==', '>', '>=', '&', '!=', 's>', 's>='],
  ...['call', 'exit', '<', '<=', 's<', 's<='],
];
const ATOMIC_NAMES: Readonly<Record<number, string>> = { 0: 'add', 4: 'or', 5: 'and', 10: 'xor' };
const SIZE_NAMES: readonly string[] = ['u32', 'u16', 'u8', 'u64'];
const SIGNED_SIZE_NAMES: readonly string[] = ['s32', 's16', 's8', 's64'];

const mode = (insn: Insn): number => insn.code & 0xe0;
const size = (insn: Insn): number => (insn.code >>> 3) & 3;
const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);
const at = (insn: Insn, reg: number, sizes: readonly string[] = SIZE_NAMES): string =>
  `*(${sizes[size(insn)]!} *)(r${reg} ${signed(insn.off)})`;
/** Offsets of a 64-bit move that make it no move. @linux include/linux/filter.h */
const BPF_ADDR_PERCPU = -1;
/** Linux's word for codes of a known class that it cannot print. */
const bug = (kind: string, { code }: Insn): string =>
  `BUG_${kind}${code.toString(16).padStart(2, '0')}`;

function arithmetic(insn: Insn): string {
  const { code, dst, src, off, imm } = insn;
  const r = (code & 7) === BPF_ALU ? 'w' : 'r';
  const op = code & 0xf0;
  if (op === BPF_END) {
    const order = (code & 7) === BPF_ALU64 ? 'bswap' : (code & BPF_X) === BPF_TO_BE ? 'be' : 'le';
    return `r${dst} = ${order}${imm} r${dst}`;
  }
  if (op === BPF_NEG) return `${r}${dst} = -${r}${dst}`;
  const sign = ALU_SIGNS[op >>> 4] ?? '';
  const shown = off === 1 ? (SIGNED_SIGNS[sign] ?? sign) : sign;
  if ((code & BPF_X) === 0) return `${r}${dst} ${shown} ${imm}`;
  if (op === BPF_MOV && off !== 0) return movText(insn, r);
  return `${r}${dst} ${shown} ${r}${src}`;
}

/** A move whose offset says what kind: sign extension, or an address of another kind (64 bits only). */
function movText({ code, dst, src, off, imm }: Insn, r: string): string {
  if ((code & 7) === BPF_ALU64) {
    const [to, from] = [imm >>> 16, imm & 0xffff];
    if (off === BPF_ADDR_SPACE_CAST) return `r${dst} = addr_space_cast(r${src}, ${to}, ${from})`;
    if (off === BPF_ADDR_PERCPU) return `r${dst} = &(void __percpu *)(r${src})`;
  }
  const extended = [8, 16, 32].includes(off) ? `(s${off})` : '';
  return `${r}${dst} = ${extended}${r}${src}`;
}

function jump(insn: Insn, names: DisasmNames): string {
  const { code, dst, src, off, imm } = insn;
  const op = code & 0xf0;
  if (op === BPF_CALL) return call(insn, names);
  if (code === (BPF_JMP | BPF_JA)) return `goto pc${signed(off)}`;
  if (code === (BPF_JMP32 | BPF_JA)) return `gotol pc${signed(imm)}`;
  if (code === (BPF_JMP | BPF_JCOND) && src === BPF_MAY_GOTO) return `may_goto pc${signed(off)}`;
  if (code === (BPF_JMP | BPF_EXIT)) return 'exit';
  const r = (code & 7) === BPF_JMP32 ? 'w' : 'r';
  const operand = (code & BPF_X) === 0 ? `0x${(imm >>> 0).toString(16)}` : `${r}${src}`;
  return `if ${r}${dst} ${JUMP_SIGNS[op >>> 4] ?? '(null)'} ${operand} goto pc${signed(off)}`;
}

function call(insn: Insn, names: DisasmNames): string {
  const { src, imm } = insn;
  if (src === BPF_PSEUDO_CALL) return `call pc${signed(imm)}`;
  const kfunc = src === BPF_PSEUDO_KFUNC_CALL ? names.kfunc?.(insn) : undefined;
  const name = src === 0 ? names.helper?.(imm) : kfunc;
  return `call ${name ?? 'unknown'}#${imm}`;
}

function load64(insn: Insn, next: Insn | undefined, names: DisasmNames): string {
  const { code, dst, src, imm } = insn;
  const name = SIZE_NAMES[size(insn)]!;
  if (mode(insn) === BPF_ABS) return `r0 = *(${name} *)skb[${imm}]`;
  if (mode(insn) === BPF_IND) return `r0 = *(${name} *)skb[r${src} + ${imm}]`;
  if (code !== LD_IMM64) return bug('ld_', insn);
  const high = BigInt((next?.imm ?? 0) >>> 0);
  const value = names.imm64?.(insn) ?? (high << 32n) | BigInt(imm >>> 0);
  return `r${dst} = 0x${value.toString(16)}`;
}

function load(insn: Insn): string {
  const isSigned = mode(insn) === BPF_MEMSX;
  if (!isSigned && mode(insn) !== BPF_MEM) return bug('ldx_', insn);
  return `r${insn.dst} = ${at(insn, insn.src, isSigned ? SIGNED_SIZE_NAMES : SIZE_NAMES)}`;
}

function store(insn: Insn): string {
  const { dst, src, off, imm } = insn;
  if (mode(insn) === BPF_MEM) return `${at(insn, dst)} = r${src}`;
  if (mode(insn) !== BPF_ATOMIC) return bug('', insn);
  const name = SIZE_NAMES[size(insn)]!;
  const address = (reg: number): string => `(${name} *)(r${reg} ${signed(off)})`;
  if (imm === BPF_LOAD_ACQ) return `r${dst} = load_acquire(${address(src)})`;
  if (imm === BPF_STORE_REL) return `store_release(${address(dst)}, r${src})`;
  const wide = (insn.code & BPF_DW) === BPF_DW ? '64' : '';
  if (imm === BPF_XCHG) return `r${src} = atomic${wide}_xchg(${address(dst)}, r${src})`;
  if (imm === BPF_CMPXCHG) return `r0 = atomic${wide}_cmpxchg(${address(dst)}, r0, r${src})`;
  const plain = imm & ~BPF_FETCH;
  const op = ATOMIC_NAMES[plain >>> 4];
  if (op === undefined || (plain & 15) !== 0) return bug('', insn);
  if (plain === imm) return `lock *${address(dst)} ${ALU_SIGNS[plain >>> 4]!} r${src}`;
  return `r${src} = atomic${wide}_fetch_${op}(${address(dst)}, r${src})`;
}
