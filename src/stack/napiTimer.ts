/**
 * The timer of a NAPI: polls it where deferred or suspended interrupts will not.
 *
 * It is pinned to the CPU that started it. Starting it anew moves it.
 *
 * @linux napi_watchdog; net/core/dev.c
 */
import type { Ps } from '../host/clock.ts';
import { OP_HRTIMER, OP_TIMER_IRQ } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_HARDIRQ } from '../host/cpu.ts';
import type { NapiStruct } from './napi.ts';
import {
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  __napiSchedule,
  napiDisablePending,
} from './napi.ts';

/** Poll after `delay`, seen from `cpu`, the one this code runs on. @linux hrtimer_start, HRTIMER_MODE_REL_PINNED */
export function napiTimerStart(napi: NapiStruct, delay: Ps, cpu: Cpu): void {
  const { config } = napi;
  cpu.charge(OP_HRTIMER);
  napi.timerCpu = cpu;
  config.napi = napi;
  config.timer ??= napi.dev.net.clock.alarm((at) => napiWatchdog(config.napi!, at));
  config.timer.set(cpu.now + delay);
}

/**
 * A timer interrupt. It takes ownership without leaving `MISSED` behind: no device asked for it.
 *
 * @linux napi_watchdog
 */
function napiWatchdog(napi: NapiStruct, at: Ps): void {
  const cpu = napi.timerCpu!;
  const awakeAt = cpu.awakeBy(at);
  if (awakeAt > at) return napi.config.timer!.set(awakeAt);
  cpu.idleUntil(at);
  const interrupted = cpu.enter(CTX_HARDIRQ);
  cpu.charge(OP_TIMER_IRQ);
  napi.timerIrqs++;
  if (!napiDisablePending(napi) && (napi.state & NAPIF_STATE_SCHED) === 0) {
    napi.state = (napi.state | NAPIF_STATE_SCHED) & ~NAPIF_STATE_PREFER_BUSY_POLL;
    __napiSchedule(napi, cpu);
  }
  cpu.enter(interrupted);
  cpu.irqExit();
}
