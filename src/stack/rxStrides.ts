/**
 * Frames that share pages, and what that takes: a habit of mlx5 that a profile may have.
 *
 * In mlx5's striding receive queue frames lie one behind the other, each from the next stride of a
 * page on. Its driver copies the first bytes of a frame into the skb and adds what is left as
 * fragments, one for each page that it touches:
 *
 *   page 0                                   page 1
 *   | frame 0     | frame 1     | copied, fr|agment 2   | frame 3     | ...
 *
 * Nothing lies like that here: bnxt's buffers stay as they are, and only time passes. Only frames
 * that no program has seen are taken so, since with XDP mlx5 had a page for each.
 *
 * Not here: the strides that are left at the end of a work queue entry (32 pages) because a frame
 * may not fit, and pages that are not free yet when the cache comes to them.
 *
 * @linux mlx5e_mpwqe_fill_rx_skb, mlx5e_page_alloc_mapped; drivers/net/ethernet/mellanox/mlx5/core/en_rx.c
 */
import { OP_COPY_64B, OP_PAGE_ALLOC, OP_PAGE_FRAGMENT, OP_PAGE_POOL_CACHE } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { StridesSpec } from '../host/profile.ts';

export class RxStrides {
  private readonly strideBytes: number;
  private readonly copiedBytes: number;
  private readonly pageOp: number;
  /** Where the next frame would begin, in its page. */
  private at = 0;

  constructor({ strideBytes, copiedBytes, pagesRecycled }: StridesSpec) {
    this.strideBytes = strideBytes;
    this.copiedBytes = copiedBytes;
    this.pageOp = pagesRecycled === 1 ? OP_PAGE_POOL_CACHE : OP_PAGE_ALLOC;
  }

  /** Time passes: what a frame of `len` bytes costs besides its skb, and the pages that begin in it. */
  charge(len: number, cpu: Cpu): void {
    const { at, strideBytes } = this;
    const copied = Math.min(len, this.copiedBytes);
    cpu.chargeTimes(OP_COPY_64B, (copied + 63) >>> 6);
    if (len > copied) {
      const first = Math.floor((at + copied) / PAGE_SIZE);
      const last = Math.floor((at + len - 1) / PAGE_SIZE);
      cpu.chargeTimes(OP_PAGE_FRAGMENT, last - first + 1);
    }
    const end = at + Math.ceil(len / strideBytes) * strideBytes;
    cpu.chargeTimes(this.pageOp, Math.ceil(end / PAGE_SIZE) - Math.ceil(at / PAGE_SIZE));
    this.at = end % PAGE_SIZE;
  }
}
