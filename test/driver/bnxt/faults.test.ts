import { describe, expect, test } from 'vitest';
import { FAULT_POINTS } from '../../../src/host/faults.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, SMALL, program, udpFrame, verdicts } from './rig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const LARGE = udpFrame(1200);
const toEth1 = program((ctx) => ctx.redirect(3));

/** Which losses a fault may cause: nothing else may be lost, and nothing without a name. */
const WORKLOADS: readonly [string, RigOptions][] = [
  ['drop', { xdp: [verdicts(XDP_DROP)] }],
  ['tx', { xdp: [verdicts(XDP_TX)] }],
  ['pass', { xdp: [verdicts(XDP_PASS)] }],
  ['no program', {}],
  ['redirect', { nics: 2, xdp: [toEth1, verdicts(XDP_PASS)] }],
];
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  pageAlloc: ['oom', 'skbOom', 'noBuffer'],
  skbAlloc: ['skbOom'],
  dmaMap: ['redirectQueueFull'],
  rxCmpHalf: [],
  rxCmpCrc: ['rxCrc'],
  rxCmpBuffer: ['rxError', 'ringReset', 'noBuffer', 'outOfOrder'],
  rxCmpOutOfOrder: ['outOfOrder', 'ringReset', 'noBuffer'],
  txCmpLost: ['noBuffer', 'txRingFull', 'redirectQueueFull'],
  irqLost: ['noBuffer', 'unreadAtClose'],
};

describe.each(FAULT_POINTS.map((p) => p.name))('fault %s', (fault) => {
  test.each(WORKLOADS)(
    'while frames are dealt with by %s: every loss has its name, no page is missing',
    (_name, options) => {
      for (let run = 0; run < RUNS; run++) {
        const rig = new Rig({ rxRing: 255, txRing: 255, ...options });
        rig.machine.faults.arm(fault, 20 + 7 * run, 37 + run);
        rig.arrive(
          Array.from({ length: 1500 }, (_, i) => (i % 2 === 0 ? SMALL : LARGE)),
          0,
          150_000,
        );
        rig.run();
        const fates = rig.fates();
        expect(fates.offered).toBe(1500);
        expect(fates.imbalance()).toEqual(NOTHING.imbalance);
        for (const cause of Object.keys(rig.lost())) expect(CAUSES[fault]).toContain(cause);
        expect(rig.machine.result().pages.leaked).toBe(0);
        expect(rig.leftOver()).toEqual(NOTHING);
        for (const cause of Object.keys(rig.lost()))
          expect([...CAUSES[fault]!, ...AT_CLOSE]).toContain(cause);
      }
    },
  );
});
const AT_CLOSE = ['deviceClosed', 'unreadAtClose', 'txDeviceClosed'];

test('every fault point is tried', () => {
  expect(Object.keys(CAUSES).toSorted()).toEqual(FAULT_POINTS.map((p) => p.name).toSorted());
});

describe('what a fault does to the driver', () => {
  test('no page for the slot: the packet is dropped, its page stays, and the ring stays full', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_PASS)] });
    const held: number[] = [];
    const { pagePool } = rig.rxr();
    while (pagePool.cachedPages > 0) held.push(pagePool.alloc(rig.cpu));
    rig.machine.faults.arm('pageAlloc', 0, 1);
    rig.ready(5, LARGE);
    expect(rig.poll()).toBe(5);
    expect(rig.lost()).toEqual({ skbOom: 5 });
    expect(rig.ethtool()['rx_total_oom_discards']).toBe(5);
    expect(rig.posted()).toBe(511);
    for (const page of held) pagePool.recycleDirect(page, rig.cpu);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('no page while the ring is filled: it stays short, and is warned about', () => {
    const rig = new Rig({ closed: true, xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('pageAlloc', 300, 1);
    rig.machine.open();
    rig.machine.faults.disarm();
    expect(rig.buffers()).toBe(300);
    expect(rig.machine.net.dmesg.lines).toEqual(["eth0: init'ed rx ring 0 with 300/511 skbs only"]);
    rig.ready(280);
    do rig.poll();
    while (rig.scheduled());
    expect(rig.posted()).toBe(300); // and neither shrinks nor grows
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('no skb for a long packet: the new page is in the ring already, the old one goes to the pool', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_PASS)] });
    const page = rig.slotPage(0);
    rig.machine.faults.arm('skbAlloc');
    rig.ready(1, LARGE);
    rig.poll();
    expect(rig.ownerOf(page)).toBe('pool cache');
    expect(rig.posted()).toBe(511);
    expect(rig.lost()).toEqual({ skbOom: 1 });
  });

  test('no skb for a short packet: its own page is posted again', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_PASS)] });
    const page = rig.slotPage(0);
    rig.machine.faults.arm('skbAlloc');
    rig.ready(1, SMALL);
    rig.poll();
    expect(rig.slotPage(511)).toBe(page);
    expect(rig.posted()).toBe(511);
    expect(rig.lost()).toEqual({ skbOom: 1 });
  });

  test('no skb for a packet in a fragment of a page: the fragment goes back', () => {
    const rig = new Rig();
    rig.machine.faults.arm('skbAlloc');
    rig.ready(1, LARGE);
    rig.poll();
    expect(rig.lost()).toEqual({ skbOom: 1 });
    expect(rig.posted()).toBe(511);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('an interrupt that is lost: the ring is armed no more, and its packets wait until the end', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('irqLost');
    rig.arrive(
      Array.from({ length: 700 }, () => SMALL),
      0,
      150_000,
    );
    rig.run();
    expect(rig.fates()).toMatchObject({ received: 511, xdpDrop: 0 });
    expect(rig.lost()).toEqual({ noBuffer: 189, unreadAtClose: 511 });
    expect(rig.leftOver()).toEqual(NOTHING);
    expect(rig.lost()).toEqual({ noBuffer: 189, unreadAtClose: 511 });
  });
});
