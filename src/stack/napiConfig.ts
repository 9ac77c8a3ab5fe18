/**
 * What is set for one NAPI, and outlives it: closing and opening a device makes new NAPIs.
 *
 * @linux struct napi_config; include/linux/netdevice.h. `netdev napi-set` of the netlink family
 */
import type { Alarm, Ps } from '../host/clock.ts';
import type { NapiStruct } from './napi.ts';
import type { NetDevice } from './netdevice.ts';

export interface NapiSettings {
  /** Poll again after this time instead of taking an interrupt; 0: never. */
  groFlushTimeout: Ps;
  /** Polls without work before interrupts come back. */
  deferHardIrqs: number;
  /** How long interrupts stay off while an application keeps busy; 0: they do not. */
  irqSuspendTimeout: Ps;
}

export const NAPI_DEFAULTS: NapiSettings = {
  groFlushTimeout: 0,
  deferHardIrqs: 0,
  irqSuspendTimeout: 0,
};

export class NapiConfig implements NapiSettings {
  groFlushTimeout: Ps;
  deferHardIrqs: number;
  irqSuspendTimeout: Ps;
  /** Given to its first NAPI and kept for those after it; 0: none yet. */
  napiId = 0;
  /** CPU of its thread; null: polled in softirqs. */
  threadCpu: number | null = null;
  /** Who has these settings at present, and the timer that polls it. */
  napi: NapiStruct | null = null;
  timer: Alarm | null = null;

  constructor(settings: NapiSettings) {
    this.groFlushTimeout = settings.groFlushTimeout;
    this.deferHardIrqs = settings.deferHardIrqs;
    this.irqSuspendTimeout = settings.irqSuspendTimeout;
  }
}

/** The settings of NAPI number `index`, as set or as its device has them. */
export function napiConfigOf(dev: NetDevice, index: number): NapiConfig {
  return (dev.napiConfigs[index] ??= new NapiConfig(dev.napiDefaults));
}

/** The same for all NAPIs of a device, present and to come. @linux netdev_set_gro_flush_timeout, netdev_set_defer_hard_irqs */
export function netdevSetNapi(dev: NetDevice, settings: Partial<NapiSettings>): void {
  for (const target of [dev.napiDefaults, ...dev.napiConfigs]) Object.assign(target, settings);
}
