import { describe, expect, test } from 'vitest';
import { RX_CONS_FORCED_ERROR } from '../../../src/driver/bnxt/bnxt.ts';
import type { CompletionRing } from '../../../src/nic/completionRing.ts';
import { setTxOpaque } from '../../../src/nic/hsi/txBd.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, SMALL, program, udpFrame, verdicts } from './rig.ts';

const stream = (n: number, frame = SMALL): Uint8Array[] => Array.from({ length: n }, () => frame);
const AFTER_PS = 200_000;

/** Frames come in, a fault strikes after `after` completions, and later as many frames again. */
function struck(rig: Rig, fault: string, after: number, every?: number): void {
  rig.machine.faults.arm(fault, after, every);
  rig.arrive(stream(500), 0, AFTER_PS);
  rig.run();
  rig.machine.faults.disarm();
  rig.arrive(stream(500), 0, AFTER_PS);
  rig.run();
}

describe('a completion out of order', () => {
  test('stops the ring: every packet is thrown away, the RX doorbell stays silent, one reset is queued', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpOutOfOrder', 3);
    rig.ready(10);
    rig.trace();
    rig.poll();
    expect(rig.bnapi().inReset).toBe(true);
    expect(rig.rxr().rxNextCons).toBe(RX_CONS_FORCED_ERROR);
    expect(rig.lost()).toEqual({ outOfOrder: 7 });
    expect(rig.events('reset')).toEqual([[0, 0]]);
    expect(rig.bells()).toEqual(['cq 20', 'cq-arm 20']);
    expect(rig.machine.net.dmesg.lines).toEqual(['eth0: RX cons 2 != expected cons 3']);
  });

  test('the reset starts again at slot 0 with 511 buffers, counts, and packets flow', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpOutOfOrder', 3);
    rig.ready(10);
    rig.poll();
    rig.run(); // the work runs
    expect(rig.bnapi().inReset).toBe(false);
    expect(rig.rxr()).toMatchObject({ rxNextCons: 0, rxProd: 511 });
    expect(rig.posted()).toBe(511);
    expect(rig.ethtool()).toMatchObject({ '[0]: rx_resets': 1, rx_total_resets: 1 });
    rig.ready(600);
    do rig.poll();
    while (rig.scheduled());
    expect(rig.fates()).toMatchObject({ offered: 610, received: 521, xdpDrop: 514 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('only the ring that is broken is reset', () => {
    const rig = new Rig({ queues: 2, xdp: [verdicts(XDP_DROP)] });
    rig.bp().rssIndirTbl.fill(1);
    rig.machine.attachXdp(0, verdicts(XDP_DROP)); // opened anew, all traffic to queue 1
    const other = rig.rxr(0).rxProd;
    rig.machine.faults.arm('rxCmpOutOfOrder', 3);
    rig.ready(10);
    rig.poll(1);
    rig.run();
    expect(rig.rxr(0).rxProd).toBe(other);
    expect(rig.ethtool()).toMatchObject({ '[0]: rx_resets': 0, '[1]: rx_resets': 1 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test.each([
    ['drop', XDP_DROP],
    ['tx', XDP_TX],
    ['pass', XDP_PASS],
  ])('in the middle of traffic (%s): it recovers, and nothing is lost silently', (_name, act) => {
    const rig = new Rig({ xdp: [verdicts(act)] });
    struck(rig, 'rxCmpOutOfOrder', 250);
    const fates = rig.fates();
    expect(fates.offered).toBe(1000);
    const second = fates.xdpDrop + fates.xdpTx + fates.xdpPass;
    expect(second).toBeGreaterThanOrEqual(750); // all but what fell into the reset
    expect(Object.keys(rig.lost())).toEqual(expect.arrayContaining(['outOfOrder']));
    expect(rig.ethtool()['rx_total_resets']).toBeGreaterThan(0);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('again and again, with transmissions and copies under way', () => {
    let i = 0;
    const rig = new Rig({
      xdp: [program(() => [XDP_TX, XDP_PASS, XDP_DROP, XDP_TX][i++ % 4]!)],
    });
    rig.machine.faults.arm('rxCmpOutOfOrder', 100, 300);
    rig.arrive(
      Array.from({ length: 6000 }, (_, n) => (n % 3 === 0 ? LARGE : SMALL)),
      0,
      AFTER_PS,
    );
    rig.run();
    expect(rig.ethtool()['rx_total_resets']).toBeGreaterThan(5);
    expect(rig.fates().imbalance()).toEqual(NOTHING.imbalance);
    expect(rig.buffers()).toBe(511);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
  const LARGE = udpFrame(900);
});

describe('a buffer error', () => {
  test('is counted, warned of once, and resets the ring', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpBuffer', 3);
    rig.ready(10);
    rig.poll();
    expect(rig.lost()).toEqual({ rxError: 1 });
    expect(rig.bnapi().inReset).toBe(true);
    expect(rig.machine.net.dmesg.lines).toEqual(['eth0: RX buffer error 6']);
    rig.run();
    expect(rig.ethtool()).toMatchObject({
      '[0]: rx_buf_errors': 1,
      rx_total_buf_errors: 1,
      '[0]: rx_resets': 1,
      '[0]: rx_errors': 1,
    });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('as read: packets behind it are received until the reset runs, though the doorbell is silent', () => {
    // bnxt_rx_pkt goes on to advance rx_next_cons, which wipes out the forced error it has just set
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.machine.faults.arm('rxCmpBuffer', 3);
    rig.ready(10);
    expect(rig.poll()).toBe(9);
    expect(rig.rxr().rxNextCons).toBe(10);
    expect(rig.bells()).toEqual(['cq 20', 'cq-arm 20']);
    expect(rig.fates().xdpDrop).toBe(9);
  });

  test('a CRC error alone resets nothing', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    struck(rig, 'rxCmpCrc', 3, 5);
    expect(rig.ethtool()).toMatchObject({ rx_total_resets: 0, rx_total_buf_errors: 0 });
    expect(rig.ethtool()['rx_fcs_err_frames']).toBe(100); // one in five of the first 500, from the fourth on
    expect(rig.lost()).toEqual({ rxCrc: 100 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  /**
   * The driver trusts the length the NIC reports (facts 14, #6); so the clamp stands in the NIC: what
   * does not fit its buffer is cut there, and reported as an error the driver must not use.
   */
  test('a frame longer than its buffer is cut by the NIC and reported, nothing behind is touched', () => {
    const rig = new Rig({ mtu: 500, xdp: [verdicts(XDP_PASS)] }); // buffers of 576
    rig.hw().classes.mru = 1500; // a MAC that lets through what the driver did not ask for
    const page = rig.slotPage(0);
    const { u8 } = rig.machine.mem;
    u8.fill(0xee, page, page + 4096);
    rig.ready(1, udpFrame(1000));
    rig.poll();
    expect(rig.lost()).toEqual({ rxError: 1 });
    expect(rig.ethtool()['rx_total_buf_errors']).toBe(1);
    expect(u8[page + 256 + 575]).toBe(udpFrame(1000)[575]);
    expect([...u8.subarray(page + 256 + 576, page + 4096)].every((b) => b === 0xee)).toBe(true);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

/** Five packets are queued and sent; the NIC then completes three more that never were. */
const invalid = (): Rig => {
  const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
  rig.machine.faults.arm('txCmpLost', 0, 1);
  rig.ready(5);
  rig.poll();
  rig.wait(10);
  rig.hw().settleAll(rig.cpu.now); // the NIC is lazy: let it lose them while it is told to
  const cp = rig.hw().bells[rig.bnapi().cpRing.fwRingId] as CompletionRing;
  cp.pendTx(rig.cpu.now, setTxOpaque(0, 7, 1));
  rig.machine.faults.disarm();
  return rig;
};

describe('a TX completion for which nothing was queued', () => {
  test('is logged, stops tx_int, and the whole device is reset', () => {
    const rig = invalid();
    rig.trace();
    rig.poll();
    expect(rig.machine.net.dmesg.lines).toEqual([
      'eth0: Invalid Tx completion (ring:0 tx_hw_cons:8 cons:0 prod:5 curr:5)',
    ]);
    expect(rig.bnapi().txFault).toBe(true);
    expect(rig.txr().txCons).toBe(0); // not published
    expect(rig.events('reset')).toEqual([[0, 1]]);
    rig.wait(5);
    rig.poll();
    expect(rig.txr().txCons).toBe(0); // and never looked at again
    const { bnapi } = rig.bp();
    rig.run();
    expect(rig.bp().bnapi === bnapi).toBe(false);
    expect(rig.ethtool()).toMatchObject({ tx_total_resets: 1, rx_total_resets: 0 });
  });

  test('the device works afterwards, and no page is missing', () => {
    const rig = invalid();
    rig.poll();
    rig.run();
    rig.ready(7);
    rig.poll();
    rig.run();
    expect(rig.fates()).toMatchObject({ xdpTx: 12, onWire: 12 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a device that is closed with a reset pending counts it and does not reset again', () => {
    const rig = invalid();
    rig.poll();
    expect(rig.leftOver()).toEqual(NOTHING);
    rig.run(rig.cpu.now);
    expect(rig.ethtool()['tx_total_resets']).toBe(1);
  });
});

test('an RX reset pending while the device is closed counts as one', () => {
  const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
  rig.machine.faults.arm('rxCmpOutOfOrder');
  rig.ready(4);
  rig.poll();
  expect(rig.leftOver()).toEqual(NOTHING);
  expect(rig.ethtool()['rx_total_resets']).toBe(1);
});
