/** Samples of rings and losses: what they show, that they change nothing, and that they stay few. */
import { describe, expect, test } from 'vitest';
import { END_OF_TIME, PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import type { Ps } from '../../src/host/clock.ts';
import type { Machine } from '../../src/machine.ts';
import { OCCUPANCY_SAMPLES, Occupancy } from '../../src/machine/occupancy.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { XDP_DROP, XDP_TX } from '../../src/xdp/uapi.ts';
import { oneNic } from './oneNic.ts';

const always = (act: number) => defineXdp(() => act, { name: 'always' });

interface Load {
  readonly act?: number;
  readonly traffic: string;
  readonly count?: number;
  readonly eager?: boolean;
  readonly chip?: 'p4' | 'p5';
  readonly queues?: number;
}

function loaded({ act = XDP_DROP, traffic, count = 5000, eager = false, chip, queues = 1 }: Load) {
  return oneNic({
    xdp: always(act),
    count,
    traffic: `flows=16 ${traffic}`,
    nic: { chip, queues, irqAffinity: [0, 1], adaptiveRx: true },
    machine: { cpus: 2, eager },
  });
}

function sampled(load: Load, everyPs: Ps): { machine: Machine; seen: Occupancy } {
  const machine = loaded(load);
  machine.open();
  const seen = new Occupancy(machine, everyPs);
  machine.run(END_OF_TIME);
  return { machine, seen };
}

/** Everything a run leaves behind, as text. */
function books(machine: Machine): string {
  const result = machine.result();
  const cpus = result.cpus.map(({ id, spent }) => ({ id, spent }));
  return JSON.stringify({ ...result, cpus }, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value,
  );
}

const LOADS: readonly (readonly [string, Load])[] = [
  ['light', { traffic: 'rate=300kpps' }],
  ['overloaded', { traffic: 'rate=14Mpps', queues: 2 }],
  ['transmitting, P5', { traffic: 'rate=4Mpps', act: XDP_TX, chip: 'p5', queues: 2 }],
  ['transmitting into a full ring', { traffic: 'rate=40Mpps', act: XDP_TX }],
];

describe.each(LOADS)('%s', (_, load) => {
  const every = 700_123;

  test('sampling changes nothing', () => {
    const plain = loaded(load);
    plain.run(END_OF_TIME);
    expect(books(sampled(load, every).machine)).toBe(books(plain));
  });

  test('the lazy NIC and the eager one show the same at each sample', () => {
    const lazy = sampled(load, every).seen;
    const eager = sampled({ ...load, eager: true }, every).seen;
    expect(lazy.at.length).toBeGreaterThan(30);
    expect([lazy.at, lazy.queues, lazy.lost]).toEqual([eager.at, eager.queues, eager.lost]);
  });

  test('what has been lost only grows, to what the books say', () => {
    const { machine, seen } = sampled(load, every);
    for (const series of Object.values(seen.lost)) {
      expect(series).toHaveLength(seen.at.length);
      expect(series).toEqual(series.toSorted((a, b) => a - b));
    }
    const { noBuffer = [0] } = seen.lost;
    const discards = machine
      .result()
      .nics[0]!.ethtool.find(([name]) => name === 'rx_total_ring_discards');
    expect(noBuffer.at(-1)).toBe(discards![1]);
  });
});

test('a ring that cannot keep up runs out of buffers, and only then loses', () => {
  const { seen } = sampled({ traffic: 'rate=40Mpps', count: 20_000 }, 2 * PS_PER_US);
  const { buffers } = seen.queues[0]!;
  const firstLoss = seen.lost['noBuffer']!.findIndex((lost) => lost > 0);
  expect(buffers[0]).toBeGreaterThan(511 - 40 * 4 - 1); // 40 a microsecond, seen after 4
  expect(firstLoss).toBeGreaterThan(0);
  expect(Math.min(...buffers.slice(firstLoss - 1))).toBeLessThan(65); // one poll's worth comes back at a time
  expect(buffers.at(-1)).toBe(511);
  expect(seen.queues[0]!.dma.at(-1)).toBe(0);
});

test('any run is kept as so many samples, evenly spaced, from beginning to end', () => {
  const { machine, seen } = sampled({ traffic: 'rate=1Mpps', count: 20_000 }, 3 * PS_PER_US);
  const { at, queues, everyPs } = seen;
  expect(at.length).toBeLessThan(OCCUPANCY_SAMPLES);
  expect(at.length).toBeGreaterThanOrEqual(OCCUPANCY_SAMPLES / 2);
  expect(queues[0]!.unread).toHaveLength(at.length);
  expect(new Set(at.slice(1).map((t, i) => t - at[i]!))).toEqual(new Set([everyPs]));
  expect(at.at(-1)).toBeGreaterThan(machine.result().virtualPs - 2 * everyPs);
});

test('an interval of nothing is refused', () => {
  const machine = loaded({ traffic: 'rate=1Mpps' });
  expect(() => new Occupancy(machine, 0)).toThrow('sampling interval: 0 ps');
  expect(() => new Occupancy(machine, PS_PER_MS / 7)).toThrow('1 ps or more');
});
