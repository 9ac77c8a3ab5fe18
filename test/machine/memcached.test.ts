/** What memcached's requests and answers weigh, and how it reads them. */
import { describe, expect, test } from 'vitest';
import { appConfig } from '../../src/lab/appOptions.ts';
import { run } from '../../src/lab/given.ts';
import { valueBytes } from '../../src/machine/memcachedValues.ts';
import { InetRig, app, frame4, udpTo } from './inetRig.ts';

describe("a value's length", () => {
  test('by hand: short ones, the median of the long ones, those that are cut', () => {
    // 15 + 214.476 (2^0.348238 - 1) / 0.348238 = 183.1 where half of the long ones are shorter
    const median = 0.44155 + 0.55845 / 2;
    expect([0.001, 0.44, 0.4416, median, 0.9999].map(valueBytes)).toEqual([5, 5, 15, 183, 1300]);
  });

  test('on average 172 bytes', () => {
    // 0.44155 x 5 + 0.55845 x (15 + 214.476 / 0.651762) less 22.3 for what is cut
    const values = Array.from({ length: 20_000 }, (_, i) => valueBytes((i + 0.5) / 20_000));
    const mean = values.reduce((sum, bytes) => sum + bytes, 0) / values.length;
    expect(Math.abs(mean - 172)).toBeLessThan(2);
  });
});

test('it reads one request a system call, and answers 77 bytes and a value', () => {
  const requests = 2000;
  const frames = Array.from({ length: requests }, () => frame4(udpTo(9, 61)));
  const rig = new InetRig(frames, { apps: [app({ kind: 'memcached', udp: 9, cpu: 1, batch: 1 })] });
  rig.run();
  const { received } = rig.machine.result().sockets[0]!;
  expect(rig.sent.length).toBe(received);
  const values = rig.sent.map(({ bytes }) => bytes.length - 42 - 64);
  const short = values.filter((bytes) => bytes === 5).length / values.length;
  expect(Math.abs(short - 0.44155)).toBeLessThan(0.06);
  expect(Math.min(...values)).toBe(5);
  expect(rig.machine.apps[0]!.reads).toBeGreaterThanOrEqual(received);
});

test('unless it says otherwise, that is', () => {
  const where = { appCpu: 0, appCpus: [], appThreads: 1 };
  const waits = { busyPoll: 0, busyPollBudget: 8, preferBusyPoll: false };
  const of = (kind: 'memcached' | 'server', more: object = {}): readonly number[] => {
    const { batch, replyBytes } = appConfig({ kind, udp: 9, ...more }, { ...where, ...waits });
    return [batch, replyBytes];
  };
  expect(of('memcached')).toEqual([1, 77]);
  expect(of('memcached', { batch: 4 })).toEqual([4, 77]);
  expect(of('server')).toEqual([32, 64]);
});

test('requests that carry a value are longer by as much', async () => {
  const bytes = async (clientUpdates: number): Promise<number> => {
    const { report } = await run({
      ...{ xdp: 'none', apps: 'memcached:9', queues: 1, cpus: 1, size: '107' },
      ...{ clients: 100, think: '500us', count: 5000, clientUpdates },
    });
    const { received, receivedBytes } = report.sockets[0]!;
    return receivedBytes / received;
  };
  expect(await bytes(0)).toBe(107 - 4 - 42);
  expect(Math.abs((await bytes(100)) - (107 - 4 - 42) - 172)).toBeLessThan(8);
  expect(Math.abs((await bytes(10)) - (107 - 4 - 42) - 17.2)).toBeLessThan(6);
});
