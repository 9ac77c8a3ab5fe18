/**
 * P4 and P5 are two ways to the same packets: verdicts, counters, bytes and books agree on the same
 * input. When each packet is polled differs, so nothing is compared that depends on time.
 */
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../src/lab/run.ts';
import { run } from '../src/node.ts';
import { readCapture } from '../src/wire/capture.ts';
import { CAPTURES } from './captureCases.ts';

type Flags = Parameters<typeof run>[0];

const frames = (bytes: Uint8Array | undefined): string[] =>
  readCapture(bytes!, 'out')
    .frames.map(({ at, capLen }) => Buffer.from(bytes!.subarray(at, at + capLen)).toString('hex'))
    .toSorted();

/** What must not depend on the chip. */
const compared = ({ report, captures }: RunOutcome): object => ({
  conserved: report.conserved,
  packets: report.packets,
  leaked: report.pages.leaked,
  ethtool: report.ethtool,
  wire: frames(captures.txOut),
  passed: frames(captures.passOut),
});

async function both(flags: Flags): Promise<[RunOutcome, RunOutcome]> {
  const run1 = (chip: 'p4' | 'p5'): Promise<RunOutcome> =>
    run({ ...flags, chip, check: true, txOut: true, passOut: true });
  return [await run1('p4'), await run1('p5')];
}

const EXAMPLES = ['pass', 'echo', 'redirect'] as const;

/** Each capture through one example, the next one through the next. */
describe.each(EXAMPLES.map((xdp, i) => [xdp, CAPTURES.filter((_, n) => n % 3 === i)] as const))(
  '%s',
  (xdp, captures) => {
    test.each(captures)('$name', async ({ bytes }) => {
      const [p4, p5] = await both({ xdp, in: bytes });
      expect(compared(p5)).toEqual(compared(p4));
    });
  },
);

describe.each(EXAMPLES)('%s', (xdp) => {
  test.each(['0.5Mpps', '2Mpps'])('generated traffic at %s, on four queues', async (rate) => {
    const flags = { xdp, rate, count: '3000', flows: '64', cpus: '4', queues: '4' };
    const [p4, p5] = await both(flags);
    expect(p4.report.packets.received).toBe(3000);
    expect(compared(p5)).toEqual(compared(p4));
  });
});

test('what is lost to a ring that is too small is lost by name on both, and the books add up', async () => {
  for (const { report } of await both({
    xdp: 'echo',
    rate: '14Mpps',
    count: '20000',
    queues: '1',
    rxRing: '64',
  })) {
    expect(report.conserved).toBe(true);
    expect(Object.keys(report.packets.lost)).toEqual(['noBuffer']);
    expect(report.ethtool['rx_total_ring_discards']).toBe(report.packets.lost['noBuffer']);
    expect(report.pages.leaked).toBe(0);
  }
});
