/**
 * What every engine needs of a program before it can run it at all: codes that exist, registers that
 * exist, jumps and calls that land on an instruction, and an end it cannot run past.
 *
 * Nothing here knows about memory or types; that is the verifier's. Its refusals come first and are
 * Linux's own; these are for programs nobody has verified.
 */
import type { Insn } from './insn.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ARSH,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_REG_10,
  BPF_ST,
  BPF_STORE_REL,
  BPF_X,
  BPF_XCHG,
  LD_IMM64,
  MAX_BPF_REG,
} from './insn.ts';

/** @linux BPF_COMPLEXITY_LIMIT_INSNS */
const MAX_SLOTS = 1_000_000;

export interface Malformed {
  readonly slot: number;
  readonly reason: string;
}

/** @returns the first slot that no engine could run, or null */
export function malformed(insns: readonly Insn[]): Malformed | null {
  if (insns.length === 0) return { slot: 0, reason: 'no instructions' };
  if (insns.length > MAX_SLOTS) return { slot: MAX_SLOTS, reason: `more than ${MAX_SLOTS} slots` };
  const starts = startsOf(insns);
  for (let slot = 0; slot < insns.length; slot++) {
    if (starts[slot] === 0) continue;
    const reason = wrongWith(insns, slot, starts);
    if (reason !== null) return { slot, reason };
  }
  return null;
}

/** 1 for every slot that an instruction begins in. */
function startsOf(insns: readonly Insn[]): Uint8Array {
  const starts = new Uint8Array(insns.length);
  for (let slot = 0; slot < insns.length; slot++) {
    starts[slot] = 1;
    if (insns[slot]!.code === LD_IMM64) slot++;
  }
  return starts;
}

function wrongWith(insns: readonly Insn[], slot: number, starts: Uint8Array): string | null {
  const insn = insns[slot]!;
  if (!exists(insn)) return `unknown opcode ${insn.code.toString(16).padStart(2, '0')}`;
  if (insn.dst >= MAX_BPF_REG || insn.src >= MAX_BPF_REG) {
    return `R${Math.max(insn.dst, insn.src)} is invalid`;
  }
  if (insn.dst === BPF_REG_10 && writesDst(insn)) return 'frame pointer is read only';
  if (insn.code === LD_IMM64 && slot + 1 === insns.length) return 'invalid bpf_ld_imm64 insn';
  for (const target of targetsOf(insn, slot)) {
    if (starts[target] !== 1) return `jump out of range from insn ${slot} to ${target}`;
  }
  const length = insn.code === LD_IMM64 ? 2 : 1;
  if (slot + length === insns.length && !endsFlow(insn)) return 'last insn is not an exit or jmp';
  return null;
}

const endsFlow = ({ code }: Insn): boolean =>
  code === (BPF_JMP | BPF_EXIT) || code === (BPF_JMP | BPF_JA) || code === (BPF_JMP32 | BPF_JA);

/** Slots an instruction names: jumps, local calls, and functions whose address is taken. */
function targetsOf({ code, src, off, imm }: Insn, slot: number): number[] {
  const next = slot + 1;
  if (code === LD_IMM64) return src === BPF_PSEUDO_FUNC ? [next + imm] : [];
  if (code === CALL) return src === BPF_PSEUDO_CALL ? [next + imm] : [];
  if (code === CALLX || code === EXIT) return [];
  if (code === (BPF_JMP32 | BPF_JA)) return [next + imm];
  const kind = code & 7;
  return kind === BPF_JMP || kind === BPF_JMP32 ? [next + off] : [];
}

const CALL = 0x85;
const CALLX = 0x8d;
const EXIT = 0x95;

function writesDst({ code, imm }: Insn): boolean {
  const kind = code & 7;
  if (kind === BPF_ALU || kind === BPF_ALU64 || kind === BPF_LDX || code === LD_IMM64) return true;
  return (code & 0xe7) === ATOMIC && imm === BPF_LOAD_ACQ;
}

const ATOMIC = 0xc3;
const SWAPS = [16, 32, 64];

/** Does RFC 9669, with Linux's additions, define this combination of fields? */
function exists({ code, off, imm, src }: Insn): boolean {
  const kind = code & 7;
  const op = code & 0xf0;
  switch (kind) {
    case BPF_LD:
      return code === LD_IMM64 || LEGACY_LOADS.has(code);
    case BPF_LDX:
      return LOADS.has(code);
    case BPF_ST:
      return (code & 0xe0) === 0x60;
    case BPF_ALU:
    case BPF_ALU64:
      if (op === BPF_END) return SWAPS.includes(imm) && code !== (BPF_ALU64 | BPF_END | BPF_X);
      if (op === BPF_MOV) return (code & BPF_X) === 0 ? off === 0 : movWidths(kind).includes(off);
      if (op === 0x30 || op === 0x90) return off === 0 || off === 1;
      return op <= BPF_ARSH && code !== (kind | 0x80 | BPF_X);
    case BPF_JMP:
    case BPF_JMP32:
      return jumpExists(code, src);
    default:
      return (code & 0xe0) === 0x60 || ((code & 0xe0) === 0xc0 && atomicExists(code, imm));
  }
}

const LEGACY_LOADS: ReadonlySet<number> = new Set([0x20, 0x28, 0x30, 0x40, 0x48, 0x50]);
const LOADS: ReadonlySet<number> = new Set([0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91]);

const movWidths = (kind: number): number[] => (kind === BPF_ALU64 ? [0, 8, 16, 32] : [0, 8, 16]);

function jumpExists(code: number, src: number): boolean {
  const op = code & 0xf0;
  if ((code & 7) === BPF_JMP32) return code === 0x06 || (op >= 0x10 && !NOT_IN_JMP32.has(op));
  if (op === 0xe0) return code === 0xe5 && src === 0;
  if (op === 0x00 || op === 0x90) return (code & BPF_X) === 0;
  return op !== 0xf0 && (code !== CALL || src <= 2);
}

const NOT_IN_JMP32: ReadonlySet<number> = new Set([0x80, 0x90, 0xe0, 0xf0]);

function atomicExists(code: number, imm: number): boolean {
  if (imm === BPF_LOAD_ACQ || imm === BPF_STORE_REL) return true;
  const words = (code & BPF_DW) === BPF_DW || (code & BPF_DW) === 0;
  const plain = imm & ~BPF_FETCH;
  if (imm === BPF_XCHG || imm === BPF_CMPXCHG) return words;
  return words && (plain === 0x00 || plain === 0x40 || plain === 0x50 || plain === 0xa0);
}
