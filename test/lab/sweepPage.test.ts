import { describe, expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { MeasuredReport } from '../../src/lab/measures.ts';
import { MEASURES } from '../../src/lab/measures.ts';
import { weightFits } from '../../src/lab/sweepFit.ts';
import { sweepPage } from '../../src/lab/sweepPage.ts';
import { sweepHeats, sweepPlots } from '../../src/lab/sweepPlots.ts';
import type { SweptPoint } from '../../src/lab/sweepResult.ts';

const { report } = await run({ xdp: 'drop', count: 500 });

/** The report of a point with the numbers that matter here. */
const reportWith = (offered: number, received: number, busyPct: number): MeasuredReport => ({
  ...report,
  rates: { offeredPps: offered, receivedPps: received, onWirePps: 0 },
  packets: {
    ...report.packets,
    offered,
    received,
    lost: offered > received ? { noBuffer: offered - received } : {},
  },
  cpus: [{ ...report.cpus[0]!, busyPct }],
});

const axes = [
  { key: 'budget', name: 'budget', values: ['1', '2', '4', '8'] },
  { key: 'rate', name: 'rate', values: ['1M', '20M'] },
];
/** A CPU that takes 30 ns a packet and 150 ns a poll. */
const capacity = (budget: number): number => 1e9 / (30 + 150 / budget);
const points: SweptPoint[] = axes[0]!.values.flatMap((budget) =>
  axes[1]!.values.map((rate): SweptPoint => {
    const offered = rate === '1M' ? 1e6 : 20e6;
    const received = Math.min(offered, capacity(Number(budget)));
    const measured = reportWith(offered, received, received < offered ? 100 : 20);
    const point = { budget, rate };
    return { point, runs: [{ point, seed: 1, report: measured }] };
  }),
);

describe('the fit', () => {
  test('finds what a packet and a poll cost, from saturated points alone', () => {
    const fits = weightFits(axes, points);
    expect(fits).toHaveLength(1);
    const [fit] = fits;
    expect(fit!.series).toEqual({ rate: '20M' });
    expect(fit!.a).toBeCloseTo(30, 6);
    expect(fit!.b).toBeCloseTo(150, 6);
    expect(fit!.r2).toBeCloseTo(1, 9);
    expect(fit!.points).toBe(3);
  });

  test('is none without a swept budget', () => {
    expect(weightFits([axes[1]!], points)).toEqual([]);
  });
});

describe('the page', () => {
  const command = `ringscope sweep --budget 1..8*2 --where 'p99<20us & <b>'`;
  const result = { axes, points, command };
  const page = sweepPage({
    result,
    measures: MEASURES.slice(0, 3),
    valueText: String,
    sorted: points,
    fits: weightFits(axes, points),
  });

  test('names the program and the profile, unless they are what is swept', () => {
    expect(page).toContain('profile flat · program drop</p>');
    const programs = { key: 'xdp', name: 'xdp', values: ['drop', 'echo'] };
    const mine = points
      .slice(0, 2)
      .map((one, i) => ({ ...one, point: { xdp: programs.values[i]! } }));
    const other = sweepPage({
      ...{ result: { ...result, axes: [programs], points: mine }, measures: [], fits: [] },
      ...{ sorted: mine, valueText: String },
    });
    expect(other).toContain('profile flat</p>');
    expect(other).not.toContain('program drop');
  });

  test('stands alone: it names nothing to load', () => {
    const rest = page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '');
    expect(rest).not.toMatch(/https?:|\bsrc=|\bhref=|url\(|@import|\bfetch\b|\bimport\(/);
  });

  test('has the command, the plots, the heat maps and a line for each point', () => {
    expect(page).toContain("--where 'p99&lt;20us &amp; &lt;b&gt;'");
    for (const title of ['Throughput against offered load', 'Loss against', 'Latency, p99 against'])
      expect(page).toContain(title);
    expect(page).toContain('Throughput over rate and budget');
    expect([...page.matchAll(/<th scope="row"/g)]).toHaveLength(8 * 2);
    expect(page).toContain('a 30.0 ns a packet, b 150 ns a poll');
    expect(page.split('<script>')[0]).not.toMatch(/NaN|undefined/);
  });

  test('without a load the first option with numbers is what plots stand over', () => {
    const only = {
      axes: [axes[0]!],
      points: points.filter((p) => p.point['rate'] === '20M'),
      command,
    };
    const { plots, shown, of } = sweepPlots(only);
    expect([shown, of]).toEqual([1, 1]);
    expect(plots[0]!.svg).toContain('Throughput against budget');
    expect(plots.map(({ id }) => id)).toContain('latency');
  });

  /** The same report at every point of two options' product. */
  const over = (...two: (typeof axes)[number][]): SweptPoint[] =>
    two[0]!.values.flatMap((a) =>
      two[1]!.values.map((b): SweptPoint => {
        const point = { [two[0]!.key]: a, [two[1]!.key]: b };
        return { point, runs: [{ point, seed: 1, report: reportWith(1e6, 1e6, 20) }] };
      }),
    );
  const numbers = (key: string, count: number): (typeof axes)[number] => ({
    ...{ key, name: key, values: Array.from({ length: count }, (_, i) => `${i + 1}`) },
  });

  test('an option with numbers has up to twelve lines, from dark to light', () => {
    const rate = { key: 'rate', name: 'rate', values: ['1M', '2M'] };
    for (const [count, drawn] of [
      [9, 9],
      [12, 12],
      [13, 12],
    ] as const) {
      const budget = numbers('budget', count);
      const { plots, shown, of } = sweepPlots({
        ...result,
        axes: [budget, rate],
        points: over(budget, rate),
      });
      expect([shown, of]).toEqual([drawn, count]);
      const { svg } = plots[0]!;
      expect(svg.includes(`budget (${drawn} of ${count})`)).toBe(drawn < count);
      const strokes = [...svg.matchAll(/<polyline[^>]*stroke="rgb\((\d+),(\d+),(\d+)\)"/g)];
      // as the eye weighs red, green and blue
      const light = strokes.map(([, r, g, b]) => 0.299 * +r! + 0.587 * +g! + 0.114 * +b!);
      expect(light).toHaveLength(drawn);
      expect(light).toEqual(light.toSorted((a, b) => a - b));
      expect(new Set(light).size).toBe(drawn);
    }
    const words = { key: 'xdp', name: 'xdp', values: Array.from('abcdefghi') };
    const { shown } = sweepPlots({ ...result, axes: [words, rate], points: over(words, rate) });
    expect(shown).toBe(8); // as many colours as are told apart without an order
  });

  test('the option with the most numbers is what plots stand over, without a load', () => {
    const [queues, budget] = [numbers('queues', 2), numbers('budget', 5)];
    const { plots } = sweepPlots({
      ...result,
      axes: [queues, budget],
      points: over(queues, budget),
    });
    expect(plots[0]!.svg).toContain('Throughput against budget');
  });

  test('heat maps open on the two options with the most numbers', () => {
    const xdp = { key: 'xdp', name: 'xdp', values: Array.from('abcdefgh') };
    const [few, some, many] = [numbers('queues', 2), numbers('ring', 3), numbers('budget', 5)];
    const all = [xdp, few, some, many];
    const heats = sweepHeats({ ...result, axes: all, points: [] }, MEASURES.slice(0, 1));
    expect(heats).toHaveLength(6);
    expect(heats[0]!.options).toBe('budget and ring');
  });

  test('closed loops have plots of transactions and round trips', () => {
    const clients = numbers('clients', 3);
    const seen = {
      transactions: 5,
      perSecond: 700,
      sent: 5,
      timeouts: 0,
      roundTripNs: report.latencyNs,
    };
    const mine = clients.values.map((value): SweptPoint => {
      const point = { clients: value };
      return { point, runs: [{ point, seed: 1, report: { ...report, clients: seen } }] };
    });
    const closed = sweepPlots({ ...result, axes: [clients], points: mine }).plots;
    expect(closed.map(({ id }) => id)).toEqual(expect.arrayContaining(['tps', 'rtt50', 'rtt99']));
    expect(sweepPlots(result).plots.map(({ id }) => id)).not.toContain('tps');
  });

  test('words alone have no plots', () => {
    const words = {
      axes: [{ key: 'xdp', name: 'xdp', values: ['drop', 'pass'] }],
      points,
      command,
    };
    expect(sweepPlots(words).plots).toEqual([]);
  });
});
