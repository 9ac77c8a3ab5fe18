import { describe, expect, test } from 'vitest';
import { writeMissShare } from '../../src/host/cacheModel.ts';
import { PROFILES } from '../../src/host/profiles.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import { runScenario } from '../../src/lab/run.ts';
import type { RunReport } from '../../src/lab/report.ts';

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};
const run = async ({
  rate = '98.9Mpps',
  ...rest
}: { rate?: string } & Record<string, unknown>): Promise<RunReport> => {
  const traffic = `udp size=64 flows=1024 pattern=uniform rate=${rate}`;
  const options = { profile: 'xdp-paper-2018', xdp: 'drop', stack: 'off', traffic, ...rest };
  return (await runScenario(readOptions([fromFlags({ duration: '500us', ...options })]), io))
    .report;
};

describe('a link that carries less than arrives', () => {
  test('loses packets as pcieBackpressure, counted by the port, and none for want of buffers', async () => {
    const { packets, ethtool, conserved } = await run({ queues: 5, cpus: 5 });
    expect(packets.lost['pcieBackpressure']).toBeGreaterThan(1000);
    expect(packets.lost['noBuffer']).toBeUndefined();
    expect(ethtool['rx_stat_discard']).toBe(packets.lost['pcieBackpressure']);
    expect(conserved).toBe(true);
  });

  test('is none where the CPU is the slower one: then buffers are wanting', async () => {
    const { packets, ethtool } = await run({ queues: 1, cpus: 1 });
    expect(packets.lost['noBuffer']).toBeGreaterThan(1000);
    expect(packets.lost['pcieBackpressure']).toBeUndefined();
    expect(ethtool['rx_stat_discard']).toBe(0);
  });

  test('carries more when completions are compressed', async () => {
    const flags = { queues: 6, cpus: 6, rate: '140Mpps' };
    const plain = await run(flags);
    const compressed = await run({ ...flags, profile: 'xdp-paper-2018-compressed' });
    expect(compressed.packets.received).toBeGreaterThan(1.1 * plain.packets.received);
  });

  test('gives the same report twice, and eagerly', async () => {
    const flags = { xdp: 'echo', queues: 2, cpus: 2, rate: '80Mpps', duration: '20us' };
    const first = await run(flags);
    expect(await run(flags)).toEqual(first);
    expect(await run({ ...flags, eager: true })).toEqual(first);
  });
});

describe('rings that outgrow the last-level cache', () => {
  test('make touched packets dearer, and untouched ones not', async () => {
    const perPacket = async (xdp: string, rxRing: number): Promise<number> => {
      const { costs, packets } = await run({ xdp, queues: 4, cpus: 4, rxRing, breakdown: true });
      const touch = costs.find(({ op }) => op === 'first touch of a packet');
      return (touch?.ns ?? 0) / packets.received;
    };
    expect(await perPacket('echo', 255)).toBeLessThan(10);
    // all sets of the class are overfull: the whole 72 ns, and the touch itself
    expect(await perPacket('echo', 2047)).toBeGreaterThan(70);
    expect(await perPacket('drop', 2047)).toBe(0);
  });

  test('show in the cache figures of the report', async () => {
    const { cache } = await run({ xdp: 'echo', queues: 5, cpus: 5, rxRing: 1023 });
    expect(cache.packetMissPct).toBeGreaterThan(95);
    expect(cache.countedMissPct).toBeGreaterThan(30);
    expect(cache.writeMissPct).toBeGreaterThan(cache.countedMissPct);
    expect((await run({ profile: 'flat', queues: 5, cpus: 5 })).cache).toEqual({
      ...{ packetMissPct: 0, countedMissPct: 0, writeMissPct: 0 },
    });
  });

  test('are joined by what waits to be sent, where the NIC writes', async () => {
    // a TX queue sends 7.6 Mpps of 8.1, so that its 255 descriptors are filled as often as they are reported
    const traffic = 'udp size=1504 rate=line';
    const flags = {
      ...{ profile: 'xeon-6140-2020', queues: 1, cpus: 1, link: 100 },
      ...{ rxRing: 1023, txRing: 255, chip: 'p5' },
    };
    const memory = PROFILES.find(({ name }) => name === 'xeon-6140-2020')!.memory!;
    const share = (buffers: number): number => 100 * writeMissShare(memory, buffers, 1500, 64);
    const of = async (more: Record<string, unknown>): Promise<number> =>
      (await run({ ...flags, traffic, duration: '5ms', ...more })).cache.writeMissPct;
    expect(await of({ xdp: 'drop' })).toBeCloseTo(share(1023), 3);
    const full = await of({ xdp: 'echo' });
    expect(full).toBeGreaterThan(share(1023 + 128));
    expect(full).toBeLessThan(share(1023 + 256));
    // two queues send as fast as the link brings frames: nearly none waits
    const two = await of({
      xdp: 'echo',
      traffic: `${traffic} flows=1024 pattern=uniform`,
      queues: 2,
      cpus: 2,
    });
    expect(two).toBeGreaterThan(share(2046));
    expect(two).toBeLessThan(share(2046 + 128));
  });

  test('are joined by other buffers only where frames leave', async () => {
    const machine = { queues: 6, cpus: 6, rxRing: 511, breakdown: true };
    const sent = await run({ ...machine, xdp: 'echo' });
    const dropped = await run(machine);
    // 6 x 512 first lines in 192 sets of 20 ways: 16 a set; with 256 more for each ring, 24
    expect(dropped.cache.packetMissPct).toBeLessThan(20);
    expect(sent.cache.packetMissPct).toBeGreaterThan(80);
    const { ns, count } = sent.costs.find(({ op }) => op === 'XDP transmit')!;
    // the profile's 8.92 ns, and most of the 72 of a miss
    expect(ns / count).toBeGreaterThan(50);
  });
});
