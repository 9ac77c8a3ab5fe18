/**
 * The register bus: how doorbells travel from a driver to a device, and nothing else does.
 *
 * BARs are mapped above host memory, so a register has an address that no page can have. The bus
 * also carries the one thing that laziness asks of a driver: when a ring slot reads invalid, the
 * driver says so (`settle`), the device behind that register catches up with the CPU's present,
 * and the driver looks once more. An eager device has nothing to catch up with.
 */
import type { Ps } from './clock.ts';
import type { Cpu } from './cpu.ts';
import { OP_DOORBELL } from './cost.ts';
import { BugError } from './errors.ts';

export interface BusDevice {
  /** A doorbell write that reaches the device at `now`. `hi` is the upper word of a 64-bit write, else 0. */
  doorbell(offset: number, lo: number, hi: number, now: Ps, cpu: Cpu): void;
  /**
   * Bring the ring behind the register at `offset` to `cpu.now`; where rings share a register, `hi`
   * tells which one, as in a doorbell.
   *
   * @returns false when nothing can have changed
   */
  settle(offset: number, hi: number, cpu: Cpu): boolean;
}

const BAR_BASE = 0x80000000;
const BAR_SHIFT = 20;
const BAR_BYTES: number = 1 << BAR_SHIFT;

export class Bus {
  private readonly devices: BusDevice[] = [];

  /** Map a device's doorbell BAR. @returns its address */
  attach(device: BusDevice): number {
    this.devices.push(device);
    return BAR_BASE + (this.devices.length - 1) * BAR_BYTES;
  }

  /** @param op the doorbell's kind, `OP_*_DOORBELL` @linux writel */
  write32(cpu: Cpu, addr: number, value: number, op: number = OP_DOORBELL): void {
    cpu.charge(op);
    this.deviceAt(addr).doorbell(addr & (BAR_BYTES - 1), value, 0, cpu.now, cpu);
  }

  /** @param op as in `write32` @linux writeq */
  write64(cpu: Cpu, addr: number, lo: number, hi: number, op: number = OP_DOORBELL): void {
    cpu.charge(op);
    this.deviceAt(addr).doorbell(addr & (BAR_BYTES - 1), lo, hi, cpu.now, cpu);
  }

  settle(cpu: Cpu, addr: number, hi: number): boolean {
    return this.deviceAt(addr).settle(addr & (BAR_BYTES - 1), hi, cpu);
  }

  private deviceAt(addr: number): BusDevice {
    const device = this.devices[(addr - BAR_BASE) >>> BAR_SHIFT];
    if (device === undefined)
      throw new BugError(`register 0x${addr.toString(16)} belongs to no device`);
    return device;
  }
}
