/**
 * eBPF instructions: their 8-byte layout, and the numbers their fields are made of.
 *
 *   +0  code     7:5 mode | 4:3 size | 2:0 class     (loads and stores)
 *                7:4 operation | 3 source | 2:0 class (arithmetic and jumps)
 *   +1  regs     7:4 source register | 3:0 destination register
 *   +2  off      s16
 *   +4  imm      s32
 *
 * A program is one element per 8-byte slot, numbered as Linux numbers instructions. `ld_imm64`
 * takes two: the second has code 0 and holds the high half of the constant in `imm`.
 *
 * @linux include/uapi/linux/bpf.h, include/uapi/linux/bpf_common.h
 * @spec RFC 9669
 */
import { RangeRefused } from '../../host/errors.ts';

export interface Insn {
  /** u8 */
  readonly code: number;
  /** 0 to 15; registers are 0 to 10. */
  readonly dst: number;
  readonly src: number;
  /** s16 */
  readonly off: number;
  /** s32 */
  readonly imm: number;
}

/** Bytes of one slot. */
export const INSN_BYTES = 8;

/** Classes: bits 2:0 of the code. */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;

/** Sizes of loads and stores: bits 4:3. */
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_DW = 0x18;

/** Modes of loads and stores: bits 7:5. */
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_MEMSX = 0x80;
/** `off` of a move between address spaces; `imm` holds both. */
export const BPF_ADDR_SPACE_CAST = 1;
export const BPF_ATOMIC = 0xc0;

/** Where the second operand comes from: bit 3. */
export const BPF_K = 0x00;
export const BPF_X = 0x08;

/** Arithmetic: bits 7:4. */
export const BPF_ADD = 0x00;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
export const BPF_END = 0xd0;

/** Direction of `BPF_END` in class ALU, in place of the source bit. */
export const BPF_TO_LE = 0x00;
export const BPF_TO_BE = 0x08;

/** Jumps: bits 7:4. */
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_JNE = 0x50;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
/** Conditional on the run's budget of loops, not on a register (`may_goto`). */
export const BPF_JCOND = 0xe0;
/** The only source operand of `BPF_JCOND`. */
export const BPF_MAY_GOTO = 0;

/** What an atomic does: its `imm`. Plain operations use the numbers of arithmetic. */
export const BPF_FETCH = 0x01;
export const BPF_XCHG: number = 0xe0 | BPF_FETCH;
export const BPF_CMPXCHG: number = 0xf0 | BPF_FETCH;
export const BPF_LOAD_ACQ = 0x100;
export const BPF_STORE_REL = 0x110;

/** What the constant of `ld_imm64` stands for: its source field. */
export const BPF_PSEUDO_MAP_FD = 1;
export const BPF_PSEUDO_MAP_VALUE = 2;
export const BPF_PSEUDO_BTF_ID = 3;
export const BPF_PSEUDO_FUNC = 4;
export const BPF_PSEUDO_MAP_IDX = 5;
export const BPF_PSEUDO_MAP_IDX_VALUE = 6;

/** Who is called: the source field of a call; 0 is a helper by number. */
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;

export const BPF_REG_0 = 0;
export const BPF_REG_1 = 1;
export const BPF_REG_2 = 2;
export const BPF_REG_3 = 3;
export const BPF_REG_4 = 4;
export const BPF_REG_5 = 5;
export const BPF_REG_6 = 6;
export const BPF_REG_7 = 7;
export const BPF_REG_8 = 8;
export const BPF_REG_9 = 9;
/** The frame pointer: top of the running function's stack. */
export const BPF_REG_10 = 10;
export const MAX_BPF_REG = 11;

/** Bytes of stack of one frame. */
export const MAX_BPF_STACK = 512;
/** Frames a program may have on its stack, the outermost included. @linux MAX_CALL_FRAMES */
export const MAX_CALL_FRAMES = 8;
/** Tail calls in one run. */
export const MAX_TAIL_CALL_CNT = 33;
/** What `may_goto` counts down from. @linux BPF_MAX_LOOPS */
export const BPF_MAX_LOOPS: number = 8 * 1024 * 1024;

/** The code of the first slot of a 64-bit constant. */
export const LD_IMM64: number = BPF_LD | BPF_IMM | BPF_DW;

/** Does this slot begin an instruction of two slots? */
export const isLdImm64 = (insn: Insn): boolean => insn.code === LD_IMM64;

/** @throws RangeRefused when `bytes` is no whole number of slots */
export function decodeInsns(bytes: Uint8Array): Insn[] {
  if (bytes.length % INSN_BYTES !== 0) {
    throw new RangeRefused('program', `${bytes.length} bytes`, 'a multiple of 8');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const insns: Insn[] = [];
  for (let at = 0; at < bytes.length; at += INSN_BYTES) {
    const regs = view.getUint8(at + 1);
    insns.push({
      code: view.getUint8(at),
      dst: regs & 15,
      src: regs >>> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    });
  }
  return insns;
}

export function encodeInsns(insns: readonly Insn[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(insns.length * INSN_BYTES));
  insns.forEach(({ code, dst, src, off, imm }, slot) => {
    const at = slot * INSN_BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, off, true);
    view.setInt32(at + 4, imm, true);
  });
  return new Uint8Array(view.buffer);
}
