/**
 * The poll loop of P5: notifications, completion rings of their own for RX and TX, and the order of
 * the doorbells. Expected orders follow facts 2.8: rings before what they let free, the queue last.
 */
import { describe, expect, test } from 'vitest';
import { PS_PER_US } from '../../../src/host/clock.ts';
import { dbrHi } from '../../../src/nic/hsi/doorbell.ts';
import { devClose, devOpen } from '../../../src/stack/netdevice.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, program, verdicts } from './rig.ts';

const p5 = (options: RigOptions = {}): Rig => new Rig({ chip: 'p5', ...options });

describe('a NAPI that is not let to complete', () => {
  test('leaves its notifications unacknowledged, lap after lap, and misses nothing', () => {
    const rig = p5({ rxRing: 31, rxFrames: 1, xdp: [verdicts(XDP_DROP)] });
    const { napi } = rig.bnapi();
    const { slots } = rig.hw().notificationQueues[0]!;
    Object.assign(napi.config, { deferHardIrqs: 2, groFlushTimeout: PS_PER_US });
    const rounds = 3 * slots + 5;
    const polled: number[] = [];
    const rung: string[] = [];
    for (let i = 0; i < rounds; i++) {
      rig.ready(1);
      polled.push(rig.poll());
      rung.push(...rig.bells().filter((bell) => bell.startsWith('nq')));
    }
    expect(polled).toEqual(Array.from({ length: rounds }, () => 1));
    expect(rung).toEqual([]);
    // polls without work: the count runs out, and one doorbell acknowledges all and arms
    expect([rig.poll(), rig.poll()]).toEqual([0, 0]);
    expect(rig.bells()).toContain(`nq-arm ${rounds % slots}`);
    rig.ready(1);
    rig.run();
    expect(rig.bnapi().irq.delivered).toBe(2); // the first frame's, which waited until now, and the last's
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('300 ready packets', () => {
  test('poll as 64, 64, 64, 64, 44: one notification, and only the last poll arms ring and queue', () => {
    const rig = p5({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(300);
    const polls = Array.from({ length: 5 }, () => [rig.poll(), rig.scheduled(), rig.bells()]);
    expect(polls).toEqual([
      [64, true, ['cq 128', 'rx 63', 'nq 1']],
      [64, true, ['cq 256', 'rx 127']],
      [64, true, ['cq 384', 'rx 191']],
      [64, true, ['cq 512', 'rx 255']],
      [44, false, ['cq-arm 600', 'rx 299', 'nq-arm 1']],
    ]);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('whatever the weight, the polls add up and none exceeds it', () => {
    for (const budget of [1, 7, 63, 64]) {
      const rig = p5({ budget, check: false, xdp: [verdicts(XDP_DROP)] });
      rig.ready(300);
      const works = [rig.poll()];
      while (rig.scheduled()) works.push(rig.poll());
      const rest = 300 % budget;
      expect(works).toEqual([...Array<number>(Math.floor(300 / budget)).fill(budget), rest]);
    }
  });
});

describe('a completion ring', () => {
  test('is not looked at before it has notified', () => {
    const rig = p5({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(3); // 6 of 30 records, 2 of 10 us
    expect(rig.poll()).toBe(0);
    rig.wait(10);
    expect(rig.poll()).toBe(3);
  });

  test('notifies once per arm, with a toggle that goes back with the next one', () => {
    const rig = p5({ xdp: [verdicts(XDP_DROP)] });
    const { cpRing } = rig.bnapi();
    const toggles: number[] = [];
    for (let i = 0; i < 5; i++) {
      rig.ready(3);
      rig.wait(10);
      expect(rig.poll()).toBe(3);
      toggles.push(cpRing.cpRingArr[0]!.toggle);
    }
    expect(toggles).toEqual([1, 2, 3, 0, 1]);
    expect(cpRing.cpRawCons).toBe(5);
  });

  test('of transmissions notifies for itself', () => {
    const rig = p5({ xdp: [verdicts(XDP_TX)] });
    rig.ready(3);
    rig.wait(10);
    rig.poll();
    expect(rig.bells()).toEqual(['tx 3', 'cq-arm 6', 'nq-arm 1']); // RX doorbell withheld
    rig.wait(40); // tx-usecs is 28
    rig.poll();
    expect(rig.bells()).toEqual(['cq-arm 3', 'rx 2', 'nq-arm 2']);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a budget that is used up', () => {
  test('leaves transmissions their turn', () => {
    const rig = p5({ budget: 4, rxFrames: 20, xdp: [verdicts(XDP_TX, XDP_TX, XDP_DROP)] });
    rig.ready(2);
    rig.wait(10);
    rig.poll();
    rig.bells();
    rig.ready(30); // notified when 20 have come, before the two transmissions are
    rig.wait(40);
    expect(rig.poll()).toBe(4);
    expect(rig.txr().txCons).toBe(2);
    expect(rig.bells()).toEqual(['cq 12', 'cq 2', 'rx 1', 'nq 3']);
    while (rig.scheduled()) rig.poll();
    // both rings have notified and not been armed since, so both were walked again
    expect(rig.bells().slice(-4)).toEqual(['cq-arm 64', 'cq-arm 2', 'rx 31', 'nq-arm 3']);
  });

  test('by a half-freed TX ring leaves a notification of RX unread', () => {
    const rig = p5({
      txRing: 40,
      budget: 64,
      xdp: [verdicts(...Array<number>(25).fill(XDP_TX), XDP_DROP)],
    });
    rig.ready(25);
    rig.wait(10);
    rig.poll();
    rig.wait(40);
    rig.ready(16); // after the 25 completions have notified: 20 of 40 are the threshold
    rig.bells();
    expect(rig.poll()).toBe(64);
    expect(rig.bnapi().napi.endedBy.txWake).toBe(1);
    expect(rig.bells().at(-1)).toBe('nq 2'); // not the third
    expect(rig.bnapi().cpRing.hasMoreWork).toBe(true);
    let polls = 0;
    while (rig.scheduled() && polls++ < 5) rig.poll();
    expect(rig.fates().xdpDrop).toBe(16);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('of zero takes no packet', () => {
    const rig = p5({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(20);
    rig.schedule();
    expect(rig.pollBudget(0)).toBe(0);
    expect(rig.ethtool()['rx_total_netpoll_discards']).toBe(20);
  });
});

test('every doorbell is one register of 64 bits, with ring, path and type in its upper half', () => {
  const rig = p5({ xdp: [verdicts(XDP_TX)] });
  const written: (readonly [number, number])[] = [];
  const { bus } = rig.bp();
  const write64 = bus.write64.bind(bus);
  bus.write64 = (cpu, addr, lo, hi, op) => {
    written.push([addr - rig.bp().pdev.bar1, hi]);
    write64(cpu, addr, lo, hi, op);
  };
  bus.write32 = () => expect.unreachable('a 32-bit doorbell');
  rig.ready(3);
  rig.wait(10);
  rig.poll();
  rig.wait(40);
  rig.poll();
  const { cpRing, rxRing, txRing } = rig.bnapi();
  const [rxCq, txCq] = cpRing.cpRingArr;
  const path = 1 << 24;
  // types 0 SQ, 2 SRQ, 6 CQ_ARMALL, 11 NQ_ARM
  const expected = [
    dbrHi(0, txRing[0]!.fwRingId, path),
    dbrHi(6, rxCq!.fwRingId, path),
    dbrHi(11, cpRing.fwRingId, path),
    dbrHi(6, txCq!.fwRingId, path),
    dbrHi(2, rxRing!.fwRingId, path),
    dbrHi(11, cpRing.fwRingId, path),
  ];
  expect(written).toEqual(expected.map((hi) => [0x10000, hi]));
});

describe('what P5 does otherwise', () => {
  test('a completion out of order resets the whole device', () => {
    const rig = p5({ queues: 2, irqAffinity: [0], xdp: [program(() => XDP_PASS)] });
    const before = rig.bnapi();
    rig.machine.faults.arm('rxCmpOutOfOrder', 1, Infinity);
    rig.ready(40);
    rig.run();
    expect(rig.bnapi() === before).toBe(false); // opened again
    expect(rig.ethtool()['rx_total_resets']).toBe(1);
  });

  test('a buffer error is counted, and no ring is reset', () => {
    const rig = p5({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpBuffer', 1, Infinity);
    rig.ready(20);
    rig.poll();
    expect(rig.ethtool()).toMatchObject({ rx_total_buf_errors: 1, rx_total_resets: 0 });
    expect(rig.bnapi().inReset).toBe(false);
    expect(rig.lost()).toEqual({ rxError: 1 });
  });

  test('each ring is told its coalescing: RX, TX, and the shortest wait to the queue', () => {
    const rig = p5({ closed: true, rxUsecs: 20, txUsecs: 30 });
    const told: object[] = [];
    const { hwrm } = rig.bp().pdev;
    hwrm.ringCmplRingCfgAggintParams = ({
      numCmplAggrInt,
      intLatTmrMax,
      intLatTmrMin,
      flags,
    }): void => {
      told.push([numCmplAggrInt, intLatTmrMax, intLatTmrMin, flags]);
    };
    rig.machine.open();
    // 80 ns ticks; flags: 2 ring idle (RX alone, being below 50 us), 4 notification queue
    expect(told.slice(0, 3)).toEqual([
      [30, 250, 125, 2],
      [30, 375, 187, 0],
      [0, 0, 125, 4],
    ]);
  });

  test('closing and opening uses the memory of its rings again', () => {
    const rig = p5({ queues: 2, irqAffinity: [0], xdp: [verdicts(XDP_DROP)] });
    for (let i = 0; i < 100; i++) {
      devClose(rig.dev());
      devOpen(rig.dev());
    }
    rig.ready(20);
    rig.run();
    expect(rig.fates().xdpDrop).toBe(20);
    expect(rig.hw().completionRings).toHaveLength(6); // 2 RX, 2 of XDP, 2 of the stack
    expect(rig.hw().notificationQueues).toHaveLength(4);
  });
});
