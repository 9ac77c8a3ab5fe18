/** Two machines on one cable: when frames arrive, that none is lost on the way, and that a run repeats itself. */
import { describe, expect, test } from 'vitest';
import type { Ps } from '../../src/host/clock.ts';
import { END_OF_TIME, PS_PER_MS, PS_PER_NS, PS_PER_US } from '../../src/host/clock.ts';
import { FLAT } from '../../src/host/profiles.ts';
import type { Cpu } from '../../src/host/cpu.ts';
import { Fates } from '../../src/host/fates.ts';
import { Machine } from '../../src/machine.ts';
import { inletBytes } from '../../src/machine/inlet.ts';
import { LAN_SLOTS, Lan } from '../../src/machine/lan.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import type { SkBuff } from '../../src/stack/skbuff.ts';
import { skbPut } from '../../src/stack/skbuff.ts';
import { skbFrameBytes } from '../../src/stack/skbBytes.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';
import { buildFrame } from '../../src/wire/build.ts';

const macOf = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, n);

function machineAt(n: number, linkBps: number, eager: boolean): Machine {
  return new Machine(
    {
      ...{ seed: n, cpus: 2, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT },
      ...{ stack: true, check: true, eager },
      nics: [
        {
          ...{ name: 'eth0', mac: macOf(n), queues: 2, rxRing: 511, txRing: 255, mtu: 1500 },
          ...{ linkBps, rxUsecs: 5, rxFrames: 8, txUsecs: 28, txFrames: 30 },
          ...{ rxvlan: true, promisc: false, irqAffinity: [0, 1] },
        },
      ],
    },
    inletBytes(LAN_SLOTS, 1500),
  );
}

interface Heard {
  readonly at: Ps;
  readonly bytes: number[];
}

/** A machine that notes what its stack gets, and sends it back with the addresses exchanged while `bounces` last. */
class Station {
  readonly machine: Machine;
  readonly heard: Heard[] = [];
  private bounces: number;

  constructor(n: number, bounces: number, linkBps: number, eager = false) {
    this.machine = machineAt(n, linkBps, eager);
    this.bounces = bounces;
    this.machine.net.addTap({ onSkb: (skb, cpu) => this.hear(skb, cpu) });
  }

  private hear(skb: SkBuff, cpu: Cpu): void {
    const room = new Uint8Array(2048);
    const len = skbFrameBytes(this.machine.mem, skb, room);
    const bytes = room.slice(0, len);
    this.heard.push({ at: cpu.now, bytes: [...bytes] });
    if (this.bounces-- <= 0) return;
    this.send(Uint8Array.of(...bytes.slice(6, 12), ...bytes.slice(0, 6), ...bytes.slice(12)), cpu);
  }

  send(bytes: Uint8Array, cpu = this.machine.cpus[0]!): void {
    const { dev } = this.machine.nics[0]!.bp;
    const skb = allocSkb(dev, bytes.length, cpu)!;
    this.machine.mem.u8.set(bytes, skbPut(skb, bytes.length));
    devQueueXmit(skb, cpu);
  }

  /** Sends at `at`, as a timer does. */
  sendAt(at: Ps, bytes: Uint8Array): void {
    const cpu = this.machine.cpus[0]!;
    this.machine.clock
      .alarm((now) => {
        cpu.idleUntil(now);
        this.send(bytes, cpu);
      })
      .set(at);
  }

  fates(): Fates {
    const sum = new Fates();
    for (const { fates } of this.machine.result().nics) sum.add(fates);
    return sum;
  }
}

const frame = (from: number, to: number, len = 100): Uint8Array =>
  buildFrame({
    dst: { hi16: 0x0200, lo32: to },
    src: { hi16: 0x0200, lo32: from },
    net: {
      kind: 'ipv4',
      src: 0x0a000000 + from,
      dst: 0x0a000000 + to,
      body: { kind: 'udp', srcPort: 1000, dstPort: 2000 },
    },
    frameLenBytes: len,
  });

function pair(
  bounces: readonly [number, number],
  { linkBps = 1e10, delayPs = 5 * PS_PER_US, eager = false } = {},
) {
  const a = new Station(1, bounces[0], linkBps, eager);
  const b = new Station(2, bounces[1], linkBps, eager);
  const lan = new Lan();
  lan.connect({ machine: a.machine, nic: 0 }, { machine: b.machine, nic: 0 }, delayPs);
  return { a, b, lan };
}

function expectWhole(...stations: Station[]): void {
  for (const { machine } of stations) machine.close();
  for (const station of stations) {
    expect(station.fates().imbalance()).toEqual({ nic: 0, driver: 0, tx: 0, up: 0 });
    expect(station.machine.result().pages.allocated).toBe(0);
  }
}

describe('a frame on a cable', () => {
  test('arrives after the cable, the wire, DMA and coalescing', () => {
    const { a, b, lan } = pair([0, 0]);
    a.sendAt(PS_PER_MS, frame(1, 2));
    lan.run(END_OF_TIME);
    expect(b.heard.map(({ bytes }) => bytes)).toEqual([[...frame(1, 2)]]);
    // fetch 900, wire 124 bytes at 0.8 ns, cable 5000, DMA 702, timer 5000, MSI-X 500, hardirq 600, softirq 150
    const least = (900 + 99.2 + 5000 + 702 + 5000 + 500 + 750) * PS_PER_NS;
    const took = b.heard[0]!.at - PS_PER_MS;
    expect(took).toBeGreaterThan(least);
    expect(took).toBeLessThan(least + PS_PER_US);
    expectWhole(a, b);
  });

  test('shorter than the MAC allows is padded on the way', () => {
    const { a, b, lan } = pair([0, 0]);
    const short = frame(1, 2).slice(0, 42);
    a.sendAt(0, short);
    lan.run(END_OF_TIME);
    expect(b.heard[0]!.bytes).toEqual([...short, ...Array.from({ length: 18 }, () => 0)]);
  });
});

describe('two machines', () => {
  const pingPong = (eager: boolean) => {
    const { a, b, lan } = pair([20, 20], { eager });
    a.sendAt(PS_PER_US, frame(1, 2));
    b.sendAt(3 * PS_PER_MS, frame(2, 1, 900));
    lan.run(END_OF_TIME);
    const heard = [a.heard, b.heard];
    expectWhole(a, b);
    return heard;
  };

  test('throw frames back and forth until one lets them drop', () => {
    const [a, b] = pingPong(false);
    // two balls, twenty bounces a side: all are used up, and the last frame thrown is heard
    expect(a!.length + b!.length).toBe(42);
  });

  test('do it the same way every time, and at either pace', () => {
    expect(pingPong(false)).toEqual(pingPong(false));
    expect(pingPong(true)).toEqual(pingPong(false));
  });

  test('lose nothing when frames come faster than a slow line takes them', () => {
    const { a, b, lan } = pair([0, 0], { linkBps: 1e9 });
    for (let i = 0; i < 900; i++) a.sendAt(i * 100 * PS_PER_NS, frame(1, 2, 100 + (i % 1000)));
    lan.run(END_OF_TIME);
    expect(b.heard.map(({ bytes }) => bytes.length)).toEqual(
      Array.from({ length: 900 }, (_, i) => 100 + (i % 1000)),
    );
    expectWhole(a, b);
  });

  test('go on when more frames have been sent than there are slots for them', () => {
    const { a, b, lan } = pair([1500, 1500]);
    a.sendAt(0, frame(1, 2));
    lan.run(END_OF_TIME);
    expect(a.heard.length + b.heard.length).toBe(3001);
    expect(b.heard.at(-1)!.bytes).toEqual([...frame(1, 2)]);
    expectWhole(a, b);
  });

  test('stop where they are told to, and go on from there', () => {
    const { a, b, lan } = pair([0, 0]);
    a.sendAt(2 * PS_PER_MS, frame(1, 2));
    lan.run(PS_PER_MS);
    expect(b.heard).toHaveLength(0);
    lan.run(3 * PS_PER_MS);
    expect(b.heard).toHaveLength(1);
  });

  test('refuse a cable without a length', () => {
    expect(() => pair([0, 0], { delayPs: 0 })).toThrow('link delay');
  });
});
