/** Whatever comes in: no crash, nothing leaked, every packet with one fate, memory bounded. RINGSCOPE_RUNS multiplies the random runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import pass from '../../examples/pass.ts';
import { PS_PER_NS } from '../../src/host/clock.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { InetRigOptions } from './inetRig.ts';
import {
  BALANCED,
  InetRig,
  MY_IP,
  MY_IP6,
  MY_MAC,
  PEER_IP6,
  PEER_MAC,
  app,
  frame4,
  frame6,
  udpTo,
} from './inetRig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const ext = (proto: number, bytes: number[]) => ({ proto, bytes: Uint8Array.from(bytes) });
const hopByHop = ext(0, [0, 0, 5, 2, 0, 0, 1, 0]);
const destination = ext(60, [0, 1, 0x1e, 4, 1, 2, 3, 4, 1, 6, 0, 0, 0, 0, 0, 0]);
const routing = ext(43, [0, 0, 0, 0, 0, 0, 0, 0]);
const fragment = ext(44, [0, 0, 0, 1, 0, 0, 0, 9]);
const solicitation = Uint8Array.from([135, 0, 0, 0, 0, 0, 0, 0, ...MY_IP6, 1, 1, 2, 0, 0, 0, 0, 9]);

/** One frame of each kind that the stack knows something about. */
const KINDS: readonly Uint8Array[] = [
  frame4(udpTo(7, 300)),
  frame4(udpTo(9, 30), { options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0, 0) }),
  frame4(udpTo(99, 30)),
  frame4({ kind: 'echo', payload: 400 }),
  frame4({ kind: 'tcp', srcPort: 1, dstPort: 80, payload: 20 }),
  frame4({ kind: 'bytes', proto: 17, payload: 64 }, { id: 3, moreFragments: true }),
  frame4({
    kind: 'bytes',
    proto: 1,
    payload: Uint8Array.from([3, 3, 0xfc, 0xfc, ...Array.from({ length: 36 }, () => 0)]),
  }),
  frame4(udpTo(7, 30), {}, { tags: [{ vid: 0, pcp: 3 }] }),
  frame4(udpTo(7, 30), {}, { tags: [{ vid: 0, tpid: 0x88a8 }, { vid: 0 }] }),
  frame6(udpTo(7, 300)),
  frame6(udpTo(9, 30), { extensions: [hopByHop, destination, routing] }),
  frame6({ kind: 'bytes', proto: 17, payload: 64 }, { extensions: [hopByHop, fragment] }),
  frame6({ kind: 'echo', payload: 400 }),
  frame6({ kind: 'bytes', proto: 58, payload: solicitation }, { hopLimit: 255 }),
  buildFrame({
    dst: { hi16: 0xffff, lo32: 0xffff_ffff },
    src: PEER_MAC,
    net: { kind: 'arp', senderMac: PEER_MAC, senderIp: 0x0a00_0009, targetIp: MY_IP },
  }),
  buildFrame({
    dst: MY_MAC,
    src: PEER_MAC,
    net: { kind: 'ipv6', src: PEER_IP6, dst: MY_IP6, body: udpTo(7, 1400) },
  }),
];

const LISTENING: InetRigOptions = {
  apps: [
    app({ kind: 'echo', udp: 7, cpu: 1 }),
    app({ kind: 'sink', udp: 9, rcvbuf: 4096 }),
    app({ kind: 'server', udp: 53, replyBytes: 200 }),
  ],
};

/** Run to the end, check the books, shut down: nobody may hold a packet then. */
function survives(frames: readonly Uint8Array[], options: InetRigOptions = LISTENING): InetRig {
  const rig = new InetRig(frames, { gap: 700 * PS_PER_NS, ...options }).run();
  expect(rig.books).toEqual(BALANCED);
  expect(rig.fates.offered).toBe(frames.length);
  rig.machine.close();
  expect(rig.machine.net.skbs.live).toBe(0);
  expect(rig.books).toEqual(BALANCED);
  return rig;
}

describe.each(['with a program', 'without one'])('%s', (mode) => {
  const machine: InetRigOptions = {
    ...LISTENING,
    ...(mode === 'without one' ? {} : { xdp: pass }),
  };

  test('every header cut short at every byte', () => {
    const cut = KINDS.flatMap((frame) =>
      Array.from({ length: Math.min(frame.length, 140) - 14 }, (_, i) => frame.slice(0, 14 + i)),
    );
    survives(cut, machine);
  });

  test.each([0x00, 0x01, 0x7f, 0xff])('every byte of every header replaced by %i', (byte) => {
    const lies = KINDS.flatMap((frame) =>
      Array.from({ length: Math.min(frame.length, 110) - 12 }, (_, i) => {
        const lie = frame.slice();
        lie[12 + i] = byte;
        return lie;
      }),
    );
    survives(lies, machine);
  });
});

test('option loops: IPv4 and IPv6 options of length 0, padding without end, chains of headers', () => {
  const zeros = (n: number): number[] => Array.from({ length: n }, () => 0);
  const frames = [
    frame4(udpTo(9), { options: Uint8Array.from([7, 0, ...zeros(38)]) }),
    frame4(udpTo(9), { options: Uint8Array.from({ length: 40 }, () => 1) }),
    frame6(udpTo(9), { extensions: [ext(60, [0, 31, ...zeros(254)])] }),
    frame6(udpTo(9), { extensions: [ext(0, [0, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0])] }),
    frame6(udpTo(9), {
      extensions: Array.from({ length: 60 }, () => ext(60, [0, 0, 1, 4, 0, 0, 0, 0])),
    }),
    frame6(udpTo(9), { extensions: Array.from({ length: 60 }, () => ext(44, zeros(8))) }),
  ];
  survives(frames);
});

test('an echo storm at line rate: sockets, rings and queues stay bounded, and what is lost has a name', () => {
  const storm = Array.from({ length: 20_000 }, (_, i) => KINDS[[0, 3, 9, 12][i % 4]!]!);
  const rig = survives(storm, {
    apps: [app({ kind: 'echo', udp: 7, cpu: 0 })],
    gap: 40 * PS_PER_NS,
  });
  expect(rig.machine.result().sockets[0]!.rmemMax).toBeLessThanOrEqual(212_992 + 5376);
  const { lost } = rig;
  const known = [
    'noBuffer',
    'socketBufferFull',
    'qdiscDrop',
    'oom',
    'skbOom',
    'txDeviceClosed',
    'SOCKET_CLOSE',
  ];
  expect(Object.keys(lost).filter((cause) => !known.includes(cause))).toEqual([]);
});

test('random damage to random frames, one and two queues, with steering or not', () => {
  const damage = fc.record({
    kind: fc.nat(KINDS.length - 1),
    cut: fc.option(fc.integer({ min: 14, max: 300 }), { nil: undefined }),
    flips: fc.array(fc.tuple(fc.nat(160), fc.nat(255)), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(
      fc.array(damage, { minLength: 1, maxLength: 120 }),
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom([], [1], [0, 1]),
      fc.boolean(),
      (damages, queues, rps, eager) => {
        const frames = damages.map(({ kind, cut, flips }) => {
          const frame = KINDS[kind]!.slice(0, cut);
          for (const [at, byte] of flips) if (at < frame.length) frame[at] = byte;
          return frame;
        });
        survives(frames, {
          ...LISTENING,
          nic: { queues, rps, irqAffinity: [0, 1] },
          machine: { eager },
        });
      },
    ),
    { numRuns: 20 * RUNS },
  );
});
