/**
 * A program as the interpreter runs it: five words a slot, and one file of 64-bit operands.
 *
 *   code[slot * 5]  +0  the code as encoded (load-acquire and store-release: plain load and store)
 *                   +1  dst, as an index into `regs`
 *                   +2  second operand, as an index into `regs`; of a call, an index into `callees`
 *                   +3  loads and stores: the offset; jumps and local calls: where to, in words
 *                   +4  arithmetic: the instruction's offset, which chooses signed and sign-extending
 *                       forms; byte swaps and atomics: the constant, which chooses width and operation
 *
 *   regs            0..21   r0 to r10, low half first
 *                   22..    constants: an operand that is an immediate is a register nobody writes
 *
 * So the forms with a register and with a constant are the same case of the interpreter. Behind the
 * last slot stands an exit: where a legacy load outside the packet goes.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { EngineImage } from '../engine.ts';
import { ProgramRefused } from '../engine.ts';
import type { Helper } from '../helpers/helper.ts';
import { unknownHelper } from '../helpers/helperNames.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MEM,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_X,
  LD_IMM64,
  MAX_BPF_REG,
} from '../isa/insn.ts';
import { malformed } from '../isa/wellFormed.ts';

/** Words of `code` a slot takes. */
export const STRIDE = 5;
/** Words of `regs` that are registers. */
export const REG_WORDS: number = 2 * MAX_BPF_REG;

export interface Decoded {
  readonly image: EngineImage;
  readonly code: Int32Array;
  readonly regs: Int32Array;
  /** Helpers this program calls; the second operand of a helper call counts in here. */
  readonly callees: readonly Helper[];
}

/** What decoding asks of the world: addresses of maps, and helpers. */
export interface Resolver {
  /** The map pointer of a live map, or undefined. */
  mapHandle(id: number): HostAddr | undefined;
  /** Where the values of a map with direct access begin, or undefined. */
  mapValues(id: number): HostAddr | undefined;
  helper(id: number): Helper | undefined;
  /** What stands in a register for the function at `slot` of the program being decoded. */
  funcAddress(slot: number): number;
  kfunc(name: string): Helper | undefined;
}

/** @throws ProgramRefused naming the first instruction that no engine could run */
export function decode(image: EngineImage, resolver: Resolver): Decoded {
  const wrong = malformed(image.insns);
  if (wrong !== null) throw new ProgramRefused(image.name, wrong.slot, wrong.reason);
  return new Decoder(image, resolver).decode();
}

class Decoder {
  private readonly image: EngineImage;
  private readonly resolver: Resolver;
  private readonly code: Int32Array;
  private readonly constants: number[] = [];
  private readonly constantAt: Map<string, number> = new Map();
  private readonly callees: Helper[] = [];

  constructor(image: EngineImage, resolver: Resolver) {
    this.image = image;
    this.resolver = resolver;
    this.code = new Int32Array((image.insns.length + 1) * STRIDE);
    this.code[image.insns.length * STRIDE] = BPF_JMP | BPF_EXIT;
  }

  decode(): Decoded {
    const { image, code, callees } = this;
    for (let slot = 0; slot < image.insns.length; slot++) {
      this.put(slot, image.insns[slot]!);
      if (image.insns[slot]!.code === LD_IMM64) slot++;
    }
    const regs = new Int32Array(REG_WORDS + this.constants.length);
    regs.set(this.constants, REG_WORDS);
    return { image, code, regs, callees };
  }

  private put(slot: number, insn: Insn): void {
    const { code, dst, src, off, imm } = insn;
    const kind = code & 7;
    const next = slot + 1;
    let op = code;
    let second = 2 * src;
    let third = off;
    let fourth = imm;
    if (code === LD_IMM64) {
      second = this.imm64(slot, insn);
    } else if (kind === BPF_ALU || kind === BPF_ALU64) {
      const swaps = (code & 0xf0) === BPF_END;
      if ((code & BPF_X) === 0 && !swaps) second = this.constant(imm, imm >> 31);
      if (!swaps) fourth = off;
    } else if (kind === BPF_JMP || kind === BPF_JMP32) {
      const calls = (code & 0xf0) === BPF_CALL;
      if (calls && (code & BPF_X) === 0) [second, third] = this.callee(slot, insn);
      else if (calls) second = 2 * dst;
      else third = (next + ((code & 0xf7) === (BPF_JMP32 | BPF_JA) ? imm : off)) * STRIDE;
      if (!calls && (code & BPF_X) === 0) second = this.constant(imm, imm >> 31);
      fourth = src;
    } else if (kind === BPF_ST) {
      second = this.constant(imm, imm >> 31);
    } else if (kind === BPF_STX && (code & 0xe0) === BPF_ATOMIC) {
      // one program runs at a time: order is free
      const size = code & BPF_DW;
      if (imm === BPF_LOAD_ACQ) op = BPF_LDX | BPF_MEM | size;
      if (imm === BPF_STORE_REL) op = BPF_STX | BPF_MEM | size;
    }
    this.code.set([op, 2 * dst, second, third, fourth], slot * STRIDE);
  }

  /** @returns index into `regs` of the constant with these halves */
  private constant(lo: number, hi: number): number {
    const key = `${lo},${hi}`;
    const known = this.constantAt.get(key);
    if (known !== undefined) return known;
    const at = REG_WORDS + this.constants.length;
    this.constants.push(lo, hi);
    this.constantAt.set(key, at);
    return at;
  }

  private imm64(slot: number, { src, imm }: Insn): number {
    const high = this.image.insns[slot + 1]!.imm;
    const { resolver } = this;
    switch (src) {
      case BPF_PSEUDO_MAP_FD:
        return this.constant(this.known(slot, resolver.mapHandle(imm), `no map ${imm}`), 0);
      case BPF_PSEUDO_MAP_IDX:
        return this.constant(this.known(slot, this.image.maps?.[imm]?.handle, `no map ${imm}`), 0);
      case BPF_PSEUDO_MAP_VALUE:
      case BPF_PSEUDO_MAP_IDX_VALUE: {
        const id = src === BPF_PSEUDO_MAP_VALUE ? imm : (this.image.maps?.[imm]?.id ?? -1);
        const why = `map ${imm} has no values to address`;
        return this.constant(this.known(slot, resolver.mapValues(id), why) + high, 0);
      }
      case BPF_PSEUDO_FUNC:
        return this.constant(this.resolver.funcAddress(slot + 1 + imm), 0);
      default:
        return this.constant(imm, high);
    }
  }

  /** @returns index of the callee, and where a local call goes */
  private callee(slot: number, insn: Insn): [number, number] {
    if (insn.src === BPF_PSEUDO_CALL) return [0, (slot + 1 + insn.imm) * STRIDE];
    const { src, imm } = insn;
    const helper = src === BPF_PSEUDO_KFUNC_CALL ? this.kfunc(imm) : this.resolver.helper(imm);
    const why =
      src === BPF_PSEUDO_KFUNC_CALL
        ? `unknown kernel function ${this.image.kfuncs?.[imm] ?? imm}`
        : unknownHelper(imm);
    return [this.callees.push(this.known(slot, helper, why)) - 1, 0];
  }

  private kfunc(index: number): Helper | undefined {
    const name = this.image.kfuncs?.[index];
    return name === undefined ? undefined : this.resolver.kfunc(name);
  }

  private known<T>(slot: number, value: T | undefined, why: string): T {
    if (value === undefined) throw new ProgramRefused(this.image.name, slot, why);
    return value;
  }
}
