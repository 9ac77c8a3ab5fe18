/**
 * The verifier's log: text that grows, and can be cut back to where a path branched off.
 *
 * @linux struct bpf_verifier_log; kernel/bpf/log.c
 */

/** Bits of the log level. */
export const BPF_LOG_LEVEL1 = 1;
export const BPF_LOG_LEVEL2 = 2;
export const BPF_LOG_STATS = 4;
export const BPF_LOG_LEVEL: number = BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2;

export class VerifierLog {
  readonly level: number;
  /** Characters so far. */
  end = 0;
  private chunks: string[] = [];

  constructor(level: number) {
    this.level = level;
  }

  /** Are instructions and states written? */
  get detailed(): boolean {
    return (this.level & BPF_LOG_LEVEL) !== 0;
  }

  /** Is every step of the analysis written? */
  get full(): boolean {
    return (this.level & BPF_LOG_LEVEL2) !== 0;
  }

  write(text: string): void {
    if (this.level === 0) return;
    this.chunks.push(text);
    this.end += text.length;
  }

  /** Forget what was written after `end`. @linux bpf_vlog_reset */
  cutTo(end: number): void {
    while (this.end > end) {
      const last = this.chunks.pop()!;
      this.end -= last.length;
      if (this.end < end) {
        this.write(last.slice(0, end - this.end));
        return;
      }
    }
  }

  get text(): string {
    return this.chunks.join('');
  }
}
