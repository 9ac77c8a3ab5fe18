/**
 * Which bytes a program may touch in checked mode; both engines ask here.
 *
 *   its context      the 24 bytes of `struct xdp_md`, to read
 *   its packet       from the metadata, or where there is none from the first byte, to the end
 *   the stack        all frames
 *   given memory     what a program without a context was called with
 *   map memory       values, records of ring buffers while they are filled, and to read keys
 */
import type { HostAddr, HostWords } from '../host/memory.ts';
import type { EngineBpf } from './engine.ts';
import { CALL_CHAIN_BYTES } from './engine.ts';
import { XDP_MD_BYTES, xdpData, xdpDataEnd, xdpDataMeta } from './xdpBuff.ts';

export class ProgramMemory {
  private readonly words: HostWords;
  private readonly stacks: HostAddr;
  private readonly stackTop: HostAddr;
  private readonly maps: EngineBpf['arena'];
  /** The context of this run, or 0. */
  private md: HostAddr = 0;
  private givenAt: HostAddr = 0;
  private givenEnd: HostAddr = 0;

  constructor(bpf: EngineBpf) {
    this.words = bpf.mem.words;
    this.stackTop = bpf.stackTop;
    this.stacks = bpf.stackTop - CALL_CHAIN_BYTES;
    this.maps = bpf.arena;
  }

  /** The next run is on the packet of `md`. */
  context(md: HostAddr): void {
    this.md = md;
    this.givenAt = this.givenEnd = 0;
  }

  /** The next run has no context but these bytes. */
  given(at: HostAddr, len: number): void {
    this.md = 0;
    this.givenAt = at;
    this.givenEnd = at + len;
  }

  /** First byte of what legacy loads read. */
  get packet(): HostAddr {
    return this.md === 0 ? this.givenAt : xdpData(this.words, this.md);
  }

  get packetEnd(): HostAddr {
    return this.md === 0 ? this.givenEnd : xdpDataEnd(this.words, this.md);
  }

  /** May the program read, or write, `len` bytes at `at`? */
  allows(at: HostAddr, len: number, write: boolean): boolean {
    const end = at + len;
    if (at >= this.stacks && end <= this.stackTop) return true;
    if (at >= this.givenAt && end <= this.givenEnd) return true;
    if (this.maps.allows(at, len, write)) return true;
    if (this.md === 0) return false;
    if (!write && at >= this.md && end <= this.md + XDP_MD_BYTES) return true;
    const data = xdpData(this.words, this.md);
    const first = Math.min(data, xdpDataMeta(this.words, this.md));
    return at >= first && end <= xdpDataEnd(this.words, this.md);
  }
}
