import { expect, test } from 'vitest';
import { run } from '../../src/index.ts';
import type { RunReport } from '../../src/lab/report.ts';

const BASE = { xdp: 'none', queues: 3, cpus: 3, traffic: 'udp flows=64 rate=200k', count: 3000 };

const packetsOf = ({ queues }: RunReport): number[] =>
  queues.filter(({ nic }) => nic === 'eth0').map(({ packets }) => packets);

test('each thread has what comes through its RX queues', async () => {
  const { report } = await run({ ...BASE, apps: 'sink:9', appThreads: 3, appCpus: '0,1,2' });
  const packets = packetsOf(report);
  expect(report.sockets.map(({ received }) => received)).toEqual(packets);
  expect(Math.min(...packets)).toBeGreaterThan(500);
  expect(report.sockets.map(({ kind, port }) => `${kind}:${port}`)).toEqual(
    Array(3).fill('sink:9'),
  );
});

test('with fewer threads than queues, queue i goes to thread i modulo their number', async () => {
  const { report } = await run({ ...BASE, apps: [{ kind: 'sink', udp: 9, threads: 2 }] });
  const [a, b, c] = packetsOf(report);
  expect(report.sockets.map(({ received }) => received)).toEqual([a! + c!, b]);
  expect(report.sockets.map(({ cpu, migrations }) => [cpu, migrations])).toEqual([
    [2, 0],
    [2, 0],
  ]);
});

test('IPv6 as well', async () => {
  const traffic = 'udp6 flows=64 rate=200k';
  const { report } = await run({ ...BASE, traffic, apps: 'sink:9', appThreads: 3 });
  expect(report.sockets.map(({ received }) => received)).toEqual(packetsOf(report));
});

test('threads that may go anywhere do so when two would share a CPU', async () => {
  const apps = [
    { kind: 'server', udp: 9, threads: 3, cpus: [0, 1, 2] },
    { kind: 'sink', udp: 10, cpu: 1 },
  ] as const;
  const { report } = await run({
    ...{ xdp: 'none', queues: 3, cpus: 3, clients: 60, think: '20us', count: 6000 },
    ...{ apps, clientAck: 10, profile: 'xdp-paper-2018' },
  });
  const servers = report.sockets.filter(({ port }) => port === 9);
  expect(servers.reduce((sum, { sent }) => sum + sent, 0)).toBe(6000);
  for (const { migrations, wakeups } of servers) expect(migrations).toBeLessThan(wakeups);
  expect(servers.reduce((sum, { migrations }) => sum + migrations, 0)).toBeGreaterThan(10);
  expect(report.sockets.at(-1)).toMatchObject({ cpu: 1, migrations: 0 });
});

test('a thread that is on the CPU of a flood when it starts stays there: only waking moves it', async () => {
  const { report } = await run({
    ...{ xdp: 'none', queues: 1, cpus: 2, irqAffinity: '0', apps: 'sink:9', appCpus: '0,1' },
    ...{ traffic: 'udp size=64 rate=5Mpps', duration: '10ms' },
  });
  expect(report.sockets[0]).toMatchObject({ cpu: 0, migrations: 0 });
  const [worst] = report.findings;
  expect(worst!.id).toBe('livelock');
  expect(worst!.cures[0]!.options).toEqual({ 'app-cpus': '1' });
});

test.each<[more: Parameters<typeof run>[0], message: string]>([
  [{ apps: 'sink:9', appCpus: '0,3' }, '--app-cpus: 3 is out of range (0 to 2)'],
  [{ apps: 'sink:9', appCpus: '0', appCpu: 1 }, '--app-cpus: not with --app-cpu, which is one CPU'],
  [{ appThreads: 2 }, '--app-threads: needs --apps'],
  [{ appCpus: '0,1' }, '--app-cpus: needs --apps'],
  [{ apps: 'sink:9', appThreads: 65 }, '--app-threads: 65 is out of range (1 to 64)'],
  [{ apps: [{ kind: 'sink', udp: 9, cpus: [4] }] }, '4 is out of range (0 to 2)'],
  [{ apps: [{ kind: 'sink', udp: 9, cpus: [1], cpu: 1 }] }, 'not with cpu, which is one'],
  [
    { apps: [{ kind: 'sink', udp: 9, threads: 2, connect: '10.0.0.254:7' }] },
    'a peer goes with one thread',
  ],
])('%j is refused', async (options, message) => {
  await expect(run({ ...BASE, ...options })).rejects.toThrow(message);
});
