import { describe, expect, test } from 'vitest';
import { PS_PER_MS } from '../../src/host/clock.ts';
import type { AppConfig } from '../../src/machine/inetConfig.ts';
import { BALANCED, InetRig, app, frame4, udpTo } from './inetRig.ts';

/** A sink on its own CPU, and five datagrams with a millisecond between them. */
function waiting(how: Partial<AppConfig>): InetRig {
  const frames = Array.from({ length: 5 }, () => frame4(udpTo(9)));
  const apps = [app({ kind: 'sink', udp: 9, cpu: 1, ...how })];
  const rig = new InetRig(frames, { apps, gap: PS_PER_MS }).run();
  expect(rig.machine.result().sockets[0]!.received).toBe(5);
  expect(rig.books).toEqual(BALANCED);
  return rig;
}

const busyPolls = (rig: InetRig): number => rig.machine.result().napi[0]!.busyPolls;

describe('an application that waits', () => {
  test('and neither prefers to poll nor has time for it blocks', () => {
    expect(busyPolls(waiting({}))).toBe(0);
  });

  test('and prefers to poll does so once before each sleep, without any time', () => {
    // at first it knows no NAPI; then each datagram names one, and the wait behind it polls that
    expect(busyPolls(waiting({ preferBusyPoll: true }))).toBe(5);
  });

  test('polls as long as it was told, whether it prefers to or not', () => {
    for (const preferBusyPoll of [true, false])
      expect(busyPolls(waiting({ busyPollUsecs: 50, preferBusyPoll }))).toBeGreaterThan(50);
  });

  test("is told as its NAPI's CPU, where its polls received the most", () => {
    const polledOn = (how: Partial<AppConfig>): readonly number[] => {
      const [napi] = waiting(how).machine.result().napi;
      return [napi!.cpu, napi!.irqCpu];
    };
    expect(polledOn({ busyPollUsecs: 2000 })).toEqual([1, 0]);
    expect(polledOn({ preferBusyPoll: true })).toEqual([0, 0]);
  });
});
