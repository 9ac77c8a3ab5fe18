import { describe, expect, test } from 'vitest';
import { PS_PER_NS } from '../../src/host/clock.ts';
import { getRpsCpu } from '../../src/stack/rps.ts';
import { netifRx } from '../../src/stack/backlog.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import { skbPut } from '../../src/stack/skbuff.ts';
import { BALANCED, InetRig, PEER_IP, app, frame4, udpTo } from './inetRig.ts';

const flows = (count: number, packets: number): Uint8Array[] => {
  const frames = Array.from({ length: count }, (_, i) => frame4(udpTo(9), { src: PEER_IP + i }));
  return Array.from({ length: packets }, (_, i) => frames[i % count]!);
};
const sink = [app({ kind: 'sink', udp: 9 })];
const softnet = (rig: InetRig): readonly (readonly number[])[] => rig.machine.result().softnet;

describe('receive packet steering', () => {
  test('spreads flows over the CPUs of its list; each is interrupted, and takes its share', () => {
    const rig = new InetRig(flows(64, 640), {
      apps: sink,
      nic: { rps: [1, 2, 3] },
      machine: { cpus: 4 },
    }).run();
    const processed = softnet(rig).map((line) => line[0]!);
    expect(processed[0]).toBe(0); // the CPU of the interrupt only hands on
    expect(processed[1]! + processed[2]! + processed[3]!).toBe(640);
    for (const n of processed.slice(1)) expect(n).toBeGreaterThan(100);
    const received = softnet(rig).map((line) => line[9]!);
    expect(received[0]).toBe(0);
    for (const n of received.slice(1)) expect(n).toBeGreaterThan(0);
    expect(rig.machine.result().sockets[0]!.received).toBe(640);
    expect(rig.books).toEqual(BALANCED);
  });

  test('keeps a flow on one CPU, and its packets in order', () => {
    const bytes = Array.from({ length: 200 }, (_, i) => frame4(udpTo(9, Uint8Array.of(i))));
    const rig = new InetRig(bytes, {
      apps: [app({ kind: 'capture', udp: 9 })],
      nic: { rps: [0, 1, 2, 3] },
      machine: { cpus: 4 },
      gap: 50 * PS_PER_NS,
    }).run();
    expect(softnet(rig).filter((line) => line[0]! > 0).length).toBe(1);
    expect(rig.machine.apps[0]!.captured.map((d) => d.bytes[0])).toEqual([...bytes.keys()]);
  });

  test('to the CPU itself needs no interrupt', () => {
    const rig = new InetRig(flows(8, 100), { apps: sink, nic: { rps: [0] } }).run();
    expect(softnet(rig)[0]!.slice(0, 1)).toEqual([100]);
    expect(softnet(rig).map((line) => line[9])).toEqual([0, 0]);
    expect(rig.books).toEqual(BALANCED);
  });

  test('a CPU that does not exist is refused', () => {
    expect(() => new InetRig([], { nic: { rps: [5] } })).toThrow(
      'eth0 rps: 5 is out of range (CPU 0 to 1)',
    );
  });

  test('lazy and eager tell the same story', () => {
    const story = (eager: boolean): unknown => {
      const rig = new InetRig(flows(16, 500), {
        apps: [app({ kind: 'echo', udp: 9, cpu: 1 })],
        nic: { rps: [0, 1, 2] },
        machine: { cpus: 3, eager },
        gap: 200 * PS_PER_NS,
      }).run();
      return [rig.sent, softnet(rig), rig.fates, rig.machine.result().virtualPs];
    };
    expect(story(true)).toEqual(story(false));
  });
});

describe('a packet without a hash of the NIC', () => {
  /** The CPUs of 64 UDP flows between the same hosts, each with 1000 of its bytes in a page. */
  function cpusOf(fragWord: number): Set<number> {
    const rig = new InetRig([], { nic: { rps: [0, 1, 2, 3] }, machine: { cpus: 4 } });
    rig.machine.open();
    const [cpu] = rig.machine.cpus;
    const ports = Array.from({ length: 64 }, (_, i) => {
      const skb = allocSkb(rig.machine.nics[0]!.bp.dev, 28, cpu!)!;
      const at = skbPut(skb, 28);
      rig.machine.mem.u8.set(frame4(udpTo(9)).subarray(14, 42), at);
      rig.machine.mem.view.setUint16(at + 2, 1028);
      rig.machine.mem.view.setUint16(at + 6, fragWord);
      rig.machine.mem.view.setUint16(at + 20, 4000 + i);
      skb.protocol = 0x0800;
      skb.len += 1000;
      skb.dataLen += 1000;
      return getRpsCpu(skb);
    });
    return new Set(ports);
  }

  test('is told apart by its ports, though most of it is not linear', () => {
    expect([...cpusOf(0x4000)].toSorted()).toEqual([0, 1, 2, 3]);
  });

  test('goes where the rest of its datagram goes, when it is a fragment', () => {
    expect(cpusOf(0x2000)).toEqual(cpusOf(0x0001));
    expect(cpusOf(0x2000).size).toBe(1);
  });
});

describe('the backlog', () => {
  test('takes 1001 packets in front of a busy CPU, and drops the rest by name', () => {
    const rig = new InetRig([]);
    rig.machine.open();
    const { machine } = rig;
    const { dev } = machine.nics[0]!.bp;
    const [cpu] = machine.cpus;
    for (let i = 0; i < 1100; i++) {
      const skb = allocSkb(dev, 60, cpu!)!;
      skbPut(skb, 60);
      netifRx(skb, cpu!);
    }
    expect(machine.net.softnet[0]!.dropped).toBe(99);
    expect(machine.result().drops).toEqual({ CPU_BACKLOG: 99 });
    expect(softnet(rig)[0]!.slice(11)).toEqual([1001, 0, 1001, 0]);
    machine.close();
    expect(machine.net.skbs.live).toBe(0);
  });
});
