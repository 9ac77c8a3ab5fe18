/**
 * The threads of one CPU: applications, ksoftirqd, NAPI threads. Who runs when no interrupt and no
 * softirq wants the CPU.
 *
 * Whose turn it is says the kernel's fair class (`eevdf.ts`; for kernels up to 6.5 `cfs.ts`). Time of
 * interrupts and softirqs is nobody's, as with CONFIG_IRQ_TIME_ACCOUNTING.
 *
 * A thread is a generator that yields where it may be preempted: the return from a system call,
 * `cond_resched`. It is bound to its CPU, or placed anew when it wakes (`wakePlacement.ts`). Left out:
 * other classes, balancing between CPUs. A tick costs and counts only while a thread runs; it is taken
 * at the end of the step in which it falls.
 *
 * @linux kernel/sched/fair.c: update_curr, task_tick_fair
 */
import type { Ps } from './clock.ts';
import { PS_PER_MS, PS_PER_SEC } from './clock.ts';
import { OP_IPI, OP_SWITCH, OP_TIMER_IRQ, OP_WAKE } from './cost.ts';
import type { Cpu, Steps } from './cpu.ts';
import { CTX_HARDIRQ, CTX_IDLE, CTX_KSOFTIRQD } from './cpu.ts';
import { Cfs } from './cfs.ts';
import { Eevdf } from './eevdf.ts';
import type { FairClass, FairEntity } from './fairClass.ts';
import { IrqLine } from './irq.ts';
import type { IrqController } from './irq.ts';
import type { Movable } from './wakePlacement.ts';
import { selectTaskRqFair } from './wakePlacement.ts';

/** One thread, bound to a CPU or free to wake on any of several. */
export class Task implements FairEntity, Movable {
  readonly name: string;
  /** Where it runs, or last ran. */
  cpu: Cpu;
  readonly allowed: readonly Cpu[];
  recentUsed: Cpu;
  /** `CTX_*` that its time is booked to. */
  readonly context: number;
  /** Never ends; yields after `sleep`, and where it may be preempted. */
  readonly work: Steps;
  /** On the run queue, running included. */
  runnable = false;
  /** A wake-up is on its way from another CPU. */
  waking = false;
  /** It must not lose the CPU to another thread; softirqs still come in. @linux preempt_disable */
  preemptOff = false;
  vruntime: Ps = 0;
  deadline: Ps = 0;
  /** Wake-ups it needed, and times the CPU went over to it. */
  wakeups = 0;
  switches = 0;
  /** Wake-ups on another CPU than the one it had run on. @linux se.nr_migrations */
  migrations = 0;

  /**
   * @param body its life; called once
   * @param allowed CPUs that it may wake on, `cpu` among them
   */
  constructor(
    name: string,
    cpu: Cpu,
    context: number,
    body: (task: Task) => Steps,
    allowed: readonly Cpu[] = [cpu],
  ) {
    this.name = name;
    this.cpu = cpu;
    this.allowed = allowed;
    this.recentUsed = cpu;
    this.context = context;
    this.work = body(this);
  }

  /** Nothing left to do: from its next yield on it waits to be woken. */
  sleep(): void {
    this.runnable = false;
  }
}

export class RunQueue {
  /** Who has the CPU, softirqs apart. */
  curr: Task | null = null;
  /** Whoever runs is to give way where it next can. @linux TIF_NEED_RESCHED */
  needResched = false;
  private fair: FairClass<Task> = new Eevdf();
  private readonly cpu: Cpu;
  /** In the order in which they woke. */
  private readonly runnable: Task[] = [];
  private tickPs: Ps = 4 * PS_PER_MS;
  private nextTick: Ps = 0;
  /** Threads that other CPUs wake, until the interrupt is taken. */
  private readonly wakeList: Task[] = [];
  private readonly line: IrqLine;
  /** When its last thread went to sleep. */
  private idleSince: Ps = 0;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.line = new IrqLine(`resched-${cpu.id}`, cpu, -1);
    this.line.handler = (): void => this.takeWakeList();
  }

  /** @param cfs the kernel is of the time before EEVDF @linux sched_init_granularity */
  init(cpus: number, hz: number, cfs: boolean = false): void {
    if (cfs) this.fair = new Cfs();
    this.fair.init(cpus);
    this.tickPs = PS_PER_SEC / hz;
  }

  /**
   * Between two steps and with nothing pending: who runs next. What is no thread of this queue is
   * left alone.
   */
  schedule(): void {
    const { cpu, curr } = this;
    if (cpu.work !== null && cpu.work !== curr?.work) return;
    if (curr !== null && curr.runnable && (!this.needResched || curr.preemptOff)) {
      if (cpu.work === null) this.resume(curr);
      return;
    }
    this.needResched = false;
    const next = this.fair.pick(this.runnable);
    if (next === null) return;
    if (next !== curr) {
      if (curr === null) this.nextTick = this.tickAfter(cpu.now);
      this.curr = next;
      next.switches++;
      cpu.enter(next.context);
      cpu.charge(OP_SWITCH);
    }
    this.resume(next);
  }

  private resume(task: Task): void {
    this.cpu.work = task.work;
    this.cpu.enter(task.context);
  }

  /** A step has ended that took `ran`; if a thread of this queue made it, see who goes on. */
  stepped(work: Steps, ran: Ps): void {
    const { cpu, curr } = this;
    if (curr === null || curr.work !== work) return;
    curr.vruntime += ran;
    if (cpu.now >= this.nextTick) this.tick();
    if (!curr.runnable) this.dequeue(curr);
    if (cpu.bhOff) return;
    if (curr.context === CTX_KSOFTIRQD) this.schedule();
    else cpu.irqExit(); // what the step has raised runs before it goes on
  }

  /** @linux sched_tick */
  private tick(): void {
    const { cpu } = this;
    this.nextTick = this.tickAfter(cpu.now);
    const interrupted = cpu.enter(CTX_HARDIRQ);
    cpu.charge(OP_TIMER_IRQ);
    cpu.enter(interrupted);
    if (this.curr !== null && this.fair.tick(this.curr, this.runnable)) this.needResched = true;
  }

  private tickAfter(now: Ps): Ps {
    return (Math.floor(now / this.tickPs) + 1) * this.tickPs;
  }

  /** Threads that want the CPU, or are about to. @linux struct rq, nr_running, ttwu_pending */
  get nrRunning(): number {
    return this.runnable.length + this.wakeList.length;
  }

  /** No thread wanted this CPU at `now`, at which another one asks. @linux available_idle_cpu */
  idleAt(now: Ps): boolean {
    return this.nrRunning === 0 && this.idleSince <= now;
  }

  /**
   * Let `task` run again, which this CPU had last. On an idle CPU softirqs then end with their round.
   *
   * @param waker the CPU this code runs on
   * @linux try_to_wake_up
   */
  wake(task: Task, waker: Cpu, irqs: IrqController): void {
    if (task.runnable || task.waking) return;
    waker.charge(OP_WAKE);
    task.wakeups++;
    const to = task.allowed.length > 1 ? selectTaskRqFair(task, waker) : this.cpu;
    if (to !== this.cpu) {
      task.migrations++;
      task.vruntime += to.runQueue.fair.zero - this.fair.zero;
      task.cpu = to;
    }
    to.runQueue.ttwuQueue(task, waker, irqs);
  }

  /** @linux ttwu_queue, wakeup_preempt */
  private ttwuQueue(task: Task, waker: Cpu, irqs: IrqController): void {
    if (waker === this.cpu) {
      this.enqueue(task);
      return;
    }
    task.waking = true;
    this.wakeList.push(task);
    if (this.wakeList.length > 1) return;
    waker.charge(OP_IPI);
    irqs.post(this.line, waker.now);
  }

  private takeWakeList(): void {
    for (const task of this.wakeList) {
      task.waking = false;
      this.enqueue(task);
    }
    this.wakeList.length = 0;
  }

  private enqueue(task: Task): void {
    task.runnable = true;
    if (this.fair.enqueue(task, this.runnable, this.curr)) this.needResched = true;
    if (this.curr === null) this.needResched = true; // any thread goes before the idle one
  }

  private dequeue(task: Task): void {
    this.fair.dequeue(task, this.runnable);
    this.idleSince = this.cpu.now;
    this.curr = null;
    this.cpu.work = null;
    this.cpu.enter(CTX_IDLE);
  }
}
