/**
 * Which state a CPU sleeps in while it idles, and how long it then takes to wake.
 *
 * The choice is that of the kernel's menu governor, in short: the deepest state whose target
 * residency is no longer than the idle period that it predicts. Nobody here knows the distance to
 * the next timer, so a tick's period stands for it; menu's correction of that distance is then the
 * mean of past periods, to which each new one counts an eighth. Tasks that wait for disks, whose
 * number menu also looks at, do not exist. Before a machine starts it has idled for ever.
 *
 * @linux drivers/cpuidle/governors/menu.c: menu_select, menu_update
 */
import type { Ps } from './clock.ts';
import { PS_PER_NS, PS_PER_US } from './clock.ts';

export interface IdleState {
  /** From an interrupt until the CPU executes again. */
  readonly exitNs: number;
  /** Sleeping for less is not worth it. */
  readonly residencyNs: number;
}

/** @linux INTERVALS, DECAY */
const INTERVALS = 8;
const DECAY = 8;
/** Periods that differ no more than this are alike, however short they are. */
const ALIKE_PS2 = (20 * PS_PER_US) ** 2;

export class IdleStates {
  private readonly states: readonly IdleState[];
  private readonly tick: Ps;
  private readonly intervals: Float64Array = new Float64Array(INTERVALS);
  private readonly sorted: Float64Array = new Float64Array(INTERVALS);
  private next = 0;
  private mean: Ps;

  /**
   * @param states from shallow to deep; where not even the first is worth it, waking takes nothing
   * @param tick between two timer ticks
   */
  constructor(states: readonly IdleState[], tick: Ps) {
    this.states = states;
    this.tick = tick;
    this.mean = tick;
  }

  /** An idle period has ended after `idled`. @returns how long waking takes */
  wake(idled: Ps): Ps {
    const exit = this.exitOf(Math.min(this.mean, this.typicalInterval()));
    const seen = Math.min(idled, this.tick);
    this.intervals[this.next] = seen;
    this.next = (this.next + 1) % INTERVALS;
    this.mean += (seen - this.mean) / DECAY;
    return exit;
  }

  private exitOf(predicted: Ps): Ps {
    let exitNs = 0;
    for (const state of this.states) {
      if (state.residencyNs * PS_PER_NS > predicted) break;
      exitNs = state.exitNs;
    }
    return exitNs * PS_PER_NS;
  }

  /**
   * The mean of the last eight periods when they are alike, if need be without the longest two;
   * else Infinity.
   *
   * @linux get_typical_interval
   */
  private typicalInterval(): Ps {
    const { sorted } = this;
    sorted.set(this.intervals);
    sorted.sort();
    for (let n = INTERVALS; n * 4 >= INTERVALS * 3; n--) {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < n; i++) {
        sum += sorted[i]!;
        squares += sorted[i]! ** 2;
      }
      const mean = sum / n;
      const variance = squares / n - mean * mean;
      if (variance <= ALIKE_PS2 || mean * mean > 36 * variance) return mean;
    }
    return Infinity;
  }
}
