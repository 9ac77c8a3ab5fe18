/** Frames from outside: those that find no room arrive late or are lost, and are counted. */
import { expect, test } from 'vitest';
import { PS_PER_US } from '../../src/host/clock.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Machine } from '../../src/machine.ts';
import { Inlet, inletBytes } from '../../src/machine/inlet.ts';
import { frame4, udpTo } from './inetRig.ts';

const SLOTS = 4;

function build(): [Machine, Inlet] {
  const machine = new Machine(
    {
      ...{ seed: 1, cpus: 1, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT },
      ...{ stack: true, check: true, eager: false },
      nics: [
        {
          ...{ name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), queues: 1, rxRing: 511 },
          ...{ txRing: 255, mtu: 1500, linkBps: 1e10, rxUsecs: 1, rxFrames: 1, txUsecs: 1 },
          ...{ txFrames: 1, rxvlan: true, promisc: false, irqAffinity: [0] },
        },
      ],
    },
    inletBytes(SLOTS, 1500),
  );
  machine.open();
  return [machine, new Inlet(machine, 0, SLOTS)];
}

const runOut = (machine: Machine, inlet: Inlet): void => {
  for (let at = PS_PER_US; !inlet.empty; at += 10 * PS_PER_US) {
    inlet.deliver();
    machine.run(at);
  }
  machine.run(machine.present + 20_000 * PS_PER_US);
};

test('more than the slots hold arrive late, more than may wait are lost', () => {
  const [machine, inlet] = build();
  const taken = Array.from({ length: 40 }, () => inlet.arrive(PS_PER_US, frame4(udpTo(9))));
  expect(taken.map(Number)).toEqual([...Array.from({ length: 32 }, () => 1), ...Array(8).fill(0)]);
  runOut(machine, inlet);
  expect(inlet.lost).toBe(8);
  expect(inlet.late).toBe(28);
  expect(machine.result().nics[0]!.fates.offered).toBe(32);
  expect(machine.result().nics[0]!.fates.toStack).toBe(32);
});

test('what waits for its own time is not late', () => {
  const [machine, inlet] = build();
  for (let i = 0; i < 12; i++) inlet.arrive((1 + i) * 1000 * PS_PER_US, frame4(udpTo(9)));
  runOut(machine, inlet);
  expect([inlet.late, inlet.lost]).toEqual([0, 0]);
  expect(machine.result().nics[0]!.fates.toStack).toBe(12);
});
