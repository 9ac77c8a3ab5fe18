import { describe, expect, test } from 'vitest';
import { measureNamed, spreadOf } from '../../src/lab/measures.ts';
import { run } from '../../src/lab/given.ts';
import { parseBest, parseWhere } from '../../src/lab/sweepQuery.ts';
import { axisNumber, wishesOf } from '../../src/lab/sweepResult.ts';

const { report } = await run({ xdp: 'drop', count: 2000, traffic: 'udp rate=1Mpps' });
const measure = (name: string): ReturnType<typeof measureNamed> =>
  measureNamed('--where', name, report);

type Point = Readonly<Record<string, number>>;
const holds = (text: string, point: Point): boolean =>
  parseWhere<Point>('--where', text, (name) => (p) => p[name]!)(point);

describe('conditions', () => {
  test.each([
    ['lost==0', true],
    ['lost == 0 and cpu<60', true],
    ['lost==0 and cpu<50', false],
    ['lost>0 or cpu<60', true],
    ['lost>0 || cpu<60 && p99>1', true],
    ['(lost>0 or cpu<60) and p99 > 1 us', true],
    ['not lost>0', true],
    ['not (cpu<60 or lost>0)', false],
    ['p99 <= 1.5us', true],
    ['p99 < 1500ns', false],
    ['rx-usecs != 10', false],
    ['rate>=12M', true],
    ['cpu<60%', true],
    ['50.5 == cpu', true],
  ])('%s', (text, expected) => {
    const point = { lost: 0, cpu: 50.5, p99: 1500, 'rx-usecs': 10, rate: 12e6 };
    expect(holds(text, point)).toBe(expected);
  });

  test.each([
    ['', '--where: needs a condition'],
    ['lost', '--where: expected == != < <= > >= at its end'],
    ['lost = 0', '--where: cannot read "= 0" (equal is ==)'],
    ['lost == 0 cpu', '--where: expected and, or, or the end before cpu'],
    ['(lost == 0', '--where: expected ) at its end'],
    ['lost ==', '--where: expected a name or a number at its end'],
    ['p99 < 10parsecs', '--where: expected and, or, or the end before parsecs'],
    ['lost constructor 0', '--where: expected == != < <= > >= before constructor'],
    ['and lost == 0', '--where: expected a name or a number before &&'],
  ])('%j is refused', (text, message) => {
    expect(() => holds(text, {})).toThrow(message);
  });
});

describe('measures', () => {
  test('short names, and paths into the document', () => {
    expect(measure('p99').of(report)).toBe(report.latencyNs.p99);
    expect(measure('latencyNs.p99').of(report)).toBe(report.latencyNs.p99);
    expect(measure('cpus.0.softirqPct').of(report)).toBe(report.cpus[0]!.softirqPct);
    expect(measure('cpus[1].id').of(report)).toBe(1);
    expect(measure('ethtool["[0]: rx_ucast_packets"]').of(report)).toBe(
      report.ethtool['[0]: rx_ucast_packets'],
    );
    expect(measure('conserved').of(report)).toBe(1);
  });

  test('a loss that did not happen is none, one that cannot happen is refused', () => {
    expect(report.packets.lost).toEqual({});
    expect(measure('packets.lost.noBuffer').of(report)).toBe(0);
    expect(() => measure('packets.lost.nobuffer')).toThrow('--where: no measure is called');
    expect(() => measure('latencyNs.p98')).toThrow('did you mean latencyNs.p9');
    expect(() => measure('latencyNs')).toThrow('no measure is called latencyNs');
    expect(() => measure('bogusbogusbogus')).toThrow(
      /no measure is called bogusbogusbogus \(offered, received, .*, or a path such as latencyNs\.p99\)$/,
    );
    expect(() => measure('p99.')).toThrow('no measure is called p99.');
  });

  test('the best is the least, or what is said', () => {
    expect(parseBest('p99', measure).best).toBe('min');
    expect(parseBest('received', measure).best).toBe('max');
    expect(parseBest('max:napi.irqs', measure)).toMatchObject({ best: 'max' });
  });

  test('sorted by what some points do not have, these come last, at either end', () => {
    const clients = { ...{ transactions: 1, sent: 1, timeouts: 0 }, roundTripNs: report.latencyNs };
    const points = [null, 3, null, 7, 5].map((perSecond, i) => {
      const point = { i: String(i) };
      const seen = perSecond === null ? null : { ...clients, perSecond };
      return { point, runs: [{ point, seed: 1, report: { ...report, clients: seen } }] };
    });
    const order = (best: string): string =>
      wishesOf([], points[1]!.runs[0]!.report, { best })
        .sorted(points)
        .map(({ point }) => point.i)
        .join('');
    const axis = { key: 'i', name: 'i', values: points.map(({ point }) => point.i) };
    const swept = (best: string, values = axis.values): string =>
      wishesOf([{ ...axis, values }], points[1]!.runs[0]!.report, { best })
        .sorted(points)
        .map(({ point }) => point.i)
        .join('');
    expect(swept('max:i')).toBe('43210');
    expect(swept('i')).toBe('01234');
    expect(() => swept('i', ['drop', 'pass'])).toThrow('--best: i has values that are no numbers');
    expect(() => swept('')).toThrow('--best: needs a measure or a swept option');
    expect(order('tps')).toBe('34102');
    expect(order('min:tps')).toBe('14302');
  });

  test('of an option’s value the number counts, times in ns', () => {
    const of = ['8', '12Mpps', '2K', '10Gbps', '500ps', '1.5us', 'udp', '64-1500'];
    expect(of.map(axisNumber)).toEqual([8, 12e6, 2000, 1e10, 0.5, 1500, NaN, NaN]);
  });

  test('the spread over seeds is that of a sample', () => {
    expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({
      mean: 5,
      min: 2,
      max: 9,
      deviation: Math.sqrt(32 / 7),
    });
    expect(spreadOf([3]).deviation).toBe(0);
  });
});
