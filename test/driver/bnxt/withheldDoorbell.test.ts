/**
 * XDP_TX and the RX doorbell (facts 3.4). A transmitted page stands in an RX slot again before the
 * NIC has read it, so the NIC must not be told of that slot until the transmission has completed.
 */
import { describe, expect, test } from 'vitest';
import type { Fates } from '../../../src/host/fates.ts';
import { devClose, devOpen } from '../../../src/stack/netdevice.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, SMALL, program, verdicts } from './rig.ts';
import { swTxBdAt, swTxBdRxProd } from '../../../src/driver/bnxt/swTxBd.ts';

const FRAME = SMALL;

describe('what is told to the NIC, and when', () => {
  test('nothing while an XDP_TX is under way; on completion the producer behind it', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(5);
    rig.poll();
    expect(rig.posted()).toBe(506);
    rig.wait(10);
    rig.poll();
    expect(rig.posted()).toBe(511);
  });

  test('of several completions in one walk the last one counts, with one doorbell', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX, XDP_TX, XDP_DROP, XDP_TX, XDP_DROP, XDP_DROP)] });
    rig.ready(6);
    rig.poll();
    rig.wait(10);
    rig.bells();
    rig.poll();
    // slots 511, 0, 1 and 2 (sent, sent, dropped, sent); the two dropped behind it stay back
    expect(rig.bells()).toEqual(['cq 15', 'rx 3', 'cq-arm 15']);
    expect(rig.posted()).toBe(509);
  });

  test('packets dropped behind an outstanding transmission are posted with the next RX event', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX, XDP_DROP)] });
    rig.ready(6);
    rig.poll();
    rig.wait(10);
    rig.poll();
    expect(rig.posted()).toBe(506); // five dropped ones are missing
    rig.wait(1000);
    rig.poll();
    expect(rig.posted()).toBe(506); // and no time brings them back
    rig.ready(1);
    rig.poll();
    expect(rig.posted()).toBe(511);
  });

  test('a packet dropped before the first transmission of its walk is withheld with it', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP, XDP_DROP, XDP_TX)] });
    rig.ready(3);
    rig.poll();
    expect(rig.bells()).toEqual(['tx 1', 'cq 6', 'cq-arm 6']);
    rig.wait(10);
    rig.poll();
    expect(rig.bells()).toEqual(['cq 7', 'rx 2', 'cq-arm 7']);
    expect(rig.posted()).toBe(511);
  });

  test('an XDP_PASS behind an outstanding transmission is withheld as well', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX, XDP_PASS)] });
    rig.ready(4);
    rig.poll();
    expect(rig.posted()).toBe(507);
    expect(rig.fates().toStack).toBe(3);
  });

  /** Linux posts it at once, next to pages that are still being sent; a hazard that is not copied. */
  test('so is the buffer of a frame with a hardware error; with an empty TX ring it is posted', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.machine.faults.arm('rxCmpCrc', 1);
    rig.ready(2);
    rig.poll();
    expect(rig.bells()).toEqual(['tx 1', 'cq 4', 'cq-arm 4']);
    const idle = new Rig({ xdp: [verdicts(XDP_TX)] });
    idle.machine.faults.arm('rxCmpCrc');
    idle.ready(1);
    idle.poll();
    expect(idle.bells()).toEqual(['cq 2', 'rx 0', 'cq-arm 2']);
  });

  test('the shadow entry remembers the producer behind its own slot', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(3);
    rig.poll();
    const { words, xdpBufRing } = rig.txr();
    expect([0, 1, 2, 3].map((i) => swTxBdRxProd(words, swTxBdAt(xdpBufRing, i)))).toEqual([
      ...[512, 513, 514, 0],
    ]);
  });

  test('it survives the wrap of the 16-bit producer', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)], check: false });
    for (let round = 0; round < 140; round++) {
      rig.ready(500);
      for (;;) {
        rig.poll();
        if (rig.scheduled()) continue;
        rig.wait(100);
        rig.poll();
        if (!rig.scheduled() && rig.txr().txCons === rig.txr().txProd) break;
      }
      expect(rig.posted()).toBe(511);
    }
    expect(rig.rxr().rxProd).toBe((511 + 140 * 500) & 0xffff);
    expect(rig.fates().onWire).toBe(70_000);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a transmission that never completes', () => {
  test('starves the ring: 511 packets come in, the rest finds no buffer', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX, XDP_DROP)] });
    rig.machine.faults.arm('txCmpLost');
    rig.arrive(Array.from({ length: 2000 }, () => FRAME));
    rig.run();
    expect(rig.fates()).toMatchObject({ offered: 2000, received: 511, xdpTx: 1, xdpDrop: 510 });
    expect(rig.lost()).toEqual({ noBuffer: 1489 });
    expect(rig.ethtool()['[0]: rx_discards']).toBe(1489);
    expect(rig.posted()).toBe(0);
    expect(rig.buffers()).toBe(511); // they all stand in the ring; the NIC has not been told
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a lost completion is made good by the next one: it names the consumer behind both', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.machine.faults.arm('txCmpLost');
    rig.arrive(Array.from({ length: 2000 }, () => FRAME));
    rig.run();
    expect(rig.fates()).toMatchObject({ received: 2000, xdpTx: 2000, onWire: 2000 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('the TX ring fills, and from then on transmissions are losses', () => {
    const rig = new Rig({ txRing: 100, xdp: [verdicts(XDP_TX)] });
    rig.machine.faults.arm('txCmpLost', 0, 1);
    rig.arrive(Array.from({ length: 700 }, () => FRAME));
    rig.run();
    expect(rig.fates()).toMatchObject({ xdpTx: 100, onWire: 100 });
    expect(rig.lost()).toEqual({ txRingFull: 411, noBuffer: 189 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

/**
 * As read: `bnxt_rx_xdp` looks at whether the TX ring is empty, not at whose packets stand on it,
 * and `bnxt_tx_int_xdp` writes the RX doorbell only for XDP_TX. So frames that another NIC
 * redirects here hold back this NIC's own buffers, and their completions do not give them back.
 */
describe('redirects from another NIC on the same XDP TX ring', () => {
  const toEth1 = program((ctx) => ctx.redirect(3));
  const rigOf = (): Rig => new Rig({ nics: 2, xdp: [toEth1, verdicts(XDP_DROP)] });

  test('withhold the RX doorbell of packets that were only dropped', () => {
    const rig = rigOf();
    rig.ready(1, FRAME, 0);
    rig.poll(0, 0); // its frame stands on the ring of eth1
    rig.arrive([FRAME, FRAME, FRAME], 1, 100);
    rig.cpu.idleUntil(rig.cpu.now + 750_000);
    rig.machine.faults.arm('txCmpLost', 0, 1);
    rig.bells();
    rig.poll(0, 1);
    expect(rig.bells(1)).toEqual(['cq 6', 'cq-arm 6']);
    expect(rig.posted(0, 1)).toBe(508);
  });

  test('their completion rings no RX doorbell either: what was withheld waits for a packet', () => {
    const rig = rigOf();
    rig.ready(1, FRAME, 0);
    rig.poll(0, 0);
    rig.arrive([FRAME, FRAME, FRAME], 1, 100);
    rig.cpu.idleUntil(rig.cpu.now + 750_000);
    rig.poll(0, 1);
    rig.wait(10);
    rig.bells();
    rig.poll(0, 1);
    expect(rig.txr(0, 1).txCons).toBe(1);
    expect(rig.bells(1)).toEqual(['cq 7', 'cq-arm 7']);
    expect(rig.posted(0, 1)).toBe(508);
    rig.ready(1, FRAME, 1);
    rig.poll(0, 1);
    expect(rig.posted(0, 1)).toBe(511);
  });

  test('kept non-empty while 511 packets come in they starve reception for good', () => {
    const rig = new Rig({ nics: 2, cpus: 2, xdp: [toEth1, verdicts(XDP_DROP)] });
    rig.arrive(
      Array.from({ length: 20_000 }, () => FRAME),
      0,
      150_000,
    ); // 6.7 Mpps in, out of eth1
    rig.arrive(
      Array.from({ length: 4_000 }, () => FRAME),
      1,
      500_000,
    );
    rig.run();
    const eth1 = (): Fates => rig.machine.result().nics[1]!.fates;
    expect(eth1()).toMatchObject({ offered: 4_000, received: 511, xdpDrop: 511 });
    expect(rig.posted(0, 1)).toBe(0);
    expect(rig.txr(0, 1).txCons).toBe(rig.txr(0, 1).txProd); // the last redirect has long been sent

    rig.arrive(
      Array.from({ length: 10 }, () => FRAME),
      1,
      500_000,
    );
    rig.run();
    expect(eth1()).toMatchObject({ offered: 4_010, received: 511 });

    devClose(rig.dev(1));
    devOpen(rig.dev(1)); // what an administrator would try, and it helps
    rig.arrive(
      Array.from({ length: 10 }, () => FRAME),
      1,
      500_000,
    );
    rig.run();
    expect(eth1()).toMatchObject({ offered: 4_020, received: 521 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});
