import { describe, expect, test } from 'vitest';
import { FLAT } from '../../src/host/profiles.ts';
import { OP_COUNT, OP_DOORBELL, OP_XDP_RUN, costTable } from '../../src/host/cost.ts';
import {
  CONTEXT_NAMES,
  CTX_APP,
  CTX_HARDIRQ,
  CTX_IDLE,
  CTX_KSOFTIRQD,
  CTX_SOFTIRQ,
  Cpu,
} from '../../src/host/cpu.ts';
import { dmaMapSingle, dmaRmb, dmaUnmapSingle } from '../../src/host/dma.ts';
import { Faults } from '../../src/host/faults.ts';
import { SpinLock } from '../../src/host/spinLock.ts';
import { EagerHardware } from '../../src/nic/eager.ts';

/** A CPU on which operation `op` takes `op + 1` ps. */
const cpuOf = (id = 0): Cpu =>
  new Cpu(
    id,
    Float64Array.from({ length: OP_COUNT }, (_, op) => op + 1),
  );

describe('time', () => {
  test('each operation takes what its profile says, and nothing else moves the clock', () => {
    const cpu = cpuOf();
    for (let op = 0; op < OP_COUNT; op++) {
      const before = cpu.now;
      cpu.charge(op);
      expect(cpu.now - before).toBe(op + 1);
      cpu.chargeTimes(op, 3);
      expect(cpu.now - before).toBe(4 * (op + 1));
    }
    cpu.enter(CTX_APP);
    expect(cpu.now).toBe((4 * OP_COUNT * (OP_COUNT + 1)) / 2);
  });

  test('the table given is copied: another CPU of the same profile is not touched', () => {
    const table = costTable(FLAT);
    const before = [...table];
    const cpu = new Cpu(0, table);
    cpu.charge(OP_XDP_RUN);
    cpu.timeless(() => cpu.charge(OP_XDP_RUN));
    expect([...table]).toEqual(before);
  });

  test('timeless work takes none, and costs are back afterwards', () => {
    const cpu = cpuOf();
    cpu.timeless(() => {
      for (let op = 0; op < OP_COUNT; op++) cpu.chargeTimes(op, 1000);
    });
    expect(cpu.now).toBe(0);
    cpu.charge(OP_DOORBELL);
    expect(cpu.now).toBe(OP_DOORBELL + 1);
  });

  test('waiting moves a clock forwards, never back', () => {
    const cpu = cpuOf();
    cpu.idleUntil(500);
    cpu.idleUntil(400);
    expect(cpu.now).toBe(500);
  });

  test('the eager pace drives the same clock to the same times', () => {
    const [plain, driven] = [cpuOf(0), cpuOf(1)];
    const hardware = new EagerHardware([driven]);
    for (const cpu of [plain, driven]) {
      cpu.stepping = true;
      cpu.charge(5);
      cpu.chargeTimes(7, 11);
      cpu.stepping = false;
      hardware.runToIrq(cpu.now);
      cpu.idleUntil(12_345);
      cpu.charge(0);
      cpu.timeless(() => cpu.charge(3));
    }
    expect(driven.now).toBe(plain.now);
  });
});

describe('contexts', () => {
  test('every picosecond is booked to the one context it was spent in', () => {
    const cpu = cpuOf();
    cpu.idleUntil(100);
    expect(cpu.enter(CTX_HARDIRQ)).toBe(CTX_IDLE);
    cpu.idleUntil(130);
    expect(cpu.enter(CTX_SOFTIRQ)).toBe(CTX_HARDIRQ);
    cpu.idleUntil(200);
    cpu.enter(CTX_KSOFTIRQD);
    cpu.idleUntil(201);
    cpu.enter(CTX_APP);
    cpu.enter(CTX_IDLE);
    cpu.idleUntil(300);
    cpu.enter(CTX_IDLE);
    const spent = Object.fromEntries(CONTEXT_NAMES.map((name, i) => [name, cpu.spent[i]]));
    expect(spent).toEqual({
      idle: 199,
      hardirq: 30,
      softirq: 70,
      ksoftirqd: 1,
      app: 0,
      napiThread: 0,
    });
    expect(cpu.spent.reduce((sum, ps) => sum + ps, 0)).toBe(cpu.now);
  });
});

describe('seams', () => {
  test('a mapping that is told to fail is 0, takes its time all the same, and is counted', () => {
    const cpu = cpuOf();
    const faults = new Faults();
    expect(dmaMapSingle(cpu, faults, 0x5000)).toBe(0x5000);
    faults.arm('dmaMap');
    const before = cpu.now;
    expect(dmaMapSingle(cpu, faults, 0x5000)).toBe(0);
    expect(cpu.now).toBeGreaterThan(before);
    expect(dmaMapSingle(cpu, faults, 0x5000)).toBe(0x5000);
  });

  test('barriers and unmapping pass as time', () => {
    const cpu = cpuOf();
    dmaRmb(cpu);
    const read = cpu.now;
    dmaUnmapSingle(cpu);
    expect([read > 0, cpu.now > read]).toEqual([true, true]);
  });

  test('a lock taken twice, or released by nobody, is a bug', () => {
    const lock = new SpinLock();
    lock.lock();
    expect(() => lock.lock()).toThrow('BUG: spinlock recursion');
    lock.unlock();
    expect(() => lock.unlock()).toThrow('BUG: spinlock released that nobody held');
  });
});
