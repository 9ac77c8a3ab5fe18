/** Reception, through memory and doorbells, at both paces. */
import { describe, expect, test } from 'vitest';
import {
  LOST_MAC_FILTER,
  LOST_NO_BUFFER,
  LOST_RING_RESET,
  LOST_RX_OVERSIZE,
  LOST_RX_RUNT,
} from '../../src/host/fates.ts';
import {
  CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_BCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS,
  RING_ALLOC_REQ_RING_TYPE_RX,
} from '../../src/nic/hsi/hwrm.ts';
import {
  RX_CMP_EXT_FIELDS,
  RX_CMP_FIELDS,
  rxCmpLen,
  rxCmpOpaque,
} from '../../src/nic/hsi/rxCmp.ts';
import { broken, frame, udp } from './frames.ts';
import { fieldsAt } from './hsi/layout.ts';
import type { Rig, RigOptions } from './rig.ts';
import { BUFFER, MAC, MRU, RX_NS, nicRig } from './rig.ts';

const BCAST = { hi16: 0xffff, lo32: 0xffff_ffff };
const MCAST = { hi16: 0x0100, lo32: 0x5e00_0001 };
const OTHER = { hi16: 0x0200, lo32: 2 };

/** Bytes in host memory. */
const stored = (rig: Rig, at: number, len: number): Uint8Array => rig.mem.u8.slice(at, at + len);

describe.each(['lazy', 'eager'] as const)('an %s NIC', (pace) => {
  const make = (options: Partial<RigOptions> = {}): Rig => nicRig({ pace, ...options });

  /** Both slots of the completion of one frame. */
  function completionOf(bytes: Uint8Array, options: Partial<RigOptions> = {}) {
    const rig = make(options);
    rig.arrive([[1000, bytes]]);
    const [buffer] = rig.post(1);
    rig.at(1000 + RX_NS);
    const [found] = rig.poll();
    const { words } = rig.mem;
    const cmp = fieldsAt(words, found!.at, RX_CMP_FIELDS);
    const ext = fieldsAt(words, found!.ext, RX_CMP_EXT_FIELDS);
    return { cmp, ext, bytes: stored(rig, buffer!, cmp['len']!) };
  }

  describe('completes a frame', () => {
    test('with its length, slot, type and headers, and the frame in the buffer', () => {
      const sent = udp({ lenBytes: 211 });
      const { cmp, ext, bytes } = completionOf(sent);
      expect(bytes).toEqual(sent);
      expect(cmp).toMatchObject({ type: 17, error: 0, rssValid: 1, itype: 3, len: 211, opaque: 0 });
      expect(cmp).toMatchObject({ v1: 1, aggBufs: 0, payloadOffset: 14 + 20 + 8 });
      expect(ext).toMatchObject({ v: 1, ipCsCalc: 1, l4CsCalc: 1, metaVlan: 0, ipTypeV6: 0 });
      expect(ext).toMatchObject({ bufferError: 0, ipCsError: 0, l4CsError: 0, crcError: 0 });
    });

    test('not before its DMA is done, and then at once', () => {
      const rig = make();
      rig.arrive([[1000, udp()]]);
      rig.post(1);
      rig.at(1000 + RX_NS - 0.001);
      expect(rig.poll()).toHaveLength(0);
      rig.at(1000 + RX_NS);
      expect(rig.poll()).toHaveLength(1);
    });

    test('one per DMA slot when they arrive together', () => {
      const rig = make();
      rig.arrive([1000, 1000, 1000].map((ns) => [ns, udp()]));
      rig.post(3);
      const seen = [0, 2, 4].map((more) => {
        rig.at(1000 + RX_NS + more - 0.001);
        const before = rig.poll().length;
        rig.at(1000 + RX_NS + more);
        return [before, rig.poll().length];
      });
      expect(seen).toEqual([
        [0, 1],
        [0, 1],
        [0, 1],
      ]);
    });

    test('into the buffers in the order they were posted, each slot named once', () => {
      const rig = make();
      const sent = [60, 61, 62, 63].map((lenBytes) => udp({ lenBytes }));
      rig.arrive(sent.map((bytes, i) => [1000 + i, bytes]));
      const buffers = rig.post(4);
      rig.at(5000);
      const found = rig.poll();
      expect(found.map(({ at }) => rxCmpOpaque(rig.mem.words, at))).toEqual([0, 1, 2, 3]);
      buffers.forEach((at, i) => expect(stored(rig, at, 60 + i)).toEqual(sent[i]));
    });
  });

  test('keeps its phase over several laps, and where a completion wraps between its halves', () => {
    const rig = make();
    const total = 700; // 1401 records on 256 slots
    const sizes = Array.from({ length: total }, (_, i) => 60 + (i % 97));
    const bySize = new Map(sizes.map((lenBytes) => [lenBytes, udp({ lenBytes })]));
    rig.arrive(sizes.map((lenBytes, i) => [1000 * (i + 1), bySize.get(lenBytes)!]));
    // one transmission first: its single record puts every RX completion on odd slots
    rig.queueBd(udp(), (1 << 8) | (1 << 6), 0);
    rig.kick();
    rig.at(0);
    const lens: number[] = [];
    let wrapped = 0;
    for (let i = 0; i < total; i++) {
      rig.post(1);
      rig.at(1000 * (i + 1) + RX_NS);
      for (const { type, at, ext } of rig.poll()) {
        if (type !== 17) continue;
        lens.push(rxCmpLen(rig.mem.words, at));
        if (ext < at) wrapped++;
      }
      rig.acknowledge();
    }
    expect(lens).toEqual(sizes);
    expect(wrapped).toBe(5);
  });

  describe('loses a frame', () => {
    test('for which there is no buffer, in the order of arrival', () => {
      const rig = make();
      rig.arrive([1000, 1100, 1200, 1300, 1400].map((ns, i) => [ns, udp({ lenBytes: 60 + i })]));
      rig.post(2);
      rig.at(1350);
      rig.post(1); // in time for the last one only
      rig.at(5000);
      const lens = rig.poll().map(({ at }) => rxCmpLen(rig.mem.words, at));
      expect(lens).toEqual([60, 61, 64]);
      expect(rig.hwrm.statCtxQuery(0, rig.cpu.now).rxDiscardPkts).toBe(2);
      expect(rig.fates().lost[LOST_NO_BUFFER]).toBe(2);
      expect(rig.fates().imbalance().nic).toBe(0);
    });

    test('that arrives at the very moment of the RX doorbell: arrivals come first', () => {
      const rig = make();
      rig.arrive([
        [1000, udp({ lenBytes: 70 })],
        [1000.001, udp({ lenBytes: 71 })],
      ]);
      rig.at(1000);
      rig.post(2);
      rig.at(5000);
      expect(rig.poll().map(({ at }) => rxCmpLen(rig.mem.words, at))).toEqual([71]);
    });

    test.each([
      { name: 'shorter than its header', bytes: udp().slice(0, 13), cause: LOST_RX_RUNT },
      { name: 'longer than the MRU', bytes: udp({ lenBytes: MRU + 1 }), cause: LOST_RX_OVERSIZE },
    ])('$name, in a port counter and without using a buffer', ({ bytes, cause }) => {
      const rig = make();
      rig.arrive([
        [1000, bytes],
        [1100, udp({ lenBytes: MRU })],
      ]);
      rig.post(1);
      rig.at(5000);
      expect(rig.poll().map(({ at }) => rxCmpLen(rig.mem.words, at))).toEqual([MRU]);
      const port = rig.hwrm.portQstats(rig.cpu.now);
      expect(port.rxUndrszFrames).toBe(cause === LOST_RX_RUNT ? 1 : 0);
      expect(port.rxOversizeFrames).toBe(cause === LOST_RX_OVERSIZE ? 1 : 0);
      expect(rig.fates().lost[cause]).toBe(1);
    });

    test('longer than its buffer: an error, and no byte behind the buffer is touched', () => {
      const rig = make();
      rig.hwrm.vnicCfg({ mru: 3000, vlanStrip: false }, 0);
      const sent = udp({ lenBytes: BUFFER + 100 });
      rig.arrive([[1000, sent]]);
      const [buffer] = rig.post(1);
      rig.mem.u8.fill(0xee, buffer! + BUFFER, buffer! + BUFFER + 200);
      rig.at(5000);
      const [found] = rig.poll();
      expect(fieldsAt(rig.mem.words, found!.at, RX_CMP_FIELDS)).toMatchObject({ error: 1 });
      const ext = fieldsAt(rig.mem.words, found!.ext, RX_CMP_EXT_FIELDS);
      expect(ext['bufferError']).toBe(1);
      expect(stored(rig, buffer!, BUFFER)).toEqual(sent.slice(0, BUFFER));
      expect(stored(rig, buffer! + BUFFER, 200)).toEqual(new Uint8Array(200).fill(0xee));
    });
  });

  describe('filters by address', () => {
    const bcast = CFA_L2_SET_RX_MASK_REQ_MASK_BCAST;
    const allMcast = CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST;
    const promisc = CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS;
    test.each([
      { mask: 0, own: 1, other: 0, bc: 0, mc: 0 },
      { mask: bcast, own: 1, other: 0, bc: 1, mc: 0 },
      { mask: allMcast, own: 1, other: 0, bc: 0, mc: 1 },
      { mask: bcast | allMcast, own: 1, other: 0, bc: 1, mc: 1 },
      { mask: promisc, own: 1, other: 1, bc: 1, mc: 1 },
    ])('mask $mask: own $own, other $other, broadcast $bc, multicast $mc', (row) => {
      const rig = make({ rxMask: row.mask });
      const sent = [udp(), udp({ dst: OTHER }), udp({ dst: BCAST }), udp({ dst: MCAST })];
      rig.arrive(sent.map((bytes, i) => [1000 + i, bytes]));
      rig.post(8);
      rig.at(5000);
      const kept = row.own + row.other + row.bc + row.mc;
      expect(rig.poll()).toHaveLength(kept);
      const stats = rig.hwrm.statCtxQuery(0, rig.cpu.now);
      expect(stats).toMatchObject({ rxUcastPkts: row.own + row.other });
      expect(stats).toMatchObject({ rxBcastPkts: row.bc, rxMcastPkts: row.mc });
      expect(stats.rxBcastBytes).toBe(60 * row.bc);
      expect(rig.fates().lost[LOST_MAC_FILTER]).toBe(4 - kept);
      expect(rig.fates().imbalance().nic).toBe(0);
    });
  });

  test('of the groups lets those through that the host listens to', () => {
    const rig = make({ rxMask: 0 });
    const group = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
    const other = { ...MCAST, lo32: MCAST.lo32 + 1 };
    rig.hwrm.cfaL2SetRxMask(CFA_L2_SET_RX_MASK_REQ_MASK_MCAST, MAC, rig.cpu.now, [group]);
    rig.arrive([MCAST, other, BCAST].map((dst, i) => [1000 + i, udp({ dst })]));
    rig.post(8);
    rig.at(5000);
    expect(rig.poll()).toHaveLength(1);
    expect(rig.hwrm.statCtxQuery(0, rig.cpu.now)).toMatchObject({ rxMcastPkts: 1 });
    expect(rig.fates().lost[LOST_MAC_FILTER]).toBe(2);
  });

  describe('VLAN', () => {
    const tag = { vid: 5, pcp: 3 };
    const qinq = [
      { vid: 100, pcp: 1, tpid: 0x88a8 },
      { vid: 7, tpid: 0x8100 },
    ];
    const without = (bytes: Uint8Array): number[] => [...bytes.slice(0, 12), ...bytes.slice(16)];

    test('a tag that is stripped stands in the completion', () => {
      const sent = udp({ tags: [tag], lenBytes: 90 });
      const { cmp, ext, bytes } = completionOf(sent, { vlanStrip: true });
      expect([...bytes]).toEqual(without(sent));
      expect(cmp).toMatchObject({ len: 86, payloadOffset: 42 });
      expect(ext).toMatchObject({ metaVlan: 1, tpid: 0x8100, tci: (3 << 13) | 5, l4CsCalc: 1 });
    });

    test('of two tags only the outer one is stripped', () => {
      const sent = udp({ tags: qinq, lenBytes: 90 });
      const { cmp, ext, bytes } = completionOf(sent, { vlanStrip: true });
      expect([...bytes]).toEqual(without(sent));
      expect(cmp).toMatchObject({ len: 86, payloadOffset: 46 });
      expect(ext).toMatchObject({ metaVlan: 1, tpid: 0x88a8, tci: (1 << 13) | 100 });
    });

    test('with stripping off tags stay, and the completion has none', () => {
      const sent = udp({ tags: qinq, lenBytes: 90 });
      const { cmp, ext, bytes } = completionOf(sent, { vlanStrip: false });
      expect(bytes).toEqual(sent);
      expect(cmp).toMatchObject({ len: 90, payloadOffset: 50 });
      expect(ext).toMatchObject({ metaVlan: 0, tpid: 0, tci: 0 });
    });
  });

  describe('checksum verdicts', () => {
    const net4 = { kind: 'ipv4', src: 0x0a00_0002, dst: 0x0a00_0001 } as const;
    const addr = (last: number): Uint8Array =>
      Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
    const ports = { srcPort: 7, dstPort: 9 };
    const tcp6 = frame({
      ...{ kind: 'ipv6', src: addr(2), dst: addr(1) },
      body: { kind: 'tcp', ...ports, payload: 30 },
    });
    const payload = udp({ lenBytes: 80 });
    test.each([
      { name: 'UDP', bytes: payload, ip: 1, ipBad: 0, l4: 1, l4Bad: 0, v6: 0, itype: 3 },
      { name: 'bad UDP', bytes: broken(payload, 60), ip: 1, ipBad: 0, l4: 1, l4Bad: 1, itype: 3 },
      { name: 'bad IP', bytes: broken(payload, 22), ip: 1, ipBad: 1, l4: 1, l4Bad: 0, itype: 3 },
      { name: 'TCP6', bytes: tcp6, ip: 0, ipBad: 0, l4: 1, l4Bad: 0, v6: 1, itype: 2 },
      {
        name: 'bad TCP6',
        bytes: broken(tcp6, 80),
        ip: 0,
        ipBad: 0,
        l4: 1,
        l4Bad: 1,
        v6: 1,
        itype: 2,
      },
      {
        ...{ name: 'UDP without a checksum', ip: 1, ipBad: 0, l4: 0, l4Bad: 0, itype: 3 },
        bytes: frame({ ...net4, body: { kind: 'udp', ...ports, noChecksum: true } }),
      },
      {
        ...{ name: 'a fragment', ip: 1, ipBad: 0, l4: 0, l4Bad: 0, itype: 1 },
        bytes: frame({ ...net4, moreFragments: true, body: { kind: 'udp', ...ports } }),
      },
      {
        ...{ name: 'ICMP', ip: 1, ipBad: 0, l4: 0, l4Bad: 0, itype: 1 },
        bytes: frame({ ...net4, body: { kind: 'echo' } }),
      },
      {
        ...{ name: 'ARP', ip: 0, ipBad: 0, l4: 0, l4Bad: 0, itype: 0 },
        bytes: frame({ kind: 'arp', senderMac: OTHER, senderIp: 1, targetIp: 2 }),
      },
    ])('$name', ({ bytes, ip, ipBad, l4, l4Bad, v6 = 0, itype }) => {
      const { cmp, ext } = completionOf(bytes);
      expect(cmp).toMatchObject({ itype, error: 0 });
      expect(ext).toMatchObject({ ipCsCalc: ip, ipCsError: ipBad, l4CsCalc: l4, l4CsError: l4Bad });
      expect(ext['ipTypeV6']).toBe(v6);
    });
  });

  describe('changes under traffic', () => {
    test('what has not arrived is treated by the new rules, what has by the old', () => {
      const rig = make();
      rig.arrive([1000, 1500, 2000, 2500].map((ns) => [ns, udp({ dst: OTHER })]));
      rig.post(8);
      rig.at(1500);
      const promisc = CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS;
      rig.hwrm.cfaL2SetRxMask(promisc, MAC, rig.cpu.now);
      rig.at(2000);
      rig.hwrm.cfaL2SetRxMask(0, MAC, rig.cpu.now);
      rig.at(9000);
      expect(rig.poll()).toHaveLength(1);
      rig.nic.settleAll(rig.cpu.now);
      expect(rig.fates().lost[LOST_MAC_FILTER]).toBe(3);
    });

    test('another indirection table moves the flow from that moment on', () => {
      const rig = make({ queues: 2, rss: { ringTable: new Uint16Array(128) } });
      rig.arrive([1000, 2000, 3000].map((ns) => [ns, udp()]));
      for (const queue of [0, 1]) rig.post(8, queue);
      rig.at(2500);
      const hashKey = new Uint8Array(40);
      const ringTable = new Uint16Array(128).fill(1);
      rig.hwrm.vnicRssCfg({ hashType: 0x3f, hashKey, ringTable }, rig.cpu.now);
      rig.at(9000);
      expect([rig.poll(0).length, rig.poll(1).length]).toEqual([2, 1]);
    });

    test('a ring that is reset has lost its buffers and what DMA had under way', () => {
      const rig = make();
      rig.arrive([1000, 1900, 2100, 5000].map((ns) => [ns, udp()]));
      rig.post(3);
      rig.at(2000);
      rig.hwrm.ringReset(rig.q(0).rxId, rig.cpu.now);
      rig.q(0).rxProd = 0;
      expect(rig.poll()).toHaveLength(1);
      rig.at(4000);
      rig.post(1);
      rig.at(9000);
      const found = rig.poll();
      expect(found.map(({ at }) => rxCmpOpaque(rig.mem.words, at))).toEqual([0]);
      const { lost, offered, received } = rig.fates();
      expect([lost[LOST_RING_RESET], lost[LOST_NO_BUFFER]]).toEqual([1, 1]);
      expect([offered, received]).toEqual([4, 2]);
    });

    test('a freed ring tells where the NIC stopped, and takes no frame afterwards', () => {
      const rig = make();
      rig.arrive([1000, 1100, 5000].map((ns) => [ns, udp()]));
      rig.post(8);
      rig.at(3000);
      expect(rig.hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_RX, rig.q(0).rxId, rig.cpu.now)).toBe(2);
      rig.at(9000);
      expect(rig.poll()).toHaveLength(2);
      rig.nic.settleAll(rig.cpu.now);
      expect(rig.fates().imbalance().nic).toBe(0);
      expect(rig.fates().offered).toBe(3);
    });
  });
});
