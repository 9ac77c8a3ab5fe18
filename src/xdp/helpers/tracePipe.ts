/**
 * What programs print: the last lines, and whoever listens.
 *
 * @linux /sys/kernel/tracing/trace_pipe
 */
import type { Ps } from '../../host/clock.ts';

export interface TraceLine {
  readonly cpu: number;
  readonly time: Ps;
  readonly text: string;
}

/** Lines kept; the oldest goes first. */
const KEPT = 1024;

export class TracePipe {
  /** Oldest first, at most 1024. */
  readonly lines: TraceLine[] = [];
  /** Lines printed since the machine was built. */
  printed = 0;
  onLine: ((line: TraceLine) => void) | null = null;

  print(line: TraceLine): void {
    this.printed++;
    if (this.lines.length === KEPT) this.lines.shift();
    this.lines.push(line);
    this.onLine?.(line);
  }
}
