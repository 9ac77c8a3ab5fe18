/** One line on a terminal that shows how far a long run has come; nothing in a pipe. */
import { count, duration } from '../lab/format.ts';
import type { Terminal } from './terminal.ts';

/** Shorter runs show nothing. */
const FIRST_MS = 500;
const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001b[K';

export class Progress {
  private readonly terminal: Terminal;
  private readonly nowMs: () => number;
  private next: number;
  private shown = false;

  constructor(terminal: Terminal, nowMs: () => number) {
    this.terminal = terminal;
    this.nowMs = nowMs;
    this.next = nowMs() + FIRST_MS;
  }

  /** @param total frames there will be; undefined when nobody knows */
  update(offered: number, total: number | undefined, virtualNs: number): void {
    if (!this.terminal.live || this.nowMs() < this.next) return;
    this.next = this.nowMs() + EVERY_MS;
    this.shown = true;
    const part = total === undefined ? '' : ` of ${count(total)}`;
    this.terminal.err(`${CLEAR_LINE}${count(offered)}${part} packets, ${duration(virtualNs)}`);
  }

  clear(): void {
    if (this.shown) this.terminal.err(CLEAR_LINE);
    this.shown = false;
  }
}
