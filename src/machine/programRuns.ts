/**
 * What `bpftool prog` tells of a program that ran: how often, and how long.
 *
 * Counted from what is counted anyway: each verdict of a NIC's rings while the program was attached.
 *
 * @linux struct bpf_prog_stats, kernel.bpf_stats_enabled
 */
import type { Ps } from '../host/clock.ts';
import type { Bnxt } from '../driver/bnxt/bnxt.ts';
import type { XdpProg } from '../xdp/program.ts';

export interface ProgramBooks {
  readonly id: number;
  readonly name: string;
  /** Of the NIC it was attached to. */
  readonly nic: string;
  readonly runCnt: number;
  /** Virtual time that the runs took. */
  readonly runTimePs: Ps;
}

interface Attachment {
  readonly prog: XdpProg;
  readonly bp: Bnxt;
  /** Verdicts of the NIC's rings before. */
  readonly before: number;
  /** Null while it is attached. */
  after: number | null;
}

/** Verdicts of a NIC's rings, those closed since included. */
const verdicts = ({ rxRing, latency }: Bnxt): number =>
  [...rxRing.map(({ xdpRxq }) => xdpRxq.latency), ...latency]
    .filter((one) => one !== undefined) // a sparse list, by queue
    .reduce((sum, { count }) => sum + count, 0);

export class ProgramRuns {
  /** In the order of attachment. */
  private readonly attachments: Attachment[] = [];
  private readonly runPs: Ps;

  /** @param runPs what the cost profile takes for one run */
  constructor(runPs: Ps) {
    this.runPs = runPs;
  }

  /** From here on `prog`, or none, runs on this NIC. */
  attached(bp: Bnxt, prog: XdpProg | null): void {
    const now = verdicts(bp);
    for (const attachment of this.attachments) {
      if (attachment.bp === bp) attachment.after ??= now;
    }
    if (prog !== null) this.attachments.push({ prog, bp, before: now, after: null });
  }

  books(): ProgramBooks[] {
    return this.attachments.map(({ prog, bp, before, after }) => {
      const runCnt = (after ?? verdicts(bp)) - before;
      const { id, name } = prog;
      return { id, name, nic: bp.dev.name, runCnt, runTimePs: runCnt * this.runPs };
    });
  }
}
