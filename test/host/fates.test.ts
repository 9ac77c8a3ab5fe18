import { describe, expect, test } from 'vitest';
import * as dropReasonFile from '../../src/host/dropReason.ts';
import { SKB_DROP_REASONS } from '../../src/host/dropReason.ts';
import * as fatesFile from '../../src/host/fates.ts';
import type { LossStage } from '../../src/host/fates.ts';
import { DROP_REASONS_FROM, Fates, LOSS_CAUSES, LOST_COUNT } from '../../src/host/fates.ts';
import { camel, numbered } from './numbered.ts';

type Outcome = Exclude<keyof Fates, 'lost' | 'add' | 'lostAt' | 'imbalance'>;
const OUTCOMES = Object.keys(new Fates()).filter((key): key is Outcome => key !== 'lost');
const ZERO = { nic: 0, driver: 0, tx: 0, up: 0 };

function fates(counts: Partial<Record<Outcome, number>>, lost: Record<string, number> = {}): Fates {
  const made = Object.assign(new Fates(), counts);
  for (const [name, n] of Object.entries(lost)) {
    made.lost[LOSS_CAUSES.findIndex((cause) => cause.name === name)] = n;
  }
  return made;
}

/** Six ways through the machine, each with a loss on it, in numbers that differ. */
const balanced = (): Fates =>
  fates(
    {
      offered: 1000,
      received: 993,
      xdpDrop: 500,
      xdpAborted: 3,
      xdpTx: 200,
      xdpRedirect: 100,
      xdpPass: 120,
      noProgram: 59,
      stackTx: 10,
      onWire: 295,
      xdpCloned: 9,
      toOther: 4,
      cpumapPass: 9,
      toStack: 183,
    },
    { noBuffer: 7, txRingFull: 11, redirectQueueFull: 6, txDeviceClosed: 5, skbOom: 5 },
  );

describe('the four equations', () => {
  test('hold when every packet has one fate', () => {
    expect(balanced().imbalance()).toEqual(ZERO);
  });

  test.each(OUTCOMES)('one packet too many in %s shows', (key) => {
    const off = balanced();
    off[key]++;
    expect(off.imbalance()).not.toEqual(ZERO);
  });

  test.each(LOSS_CAUSES.map(({ name, stage }, i) => [name, stage, i] as const))(
    'one packet too many lost to %s shows at stage %s, and only there',
    (_, stage, i) => {
      const off = balanced();
      off.lost[i]!++;
      expect(off.imbalance()).toEqual({ ...ZERO, [stage]: -1 });
    },
  );

  test('the differences say where, and which way', () => {
    expect(fates({ offered: 5, received: 3 }).imbalance()).toMatchObject({ nic: 2, driver: 3 });
    expect(fates({ xdpTx: 2, onWire: 5 }).imbalance()).toMatchObject({ tx: -3, driver: -2 });
    expect(fates({ noProgram: 4, toStack: 1 }).imbalance()).toMatchObject({ up: 3 });
    expect(fates({ noProgram: 4, forwarded: 1 }).imbalance()).toMatchObject({ up: 3 });
  });
});

test('the sum of two books has the sum of every line', () => {
  const sum = balanced();
  sum.add(balanced());
  for (const key of OUTCOMES) expect(sum[key]).toBe(2 * balanced()[key]);
  expect([...sum.lost]).toEqual([...balanced().lost].map((n) => 2 * n));
});

test('the reasons of the stack stand behind the others, under their own numbers and names', () => {
  for (const [name, reason] of numbered(dropReasonFile, 'SKB_DROP_REASON_')) {
    const { cause } = SKB_DROP_REASONS[reason]!;
    expect(SKB_DROP_REASONS[reason]!.name).toBe(name);
    expect(LOSS_CAUSES[DROP_REASONS_FROM + reason]).toMatchObject({ name: cause, stage: 'up' });
  }
});

describe('causes', () => {
  const ids = numbered(fatesFile, 'LOST_');

  test.each(ids)('%s stands under its own number', (name, id) => {
    expect(LOSS_CAUSES[id]!.name).toBe(camel(name));
  });

  test('have one number each, and say which counter moves', () => {
    const fixed = ids.map(([, id]) => id).toSorted((a, b) => a - b);
    const reasons = SKB_DROP_REASONS.map((_, reason) => DROP_REASONS_FROM + reason);
    expect([...fixed, ...reasons]).toEqual([...Array.from({ length: LOST_COUNT }).keys()]);
    expect(LOSS_CAUSES.length).toBe(LOST_COUNT);
    expect(LOSS_CAUSES.filter(({ counter }) => counter === '')).toEqual([]);
    const stages: readonly LossStage[] = ['nic', 'driver', 'tx', 'up'];
    const names = LOSS_CAUSES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const stage of stages) expect(LOSS_CAUSES.some((c) => c.stage === stage)).toBe(true);
  });
});
