import { describe, expect, test } from 'vitest';
import { datagramStream } from '../../src/lab/datagrams.ts';
import { run } from '../../src/lab/given.ts';

test('a run with an echo server: every request is answered, and the report says so', async () => {
  const { report } = await run({
    xdp: 'pass',
    traffic: 'udp size=128 flows=16 rate=200kpps',
    count: 2000,
    apps: [{ kind: 'echo', udp: 9 }],
    check: true,
  });
  expect(report.conserved).toBe(true);
  expect(report.packets).toMatchObject({ xdpPass: 2000, toStack: 2000, stackTx: 2000, lost: {} });
  expect(report.packets.onWire).toBe(2000);
  expect(report.sockets).toMatchObject([
    { kind: 'echo', port: 9, cpu: 3, received: 2000, sent: 2000, unread: 0, drops: 0 },
  ]);
  expect(report.sockets[0]!.waitedNs.count).toBe(2000);
  expect(report.snmp['Udp']).toEqual({ InDatagrams: 2000, OutDatagrams: 2000 });
  expect(report.cpus[3]!.appPct).toBeGreaterThan(0);
});

test('nobody listens: the packets are lost by the name of their reason', async () => {
  const { report } = await run({ xdp: 'pass', traffic: 'udp rate=1Mpps', count: 500 });
  expect(report.packets.lost).toEqual({ NO_SOCKET: 500 });
  expect(report.drops).toEqual({ NO_SOCKET: 500 });
  expect(report.snmp['Udp']).toEqual({ NoPorts: 500 });
  expect(report.conserved).toBe(true);
});

test.each(['udp6 size=82', 'udp size=64'])(
  'two NICs as they come, %s: every answer leaves by the first',
  async (traffic) => {
    const { report } = await run({
      xdp: 'pass',
      traffic: `${traffic} flows=64 rate=1Mpps`,
      count: 1000,
      queues: 1,
      cpus: 2,
      apps: 'echo:9',
    });
    expect(report.nics).toHaveLength(2);
    expect(report.nics[0]!.packets.onWire).toBe(1000);
    expect(report.packets.onWire).toBe(1000);
    expect(report.drops).toEqual({});
  },
);

test('receive packet steering spreads what one queue receives', async () => {
  const { report } = await run({
    xdp: 'pass',
    traffic: 'udp flows=256 rate=500kpps',
    count: 3000,
    queues: 1,
    rps: '1,2,3',
    apps: 'sink:9',
  });
  const processed = report.softnet.map((line) => line[0]!);
  expect(processed[0]).toBe(0);
  expect(processed.slice(1).every((n) => n > 500)).toBe(true);
  expect(report.packets.toStack).toBe(3000);
});

test('a third number on the command line is how many datagrams a call reads', async () => {
  const reads = async (apps: string): Promise<number> => {
    const { report } = await run({ xdp: 'pass', traffic: 'udp rate=5Mpps', count: 100, apps });
    expect(report.sockets[0]!.received).toBe(100);
    return report.sockets[0]!.reads;
  };
  expect(await reads('sink:9:1')).toBe(100);
  expect(await reads('sink:9:7')).toBeGreaterThanOrEqual(15); // 100 by 7
  expect(await reads('sink:9')).toBeLessThan(15);
});

test('what an application reads is a stream of batches', async () => {
  const { app, batches } = datagramStream(9, { batch: 4 });
  const sizes: number[] = [];
  let bytes = 0;
  let complete = false;
  batches.subscribe({
    next: (batch) => {
      sizes.push(batch.length);
      for (const datagram of batch) bytes += datagram.bytes.length;
    },
    complete: () => (complete = true),
  });
  await run({ xdp: 'pass', traffic: 'udp size=100 rate=500kpps', count: 400, apps: [app] });
  expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(400);
  expect(Math.max(...sizes)).toBe(4);
  expect(complete).toBe(true);
  expect(bytes).toBe(400 * (100 - 4 - 42));
});

test('generated traffic is for the address that the first NIC was given', async () => {
  const { report } = await run({
    xdp: 'pass',
    traffic: 'udp rate=500kpps',
    count: 200,
    apps: 'sink:9',
    nics: [{ addr: '192.168.7.1/24' }],
  });
  expect(report.sockets[0]!.received).toBe(200);
});

describe('a connected app', () => {
  const connected = async (connect: string, kind = 'sink') => {
    const { report } = await run({
      xdp: 'pass',
      traffic: 'udp rate=500kpps flows=1',
      count: 50,
      apps: [{ kind, udp: 9, connect } as never],
    });
    return report.sockets[0]!;
  };

  test('hears its peer alone', async () => {
    expect((await connected('10.1.0.0:49152')).received).toBe(50);
    expect((await connected('10.1.0.0:49153')).received).toBe(0);
    expect((await connected('10.0.1.0:5')).received).toBe(0); // a subnet's first address: no broadcast
    expect((await connected('[fd00::9]:49152')).received).toBe(0);
  });

  test.each([
    ['10.1.0.1', '10.1.0.1 is no peer'],
    ['10.1.0.1:70000', 'is no peer'],
    ['fd00::9:70', 'IPv4 address'],
    ['10.0.0.1:5', '--apps[0].connect: 10.0.0.1:5 cannot be reached: it is the machine'],
    ['10.0.1.1:5', 'EHOSTUNREACH'],
    ['127.0.0.1:9', 'EHOSTUNREACH'],
    ['[fd00::1]:53', '[fd00::1]:53 cannot be reached'],
    ['10.0.0.255:5', 'EACCES'],
    ['10.0.1.255:5', 'EACCES'],
    ['255.255.255.255:5', 'EACCES'],
    ['0.0.0.0:9', 'ENETUNREACH'],
    ['224.0.0.1:5', 'ENETUNREACH'],
    ['[ff02::1]:5', 'ENETUNREACH'],
  ])('%s is refused', async (connect, message) => {
    await expect(connected(connect)).rejects.toThrow(message);
  });
});

test.each([
  [1280, 10, undefined],
  [1279, 0, 10],
])('a NIC with an MTU of %i has IPv6 only from 1280 on', async (mtu, received, discards) => {
  const { report } = await run({
    xdp: 'pass',
    traffic: 'udp6 size=82 rate=1Mpps',
    ...{ count: 10, mtu, apps: 'sink:9' },
  });
  expect(report.sockets[0]!.received).toBe(received);
  expect(report.snmp['Ip6']).toMatchObject({ InReceives: 10 });
  expect(report.snmp['Ip6']!['InDiscards']).toBe(discards);
  expect(report.conserved).toBe(true);
});
