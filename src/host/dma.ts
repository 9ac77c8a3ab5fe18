/**
 * The DMA API as a driver sees it: barriers, syncs and mappings.
 *
 * In emulated memory there is nothing to order and nothing to map; the calls stay because they
 * are part of what people come to study, because their time passes here, and because a mapping
 * may be told to fail. A DMA address is the host address.
 *
 * @linux include/linux/dma-mapping.h, asm/barrier.h
 */
import type { Cpu } from './cpu.ts';
import { OP_DMA_MAP, OP_DMA_RMB, OP_DMA_SYNC } from './cost.ts';
import type { Faults } from './faults.ts';
import { FAULT_DMA_MAP } from './faults.ts';
import type { HostAddr } from './memory.ts';

/** Reads of a descriptor stay behind the read of its valid bit; the miss on the new entry is paid here. @linux dma_rmb */
export function dmaRmb(cpu: Cpu): void {
  cpu.charge(OP_DMA_RMB);
}

/** Descriptor writes stay before the doorbell. @linux wmb */
export function wmb(): void {}

/** @linux dma_sync_single_for_cpu */
export function dmaSyncSingleForCpu(cpu: Cpu): void {
  cpu.charge(OP_DMA_SYNC);
}

/** @linux dma_sync_single_for_device */
export function dmaSyncSingleForDevice(cpu: Cpu): void {
  cpu.charge(OP_DMA_SYNC);
}

/** Map a buffer for the device. @returns its DMA address, or 0 when mapping failed. @linux dma_map_single */
export function dmaMapSingle(cpu: Cpu, faults: Faults, at: HostAddr): HostAddr {
  cpu.charge(OP_DMA_MAP);
  return faults.armed && faults.fires(FAULT_DMA_MAP) ? 0 : at;
}

/** @linux dma_unmap_single */
export function dmaUnmapSingle(cpu: Cpu): void {
  cpu.charge(OP_DMA_MAP);
}
