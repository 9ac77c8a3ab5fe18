/**
 * One frame to every device of a devmap: all but the last get a copy.
 *
 * @linux dev_map_enqueue_multi; kernel/bpf/devmap.c
 */
import type { Cpu } from '../host/cpu.ts';
import { ENOMEM } from '../host/errno.ts';
import { LOST_BROADCAST_NO_TARGET } from '../host/fates.ts';
import { XDP_FRAME } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import { bqEnqueue, xdpOkFwdDev } from './bulkQueue.ts';
import type { XdpKernel } from './kernel.ts';
import type { Dtab } from './maps/devmap.ts';
import type { MemAllocator, MemModels } from './memModel.ts';
import { xdpReturnFrameRxNapi } from './memModel.ts';
import { MEM_TYPE_PAGE_ORDER0 } from './uapi.ts';
import { xdpFrameDevRx, xdpfClone } from './xdpFrame.ts';

/** Pages straight from the allocator, for copies. @linux MEM_TYPE_PAGE_ORDER0 */
export class ClonePages implements MemAllocator {
  readonly memType: number = MEM_TYPE_PAGE_ORDER0;
  readonly memId: number;
  private readonly pages: PageAllocator;

  constructor(pages: PageAllocator, models: MemModels) {
    this.pages = pages;
    this.memId = models.register(this);
  }

  /** @returns 0 when there is none. @linux dev_alloc_page */
  alloc(): HostAddr {
    return this.pages.alloc();
  }

  returnPage(page: HostAddr): void {
    this.pages.release(page);
  }
}

/**
 * Queue the frame for each device that can take it.
 *
 * @param excludeIngress not for the one it came from
 * @returns 0: the page has gone, if only because nobody wanted it; -ENOMEM: some copies may be on
 *   their way, and the page is still the driver's
 */
export function devMapEnqueueMulti(
  xdp: XdpKernel,
  map: Dtab,
  frame: HostAddr,
  excludeIngress: boolean,
  cpu: Cpu,
): number {
  const { words } = xdp.mem;
  const context = xdp.netContexts[cpu.id]!;
  const excluded = excludeIngress ? xdpFrameDevRx(words, frame) : 0;
  const slots = map.slotsInOrder();
  let last = -1;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    const target = map.targetAt(slot);
    if (target.ifindex === excluded || xdpOkFwdDev(words, target, frame) !== 0) continue;
    if (last >= 0) {
      const copy = cloneOf(xdp, frame);
      if (copy === 0) return -ENOMEM;
      const bq = xdp.bulkQueue(context, map.targetAt(last));
      bqEnqueue(xdp, context, bq, copy, map.progAt(last), cpu);
      xdp.fates.xdpCloned++;
    }
    last = slot;
  }
  if (last >= 0) {
    const bq = xdp.bulkQueue(context, map.targetAt(last));
    bqEnqueue(xdp, context, bq, frame, map.progAt(last), cpu);
    return 0;
  }
  if (xdp.watch.on) xdp.watch.page(frame & PAGE_MASK, XDP_FRAME);
  xdpReturnFrameRxNapi(xdp, cpu, frame);
  xdp.fates.lost[LOST_BROADCAST_NO_TARGET]!++;
  return 0;
}

function cloneOf(xdp: XdpKernel, frame: HostAddr): HostAddr {
  const pages = xdp.clonePages;
  const page = pages === null ? 0 : pages.alloc();
  if (page === 0) return 0;
  const copy = xdpfClone(xdp.mem, frame, page, MEM_TYPE_PAGE_ORDER0, pages!.memId);
  if (copy === 0) pages!.returnPage(page);
  return copy;
}
