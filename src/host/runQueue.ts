/**
 * Application threads of one CPU: who runs when no interrupt and no softirq wants it.
 *
 * The policy is the simplest there is: whoever became runnable first runs first, one slice at a
 * time, and softirqs always come before them. A thread is told to run one slice and says whether it
 * has more to do. Waking a thread of another CPU takes an interrupt there; until that is taken,
 * nothing of it shows.
 */
import { OP_IPI, OP_WAKE } from './cost.ts';
import type { Cpu, Work } from './cpu.ts';
import { CTX_APP } from './cpu.ts';
import { IrqLine } from './irq.ts';
import type { IrqController } from './irq.ts';

/** One thread, bound to a CPU. */
export class Task {
  readonly name: string;
  readonly cpu: Cpu;
  /** A system call or so of work. @returns false: nothing left, sleep until woken */
  readonly slice: () => boolean;
  /** On the run queue, or in a slice. */
  runnable = false;
  /** A wake-up is on its way from another CPU. */
  waking = false;
  /** Slices it had, and wake-ups it needed. */
  slices = 0;
  wakeups = 0;

  constructor(name: string, cpu: Cpu, slice: () => boolean) {
    this.name = name;
    this.cpu = cpu;
    this.slice = slice;
  }
}

export class RunQueue {
  /** What runs while any thread is runnable; null when none is. */
  work: Work | null = null;
  private readonly cpu: Cpu;
  private readonly runnable: Task[] = [];
  /** Threads that other CPUs wake, until the interrupt is taken. */
  private readonly wakeList: Task[] = [];
  private readonly line: IrqLine;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.line = new IrqLine(`resched-${cpu.id}`, cpu, -1);
    this.line.handler = (): void => this.takeWakeList();
  }

  /** Take the CPU: the threads' work, in their context; null when nobody is runnable. */
  pick(): Work | null {
    if (this.work === null && this.runnable.length > 0) this.work = this.run();
    if (this.work !== null) this.cpu.enter(CTX_APP);
    return this.work;
  }

  /**
   * Let `task`, one of this CPU's, run again.
   *
   * @param waker the CPU this code runs on
   */
  wake(task: Task, waker: Cpu, irqs: IrqController): void {
    if (task.runnable || task.waking) return;
    waker.charge(OP_WAKE);
    task.wakeups++;
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
    this.runnable.push(task);
  }

  private *run(): Work {
    for (let task = this.runnable.shift(); task !== undefined; task = this.runnable.shift()) {
      task.slices++;
      task.runnable = task.slice();
      if (task.runnable) this.runnable.push(task);
      yield;
    }
    this.work = null;
  }
}
