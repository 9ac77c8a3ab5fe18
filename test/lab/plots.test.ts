import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heatPlot } from '../../src/lab/plotHeat.ts';
import { linePlot } from '../../src/lab/plotLines.ts';
import {
  linearScale,
  ln,
  logScale,
  shortNumber,
  tickLabels,
  wantsLog,
} from '../../src/lab/plotScale.ts';
import { element } from '../../src/lab/plotSvg.ts';

/** Every element that is opened is closed, in order. @returns what is not */
function unbalanced(markup: string): readonly string[] {
  const open: string[] = [];
  for (const [, end, name, self] of markup.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (end === '/') {
      if (open.pop() !== name) return [`</${name}>`];
    } else if (self !== '/') open.push(name!);
  }
  return open;
}

describe('scales', () => {
  test('the logarithm is the logarithm', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e18, noNaN: true }), (x) => {
        expect(Math.abs(ln(x) - Math.log(x))).toBeLessThan(
          1e-12 * Math.max(1, Math.abs(Math.log(x))),
        );
      }),
    );
  });

  test.each([
    [0, 16, [0, 5, 10, 15, 20]],
    [0, 100, [0, 20, 40, 60, 80, 100]],
    [0, 0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 66.5, [0, 20, 40, 60, 80]],
  ])('linear marks from %d to %d', (from, to, ticks) => {
    expect(linearScale(from, to).ticks).toEqual(ticks);
  });

  test.each([
    [0.78, 95.4, [0.5, 1, 2, 5, 10, 20, 50, 100]],
    [1, 1024, [1, 10, 100, 1000, 2000]],
    [3, 30, [2, 5, 10, 20, 50]],
  ])('logarithmic marks from %d to %d', (from, to, ticks) => {
    const scale = logScale(from, to);
    expect(scale.ticks).toEqual(ticks);
    expect(scale.at(scale.min)).toBe(0);
    expect(scale.at(scale.max)).toBeCloseTo(1, 12);
  });

  test('equal factors are equally far apart', () => {
    const scale = logScale(1, 10_000);
    expect(scale.at(100)).toBeCloseTo(0.5, 12);
    expect(scale.at(10) - scale.at(1)).toBeCloseTo(scale.at(1000) - scale.at(100), 12);
  });

  test('zero keeps an axis linear', () => {
    expect(wantsLog([1, 1000])).toBe(true);
    expect(wantsLog([0, 1000])).toBe(false);
    expect(wantsLog([1, 49])).toBe(false);
  });

  test.each([
    [1_500_000, '1.5M'],
    [12_000, '12k'],
    [9_999, '9999'],
    [0.3, '0.3'],
    [2e9, '2G'],
  ])('%d reads %s', (value, words) => expect(shortNumber(value)).toBe(words));
});

describe('line plots', () => {
  const plot = {
    title: 'Throughput <now>',
    x: { title: 'Load (Mpps)' },
    y: { title: 'Throughput (Mpps)' },
    series: [
      {
        name: 'a & b',
        points: [
          { x: 0, y: 0, says: 'nothing' },
          { x: 5, y: 5, spread: 1, says: 'half "way"' },
          { x: 10, y: NaN, says: 'missing' },
          { x: 10, y: 10, says: 'all' },
        ],
      },
      { name: 'c', dashed: true, points: [{ x: 5, y: 2, says: 'c' }] },
    ],
  };
  const svg = linePlot({ ...plot, guide: { name: 'no loss', at: (x) => x } });

  test('is one well-formed element with all its texts', () => {
    expect(unbalanced(svg)).toEqual([]);
    for (const words of [
      'Throughput &lt;now&gt;',
      'Load (Mpps)',
      'a &amp; b',
      'half "way"',
      'no loss',
    ])
      expect(svg).toContain(words.replaceAll('"', '&quot;'));
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a mark under others shows around them, and a logarithmic axis says what it is', () => {
    const points = [
      { x: 10, y: 5, says: '' },
      { x: 10_000, y: 8, says: '' },
    ];
    const apart = points.map((point) => ({ ...point, y: point.y / 2 }));
    const drawn = linePlot({
      ...{ title: 't', x: { title: 'Rate' }, y: { title: 'y' } },
      series: [
        { name: 'under', points },
        { name: 'over', points },
        { name: 'elsewhere', points: apart },
      ],
    });
    const radii = [...drawn.matchAll(/<circle[^>]* r="([\d.]+)"/g)].map(([, r]) => Number(r));
    expect(radii).toEqual([4.2, 4.2, 3, 3, 3, 3]);
    expect(drawn).toContain('Rate, log scale');
    expect(drawn).not.toContain('y, log scale');
  });

  test('marks of one axis keep to one unit', () => {
    expect(tickLabels(logScale(10, 90_000))).toEqual(['10', '100', '1k', '10k', '100k']);
    expect(tickLabels(logScale(1, 1000))).toEqual(['1', '10', '100', '1000']);
  });

  test('a guide is a curve where only one axis is logarithmic', () => {
    const points = [0.01, 1, 100].map((x) => ({ x, y: x, says: '' }));
    const drawn = linePlot({
      ...{ title: 't', x: { title: 'x' }, y: { title: 'y', log: false } },
      ...{ series: [{ name: 'a', points }], guide: { name: 'all', at: (x: number): number => x } },
    });
    const dotted = /points="([^"]+)"[^>]*stroke-dasharray="2 4"/.exec(drawn)![1]!;
    const at = dotted.split(' ').map((pair) => pair.split(',').map(Number));
    const [first, middle, last] = [at[0]!, at[at.length >> 1]!, at.at(-1)!];
    expect(middle[0]).toBeCloseTo((first[0]! + last[0]!) / 2, 0); // x is 1, of 0.01 to 100
    expect(first[1]! - middle[1]!).toBeLessThan(0.02 * (first[1]! - last[1]!));
  });

  test('a point stands where its values say', () => {
    // axes 0 to 10: half way of 368 pixels from 68 on, and of 266 from 40 on
    const at = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [x, y]);
    const right = Number(at[2]![0]);
    expect(at[0]).toEqual(['68', '306']);
    expect(at[2]![1]).toBe('40');
    expect(Number(at[1]![0])).toBeCloseTo((68 + right) / 2, 0);
    expect(at[1]![1]).toBe('173');
    expect(at).toHaveLength(4);
  });

  test('a missing value breaks the line', () => {
    const [, points] = /<polyline points="([^"]+)" fill="none" stroke="#0072b2"/.exec(svg) ?? [];
    expect(points!.split(' ')).toHaveLength(2);
  });

  test('numbers of an axis do not touch; the last one stands', () => {
    const points = [0.25, 1, 4, 16, 20, 22, 24].map((x) => ({ x, y: 1, says: '' }));
    const narrow = linePlot({ ...plot, series: [{ name: 'd', points }], width: 260 });
    const numbers = [...narrow.matchAll(/text-anchor="middle"[^>]*>([\d.]+)</g)].map(([, n]) => n);
    expect(numbers).toContain('24');
    expect(numbers).toContain('4');
    expect(numbers).not.toContain('22');
    expect(numbers).not.toContain('20');
  });

  test('nothing at all is an empty plot', () => {
    const empty = linePlot({ ...plot, series: [] });
    expect(unbalanced(empty)).toEqual([]);
    expect(empty).not.toMatch(/NaN|Infinity/);
  });
});

test('a legend that would take half of the drawing stands below it', () => {
  const points = [
    { x: 1, y: 1, says: '' },
    { x: 2, y: 2, says: '' },
  ];
  const drawnWith = (name: string): string =>
    linePlot({
      ...{ title: 't', x: { title: 'x' }, y: { title: 'y' }, legend: 'traffic' },
      series: [name, 'b'].map((one) => ({ name: one, points })),
    });
  const rightEnd = (svg: string): number =>
    Math.max(...[...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x)));
  const tall = (svg: string): number => Number(/viewBox="0 0 560 (\d+)"/.exec(svg)![1]);
  const [short, long] = [drawnWith('a'), drawnWith('udp size=64 flows=4096 pattern=zipf:1.1')];
  expect(tall(short)).toBe(360);
  expect(tall(long)).toBe(360 + 3 * 19); // its title and two names
  expect(rightEnd(long)).toBeGreaterThan(rightEnd(short));
  for (const svg of [short, long]) expect(svg).toContain('>traffic</text>');
});

test('a heat map has a field for each pair, and leaves out what is not known', () => {
  const svg = heatPlot({
    title: 'p99',
    x: { title: 'rate', values: ['1M', '2M', '3M'] },
    y: { title: 'budget', values: ['1', '64'] },
    of: 'µs',
    cells: [
      [1, 2, 3],
      [4, NaN, 6],
    ],
    label: String,
  });
  expect(unbalanced(svg)).toEqual([]);
  expect([...svg.matchAll(/<title>/g)]).toHaveLength(5);
  expect(svg).toContain('<title>rate 3M, budget 64: 6</title>');
  expect(svg).not.toMatch(/NaN/);
});

test('what stands in attributes cannot leave them', () => {
  expect(element('a', { b: `"><script>` })).toBe('<a b="&quot;&gt;&lt;script&gt;"/>');
});
