/**
 * Interrupt lines: MSI-X messages between the moment a device sends them and the handler.
 *
 * A device posts a message with the time it reaches the CPU; the scheduler delivers messages in
 * the order of time, then of rank, once every clock has come that far: a device that is asked late
 * posts late, and that must not show. Messages are not masked: a device sends one per arm, and
 * that is the whole protocol.
 */
import type { Ps } from './clock.ts';
import type { Cpu } from './cpu.ts';

export class IrqLine {
  readonly name: string;
  /** Who takes it (smp_affinity). */
  cpu: Cpu;
  /** Hard interrupt handler; null while the vector is not requested, and then messages are spurious. */
  handler: (() => void) | null = null;
  /** Of messages that reach their CPUs together, the lower rank's is delivered first. */
  readonly rank: number;
  delivered = 0;
  /** When its handler last ran. */
  deliveredAt: Ps = 0;
  spurious = 0;

  constructor(name: string, cpu: Cpu, rank: number = 0) {
    this.name = name;
    this.cpu = cpu;
    this.rank = rank;
  }
}

interface Message {
  at: Ps;
  line: IrqLine;
}

export class IrqController {
  private readonly pending: Message[] = [];

  post(line: IrqLine, at: Ps): void {
    const { pending } = this;
    const message = { at, line };
    let i = pending.push(message) - 1;
    for (; i > 0 && isBefore(at, line, pending[i - 1]!); i--) pending[i] = pending[i - 1]!;
    pending[i] = message;
  }

  /** Messages of `line` that are still on their way reach nobody. @linux free_irq */
  cancel(line: IrqLine): void {
    for (let i = this.pending.length - 1; i >= 0; i--) {
      if (this.pending[i]!.line === line) this.pending.splice(i, 1);
    }
  }

  /** When the first undelivered message reaches its CPU; Infinity when there is none. */
  nextAt(): Ps {
    return this.pending.length === 0 ? Infinity : this.pending[0]!.at;
  }

  /** The line of the first message, which is thereby delivered. */
  take(): IrqLine {
    const { pending } = this;
    return (pending.length === 1 ? pending.pop() : pending.shift())!.line;
  }
}

const isBefore = (at: Ps, line: IrqLine, other: Message): boolean =>
  at < other.at || (at === other.at && line.rank < other.line.rank);
