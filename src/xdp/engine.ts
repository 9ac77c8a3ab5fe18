/**
 * What engines need of the machine they run on: the part of `Bpf` that a running program can reach.
 */
import { printable } from '../host/errors.ts';
import type { HostAddr, HostMemory, Region } from '../host/memory.ts';
import type { WasmModule } from '../host/wasm.ts';
import type { Local, Value, WasmFunction } from '../host/wasmFunction.ts';
import type { Insn } from './isa/insn.ts';
import { MAX_BPF_STACK, MAX_CALL_FRAMES } from './isa/insn.ts';

/** Bytes of stack of a whole call chain. */
export const CALL_CHAIN_BYTES: number = MAX_BPF_STACK * MAX_CALL_FRAMES;

/** Where a slot comes from. */
export interface LineInfo {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** The part of a loaded program that engines run. */
export interface EngineImage {
  readonly name: string;
  readonly insns: readonly Insn[];
  /** Maps that instructions name by position. */
  readonly maps?: readonly { readonly id: number; readonly handle: HostAddr }[];
  /** Names of kernel functions; a call of one has its index here as the constant. */
  readonly kfuncs?: readonly string[];
  /** In order of slots. */
  readonly lineInfo?: readonly LineInfo[];
}

/** The part of a map that engines reach without a helper. */
export interface EngineMap {
  readonly id: number;
  /** The map pointer of programs. */
  readonly handle: HostAddr;
  readonly maxEntries: number;
  /** Values that code can reach without a call. */
  readonly inline: { readonly at: HostAddr } | null;
  /** Of a prog_array: the program at `index`, or null. */
  progAt?(index: number): EngineImage | null;
}

/** Whoever runs a program at this moment; helpers call back through it. */
export interface RunningEngine {
  /** @param func what a PSEUDO_FUNC `ld_imm64` put into a register @returns r0's low word */
  call(func: number, a1: number, a2: number, a3: number, a4: number): number;
}

export interface EngineBpf {
  readonly mem: HostMemory;
  /** `hi[0]` high word of a helper's 64-bit result, `hi[1]` to `hi[5]` of its wide arguments. */
  readonly hi: HostAddr;
  /** The first frame ends here (r10); the next lies below. */
  readonly stackTop: HostAddr;
  /** The memory of maps. */
  readonly arena: {
    readonly region: Region;
    allows(at: HostAddr, len: number, write: boolean): boolean;
  };
  readonly maps: {
    at(handle: HostAddr): EngineMap | undefined;
    get(id: number): EngineMap | undefined;
  };
  engine: RunningEngine | null;
}

/**
 * The program's code as a value of `f`, to be used once: the low word of r0 after a run on what lies
 * at `ctx`.
 */
export type InlinedProgram = (f: WasmFunction, ctx: Local) => Value;

/**
 * Makes a module of WebAssembly functions that run the program without a call. The program is
 * compiled once more for it, at the time of this call.
 *
 * @param write adds them to the module
 * @param imports that they have; those of the program come by themselves
 * @returns what the module exports
 */
export type LinkProgram = (
  write: (module: WasmModule, program: InlinedProgram) => void,
  imports: WebAssembly.Imports,
) => WebAssembly.Exports;

/** A program ready to run, whichever engine does it. */
export interface BpfRunnable {
  /** @param ctx address of the context @returns the low word of r0 */
  run(ctx: HostAddr): number;
  /** Of a program that is WebAssembly and needs no preparation; see `XdpProg`. */
  readonly link?: LinkProgram | undefined;
  /** High word of r0 after a run. */
  readonly r0Hi: number;
}

/** No engine could run this program. */
export class ProgramRefused extends Error {
  readonly program: string;
  readonly slot: number;
  readonly reason: string;

  constructor(program: string, slot: number, reason: string) {
    super(`program ${printable(program)}, instruction ${slot}: ${reason}`);
    this.name = 'ProgramRefused';
    this.program = program;
    this.slot = slot;
    this.reason = reason;
  }
}
