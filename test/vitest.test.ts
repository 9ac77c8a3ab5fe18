import { describe, expect, test } from 'vitest';
import { run } from '../src/vitest.ts';

const report = (await run({ xdp: 'drop', count: 10 })).report;
const failing = (check: () => void): string => {
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the matcher let it pass');
};

test('a run that adds up is conserved, one that does not says by how much', () => {
  expect(report).toBeConserved();
  const imbalance = { ...report.imbalance, driver: 2 };
  const broken = { ...report, conserved: false, imbalance };
  expect(broken).not.toBeConserved();
  expect(failing(() => expect(broken).toBeConserved())).toContain('"driver":2');
});

test('verdicts are compared by name; the rest is not looked at', () => {
  expect(report).toHaveVerdicts({ xdpDrop: 10 });
  expect(report).toHaveVerdicts({ xdpDrop: 10, xdpTx: 0 });
  expect(report).not.toHaveVerdicts({ xdpDrop: 9 });
  expect(failing(() => expect(report).toHaveVerdicts({ xdpDrop: 9, xdpTx: 1 }))).toBe(
    'xdpDrop: expected 9, got 10\nxdpTx: expected 1, got 0',
  );
});

test('a cause that did not happen was lost 0 times', () => {
  expect(report).toHaveLost({ noBuffer: 0 });
  const lossy = { ...report, packets: { ...report.packets, lost: { noBuffer: 3 } } };
  expect(lossy).toHaveLost({ noBuffer: 3, oom: 0 });
  expect(failing(() => expect(lossy).toHaveLost({ noBuffer: 0 }))).toContain('expected 0, got 3');
});

describe('mistakes in a test do not pass', () => {
  test.each([
    ['an unknown cause', () => expect(report).toHaveLost({ nobuffer: 0 })],
    ['an unknown outcome', () => expect(report).toHaveVerdicts({ xdpdrop: 0 } as object)],
    ['something that is no report', () => expect({ report }).not.toBeConserved()],
  ])('%s', (_, check) => {
    expect(check).toThrow(TypeError);
  });
});
