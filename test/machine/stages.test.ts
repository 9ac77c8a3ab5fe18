/** Stages of a packet's way: what they must be by hand, and that they add up. */
import { expect, test } from 'vitest';
import { FLAT } from '../../src/host/profiles.ts';
import { run } from '../../src/lab/given.ts';

const ONE = { queues: 1, cpus: 1, stages: true } as const;

test('the first four stages add up to the latency, packet for packet', async () => {
  const { report } = await run({
    ...ONE,
    xdp: 'drop',
    traffic: 'udp rate=9Mpps arrivals=poisson',
    count: 20_000,
  });
  const { dma, interrupt, poll, verdict, socket, wire } = report.stagesNs;
  for (const stage of [dma, interrupt, poll, verdict]) expect(stage!.count).toBe(20_000);
  const sum = dma!.mean + interrupt!.mean + poll!.mean + verdict!.mean;
  expect(Math.abs(sum - report.latencyNs.mean)).toBeLessThanOrEqual(3); // each is rounded
  expect([socket, wire]).toEqual([undefined, undefined]);
});

test('a lone packet: DMA, the coalescing timer and the message, the softirq, the program', async () => {
  const { report } = await run({
    ...ONE,
    xdp: 'drop',
    traffic: 'udp rate=1kpps',
    count: 50,
    rxUsecs: 10,
  });
  const { dma, interrupt, poll } = report.stagesNs;
  expect(dma!.max).toBe(FLAT.nic.rxDmaNs + FLAT.nic.rxDmaSlotNs);
  // rx-usecs in the chip's units of 80 ns, then the message; the handler runs after hardirq entry
  const irq = interrupt!.mean - FLAT.nic.msixNs;
  expect(irq).toBeGreaterThanOrEqual(10_000);
  expect(irq).toBeLessThan(11_000);
  expect(poll!.mean).toBeGreaterThan(0);
  expect(poll!.mean).toBeLessThan(1000);
});

test('more usecs, more wait for the interrupt and for nothing else', async () => {
  const at = async (rxUsecs: number): Promise<Record<string, { mean: number }>> =>
    (await run({ ...ONE, xdp: 'drop', traffic: 'udp rate=1kpps', count: 50, rxUsecs })).report
      .stagesNs;
  const [short, long] = [await at(10), await at(50)];
  expect(long['interrupt']!.mean - short['interrupt']!.mean).toBe(40_000);
  for (const stage of ['dma', 'poll', 'verdict'])
    expect(long[stage]!.mean).toBe(short[stage]!.mean);
});

test('a saturated queue: packets wait for the poll, not for an interrupt', async () => {
  const { report } = await run({ ...ONE, xdp: 'drop', traffic: 'udp rate=line', count: 100_000 });
  const { interrupt, poll } = report.stagesNs;
  expect(interrupt!.p99).toBeLessThan(poll!.p50);
  expect(report.napi.irqs).toBeLessThanOrEqual(2);
});

test('back on the wire by XDP_TX, and by redirect', async () => {
  for (const [xdp, cpus] of [
    ['echo', 1],
    ['redirect', 2],
  ] as const) {
    const { report } = await run({ ...ONE, cpus, xdp, traffic: 'udp rate=1Mpps', count: 5000 });
    const { wire } = report.stagesNs;
    expect(wire!.count).toBe(report.packets.onWire);
    expect(report.packets.onWire).toBe(5000);
    // after the verdict come doorbell, descriptor and data fetch, and the wire itself
    expect(wire!.mean).toBeGreaterThan(report.latencyNs.mean + FLAT.nic.txFetchNs);
    expect(wire!.max).toBeLessThan(report.latencyNs.max + 20_000);
  }
});

test('to the reader of a socket, on another CPU', async () => {
  const given = { ...ONE, cpus: 2, appCpu: 1, xdp: 'pass', apps: 'sink:9' };
  const { report } = await run({ ...given, traffic: 'udp rate=100kpps', count: 2000 });
  const [socket] = report.sockets;
  if (socket!.received === 0) throw new Error('the generator sends to another port');
  expect(report.stagesNs['socket']!.count).toBe(socket!.received);
  expect(report.stagesNs['socket']!.mean).toBeGreaterThan(report.latencyNs.mean);
});

test('to the last bit of an answer, which leaves after the reader had the question', async () => {
  const load = { ...ONE, cpus: 2, appCpu: 1, xdp: 'none' };
  for (const traffic of ['udp rate=100kpps', 'udp6 rate=100kpps']) {
    const { report } = await run({ ...load, apps: 'server:9', traffic, count: 1000 });
    const { socket, wire } = report.stagesNs;
    expect(report.packets.onWire).toBeGreaterThanOrEqual(1000);
    expect(wire!.count).toBeGreaterThanOrEqual(1000);
    expect(wire!.mean).toBeGreaterThan(socket!.mean + FLAT.nic.txFetchNs);
    expect(wire!.max).toBeLessThan(socket!.max + 20_000);
  }
  // closed loop: a round trip is the cable there, the stage, and the cable back
  const clients = { ...load, apps: 'server:9', clients: 1, count: 300, cable: '5us' };
  const { report } = await run(clients);
  expect(report.clients!.transactions).toBe(300);
  const inside = report.clients!.roundTripNs.mean - 2 * 5000;
  expect(Math.abs(report.stagesNs['wire']!.mean - inside)).toBeLessThan(50);
});

test("a sender's queue: its own clock for wire, and nothing else", async () => {
  const given = { ...ONE, xdp: 'echo', stack: 'off', link: 100, count: 100 };
  const [without, queued] = [
    await run({ ...given, traffic: 'udp size=1500 rate=line' }),
    await run({ ...given, traffic: 'udp size=1500 rate=line queue=10' }),
  ];
  // frame i waits for min(i, 10) others, 121.6 ns each, and takes 120.64 ns itself
  const waited = ((45 + 90 * 10) / 100) * 121.6 + 120.64;
  const { wire: short, ...inside } = without.report.stagesNs;
  const { wire: long, ...same } = queued.report.stagesNs;
  expect(Math.abs(long!.mean - short!.mean - waited)).toBeLessThanOrEqual(1);
  expect(same).toEqual(inside);
  expect([without.report.run.clock, queued.report.run.clock]).toEqual(['wire', 'sender']);
  const blind = await run({ ...given, stages: false, traffic: 'udp rate=line queue=10' });
  expect(blind.report.notes).toEqual(['what the generator itself measures needs --stages']);
  expect(queued.report.notes).toEqual([]);
  const slow = run({ ...given, traffic: 'udp rate=1Mpps queue=10' });
  await expect(slow).rejects.toThrow('traffic queue: 10 is out of range (only with rate=line');
});

test('the first packets of a ring that is closed already', async () => {
  // a program is exchanged while the thread has not polled yet: it does when its ring is gone
  const given = { xdp: 'drop', queues: 1, cpus: 1, stack: 'off', threaded: true, count: 200 };
  const soon = { rxUsecs: 1, rxFrames: 1, traffic: 'udp size=64 rate=10Mpps', at: '2us xdp drop' };
  const { report } = await run({ ...given, ...soon, stages: true });
  expect(report.conserved).toBe(true);
  const handled = Object.entries(report.stagesNs).filter(([stage]) => stage !== 'socket');
  expect(handled.length).toBeGreaterThan(2);
  for (const [, { count }] of handled) expect(count).toBe(report.packets.xdpDrop);
});

test('what is booked changes nothing else', async () => {
  const given = { xdp: 'l4lb', count: 20_000, seed: 3 };
  const [off, on] = [await run({ ...given }), await run({ ...given, stages: true })];
  const { stagesNs, ...rest } = on.report;
  const { stagesNs: none, ...same } = off.report;
  expect(none).toEqual({});
  expect(Object.keys(stagesNs)).toEqual(['dma', 'interrupt', 'poll', 'verdict', 'wire']);
  expect(rest).toEqual(same);
  const eager = await run({ ...given, stages: true, eager: true, count: 3000 });
  const lazy = await run({ ...given, stages: true, count: 3000 });
  expect(eager.report.stagesNs).toEqual(lazy.report.stagesNs);
});

test('polls by the packets they received; full ones in a row', async () => {
  const saturated = { ...ONE, xdp: 'drop', traffic: 'udp rate=line', count: 64 * 500, budget: 64 };
  const { napi, packets } = (await run(saturated)).report;
  const received = Object.entries(napi.pollsByPackets).map(([work, polls]) => Number(work) * polls);
  expect(received.reduce((sum, n) => sum + n, 0)).toBe(packets.received);
  const polls = Object.values(napi.pollsByPackets).reduce((sum, n) => sum + n, 0);
  expect(polls).toBe(napi.polls);
  expect(napi.pollsByPackets['64']).toBe(napi.fullPolls);
  // saturated, all polls are full but the last
  expect(napi.polls - napi.fullPolls).toBeLessThanOrEqual(2);
  expect(napi.longestFullRun).toBeGreaterThan(100);
  const idle = (await run({ ...saturated, traffic: 'udp rate=1Mpps' })).report;
  expect(idle.napi.longestFullRun).toBe(0);
  expect(idle.napi.packetsPerIrq).toBeGreaterThan(1);
});

test('page_pool tells where pages came from and went', async () => {
  const drop = (await run({ ...ONE, xdp: 'drop', traffic: 'udp rate=1Mpps', count: 5000 })).report;
  // dropped pages go straight back into the ring: the pool sees what filled the rings, no more
  expect(drop.pagePool.recycleCached).toBe(0);
  const pass = (
    await run({ ...ONE, xdp: 'pass', traffic: 'udp size=1500 rate=1Mpps', count: 5000 })
  ).report;
  const { allocFast, allocSlow, fastPct, recycleCached, recycleRing } = pass.pagePool;
  expect(allocFast + allocSlow).toBeGreaterThanOrEqual(5000);
  expect(recycleCached + recycleRing).toBeGreaterThanOrEqual(4900);
  expect(fastPct).toBeGreaterThan(80);
});
