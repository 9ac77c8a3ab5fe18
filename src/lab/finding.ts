/** What a run shows that somebody should know, and the options that would change it. */
import type { RunReport } from './report.ts';

export interface Cure {
  /** By name, as on the command line; empty where no option of a run does it. */
  readonly options: Readonly<Record<string, string>>;
  /** What it changes, as the end of a sentence. */
  readonly why: string;
}

export interface Finding {
  /** Which it is, for programs: `ring-overflow`. */
  readonly id: string;
  /**
   * Packets were lost; a program does not see what is on the wire; packets were late; time was
   * wasted; or it is only good to know.
   */
  readonly kind: 'loss' | 'trap' | 'delay' | 'cost' | 'note';
  /** Packets that it cost; 0 where none were lost. */
  readonly packets: number;
  /** Sentences, with numbers. */
  readonly says: string;
  /** The most promising first. */
  readonly cures: readonly Cure[];
}

/** A report before its findings. */
export type FoundIn = Omit<RunReport, 'findings'>;

export const cure = (options: Record<string, string | number>, why: string): Cure => ({
  options: Object.fromEntries(Object.entries(options).map(([name, n]) => [name, String(n)])),
  why,
});

export const lostBy = ({ packets }: FoundIn, cause: string): number => packets.lost[cause] ?? 0;

export const lostInAll = ({ packets }: FoundIn): number =>
  Object.values(packets.lost).reduce((sum, n) => sum + n, 0);

export const busiestPct = ({ cpus }: FoundIn): number =>
  Math.max(0, ...cpus.map(({ busyPct }) => busyPct));

/** From here on a CPU is called the limit. */
export const SATURATED_PCT = 95;
