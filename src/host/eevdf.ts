/**
 * The fair class since Linux 6.6, in the coarse and with all weights equal.
 *
 * Each thread has a virtual runtime, which is the time it had, and a deadline one slice ahead. It
 * keeps the CPU until its slice is used up, which is seen at a tick or when another thread wakes;
 * then, of those that had no more than the average, the one with the earliest deadline runs. A
 * thread that wakes starts at the average. Left out: weights, and lag kept over a sleep.
 *
 * @linux kernel/sched/fair.c: pick_eevdf, place_entity, update_deadline
 */
import type { Ps } from './clock.ts';
import { PS_PER_MS } from './clock.ts';
import type { FairClass, FairEntity } from './fairClass.ts';
import { cpusFactor } from './fairClass.ts';

/** Before scaling by the number of CPUs. @linux sysctl_sched_base_slice */
const BASE_SLICE: Ps = 0.7 * PS_PER_MS;

export class Eevdf<T extends FairEntity> implements FairClass<T> {
  private slice: Ps = BASE_SLICE;
  /** Average virtual runtime when it was last looked at: where a thread starts on an empty queue. */
  private average: Ps = 0;

  get zero(): Ps {
    return this.average;
  }

  init(cpus: number): void {
    this.slice = BASE_SLICE * cpusFactor(cpus);
  }

  enqueue(task: T, queue: T[], curr: T | null): boolean {
    this.average = this.averageVruntime(queue);
    task.vruntime = this.average;
    task.deadline = this.average + this.slice;
    queue.push(task);
    return curr !== null && this.tick(curr, queue);
  }

  dequeue(task: T, queue: T[]): void {
    this.average = this.averageVruntime(queue);
    queue.splice(queue.indexOf(task), 1);
  }

  /** A slice that is used up is followed by a turn of somebody else, if there is one. @linux update_deadline */
  tick(curr: T, queue: readonly T[]): boolean {
    if (curr.vruntime < curr.deadline) return false;
    curr.deadline = curr.vruntime + this.slice;
    return queue.length > 1;
  }

  /** The earliest deadline among those that had no more than their share. @linux pick_eevdf */
  pick(queue: readonly T[]): T | null {
    const average = this.averageVruntime(queue);
    let best: T | null = null;
    for (const task of queue) {
      if (task.vruntime <= average && (best === null || task.deadline < best.deadline)) best = task;
    }
    return best;
  }

  /** @linux avg_vruntime */
  private averageVruntime(queue: readonly T[]): Ps {
    const [first] = queue;
    if (first === undefined) return this.average;
    let ahead = 0;
    for (const task of queue) ahead += task.vruntime - first.vruntime;
    return first.vruntime + Math.floor(ahead / queue.length);
  }
}
