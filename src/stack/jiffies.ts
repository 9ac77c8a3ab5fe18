/**
 * The tick: what the kernel counts coarse time limits in.
 *
 * A limit of n jiffies lasts n - 1 to n ticks, depending on where in a tick it starts.
 *
 * @linux kernel/time/jiffies.c, kernel/time/time.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_SEC } from '../host/clock.ts';

const USEC_PER_SEC = 1_000_000;
const MSEC_PER_SEC = 1000;

/** Ticks since the machine was built. @linux jiffies */
export const jiffiesAt = (now: Ps, hz: number): number => Math.floor(now / (PS_PER_SEC / hz));

/** Rounded up: a wait is never shorter than asked, the first tick aside. @linux usecs_to_jiffies */
export const usecsToJiffies = (usecs: number, hz: number): number =>
  Math.ceil((usecs * hz) / USEC_PER_SEC);

/** @linux msecs_to_jiffies */
export const msecsToJiffies = (msecs: number, hz: number): number =>
  Math.ceil((msecs * hz) / MSEC_PER_SEC);
