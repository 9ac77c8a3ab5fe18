/** One line on a terminal: how many runs of a sweep or rows are finished, and how long the rest may take. */
import { count, duration } from '../lab/format.ts';
import type { Terminal } from './terminal.ts';

const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001b[K';

export class SweepProgress {
  private readonly terminal: Terminal;
  private readonly total: number;
  private readonly recalled: number;
  private readonly nowMs: () => number;
  private readonly what: string;
  private readonly startMs: number;
  private next: number;
  private finished = 0;
  private shown = false;

  /** @param recalled runs whose results were there before */
  constructor(
    terminal: Terminal,
    total: number,
    recalled: number,
    nowMs: () => number,
    what = 'runs',
  ) {
    this.terminal = terminal;
    this.total = total;
    this.recalled = recalled;
    this.nowMs = nowMs;
    this.what = what;
    this.startMs = nowMs();
    this.next = this.startMs + EVERY_MS;
  }

  /** Another run is finished. */
  done(): void {
    this.finished++;
    const now = this.nowMs();
    if (!this.terminal.live || now < this.next) return;
    this.next = now + EVERY_MS;
    this.shown = true;
    const all = this.recalled + this.finished;
    const leftNs = ((now - this.startMs) / this.finished) * (this.total - all) * 1e6;
    this.terminal.err(
      `${CLEAR_LINE}${count(all)} of ${count(this.total)} ${this.what}, about ${duration(leftNs)} to go`,
    );
  }

  clear(): void {
    if (this.shown) this.terminal.err(CLEAR_LINE);
    this.shown = false;
  }
}
