/**
 * What a run queue leaves to its kernel's fair class: where a thread that wakes is placed, who runs
 * next, and when whoever runs is to give way.
 */
import type { Ps } from './clock.ts';

/** What a thread is to the fair class. */
export interface FairEntity {
  vruntime: Ps;
  deadline: Ps;
}

export interface FairClass<T extends FairEntity> {
  /** `cpus` scales the class's times, as Linux does it. */
  init(cpus: number): void;
  /**
   * `task` joins `queue`, where it is not yet.
   *
   * @param curr who runs, one of `queue`; null: nobody
   * @returns `curr` is to give way
   */
  enqueue(task: T, queue: T[], curr: T | null): boolean;
  /** `task` leaves `queue`, where it still is. */
  dequeue(task: T, queue: readonly T[]): void;
  /** A tick while `curr` runs. @returns it is to give way */
  tick(curr: T, queue: readonly T[]): boolean;
  /** Where virtual time stands on this CPU: a thread that comes from another is moved by the difference. */
  readonly zero: Ps;
  /** Who runs next; null: nobody wants to. */
  pick(queue: readonly T[]): T | null;
}

const MOST_CPUS = 8;

/** Times of the class grow with the number of CPUs, up to four times. @linux get_update_sysctl_factor */
export const cpusFactor = (cpus: number): number => 32 - Math.clz32(Math.min(cpus, MOST_CPUS));
