/**
 * A CPU: a timeline of its own, the context it is in, and the seam at which work takes time.
 *
 * CPUs interleave at the granularity of one NAPI poll: while one polls, the others stand still,
 * and an interrupt for a CPU that is polling is taken when that poll ends.
 */
import type { Ps } from './clock.ts';
import { OP_COUNT, OP_STACK_TOUCH } from './cost.ts';
import type { HostAddr, HostMemory } from './memory.ts';
import { bugOn } from './errors.ts';
import type { IdleStates } from './idleStates.ts';
import { RunQueue } from './runQueue.ts';

export const CTX_IDLE = 0;
export const CTX_HARDIRQ = 1;
export const CTX_SOFTIRQ = 2;
export const CTX_KSOFTIRQD = 3;
export const CTX_APP = 4;
export const CTX_NAPI_THREAD = 5;
export const CONTEXT_NAMES: readonly string[] = [
  'idle',
  'hardirq',
  'softirq',
  'ksoftirqd',
  'app',
  'napiThread',
];

/** One thread of work on a CPU: it yields wherever other CPUs may run. */
export type Work = Generator<void, void, void>;

/**
 * The same to whoever runs it. What runs often is an object that is used again and again: a
 * generator costs 50 ns to make, and its result an object a step.
 */
export interface Steps {
  next(): Stepped;
}

export interface Stepped {
  readonly done?: boolean;
}

export const STEP_MADE: Stepped = { done: false };
export const STEPS_OVER: Stepped = { done: true };

/** A private copy of an exported constant folds into the code. */
const NOW: number = 51;

/** Bytes of what each operation takes and, behind the last, the clock: doubles. */
export const CLOCK_BYTES: number = (NOW + 1) * 8;

export interface ClockMemory {
  readonly mem: HostMemory;
  readonly at: HostAddr;
}

export class Cpu {
  readonly id: number;
  /** Clock at the end of the last step, and up to where shared hardware was settled in it. */
  stepEnd: Ps = 0;
  sharedSeen: Ps = 0;
  /** Settle shared hardware no further than this while the CPU is inside a step. */
  othersMin: Ps = Infinity;
  /**
   * Picoseconds per operation, indexed by `OP_*`, and behind them the clock: one array, because a
   * charge is the commonest thing a packet does.
   */
  protected readonly time: Float64Array;
  /**
   * Where that lies in host memory, for compiled code to charge as `charge` does; 0 where it may not,
   * because somebody hears of each charge.
   */
  timeAt: HostAddr = 0;
  /** Picoseconds spent per context, indexed by `CTX_*`. */
  readonly spent: Float64Array = new Float64Array(CONTEXT_NAMES.length);
  /** Inside a step: work of this CPU runs, and what it reads must be up to date. */
  stepping = false;
  context: number = CTX_IDLE;
  /** The packet in hand has been read: its first line has come from where the NIC left it. */
  packetTouched = false;
  /** It has slept since the stack's code last ran, which by now lies in no cache near it. */
  stackCold = true;
  /** Idling longer than this, it finds its caches cold. */
  coolsAfter: Ps = 0;
  /** What it sleeps in when it idles; null: it wakes in no time. */
  idleStates: IdleStates | null = null;
  /** When it is awake, after what last woke it. */
  private awakeAt: Ps = -1;
  private since: Ps = 0;
  /** Its threads, which run when no interrupt and no softirq does. */
  readonly runQueue: RunQueue;
  /** What runs next: the softirq dispatcher or a thread. Null: idle. */
  work: Steps | null = null;
  /** Softirqs run, or are held off: neither they nor another thread may come in. @linux local_bh_disable */
  bhOff = false;
  /** Called after each interrupt handler and each step of a thread: decides what `work` is. @linux irq_exit */
  irqExit: () => void = () => this.runQueue.schedule();

  /**
   * @param cost picoseconds per operation, `costTable` of a profile
   * @param memory `CLOCK_BYTES` for operations and clock; outside host memory unless given
   */
  constructor(id: number, cost: Float64Array, memory: ClockMemory | null = null) {
    this.id = id;
    bugOn(NOW !== OP_COUNT, 'the clock stands behind the last operation');
    if (memory === null) this.time = new Float64Array(NOW + 1);
    else {
      this.time = memory.mem.doublesAt(memory.at, NOW + 1);
      this.timeAt = memory.at;
    }
    this.time.set(cost.subarray(0, NOW));
    this.runQueue = new RunQueue(this);
  }

  /** This CPU's present; only `charge`, waiting and the scheduler move it. */
  get now(): Ps {
    return this.time[NOW]!;
  }

  set now(now: Ps) {
    this.time[NOW] = now;
  }

  /** Time passes: one `op` of the profile. */
  charge(op: number): void {
    const time = this.time;
    time[NOW] = time[NOW]! + time[op]!;
  }

  /** Time passes: `n` times one `op`. */
  chargeTimes(op: number, n: number): void {
    this.now += this.time[op]! * n;
  }

  /** The stack reads a packet, unless a program has: its first line comes from where the NIC left it. */
  touchPacket(): void {
    if (!this.packetTouched) this.charge(OP_STACK_TOUCH);
    this.packetTouched = false;
  }

  /** What it polled may be polled by another from now on; hardware that follows this clock is told so. */
  pollOver(): void {}

  /** Do `work` without time passing: bringing a machine up, before its clock starts. */
  timeless(work: () => void): void {
    const costs = this.time.slice(0, NOW);
    this.time.fill(0, 0, NOW);
    work();
    this.time.set(costs);
  }

  /** Book the time since the last switch to the old context and go on in the new one. @returns the old one */
  enter(context: number): number {
    const old = this.context;
    this.spent[old]! += this.now - this.since;
    this.since = this.now;
    this.context = context;
    return old;
  }

  /** When it takes an interrupt that reaches it at `at`: then, or once it has woken, which is idle time. */
  awakeBy(at: Ps): Ps {
    const { idleStates } = this;
    if (idleStates === null || this.context !== CTX_IDLE || at <= this.now) return at;
    if (this.awakeAt <= this.since) this.awakeAt = at + idleStates.wake(at - this.since);
    return Math.max(at, this.awakeAt);
  }

  /** An idle CPU waits until `at`; a busy one is never moved. */
  idleUntil(at: Ps): void {
    if (at <= this.now) return;
    if (at - this.now > this.coolsAfter) this.stackCold = true;
    this.now = at;
  }
}

/** Counts what it charges: who asks where the time went pays for the answer. */
export class CountingCpu extends Cpu {
  /** Charges per operation, indexed by `OP_*`. */
  readonly counts: Float64Array = new Float64Array(NOW);

  override charge(op: number): void {
    super.charge(op);
    this.counts[op]!++;
  }

  override chargeTimes(op: number, n: number): void {
    super.chargeTimes(op, n);
    this.counts[op]! += n;
  }

  override timeless(work: () => void): void {
    const counts = this.counts.slice();
    super.timeless(work);
    this.counts.set(counts);
  }

  /** Picoseconds that one `op` takes. */
  costOf(op: number): Ps {
    return this.time[op]!;
  }
}
