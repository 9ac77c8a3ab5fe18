import { describe, expect, test } from 'vitest';
import type { BusDevice } from '../../src/host/bus.ts';
import { Bus } from '../../src/host/bus.ts';
import { OP_COUNT, OP_DOORBELL, OP_TX_DOORBELL } from '../../src/host/cost.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { BugError } from '../../src/host/errors.ts';
import { MAX_MEMORY_BYTES } from '../../src/host/memory.ts';

/** Notes what reaches it; a register divisible by 16 has something to settle. */
class Notes implements BusDevice {
  readonly got: unknown[] = [];
  doorbell(offset: number, lo: number, hi: number, now: number, cpu: Cpu): void {
    this.got.push([offset, lo, hi, now, cpu.id]);
  }
  settle(offset: number, hi: number, cpu: Cpu): boolean {
    this.got.push([offset, hi, cpu.id]);
    return offset % 16 === 0;
  }
}

function rig() {
  const cost = new Float64Array(OP_COUNT);
  cost[OP_DOORBELL] = 40_000;
  cost[OP_TX_DOORBELL] = 53_000;
  const bus = new Bus();
  const devices = [new Notes(), new Notes()];
  const bars = devices.map((device) => bus.attach(device));
  return { bus, devices, bars, cpu: new Cpu(3, cost) };
}

describe('doorbells', () => {
  test('reach the device behind the address, after their time has passed', () => {
    const { bus, devices, bars, cpu } = rig();
    bus.write32(cpu, bars[1]! + 8, 0x1234);
    bus.write64(cpu, bars[0]! + 0xffff8, 0x80000001 | 0, 7);
    expect(devices[1]!.got).toEqual([[8, 0x1234, 0, 40_000, 3]]);
    expect(devices[0]!.got).toEqual([[0xffff8, 0x80000001 | 0, 7, 80_000, 3]]);
  });

  test('of a TX ring take a time of their own', () => {
    const { bus, devices, bars, cpu } = rig();
    bus.write32(cpu, bars[0]!, 1, OP_TX_DOORBELL);
    bus.write64(cpu, bars[0]!, 2, 7, OP_TX_DOORBELL);
    expect(devices[0]!.got).toEqual([
      [0, 1, 0, 53_000, 3],
      [0, 2, 7, 106_000, 3],
    ]);
  });

  test('no register has an address that memory has', () => {
    for (const bar of rig().bars) expect(bar).toBeGreaterThan(MAX_MEMORY_BYTES);
  });

  test('an address of no device is a bug and names it', () => {
    const { bus, bars, cpu } = rig();
    for (const addr of [bars[1]! + (1 << 20), bars[0]! - 4, 0]) {
      const at = `register 0x${addr.toString(16)} belongs to no device`;
      expect(() => bus.write32(cpu, addr, 1)).toThrow(at);
      expect(() => bus.settle(cpu, addr, 0)).toThrow(BugError);
    }
  });
});

test('settling asks the device behind the register, costs nothing, and says what came of it', () => {
  const { bus, devices, bars, cpu } = rig();
  expect(bus.settle(cpu, bars[1]! + 32, 7)).toBe(true);
  expect(bus.settle(cpu, bars[1]! + 8, 0)).toBe(false);
  expect(devices.map(({ got }) => got)).toEqual([
    [],
    [
      [32, 7, 3],
      [8, 0, 3],
    ],
  ]);
  expect(cpu.now).toBe(0);
});
