import { describe, expect, test } from 'vitest';
import { bnxtSetRingParams } from '../../../src/driver/bnxt/rings.ts';
import { swRxBdAt, swRxBdDataPtr } from '../../../src/driver/bnxt/swRxBd.ts';
import { bnxtTxIntXdp } from '../../../src/driver/bnxt/xdp.ts';
import type { HwrmRingAggintInput } from '../../../src/nic/hsi/hwrm.ts';
import { rxBdHaddr } from '../../../src/nic/hsi/rxBd.ts';
import { XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, SMALL, verdicts } from './rig.ts';

const PASS = verdicts(XDP_PASS);

describe('sizes of rings (facts 1.13)', () => {
  /** RX ring, TX ring, RX slots, TX slots, completion slots, wake threshold. */
  test.each([
    [511, 511, 512, 512, 2048, 255],
    [512, 512, 1024, 1024, 2048, 256],
    [2047, 2047, 2048, 2048, 8192, 1023],
    [8191, 2047, 8192, 2048, 32768, 1023],
    [255, 255, 256, 256, 1024, 127],
    [1, 19, 256, 256, 256, 19],
    [511, 38, 512, 256, 2048, 19],
    [511, 40, 512, 256, 2048, 20],
    [8191, 19, 8192, 256, 32768, 19],
  ])('%i/%i: %i and %i slots, %i completions; wakes at %i', (rxRing, txRing, rx, tx, cp, wake) => {
    const rig = new Rig({ rxRing, txRing, check: false, xdp: [PASS] });
    const bp = rig.bp();
    expect(rig.rxr().rxRingMask + 1).toBe(rx);
    expect(rig.txr().txRingMask + 1).toBe(tx);
    expect(rig.bnapi().cpRing).toMatchObject({ cpBit: cp, cpRingMask: cp - 1 });
    expect(bp.txWakeThresh).toBe(wake);
    expect(rig.posted()).toBe(rxRing);
    expect(rig.buffers()).toBe(rxRing);
  });

  test('a completion ring of the largest rings would need more than 32768 entries, and gets those', () => {
    const rig = new Rig({ closed: true, check: false });
    rig.bp().rxRingSize = 16_383; // no ethtool sets this: the cap must hold all the same
    bnxtSetRingParams(rig.bp());
    expect(rig.bp().cpBit).toBe(32_768);
  });

  test.each<[string, RigOptions, string]>([
    ['rx 8192', { rxRing: 8192 }, 'eth0 rx ring: 8192 is out of range (1 to 8191)'],
    ['rx 0', { rxRing: 0 }, 'eth0 rx ring: 0 is out of range (1 to 8191)'],
    ['tx 18', { txRing: 18 }, 'eth0 tx ring: 18 is out of range (19 to 2047)'],
    ['tx 2048', { txRing: 2048 }, 'eth0 tx ring: 2048 is out of range (19 to 2047)'],
    ['rx 1.5', { rxRing: 1.5 }, 'eth0 rx ring: 1.5 is out of range (1 to 8191)'],
  ])('%s is refused', (_name, options, message) => {
    expect(() => new Rig(options)).toThrow(message);
  });
});

const pagesOf = (rig: Rig): number =>
  new Set(
    rig
      .slots()
      .filter((data) => data !== 0)
      .map((data) => data >>> 12),
  ).size;

describe('buffers', () => {
  /** MTU, with program; bytes the NIC is told of, bytes allocated, offset of the packet. */
  test.each([
    [1500, false, 1536, 2112, 64],
    [1500, true, 1536, 2112, 256],
    [60, true, 128, 704, 256],
    [1000, false, 1024, 1600, 64],
    [3498, false, 3520, 4096, 64],
    [3502, true, 3520, 4096, 256],
  ])('MTU %i, program %s: %i of %i bytes, the packet at %i', (mtu, xdp, use, size, offset) => {
    const rig = new Rig({ mtu, xdp: [xdp ? PASS : null] });
    expect(rig.bp()).toMatchObject({
      rxBufUseSize: use,
      rxBufSize: size,
      rxOffset: offset,
      rxDmaOffset: offset,
    });
    const rxr = rig.rxr();
    const { words } = rig.machine.mem;
    const data = rig.slotData(7);
    expect(rxBdHaddr(words, rxr.rxDescRing + 7 * 16)).toBe(data + offset);
    expect(swRxBdDataPtr(words, swRxBdAt(rxr.rxBufRing, 7))).toBe(data + offset);
  });

  test('descriptors are stamped once: type, length and slot stay, addresses move', () => {
    const rig = new Rig({ xdp: [PASS] });
    const { words } = rig.machine.mem;
    const base = rig.rxr().rxDescRing >> 2;
    const stamped = (): boolean =>
      Array.from({ length: 512 }, (_, slot) => slot).every(
        (slot) => words[base + slot * 4] === 0x06000084 && words[base + slot * 4 + 1] === slot,
      );
    expect(stamped()).toBe(true);
    const first = words[base + 2];
    rig.ready(1000);
    while (rig.poll() === 64);
    expect(stamped()).toBe(true);
    expect(words[base + 2]).not.toBe(first);
  });

  test('with a program each buffer is a page of its own; without one two small buffers share it', () => {
    expect(pagesOf(new Rig({ mtu: 1000, xdp: [PASS] }))).toBe(511);
    expect(pagesOf(new Rig({ mtu: 1000 }))).toBe(256);
    expect(pagesOf(new Rig({ mtu: 300 }))).toBe(128); // 960 bytes: four to a page
  });
});

const layout = (rig: Rig): object[] =>
  rig.bp().txRing.map(({ index, bnapi, txNapiIdx, txqIndex }) => ({
    index,
    napi: bnapi.index,
    txNapiIdx,
    txqIndex,
  }));

describe('who serves which ring (facts 3.6)', () => {
  test('without a program: one NAPI per queue, with its RX and its TX ring', () => {
    const rig = new Rig({ queues: 3 });
    expect(
      rig
        .bp()
        .bnapi.map((b) => [
          b.rxRing?.index,
          b.txRing.map((t) => t.index),
          b.txInt === bnxtTxIntXdp ? 1 : 0,
        ]),
    ).toEqual([
      [0, [0], 0],
      [1, [1], 0],
      [2, [2], 0],
    ]);
    expect(layout(rig)).toEqual(
      [0, 1, 2].map((i) => ({ index: i, napi: i, txNapiIdx: 0, txqIndex: i })),
    );
    expect(rig.rxr(1).txr).toBeNull();
  });

  test('with one: XDP ring i joins RX ring i, the stack rings get NAPIs of their own behind', () => {
    const rig = new Rig({ queues: 3, xdp: [PASS] });
    expect(
      rig
        .bp()
        .bnapi.map((b) => [
          b.rxRing?.index ?? null,
          b.txRing.map((t) => t.index),
          b.txInt === bnxtTxIntXdp ? 1 : 0,
        ]),
    ).toEqual([
      [0, [0], 1],
      [1, [1], 1],
      [2, [2], 1],
      [null, [3], 0],
      [null, [4], 0],
      [null, [5], 0],
    ]);
    expect(layout(rig)).toEqual([
      ...[0, 1, 2].map((i) => ({ index: i, napi: i, txNapiIdx: 0, txqIndex: -1 })),
      ...[0, 1, 2].map((i) => ({ index: 3 + i, napi: 3 + i, txNapiIdx: 0, txqIndex: i })),
    ]);
    for (const i of [0, 1, 2]) expect(rig.rxr(i).txr).toBe(rig.txr(i));
    expect(rig.machine.nics[0]!.vectors.map((v) => v.handler !== null)).toEqual(
      Array(6).fill(true),
    );
    expect(rig.bp().xdpLockingKey).toBe(false);
  });

  test('XDP_TX on queue i goes out of XDP ring i', () => {
    const rig = new Rig({ queues: 3, xdp: [verdicts(XDP_TX)] });
    rig.bp().rssIndirTbl.fill(2);
    rig.machine.attachXdp(0, verdicts(XDP_TX));
    rig.ready(4);
    rig.poll(2);
    expect(rig.bp().txRing.map((txr) => txr.txProd)).toEqual([0, 0, 4, 0, 0, 0]);
    rig.run();
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('the descriptor of an XDP_TX packet', () => {
  test('60 bytes: short, one descriptor, packet end', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    const { words } = rig.machine.mem;
    const page = rig.slotPage(0);
    rig.ready(1, SMALL.slice(0, 60));
    rig.poll();
    const at = rig.txr().txDescRing >> 2;
    expect([words[at], words[at + 1], words[at + 2], words[at + 3]]).toEqual([
      0x003c0140,
      0x00010000,
      page + 256,
      0,
    ]);
  });

  test('the index in its opaque is masked by the ring, the producer is not', () => {
    const rig = new Rig({ txRing: 255, check: false, xdp: [verdicts(XDP_TX)] });
    const { words } = rig.machine.mem;
    rig.arrive(
      Array.from({ length: 258 }, () => SMALL),
      0,
      1_000_000,
    );
    rig.run();
    const at = rig.txr().txDescRing >> 2;
    expect(rig.txr().txProd).toBe(258);
    expect(words[at + 1 * 4 + 1]).toBe(0x0001_0001);
  });
});

/** What the firmware was told, by completion ring. */
function told(rig: Rig): HwrmRingAggintInput[] {
  const said: HwrmRingAggintInput[] = [];
  const { hwrm } = rig.bp().pdev;
  const real = hwrm.ringCmplRingCfgAggintParams.bind(hwrm);
  hwrm.ringCmplRingCfgAggintParams = (req, now): void => {
    said.push(req);
    real(req, now);
  };
  rig.machine.open();
  return said;
}

describe('interrupt coalescing', () => {
  test('10 us are 125 ticks of 80 ns: at least half of that, a quarter for the DMA timer; 15 frames are 30 records', () => {
    const [rx] = told(new Rig({ closed: true }));
    expect(rx).toEqual({
      ringId: 0,
      numCmplAggrInt: 30,
      numCmplDmaAggr: 30,
      numCmplDmaAggrDuringInt: 2,
      intLatTmrMax: 125,
      intLatTmrMin: 62,
      cmplAggrDmaTmr: 31,
      cmplAggrDmaTmrDuringInt: 12,
      flags: 2, // ring idle: 10 us are below the idle threshold of 50
    });
  });

  test('a ring that serves only the stack TX ring has the TX settings: 28 us are 350 ticks', () => {
    const [, tx] = told(new Rig({ closed: true, xdp: [PASS] }));
    expect(tx).toMatchObject({
      numCmplAggrInt: 30,
      intLatTmrMax: 350,
      intLatTmrMin: 175,
      cmplAggrDmaTmr: 87,
      cmplAggrDmaTmrDuringInt: 25,
      flags: 0, // bnxt gives transmission no idle threshold
    });
  });

  test('transmission is limited by no poll: 128 records', () => {
    const [, tx] = told(new Rig({ closed: true, xdp: [PASS], txFrames: 500 }));
    expect(tx).toMatchObject({ numCmplAggrInt: 128, numCmplDmaAggr: 63 });
  });

  test.each([
    [
      'frames are capped by the NAPI budget of 64, two records each',
      { rxFrames: 500 },
      { numCmplAggrInt: 128, numCmplDmaAggr: 63 },
    ],
    ['0 frames count as one record', { rxFrames: 0 }, { numCmplAggrInt: 1 }],
    [
      '0 us count as one tick',
      { rxUsecs: 0 },
      { intLatTmrMax: 1, intLatTmrMin: 1, cmplAggrDmaTmr: 1 },
    ],
    ['50 us and more set no idle flag', { rxUsecs: 50 }, { intLatTmrMax: 625, flags: 0 }],
    [
      'ticks are counted in 16 bits: 10 ms are 125,000 - 65,536 of them',
      { rxUsecs: 10_000 },
      { intLatTmrMax: 59_464, intLatTmrMin: 29_732, cmplAggrDmaTmr: 14_866 },
    ],
  ])('%s', (_name, options, expected) => {
    const [rx] = told(new Rig({ closed: true, ...options }));
    expect(rx).toMatchObject(expected);
  });
});

const keys = (): number[][] => {
  const rig = new Rig({ nics: 2 });
  return [[...rig.bp(0).rssKey], [...rig.bp(1).rssKey]];
};

describe('RSS', () => {
  test('entry i of the indirection table leads to ring i modulo their number', () => {
    const rig = new Rig({ queues: 5 });
    expect([...rig.bp().rssIndirTbl]).toEqual(Array.from({ length: 128 }, (_, i) => i % 5));
  });

  test('the key has 40 bytes, comes from the seed, and differs between NICs', () => {
    const [first, second] = keys();
    expect(first).toHaveLength(40);
    expect(new Set(first).size).toBeGreaterThan(20);
    expect(first).not.toEqual(second);
    expect(keys()).toEqual([first, second]);
  });

  test('hash types: IPv4 and IPv6, with TCP and UDP ports', () => {
    expect(new Rig({ closed: true }).bp().rssHashCfg).toBe(0b111111);
  });
});

describe('ethtool -S', () => {
  const RING = (
    'rx_ucast_packets rx_mcast_packets rx_bcast_packets rx_discards rx_errors rx_ucast_bytes rx_mcast_bytes ' +
    'rx_bcast_bytes tx_ucast_packets tx_mcast_packets tx_bcast_packets tx_errors tx_discards tx_ucast_bytes ' +
    'tx_mcast_bytes tx_bcast_bytes rx_l4_csum_errors rx_resets rx_buf_errors missed_irqs'
  ).split(' ');
  const TOTALS = (
    'rx_total_l4_csum_errors rx_total_resets rx_total_buf_errors rx_total_oom_discards ' +
    'rx_total_netpoll_discards rx_total_ring_discards tx_total_resets tx_total_ring_discards total_missed_irqs'
  ).split(' ');

  test('names in the order bnxt prints them: rings, totals, port', () => {
    const names = new Rig({ queues: 2 }).machine.result().nics[0]!.ethtool.map(([name]) => name);
    const rings = [0, 1].flatMap((i) => RING.map((name) => `[${i}]: ${name}`));
    expect(names.slice(0, 49)).toEqual([...rings, ...TOTALS]);
    expect(names.slice(49)).toEqual([
      'rx_undrsz_frames',
      'rx_oversize_frames',
      'rx_fcs_err_frames',
      'rx_good_frames',
      'rx_stat_discard',
      'tx_good_frames',
    ]);
  });

  test('with a program the rings of the stack TX follow, TX names alone; XDP_TX counts at its RX ring', () => {
    const rig = new Rig({ queues: 2, xdp: [verdicts(XDP_TX)] });
    const ring = (i: number): string[] =>
      Object.keys(rig.ethtool())
        .filter((name) => name.startsWith(`[${i}]: `))
        .map((name) => name.slice(5));
    const tx = [...RING.slice(8, 16), 'missed_irqs'];
    expect([0, 1, 2, 3, 4].map(ring)).toEqual([RING, RING, tx, tx, []]);
    rig.bp().rssIndirTbl.fill(1);
    rig.machine.attachXdp(0, verdicts(XDP_TX));
    rig.ready(3);
    rig.poll(1);
    rig.run();
    expect(rig.ethtool()).toMatchObject({
      '[0]: tx_ucast_packets': 0,
      '[1]: tx_ucast_packets': 3,
      '[1]: tx_ucast_bytes': 192,
      '[3]: tx_ucast_packets': 0,
    });
  });

  test('packets an XDP program drops are received packets: XDP has no counter of its own', () => {
    const rig = new Rig({ xdp: [verdicts(1)] });
    rig.ready(5);
    rig.poll();
    expect(rig.ethtool()).toMatchObject({
      '[0]: rx_ucast_packets': 5,
      '[0]: rx_ucast_bytes': 320,
      '[0]: rx_discards': 0,
    });
  });

  test('software totals survive close and open, per-ring ones start again', () => {
    const rig = new Rig({ xdp: [PASS] });
    rig.machine.faults.arm('skbAlloc', 0, 1);
    rig.ready(4);
    rig.poll();
    rig.machine.attachXdp(0, verdicts(XDP_PASS));
    expect(rig.ethtool()['rx_total_oom_discards']).toBe(4);
    expect(rig.bnapi().cpRing.swStats.rxOomDiscards).toBe(0);
  });
});
