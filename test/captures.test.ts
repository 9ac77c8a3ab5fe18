/** Every capture through every example, in checked mode: nothing is lost without a name. */
import { describe, expect, test } from 'vitest';
import { LOSS_CAUSES } from '../src/host/fates.ts';
import type { LossStage } from '../src/host/fates.ts';
import type { PacketCounts } from '../src/lab/report.ts';
import type { RunOutcome } from '../src/lab/run.ts';
import { run } from '../src/node.ts';
import { readCapture } from '../src/wire/capture.ts';
import type { CaptureCase } from './captureCases.ts';
import { CAPTURES, sharedAbsent } from './captureCases.ts';

const EXAMPLES = ['drop', 'pass', 'echo', 'redirect', 'l4lb'] as const;

const replay = ({ bytes }: CaptureCase, xdp: string, eager: boolean = false): Promise<RunOutcome> =>
  run({ xdp, in: bytes, check: true, txOut: true, passOut: true, eager });

/** Each is looked at twice. */
const firstRuns = new Map<string, Promise<RunOutcome>>();
function firstReplay(capture: CaptureCase, xdp: string): Promise<RunOutcome> {
  const key = `${xdp} ${capture.name}`;
  if (!firstRuns.has(key)) firstRuns.set(key, replay(capture, xdp));
  return firstRuns.get(key)!;
}

function lostAt(stage: LossStage, { lost }: PacketCounts): number {
  const causes = LOSS_CAUSES.filter((cause) => cause.stage === stage);
  return causes.reduce((sum, { name }) => sum + (lost[name] ?? 0), 0);
}

/** The stack drops what it has shown to its taps; the driver's own losses come before. */
const lostBehindTheTaps = (packets: PacketCounts): number =>
  lostAt('up', packets) - (packets.lost['skbOom'] ?? 0) - (packets.lost['vlanProto'] ?? 0);

/** The four equations of the design, written out once more: both sides of each. */
const equations = (p: PacketCounts): Record<string, readonly [number, number]> => ({
  nic: [p.offered, p.received + lostAt('nic', p)],
  driver: [
    p.received,
    p.xdpDrop +
      p.xdpAborted +
      p.xdpTx +
      p.xdpRedirect +
      p.xdpPass +
      p.noProgram +
      lostAt('driver', p),
  ],
  tx: [
    p.xdpTx + p.xdpRedirect + p.xdpCloned + p.stackTx,
    p.onWire + p.toOther + p.cpumapPass + lostAt('tx', p),
  ],
  up: [p.xdpPass + p.noProgram + p.cpumapPass, p.toStack + lostAt('up', p)],
});

const withoutWall = ({ report }: RunOutcome): string => JSON.stringify({ ...report, wallMs: 0 });
const framesIn = (bytes: Uint8Array | undefined): number =>
  readCapture(bytes!, 'out').frames.length;

test.skipIf(sharedAbsent)('the real captures are there', () => {
  expect(CAPTURES.length).toBeGreaterThan(40);
});

describe.each(EXAMPLES)('%s', (xdp) => {
  test.each(CAPTURES)('$name adds up, and what leaves is in the captures', async (capture) => {
    const { report, captures } = await firstReplay(capture, xdp);
    const { packets } = report;
    expect(packets.offered).toBe(readCapture(capture.bytes, capture.name).frames.length);
    for (const [left, right] of Object.values(equations(packets))) expect(left).toBe(right);
    expect(report.conserved).toBe(true);
    expect(report.pages.leaked).toBe(0);
    expect(framesIn(captures.txOut)).toBe(packets.onWire);
    const shown = packets.toStack + lostBehindTheTaps(packets);
    // of the frames that are cut short, two end inside a VLAN tag: too early for any tap
    const early = capture.name === 'cut short.pcap' && xdp === 'pass' ? 2 : 0;
    expect(framesIn(captures.passOut)).toBe(shown - early);
  });

  test.each(CAPTURES)('$name is the same bytes again, and by the eager pace', async (capture) => {
    const first = await firstReplay(capture, xdp);
    for (const other of [await replay(capture, xdp), await replay(capture, xdp, true)]) {
      expect(withoutWall(other)).toBe(withoutWall(first));
      expect(Buffer.compare(other.captures.txOut!, first.captures.txOut!)).toBe(0);
      expect(Buffer.compare(other.captures.passOut!, first.captures.passOut!)).toBe(0);
    }
  });
});
