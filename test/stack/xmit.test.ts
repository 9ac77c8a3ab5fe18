/** Sending: the queue in front of a driver, its stops and wakes, and what software does for a device that cannot. */
import { describe, expect, test } from 'vitest';
import { LOST_QDISC_DROP, LOST_TX_DEVICE_CLOSED, LOST_XMIT_DROP } from '../../src/host/fates.ts';
import { PS_PER_MS } from '../../src/host/clock.ts';
import {
  NETIF_F_HW_VLAN_CTAG_TX,
  NETIF_F_IP_CSUM,
  devClose,
  devOpen,
  netifSetRealNumTxQueues,
} from '../../src/stack/netdevice.ts';
import {
  netdevTxCompletedQueue,
  netdevTxSentQueue,
  netifTxStopQueue,
  netifTxWakeQueue,
} from '../../src/stack/netdevQueue.ts';
import { allocSkb, consumeSkb } from '../../src/stack/skbPool.ts';
import type { SkBuff } from '../../src/stack/skbuff.ts';
import { CHECKSUM_PARTIAL, skbAddRxFrag, skbPut } from '../../src/stack/skbuff.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';
import { NETDEV_TX_BUSY, NETDEV_TX_OK } from '../../src/stack/xmitOne.ts';
import { stackRig } from './rig.ts';

interface Sent {
  readonly len: number;
  readonly queue: number;
  readonly more: boolean;
}

/** A device that notes what it is handed; `answer` decides what becomes of it. */
function sender(answer: () => number = () => NETDEV_TX_OK) {
  const sent: Sent[] = [];
  const frames: Uint8Array[] = [];
  const rig = stackRig({
    cpus: 2,
    ops: {
      ndoStartXmit: (skb, _dev, cpu, more) => {
        const rc = answer();
        if (rc !== NETDEV_TX_OK) return rc;
        sent.push({ len: skb.len, queue: skb.queueMapping, more });
        frames.push(rig.mem.u8.slice(skb.data, skb.tail));
        consumeSkb(skb, cpu);
        return rc;
      },
    },
  });
  devOpen(rig.dev);
  const make = (len: number): SkBuff => {
    const skb = allocSkb(rig.dev, len, rig.cpu)!;
    const at = skbPut(skb, len);
    for (let i = 0; i < len; i++) rig.mem.u8[at + i] = i;
    return skb;
  };
  return {
    ...rig,
    ...{ sent, frames, make, txq: rig.dev.tx[0]! },
    send: (len: number, cpu = rig.cpu) => devQueueXmit(make(len), cpu),
    lost: (cause: number) => rig.dev.txFates.lost[cause]!,
  };
}

describe('a queue that nobody holds back', () => {
  test('hands each packet to the driver at once, as the last one for now', () => {
    const { sent, send, dev, net } = sender();
    expect(send(60)).toBe(0);
    send(61);
    expect(sent).toEqual([
      { len: 60, queue: 0, more: false },
      { len: 61, queue: 0, more: false },
    ]);
    expect(dev.txFates.stackTx).toBe(2);
    expect(net.skbs.live).toBe(0);
  });
});

describe('a stopped queue', () => {
  test('keeps packets in order until it is woken, and sends them from the softirq', () => {
    const { sent, send, txq, cpu, scheduler } = sender();
    netifTxStopQueue(txq);
    for (const len of [60, 61, 62]) send(len);
    expect(sent).toHaveLength(0);
    netifTxWakeQueue(txq, cpu);
    expect(sent).toHaveLength(0);
    scheduler.run(PS_PER_MS);
    expect(sent.map(({ len }) => len)).toEqual([60, 61, 62]);
  });

  test('drops what is beyond its length, and counts it', () => {
    const { sent, send, txq, dev, cpu, scheduler, lost, net } = sender();
    dev.txQueueLen = 3;
    netifTxStopQueue(txq);
    const answers = [60, 61, 62, 63, 64].map((len) => send(len));
    expect(answers).toEqual([0, 0, 0, 1, 1]);
    expect(lost(LOST_QDISC_DROP)).toBe(2);
    expect(dev.stats.txDropped).toBe(2);
    netifTxWakeQueue(txq, cpu);
    scheduler.run(PS_PER_MS);
    expect(sent.map(({ len }) => len)).toEqual([60, 61, 62]);
    expect(net.skbs.live).toBe(0);
  });

  test('loses what waits when the device goes down', () => {
    const { sent, send, txq, dev, lost, net } = sender();
    netifTxStopQueue(txq);
    send(60);
    send(61);
    devClose(dev);
    expect(sent).toHaveLength(0);
    expect(lost(LOST_TX_DEVICE_CLOSED)).toBe(2);
    expect(net.skbs.live).toBe(0);
    send(62);
    expect(lost(LOST_TX_DEVICE_CLOSED)).toBe(3);
  });
});

describe('a driver that is busy', () => {
  test('gets the same packet first when it can go on', () => {
    let room = 1;
    const s = sender(() => {
      if (room-- > 0) return NETDEV_TX_OK;
      netifTxStopQueue(s.txq);
      return NETDEV_TX_BUSY;
    });
    s.send(60);
    s.send(61);
    s.send(62);
    s.send(63);
    expect(s.sent.map(({ len }) => len)).toEqual([60]);
    expect(s.txq.qdisc.requeues).toBe(1);
    room = 2;
    netifTxWakeQueue(s.txq, s.cpu);
    s.scheduler.run(PS_PER_MS);
    expect(s.sent.map(({ len }) => len)).toEqual([60, 61, 62]);
    room = 9;
    netifTxWakeQueue(s.txq, s.cpu);
    s.scheduler.run(2 * PS_PER_MS);
    expect(s.sent.map(({ len }) => len)).toEqual([60, 61, 62, 63]);
  });

  test('is not asked at all when the device cannot send', () => {
    const { dev, net, cpu } = stackRig();
    devOpen(dev);
    devQueueXmit(allocSkb(dev, 60, cpu)!, cpu);
    expect(dev.txFates.lost[LOST_XMIT_DROP]).toBe(1);
    expect(net.skbs.live).toBe(0);
  });
});

describe('the byte limit', () => {
  test('stops the queue once it is passed, and a completion wakes it', () => {
    const { sent, send, txq, cpu, scheduler } = sender();
    netdevTxSentQueue(txq, 100); // a fresh limit is 0: one packet in flight
    send(60);
    expect(sent).toHaveLength(0);
    netdevTxCompletedQueue(txq, 100, cpu);
    scheduler.run(PS_PER_MS);
    expect(sent.map(({ len }) => len)).toEqual([60]);
  });

  test('lets a bulk go as far as it allows, and only its end says that nothing follows', () => {
    const { sent, send, txq, cpu, scheduler } = sender();
    txq.dql.limit = 200;
    netifTxStopQueue(txq);
    for (const len of [60, 70, 80, 90]) send(len);
    netifTxWakeQueue(txq, cpu);
    scheduler.run(PS_PER_MS);
    // 200 - 60 - 70 leaves 70, which is not used up by 80: it goes too, and ends the bulk
    expect(sent.map(({ len, more }) => [len, more])).toEqual([
      [60, true],
      [70, true],
      [80, false],
      [90, false],
    ]);
  });
});

describe('of several queues', () => {
  const four = (setup: (s: ReturnType<typeof sender>) => void = () => {}) => {
    const s = sender();
    netifSetRealNumTxQueues(s.dev, 4);
    setup(s);
    return s;
  };

  test('the sending CPU has its own, where the driver said so', () => {
    const s = four(({ dev }) => (dev.xpsCpus = [2, 3]));
    s.send(60);
    s.send(60, s.cpus[1]);
    expect(s.sent.map(({ queue }) => queue)).toEqual([2, 3]);
  });

  test('else a forwarded packet keeps its RX queue, and others go by their hash', () => {
    const s = four();
    const forwarded = s.make(60);
    forwarded.queueMapping = 6; // RX queue 5, of four: 1
    const flow = s.make(60);
    flow.hash = 0xc0000000 | 0; // three quarters up
    devQueueXmit(forwarded, s.cpu);
    devQueueXmit(flow, s.cpu);
    expect(s.sent.map(({ queue }) => queue)).toEqual([1, 3]);
  });
});

describe('for a device that cannot', () => {
  const TAG = [0x81, 0x00, 0x60, 0x07];

  test('the tag goes behind the addresses', () => {
    const s = sender();
    const skb = s.make(60);
    skb.vlanProto = 0x8100;
    skb.vlanTci = 0x6007;
    devQueueXmit(skb, s.cpu);
    const plain = Array.from({ length: 60 }, (_, i) => i);
    expect([...s.frames[0]!]).toEqual([...plain.slice(0, 12), ...TAG, ...plain.slice(12)]);
  });

  test('a tag that the device inserts is left to it', () => {
    const s = sender();
    s.dev.features |= NETIF_F_HW_VLAN_CTAG_TX;
    const skb = s.make(60);
    skb.vlanProto = 0x8100;
    devQueueXmit(skb, s.cpu);
    expect(s.frames[0]).toHaveLength(60);
  });

  test('the checksum is completed over all pieces, odd ones included', () => {
    const s = sender();
    const page = s.pages.alloc();
    const skb = s.make(43);
    s.mem.u8.set([0x12, 0x34, 0x56], page + 5);
    skbAddRxFrag(skb, page, 5, 3, 4096);
    skb.protocol = 0x0800;
    skb.ipSummed = CHECKSUM_PARTIAL;
    skb.csumStart = skb.data + 34;
    skb.csumOffset = 6;
    s.mem.view.setUint16(skb.csumStart + 6, 0x1111); // the pseudo-header's sum
    devQueueXmit(skb, s.cpu);
    // 2223 2425 2627 1111 2a12 3456 over bytes 34 to 42 and the three of the frag
    const sum = 0x2223 + 0x2425 + 0x2627 + 0x1111 + 0x2a12 + 0x3456;
    const folded = (sum & 0xffff) + (sum >>> 16);
    const check = ~folded & 0xffff;
    expect([...s.frames[0]!.slice(40, 42)]).toEqual([check >>> 8, check & 0xff]);
  });

  test('a checksum that the device completes is left to it', () => {
    const s = sender();
    s.dev.features |= NETIF_F_IP_CSUM;
    const skb = s.make(60);
    Object.assign(skb, { protocol: 0x0800, ipSummed: CHECKSUM_PARTIAL });
    Object.assign(skb, { csumStart: skb.data + 34, csumOffset: 6 });
    devQueueXmit(skb, s.cpu);
    expect([...s.frames[0]!.slice(40, 42)]).toEqual([40, 41]);
  });
});
