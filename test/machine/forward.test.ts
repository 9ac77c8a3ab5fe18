/** A router, as Linux 6.18 is one: `scripts/record-forward.py` recorded what the kernel did with each frame. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import { parseNeigh, parseRoute } from '../../src/lab/routes.ts';
import type { InetConfig } from '../../src/machine/inetConfig.ts';
import { ipv4CheckOk, ipDecreaseTtl, updateIpv4Check } from '../../src/wire/ipv4.ts';
import { FORWARD_CASES, FORWARD_SERIES, NEIGHBOURS, ROUTES } from './forwardCases.ts';
import { runs } from './fuzzRig.ts';
import { BALANCED, InetRig, frame4, udpTo } from './inetRig.ts';
import { buildFrame } from '../../src/wire/build.ts';
import pass from '../../examples/pass.ts';
import typescript from '../../examples/router.ts';
import { objectXdp } from '../../src/xdp/objectProgram.ts';
import { parseElf } from '../../src/xdp/loader/parseElf.ts';

interface Answer {
  readonly frames: readonly string[];
  readonly out: readonly (readonly [link: number, frame: string])[];
  readonly counters: Readonly<Record<string, number>>;
  readonly reason?: string | null;
}

const linux = JSON.parse(
  readFileSync(new URL('../vectors/forward.json', import.meta.url), 'utf8'),
) as Record<string, Answer>;

const byXdp = JSON.parse(
  readFileSync(new URL('../vectors/forwardXdp.json', import.meta.url), 'utf8'),
) as Record<string, Answer>;
const OBJECT = parseElf(readFileSync(new URL('../../examples/bpf/router.o', import.meta.url)), {
  file: 'router.o',
});

const ROUTER: Partial<InetConfig> = {
  ipForward: true,
  routes: ROUTES.map((text) => parseRoute('route', text)),
  neighbours: NEIGHBOURS.map((text) => parseNeigh('neigh', text)),
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function router(frames: readonly Uint8Array[], gap: number = PS_PER_MS): InetRig {
  return new InetRig(frames, { inet: ROUTER, gap, nic: { mtu: 3000 }, second: { mtu: 1500 } });
}

/** In the option that is full. */
const FULL_TIME = 0x0506_0708;

/** What two stacks may write differently: the identification of an own packet, and the time of day. */
function blank(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const own = view.getUint8(14 + 9) === 1 && view.getUint8(15) === 0xc0;
  const stamped = view.getUint8(14) > 0x45 && view.getUint8(34) === 68;
  if (own) view.setUint16(18, 0);
  if (stamped && view.getUint8(36) === 13 && view.getUint32(42) !== FULL_TIME)
    view.setUint32(42, 0);
  if (own || stamped) view.setUint16(24, 0);
  return hex(frame);
}

/** Frames on the wire, without the padding that a NIC adds; Linux's veth adds none. */
const sentBy = (rig: InetRig, lengths: readonly number[]): [number, string][] =>
  rig.sent.map(({ nic, bytes }, i) => [nic, blank(bytes.slice(0, lengths[i] ?? bytes.length))]);

const recorded = ({ out }: Answer): [number, string][] =>
  out.map(([link, frame]) => [link, blank(Uint8Array.from(Buffer.from(frame, 'hex')))]);

/** Our counters under the kernel's names; those of ICMP by kind are told from the bytes sent. */
function counters(rig: InetRig): Record<string, number> {
  const { Ip, Icmp } = rig.snmp;
  const ext = ['InNoRoutes', 'InTruncatedPkts', 'InMcastPkts', 'InBcastPkts', 'InCsumErrors'];
  return Object.fromEntries([
    ...Object.entries(Ip!)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => [`${ext.includes(name) ? 'IpExt' : 'Ip'} ${name}`, n]),
    ...Object.entries(Icmp!)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => [`Icmp ${name}`, n]),
  ]);
}
const KINDS = ['OutRedirects', 'OutTimeExcds', 'OutDestUnreachs', 'OutParmProbs'];
const ofKernel = (moved: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(moved).filter(([n]) => !KINDS.some((k) => n.endsWith(k))));

function judged(rig: InetRig, answer: Answer): void {
  expect(
    sentBy(
      rig,
      answer.out.map(([, frame]) => frame.length / 2),
    ),
  ).toEqual(recorded(answer));
  expect(counters(rig)).toEqual(ofKernel(answer.counters));
  expect(rig.books).toEqual(BALANCED);
}

test('Linux has judged each frame as it is now', () => {
  const now = [
    ...Object.entries(FORWARD_CASES).map(([name, frame]) => [name, [hex(frame)]]),
    ...Object.entries(FORWARD_SERIES).map(([name, list]) => [`series: ${name}`, list.map(hex)]),
  ];
  expect(Object.entries(linux).map(([name, { frames }]) => [name, frames])).toEqual(now);
});

test.each(Object.entries(FORWARD_CASES))('%s', (name, frame) => {
  const rig = router([frame]).run();
  const answer = linux[name]!;
  judged(rig, answer);
  expect(Object.keys(rig.lost)).toEqual(answer.reason === null ? [] : [answer.reason]);
  const { forwarded, toStack } = rig.fates;
  const forwards = answer.reason === null;
  expect([forwarded, toStack]).toEqual([forwards ? 1 : 0, 0]);
});

test.each(Object.entries(FORWARD_SERIES))('in a row: %s', (name, frames) => {
  judged(router(frames).run(), linux[`series: ${name}`]!);
});

test('whoever does not forward counts what is for others, and tells nobody', () => {
  const frame = FORWARD_CASES['to the other link']!;
  const rig = new InetRig([frame], { second: {} }).run();
  expect(rig.lost).toEqual({ IP_INADDRERRORS: 1 });
  expect(rig.snmp['Ip']).toMatchObject({ InAddrErrors: 1, ForwDatagrams: 0 });
  expect(rig.sent).toEqual([]);
});

test('an error is no longer than the MTU of the link that it leaves by', () => {
  const far = { src: 0x0a00_0109, dst: 0x0a00_0009, ttl: 1 }; // 10.0.1.9 asks, who is behind eth1
  const frame = frame4(udpTo(9, 1000), far);
  const rig = new InetRig([frame], { inet: ROUTER, second: { mtu: 300 } }).run();
  expect(rig.sent.map(({ nic, bytes }) => [nic, bytes.length, bytes[34]])).toEqual([[1, 314, 11]]);
  expect(rig.snmp['Ip']).toMatchObject({ FragCreates: 0, OutTransmits: 1 });
});

test('one hop less is the checksum that a whole sum gives', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.integer({ min: 1, max: 255 }),
      (bytes, ttl) => {
        const view = new DataView(bytes.slice().buffer);
        view.setUint8(0, 0x45);
        view.setUint8(8, ttl);
        updateIpv4Check(view, 0);
        ipDecreaseTtl(view, 0);
        expect(view.getUint8(8)).toBe(ttl - 1);
        expect(ipv4CheckOk(view, 0)).toBe(true);
      },
    ),
  );
});

describe('packets for a neighbour nobody has heard of', () => {
  const FRESH = 0x0a00_0142;
  const MAC = { hi16: 0x0200, lo32: 0x142 };
  const packets = [1, 2, 3].map((n) => frame4(udpTo(n), { dst: FRESH }));

  test('wait until it answers, and go then, in order', () => {
    const rig = router(packets);
    const net = {
      ...{ kind: 'arp' as const, reply: true, senderMac: MAC, senderIp: FRESH },
      ...{ targetMac: { hi16: 0x0200, lo32: 2 }, targetIp: 0x0a00_0101 },
    };
    const answer = buildFrame({ dst: { hi16: 0x0200, lo32: 2 }, src: MAC, net });
    rig.offer(1, [answer], 50 * PS_PER_MS);
    rig.run();
    const went = rig.sent.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0);
    expect(went.map(({ nic, bytes }) => [nic, bytes[5], bytes[37]])).toEqual([
      [1, 0x42, 1],
      [1, 0x42, 2],
      [1, 0x42, 3],
    ]);
    expect(went[0]!.at).toBeGreaterThan(50 * PS_PER_MS);
    expect([rig.fates.forwarded, rig.lost]).toEqual([3, {}]);
    expect(rig.books).toEqual(BALANCED);
  });

  test('are lost when the machine is shut down meanwhile', () => {
    const rig = router(packets).run(20 * PS_PER_MS);
    rig.machine.close();
    expect([rig.fates.forwarded, rig.lost]).toEqual([0, { NEIGH_FAILED: 3 }]);
    expect(rig.books).toEqual(BALANCED);
  });
});

test('what is forwarded faster than the other link takes it waits, and then is dropped', () => {
  const frame = frame4(udpTo(9, 1400), { dst: 0x0a00_0109 });
  const frames = Array.from({ length: 3000 }, () => frame);
  const slow = { txRing: 63, linkBps: 1e8 };
  const rig = new InetRig(frames, { inet: ROUTER, gap: PS_PER_US, second: slow }).run();
  const { forwarded, stackTx, onWire } = rig.fates;
  expect([forwarded, stackTx]).toEqual([3000, 3000]);
  expect(rig.lost).toEqual({ qdiscDrop: 3000 - onWire });
  expect(onWire).toBeGreaterThan(1000); // all that the queue in front of the device holds
  expect(onWire).toBeLessThan(1200);
  expect(rig.books).toEqual(BALANCED);
});

test('a program that passes a packet on changes nothing about its way', () => {
  const frame = FORWARD_CASES['to the other link']!;
  const plain = router([frame]).run();
  const options = { inet: ROUTER, second: { mtu: 1500 }, xdp: pass };
  const passed = new InetRig([frame], options).run();
  expect(passed.sent.map(({ bytes }) => hex(bytes))).toEqual(plain.sent.map((s) => hex(s.bytes)));
  expect([passed.fates.xdpPass, passed.fates.forwarded]).toEqual([1, 1]);
  expect(passed.books).toEqual(BALANCED);
});

test('whatever comes, nothing is lost uncounted', () => {
  const frames = Object.values(FORWARD_CASES);
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          frame: fc.nat(frames.length - 1),
          at: fc.nat(59),
          bits: fc.integer({ min: 0, max: 255 }),
          mend: fc.boolean(),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      fc.boolean(),
      (spoils, eager) => {
        const list = spoils.map(({ frame, at, bits, mend }) => {
          const bytes = frames[frame]!.slice();
          bytes[14 + (at % (bytes.length - 14))]! ^= bits;
          const view = new DataView(bytes.buffer);
          if (mend && 14 + (bytes[14]! & 15) * 4 <= bytes.length) updateIpv4Check(view, 14);
          return bytes;
        });
        const options = { inet: ROUTER, nic: { mtu: 3000 }, second: { mtu: 1500 } };
        const rig = new InetRig(list, { ...options, machine: { eager } }).run();
        expect(rig.books).toEqual(BALANCED);
        const { forwarded } = rig.fates;
        const { ForwDatagrams } = rig.snmp['Ip']!;
        expect(forwarded).toBeLessThanOrEqual(ForwDatagrams!);
      },
    ),
  );
});

/** What left each link and when, in an order that does not depend on which link was looked at first. */
const leftBy = (rig: InetRig): string[] =>
  rig.sent.map(({ nic, at, bytes }) => `${nic} ${at} ${hex(bytes)}`).toSorted();

test('lazy and eager forward the same, at the same time', () => {
  const cases = Object.values(FORWARD_CASES);
  fc.assert(
    fc.property(
      fc.record({
        which: fc.array(fc.nat(cases.length - 1), { minLength: 1, maxLength: 60 }),
        gap: fc.constantFrom(PS_PER_US / 10, PS_PER_US, 5 * PS_PER_US),
        queues: fc.integer({ min: 1, max: 2 }),
        chip: fc.constantFrom('p4', 'p5'),
        rxUsecs: fc.constantFrom(0, 1, 5, 20),
        rxFramesIrq: fc.integer({ min: 1, max: 6 }),
        txFramesIrq: fc.integer({ min: 1, max: 6 }),
      }),
      ({ which, gap, queues, ...coalescing }) => {
        const irqAffinity = [0, 1].slice(0, queues);
        const nic = { mtu: 3000, rxFrames: 8, queues, irqAffinity, ...coalescing };
        const second = { mtu: 1500, txRing: 63, linkBps: 1e9 };
        const frames = which.map((i) => cases[i]!);
        const by = [false, true].map((eager) => {
          const machine = { eager, cpus: queues };
          return new InetRig(frames, { inet: ROUTER, gap, nic, second, machine }).run();
        });
        const [lazy, eager] = by as [InetRig, InetRig];
        expect(leftBy(eager)).toEqual(leftBy(lazy));
        expect([eager.lost, eager.snmp]).toEqual([lazy.lost, lazy.snmp]);
      },
    ),
    { numRuns: runs(20) },
  );
});

describe.each([
  ['in C', objectXdp(OBJECT, OBJECT.programs['xdp_router']!)],
  ['in TypeScript', typescript],
])('a router by XDP %s sends what Linux sends with that program', (_, xdp) => {
  const cases = Object.entries(byXdp);

  test.each(cases)('%s', (_name, answer) => {
    const frame = Uint8Array.from(Buffer.from(answer.frames[0]!, 'hex'));
    const nic = { mtu: 3000 };
    const rig = new InetRig([frame], { inet: ROUTER, nic, second: { mtu: 1500 }, xdp });
    rig.machine.attachXdp(1, pass); // a device takes redirected frames when it runs a program itself
    judged(rig.run(), answer);
  });
});
