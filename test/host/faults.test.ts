import { describe, expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import * as faultsFile from '../../src/host/faults.ts';
import { FAULT_DMA_MAP, FAULT_IRQ_LOST, FAULT_POINTS, Faults } from '../../src/host/faults.ts';
import { camel, numbered } from './numbered.ts';

const passages = (faults: Faults, id: number, n: number): string =>
  Array.from({ length: n }, () => (faults.fires(id) ? 'x' : '.')).join('');

describe('a fault point', () => {
  test.each([
    [0, Infinity, 'x.........'],
    [3, Infinity, '...x......'],
    [0, 1, 'xxxxxxxxxx'],
    [2, 3, '..x..x..x.'],
    [1, 4, '.x...x...x'],
  ])('after %s, every %s: %s', (after, every, expected) => {
    const faults = new Faults();
    faults.arm('dmaMap', after, every);
    expect(passages(faults, FAULT_DMA_MAP, 10)).toBe(expected);
    expect(faults.fired[FAULT_DMA_MAP]).toBe([...expected].filter((c) => c === 'x').length);
  });

  test('does not fire because another is armed', () => {
    const faults = new Faults();
    faults.arm('dmaMap', 0, 1);
    expect(passages(faults, FAULT_IRQ_LOST, 50)).toBe('.'.repeat(50));
  });

  test('disarmed, none fires; armed again, it starts over', () => {
    const faults = new Faults();
    expect(faults.armed).toBe(false);
    faults.arm('dmaMap', 2);
    expect(faults.armed).toBe(true);
    passages(faults, FAULT_DMA_MAP, 2);
    faults.disarm();
    expect(faults.armed).toBe(false);
    expect(passages(faults, FAULT_DMA_MAP, 5)).toBe('.....');
    faults.arm('dmaMap', 1);
    expect(passages(faults, FAULT_DMA_MAP, 3)).toBe('.x.');
  });
});

describe('arming', () => {
  test('an unknown point is refused with the list of those there are', () => {
    const all = FAULT_POINTS.map(({ name }) => name).join(', ');
    expect(() => new Faults().arm('moon')).toThrow(`fault point: moon is out of range (${all})`);
  });

  test.each([
    [-1, 1],
    [NaN, 1],
    [0, 0],
    [0, NaN],
  ])('after %s, every %s is refused', (after, every) => {
    expect(() => new Faults().arm('dmaMap', after, every)).toThrow(RangeRefused);
  });
});

test('each point stands under its own number', () => {
  const named = numbered(faultsFile, 'FAULT_').toSorted(([, a], [, b]) => a - b);
  expect(named.length).toBe(FAULT_POINTS.length);
  const points = named.map(([name]) => camel(name === 'RX_CMP_LOST_HALF' ? 'RX_CMP_HALF' : name));
  expect(points).toEqual(FAULT_POINTS.map(({ name }) => name));
});
