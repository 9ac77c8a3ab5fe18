/** Transmission, through memory and doorbells, at both paces. */
import { describe, expect, test } from 'vitest';
import { RING_ALLOC_REQ_RING_TYPE_TX } from '../../src/nic/hsi/hwrm.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_LONG_TX_BD,
} from '../../src/nic/hsi/txBd.ts';
import { TX_CMP_FIELDS, txCmpOpaque } from '../../src/nic/hsi/txCmp.ts';
import { udp } from './frames.ts';
import { fieldsAt } from './hsi/layout.ts';
import type { Rig, RigOptions } from './rig.ts';
import { TIMING, nicRig } from './rig.ts';

const count = (n: number): number => (n & 31) << TX_BD_FLAGS_BD_CNT_SHIFT;
const SINGLE = count(1) | TX_BD_FLAGS_PACKET_END;
/** 10 Gb/s: a byte takes 0.8 ns. */
const LINK = 10e9;
/**
 * Gen3 x16, 15.71 bytes a nanosecond. A frame of 1024 bytes is four completions of 20 bytes more, its
 * descriptor a fourth of 256 + 20; what goes the other way, 24 bytes for each 512, 24 / 4 for the
 * descriptor and 88 / 64 for the report, is answered with 16 bytes for each 168: 1178.27 bytes.
 */
const PCIE = {
  ...{ generation: 3, lanes: 16, maxPayload: 256, maxRead: 512, rxBufferBytes: 2 ** 18 },
  ...{ rxDescriptorBytes: 16, rxDescriptorsPerRead: 4 },
  ...{ rxCompletionBytes: 64, rxCompletionsPerWrite: 1 },
  ...{ txDescriptorBytes: 64, txDescriptorsPerRead: 4 },
  ...{ txCompletionBytes: 64, txCompletionsPerWrite: 1, packetsPerTxCompletion: 64 },
  ...{ rxRegisterWrites: 0, rxRegisterReads: 0, txRegisterWrites: 0, txRegisterReads: 0 },
};
const READ_1024_NS = 1178.274 / (8 * 2 * (128 / 130) * (1 - 4 / 1538));
/** Preamble, FCS and gap included, in nanoseconds. */
const wireNs = (len: number): number => (len + 8 + 4 + 12) * 0.8;

describe.each(['lazy', 'eager'] as const)('an %s NIC sends', (pace) => {
  const make = (queues = 1, more: Partial<RigOptions> = {}): Rig =>
    nicRig({ pace, queues, linkBps: LINK, ...more });

  const opaques = (rig: Rig, queue = 0): number[] =>
    rig.poll(queue).map(({ at }) => txCmpOpaque(rig.mem.words, at));

  test('after the time it takes to follow the doorbell, and completes after the last bit', () => {
    const rig = make();
    const bytes = udp({ lenBytes: 100 });
    rig.queueBd(bytes, SINGLE, 0x0001_0000);
    rig.at(5000);
    rig.kick();
    const end = 5000 + TIMING.txFetchNs + wireNs(100);
    rig.at(end + TIMING.txCompleteNs - 0.001);
    expect(rig.poll()).toHaveLength(0);
    rig.at(end + TIMING.txCompleteNs);
    const [found] = rig.poll();
    expect(fieldsAt(rig.mem.words, found!.at, TX_CMP_FIELDS)).toEqual({
      ...{ type: 0, error: 0, push: 0, opaque: 0x0001_0000, v: 1, bufferError: 0, sqConsIdx: 0 },
    });
    expect(rig.sent).toEqual([{ ns: end, bytes }]);
  });

  test('nothing before the doorbell', () => {
    const rig = make();
    rig.queueBd(udp(), SINGLE, 0);
    rig.at(100_000);
    expect(rig.poll()).toHaveLength(0);
    expect(rig.sent).toHaveLength(0);
  });

  test('the pieces of a chain as one frame, and completes it once, with the first opaque', () => {
    const rig = make();
    const whole = udp({ lenBytes: 300 });
    const cuts = [0, 14, 42, 150, 300];
    cuts.slice(1).forEach((end, i) => {
      const flags = (i === 0 ? count(4) : 0) | (i === 3 ? TX_BD_FLAGS_PACKET_END : 0);
      rig.queueBd(whole.slice(cuts[i], end), flags, 100 + i);
    });
    rig.queueBd(udp({ lenBytes: 61 }), SINGLE, 200);
    rig.kick();
    rig.at(50_000);
    expect(opaques(rig)).toEqual([100, 200]);
    expect(rig.sent.map(({ bytes }) => bytes.length)).toEqual([300, 61]);
    expect(rig.sent[0]!.bytes).toEqual(whole);
  });

  test('a chain of 32, counted as 0', () => {
    const rig = make();
    const whole = udp({ lenBytes: 320 });
    for (let i = 0; i < 32; i++) {
      const flags = (i === 0 ? count(32) : 0) | (i === 31 ? TX_BD_FLAGS_PACKET_END : 0);
      rig.queueBd(whole.slice(10 * i, 10 * i + 10), flags, i);
    }
    rig.kick();
    rig.at(50_000);
    expect(opaques(rig)).toEqual([0]);
    expect(rig.sent[0]!.bytes).toEqual(whole);
  });

  test('a long descriptor without the bytes its extension seems to hold', () => {
    const rig = make();
    const bytes = udp({ lenBytes: 77 });
    rig.queueBd(bytes, TX_BD_TYPE_LONG_TX_BD | count(2) | TX_BD_FLAGS_PACKET_END, 5);
    rig.queueBd(udp({ lenBytes: 400 }), 0, 6);
    rig.kick();
    rig.at(50_000);
    expect(opaques(rig)).toEqual([5]);
    expect(rig.sent.map((s) => s.bytes)).toEqual([bytes]);
  });

  test('the IPv4 and UDP checksums that the extension asks for', () => {
    const rig = make();
    const right = udp({ lenBytes: 301 });
    const wrong = right.slice();
    wrong.set([0xba, 0xad], 24);
    wrong.set([0xde, 0xad], 40);
    const flags = TX_BD_TYPE_LONG_TX_BD | count(2) | TX_BD_FLAGS_PACKET_END;
    rig.queueBd(wrong, flags, 1);
    rig.queueExt(0x3);
    rig.queueBd(wrong, flags, 2);
    rig.queueExt(0);
    rig.kick();
    rig.at(50_000);
    expect(opaques(rig)).toEqual([1, 2]);
    expect(rig.sent.map((s) => s.bytes)).toEqual([right, wrong]);
  });

  test('without a completion where none is wanted', () => {
    const rig = make();
    [1, 2, 3].forEach((opaque) =>
      rig.queueBd(udp(), SINGLE | (opaque === 2 ? TX_BD_FLAGS_NO_CMPL : 0), opaque),
    );
    rig.kick();
    rig.at(50_000);
    expect(opaques(rig)).toEqual([1, 3]);
    expect(rig.sent).toHaveLength(3);
  });

  test('one frame after the other at line rate, short ones padded to the least there is', () => {
    const rig = make();
    const lens = [60, 1514, 60, 700];
    lens.forEach((lenBytes, i) => rig.queueBd(udp({ lenBytes }), SINGLE, i));
    rig.queueBd(new Uint8Array(20), SINGLE, 4);
    rig.kick();
    rig.at(50_000);
    let end = TIMING.txFetchNs;
    const ends = [...lens, 60].map((len) => (end += wireNs(len)));
    rig.poll();
    rig.sent.forEach(({ ns }, i) => expect(ns).toBeCloseTo(ends[i]!, 6));
    expect(rig.sent).toHaveLength(5);
  });

  test('from several rings in turn', () => {
    const rig = make(3);
    for (const queue of [0, 1, 2]) {
      for (let i = 0; i < 3; i++)
        rig.queueBd(udp({ lenBytes: 100 * (queue + 1) + i }), SINGLE, i, queue);
    }
    for (const queue of [0, 1, 2]) rig.kick(queue);
    rig.at(50_000);
    for (const queue of [0, 1, 2]) expect(opaques(rig, queue)).toEqual([0, 1, 2]);
    expect(rig.sent.map(({ bytes }) => bytes.length)).toEqual([
      100, 200, 300, 101, 201, 301, 102, 202, 302,
    ]);
  });

  test('a ring whose doorbell comes while another sends waits one frame, not a whole ring', () => {
    const rig = make(2);
    for (let i = 0; i < 4; i++) rig.queueBd(udp({ lenBytes: 1514 }), SINGLE, i, 0);
    rig.kick(0);
    rig.at(500);
    rig.queueBd(udp({ lenBytes: 60 }), SINGLE, 9, 1);
    rig.kick(1);
    rig.at(50_000);
    rig.poll(0);
    // its data is there at 1400, while the first frame (900 to 2130) is on the wire
    expect(rig.sent.map(({ bytes }) => bytes.length)).toEqual([1514, 60, 1514, 1514, 1514]);
  });

  describe('at 100 Gb/s, where a queue has a slot of 25 ns besides the read,', () => {
    const SLOTTED = { linkBps: 10 * LINK, txQueueSlotNs: 25, pcie: PCIE };
    const N = 20;
    const sendEach = (rig: Rig, queues: number, lenBytes: number): void => {
      for (let queue = 0; queue < queues; queue++) {
        for (let i = 0; i < N; i++) rig.queueBd(udp({ lenBytes }), SINGLE, i, queue);
      }
      for (let queue = 0; queue < queues; queue++) rig.kick(queue);
      rig.at(50_000);
      for (let queue = 0; queue < queues; queue++) rig.poll(queue);
    };

    test('slower than the link from one ring', () => {
      const rig = make(1, SLOTTED);
      sendEach(rig, 1, 1024);
      expect(rig.sent).toHaveLength(N);
      rig.sent.forEach(({ ns }, i) =>
        expect(ns - TIMING.txFetchNs - wireNs(1024) / 10).toBeCloseTo(i * (25 + READ_1024_NS), 1),
      );
    });

    test('as fast as it from two', () => {
      const rig = make(2, SLOTTED);
      sendEach(rig, 2, 1024);
      expect(rig.sent).toHaveLength(2 * N);
      rig.sent.forEach(({ ns }, i) =>
        expect(ns - TIMING.txFetchNs).toBeCloseTo(((i + 1) * wireNs(1024)) / 10, 6),
      );
    });

    test('twice as fast from two as from one, where the link has room for it', () => {
      const [one, two] = [1, 2].map((queues) => {
        const rig = make(queues, { ...SLOTTED, txQueueSlotNs: 500 });
        sendEach(rig, queues, 1024);
        return rig.sent.at(-1)!.ns - TIMING.txFetchNs;
      });
      const wire = wireNs(1024) / 10;
      expect(one).toBeCloseTo((N - 1) * (500 + READ_1024_NS) + wire, 0);
      expect(two).toBeCloseTo((N - 1) * (500 + READ_1024_NS) + 2 * wire, 0);
    });

    test('at once what comes when the slot is over', () => {
      const rig = make(1, { linkBps: 10 * LINK, txQueueSlotNs: 200 });
      const starts = [0, 100, 1000];
      for (const ns of starts) {
        rig.at(ns);
        rig.queueBd(udp({ lenBytes: 100 }), SINGLE, ns);
        rig.kick();
      }
      rig.at(50_000);
      rig.poll();
      const began = rig.sent.map(({ ns }) => ns - TIMING.txFetchNs - wireNs(100) / 10);
      [0, 200, 1000].forEach((ns, i) => expect(began[i]).toBeCloseTo(ns, 6));
    });
  });

  test('and books how long frames of short descriptors are under way, if that is wanted', () => {
    const rig = make(1, { booksFrames: true });
    const long = TX_BD_TYPE_LONG_TX_BD | count(2) | TX_BD_FLAGS_PACKET_END;
    rig.queueBd(udp({ lenBytes: 100 }), SINGLE, 1);
    rig.queueBd(udp({ lenBytes: 200 }), long, 2);
    rig.queueExt(0);
    rig.queueBd(udp({ lenBytes: 300 }), SINGLE | TX_BD_FLAGS_NO_CMPL, 3);
    rig.at(100);
    rig.kick();
    rig.at(5000);
    rig.queueBd(udp({ lenBytes: 400 }), SINGLE, 4);
    rig.kick();
    rig.at(50_000);
    rig.poll();
    // the first, the third behind two others, and one that comes when all is over
    const sent = [wireNs(100), wireNs(100) + wireNs(200) + wireNs(300), wireNs(400)];
    const each = TIMING.txFetchNs + TIMING.txCompleteNs;
    const all = sent.reduce((sum, ns) => sum + each + ns, 0);
    expect(rig.nic.tx.underWayPs / 1000).toBeCloseTo(all, 3);
  });

  test('on and on past the end of its ring', () => {
    const rig = make();
    const seen: number[] = [];
    for (let i = 0; i < 600; i++) {
      rig.queueBd(udp({ lenBytes: 60 + (i % 50) }), SINGLE, i);
      rig.kick();
      rig.at(5000 * (i + 1));
      seen.push(...opaques(rig));
      rig.acknowledge();
    }
    expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i));
    expect(rig.sent.map(({ bytes }) => bytes.length)).toEqual(seen.map((i) => 60 + (i % 50)));
  });

  test('nothing more once its ring is freed, and tells where it stopped', () => {
    const rig = make();
    for (let i = 0; i < 5; i++) rig.queueBd(udp({ lenBytes: 1514 }), SINGLE, i);
    rig.kick();
    rig.at(TIMING.txFetchNs + 1.5 * wireNs(1514)); // the second frame is on its way
    expect(rig.hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_TX, rig.q(0).txId, rig.cpu.now)).toBe(2);
    rig.at(100_000);
    rig.poll();
    expect(rig.sent).toHaveLength(2);
    expect(rig.nic.tx.fates.onWire).toBe(2);
    expect(rig.hwrm.portQstats(rig.cpu.now).txGoodFrames).toBe(2);
  });

  test('and counts by the kind of address', () => {
    const rig = make();
    const to = [
      undefined,
      { hi16: 0xffff, lo32: 0xffff_ffff },
      { hi16: 0x0100, lo32: 0x5e00_0001 },
      { hi16: 0x3333, lo32: 1 },
    ];
    to.forEach((dst, i) =>
      rig.queueBd(udp({ lenBytes: 70, ...(dst === undefined ? {} : { dst }) }), SINGLE, i),
    );
    rig.kick();
    rig.at(50_000);
    rig.poll();
    const stats = rig.hwrm.statCtxQuery(0, rig.cpu.now);
    expect(stats).toMatchObject({ txUcastPkts: 1, txBcastPkts: 1, txMcastPkts: 2 });
    expect(stats).toMatchObject({ txUcastBytes: 70, txBcastBytes: 70, txMcastBytes: 140 });
  });
});
