/**
 * The life of a NAPI: made known to its device, enabled, disabled, gone.
 *
 * @linux netif_napi_add_weight, napi_enable, napi_disable; net/core/dev.c
 */
import type { Ps } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_NAPI_THREAD, CTX_SOFTIRQ } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import type { NapiPollFn, NapiStruct } from './napi.ts';
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_NPSVC,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
  NAPIF_STATE_THREADED,
  __napiPoll,
} from './napi.ts';
import { NAPI_POLL_WEIGHT } from './napiCounts.ts';
import { napiKthreadCreate } from './napiThread.ts';

/**
 * Make a NAPI known to its device. It stays disabled. Its id is the index's, as since Linux 6.13:
 * who has busy-polled the NAPI before it finds this one.
 *
 * @param weight budget of one poll; above 64 Linux complains once and goes on
 * @linux netif_napi_add_config, netif_napi_add_weight; napi_restore_config
 */
export function netifNapiAdd(
  napi: NapiStruct,
  poll: NapiPollFn,
  weight: number = NAPI_POLL_WEIGHT,
): void {
  if ((napi.state & NAPIF_STATE_LISTED) !== 0) return;
  const { dev, config } = napi;
  if (weight > NAPI_POLL_WEIGHT) {
    const says = 'netif_napi_add_weight_locked() called with weight';
    dev.net.dmesg.once(`${dev.name}: ${says} ${weight}`, says);
  }
  napi.state = NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC | NAPIF_STATE_LISTED;
  napi.poll = poll;
  napi.weight = weight;
  napi.byWork = new Float64Array(weight + 1);
  if (config.napiId === 0) config.napiId = dev.net.newNapiId();
  napi.napiId = config.napiId;
  if (config.threadCpu !== null) napiKthreadCreate(napi, config.threadCpu);
  dev.napis.push(napi);
}

/** The NAPI must be disabled. @linux netif_napi_del */
export function netifNapiDel(napi: NapiStruct): void {
  if ((napi.state & NAPIF_STATE_LISTED) === 0) return;
  bugOn((napi.state & NAPIF_STATE_NPSVC) === 0, 'netif_napi_del: the NAPI is not disabled');
  napi.state &= ~NAPIF_STATE_LISTED;
  const { napis } = napi.dev;
  napis.splice(napis.indexOf(napi), 1);
}

/** @linux napi_enable */
export function napiEnable(napi: NapiStruct): void {
  bugOn((napi.state & NAPIF_STATE_SCHED) === 0, 'napi_enable: the NAPI is enabled already');
  napi.state &= ~(NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC);
  if (napi.thread !== null) napi.state |= NAPIF_STATE_THREADED;
}

/**
 * Take a NAPI out of service; on return nobody polls it.
 *
 * Linux sleeps until its owner completes. Here the caller cannot sleep, so the owner's remaining
 * polls run now, on the owner's CPU and time; with `DISABLE` set a full poll completes too. An
 * application that busy-polls it lets go at once.
 *
 * @param now the caller's present, up to which hardware has written completions: an owner that is
 *   behind, by less than one poll, waits for it, or it would read what is yet to arrive
 * @linux napi_disable
 */
export function napiDisable(napi: NapiStruct, now: Ps = 0): void {
  napi.state |= NAPIF_STATE_DISABLE;
  while ((napi.state & (NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC)) !== 0) {
    const threaded = (napi.state & NAPIF_STATE_SCHED_THREADED) !== 0;
    if (napi.busyPoller !== null) {
      waitFor(now, napi.cpu);
      napi.busyPoller.stop();
      continue;
    }
    bugOn(
      napi.pollList === null && !threaded,
      'napi_disable: the NAPI is owned, but nobody will poll it',
    );
    if (threaded) napi.cpu = napi.thread!.cpu;
    waitFor(now, napi.cpu);
    const interrupted = napi.cpu.enter(threaded ? CTX_NAPI_THREAD : CTX_SOFTIRQ);
    napi.pollList?.remove(napi);
    __napiPoll(napi);
    napi.cpu.enter(interrupted);
  }
  napi.state |= NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
  napi.state &= ~(NAPIF_STATE_DISABLE | NAPIF_STATE_THREADED | NAPIF_STATE_PREFER_BUSY_POLL);
  napi.config.timer?.cancel();
}

/** A CPU that is behind does nothing until then; it does not sleep, and its caches stay warm. */
function waitFor(now: Ps, cpu: Cpu): void {
  if (cpu.now < now) cpu.now = now;
}
