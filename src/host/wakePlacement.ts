/**
 * On which of its CPUs a thread wakes, in the coarse.
 *
 * It goes back to where it last ran if that CPU is idle; else to the CPU that wakes it if that one
 * is; else to another where it was not long ago; else to the first idle one behind its last. With all
 * of them busy it queues up where it last ran, unless the waker's CPU has fewer threads to run. A CPU
 * with no thread to run is idle, whatever its softirqs do: so a NAPI poll that wakes a thread may
 * take it to its own CPU, and be in its way.
 *
 * All CPUs share one last-level cache, and are cores. Left out: how many threads a waker wakes
 * (`wake_wide`), synchronous wake-ups, balancing of threads that are awake; loads are numbers of
 * threads instead of averages that decay.
 *
 * @linux select_task_rq_fair, wake_affine, select_idle_sibling; kernel/sched/fair.c
 */
import type { Ps } from './clock.ts';
import type { Cpu } from './cpu.ts';

/** What placement knows of a thread. */
export interface Movable {
  /** Where it last ran. */
  readonly cpu: Cpu;
  /** Where it may run, by number. @linux sched_setaffinity */
  readonly allowed: readonly Cpu[];
  /** Where it had run when it last had to look for an idle CPU. @linux recent_used_cpu */
  recentUsed: Cpu;
}

/** @param waker the CPU whose code wakes it @linux select_task_rq_fair */
export function selectTaskRqFair(task: Movable, waker: Cpu): Cpu {
  const { now } = waker;
  const affine = task.allowed.includes(waker);
  return selectIdleSibling(task, affine ? wakeAffine(task.cpu, waker, now) : task.cpu, now);
}

/** @linux wake_affine, wake_affine_idle, wake_affine_weight */
function wakeAffine(prev: Cpu, waker: Cpu, now: Ps): Cpu {
  if (prev === waker || prev.runQueue.idleAt(now)) return prev;
  if (waker.runQueue.idleAt(now)) return waker;
  return waker.runQueue.nrRunning + 1 < prev.runQueue.nrRunning ? waker : prev;
}

/** @linux select_idle_sibling, select_idle_cpu */
function selectIdleSibling(task: Movable, target: Cpu, now: Ps): Cpu {
  const { cpu: prev, allowed, recentUsed } = task;
  if (target.runQueue.idleAt(now)) return target;
  if (prev.runQueue.idleAt(now)) return prev;
  task.recentUsed = prev;
  if (recentUsed.runQueue.idleAt(now)) return recentUsed;
  const behind = allowed.indexOf(target) + 1;
  for (let i = 0; i < allowed.length; i++) {
    const cpu = allowed[(behind + i) % allowed.length]!;
    if (cpu.runQueue.idleAt(now)) return cpu;
  }
  return target;
}
