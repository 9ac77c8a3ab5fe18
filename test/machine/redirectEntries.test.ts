/**
 * What entries of devmaps and cpumaps do with a frame: programs on the way out, copies for all,
 * threads on other CPUs. The program is test/objects/steer.bpf.c; every run is in checked mode.
 */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunGiven } from '../../src/lab/given.ts';
import { run } from '../../src/lab/given.ts';
import type { RunOutcome } from '../../src/lab/run.ts';
import { readCapture } from '../../src/wire/capture.ts';
import { PATIENCE, runs } from './fuzzRig.ts';

const STEER = readFileSync(new URL('../objects/steer.o', import.meta.url));
const [TO_PORT, TO_ALL, TO_ALL_OTHERS, TO_ALL_HASHED, TO_CPU] = [0, 1, 2, 3, 4];
const [XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT] = [0, 1, 2, 3, 4];
const FRAMES = 600;

interface Settings {
  readonly mode: number;
  readonly key?: number;
  readonly drop?: number;
  readonly verdict?: number;
}

const GIVEN: RunGiven = {
  xdp: STEER,
  program: 'steer',
  traffic: 'udp size=64 flows=64 rate=1Mpps',
  count: FRAMES,
  cpus: 2,
  queues: 1,
  nics: [{}, {}, {}],
  check: true,
  seed: 5,
  mapsOut: 'counted',
};

/** @param entries of maps, `MAP KEY VALUE` */
const steered = (
  settings: Settings,
  entries: readonly string[],
  more: RunGiven = {},
): Promise<RunOutcome> =>
  run({
    ...GIVEN,
    at: [
      `0 update settings 0 ${JSON.stringify(settings)}`,
      ...entries.map((entry) => `0 update ${entry}`),
      ...(Array.isArray(more['at']) ? (more['at'] as string[]) : []),
    ],
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'at')),
  });

/** Values of an array of counters. */
function counted({ maps }: RunOutcome, name: string): number[] {
  const { elems } = maps.maps.find((map) => map.name === name)!;
  return elems.map(({ value }) => Number(Buffer.from(value, 'hex').readBigUInt64LE()));
}

/** Ethernet payloads by interface of what was sent. */
const sentBy = ({ captures }: RunOutcome): Uint8Array[][] => {
  const { frames, bytes } = readCapture(captures.txOut!, 'sent');
  return [0, 1, 2].map((nic) =>
    frames
      .filter((frame) => frame.interfaceId === nic)
      .map(({ at, capLen }) => bytes.subarray(at, at + capLen)),
  );
};

describe('a program on a devmap entry', () => {
  test('sees where the frame came from and goes, and may change it', async () => {
    const outcome = await steered(
      { mode: TO_PORT, key: 1 },
      ['ports 1 {"ifindex":"eth2","prog":"leaving"}'],
      {
        txOut: true,
      },
    );
    const { packets, conserved } = outcome.report;
    expect(conserved).toBe(true);
    expect(packets).toMatchObject({ xdpRedirect: FRAMES, onWire: FRAMES, lost: {} });
    const sent = sentBy(outcome);
    expect(sent.map((frames) => frames.length)).toEqual([0, 0, FRAMES]);
    // ifindex 1 is lo, as everywhere: eth0 is 2
    for (const frame of sent[2]!) expect([...frame.subarray(58, 60)]).toEqual([2, 4]);
    expect(counted(outcome, 'egress')).toEqual([0, 0, 0, 0, FRAMES, 0, 0, 0]);
  });

  test('drops what it does not pass; all are its, whatever entry they came by', async () => {
    const entry = 'ports 1 {"ifindex":"eth1","prog":"leaving"}';
    const flows = { traffic: 'udp size=64 flows=200 rate=1Mpps' };
    const all = await steered({ mode: TO_PORT, key: 1 }, [entry], { ...flows, txOut: true });
    const ports = sentBy(all)[1]!.map((frame) => frame[35]!);
    const drop = ports.toSorted((a, b) => a - b)[FRAMES / 2]! + 1;
    const low = ports.filter((port) => port < drop).length;
    const { packets, conserved } = (await steered({ mode: TO_PORT, key: 1, drop }, [entry], flows))
      .report;
    expect(conserved).toBe(true);
    expect(packets.lost).toEqual({ devmapProg: low });
    expect(packets.onWire).toBe(FRAMES - low);
  });

  test('without one nothing runs on the way', async () => {
    const outcome = await steered({ mode: TO_PORT, key: 1 }, ['ports 1 {"ifindex":"eth1"}']);
    expect(counted(outcome, 'egress')).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(outcome.report.packets.onWire).toBe(FRAMES);
  });

  test('one for another hook is refused', async () => {
    const entry = 'ports 1 {"ifindex":"eth1","prog":"arriving"}';
    await expect(steered({ mode: TO_PORT }, [entry])).rejects.toThrow(/EINVAL/);
  });
});

describe('broadcast', () => {
  test.each([
    ['an array', TO_ALL, 'ports'],
    ['an array but for where it came from', TO_ALL_OTHERS, 'ports'],
    ['a hash', TO_ALL_HASHED, 'hashed'],
  ])('to %s: each device has its copy', async (_, mode, map) => {
    const own = mode === TO_ALL ? [] : [`${map} 0 {"ifindex":"eth0"}`];
    const outcome = await steered(
      { mode },
      [
        ...own,
        `${map} 1 {"ifindex":"eth1"}`,
        `${map} 2 {"ifindex":"eth2","prog":"leaving"}`,
        ...(mode === TO_ALL ? [`${map} 0 {"ifindex":"eth1"}`] : []),
      ],
      { txOut: true },
    );
    const { packets, conserved } = outcome.report;
    const copies = mode === TO_ALL ? 2 * FRAMES : FRAMES;
    expect(conserved).toBe(true);
    expect(packets).toMatchObject({
      xdpRedirect: FRAMES,
      xdpCloned: copies,
      onWire: FRAMES + copies,
    });
    const [none, eth1, eth2] = sentBy(outcome);
    expect([none!.length, eth1!.length, eth2!.length]).toEqual([0, copies, FRAMES]);
    // the program of one entry changes its copy alone
    for (const frame of eth2!) expect([...frame.subarray(58, 60)]).toEqual([2, 4]);
    for (const frame of eth1!) expect([...frame.subarray(58, 60)]).not.toEqual([2, 4]);
  });

  test('to nobody: accepted, and lost', async () => {
    const { packets, conserved } = (
      await steered({ mode: TO_ALL_HASHED }, ['hashed 7 {"ifindex":"eth0"}'])
    ).report;
    expect(conserved).toBe(true);
    expect(packets).toMatchObject({
      xdpRedirect: FRAMES,
      xdpCloned: 0,
      lost: { broadcastNoTarget: FRAMES },
    });
  });

  test('without a page for the copy the packet is not redirected', async () => {
    const { packets, conserved } = (
      await steered(
        { mode: TO_ALL_OTHERS },
        ['ports 1 {"ifindex":"eth1"}', 'ports 2 {"ifindex":"eth2"}'],
        {
          at: ['300us fault pageAlloc every 3'],
        },
      )
    ).report;
    expect(conserved).toBe(true);
    expect(packets.lost['redirectFailed']).toBeGreaterThan(0);
    expect(packets.onWire).toBe(packets.xdpRedirect + packets.xdpCloned);
  });
});

describe('a cpumap', () => {
  test('takes frames into the stack on another CPU', async () => {
    const { report } = await steered({ mode: TO_CPU, key: 1 }, ['cpus 1 {"qsize":192}'], {
      apps: 'sink:9',
      traffic: 'udp size=64 flows=64 rate=1Mpps',
      irqAffinity: '0',
    });
    expect(report.conserved).toBe(true);
    expect(report.packets).toMatchObject({ xdpRedirect: FRAMES, cpumapPass: FRAMES });
    expect(report.cpus[1]!.appPct).toBeGreaterThan(0);
    // one line of softnet_stat per CPU: packets that entered the stack there
    expect(report.softnet.map(([processed]) => processed)).toEqual([0, FRAMES]);
  });

  test.each([
    ['xdp-paper-2018', 'Linux 4.18 allocates each by itself', 1],
    ['i40e-2019-bulk-skbs', 'Linux 5.2 allocates eight or none', 8],
    ['flat', 'Linux 6.18 likewise', 8],
  ])('%s: %s when memory runs out once', async (profile, _, lost) => {
    const { report } = await steered({ mode: TO_CPU, key: 1 }, ['cpus 1 {"qsize":512}'], {
      ...{ profile, irqAffinity: '0', traffic: 'udp size=64 rate=10Mpps' },
      at: ['0 fault skbAlloc'],
    });
    expect(report.conserved).toBe(true);
    expect(report.packets.lost['cpumapSkbOom']).toBe(lost);
    expect(report.packets.cpumapPass).toBe(FRAMES - lost);
  });

  test.each([
    ['i40e-2019', 'Linux 5.1 skbs stay on its CPU', [0, FRAMES]],
    ['irqsuspend-2024', 'Linux 6.12 lists go to where RPS says', [FRAMES, 0]],
    ['flat', 'Linux 6.18 so does what leaves GRO', [FRAMES, 0]],
  ])('%s: from the thread of %s', async (profile, _, processed) => {
    const { report } = await steered({ mode: TO_CPU, key: 1 }, ['cpus 1 {"qsize":512}'], {
      ...{ profile, irqAffinity: '0', rps: '0' },
    });
    expect(report.conserved).toBe(true);
    expect(report.packets.cpumapPass).toBe(FRAMES);
    expect(report.softnet.map(([frames]) => frames)).toEqual(processed);
  });

  test('a full queue loses what does not fit', async () => {
    const { report } = await steered({ mode: TO_CPU, key: 1 }, ['cpus 1 {"qsize":4}'], {
      traffic: 'udp size=64 rate=10Mpps',
    });
    expect(report.conserved).toBe(true);
    const { cpumapQueueFull = 0 } = report.packets.lost;
    expect(cpumapQueueFull).toBeGreaterThan(0);
    expect(report.packets.cpumapPass).toBe(FRAMES - cpumapQueueFull);
  });

  test.each([
    ['drop', XDP_DROP, { cpumapProg: FRAMES }, []],
    [
      'aborted',
      XDP_ABORTED,
      { cpumapProg: FRAMES },
      [/Driver unsupported XDP return value 0 on prog arriving/],
    ],
    [
      'tx, which is nothing here',
      XDP_TX,
      { cpumapProg: FRAMES },
      [/Driver unsupported XDP return value 3/],
    ],
    [
      'a number',
      77,
      { cpumapProg: FRAMES },
      [/Illegal XDP return value 77 on prog arriving \(id \d+\) dev N\/A/],
    ],
  ])('its program says %s', async (_, verdict, lost, log) => {
    const outcome = await steered({ mode: TO_CPU, key: 1, verdict }, [
      'cpus 1 {"qsize":512,"prog":"arriving"}',
    ]);
    expect(outcome.report.conserved).toBe(true);
    expect(outcome.report.packets.lost).toEqual(lost);
    expect(counted(outcome, 'on_cpu')).toEqual([0, FRAMES, 0, 0, 0, 0, 0, 0]);
    expect(outcome.report.log).toHaveLength(log.length);
    log.forEach((line, i) => expect(outcome.report.log[i]).toMatch(line));
  });

  test('its program passes, or redirects again', async () => {
    const cpu = 'cpus 1 {"qsize":512,"prog":"arriving"}';
    const passed = await steered({ mode: TO_CPU, key: 1, verdict: XDP_PASS }, [cpu]);
    expect(passed.report.packets.cpumapPass).toBe(FRAMES);
    const again = await steered({ mode: TO_CPU, key: 1, verdict: XDP_REDIRECT }, [
      cpu,
      'ports 0 {"ifindex":"eth2","prog":"leaving"}',
    ]);
    expect(again.report.conserved).toBe(true);
    expect(again.report.packets).toMatchObject({ cpumapPass: 0, onWire: FRAMES, lost: {} });
    expect(counted(again, 'egress')[4]).toBe(FRAMES);
  });

  test('an entry that is exchanged under traffic loses nothing', async () => {
    const { report } = await steered({ mode: TO_CPU, key: 1 }, ['cpus 1 {"qsize":512}'], {
      at: [
        '200us update cpus 1 {"qsize":64}',
        '400us delete cpus 1',
        '500us update cpus 1 {"qsize":8}',
      ],
    });
    expect(report.conserved).toBe(true);
    const { cpumapPass, xdpPass } = report.packets;
    // while there is no entry the helper's other verdict holds: pass
    expect(xdpPass).toBeGreaterThan(50);
    expect(cpumapPass + xdpPass).toBe(FRAMES - (report.packets.lost['cpumapQueueFull'] ?? 0));
  });
});

test('lazy and eager agree on all of it', PATIENCE, async () => {
  const modes = fc.constantFrom(TO_PORT, TO_ALL_OTHERS, TO_ALL_HASHED, TO_CPU);
  await fc.assert(
    fc.asyncProperty(
      modes,
      fc.constantFrom(XDP_DROP, XDP_PASS, XDP_REDIRECT),
      fc.constantFrom(2, 16, 512),
      fc.integer({ min: 0, max: 1 }),
      fc.constantFrom('1Mpps', '5Mpps', '20Mpps'),
      async (mode, verdict, qsize, key, rate) => {
        const books = async (eager: boolean): Promise<string> => {
          const { report, maps } = await steered(
            { mode, key, verdict, drop: 90 },
            [
              'ports 0 {"ifindex":"eth1","prog":"leaving"}',
              'ports 1 {"ifindex":"eth2"}',
              'hashed 3 {"ifindex":"eth1"}',
              'hashed 9 {"ifindex":"eth2","prog":"leaving"}',
              `cpus ${key} {"qsize":${qsize},"prog":"arriving"}`,
            ],
            { eager, traffic: `udp size=64 flows=64 rate=${rate}`, queues: 2 },
          );
          expect(report.conserved).toBe(true);
          return JSON.stringify([report.packets, report.latencyNs, report.softnet, maps]);
        };
        expect(await books(true)).toBe(await books(false));
      },
    ),
    { numRuns: runs(8) },
  );
});
