/** A pair of devices back to back: what goes in at one end comes out at the other, on the same CPU. */
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../src/host/memory.ts';
import { END_OF_TIME } from '../../src/host/clock.ts';
import { EOPNOTSUPP } from '../../src/host/errno.ts';
import { LOST_XMIT_DROP } from '../../src/host/fates.ts';
import { devXdpAttach } from '../../src/stack/devXdp.ts';
import type { NetDevice } from '../../src/stack/netdevice.ts';
import { NetlinkExtAck, devClose } from '../../src/stack/netdevice.ts';
import { skbFrameBytes } from '../../src/stack/skbBytes.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import { allocSkbWithFrags, skbStoreBits } from '../../src/stack/skbWithFrags.ts';
import { skbPut } from '../../src/stack/skbuff.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';
import { buildFrame } from '../../src/wire/build.ts';
import { XDP_DROP } from '../../src/xdp/uapi.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { InetRig } from './inetRig.ts';

const MACS = [
  { hi16: 0x0200, lo32: 0xa0 },
  { hi16: 0x0200, lo32: 0xa1 },
] as const;

const frame = (len = 100): Uint8Array =>
  buildFrame({
    dst: MACS[1],
    src: MACS[0],
    net: {
      kind: 'ipv4',
      src: 0x0a090002,
      dst: 0x0a090001,
      body: { kind: 'udp', srcPort: 1, dstPort: 2 },
    },
    frameLenBytes: len,
  });

function pair() {
  const { machine } = new InetRig([]);
  machine.open();
  const [v0, v1] = machine.addVeth({ name: 'v0', mac: MACS[0] }, { name: 'v1', mac: MACS[1] });
  const seen: { dev: string; len: number; cpu: number; host: boolean }[] = [];
  machine.net.addTap({
    onSkb: (skb, cpu) =>
      void seen.push({
        ...{ dev: skb.dev.name, len: skb.len, cpu: cpu.id, host: skb.pktType === 0 },
      }),
  });
  const send = (dev: NetDevice, bytes: Uint8Array, cpu = machine.cpus[0]!): void => {
    const skb = allocSkb(dev, bytes.length, cpu)!;
    machine.mem.u8.set(bytes, skbPut(skb, bytes.length));
    devQueueXmit(skb, cpu);
  };
  const books = () => machine.result().veths.map(({ fates }) => fates);
  return { machine, v0, v1, seen, send, books };
}

const EVEN = { nic: 0, driver: 0, tx: 0, up: 0 };

describe('a frame sent into one end', () => {
  test('is received at the other, by the softirq of the CPU that sent it', () => {
    const { machine, v0, v1, seen, send, books } = pair();
    send(v0, frame(), machine.cpus[1]);
    expect(seen).toEqual([]);
    machine.run(END_OF_TIME);
    expect(seen).toEqual([{ dev: 'v1', len: 86, cpu: 1, host: true }]);
    expect([v0.stats.txPackets, v0.stats.txBytes]).toEqual([1, 100]);
    expect([v1.stats.rxPackets, v1.stats.rxBytes]).toEqual([1, 100]);
    const [first, second] = books();
    expect([first!.stackTx, first!.toOther, second!.noProgram]).toEqual([1, 1, 1]);
    for (const fates of books()) expect(fates.imbalance()).toEqual(EVEN);
    machine.close();
    expect(machine.result().pages.leaked).toBe(0);
  });

  test('is dropped when the other end is down, or does not take its length', () => {
    const { machine, v0, v1, seen, send, books } = pair();
    send(v0, frame(1519));
    v1.mtu = 1600;
    send(v0, frame(1519));
    devClose(v1);
    send(v0, frame());
    machine.run(END_OF_TIME);
    expect(seen.map(({ len }) => len)).toEqual([1505]);
    expect(books()[0]!.lost[LOST_XMIT_DROP]).toBe(2);
    expect(v0.stats.txDropped).toBe(2);
    for (const fates of books()) expect(fates.imbalance()).toEqual(EVEN);
  });
});

test('what finds the backlog full is not sent, and the other end has dropped it', () => {
  const { machine, v0, v1, send, books } = pair();
  for (let i = 0; i < 1005; i++) send(v0, frame()); // netdev_max_backlog is 1000, and one more
  expect(v0.stats).toMatchObject({ txPackets: 1001, txDropped: 4 });
  expect(v1.stats).toMatchObject({ rxPackets: 1001, rxDropped: 4 });
  machine.run(END_OF_TIME);
  expect(machine.result().drops).toMatchObject({ CPU_BACKLOG: 4 });
  for (const fates of books()) expect(fates.imbalance()).toEqual(EVEN);
});

test('a frame of many pages crosses, byte for byte', () => {
  const { machine, v0, v1, seen } = pair();
  v0.mtu = v1.mtu = v0.maxMtu;
  const bytes = frame(40_000);
  const heard: Uint8Array[] = [];
  machine.net.addTap({
    onSkb: (skb) => {
      const room = new Uint8Array(70_000);
      heard.push(room.slice(0, skbFrameBytes(machine.mem, skb, room)));
    },
  });
  const [cpu] = machine.cpus;
  const page = machine.pages.alloc();
  const skb = allocSkbWithFrags(v0, bytes.length, cpu!)!;
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const part = bytes.subarray(at, at + PAGE_SIZE);
    machine.mem.u8.set(part, page);
    skbStoreBits(skb, at, page, part.length, cpu!);
  }
  machine.pages.release(page);
  devQueueXmit(skb, cpu!);
  machine.run(END_OF_TIME);
  expect(seen.length).toBe(1);
  expect(Buffer.compare(heard[0]!, bytes)).toBe(0);
  machine.close();
  expect(machine.result().pages.leaked).toBe(0);
});

test('a program is refused, in words', () => {
  const { machine, v0 } = pair();
  const prog = defineXdp(() => XDP_DROP, { name: 'drop' }).load(machine.xdp);
  const extack = new NetlinkExtAck();
  expect(devXdpAttach(v0, prog, 0, extack)).toBe(-EOPNOTSUPP);
  expect(extack.msg).not.toBe('');
});
