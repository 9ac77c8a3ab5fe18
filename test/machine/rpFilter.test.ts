/** Reverse path filtering as Linux 6.18 has it: `scripts/record-forward.py` recorded the kernel's answers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OP_FIB_LOOKUP } from '../../src/host/cost.ts';
import { CountingCpu } from '../../src/host/cpu.ts';
import { parseNeigh, parseRoute } from '../../src/lab/routes.ts';
import type { InetConfig } from '../../src/machine/inetConfig.ts';
import type { RpFilter } from '../../src/stack/fibValidateSource.ts';
import { RP_FILTERS } from '../../src/stack/fibValidateSource.ts';
import { NEIGHBOURS, ROUTES } from './forwardCases.ts';
import { BALANCED, InetRig } from './inetRig.ts';
import { RP_FILTER_CASES, RP_FILTER_QUESTIONS } from './rpFilterCases.ts';

const linux = JSON.parse(
  readFileSync(new URL('../vectors/rpFilter.json', import.meta.url), 'utf8'),
) as Record<string, (string | null)[]>;

const ROUTER: Partial<InetConfig> = {
  ipForward: true,
  routes: ROUTES.map((text) => parseRoute('route', text)),
  neighbours: NEIGHBOURS.map((text) => parseNeigh('neigh', text)),
};

/** Linux's, with `rp_filter` as its sysctl has it. */
const answersOf = (names: readonly string[], value: number): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, linux[name]![value]!]));

const isArpReply = (bytes: Uint8Array): boolean =>
  bytes[12] === 0x08 && bytes[13] === 0x06 && bytes[21] === 2;

test('Linux has judged the cases as they are now', () => {
  expect(Object.keys(linux)).toEqual(Object.keys({ ...RP_FILTER_CASES, ...RP_FILTER_QUESTIONS }));
});

describe.each(RP_FILTERS.map((rpFilter, value) => [rpFilter, value] as const))(
  'rp_filter %s',
  (rpFilter, value) => {
    const drops: Record<string, string | null> = {};
    for (const [name, frame] of Object.entries(RP_FILTER_CASES)) {
      const rig = new InetRig([frame], { inet: { ...ROUTER, rpFilter }, second: {} }).run();
      drops[name] = Object.keys(rig.lost)[0] ?? null;
      const counted = drops[name] === 'IP_RPFILTER' ? 1 : 0;
      if (rig.snmp['TcpExt']!['IPReversePathFilter'] !== counted) drops[name] += ', miscounted';
      if (JSON.stringify(rig.books) !== JSON.stringify(BALANCED)) drops[name] += ', unbalanced';
    }

    test('drops what Linux drops, for its reasons', () => {
      expect(drops).toEqual(answersOf(Object.keys(RP_FILTER_CASES), value));
    });

    test('answers by ARP whom Linux answers', () => {
      const questions = Object.entries(RP_FILTER_QUESTIONS).map(([name, frame]) => {
        const rig = new InetRig([frame], { inet: { ...ROUTER, rpFilter }, second: {} }).run();
        expect([rig.lost, rig.snmp['TcpExt']]).toEqual([{}, { IPReversePathFilter: 0 }]);
        return [name, rig.sent.some(({ bytes }) => isArpReply(bytes)) ? 'answered' : null];
      });
      expect(Object.fromEntries(questions)).toEqual(
        answersOf(Object.keys(RP_FILTER_QUESTIONS), value),
      );
    });
  },
);

/** Times that the routing table was asked. */
function lookups(rpFilter: RpFilter, name: string): number | undefined {
  const options = { inet: { ...ROUTER, rpFilter }, second: {}, machine: { breakdown: true } };
  const { machine } = new InetRig([RP_FILTER_CASES[name]!], options).run();
  return (machine.cpus[0] as CountingCpu).counts[OP_FIB_LOOKUP];
}

test.each([
  // from, to: off, strict, loose
  ['198.51.100.7 > 10.0.1.9', [1, 2, 2]],
  ['10.0.1.77 > 10.0.1.9', [1, 2, 3]], // loose: is he on this link as well?
  ['10.9.0.1 > 10.0.1.9', [1, 2, 2]],
  ['10.0.0.77 > 203.0.113.5', [2, 2, 2]], // back out of the same device: he may be told
  ['10.0.1.77 > 203.0.113.5', [3, 2, 3]],
  ['10.0.0.77 > 10.9.0.1', [1, 1, 1]],
  ['10.0.0.77 > 10.0.0.1', [0, 1, 1]], // what is for us asks no table here, and is answered to a neighbour
  ['0.0.0.0 > 255.255.255.255', [0, 0, 0]],
])('the table is asked again where Linux asks it: %s', (name, expected) => {
  expect(RP_FILTERS.map((rpFilter) => lookups(rpFilter, name))).toEqual(expected);
});
