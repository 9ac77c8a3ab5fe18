/**
 * Work that is put off to a thread: each CPU has a kworker, which shares it as threads do.
 *
 * Work runs on the CPU that queued it, one after the other. So it waits for softirqs, and where they
 * never end it waits for ever; and a thread that wakes meanwhile finds this CPU taken. Linux starts
 * another kworker where work sleeps; here none does.
 *
 * @linux struct work_struct, schedule_work, worker_thread; kernel/workqueue.c
 */
import type { Cpu, Work } from '../host/cpu.ts';
import { CTX_APP } from '../host/cpu.ts';
import type { IrqController } from '../host/irq.ts';
import { Task } from '../host/runQueue.ts';

export interface WorkStruct {
  work(cpu: Cpu): void;
}

export class Kworker {
  private readonly cpu: Cpu;
  private readonly task: Task;
  private readonly worklist: WorkStruct[] = [];

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.task = new Task(`kworker/${cpu.id}:0`, cpu, CTX_APP, (task) => this.live(task));
  }

  /** From code that runs on its CPU; what waits already waits once. @linux schedule_work */
  scheduleWork(work: WorkStruct, irqs: IrqController): void {
    if (this.worklist.includes(work)) return;
    this.worklist.push(work);
    this.cpu.runQueue.wake(this.task, this.cpu, irqs);
  }

  /** @linux cancel_work_sync */
  cancelWork(work: WorkStruct): void {
    const at = this.worklist.indexOf(work);
    if (at >= 0) this.worklist.splice(at, 1);
  }

  /** @linux worker_thread */
  private *live(task: Task): Work {
    for (;;) {
      const work = this.worklist.shift();
      if (work === undefined) task.sleep();
      else work.work(this.cpu);
      yield;
    }
  }
}
