/**
 * The reference interpreter: run a program, or walk it instruction by instruction.
 *
 * Memory is host memory, whatever a program does: an access outside it, or in checked mode outside
 * what the program may touch, ends the run with a `ProgramFault`.
 *
 *   const it = new Interpreter(image, bpf);
 *   it.start(ctx);
 *   while (it.step()) console.log(it.slot, it.reg(0), it.source()?.text);
 */
import type { HostAddr } from '../../host/memory.ts';
import type { BpfRunnable, EngineBpf, EngineImage, LineInfo } from '../engine.ts';
import { CALL_CHAIN_BYTES } from '../engine.ts';
import { MAX_BPF_STACK } from '../isa/insn.ts';
import { STRIDE } from './decode.ts';
import type { InterpOptions } from './run.ts';
import { Run } from './run.ts';

export class Interpreter implements BpfRunnable {
  private readonly vm: Run;

  /** @throws ProgramRefused when no engine could run it */
  constructor(image: EngineImage, bpf: EngineBpf, options: InterpOptions = {}) {
    this.vm = new Run(image, bpf, options);
  }

  run(ctx: HostAddr): number {
    this.start(ctx);
    return this.finish();
  }

  /** Run without a context: r1 is the address of `len` bytes, r2 is `len`. */
  runOn(at: HostAddr, len: number): number {
    this.startOn(at, len);
    return this.finish();
  }

  get r0Hi(): number {
    return this.vm.main.regs[1]!;
  }

  /** Stand before the first instruction of a run on `ctx`. */
  start(ctx: HostAddr): void {
    this.vm.reach.context(ctx);
    this.vm.begin(ctx, 0);
  }

  /** Stand before the first instruction of a run without a context, on a stack of zeros. */
  startOn(at: HostAddr, len: number): void {
    const { bpf, reach } = this.vm;
    reach.given(at, len);
    bpf.mem.fill(bpf.stackTop - CALL_CHAIN_BYTES, CALL_CHAIN_BYTES, 0);
    this.vm.begin(at, len);
  }

  /**
   * Execute one instruction; a helper's call includes its callbacks.
   *
   * @returns whether the program goes on
   */
  step(): boolean {
    if (this.vm.running) {
      this.vm.pauseAfterOne();
      this.vm.go();
    }
    return this.vm.running;
  }

  /** Run to the end of what was started. @returns the low word of r0 */
  finish(): number {
    this.vm.pauseAt = Infinity;
    if (this.vm.running) this.vm.go();
    return this.vm.main.regs[0]!;
  }

  /** Call before every instruction, with this interpreter standing on it; null ends it. */
  onInsn(listener: ((at: Interpreter) => void) | null): void {
    this.vm.onInsn = listener === null ? null : () => listener(this);
  }

  /** The slot that is executed next. */
  get slot(): number {
    return this.vm.at / STRIDE;
  }

  /** The program that slot belongs to: a tail call changes it. */
  get image(): EngineImage {
    return this.vm.program.image;
  }

  /** Frames below the outermost. */
  get depth(): number {
    return this.vm.depth;
  }

  /** Instructions of the last run; while one goes on, up to the last pause. */
  get executed(): number {
    return this.vm.executed;
  }

  /** Register `n`, unsigned. */
  reg(n: number): bigint {
    const { regs } = this.vm.program;
    return (BigInt(regs[2 * n + 1]! >>> 0) << 32n) | BigInt(regs[2 * n]! >>> 0);
  }

  /** The running function's stack, lowest address first. */
  stack(): Uint8Array {
    const top = Number(this.reg(10));
    return this.vm.bpf.mem.u8.slice(top - MAX_BPF_STACK, top);
  }

  /** Where the next instruction comes from, as far as the program says. */
  source(): LineInfo | undefined {
    const { slot } = this;
    return this.image.lineInfo?.findLast((line) => line.slot <= slot);
  }
}
