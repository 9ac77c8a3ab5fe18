/**
 * When a completion ring interrupts: after so many records, or so long after the first that has
 * not been acknowledged, but never before it was armed, and once per arm.
 */
import { describe, expect, test } from 'vitest';
import { OP_COUNT } from '../../src/host/cost.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { IrqLine } from '../../src/host/irq.ts';
import { HostMemory } from '../../src/host/memory.ts';
import { CompletionRing } from '../../src/nic/completionRing.ts';
import type { Coalescing } from '../../src/nic/completionRing.ts';
import { LookAhead } from '../../src/nic/lookAhead.ts';
import { udp } from './frames.ts';
import type { Rig } from './rig.ts';
import { RX_NS, TIMING, nicRig } from './rig.ts';

/** One tick of the coalescing timer. */
const TICK_NS = 80;
const MSIX = TIMING.msixNs;

describe.each(['lazy', 'eager'] as const)('an %s NIC interrupts', (pace) => {
  /** Frames at these times, buffers for all, coalescing set. */
  function rigWith(records: number, ticks: number, arrivals: number[]): Rig {
    const rig = nicRig({ pace });
    rig.coalesce(records, ticks);
    rig.arrive(arrivals.map((ns) => [ns, udp()]));
    rig.post(64);
    return rig;
  }

  test('so long after the first record', () => {
    const rig = rigWith(100, 25, [1000, 1500, 9000]);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(1000 + RX_NS + 25 * TICK_NS + MSIX);
  });

  test('with the record that makes the number full, a frame being two', () => {
    const rig = rigWith(6, 1000, [1000, 2000, 3000, 4000]);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(3000 + RX_NS + MSIX);
  });

  test('at once when both limits passed before it was armed', () => {
    const rig = rigWith(4, 1000, [1000, 2000, 3000]);
    rig.at(20_000);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(20_000 + MSIX);
  });

  test('counting the time from the first record, not from arming', () => {
    const rig = rigWith(100, 50, [1000]);
    rig.at(3000);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(1000 + RX_NS + 50 * TICK_NS + MSIX);
  });

  test('counting from the first record that is not acknowledged', () => {
    const rig = rigWith(100, 50, [1000, 5000]);
    rig.at(4000);
    expect(rig.poll()).toHaveLength(1);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(5000 + RX_NS + 50 * TICK_NS + MSIX);
  });

  describe('with TIMER_RESET', () => {
    const TIMER_RESET = 1;
    function resetting(arrivals: number[]): Rig {
      const rig = rigWith(8, 25, arrivals);
      rig.coalesce(8, 25, 0, TIMER_RESET);
      return rig;
    }

    test('so long after the last record of those that follow each other sooner', () => {
      const rig = resetting([1000, 2500, 4000, 9000]);
      rig.acknowledge(0, true);
      expect(rig.wait(50_000)).toBe(4000 + RX_NS + 25 * TICK_NS + MSIX);
    });

    test('with the record that makes the number full, whatever the timer', () => {
      const rig = resetting([1000, 2000, 3000, 4000, 5000]);
      rig.acknowledge(0, true);
      expect(rig.wait(50_000)).toBe(4000 + RX_NS + MSIX);
    });

    test('at once when the timer ran out before it was armed, whatever came since', () => {
      const rig = resetting([1000, 7000]);
      rig.at(8000);
      rig.acknowledge(0, true);
      expect(rig.wait(50_000)).toBe(8000 + MSIX);
    });
  });

  test('once per arm', () => {
    const rig = rigWith(2, 1, [1000, 2000, 3000]);
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBe(1000 + RX_NS + MSIX);
    expect(rig.wait(50_000)).toBeNull();
    rig.at(30_000);
    rig.poll();
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBeNull(); // armed again, and nothing new
  });

  test('though it was polled while armed, once that was due', () => {
    const rig = rigWith(2, 1, [1000]);
    rig.acknowledge(0, true);
    rig.at(5000);
    expect(rig.poll()).toHaveLength(1);
    rig.acknowledge(0, false); // the message left at 1000 + RX_NS
    expect(rig.irqs.nextAt()).toBe((1000 + RX_NS + MSIX) * 1000);
    expect(rig.wait(50_000)).toBe(1000 + RX_NS + MSIX);
  });

  test('not for what was polled before it was due', () => {
    const rig = rigWith(100, 100, [1000]);
    rig.acknowledge(0, true);
    rig.at(5000);
    expect(rig.poll()).toHaveLength(1);
    rig.acknowledge(0, false);
    expect(rig.wait(50_000)).toBeNull();
  });

  test('by new limits from the moment they are set, and not before', () => {
    const rig = rigWith(100, 1000, [1000]);
    rig.acknowledge(0, true);
    rig.at(9000);
    rig.coalesce(2, 1); // reached long ago
    expect(rig.wait(50_000)).toBe(9000 + MSIX);
  });

  test('not while it is not armed', () => {
    const rig = rigWith(2, 1, [1000]);
    rig.acknowledge(0, false);
    expect(rig.wait(50_000)).toBeNull();
  });

  test('never when it is starved of buffers and has nothing to show', () => {
    const rig = nicRig({ pace });
    rig.coalesce(2, 1);
    rig.arrive([1000, 2000].map((ns) => [ns, udp()]));
    rig.acknowledge(0, true);
    expect(rig.wait(50_000)).toBeNull();
  });

  test('for transmissions too, a completion being one record', () => {
    const rig = nicRig({ pace });
    rig.coalesce(2, 1000);
    rig.acknowledge(0, true);
    for (const _ of [0, 1]) rig.queueBd(udp(), (1 << 8) | (1 << 6), 0);
    rig.kick();
    const wireNs = 84 * 0.08; // 100 Gb/s
    const sent = TIMING.txFetchNs + 2 * wireNs;
    expect(rig.wait(50_000)).toBeCloseTo(sent + TIMING.txCompleteNs + MSIX, 6);
  });

  test('the first ring first, and takes nothing past that moment', () => {
    const rig = nicRig({
      pace,
      queues: 2,
      rss: { ringTable: Uint16Array.from({ length: 128 }, (_, i) => i & 1) },
    });
    const flows = Array.from({ length: 64 }, (_, i) => udp({ srcPort: 1000 + i }));
    rig.arrive(flows.map((bytes, i) => [1000 + 1000 * i, bytes]));
    for (const queue of [0, 1]) {
      rig.coalesce(2, 1, queue);
      rig.post(1, queue);
      rig.acknowledge(queue, true);
    }
    const first = rig.wait(1_000_000);
    expect(first).toBe(1000 + RX_NS + MSIX);
    // both rings had one buffer; the CPU gives them more before anything else arrives
    rig.at(first!);
    for (const queue of [0, 1]) rig.post(100, queue);
    rig.at(200_000);
    expect(rig.poll(0).length + rig.poll(1).length).toBe(64);
  });
});

describe('a ring whose timer runs from its last message', () => {
  const TIMER_PS = 8000;
  const limits = (timerReset: boolean): Coalescing => ({
    ...{ records: 100, timerPs: TIMER_PS, timerReset, gatherRecords: 1, gatherTimerPs: 0 },
  });
  function ringOf(): CompletionRing {
    const own = new HostMemory(65536);
    const ring = new CompletionRing(
      0,
      4096,
      64,
      new IrqLine('x', new Cpu(0, new Float64Array(OP_COUNT))),
      own,
      8,
      new LookAhead(),
    );
    ring.fromMessage = true;
    ring.coalesce(limits(false), 0);
    return ring;
  }
  function write(ring: CompletionRing, ...times: number[]): void {
    for (const at of times) ring.stamps[ring.prod++ & ring.mask] = at;
  }

  test('sends the first at once, the next when the time is over', () => {
    const ring = ringOf();
    ring.arm(0);
    write(ring, 1000);
    expect(ring.fireAt()).toBe(1000);
    ring.disarm(1000);
    ring.acknowledge(1);
    ring.arm(1500);
    write(ring, 3000, 4000);
    expect(ring.fireAt()).toBe(1000 + TIMER_PS);
  });

  test('sends at once what comes after that', () => {
    const ring = ringOf();
    ring.disarm(1000);
    ring.arm(1500);
    write(ring, 20_000, 20_500);
    expect(ring.fireAt()).toBe(20_000);
  });

  test('takes no notice of that while every record starts it anew', () => {
    const ring = ringOf();
    ring.coalesce(limits(true), 0);
    ring.disarm(1000);
    ring.arm(1500);
    write(ring, 20_000, 20_500);
    expect(ring.fireAt()).toBe(20_500 + TIMER_PS);
  });
});
