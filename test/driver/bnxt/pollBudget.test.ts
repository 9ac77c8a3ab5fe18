import { describe, expect, test } from 'vitest';
import { bnxtPollWork } from '../../../src/driver/bnxt/poll.ts';
import { PS_PER_NS } from '../../../src/host/clock.ts';
import { CMP_TYPE_TX_L2_CMP, txCmpWrite } from '../../../src/nic/hsi/txCmp.ts';
import { setTxOpaque } from '../../../src/nic/hsi/txBd.ts';
import { XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, SMALL, program, udpFrame, verdicts } from './rig.ts';

describe('300 ready packets', () => {
  test('poll as 64, 64, 64, 64, 44; only the last poll completes and arms', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(300);
    const { cpRing } = rig.bnapi();
    const polls = Array.from({ length: 5 }, () => {
      const work = rig.poll();
      const armed = rig.bells().some((bell) => bell.startsWith('cq-arm'));
      return { work, more: cpRing.hasMoreWork, scheduled: rig.scheduled(), armed };
    });
    const full = { work: 64, more: true, scheduled: true, armed: false };
    const last = { work: 44, more: false, scheduled: false, armed: true };
    expect(polls).toEqual([full, full, full, full, last]);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('whatever the weight, the polls add up and none exceeds it', () => {
    for (const budget of [1, 7, 63, 64]) {
      const rig = new Rig({ budget, check: false, xdp: [verdicts(XDP_DROP)] });
      rig.ready(300);
      const works = [rig.poll()];
      while (rig.scheduled()) works.push(rig.poll());
      const rest = 300 % budget;
      expect(works).toEqual([...Array<number>(Math.floor(300 / budget)).fill(budget), rest]);
    }
  });
});

describe('what the budget is charged with', () => {
  test('a packet passed without a program: 1', () => {
    const rig = new Rig();
    rig.ready(3);
    expect(rig.poll()).toBe(3);
    expect(rig.fates().toStack).toBe(3);
  });

  test.each([
    ['XDP_PASS', XDP_PASS],
    ['XDP_DROP', XDP_DROP],
    ['XDP_TX', XDP_TX],
  ])('%s: 1', (_name, act) => {
    const rig = new Rig({ xdp: [verdicts(act)] });
    rig.ready(3);
    expect(rig.poll()).toBe(3);
  });

  test('XDP_REDIRECT: 1', () => {
    const rig = new Rig({ nics: 2, xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)] });
    rig.ready(3);
    expect(rig.poll()).toBe(3);
    expect(rig.fates().xdpRedirect).toBe(3);
  });

  test('a redirect that fails is a packet all the same: 1', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_REDIRECT)] });
    rig.ready(3);
    expect(rig.poll()).toBe(3);
    expect(rig.fates().xdpRedirect).toBe(0);
  });

  test('a hardware error (-EIO): 0, and the walk goes on', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpCrc', 1, 2);
    rig.ready(5); // good, bad, good, bad, good
    expect(rig.poll()).toBe(3);
    expect(rig.lost()).toEqual({ rxCrc: 2 });
    expect(rig.rxr().cpr.packets).toBe(3); // errored packets are no DIM input
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('no memory (-ENOMEM): 1 each, so that an empty allocator cannot hold the poll for ever', () => {
    const rig = new Rig({ budget: 4 });
    rig.machine.faults.arm('skbAlloc', 0, 1);
    rig.ready(10);
    expect([rig.poll(), rig.poll(), rig.poll()]).toEqual([4, 4, 2]);
    expect(rig.lost()).toEqual({ skbOom: 10 });
    expect(rig.ethtool()['rx_total_oom_discards']).toBe(10);
    expect(rig.rxr().cpr.bytes).toBe(640); // the DIM byte counter still grows
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a stray RX completion: 0', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpOutOfOrder', 2);
    rig.ready(5);
    expect(rig.poll()).toBe(2); // the third one breaks the ring, the rest fails the same test
    expect(rig.lost()).toEqual({ outOfOrder: 3 });
  });

  test('a tag of unknown protocol: 0, and the skb is dropped', () => {
    const rig = new Rig();
    const tagged = udpFrame(64, { tags: [{ vid: 5 }] });
    rig.readyFrames([SMALL, tagged, SMALL]);
    rig.hw().settleAll(rig.cpu.now);
    const { cpDescRing } = rig.bnapi().cpRing;
    const ext = cpDescRing + 3 * 16; // second slot of the second packet
    rig.machine.mem.words[(ext + 4) >> 2] = (0x9100 << 16) | 5;
    expect(rig.poll()).toBe(2);
    expect(rig.lost()).toEqual({ vlanProto: 1 });
    expect(rig.rxr().cpr.packets).toBe(3);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a TX completion: 0', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(10);
    expect(rig.poll()).toBe(10);
    rig.wait(10);
    expect(rig.poll()).toBe(0);
    expect(rig.txr().txCons).toBe(10);
  });

  test('a TX completion that frees tx_wake_thresh descriptors: the whole budget, once, and the walk stops', () => {
    const rig = new Rig({ txRing: 40, xdp: [verdicts(XDP_TX)] }); // wakes at 20
    rig.ready(24);
    rig.poll();
    rig.wait(10); // all 24 are sent and completed
    const { cpRing } = rig.bnapi();
    const before = cpRing.cpRawCons;
    expect(rig.poll()).toBe(64);
    expect(cpRing.cpRawCons - before).toBe(20); // the 20th completion ended it, and was consumed
    expect(cpRing.hasMoreWork).toBe(true);
    expect(rig.scheduled()).toBe(true);
    expect(rig.bnapi().napi.endedBy.txWake).toBe(1);
    expect(rig.poll()).toBe(0); // the other four, and the core is given the NAPI back
    expect(rig.scheduled()).toBe(false);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('nineteen completed descriptors of forty do not', () => {
    const rig = new Rig({ txRing: 40, xdp: [verdicts(XDP_TX)] });
    rig.ready(19);
    rig.poll();
    rig.wait(10);
    expect(rig.poll()).toBe(0);
  });
});

describe('netpoll, a budget of 0', () => {
  test('charges nothing: RX entries are made errors and their buffers reposted', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(5);
    expect(rig.pollBudget(0)).toBe(0);
    const { swStats, cpRawCons } = rig.bnapi().cpRing;
    expect(cpRawCons).toBe(10);
    expect(swStats.rxNetpollDiscards).toBe(5);
    expect(rig.ethtool()['rx_total_netpoll_discards']).toBe(5);
    expect(rig.lost()).toEqual({ netpoll: 5 });
    expect(rig.posted()).toBe(511);
    expect(rig.bells()).toEqual(['cq 10', 'rx 4', 'cq-arm 10']);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('frees no XDP frame: tx_int does nothing, and its event stays for the next poll', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(3);
    rig.poll();
    rig.wait(10);
    rig.pollBudget(0);
    expect(rig.txr().txHwCons).toBe(3);
    expect(rig.txr().txCons).toBe(0);
    rig.poll();
    expect(rig.txr().txCons).toBe(3);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a stray completion is not counted as a netpoll discard', () => {
    const rig = new Rig();
    rig.machine.faults.arm('rxCmpOutOfOrder');
    rig.ready(1);
    rig.pollBudget(0);
    expect(rig.bnapi().cpRing.swStats.rxNetpollDiscards).toBe(0);
    expect(rig.lost()).toEqual({ outOfOrder: 1 });
  });

  test('a TX completion that frees half the ring charges nothing and leaves no has_more_work', () => {
    const rig = new Rig({ txRing: 40, xdp: [verdicts(XDP_TX)] });
    rig.ready(24);
    rig.poll();
    rig.wait(10);
    expect(rig.pollBudget(0)).toBe(0);
    expect(rig.bnapi().cpRing.hasMoreWork).toBe(false);
  });
});

const halfWritten = (): Rig => {
  const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
  rig.machine.faults.arm('rxCmpHalf', 2);
  const last = rig.arrive([SMALL, SMALL, SMALL]);
  rig.cpu.idleUntil(last + 750 * PS_PER_NS); // DMA takes 702 ns, the second half 200 more
  return rig;
};

describe('a completion of which only the first half is written (-EBUSY)', () => {
  test('stops the walk, and the consumer stays on it', () => {
    const rig = halfWritten();
    const { cpRing } = rig.bnapi();
    expect(bnxtPollWork(rig.bp(), cpRing, 64)).toBe(2);
    expect(cpRing.cpRawCons).toBe(4);
    expect(rig.rxr().rxNextCons).toBe(2);
    rig.wait(1);
    expect(bnxtPollWork(rig.bp(), cpRing, 64)).toBe(1);
    expect(cpRing.cpRawCons).toBe(6);
  });

  test('the poll looks again until the rest has come: its first half counts as work', () => {
    const rig = halfWritten();
    expect(rig.poll()).toBe(3);
    expect(rig.bnapi().napi.endedBy.busy).toBeGreaterThan(0);
    expect(rig.scheduled()).toBe(false);
    expect(rig.lost()).toEqual({});
  });

  test('netpoll leaves it alone as well', () => {
    const rig = halfWritten();
    expect(rig.pollBudget(0)).toBe(0);
    expect(rig.bnapi().cpRing.cpRawCons).toBe(4);
    expect(rig.bnapi().cpRing.swStats.rxNetpollDiscards).toBe(2);
  });
});

describe('which consumer a TX completion names', () => {
  test('a coalesced one (type 2) names it directly, one per packet (type 0) by its opaque', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.machine.faults.arm('txCmpLost', 0, 1);
    rig.ready(6);
    rig.poll();
    const { cpRing } = rig.bnapi();
    const put = (type: number, opaque: number, cons: number): void => {
      const at = cpRing.cpDescRing + cpRing.cpRawCons * 16;
      txCmpWrite(rig.machine.mem.words, at, type, opaque, cons, 1);
    };
    put(CMP_TYPE_TX_L2_CMP, setTxOpaque(0, 3, 1), 0);
    bnxtPollWork(rig.bp(), cpRing, 64);
    expect(rig.txr().txCons).toBe(4);
    put(2, 0, 6);
    bnxtPollWork(rig.bp(), cpRing, 64);
    expect(rig.txr().txCons).toBe(6);
  });
});
