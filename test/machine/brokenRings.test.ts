/**
 * Rings that break while XDP_TX pages are under way. Such a page stands in an RX slot as well, so
 * whatever a reset or an error publishes must not tell the NIC of it before it has been sent.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fates } from '../../src/host/fates.ts';
import type { Trial } from './fuzzRig.ts';
import { PATIENCE, runTrial, runs, sumOfFates } from './fuzzRig.ts';

/** One NIC that sends everything back, slowly, on small rings. */
const echoing = (point: string): fc.Arbitrary<Trial> =>
  fc
    .record({
      seed: fc.nat({ max: 2 ** 31 - 1 }),
      budget: fc.constantFrom(1, 2, 64),
      rxRing: fc.constantFrom(1, 2, 3, 8, 64),
      rxUsecs: fc.constantFrom(0, 1, 10, 100),
      rxFrames: fc.constantFrom(1, 15, 64),
      gapNs: fc.constantFrom(50, 200, 1000, 20_000),
      linkGbps: fc.constantFrom(1, 100),
      after: fc.nat({ max: 100 }),
      every: fc.constantFrom(1, 2, 7, 50),
      half: fc.boolean(),
      eager: fc.boolean(),
    })
    .map(({ seed, budget, eager, after, every, half, ...nic }) => ({
      ...{ seed, budget, eager, cpus: 1, netdevBudget: 300, hz: 1000, stack: true },
      ...{ exchangeUs: null },
      nics: [
        {
          ...{ queues: 1, txRing: 64, mtu: 300, rxvlan: true, promisc: true, affinity: [0] },
          ...{ lean: 'tx', adjusts: 0, count: 400, ...nic },
        },
      ],
      faults: [
        { point, after, every },
        ...(half ? [{ point: 'rxCmpHalf', after: 0, every: 3 }] : []),
      ],
    }));

function comesHome(t: Trial): void {
  const { machine } = runTrial(t);
  const zero = new Fates().imbalance();
  expect(sumOfFates(machine.result()).imbalance()).toEqual(zero);
  expect(machine.result().pages.leaked).toBe(0);
  machine.close();
  expect(sumOfFates(machine.result()).imbalance()).toEqual(zero);
  expect(machine.result().pages.allocated).toBe(0);
}

test.each(['rxCmpOutOfOrder', 'rxCmpBuffer', 'rxCmpCrc', 'txCmpLost'])(
  'no page is received into before it has been sent, with %s',
  PATIENCE,
  (point) => {
    fc.assert(fc.property(echoing(point), comesHome), { numRuns: runs(25), seed: 3 });
  },
);
