/** Two machines that speak IP with each other over a cable: ARP, ICMP echo, UDP echo. */
import { describe, expect, test } from 'vitest';
import { END_OF_TIME, PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Machine } from '../../src/machine.ts';
import type { AppConfig } from '../../src/machine/inetConfig.ts';
import { inletBytes } from '../../src/machine/inlet.ts';
import { LAN_SLOTS, Lan } from '../../src/machine/lan.ts';
import { skbFrameBytes } from '../../src/stack/skbBytes.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import { skbPut } from '../../src/stack/skbuff.ts';
import { udpSendmsg } from '../../src/stack/udpSend.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';
import { buildFrame } from '../../src/wire/build.ts';
import { app } from './inetRig.ts';

const ipOf = (n: number): number => 0x0a00_0000 + n;

function station(n: number, apps: readonly AppConfig[]): Machine {
  return new Machine(
    {
      ...{ seed: n, cpus: 2, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT },
      ...{ stack: true, check: true, eager: false },
      inet: {
        apps,
        addresses: [
          { addr: ipOf(n), prefixLen: 24, addr6: [0xfd00_0000, 0, 0, n], prefixLen6: 64 },
        ],
      },
      nics: [
        {
          ...{ name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, n), queues: 2, rxRing: 511 },
          ...{ txRing: 255, mtu: 1500, linkBps: 1e10, rxUsecs: 5, rxFrames: 8, txUsecs: 28 },
          ...{ txFrames: 30, rxvlan: true, promisc: false, irqAffinity: [0, 1] },
        },
      ],
    },
    inletBytes(LAN_SLOTS, 1500),
  );
}

function pair() {
  const a = station(1, [app({ kind: 'capture', udp: 5000 })]);
  const b = station(2, [app({ kind: 'echo', udp: 7, cpu: 1 })]);
  const lan = new Lan();
  lan.connect({ machine: a, nic: 0 }, { machine: b, nic: 0 }, 2 * PS_PER_US);
  return { a, b, lan };
}

/** At a time, on the first CPU, as a timer does. */
function at(machine: Machine, ps: number, what: () => void): void {
  const cpu = machine.cpus[0]!;
  machine.clock
    .alarm((now) => {
      cpu.idleUntil(now);
      what();
    })
    .set(ps);
}

function expectWhole(...machines: Machine[]): void {
  for (const machine of machines) {
    machine.close();
    const { nics, pages } = machine.result();
    expect(nics[0]!.fates.imbalance()).toEqual({ nic: 0, driver: 0, tx: 0, up: 0 });
    expect(pages.leaked).toBe(0);
  }
}

describe('two machines', () => {
  test('find each other by ARP, and a datagram comes back as it was sent', () => {
    const { a, b, lan } = pair();
    const { sock, captured } = a.apps[0]!;
    const page = a.pages.alloc();
    const lens = [1, 100, 1472];
    a.mem.u8.set(
      Uint8Array.from({ length: 1472 }, (_, i) => i * 3),
      page,
    );
    lens.forEach((len, i) =>
      at(a, (i + 1) * PS_PER_MS, () => {
        udpSendmsg(sock, a.net.inet!, page, len, ipOf(2), 7, a.cpus[0]!);
      }),
    );
    lan.run(END_OF_TIME);
    expect(captured.map(({ bytes }) => bytes.length)).toEqual(lens);
    expect([...captured[2]!.bytes]).toEqual([...a.mem.u8.slice(page, page + 1472)]);
    expect(captured.map(({ srcPort }) => srcPort)).toEqual([7, 7, 7]);
    a.pages.release(page);
    // a asks and b answers by ARP, b probes its entry later, and a answers; three datagrams each way
    expect(a.result().nics[0]!.fates.onWire).toBe(5);
    expect(b.result().nics[0]!.fates.onWire).toBe(5);
    expectWhole(a, b);
  });

  test('answer an ICMP echo', () => {
    const { a, b, lan } = pair();
    const ping = buildFrame({
      dst: { hi16: 0x0200, lo32: 2 },
      src: { hi16: 0x0200, lo32: 1 },
      net: { kind: 'ipv4', src: ipOf(1), dst: ipOf(2), body: { kind: 'echo', payload: 56 } },
    });
    const heard: Uint8Array[] = [];
    a.net.addTap({
      onSkb: (skb) => {
        const room = new Uint8Array(2048);
        heard.push(room.slice(0, skbFrameBytes(a.mem, skb, room)));
      },
    });
    at(a, PS_PER_MS, () => {
      const skb = allocSkb(a.nics[0]!.bp.dev, ping.length, a.cpus[0]!)!;
      a.mem.u8.set(ping, skbPut(skb, ping.length));
      devQueueXmit(skb, a.cpus[0]!);
    });
    lan.run(END_OF_TIME);
    const echo = heard.find((frame) => frame[12] === 8 && frame[13] === 0)!;
    expect([echo[34], ...echo.slice(38)]).toEqual([0, ...ping.slice(38)]);
    expect([...echo.slice(26, 34)]).toEqual([10, 0, 0, 2, 10, 0, 0, 1]);
    expectWhole(a, b);
  });
});
