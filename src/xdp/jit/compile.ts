/**
 * The compiler: a program becomes one WebAssembly module over host memory.
 *
 *   plain mode    for programs that the verifier has accepted: no access is tested. Whatever such a
 *                 program does, WebAssembly keeps it inside host memory.
 *   checked mode  every access is tested and a run is bounded (`checked.ts`).
 *
 * What a run leaves behind is as with the interpreter: r0's low word is the result, its high word
 * lies in `bpf.hi`.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { WasmModule } from '../../host/wasm.ts';
import type {
  BpfRunnable,
  EngineImage,
  InlinedProgram,
  LinkProgram,
  RunningEngine,
} from '../engine.ts';
import { CALL_CHAIN_BYTES, ProgramRefused } from '../engine.ts';
import type { Helper } from '../helpers/helper.ts';
import { HELPERS } from '../helpers/table.ts';
import { malformed } from '../isa/wellFormed.ts';
import { writeChecker } from './checked.ts';
import { callbackName, writeBatch, writeCallback } from './exports.ts';
import { inlinedEntry, writeCallee, writeEntry } from './function.ts';
import type { JitBpf } from './jitBpf.ts';
import { moduleOf } from './moduleCache.ts';
import { runStateOf } from './runState.ts';
import type { RunState, TailTarget } from './runState.ts';
import { Unit } from './unit.ts';

export interface JitOptions {
  /** Test every access and bound the run; for programs that nobody has verified. */
  readonly checked?: boolean;
  /** It was verified as a program of type XDP: r1 is the address of a `struct xdp_md`. */
  readonly takesXdpMd?: boolean;
  /** Helpers by number; all there are, unless set. */
  readonly helpers?: readonly (Helper | undefined)[];
  /** In checked mode, a run of more instructions is a fault; 2^27 unless given. */
  readonly maxInsns?: number;
}

const MAX_INSNS = 2 ** 27;
/** A longer program is called: its code once more would cost more than calls do. */
const MOST_LINKED_BYTES = 2 ** 18;

type Callback = (r1: number, r2: number, r3: number, r4: number) => number;

interface Exports {
  run(r1: number, r2?: number, context?: number): number;
  batch?(context: HostAddr, stride: number, count: number, verdicts: HostAddr): void;
  tail(): unknown;
  readonly budget: WebAssembly.Global;
  readonly context: WebAssembly.Global;
  readonly [callback: `callback ${number}`]: Callback;
}

/** A program that has become WebAssembly. */
export class JitProgram implements BpfRunnable, RunningEngine, TailTarget {
  /** @param ctx address of the context @returns the low word of r0 */
  readonly run: (ctx: HostAddr) => number;
  readonly link?: LinkProgram;
  private readonly image: EngineImage;
  private readonly bpf: JitBpf;
  private readonly state: RunState;
  private readonly exports: Exports;
  private readonly callbacks: Callback[] = [];
  private readonly checked: boolean;
  private readonly maxInsns: number;
  /** Where callbacks find the frame they go below, as an index of words. */
  private readonly frameIndex: number;

  /** @param asTarget as what a tail call goes to, not as what a run begins with */
  constructor(image: EngineImage, bpf: JitBpf, options: JitOptions, asTarget: boolean = false) {
    this.image = image;
    this.bpf = bpf;
    this.checked = options.checked ?? false;
    this.maxInsns = options.maxInsns ?? MAX_INSNS;
    this.state = runStateOf(bpf, this.checked);
    const unit = this.unitOf(options);
    this.frameIndex = unit.frameWord >> 2;
    const bytes = writeModule(unit, asTarget);
    this.exports = this.instantiate(unit, bytes, {}) as unknown as Exports;
    for (const slot of unit.callbacks) this.callbacks[slot] = this.exports[callbackName(slot)]!;
    const isBare = unit.isBare && !asTarget;
    this.run = isBare ? this.exports.run : (ctx) => this.enter(ctx);
    const isShort = bytes.length <= MOST_LINKED_BYTES;
    if (isBare && isShort) this.link = (write, imports) => this.linked(options, write, imports);
  }

  /** High word of r0 after a run. */
  get r0Hi(): number {
    return this.bpf.mem.words[this.bpf.hi >> 2]!;
  }

  /**
   * Run without a context: r1 is the address of `len` bytes, r2 is `len`, and the stack is zero.
   * For programs compiled in checked mode.
   */
  runOn(at: HostAddr, len: number): number {
    const { bpf, state } = this;
    bpf.mem.fill(bpf.stackTop - CALL_CHAIN_BYTES, CALL_CHAIN_BYTES, 0);
    state.beginOn(at, len);
    return this.begin(at, len);
  }

  /**
   * Run on `count` contexts, each `stride` bytes behind the last.
   *
   * @param verdicts where the verdicts go, a word each
   */
  runBatch(context: HostAddr, stride: number, count: number, verdicts: HostAddr): void {
    if (this.exports.batch !== undefined) {
      this.exports.batch(context, stride, count, verdicts);
      return;
    }
    const { words } = this.bpf.mem;
    for (let i = 0; i < count; i++) words[(verdicts >> 2) + i] = this.run(context + i * stride);
  }

  /** A callback: from inside a helper, or, as a timer's, from outside any run. */
  call(func: number, a1: number, a2: number, a3: number, a4: number): number {
    const callback = this.callbacks[func]!;
    if (this.state.depth > 0) return callback(a1, a2, a3, a4);
    this.state.begin(0);
    this.bpf.mem.words[this.frameIndex] = this.bpf.stackTop;
    const outer = this.arrive();
    this.entered();
    try {
      return callback(a1, a2, a3, a4);
    } finally {
      this.leave(outer);
    }
  }

  get entry(): () => unknown {
    return this.exports.tail;
  }

  /** The run goes on with this program's code, not from its first function; each has its own budget. */
  entered(): void {
    this.bpf.engine = this;
    if (!this.checked) return;
    this.exports.budget.value = this.maxInsns;
    this.exports.context.value = this.state.context;
  }

  private linked(
    options: JitOptions,
    write: (module: WasmModule, program: InlinedProgram) => void,
    imports: WebAssembly.Imports,
  ): WebAssembly.Exports {
    const unit = this.unitOf(options);
    write(unit.module, inlinedEntry(unit));
    writeCallees(unit);
    return this.instantiate(unit, unit.module.encode(), imports);
  }

  private instantiate(
    unit: Unit,
    bytes: Uint8Array<ArrayBuffer>,
    imports: WebAssembly.Imports,
  ): WebAssembly.Exports {
    return new WebAssembly.Instance(this.moduleOf(bytes), {
      ...imports,
      host: { memory: this.bpf.mem.memory, programs: this.state.programs },
      run: unit.imports,
    }).exports;
  }

  private enter(ctx: HostAddr): number {
    this.state.begin(ctx);
    return this.begin(ctx, 0);
  }

  private begin(r1: number, r2: number): number {
    const outer = this.arrive();
    try {
      return this.exports.run(r1, r2, this.state.context);
    } finally {
      this.leave(outer);
    }
  }

  /** @returns who ran before */
  private arrive(): RunningEngine | null {
    const outer = this.bpf.engine;
    this.bpf.engine = this;
    this.state.depth++;
    return outer;
  }

  private leave(outer: RunningEngine | null): void {
    this.state.depth--;
    this.bpf.engine = outer;
  }

  /** @throws ProgramRefused when one of its functions is more than an engine takes */
  private moduleOf(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
    try {
      return moduleOf(bytes);
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
      throw new ProgramRefused(this.image.name, 0, `not to be compiled: ${error.message}`);
    }
  }

  private unitOf(options: JitOptions): Unit {
    const { image, bpf, checked, state } = this;
    const wrong = malformed(image.insns);
    if (wrong !== null) throw new ProgramRefused(image.name, wrong.slot, wrong.reason);
    const asTarget = (target: EngineImage): TailTarget =>
      new JitProgram(target, bpf, options, true);
    return new Unit(image, bpf, {
      checked,
      takesXdpMd: !checked && (options.takesXdpMd ?? false),
      helpers: options.helpers ?? HELPERS,
      maxInsns: this.maxInsns,
      resume: () => void (bpf.engine = this),
      reach: state.reach,
      tailTarget: (map, index) => state.tailTarget(map, index, image, asTarget),
    });
  }
}

/** All functions of a program's module. */
export function writeModule(unit: Unit, asTarget: boolean): Uint8Array<ArrayBuffer> {
  if (asTarget) unit.module.exportFunction('tail', unit.callee(0));
  else {
    const entry = writeEntry(unit);
    unit.module.exportFunction('run', entry);
    if (unit.isBare) writeBatch(unit, entry);
  }
  for (const slot of unit.callbacks) writeCallback(unit, slot);
  writeCallees(unit);
  if (unit.hasChecker) writeChecker(unit);
  return unit.module.encode();
}

/** All functions that are called by those which are written. */
function writeCallees(unit: Unit): void {
  for (let slot = unit.nextUnwritten(); slot !== undefined; slot = unit.nextUnwritten())
    writeCallee(unit, slot);
}

/** @throws ProgramRefused when no engine could run `image` */
export function compile(image: EngineImage, bpf: JitBpf, options: JitOptions = {}): JitProgram {
  return new JitProgram(image, bpf, options);
}
