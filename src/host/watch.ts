/**
 * The observer of a machine: trace and ledger behind one test.
 *
 * Code on a packet's path asks `watch.on` once per seam and calls further only when somebody
 * looks; two separate tests were measured at up to 20 ns a packet (V8's inlining budget).
 */
import type { Cpu } from './cpu.ts';
import type { Ledger } from './ledger.ts';
import type { Trace } from './trace.ts';

export class Watch {
  on = false;
  readonly trace: Trace;
  readonly ledger: Ledger;

  constructor(trace: Trace, ledger: Ledger) {
    this.trace = trace;
    this.ledger = ledger;
    this.refresh();
  }

  /** Call after tracing was started or stopped. */
  refresh(): void {
    this.on = this.trace.on || this.ledger.on;
  }

  /** Record a trace point on `cpu`'s timeline. */
  point(id: number, cpu: Cpu, a: number = 0, b: number = 0, c: number = 0): void {
    this.trace.record(id, cpu.now, cpu.id, a, b, c);
  }

  /** Hand the page over; see `Ledger.move`. */
  page(page: number, owner: number): void {
    this.ledger.move(page, owner);
  }
}
