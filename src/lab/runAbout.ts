/** What was run: the head of its tables, and what findings must know of the options. */
import type { NicConfig } from '../machine.ts';
import type { MachineConfig } from '../machine.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { textOfApps } from './appOptions.ts';
import type { OfferShape } from './flowShares.ts';
import type { RunOptions } from './optionSchema.ts';

/** In words and numbers. Of NICs that differ, the first one's, where all frames arrive. */
export interface RunAbout {
  readonly xdp: string;
  readonly xdpPeer: string;
  readonly traffic: string;
  /** Whose clock the stage `wire` goes by. */
  readonly clock: 'wire' | 'sender';
  readonly nics: number;
  readonly linkGbps: number;
  readonly queues: number;
  readonly rxRing: number;
  readonly cpus: number;
  readonly budget: number;
  readonly profile: string;
  readonly check: boolean;
  readonly settings: RunSettings;
  /** Flows and tags of what was offered. */
  readonly offer: OfferShape;
}

/** Options whose names these are; where none was given, what the kernel or the driver takes. */
export interface RunSettings
  extends
    Pick<
      NicConfig,
      'txRing' | 'mtu' | 'rxUsecs' | 'rxFrames' | 'txUsecs' | 'adaptiveRx' | 'rxvlan'
    >,
    Pick<
      RunOptions,
      | 'hz'
      | 'netdevBudget'
      | 'threaded'
      | 'busyPoll'
      | 'groFlushTimeout'
      | 'napiDeferHardIrqs'
      | 'stack'
      | 'ipForward'
    > {
  readonly netdevBudgetUsecs: number;
  /** As given; null: queue after queue, and where the interrupt is. */
  readonly irqAffinity: readonly number[] | null;
  readonly threadCpus: readonly number[] | null;
  /** Null: each application is bound to a CPU. */
  readonly appCpus: readonly number[] | null;
  readonly appThreads: number;
  /** Some application says its own CPU, or several. */
  readonly appsPlaced: boolean;
  /** As a command line says them; null where only a scenario or code can. */
  readonly apps: string | null;
  /** Which option fills the indirection table; null: the driver does, with all queues alike. */
  readonly indirBy: 'rss-equal' | 'rss-indir' | null;
  /** The table names all queues, and each as often. */
  readonly queuesAlike: boolean;
}

const indirBy = ({ rssEqual, rssIndir }: RunOptions): RunSettings['indirBy'] => {
  if (rssIndir !== undefined) return 'rss-indir';
  return rssEqual === undefined ? null : 'rss-equal';
};

/** Of an indirection table of its own the order is no matter. */
function areAlike({ rssEqual, rssIndir }: RunOptions, queues: number): boolean {
  if (rssIndir === undefined) return rssEqual === undefined || rssEqual === queues;
  return rssIndir.length === queues && new Set(rssIndir).size === queues;
}

const USEC_PER_SEC = 1_000_000;

export function aboutRun(
  options: RunOptions,
  config: MachineConfig,
  plan: { readonly says: string; readonly offer: OfferShape },
  programs: Record<'xdp' | 'xdpPeer', XdpProgramSpec | null>,
): RunAbout {
  const { queues, rxRing, linkBps, ...nic } = config.nics[0]!;
  const { txRing, mtu, rxUsecs, rxFrames, txUsecs, adaptiveRx, rxvlan } = nic;
  const { hz, netdevBudget, busyPoll, stack, ipForward } = options;
  const [first] = options.nics;
  const threaded = first?.threaded ?? options.threaded;
  const groFlushTimeout = first?.groFlushTimeout ?? options.groFlushTimeout;
  const napiDeferHardIrqs = first?.napiDeferHardIrqs ?? options.napiDeferHardIrqs;
  return {
    xdp: programs.xdp?.name ?? 'none',
    xdpPeer: programs.xdpPeer?.name ?? 'none',
    traffic: plan.says,
    clock: (config.sender ?? null) === null ? 'wire' : 'sender',
    nics: config.nics.length,
    linkGbps: linkBps / 1e9,
    queues,
    rxRing,
    cpus: options.cpus,
    budget: options.budget,
    profile: config.profile.name,
    check: options.check,
    settings: {
      ...{ txRing, mtu, rxUsecs, rxFrames, txUsecs, adaptiveRx, rxvlan },
      ...{
        stack,
        ipForward,
        hz,
        netdevBudget,
        threaded,
        busyPoll,
        groFlushTimeout,
        napiDeferHardIrqs,
      },
      irqAffinity: first?.irqAffinity ?? options.irqAffinity ?? null,
      threadCpus: options.threadCpus ?? null,
      appCpus: options.appCpus ?? null,
      appThreads: options.appThreads,
      appsPlaced: options.apps.some(({ cpu, cpus }) => cpu !== undefined || cpus !== undefined),
      apps: textOfApps(options.apps),
      indirBy: indirBy(options),
      queuesAlike: areAlike(options, queues),
      netdevBudgetUsecs: options.netdevBudgetUsecs ?? Math.floor((2 * USEC_PER_SEC) / hz),
    },
    offer: plan.offer,
  };
}
