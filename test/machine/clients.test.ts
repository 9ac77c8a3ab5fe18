/** Closed-loop clients: what queueing says of them, whatever the machine does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';
import { EventHeap } from '../../src/machine/eventHeap.ts';

type Given = Readonly<Record<string, unknown>>;
const ask = async (given: Given): Promise<RunReport> =>
  (
    await run({
      xdp: 'pass',
      apps: 'server:9',
      cpus: 2,
      queues: 1,
      appCpu: 1,
      rxUsecs: 0,
      ...given,
    })
  ).report;

const clientsOf = ({ clients }: RunReport): NonNullable<RunReport['clients']> => clients!;

test('one client without a thought: one round trip after the other', async () => {
  const report = await ask({ clients: 1, count: 500 });
  const { transactions, perSecond, sent, timeouts, roundTripNs } = clientsOf(report);
  expect([transactions, sent, timeouts]).toEqual([500, 500, 0]);
  expect(report.packets).toMatchObject({ offered: 500, onWire: 500 });
  expect(report.conserved).toBe(true);
  // two cables of 5 µs, DMA 0.7 µs, an interrupt, an application, a doorbell
  expect(roundTripNs.mean).toBeGreaterThan(11_000);
  expect(roundTripNs.mean).toBeLessThan(30_000);
  expect(perSecond / (1e9 / roundTripNs.mean)).toBeCloseTo(1, 2);
});

test('the cable is part of a round trip, twice', async () => {
  const [short, long] = [
    await ask({ clients: 1, count: 200, cable: '5us' }),
    await ask({ clients: 1, count: 200, cable: '25us' }),
  ];
  const more = clientsOf(long).roundTripNs.mean - clientsOf(short).roundTripNs.mean;
  // TX completions come at another phase of the next request, and take a little CPU time there
  expect(Math.abs(more - 40_000)).toBeLessThan(200);
});

test("Little's law: clients = rate x (round trip + think)", async () => {
  const report = await ask({ clients: 50, think: '200us', count: 20_000 });
  const { perSecond, roundTripNs } = clientsOf(report);
  const inside = (perSecond * (roundTripNs.mean + 200_000)) / 1e9;
  expect(inside / 50).toBeGreaterThan(0.97);
  expect(inside / 50).toBeLessThan(1.03);
});

test('more clients than the machine can serve wait for each other, and none is lost', async () => {
  const few = clientsOf(await ask({ clients: 32, count: 10_000 }));
  const many = clientsOf(await ask({ clients: 128, count: 10_000 }));
  expect(many.timeouts).toBe(0);
  expect(many.perSecond / few.perSecond).toBeGreaterThan(0.9);
  expect(many.perSecond / few.perSecond).toBeLessThan(1.4); // larger batches gain a little
  expect(many.roundTripNs.mean / few.roundTripNs.mean).toBeGreaterThan(2.5);
});

test('an answer that never comes is a timeout, and the client asks again', async () => {
  const report = await ask({ clients: 3, count: 12, xdp: 'drop' });
  expect(clientsOf(report)).toMatchObject({
    transactions: 0,
    sent: 12,
    timeouts: 12,
    perSecond: 0,
  });
  expect(report.packets.xdpDrop).toBe(12);
});

test('as long as a cable is, there is time for its answers; as short as it is, a run ends', async () => {
  const long = clientsOf(await ask({ clients: 2, count: 10, cable: '1s' }));
  expect(long).toMatchObject({ transactions: 10, sent: 10, timeouts: 0 });
  expect(Math.floor(long.roundTripNs.mean / 1e6)).toBe(2000);
  const short = clientsOf(await ask({ clients: 2, count: 300, cable: '1ps' }));
  expect(short).toMatchObject({ transactions: 300, sent: 300, timeouts: 0 });
});

test.each(['5us', '8ms', '300ms'])(
  '%s away, a timeout comes 10 ms after both ways',
  async (cable) => {
    const given = { clients: 1, count: 11, cable, xdp: 'drop' };
    const report = await ask(given);
    expect(clientsOf(report)).toMatchObject({ sent: 11, timeouts: 11 });
    const wayNs = { '5us': 5e3, '8ms': 8e6, '300ms': 3e8 }[cable]!;
    // between the first request and the last there are ten timeouts; it came at most two ways after the start
    const over = report.virtualNs - 10 * (10e6 + 2 * wayNs) - wayNs;
    expect(over).toBeGreaterThan(0);
    expect(over).toBeLessThan(2 * wayNs + 20_000);
  },
);

test('a program that sends frames back answers too', async () => {
  const report = await ask({ clients: 8, count: 2000, xdp: 'echo', apps: undefined });
  expect(clientsOf(report)).toMatchObject({ transactions: 2000, timeouts: 0 });
});

test('each answer is acknowledged once, two cables after it, and no client waits for that', async () => {
  const given = { clients: 5, think: '30us', count: 1000, cable: '7us' };
  const plain = await ask(given);
  const acked = await ask({ ...given, clientAck: 10, rawDrop: 'udp dport 10' });
  expect(clientsOf(acked)).toMatchObject({ transactions: 1000, sent: 1000, timeouts: 0 });
  expect([plain.packets.received, acked.packets.received]).toEqual([1000, 2000]);
  expect(acked.settledNs).toBeGreaterThan(plain.settledNs * 0.9);
});

test('a time instead of a number ends it', async () => {
  const report = await ask({ clients: 4, think: '50us', duration: '5ms' });
  const { sent, transactions } = clientsOf(report);
  expect(transactions).toBe(sent);
  expect(sent).toBeGreaterThan(200);
  expect(sent).toBeLessThan(400);
});

test('one seed, one answer; lazy and eager agree', async () => {
  const given = { clients: 20, think: '20us', count: 2000, seed: 5 };
  const [first, second] = [await ask(given), await ask(given)];
  expect({ ...second, wallMs: 0 }).toEqual({ ...first, wallMs: 0 });
  const eager = await ask({ ...given, eager: true });
  expect(eager.clients).toEqual(first.clients);
  const other = await ask({ ...given, seed: 6 });
  expect(other.clients).not.toEqual(first.clients);
});

test('an interrupt whose message comes after the end of a round holds nothing up', async () => {
  const given = { apps: 'server:9', cpus: 2, queues: 2, clients: 40, think: '10us', seed: 7 };
  const lazy = await ask({ ...given, count: 1500 });
  const eager = await ask({ ...given, count: 1500, eager: true });
  expect({ ...eager, wallMs: 0 }).toEqual({ ...lazy, wallMs: 0 });
});

test.each([
  [{ think: '5us' }, '--think: needs --clients N'],
  [{ clientAck: 10 }, '--client-ack: needs --clients N'],
  [{ clientUpdates: 3 }, '--client-updates: needs --clients N'],
  [{ clients: 3, clientUpdates: 101 }, '--client-updates: 101 is out of range (0 to 100 %)'],
  [
    { clients: 3, clientUpdates: 1, mtu: 1345 },
    '--client-updates: a request with a value of 1300 bytes needs an MTU of at least 1346',
  ],
  [{ clients: 3, clientUpdates: 1, size: '219' }, '--size: 219 is out of range (64 to 218 bytes)'],
  [{ clients: 3, clientAck: 0 }, '--client-ack: 0 is out of range (1 to 65535)'],
  [{ clients: 3, rate: '1M' }, '--rate: is an open loop, but --clients is a closed one'],
  [{ clients: 3, size: 'imix' }, '--size: imix is no one size, as requests have'],
  [{ clients: 3, size: '2000' }, '--size: 2000 is out of range (64 to 1518 bytes)'],
  [{ clients: 3, cable: '0s' }, '--cable: 0s is out of range (1ps to 1s)'],
  [{ clients: 3, cable: '1.001s' }, '--cable: 1.001s is out of range (1ps to 1s)'],
  [{ clients: 3, cable: '9007s' }, '--cable: 9007s is out of range (1ps to 1s)'],
  [{ clients: 0 }, '--clients: 0 is out of range (1 to 16384)'],
])('%j is refused', async (given, message) => {
  await expect(run({ xdp: 'pass', ...given })).rejects.toThrow(message);
});

test('events come in the order of time, then of number', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(50))), (events) => {
      const heap = new EventHeap();
      for (const [at, number] of events) heap.push(at, number);
      const out: [number, number][] = [];
      while (heap.nextAt() < Infinity) out.push([heap.nextAt(), heap.pop()]);
      expect(out).toEqual(events.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
  );
});

test('what a client takes to see an answer is a part of its round trip: mean and exponential tail', async () => {
  const given = { clients: 1, count: 20_000, cable: '5us' };
  const none = clientsOf(await ask(given)).roundTripNs;
  const slow = clientsOf(await ask({ ...given, clientDelay: '200us' })).roundTripNs;
  expect((slow.mean - none.mean) / 200_000).toBeCloseTo(1, 1);
  // a quantile q of an exponential distribution is -ln(1 - q) times its mean
  expect((slow.p99 - none.p99) / (200_000 * Math.log(100))).toBeCloseTo(1, 0.9);
});
