import type { CostProfile } from './host/cost.ts';
import type { ArrivalSource, WireSink } from './wire/frames.ts';

/** One network interface of a machine. Every number is in the unit of its ethtool or ip name. */
export interface NicConfig {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly mtu: number;
  readonly linkBps: number;
  readonly rxUsecs: number;
  readonly rxFrames: number;
  readonly txUsecs: number;
  readonly txFrames: number;
  readonly rxvlan: boolean;
  readonly promisc: boolean;
  /** CPU of each queue's interrupt; queue i goes to entry i modulo length. */
  readonly irqAffinity: readonly number[];
}

export interface MachineConfig {
  readonly seed: number;
  readonly cpus: number;
  readonly hz: number;
  /** NAPI weight: the budget of one poll. */
  readonly budget: number;
  readonly netdevBudget: number;
  /** Microseconds; 2,000,000 / hz when undefined. */
  readonly netdevBudgetUsecs?: number;
  readonly profile: CostProfile;
  readonly nics: readonly NicConfig[];
  /** `off`: what is passed ends in a counted sink at the door of the stack. */
  readonly stack: boolean;
  /** Ownership ledger and null-page assertion on. */
  readonly check: boolean;
  readonly eager: boolean;
}
export type { ArrivalSource, WireSink };
