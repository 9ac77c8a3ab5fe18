/**
 * One interpreter's run: where it is, what its callers get back, and everything the loop asks for
 * that is more than a case.
 *
 * `saved` holds what a frame's caller gets back:
 *   +0..7  r6 to r9   +8  where to go on, in words of `code`   +9  the frame's may_goto budget
 */
import { PAGE_SIZE } from '../../host/memory.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { EngineBpf, EngineImage, RunningEngine } from '../engine.ts';
import type { Helper } from '../helpers/helper.ts';
import { poisoned } from '../helpers/poison.ts';
import { HELPERS, KFUNCS } from '../helpers/table.ts';
import { BPF_MAX_LOOPS, MAX_BPF_STACK, MAX_CALL_FRAMES, MAX_TAIL_CALL_CNT } from '../isa/insn.ts';
import { ProgramFault } from '../program.ts';
import { ProgramMemory } from '../programMemory.ts';
import type { Decoded, Resolver } from './decode.ts';
import { REG_WORDS, STRIDE, decode } from './decode.ts';
import { execute } from './execute.ts';

export interface InterpOptions {
  /** Refuse every access to what is not the program's; for programs nobody has verified. */
  readonly checked?: boolean;
  /** Helpers by number; all there are, unless set. */
  readonly helpers?: readonly (Helper | undefined)[];
  /** A run of more instructions is a fault. */
  readonly maxInsns?: number;
}

const BPF_FUNC_TAIL_CALL = 12;
/** Words of `regs`, of the registers with a part in calls. */
const R1 = 2;
const R6 = 12;
const R10 = 20;
const SAVED_WORDS = 10;
const RETURN_TO = 8;
const MAY_GOTO = 9;
/** A function's address: its slot in the low bits, above them which of `programs`. */
const SLOT_BITS = 20;
const MAX_SLOTS: number = 1 << SLOT_BITS;
/** Instructions between two looks at the limit. */
const GRANT = 2 ** 30;

export class Run implements RunningEngine {
  readonly bpf: EngineBpf;
  readonly checked: boolean;
  readonly reach: ProgramMemory;
  readonly main: Decoded;
  /** Called before every instruction. */
  onInsn: (() => void) | null = null;
  /** Whose instructions run: a tail call changes it. */
  program: Decoded;
  /** Where the next instruction is, in words of `code`. */
  at = 0;
  /** Frames below the outermost. */
  depth = 0;
  /** How often this frame's `may_goto` still falls through. */
  mayGoto = 0;
  /** Instructions that may still run before the loop looks up. */
  fuel = 0;
  /** Instructions run, up to the loop's last look. */
  executed = 0;
  /** The loop pauses when so many have run. */
  pauseAt: number = Infinity;
  running = false;
  private granted = 0;
  private tailCalls = 0;
  private readonly maxInsns: number;
  private readonly resolver: Resolver;
  /** All that this one has run, in the order in which it came to them; the first is its own. */
  private readonly programs: Decoded[] = [];
  private readonly saved: Int32Array = new Int32Array(MAX_CALL_FRAMES * SAVED_WORDS);
  private readonly callers: Decoded[] = [];

  /** @throws ProgramRefused when no engine could run it */
  constructor(image: EngineImage, bpf: EngineBpf, options: InterpOptions) {
    this.bpf = bpf;
    this.checked = options.checked ?? false;
    this.maxInsns = options.maxInsns ?? Infinity;
    this.reach = new ProgramMemory(bpf);
    const helpers = options.helpers ?? HELPERS;
    this.resolver = {
      mapHandle: (id) => bpf.maps.get(id)?.handle,
      mapValues: (id) => bpf.maps.get(id)?.inline?.at,
      helper: (id) => helpers[id] ?? poisoned(id),
      kfunc: (name) => KFUNCS.get(name),
      funcAddress: (slot) => (this.programs.length << SLOT_BITS) | slot,
    };
    this.main = this.program = this.decodedOf(image);
  }

  /** Stand before the first instruction. */
  begin(r1: number, r2: number): void {
    const { regs } = (this.program = this.main);
    regs[R1] = r1;
    regs[R1 + 1] = 0;
    regs[R1 + 2] = r2;
    regs[R1 + 3] = 0;
    regs[R10] = this.bpf.stackTop;
    regs[R10 + 1] = 0;
    this.at = 0;
    this.depth = 0;
    this.mayGoto = BPF_MAX_LOOPS;
    this.tailCalls = 0;
    this.executed = this.granted = this.fuel = 0;
    this.running = true;
  }

  /** Pause after one more instruction, instead of where the loop was to look up next. */
  pauseAfterOne(): void {
    this.giveBack();
    this.pauseAt = this.executed + this.granted + 1;
  }

  /** Make the loop look up before the next instruction. */
  private giveBack(): void {
    this.granted -= this.fuel;
    this.fuel = 0;
  }

  /** Run until the program ends or the loop pauses. */
  go(): void {
    const { bpf } = this;
    const outer = bpf.engine;
    bpf.engine = this;
    let ended = true;
    try {
      ended = execute(this, 0);
    } finally {
      bpf.engine = outer;
      if (ended) this.end();
    }
  }

  /** The outermost function has returned, or the run was given up. */
  private end(): void {
    this.running = false;
    this.executed += this.granted - this.fuel;
    this.granted = this.fuel = 0;
    const { regs } = this.program;
    this.main.regs[0] = regs[0]!;
    this.main.regs[1] = regs[1]!;
  }

  /** A callback, from inside a helper or between runs; its arguments are addresses and counts. */
  call(func: number, a1: number, a2: number, a3: number, a4: number): number {
    const { at, pauseAt } = this;
    const slot = func & (MAX_SLOTS - 1);
    const program = this.programs[func >>> SLOT_BITS];
    if (slot === 0 || program === undefined || slot >= program.image.insns.length) {
      throw this.fault(at - STRIDE, `calls back to ${func}, which is no function`);
    }
    if (!this.running) this.rest();
    this.pauseAt = Infinity;
    this.push(at - STRIDE, at);
    const { regs } = this.enter(program);
    regs[R1] = a1;
    regs[R1 + 2] = a2;
    regs[R1 + 4] = a3;
    regs[R1 + 6] = a4;
    regs[R1 + 1] = regs[R1 + 3] = regs[R1 + 5] = regs[R1 + 7] = 0;
    this.at = slot * STRIDE;
    execute(this, this.depth);
    this.at = this.pop();
    this.pauseAt = pauseAt;
    if (pauseAt !== Infinity) this.giveBack();
    return this.program.regs[0]!;
  }

  /** Nobody runs: the callback's frame lies below one that nobody stands in. */
  private rest(): void {
    this.depth = 0;
    this.program.regs[R10] = this.bpf.stackTop;
    this.program.regs[R10 + 1] = 0;
    this.executed = this.granted = this.fuel = 0;
  }

  /** All instructions granted are used up. @returns whether to go on */
  look(): boolean {
    this.executed += this.granted;
    this.granted = this.fuel = 0;
    if (this.executed >= this.pauseAt) return false;
    if (this.executed >= this.maxInsns) {
      throw this.fault(this.at, `still running after ${this.maxInsns} instructions`);
    }
    this.onInsn?.();
    const most = Math.min(GRANT, this.maxInsns - this.executed, this.pauseAt - this.executed);
    this.granted = this.fuel = this.onInsn === null ? most : 1;
    return true;
  }

  /** Enter a function. @param i the instruction that calls @param returnTo where to go on */
  push(i: number, returnTo: number): void {
    if (this.depth + 1 >= MAX_CALL_FRAMES) {
      throw this.fault(i, `the call stack of ${MAX_CALL_FRAMES} frames is too deep`);
    }
    const { regs } = this.program;
    const frame = this.depth * SAVED_WORDS;
    for (let n = 0; n < RETURN_TO; n++) this.saved[frame + n] = regs[R6 + n]!;
    this.saved[frame + RETURN_TO] = returnTo;
    this.saved[frame + MAY_GOTO] = this.mayGoto;
    this.callers[this.depth] = this.program;
    this.mayGoto = BPF_MAX_LOOPS;
    this.depth++;
    regs[R10] = regs[R10]! - MAX_BPF_STACK;
  }

  /** Leave a function with its r0. @returns where to go on */
  pop(): number {
    const left = this.program.regs;
    const frame = --this.depth * SAVED_WORDS;
    const { regs } = (this.program = this.callers[this.depth]!);
    regs[0] = left[0]!;
    regs[1] = left[1]!;
    for (let n = 0; n < RETURN_TO; n++) regs[R6 + n] = this.saved[frame + n]!;
    regs[R10] = this.bpf.stackTop - this.depth * MAX_BPF_STACK;
    this.mayGoto = this.saved[frame + MAY_GOTO]!;
    return this.saved[frame + RETURN_TO]!;
  }

  callHelper(i: number, helper: Helper): void {
    const { bpf } = this;
    const { regs } = this.program;
    if (helper.id === BPF_FUNC_TAIL_CALL) {
      this.tailCall(i);
      return;
    }
    for (let n = 1; helper.wideArgs >>> n !== 0; n++) {
      if (((helper.wideArgs >>> n) & 1) !== 0) bpf.mem.words[(bpf.hi >> 2) + n] = regs[2 * n + 1]!;
    }
    const r0 = helper.call(bpf, regs[2]!, regs[4]!, regs[6]!, regs[8]!, regs[10]!);
    const after = this.program.regs;
    after[0] = r0;
    after[1] = helper.wideRet ? bpf.mem.words[bpf.hi >> 2]! : r0 >> 31;
  }

  callByNumber(i: number, lo: number, hi: number): void {
    const number = hi * 2 ** 32 + (lo >>> 0);
    const helper = this.resolver.helper(number);
    if (helper === undefined) throw this.fault(i, `calls the unknown function ${number}`);
    this.callHelper(i, helper);
  }

  /**
   * Go on with another program in the same frame; or with the next instruction, when the entry is
   * empty or outside, or the limit is reached. Only calls that happen count.
   *
   * @linux emit_bpf_tail_call_indirect; arch/x86/net/bpf_jit_comp.c
   */
  private tailCall(i: number): void {
    const from = this.program.regs;
    const map = this.bpf.maps.at(from[4]!);
    if (map === undefined) throw this.fault(i, 'tail call through what is no map');
    const index = from[6]! >>> 0;
    if (index >= map.maxEntries || this.tailCalls >= MAX_TAIL_CALL_CNT) return;
    const image = map.progAt?.(index) ?? null;
    if (image === null) return;
    this.tailCalls++;
    this.enter(this.decodedOf(image));
    this.at = 0;
  }

  /** Go on in `program`, with the registers as they are. */
  private enter(program: Decoded): Decoded {
    const from = this.program.regs;
    if (program !== this.program) for (let n = 0; n < REG_WORDS; n++) program.regs[n] = from[n]!;
    return (this.program = program);
  }

  private decodedOf(image: EngineImage): Decoded {
    const known = this.programs.find((program) => program.image === image);
    if (known !== undefined) return known;
    const program = decode(image, this.resolver);
    this.programs.push(program);
    return program;
  }

  /** @returns false when the bytes lie outside the packet; r0 is 0 then */
  legacyLoad(code: Int32Array, i: number): boolean {
    const { regs } = this.program;
    const indirect = (code[i]! & 0x40) !== 0;
    const off = (code[i + 4]! + (indirect ? regs[code[i + 2]!]! : 0)) | 0;
    const size = LEGACY_BYTES[(code[i]! >>> 3) & 3]!;
    const at = this.reach.packet + off;
    regs[0] = regs[1] = 0;
    if (off < 0 || at + size > this.reach.packetEnd) return false;
    const { view } = this.bpf.mem;
    regs[0] = size === 4 ? view.getInt32(at) : size === 2 ? view.getUint16(at) : view.getUint8(at);
    return true;
  }

  /**
   * The address of an access that the loop's short test did not let pass: near the end of memory, a
   * sum that wraps, every one in checked mode, or a fault.
   */
  address(i: number, reg: number, len: number, write: boolean): HostAddr {
    const { regs, code } = this.program;
    const sum = (regs[reg]! >>> 0) + code[i + 3]!;
    const at = sum >>> 0;
    const hi = (regs[reg + 1]! + Math.floor(sum / 2 ** 32)) | 0;
    const inside = hi === 0 && at >= PAGE_SIZE && at + len <= this.bpf.mem.bytes;
    if (inside && (!this.checked || this.reach.allows(at, len, write))) return at;
    const where = `0x${((BigInt(hi >>> 0) << 32n) | BigInt(at)).toString(16)}`;
    const what = inside ? 'which is not the program’s' : 'outside host memory';
    throw this.fault(i, `${write ? 'writes' : 'reads'} ${len} bytes at ${where}, ${what}`);
  }

  fault(i: number, reason: string): ProgramFault {
    const { name } = this.program.image;
    return new ProgramFault(name, `instruction ${i / STRIDE} ${reason}`);
  }
}

const LEGACY_BYTES: readonly number[] = [4, 2, 1];
