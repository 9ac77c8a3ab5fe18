/**
 * The fair class up to Linux 6.5, with all weights equal.
 *
 * The thread that had the least time runs. It gives way at a tick when it has had its part of the
 * latency, or to a thread that wakes and is behind it by more than the granularity: one that sleeps
 * much is placed half a latency behind all others, and so runs as soon as it wakes. Left out:
 * weights and buddies.
 *
 * @linux kernel/sched/fair.c: place_entity, check_preempt_tick, wakeup_preempt_entity
 */
import type { Ps } from './clock.ts';
import { PS_PER_MS } from './clock.ts';
import type { FairClass, FairEntity } from './fairClass.ts';
import { cpusFactor } from './fairClass.ts';

/** Before scaling by the number of CPUs. @linux sysctl_sched_latency, _min_granularity, _wakeup_granularity */
const LATENCY: Ps = 6 * PS_PER_MS;
const MIN_GRANULARITY: Ps = 0.75 * PS_PER_MS;
const WAKEUP_GRANULARITY: Ps = PS_PER_MS;

export class Cfs<T extends FairEntity> implements FairClass<T> {
  private factor = 1;
  /** Never falls. @linux struct cfs_rq, min_vruntime */
  private minVruntime: Ps = 0;
  /** Virtual runtime of whoever was picked last, at that moment: what it has had since is its turn. */
  private pickedAt: Ps = 0;

  get zero(): Ps {
    return this.minVruntime;
  }

  init(cpus: number): void {
    this.factor = cpusFactor(cpus);
  }

  enqueue(task: T, queue: T[], curr: T | null): boolean {
    this.updateMin(queue);
    const floor = this.minVruntime - (LATENCY * this.factor) / 2;
    if (task.vruntime < floor) task.vruntime = floor;
    queue.push(task);
    return curr !== null && curr.vruntime - task.vruntime > WAKEUP_GRANULARITY * this.factor;
  }

  dequeue(task: T, queue: T[]): void {
    this.updateMin(queue);
    queue.splice(queue.indexOf(task), 1);
  }

  /** @linux check_preempt_tick */
  tick(curr: T, queue: readonly T[]): boolean {
    this.updateMin(queue);
    if (queue.length < 2) return false;
    const { factor } = this;
    const fair = Math.max((LATENCY * factor) / queue.length, MIN_GRANULARITY * factor);
    const had = curr.vruntime - this.pickedAt;
    if (had > fair) return true;
    return had >= MIN_GRANULARITY * factor && curr.vruntime - leftmost(queue).vruntime > fair;
  }

  pick(queue: readonly T[]): T | null {
    if (queue.length === 0) return null;
    const next = leftmost(queue);
    this.pickedAt = next.vruntime;
    return next;
  }

  private updateMin(queue: readonly T[]): void {
    if (queue.length > 0) this.minVruntime = Math.max(this.minVruntime, leftmost(queue).vruntime);
  }
}

/** Of equals the one that came first. */
function leftmost<T extends FairEntity>(queue: readonly T[]): T {
  let first = queue[0]!;
  for (const task of queue) if (task.vruntime < first.vruntime) first = task;
  return first;
}
