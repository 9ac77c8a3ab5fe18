/** Changes to a running machine: maps, programs and faults at a virtual time. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PS_PER_US } from '../../src/host/clock.ts';
import type { RunGiven } from '../../src/lab/given.ts';
import { run } from '../../src/lab/given.ts';
import { readOptions } from '../../src/lab/options.ts';
import { fromFlags } from '../../src/lab/options.ts';
import { readScenario } from '../../src/lab/scenario.ts';
import { buildMachine } from '../../src/machine.ts';
import { machineConfig } from '../../src/lab/setup.ts';

const FILTER = readFileSync(new URL('../../examples/bpf/ddos_filter.o', import.meta.url));
const CHAIN = readFileSync(new URL('../../examples/bpf/tail_calls.o', import.meta.url));
/** One frame a microsecond, the first at 0. */
const TRAFFIC: RunGiven = {
  xdp: FILTER,
  traffic: 'udp size=64 flows=1 rate=1Mpps',
  count: 500,
  cpus: 2,
  check: true,
};

/** A poll takes what arrived in the 10 us before it, give or take the interrupt's delay. */
const COALESCING = 15;

describe('a map written while frames arrive', () => {
  test.each([
    ['in hex', 'blocked4 0x0000000000000000', '07:00:00:00'],
    ['by type', 'blocked4 {"len":0,"addr":0}', '7'],
  ])('%s: dropped from one to the other', async (_, key, value) => {
    const at = `100us update ${key} ${value}; 300us delete ${key}`;
    const { report } = await run({ ...TRAFFIC, at });
    expect(report.conserved).toBe(true);
    const { xdpDrop, xdpPass, lost } = report.packets;
    expect(Math.abs(xdpDrop - 200)).toBeLessThanOrEqual(COALESCING);
    expect(xdpDrop + xdpPass).toBe(500);
    expect(lost['deviceClosed']).toBeUndefined();
  });

  test('a change before the first frame is there for it', async () => {
    const { report } = await run({ ...TRAFFIC, at: '0 update blocked4 {"len":0} 7' });
    expect(report.packets.xdpDrop).toBe(500);
  });

  test('a flag the map holds against what is there', async () => {
    const twice =
      '1us update blocked4 {"len":0} 7 noexist; 2us update blocked4 {"len":0} 7 noexist';
    await expect(run({ ...TRAFFIC, at: twice })).rejects.toThrow(/^at\[1\], 2 us: .*EEXIST/);
  });

  test('lazy and eager agree, and a run is repeatable', async () => {
    const at = '100us update blocked4 {"len":0,"addr":0} 7; 250us delete blocked4 {"len":0}';
    const books = async (eager: boolean): Promise<string> => {
      const { report, maps } = await run({ ...TRAFFIC, at, eager });
      return JSON.stringify([report.packets, report.latencyNs, report.ethtool, maps]);
    };
    const lazy = await books(false);
    expect(await books(true)).toBe(lazy);
    expect(await books(false)).toBe(lazy);
  });

  test('a program array: the chain is cut short, and mended, without a loss', async () => {
    const at = '100us delete stages 2; 300us update stages 2 verdict';
    const { report, maps } = await run({ ...TRAFFIC, xdp: CHAIN, at });
    const counts = maps.maps.find(({ name }) => name === 'by_proto')!.elems;
    const udp = Buffer.from(counts[17]!.value, 'hex').readBigUInt64LE();
    expect(Math.abs(Number(udp) - 300)).toBeLessThanOrEqual(COALESCING);
    expect(report.packets).toMatchObject({ received: 500, xdpPass: 500 });
    expect(report.packets.lost['deviceClosed']).toBeUndefined();
    const wrong = run({ ...TRAFFIC, xdp: CHAIN, at: '1us update stages 2 verdic' });
    await expect(wrong).rejects.toThrow(/no program verdic \(did you mean verdict\?\)/);
  });
});

describe('a program exchanged, a fault armed', () => {
  test('what arrives while the device is closed is counted', async () => {
    const { report } = await run({ ...TRAFFIC, count: 2000, at: [{ time: '1ms', xdp: 'drop' }] });
    expect(report.conserved).toBe(true);
    expect(report.packets.xdpDrop).toBeGreaterThan(100);
    expect(report.packets.lost['deviceClosed']).toBeGreaterThan(0);
    expect(report.programs.map(({ name }) => name)).toEqual(['ddos_filter', 'pass', 'drop']);
  });

  test('every hundredth frame damaged from half-way on', async () => {
    const at = '250us fault rxCmpCrc every 50';
    const { report } = await run({ ...TRAFFIC, at });
    expect(report.conserved).toBe(true);
    const { rxCrc = 0 } = report.packets.lost;
    expect(Math.abs(rxCrc - 5)).toBeLessThanOrEqual(1);
  });

  test.each(['rxCmpCrc', 'rxCmpBuffer', 'rxCmpOutOfOrder', 'pageAlloc', 'txCmpLost'])(
    '%s: the same packets are lost in both paces',
    async (fault) => {
      for (const rate of ['2Mpps', '8Mpps']) {
        const traffic = `udp size=imix flows=100 rate=${rate}`;
        const at = `30us fault ${fault} every 50`;
        const given = { xdp: 'echo', queues: 1, cpus: 1, count: 1500, traffic, at };
        const [lazy, eager] = await Promise.all(
          [false, true].map(async (pace) => (await run({ ...given, eager: pace })).report),
        );
        expect(lazy!.latencyNs).toEqual(eager!.latencyNs);
        expect(lazy!.packets).toEqual(eager!.packets);
        expect(lazy!.conserved).toBe(true);
      }
    },
  );
});

describe('what is refused', () => {
  test.each([
    ['1us update blocke 1 1', /the program has no map blocke \(did you mean blocked4\?\); it has/],
    ['1us update blocked4 0x00 1', /key: 0x00 is not 8 bytes in hex \(16 digits\)/],
    ['1us update blocked4 {"len":0,"adr":1} 1', /^at\[0\], 1 us: blocked4\.key.*adr/],
    ['1us update counters 0 {"packets":1}', /a per-CPU value is an array of 2/],
    ['1us delete blocked4 {"len":3}', /no such key/],
    ['1us xdp none dev eth7', /^at\[0\]: no NIC eth7/],
    ['1us updat a', /updat is no change .*did you mean update/],
    ['1us fault x', /x is not one of pageAlloc/],
    ['1us update blocked4 {"len":3 1', /bracket is not closed/],
    ['soon xdp none', /"soon" is not understood/],
  ])('%s', async (at, why) => {
    await expect(run({ ...TRAFFIC, at })).rejects.toThrow(why);
  });

  test('a scenario says where', () => {
    const text = 'xdp: drop\nat:\n  - 1us xdp none\n  - { time: 2us, update: m, key: 1 }\n';
    expect(() => readOptions([readScenario('lab.yaml', text)])).toThrow(
      'lab.yaml:4:5: at[1]: update needs a value',
    );
  });
});

describe('machine.at', () => {
  const machine = () => buildMachine(machineConfig(readOptions([fromFlags({ cpus: 1 })])), 4096);

  test('in order of time, then of planning; one change may plan another', () => {
    const m = machine();
    const seen: string[] = [];
    m.at(2 * PS_PER_US, () => seen.push('b'));
    m.at(PS_PER_US, () => {
      seen.push('a');
      m.at(2 * PS_PER_US, () => seen.push('d'));
    });
    m.at(2 * PS_PER_US, () => seen.push('c'));
    m.run(1.5 * PS_PER_US);
    expect(seen).toEqual(['a']);
    m.run(3 * PS_PER_US);
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
    expect(() => m.at(PS_PER_US, () => {})).toThrow(/time of a change/);
  });
});
