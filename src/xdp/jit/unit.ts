/**
 * The WebAssembly module that one program becomes: what it imports, the functions it has, and the
 * constants of the machine that its code holds.
 *
 * Functions are written when somebody calls them: the one a run begins with first, then each
 * subprogram once. All but the first take r1 to r5 and their frame and return r0, so that a tail
 * call, which goes to another module, is a call of the same type.
 *
 * Words of `bpf.hi` behind those of helpers hold what modules share during a run:
 *
 *   +24  frame of the function that called the helper which runs, for the helper's callbacks
 *
 * In checked mode two globals that programs cannot reach say what is left to run, and on what.
 */
import type { HostAddr } from '../../host/memory.ts';
import { I32, I64, WasmModule } from '../../host/wasm.ts';
import type { WasmCode } from '../../host/wasm.ts';
import type { EngineImage } from '../engine.ts';
import { CALL_CHAIN_BYTES, ProgramRefused } from '../engine.ts';
import type { Helper } from '../helpers/helper.ts';
import { unknownHelper } from '../helpers/helperNames.ts';
import { poisoned } from '../helpers/poison.ts';
import { KFUNCS } from '../helpers/table.ts';
import {
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
  isLdImm64,
  MAX_BPF_STACK,
  MAX_CALL_FRAMES,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { ProgramFault } from '../program.ts';
import type { ProgramMemory } from '../programMemory.ts';
import { findLeaders } from './graph.ts';
import { isTailCall } from './dataflow.ts';
import type { JitBpf } from './jitBpf.ts';
import { ARGS } from './registers.ts';

const FRAME_WORD = 6;

/** Parameters and result are i32. */
type ImportedFunction = (...args: number[]) => number | void;

export interface UnitOptions {
  /** Test every access; for programs that nobody has verified. */
  readonly checked: boolean;
  /** Programs run on a `struct xdp_md`. */
  readonly takesXdpMd: boolean;
  /** By number. */
  readonly helpers: readonly (Helper | undefined)[];
  /** Finds the program a tail call goes to: its place in the table of programs, or 0. */
  readonly tailTarget: (map: HostAddr, index: number) => number;
  /** Helpers are to call back this program again. */
  readonly resume: () => void;
  /** In checked mode, a run of more instructions is a fault. */
  readonly maxInsns: number;
  /** In checked mode, what the program may touch. */
  readonly reach: ProgramMemory;
  /** Notes which code is whose, for people who read it. */
  readonly origins?: CodeOrigin[];
}

/** A function of a module, and the function of the program that it is. */
export interface CodeOrigin {
  /** Among the module's own functions. */
  readonly own: number;
  readonly slot: number;
  readonly locals: readonly string[];
  /** Where the code of each instruction begins. */
  readonly starts: readonly { readonly at: number; readonly slot: number }[];
}

export class Unit {
  readonly image: EngineImage;
  readonly bpf: JitBpf;
  readonly options: UnitOptions;
  readonly module: WasmModule = new WasmModule();
  readonly leaders: Uint8Array;
  readonly imports: Record<string, ImportedFunction> = {};
  /** First slots of functions that the program hands to helpers. */
  readonly callbacks: readonly number[];
  readonly hasTailCalls: boolean;
  /** Type of all functions but the first. */
  readonly calleeType: number;
  /** Global of checked mode: how many instructions may still run. */
  readonly budget: number;
  /** Global of checked mode: the context of the run, or 0. */
  readonly context: number;
  private readonly importAt: Map<string, number> = new Map();
  private readonly calleeAt: Map<number, number> = new Map();
  private readonly unwritten: number[] = [];
  private checkerAt: number | undefined;
  private written = 0;

  constructor(image: EngineImage, bpf: JitBpf, options: UnitOptions) {
    const { insns } = image;
    this.image = image;
    this.bpf = bpf;
    this.options = options;
    this.leaders = findLeaders(insns);
    this.callbacks = callbacksOf(insns);
    this.hasTailCalls = insns.some(isTailCall);
    this.calleeType = this.module.type([...Array<number>(ARGS).fill(I64), I32], [I64]);
    [this.budget, this.context] = options.checked ? this.checkedGlobals() : [-1, -1];
    this.module.importMemory('host', 'memory');
    if (this.hasTailCalls) this.module.importTable('host', 'programs');
  }

  get checked(): boolean {
    return this.options.checked;
  }

  /** Can a run begin without any preparation? */
  get isBare(): boolean {
    return !this.checked && this.callbacks.length === 0 && !this.hasTailCalls;
  }

  /** Lowest address of the frame that a run begins with. */
  get firstFrame(): HostAddr {
    return this.bpf.stackTop - MAX_BPF_STACK;
  }

  /** Lowest address of the deepest frame of a call chain. */
  get lastFrame(): HostAddr {
    return this.bpf.stackTop - CALL_CHAIN_BYTES;
  }

  get frameWord(): HostAddr {
    return this.bpf.hi + 4 * FRAME_WORD;
  }

  /** A function of JavaScript. @returns its index */
  import(name: string, params: number, results: 0 | 1, run: ImportedFunction): number {
    const known = this.importAt.get(name);
    if (known !== undefined) return known;
    const type = this.module.type(words(params), words(results));
    const index = this.module.importFunction('run', name, type);
    this.importAt.set(name, index);
    this.imports[name] = run;
    return index;
  }

  /** Index of the function that begins at `slot`; it will be written. */
  callee(slot: number): number {
    const known = this.calleeAt.get(slot);
    if (known !== undefined) return known;
    const own = this.module.declare();
    this.calleeAt.set(slot, own);
    this.unwritten.push(slot);
    return own;
  }

  /** A function that is called and not yet written: its first slot. */
  nextUnwritten(): number | undefined {
    return this.unwritten.pop();
  }

  /** Index of the function that tests accesses; it is to be written when `hasChecker`. */
  checker(): number {
    return (this.checkerAt ??= this.module.declare());
  }

  get hasChecker(): boolean {
    return this.checkerAt !== undefined;
  }

  /** @throws ProgramRefused when there is no such helper or kernel function */
  helper({ src, imm }: Insn, slot: number): Helper {
    if (src !== BPF_PSEUDO_KFUNC_CALL) {
      const helper = this.options.helpers[imm] ?? poisoned(imm);
      return this.known(slot, helper, unknownHelper(imm));
    }
    const name = this.image.kfuncs?.[imm];
    const kfunc = name === undefined ? undefined : KFUNCS.get(name);
    return this.known(slot, kfunc, `unknown kernel function ${name ?? imm}`);
  }

  /**
   * A function of so many instructions, from `slot` on, is about to be written. Functions that share
   * code are written once for each: Linux refuses them, and a few could become a module without end.
   *
   * @throws ProgramRefused when all together are more than the program, and its start once more
   */
  announce(instructions: number, slot: number): void {
    this.written += instructions;
    if (this.written > 2 * this.image.insns.length)
      this.refuse(slot, 'functions of the program overlap');
  }

  /** What `ld_imm64` at `slot` puts into its register: low word, high word. */
  constant(slot: number): [number, number] {
    const { src, imm } = this.image.insns[slot]!;
    const high = this.image.insns[slot + 1]!.imm;
    const { maps } = this.bpf;
    switch (src) {
      case BPF_PSEUDO_MAP_FD:
        return [this.known(slot, maps.get(imm)?.handle, `no map ${imm}`), 0];
      case BPF_PSEUDO_MAP_IDX:
        return [this.known(slot, this.image.maps?.[imm]?.handle, `no map ${imm}`), 0];
      case BPF_PSEUDO_MAP_VALUE:
      case BPF_PSEUDO_MAP_IDX_VALUE: {
        const id = src === BPF_PSEUDO_MAP_VALUE ? imm : (this.image.maps?.[imm]?.id ?? -1);
        const why = `map ${imm} has no values to address`;
        return [this.known(slot, maps.get(id)?.inline?.at, why) + high, 0];
      }
      case BPF_PSEUDO_FUNC:
        return [slot + 1 + imm, 0];
      default:
        return [imm, high];
    }
  }

  /** End the run when the number on the stack is not 0. */
  writeFaultIf(out: WasmCode, reason: string, slot: number): void {
    const fault = this.import(reason, 1, 0, (at) => {
      throw this.fault(at, reason);
    });
    out.if();
    out.i32(slot).callImport(fault);
    out.end();
  }

  /** A call chain is longer than Linux lets it be. */
  writeTooDeepIf(out: WasmCode, slot: number): void {
    this.writeFaultIf(out, `the call stack of ${MAX_CALL_FRAMES} frames is too deep`, slot);
  }

  private checkedGlobals(): [number, number] {
    const budget = this.module.global();
    const context = this.module.global();
    this.module.exportGlobal('budget', budget);
    this.module.exportGlobal('context', context);
    return [budget, context];
  }

  fault(slot: number, reason: string): ProgramFault {
    return new ProgramFault(this.image.name, `instruction ${slot} ${reason}`);
  }

  refuse(slot: number, why: string): never {
    throw new ProgramRefused(this.image.name, slot, why);
  }

  private known<T>(slot: number, value: T | undefined, why: string): T {
    return value ?? this.refuse(slot, why);
  }
}

const words = (n: number): number[] => Array<number>(n).fill(I32);

function callbacksOf(insns: readonly Insn[]): number[] {
  const slots = new Set<number>();
  insns.forEach((insn, slot) => {
    if (isLdImm64(insn) && insn.src === BPF_PSEUDO_FUNC) slots.add(slot + 1 + insn.imm);
  });
  return [...slots];
}
