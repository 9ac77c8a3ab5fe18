/**
 * Timers that live in map values: what `bpf_timer_*` keeps behind the 16 bytes a program sees.
 *
 *   0   number of the timer, 0 before `bpf_timer_init`
 *
 * They ring on the virtual clock, in the order they are due, on the CPU that started them, and take
 * no time. What a callback starts rings a microsecond later at the earliest, and not at all once the
 * run has nothing else to wait for: else a timer that starts itself again would keep it from ending.
 *
 * @linux struct bpf_hrtimer; kernel/bpf/helpers.c
 */
import type { Alarm, Ps, VirtualClock } from '../../host/clock.ts';
import { END_OF_TIME, PS_PER_US } from '../../host/clock.ts';
import type { Cpu } from '../../host/cpu.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { RunningEngine } from '../engine.ts';
import type { BpfMap } from '../maps/bpfMap.ts';

export interface BpfTimer {
  readonly map: BpfMap;
  /** Address of the element's value. */
  readonly value: HostAddr;
  callback: number;
  /** Who runs the callback; null before one is set. */
  engine: RunningEngine | null;
  cpu: Cpu;
  /** Infinity while it is not started. */
  due: Ps;
  running: boolean;
}

/** From a timer's interrupt to the next that its callback asks for: no CPU takes them faster. */
const NEXT_INTERRUPT: Ps = PS_PER_US;

export class BpfTimers {
  /** While callbacks run: when their timers rang, of which an idle CPU's clock knows nothing. Else 0. */
  ringing: Ps = 0;
  private readonly bpf: Bpf;
  private readonly timers: BpfTimer[] = [];
  private readonly alarm: Alarm | null;

  /** @param clock null: time stands still, and nothing ever rings */
  constructor(bpf: Bpf, clock: VirtualClock | null) {
    this.bpf = bpf;
    this.alarm = clock === null ? null : clock.alarm((at) => this.ring(at), false);
  }

  /** The timer of a value's field, or null. */
  at(field: HostAddr): BpfTimer | null {
    return this.timers[this.bpf.mem.words[field >> 2]! - 1] ?? null;
  }

  init(field: HostAddr, map: BpfMap, value: HostAddr): void {
    const { cpu } = this.bpf.xdp;
    const timer = { map, value, callback: 0, engine: null, cpu, due: Infinity, running: false };
    this.bpf.mem.words[field >> 2] = this.timers.push(timer);
  }

  start(timer: BpfTimer, due: Ps): void {
    timer.due = this.ringing === 0 ? Math.min(due, END_OF_TIME) : this.dueAgain(due);
    timer.cpu = this.bpf.xdp.cpu;
    this.arm();
  }

  /** @returns was it started? */
  cancel(timer: BpfTimer): boolean {
    const active = timer.due !== Infinity;
    timer.due = Infinity;
    this.arm();
    return active;
  }

  /** The map is gone, and its timers with it. */
  forget(map: BpfMap): void {
    for (const timer of this.timers) if (timer.map === map) timer.due = Infinity;
    this.arm();
  }

  private first(): BpfTimer | null {
    let first: BpfTimer | null = null;
    for (const timer of this.timers) if (timer.due < (first?.due ?? Infinity)) first = timer;
    return first;
  }

  private arm(): void {
    const first = this.first();
    if (first === null) this.alarm?.cancel();
    else this.alarm?.set(first.due);
  }

  private dueAgain(due: Ps): Ps {
    if (this.bpf.xdp.isOver(this.ringing)) return Infinity;
    return Math.min(Math.max(due, this.bpf.now + NEXT_INTERRUPT), END_OF_TIME);
  }

  private ring(at: Ps): void {
    this.ringing = at;
    for (let timer = this.first(); timer !== null && timer.due <= at; timer = this.first()) {
      timer.due = Infinity;
      this.run(timer);
    }
    this.ringing = 0;
    this.arm();
  }

  /** @linux bpf_timer_cb */
  private run(timer: BpfTimer): void {
    const { bpf } = this;
    const { cpu } = bpf.xdp;
    const { engine } = bpf;
    bpf.xdp.cpu = timer.cpu;
    bpf.engine = timer.engine;
    timer.running = true;
    timer.engine!.call(timer.callback, timer.map.handle, keyOf(bpf, timer), timer.value, 0);
    timer.running = false;
    bpf.engine = engine;
    bpf.xdp.cpu = cpu;
  }
}

/** An array's index is put down for the callback; a hash keeps its key before the value. */
function keyOf(bpf: Bpf, { map, value }: BpfTimer): HostAddr {
  if (map.inline === null) return value - ((map.keySize + 7) & ~7);
  bpf.mem.words[bpf.scratch.key >> 2] = (value - map.inline.at) / map.inline.stride;
  return bpf.scratch.key;
}
