/**
 * An entry of a cpumap: a queue of frames to one CPU, and the thread there that takes them.
 *
 * Redirects collect up to eight frames per sending CPU and entry; the flush at the end of the
 * softirq puts them into the queue and wakes the thread. The thread takes eight at a time, runs the
 * entry's program on them, and gives what is left to the stack, which makes skbs of them and has the
 * thread's GRO (`FrameReceiver`). An entry that is replaced or deleted is worked off first: its
 * thread ends when the queue is empty.
 *
 * Whoever sends takes the queue's lock once for up to eight frames; the thread, alone at its end,
 * takes none. The thread's time is booked as an application's, since softirqs are off but none is
 * served. Left out: what waking a thread that already runs costs.
 *
 * @linux struct bpf_cpu_map_entry, cpu_map_kthread_run; kernel/bpf/cpumap.c
 */
import { OP_CPUMAP_LOCK, OP_CPUMAP_SLOT } from '../host/cost.ts';
import type { Cpu, Work } from '../host/cpu.ts';
import { CTX_APP } from '../host/cpu.ts';
import { LOST_CPUMAP_PROG, LOST_CPUMAP_QUEUE_FULL, LOST_CPUMAP_SKB_OOM } from '../host/fates.ts';
import { XDP_FRAME } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import { PtrRing, ptrRingWords } from '../host/ptrRing.ts';
import { Task } from '../host/runQueue.ts';
import { TP_XDP_CPUMAP_ENQUEUE, TP_XDP_CPUMAP_KTHREAD } from '../host/trace.ts';
import type { BpfProgRef } from './bpf.ts';
import { runOnFrame, warnInvalidXdpAction } from './frameProg.ts';
import type { FrameReceiver, XdpKernel } from './kernel.ts';
import { xdpReturnFrame, xdpReturnFrameRxNapi } from './memModel.ts';
import type { BpfNetContext } from './netContext.ts';
import { XDP_DROP, XDP_PASS, XDP_REDIRECT } from './uapi.ts';
import { xdpUpdateFrameFromBuff } from './xdpFrame.ts';

/** @linux CPU_MAP_BULK_SIZE, CPUMAP_BATCH */
const BULK = 8;

/** Frames that one CPU has for an entry. @linux struct xdp_bulk_queue */
export class XdpCpuBulkQueue {
  readonly entry: CpuMapEntry;
  readonly q: Int32Array = new Int32Array(BULK);
  count = 0;
  /** Is it on its CPU's flush list? */
  listed = false;

  constructor(entry: CpuMapEntry) {
    this.entry = entry;
  }
}

/** Sends on what a program on a frame redirected: `xdpDoRedirectFrame` and `xdpDoFlush`, of redirect.ts. */
export interface Redirector {
  redirect(xdp: XdpKernel, frame: HostAddr, cpu: Cpu): number;
  flush(xdp: XdpKernel, cpu: Cpu): void;
}

export class CpuMapEntry {
  readonly cpu: Cpu;
  readonly prog: BpfProgRef | null;
  readonly task: Task;
  private readonly xdp: XdpKernel;
  private readonly ring: PtrRing;
  private readonly redirector: Redirector;
  /** Null in a kernel without a stack, where no frame comes here. */
  private readonly receiver: FrameReceiver | null;
  private readonly bulkQueues: (XdpCpuBulkQueue | undefined)[] = [];
  private readonly batch: Int32Array = new Int32Array(BULK);
  /** Of the batch in hand, by the program. */
  private redirected = 0;
  /** No map leads here. */
  private retired = false;

  /** @linux __cpu_map_entry_alloc */
  constructor(
    xdp: XdpKernel,
    cpu: Cpu,
    mapId: number,
    qsize: number,
    prog: BpfProgRef | null,
    redirector: Redirector,
  ) {
    this.xdp = xdp;
    this.cpu = cpu;
    this.prog = prog;
    this.ring = new PtrRing(new Int32Array(ptrRingWords(qsize)));
    this.redirector = redirector;
    this.receiver = xdp.upper?.frameReceiver(cpu) ?? null;
    const name = `cpumap/${cpu.id}/map:${mapId}`;
    this.task = new Task(name, cpu, CTX_APP, (task) => this.live(task));
    xdp.cpuMapEntries.add(this);
  }

  /** Frames that wait in the queue. */
  get queued(): number {
    return this.ring.length;
  }

  /** This CPU's bulk queue, made at its first use. */
  bulkQueue(cpu: Cpu): XdpCpuBulkQueue {
    return (this.bulkQueues[cpu.id] ??= new XdpCpuBulkQueue(this));
  }

  /** No map leads here any more; what has been sent still arrives. @linux __cpu_map_entry_free */
  retire(): void {
    this.retired = true;
    this.forgetIfDone();
  }

  private forgetIfDone(): void {
    if (this.retired && this.ring.length === 0) this.xdp.cpuMapEntries.delete(this);
  }

  /**
   * Put what a CPU has collected into the queue; what does not fit is lost.
   *
   * @linux bq_flush_to_queue
   */
  produce(bq: XdpCpuBulkQueue, cpu: Cpu): void {
    const { xdp, ring } = this;
    let drops = 0;
    cpu.charge(OP_CPUMAP_LOCK);
    cpu.chargeTimes(OP_CPUMAP_SLOT, bq.count);
    for (let i = 0; i < bq.count; i++) {
      if (ring.produce(bq.q[i]!)) continue;
      drops++;
      xdpReturnFrameRxNapi(xdp, cpu, bq.q[i]!);
    }
    xdp.fates.lost[LOST_CPUMAP_QUEUE_FULL]! += drops;
    if (xdp.watch.on) xdp.watch.point(TP_XDP_CPUMAP_ENQUEUE, cpu, this.cpu.id, bq.count, drops);
    bq.count = 0;
  }

  wake(waker: Cpu): void {
    this.cpu.runQueue.wake(this.task, waker, this.xdp.irqs!);
  }

  /** Take everything that waits, on the spot: the machine is being shut down. */
  drain(): void {
    while (this.ring.length > 0) this.takeBatch();
  }

  /** @linux cpu_map_kthread_run */
  private *live(task: Task): Work {
    for (;;) {
      if (this.ring.length > 0) this.takeBatch();
      else {
        task.sleep();
        this.forgetIfDone();
      }
      yield;
    }
  }

  private takeBatch(): void {
    const { xdp, cpu, ring, batch } = this;
    xdp.cpu = cpu;
    let n = 0;
    while (n < BULK && ring.length > 0) batch[n++] = ring.consume();
    cpu.chargeTimes(OP_CPUMAP_SLOT, n);
    let kept = n;
    let redirects = 0;
    if (this.prog !== null) {
      const context = xdp.netContexts[cpu.id]!;
      context.returnFrameNoDirect = true;
      kept = this.runProg(this.prog, n);
      redirects = this.redirected;
      if (redirects > 0) this.redirector.flush(xdp, cpu);
      context.returnFrameNoDirect = false;
    }
    const drops = this.build(this.receiver!, kept);
    xdp.fates.lost[LOST_CPUMAP_SKB_OOM]! += drops;
    if (xdp.watch.on) xdp.watch.point(TP_XDP_CPUMAP_KTHREAD, cpu, n, drops, redirects);
    this.receiver!.deliver(n, ring.length === 0);
  }

  /** Skbs for the batch's first `kept`. @returns how many there are none for, whose frames went back */
  private build(receiver: FrameReceiver, kept: number): number {
    const { xdp, cpu, batch } = this;
    let drops = 0;
    for (let from = 0; from < kept; from += receiver.skbsAtOnce) {
      const to = Math.min(kept, from + receiver.skbsAtOnce);
      const allocated = receiver.allocSkbs(to - from);
      for (let i = from; i < to; i++) {
        if (allocated && receiver.buildSkb(batch[i]!)) continue;
        drops++;
        xdpReturnFrame(xdp, cpu, batch[i]!);
      }
    }
    return drops;
  }

  /** @returns how many frames it passed; they stand at the batch's front. @linux cpu_map_bpf_prog_run_xdp */
  private runProg(prog: BpfProgRef, n: number): number {
    const { xdp, cpu, batch } = this;
    const { words } = xdp.mem;
    const { frameMd } = xdp.bpf;
    let kept = 0;
    this.redirected = 0;
    for (let i = 0; i < n; i++) {
      const frame = batch[i]!;
      const act = runOnFrame(xdp, prog, frame, 0, cpu);
      if (act === XDP_PASS && xdpUpdateFrameFromBuff(words, frameMd, frame)) {
        batch[kept++] = frame;
        continue;
      }
      if (act === XDP_REDIRECT && this.redirector.redirect(xdp, frame, cpu) === 0) {
        this.redirected++;
        continue;
      }
      if (act !== XDP_PASS && act !== XDP_REDIRECT && act !== XDP_DROP)
        warnInvalidXdpAction(xdp, prog, act);
      xdpReturnFrame(xdp, cpu, frame);
      xdp.fates.lost[LOST_CPUMAP_PROG]!++;
    }
    return kept;
  }
}

/** Queue a frame whose page the driver gives up here. @linux cpu_map_enqueue, bq_enqueue */
export function cpuMapEnqueue(
  xdp: XdpKernel,
  context: BpfNetContext,
  entry: CpuMapEntry,
  frame: HostAddr,
  cpu: Cpu,
): void {
  const bq = entry.bulkQueue(cpu);
  if (bq.count === BULK) entry.produce(bq, cpu);
  if (!bq.listed) {
    bq.listed = true;
    context.cpuMapFlushList.push(bq);
  }
  if (xdp.watch.on) xdp.watch.page(frame & PAGE_MASK, XDP_FRAME);
  bq.q[bq.count++] = frame;
}

/** @linux __cpu_map_flush */
export function cpuMapFlush(list: XdpCpuBulkQueue[], cpu: Cpu): void {
  for (let i = list.length - 1; i >= 0; i--) {
    const bq = list[i]!;
    bq.entry.produce(bq, cpu);
    bq.listed = false;
    bq.entry.wake(cpu);
  }
  list.length = 0;
}
