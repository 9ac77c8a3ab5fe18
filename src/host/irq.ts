/**
 * Interrupt lines: MSI-X messages between the moment a device sends them and the handler.
 *
 * A device posts a message with the time it reaches the CPU; the scheduler delivers messages in
 * the order of time, then of posting, once every clock has come that far. Messages are not
 * masked: a device sends one per arm, and that is the whole protocol.
 */
import type { Ps } from './clock.ts';
import type { Cpu } from './cpu.ts';

export class IrqLine {
  readonly name: string;
  /** Who takes it (smp_affinity). */
  cpu: Cpu;
  /** Hard interrupt handler; null while the vector is not requested, and then messages are spurious. */
  handler: (() => void) | null = null;
  delivered = 0;
  spurious = 0;

  constructor(name: string, cpu: Cpu) {
    this.name = name;
    this.cpu = cpu;
  }
}

interface Message {
  at: Ps;
  line: IrqLine;
}

export class IrqController {
  private readonly pending: Message[] = [];

  post(line: IrqLine, at: Ps): void {
    let i = this.pending.length;
    while (i > 0 && this.pending[i - 1]!.at > at) i--;
    this.pending.splice(i, 0, { at, line });
  }

  /** When the first undelivered message reaches its CPU; Infinity when there is none. */
  nextAt(): Ps {
    return this.pending.length === 0 ? Infinity : this.pending[0]!.at;
  }

  /** The line of the first message, which is thereby delivered. */
  take(): IrqLine {
    return this.pending.shift()!.line;
  }
}
