/**
 * Memory models: how a page finds its way back to whoever owns it, from wherever its packet ended.
 *
 * A frame carries a small number instead of a pointer; the machine's table of models turns it into
 * the allocator. A model stays in the table as long as one of its pages may still be under way,
 * which is longer than its queue lives. The ledger's hand-over belongs to the allocator, who knows
 * where the page went.
 *
 * @linux net/core/xdp.c
 */
import { OP_FRAME_RETURN } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import type { XdpKernel } from './kernel.ts';
import type { XdpRxqInfo } from './rxq.ts';
import { xdpDataHardStart } from './xdpBuff.ts';
import { xdpFrameMemId } from './xdpFrame.ts';

/** Whoever gives pages to an RX queue: page_pool implements it. */
export interface MemAllocator {
  /** `MEM_TYPE_*` */
  readonly memType: number;
  /**
   * Take a page back.
   *
   * @param allowDirect the caller runs in the NAPI that owns the pool, as far as it knows
   * @linux page_pool_put_full_page
   */
  returnPage(page: HostAddr, allowDirect: boolean, cpu: Cpu): void;
}

/** Ids start at 1, as in Linux: a frame that nobody filled in carries 0 and is refused. */
export class MemModels {
  private readonly byId: (MemAllocator | null)[] = [null];

  /** @returns the id, the smallest free one. @linux xdp_reg_mem_model */
  register(allocator: MemAllocator): number {
    const free = this.byId.indexOf(null, 1);
    const id = free < 0 ? this.byId.length : free;
    this.byId[id] = allocator;
    return id;
  }

  /** Only once none of the allocator's pages is under way. @linux xdp_unreg_mem_model */
  unregister(id: number): void {
    bugOn(this.byId[id] == null, `memory model ${id} is not registered`);
    this.byId[id] = null;
  }

  get(id: number): MemAllocator {
    const allocator = this.byId[id];
    if (allocator == null) bugOn(true, `a frame names memory model ${id}, which nobody registered`);
    return allocator!;
  }
}

/** Let `allocator` take back the pages of `rxq`'s packets. @linux xdp_rxq_info_reg_mem_model */
export function xdpRxqInfoRegMemModel(rxq: XdpRxqInfo, allocator: MemAllocator): void {
  rxq.memType = allocator.memType;
  rxq.memId = rxq.xdp.memModels.register(allocator);
}

/** @linux xdp_rxq_info_unreg_mem_model */
export function xdpRxqInfoUnregMemModel(rxq: XdpRxqInfo): void {
  rxq.xdp.memModels.unregister(rxq.memId);
  rxq.memType = 0;
  rxq.memId = 0;
}

/** Give a frame's page back, from any context. @linux xdp_return_frame */
export function xdpReturnFrame(xdp: XdpKernel, cpu: Cpu, frame: HostAddr): void {
  cpu.charge(OP_FRAME_RETURN);
  const allocator = xdp.memModels.get(xdpFrameMemId(xdp.mem.words, frame));
  allocator.returnPage(frame & PAGE_MASK, false, cpu);
}

/** Give a frame's page back inside the NAPI that received it, unless its CPU says otherwise. @linux xdp_return_frame_rx_napi */
export function xdpReturnFrameRxNapi(xdp: XdpKernel, cpu: Cpu, frame: HostAddr): void {
  cpu.charge(OP_FRAME_RETURN);
  const allocator = xdp.memModels.get(xdpFrameMemId(xdp.mem.words, frame));
  allocator.returnPage(frame & PAGE_MASK, !xdp.netContexts[cpu.id]!.returnFrameNoDirect, cpu);
}

/** Give the page of a packet that never became a frame back. @linux xdp_return_buff */
export function xdpReturnBuff(rxq: XdpRxqInfo, cpu: Cpu, md: HostAddr): void {
  cpu.charge(OP_FRAME_RETURN);
  const page = xdpDataHardStart(rxq.xdp.mem.words, md) & PAGE_MASK;
  rxq.xdp.memModels.get(rxq.memId).returnPage(page, true, cpu);
}
