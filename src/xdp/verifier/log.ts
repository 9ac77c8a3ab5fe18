/**
 * The verifier's log: text that grows, and can be cut back to where a path branched off.
 *
 * Lines are joined to blocks, which take far less memory. Of a log that grows past `MAX_LOG_CHARS`
 * the end is kept, as in Linux when the reader's buffer is too small.
 *
 * @linux struct bpf_verifier_log; kernel/bpf/log.c
 */

/** Bits of the log level. */
export const BPF_LOG_LEVEL1 = 1;
export const BPF_LOG_LEVEL2 = 2;
export const BPF_LOG_STATS = 4;
export const BPF_LOG_LEVEL: number = BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2;

const BLOCK_CHARS = 1 << 18;
/** A few hundred thousand lines; above it whole blocks are forgotten. */
export const MAX_LOG_CHARS: number = 1 << 26;

export class VerifierLog {
  readonly level: number;
  /** Characters so far, forgotten ones among them. */
  end = 0;
  private readonly blocks: string[] = [];
  private blockChars = 0;
  /** What was written since the last block. */
  private lines: string[] = [];
  private lineChars = 0;

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
    this.lines.push(text);
    this.lineChars += text.length;
    this.end += text.length;
    if (this.lineChars >= BLOCK_CHARS) this.closeBlock();
  }

  private closeBlock(): void {
    this.blocks.push(this.lines.join(''));
    this.blockChars += this.lineChars;
    this.lines = [];
    this.lineChars = 0;
    while (this.blockChars > MAX_LOG_CHARS) this.blockChars -= this.blocks.shift()!.length;
  }

  /** Forget what was written after `end`. @linux bpf_vlog_reset */
  cutTo(end: number): void {
    while (this.end > end) {
      if (this.lines.length === 0) this.openBlock();
      const last = this.lines.pop();
      if (last === undefined) break; // all that is left was forgotten before
      this.end -= last.length;
      this.lineChars -= last.length;
      if (this.end < end) this.write(last.slice(0, end - this.end));
    }
    this.end = Math.min(this.end, end);
  }

  private openBlock(): void {
    const block = this.blocks.pop();
    if (block === undefined) return;
    this.blockChars -= block.length;
    this.lines.push(block);
    this.lineChars = block.length;
  }

  get text(): string {
    return this.blocks.join('') + this.lines.join('');
  }
}
