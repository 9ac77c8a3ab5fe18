/**
 * Which stack slots may still be read: a slot that nobody reads again does not tell states apart.
 *
 * While paths are walked, each instruction collects the slots it may read (the union of all visits)
 * and those it surely writes (their intersection), apart for every chain of calls that leads to it
 * and for every frame of that chain. When a path ends, the usual data flow against the program's
 * order turns this into "live before", and a callee's answer for its callers' frames is handed to
 * the call instruction.
 *
 * Slots are bits: 0 to 31 in the first word of a pair, 32 to 63 in the second.
 *
 * @linux kernel/bpf/liveness.c
 */
import type { Env } from './env.ts';
import type { VerifierState } from './state.ts';
import { containingSubprog } from './subprogs.ts';

/** Marks for one frame: two words per instruction of the function. */
class FrameMasks {
  readonly mayRead: Int32Array;
  readonly mustWrite: Int32Array;
  /** Written by the instruction or surely after it. */
  readonly mustWriteAcc: Int32Array;
  readonly liveBefore: Int32Array;

  constructor(insns: number) {
    this.mayRead = new Int32Array(insns * 2);
    this.mustWrite = new Int32Array(insns * 2);
    this.mustWriteAcc = new Int32Array(insns * 2);
    this.liveBefore = new Int32Array(insns * 2);
  }
}

/** A function as reached by one chain of calls. */
interface Instance {
  /** Call instructions of the outer frames, the outermost first. */
  readonly callsites: readonly number[];
  /** Starts of the functions of all frames. */
  readonly starts: readonly number[];
  readonly insnCount: number;
  readonly frames: (FrameMasks | undefined)[];
  /** Instructions whose writes were recorded once. */
  readonly written: Uint8Array;
  updated: boolean;
  writesDropped: boolean;
}

const top = (instance: Instance): number => instance.starts[instance.starts.length - 1]!;

const chainText = (instance: Instance): string =>
  `(${[...instance.callsites, top(instance)].join(',')})`;

/** Offsets from the frame pointer. @linux bpf_fmt_stack_mask */
function slotsText(low: number, high: number): string {
  const offsets: number[] = [];
  for (let spi = 0; spi < 64; spi++)
    if (((spi < 32 ? low : high) & (1 << (spi & 31))) !== 0) offsets.push(-(spi + 1) * 8);
  return offsets.join(',');
}

const isLiveBefore = (instance: Instance, idx: number, frame: number, spi: number): boolean => {
  const masks = instance.frames[frame];
  if (masks === undefined) return false;
  const word = masks.liveBefore[(idx - top(instance)) * 2 + (spi >> 5)]!;
  return (word & (1 << (spi & 31))) !== 0;
};

export class StackLiveness {
  private readonly env: Env;
  private readonly instances = new Map<string, Instance>();
  /** Of the running path; null after calls and returns. */
  private current: Instance | null = null;
  /** Slots the running instruction writes, a pair of words per frame. */
  private readonly writes = new Int32Array(16);
  private writeIdx = 0;

  constructor(env: Env) {
    this.env = env;
  }

  private lookup(callsites: readonly number[], starts: readonly number[]): Instance {
    const key = `${callsites.join()};${starts[starts.length - 1]}`;
    const known = this.instances.get(key);
    if (known !== undefined) return known;
    const subprog = containingSubprog(this.env, starts[starts.length - 1]!);
    const { start } = this.env.subprogs[subprog]!;
    const insnCount = this.env.subprogs[subprog + 1]!.start - start;
    const made: Instance = {
      callsites,
      starts,
      insnCount,
      frames: [],
      written: new Uint8Array(insnCount),
      updated: false,
      writesDropped: false,
    };
    this.instances.set(key, made);
    return made;
  }

  private instanceOf(state: VerifierState, frame: number): Instance {
    const callsites: number[] = [];
    const starts: number[] = [];
    for (let i = 0; i <= frame; i++) {
      starts.push(this.env.subprogs[state.frames[i]!.subprogno]!.start);
      if (i < frame) callsites.push(state.frames[i + 1]!.callsite);
    }
    return this.lookup(callsites, starts);
  }

  private ensureCurrent(): Instance {
    this.current ??= this.instanceOf(this.env.cur, this.env.cur.curframe);
    return this.current;
  }

  private static masks(instance: Instance, frame: number): FrameMasks {
    return (instance.frames[frame] ??= new FrameMasks(instance.insnCount));
  }

  /** The path entered or left a function. @linux bpf_reset_live_stack_callchain */
  forgetChain(): void {
    this.current = null;
  }

  private addRead(
    instance: Instance,
    frame: number,
    idx: number,
    word: number,
    bits: number,
  ): void {
    const masks = StackLiveness.masks(instance, frame);
    const at = (idx - top(instance)) * 2 + word;
    const reads = masks.mayRead[at]! | bits;
    if (reads !== masks.mayRead[at] && (reads & ~masks.liveBefore[at]!) !== 0)
      instance.updated = true;
    masks.mayRead[at] = reads;
  }

  /** The running instruction may read slot `spi` of `frame`. @linux bpf_mark_stack_read */
  markRead(frame: number, spi: number): void {
    this.addRead(this.ensureCurrent(), frame, this.env.insnIdx, spi >> 5, 1 << (spi & 31));
  }

  /** @linux bpf_reset_stack_write_marks */
  beginInsn(idx: number): void {
    this.ensureCurrent();
    this.writeIdx = idx;
    this.writes.fill(0);
  }

  /** The running instruction writes all of slot `spi`. @linux bpf_mark_stack_write */
  markWrite(frame: number, spi: number): void {
    this.writes[frame * 2 + (spi >> 5)]! |= 1 << (spi & 31);
  }

  /** @linux bpf_commit_stack_write_marks */
  commit(): void {
    if (this.current !== null) this.commitTo(this.current);
  }

  private commitTo(instance: Instance): void {
    const idx = this.writeIdx - top(instance);
    const before = instance.written[idx] === 1;
    for (let frame = 0; frame < instance.starts.length; frame++) {
      const low = this.writes[frame * 2]!;
      const high = this.writes[frame * 2 + 1]!;
      if (low === 0 && high === 0 && !before) continue;
      const { mustWrite } = StackLiveness.masks(instance, frame);
      for (let word = 0; word < 2; word++) {
        const at = idx * 2 + word;
        const old = mustWrite[at]!;
        const bits = this.writes[frame * 2 + word]! & (before ? old : -1);
        if (bits === old) continue;
        mustWrite[at] = bits;
        instance.updated = true;
        if ((old & ~bits) !== 0) instance.writesDropped = true;
      }
    }
    instance.written[idx] = 1;
  }

  /** A path ended or a function returned: bring all its frames up to date. @linux bpf_update_live_stack */
  update(state: VerifierState): void {
    this.current = null;
    for (let frame = state.curframe; frame >= 0; frame--) {
      const instance = this.instanceOf(state, frame);
      if (!instance.updated) continue;
      this.settle(instance);
      instance.updated = false;
      instance.writesDropped = false;
    }
  }

  /** @linux update_instance */
  private settle(instance: Instance): void {
    if (instance.writesDropped) for (const masks of instance.frames) masks?.mustWriteAcc.fill(0);
    const { env } = this;
    const subprog = containingSubprog(env, top(instance));
    const from = env.subprogs[subprog]!.postorderStart;
    const to = env.subprogs[subprog + 1]!.postorderStart;
    let changed = true;
    let rounds = 0;
    while (changed) {
      rounds++;
      changed = false;
      instance.frames.forEach((masks, frame) => {
        if (masks === undefined) return;
        for (let i = from; i < to; i++)
          if (this.flow(instance, masks, frame, env.postorder[i]!)) changed = true;
      });
    }
    if (env.log.full)
      env.write(`${chainText(instance)} live stack update done in ${rounds} iterations\n`);
    if (instance.callsites.length > 0) this.propagateOut(instance);
  }

  /** @linux update_insn */
  private flow(instance: Instance, masks: FrameMasks, frame: number, idx: number): boolean {
    const next = this.env.next[idx]!;
    if (next.length === 0) return false;
    const start = top(instance);
    const at = (idx - start) * 2;
    const { liveBefore, mustWriteAcc } = masks;
    const [live0, live1] = [liveBefore[at]!, liveBefore[at + 1]!];
    const [acc0, acc1] = [mustWriteAcc[at]!, mustWriteAcc[at + 1]!];
    for (let word = 0; word < 2; word++) this.flowWord(masks, start, next, at + word);
    const changed =
      live0 !== liveBefore[at] ||
      live1 !== liveBefore[at + 1] ||
      acc0 !== mustWriteAcc[at] ||
      acc1 !== mustWriteAcc[at + 1];
    if (changed && this.env.log.full && this.isShown(masks, at, idx, start)) {
      const where = `${chainText(instance)} frame ${frame} insn ${idx} `;
      this.logChange(where, 'live', live0, live1, liveBefore, at);
      this.logChange(where, 'written', acc0, acc1, mustWriteAcc, at);
    }
    return changed;
  }

  /** Changes are logged where something reads or writes, where the function starts and where states are kept. */
  private isShown(masks: FrameMasks, at: number, idx: number, start: number): boolean {
    const { mayRead, mustWrite } = masks;
    const used = mayRead[at]! | mayRead[at + 1]! | mustWrite[at]! | mustWrite[at + 1]!;
    return used !== 0 || idx === start || this.env.aux[idx]!.prunePoint;
  }

  /** @linux log_mask_change */
  private logChange(
    where: string,
    what: string,
    old0: number,
    old1: number,
    now: Int32Array,
    at: number,
  ): void {
    const [now0, now1] = [now[at]!, now[at + 1]!];
    if (old0 === now0 && old1 === now1) return;
    const gained = slotsText(now0 & ~old0, now1 & ~old1);
    const lost = slotsText(old0 & ~now0, old1 & ~now1);
    const text = `${gained === '' ? '' : `+${what} ${gained} `}${lost === '' ? '' : `-${what} ${lost}`}`;
    this.env.write(`${where}${text}\n`);
  }

  private flowWord(masks: FrameMasks, start: number, next: readonly number[], at: number): void {
    const word = at & 1;
    let after = 0;
    let written = -1;
    for (const s of next) {
      const succ = (s - start) * 2 + word;
      after |= masks.liveBefore[succ]!;
      written &= masks.mustWriteAcc[succ]!;
    }
    masks.liveBefore[at] = (after & ~masks.mustWrite[at]!) | masks.mayRead[at]!;
    masks.mustWriteAcc[at] = written | masks.mustWrite[at]!;
  }

  /** What a function does to its callers' stacks happens at the call. @linux propagate_to_outer_instance */
  private propagateOut(instance: Instance): void {
    const outer = this.lookup(instance.callsites.slice(0, -1), instance.starts.slice(0, -1));
    const callsite = instance.callsites[instance.callsites.length - 1]!;
    this.writeIdx = callsite;
    this.writes.fill(0);
    for (let frame = 0; frame < instance.callsites.length; frame++) {
      const masks = instance.frames[frame];
      if (masks === undefined) continue;
      for (let word = 0; word < 2; word++) {
        this.writes[frame * 2 + word] = masks.mustWriteAcc[word]!;
        this.addRead(outer, frame, callsite, word, masks.liveBefore[word]!);
      }
    }
    this.commitTo(outer);
  }

  /** Answers, for one state, which of its slots live. @linux bpf_live_stack_query_init, bpf_stack_slot_alive */
  query(state: VerifierState): (frame: number, spi: number) => boolean {
    const instances = state.frames.map((_, frame) => this.instanceOf(state, frame));
    const last = instances.length - 1;
    return (frame, spi) => {
      if (isLiveBefore(instances[last]!, state.insnIdx, frame, spi)) return true;
      for (let i = frame; i < last; i++) {
        const callsite = instances[last]!.callsites[i]!;
        const at = this.env.aux[callsite]!.callsCallback ? callsite : callsite + 1;
        if (isLiveBefore(instances[i]!, at, frame, spi)) return true;
      }
      return false;
    };
  }
}
