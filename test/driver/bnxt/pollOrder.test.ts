import { describe, expect, test } from 'vitest';
import { CTX_HARDIRQ } from '../../../src/host/cpu.ts';
import { NAPIF_STATE_MISSED, NAPIF_STATE_SCHED } from '../../../src/stack/napi.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, SMALL, program, verdicts } from './rig.ts';

describe('doorbells of one poll, in the order the device hears them', () => {
  test('dropped packets: completions acknowledged, buffers posted, and only then the arm', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(7);
    rig.poll();
    // 511 buffers were posted when the ring was opened: the seventh new one is number 518 of 512 slots
    expect(rig.bells()).toEqual(['cq 14', 'rx 6', 'cq-arm 14']);
  });

  test('transmitted packets: the TX doorbell first and once; no RX doorbell', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(7);
    rig.poll();
    expect(rig.bells()).toEqual(['tx 7', 'cq 14', 'cq-arm 14']);
  });

  test('TX completions: acknowledged before their pages go back to the NIC', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(7);
    rig.poll();
    rig.wait(10);
    rig.bells();
    rig.poll();
    expect(rig.bells()).toEqual(['cq 21', 'rx 6', 'cq-arm 21']);
  });

  test('TX completions and packets in one poll: the withheld doorbell, then the one for the rest', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX, XDP_TX, XDP_DROP)] });
    rig.ready(2);
    rig.poll();
    rig.wait(10);
    rig.poll(); // nothing is left on the TX ring
    rig.bells();
    rig.ready(3);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 12', 'rx 4', 'cq-arm 12']);
  });

  test('completions are acknowledged before anything that was sent is taken off the TX ring', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(2);
    rig.poll();
    rig.wait(10);
    rig.trace();
    rig.poll();
    const order = [...rig.machine.trace.records()].map((r) => r.point.name);
    expect(order.filter((name) => name.startsWith('doorbell') || name === 'txIntXdp')).toEqual([
      'doorbellCq',
      'txIntXdp',
      'doorbellRx',
      'doorbellCq',
    ]);
  });

  test('a full poll acknowledges and posts, and does not arm', () => {
    const rig = new Rig({ budget: 8, xdp: [verdicts(XDP_DROP)] });
    rig.ready(20);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 16', 'rx 7']);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 32', 'rx 15']);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 40', 'rx 19', 'cq-arm 40']);
  });

  test('nothing to do: acknowledged as before, and armed', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    expect(rig.poll()).toBe(0);
    expect(rig.bells()).toEqual(['cq 0', 'cq-arm 0']);
  });

  test('a redirect is flushed once per walk, and before completions are acknowledged', () => {
    const rig = new Rig({ nics: 2, xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)] });
    rig.trace();
    rig.ready(40);
    rig.poll();
    expect(rig.rung.map((r) => `eth${r.nic} ${r.what} ${r.index}`)).toEqual([
      'eth1 tx 40',
      'eth0 cq 80',
      'eth0 rx 39',
      'eth0 cq-arm 80',
    ]);
    const sent = rig.events('xdpDevmapXmit').map(([, frames]) => frames);
    expect(sent).toEqual([16, 16, 8]); // the two full queues without a doorbell
  });

  test('one poll may walk several times when completions come in meanwhile, each walk with its doorbells', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    const { cpRing } = rig.bnapi();
    rig.ready(3);
    const settle = rig.bp().bus.settle.bind(rig.bp().bus);
    let looks = 0;
    rig.bp().bus.settle = (cpu, addr, hi) => {
      if (++looks === 2) rig.ready(2); // the walk has ended: more before has_work looks
      return settle(cpu, addr, hi);
    };
    settle(rig.cpu, cpRing.cpDb.doorbell, 0);
    expect(rig.poll()).toBe(5);
    expect(rig.bells()).toEqual(['cq 6', 'rx 2', 'cq 10', 'rx 4', 'cq-arm 10']);
  });
});

describe('the interrupt', () => {
  test('counts an event and schedules; a second one while polling leaves MISSED behind', () => {
    const rig = new Rig({ budget: 4, xdp: [verdicts(XDP_DROP)] });
    const { irq, napi, cpRing } = rig.bnapi();
    rig.cpu.enter(CTX_HARDIRQ);
    irq.handler!();
    expect(cpRing.eventCtr).toBe(1);
    expect(napi.state & NAPIF_STATE_SCHED).not.toBe(0);
    irq.handler!();
    expect(cpRing.eventCtr).toBe(2);
    expect(napi.state & NAPIF_STATE_MISSED).not.toBe(0);
  });

  test('a NAPI that was scheduled meanwhile does not arm: it will be polled again', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    const { irq } = rig.bnapi();
    irq.handler!();
    irq.handler!();
    rig.poll();
    expect(rig.bells()).toEqual(['cq 0']);
    expect(rig.scheduled()).toBe(true);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 0', 'cq-arm 0']);
  });

  test('one arm buys one message', () => {
    const rig = new Rig({ rxFrames: 1, rxUsecs: 1, xdp: [verdicts(XDP_DROP)] });
    rig.arrive(
      Array.from({ length: 500 }, () => SMALL),
      0,
      3e6,
    );
    rig.run();
    const { delivered } = rig.machine.nics[0]!.vectors[0]!;
    expect(delivered).toBe(500); // 3 us apart: each finds the ring armed again
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});
