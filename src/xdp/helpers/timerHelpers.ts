/**
 * Helpers on timers in map values.
 *
 * @linux kernel/bpf/helpers.c
 */
import { PS_PER_NS } from '../../host/clock.ts';
import { EBUSY, EDEADLK, EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { HI_FLAGS_2, HI_FLAGS_3, hasHigh, helper, highOf, mapAt } from './define.ts';
import type { Helper } from './helper.ts';

/** @linux include/uapi/linux/time.h */
const CLOCKS: readonly number[] = [0, 1, 7]; // REALTIME, MONOTONIC, BOOTTIME
const TIMER_ABS = 1;
const TIMER_FLAGS = 3; // and BPF_F_TIMER_CPU_PIN, which all timers have here

/** @linux bpf_timer_init */
function init(bpf: Bpf, field: HostAddr, handle: HostAddr, flags: number): number {
  if (hasHigh(bpf, 3) || !CLOCKS.includes(flags)) return -EINVAL;
  if (bpf.timers.at(field) !== null) return -EBUSY;
  const map = mapAt(bpf, handle);
  const at = map.special.find(({ kind }) => kind === 'timer')?.at ?? 0;
  bpf.timers.init(field, map, field - at);
  return 0;
}

/** @linux bpf_timer_set_callback */
function setCallback(bpf: Bpf, field: HostAddr, callback: number): number {
  const timer = bpf.timers.at(field);
  if (timer === null) return -EINVAL;
  timer.callback = callback;
  timer.engine = bpf.engine;
  return 0;
}

/** @linux bpf_timer_start */
function start(bpf: Bpf, field: HostAddr, nsLow: number, flags: number): number {
  if (hasHigh(bpf, 3) || (flags & ~TIMER_FLAGS) !== 0) return -EINVAL;
  const timer = bpf.timers.at(field);
  if (timer === null || timer.engine === null) return -EINVAL;
  const ps = ((highOf(bpf, 2) >>> 0) * 2 ** 32 + (nsLow >>> 0)) * PS_PER_NS;
  bpf.timers.start(timer, (flags & TIMER_ABS) === 0 ? bpf.now + ps : ps);
  return 0;
}

/** @returns 1 when it was started @linux bpf_timer_cancel */
function cancel(bpf: Bpf, field: HostAddr): number {
  const timer = bpf.timers.at(field);
  if (timer === null) return -EINVAL;
  if (timer.running) return -EDEADLK;
  timer.engine = null;
  return bpf.timers.cancel(timer) ? 1 : 0;
}

export const TIMER_HELPERS: readonly Helper[] = [
  helper(169, 'bpf_timer_init', init, { wideArgs: HI_FLAGS_3 }),
  helper(170, 'bpf_timer_set_callback', setCallback),
  helper(171, 'bpf_timer_start', start, { wideArgs: HI_FLAGS_2 | HI_FLAGS_3 }),
  helper(172, 'bpf_timer_cancel', cancel),
];
