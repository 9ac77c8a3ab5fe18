import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readScenario } from '../../src/lab/scenario.ts';
import { RUN_OPTIONS } from '../../src/lab/optionSchema.ts';
import { planSweep, shardOf } from '../../src/lab/sweepPlan.ts';
import { sweepValues } from '../../src/lab/sweepValues.ts';

const values = (text: string, key: string = 'budget'): readonly unknown[] =>
  sweepValues(`--${key}`, key, text);

describe('lists and ranges', () => {
  test.each([
    ['1,8,64', ['1', '8', '64']],
    ['1|8', ['1', '8']],
    ['1..256*2', ['1', '2', '4', '8', '16', '32', '64', '128', '256']],
    ['1..300*2', ['1', '2', '4', '8', '16', '32', '64', '128', '256']],
    ['0.1..1.2+0.1', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => String(n / 10))],
    ['3..6', ['3', '4', '5', '6']],
    ['1e3..3E3+1e+3', ['1000', '2000', '3000']],
    ['1_000..4_000*2', ['1000', '2000', '4000']],
    ['5e-1..1.5+0.5', ['0.5', '1', '1.5']],
    ['1M..3M+1M', ['1M', '2M', '3M']],
    ['1..3Mpps', ['1Mpps', '2Mpps', '3Mpps']],
    ['1,8..10,64', ['1', '8', '9', '10', '64']],
    ['drop|pass', ['drop', 'pass']],
  ])('%s', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  test('a value that may hold commas is split at bars alone', () => {
    expect(values('a.o,b.ts', 'xdp')).toEqual(['a.o,b.ts']);
    expect(values('0,1 | 1,0', 'irqAffinity')).toEqual(['0,1', '1,0']);
  });

  test('every option that takes a list of numbers is one of these', () => {
    const lists = RUN_OPTIONS.filter(({ value }) => value.includes(',…')).map(({ key }) => key);
    expect(lists).toEqual(expect.arrayContaining(['threadCpus', 'rps', 'apps']));
    for (const key of lists) expect(values('0,1', key)).toEqual(['0,1']);
  });

  test.each([
    ['8..1', '--budget: 8..1 runs downwards; the smaller end comes first'],
    ['1..8*1', '--budget: 1..8*1 never ends: multiply by more than 1, from more than 0'],
    ['0..8*2', '--budget: 0..8*2 never ends: multiply by more than 1, from more than 0'],
    ['1..8+0', '--budget: 1..8+0 never ends: add more than 0'],
    ['1M..2k', '--budget: 1M..2k mixes units (M and k)'],
    ['1..1e12+1', '--budget: 1..1e12+1 has more than 10000 values'],
    ['1..1000000', '--budget: 1..1000000 has more than 10000 values'],
    ['1,8,1', '--budget: 1 is given twice'],
    ['1,,8', '--budget: 1,,8 has an empty value'],
  ])('%s is refused', (text, message) => {
    expect(() => values(text)).toThrow(message);
  });

  test('an arithmetic range has no rounding in it, whatever the step', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: 1, max: 99 }),
        (from, step) => {
          const list = values(`${from / 100}..${(from + 20 * step) / 100}+${step / 100}`);
          expect(list).toEqual(
            Array.from({ length: 21 }, (_, i) => String((from + i * step) / 100)),
          );
        },
      ),
    );
  });
});

const plan = (
  flags: Record<string, unknown>,
  scenario: string | null = null,
  seeds: number = 1,
): ReturnType<typeof planSweep> =>
  planSweep(
    {
      scenario: scenario === null ? null : readScenario('lab.yaml', scenario),
      flags,
      seeds,
    },
    (option, name) => Promise.reject(new Error(`${option}: no file ${name} here`)),
  );

describe('the plan', () => {
  test('is the product, the last list fastest', async () => {
    const { axes, runs } = await plan({ budget: '1,64', rate: '1M,2M', count: '10' });
    expect(axes.map(({ name }) => name)).toEqual(['budget', 'rate']);
    expect(runs.map(({ point }) => [point['budget'], point['rate']])).toEqual([
      ['1', '1M'],
      ['1', '2M'],
      ['64', '1M'],
      ['64', '2M'],
    ]);
    expect(runs.map(({ options }) => options.budget)).toEqual([1, 1, 64, 64]);
    expect(runs.every(({ options }) => options.count === 10)).toBe(true);
  });

  test('a scenario has lists too, and flags replace them', async () => {
    const scenario = 'budget: [1, 64]\nrx-ring: 100..300+100\nhz: 1000\n';
    expect((await plan({}, scenario)).runs).toHaveLength(6);
    const { axes, runs } = await plan({ rxRing: '511' }, scenario);
    expect(axes.map(({ name }) => name)).toEqual(['budget']);
    expect(runs.map(({ options }) => [options.budget, options.rxRing, options.hz])).toEqual([
      [1, 511, 1000],
      [64, 511, 1000],
    ]);
  });

  test('a flag replaces the list of an alternative', async () => {
    const { axes, runs } = await plan({ rssIndir: '0' }, 'rss-equal: [1, 2]\nbudget: [1, 64]\n');
    expect(axes.map(({ name }) => name)).toEqual(['budget']);
    expect(runs.map(({ options }) => options.rssIndir)).toEqual([[0], [0]]);
  });

  test('a word of --traffic replaces the list of that word', async () => {
    const flags = { traffic: 'udp rate=2M|udp rate=3M', queues: '1,2' };
    const { axes } = await plan(flags, 'rate: [1M, 4M]\nsize: [64, 128]\n');
    expect(axes.map(({ name }) => name).toSorted()).toEqual(['queues', 'size', 'traffic']);
  });

  test("what a NIC takes is its profile's to say", async () => {
    const { runs } = await plan({ profile: 'xdp-paper-2018', rxFrames: '64,1024' });
    expect(runs.map(({ options }) => options.rxFrames)).toEqual([64, 1024]);
    await expect(plan({ rxFrames: '64,1024' })).rejects.toThrow(
      '--rx-frames: 1024 is out of range (1 to 64 with --profile flat) (at rx-frames 1024)',
    );
  });

  test('seeds follow --seed', async () => {
    const { runs } = await plan({ budget: '1,2', seed: '7' }, null, 3);
    expect(runs.map(({ options }) => options.seed)).toEqual([7, 8, 9, 7, 8, 9]);
  });

  test('every point is read before anything runs', async () => {
    await expect(plan({ budget: '1,2000' })).rejects.toThrow(
      '--budget: 2000 is out of range (1 to 1024) (at budget 2000)',
    );
    await expect(plan({ queues: '1..8*2', rssEqual: '4' })).rejects.toThrow(
      '--rss-equal: 4 is out of range (1 to 1 queues) (at queues 1)',
    );
    await expect(plan({}, 'budget: [1, 0]')).rejects.toThrow(
      'lab.yaml:1:1: budget: 0 is out of range',
    );
    await expect(plan({ txOut: 'x.pcapng' })).rejects.toThrow('--tx-out: is for one run');
    await expect(plan({ budgt: '1,2' })).rejects.toThrow(
      '--budgt: unknown option (did you mean budget?)',
    );
    await expect(plan({ profile: 'flat|xdp-paper-2018', rxUsecsIrq: '1,3' })).rejects.toThrow(
      '--rx-usecs-irq: 3 is out of range (1 with --profile xdp-paper-2018, whose NIC gathers no completions) (at profile xdp-paper-2018, rx-usecs-irq 3)',
    );
    await expect(plan({ profile: './none.yaml' })).rejects.toThrow('no file ./none.yaml here');
    await expect(plan({ profile: 'flat,steep' })).rejects.toThrow('--profile: steep is not one of');
    await expect(plan({ seed: '1,2' }, null, 2)).rejects.toThrow('--seeds');
    await expect(plan({ rxUsecs: '1..5000', rxRing: '1..5000' })).rejects.toThrow('too many');
  });

  test('shards are disjoint and together everything', () => {
    const all = Array.from({ length: 11 }, (_, i) => i);
    const parts = [1, 2, 3, 4].map((i) => shardOf(all, `${i}/4`));
    expect(parts.flat().toSorted((a, b) => a - b)).toEqual(all);
    for (const text of ['0/4', '5/4', '1', 'a/b', '1/0']) {
      expect(() => shardOf(all, text)).toThrow(`--shard: ${text} is not a part`);
    }
  });
});
