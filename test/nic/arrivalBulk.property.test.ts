/**
 * Arrivals that the compiled loop sorts lie in the same lanes, at the same picoseconds, as those
 * that TypeScript sorts; and a loop that is wrong is found out.
 *
 * RINGSCOPE_RUNS multiplies the number of random arrivals, RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lane } from '../../src/nic/lane.ts';
import { LANE_BYTES, LANE_LIMIT } from '../../src/nic/lane.ts';
import type { Port } from '../../src/nic/port.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from '../../src/wire/frames.ts';
import { Link, LinkFeed } from '../../src/wire/link.ts';
import { udp } from './frames.ts';
import { nicRig } from './rig.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);
const QUEUES = 3;

/** Six flows of six lengths, one of them tagged, a frame for somebody else, and a runt. */
const FRAMES: readonly Uint8Array[] = [
  ...[60, 61, 124, 300, 1000].map((lenBytes, i) => udp({ srcPort: 1000 + 7 * i, lenBytes })),
  udp({ tags: [{ vid: 5 }], lenBytes: 90 }),
  udp({ dst: { hi16: 0x0200, lo32: 99 }, lenBytes: 200 }),
  new Uint8Array(10),
];

/** So many frames with the same number, each `gapPs` after the one before. */
interface Run {
  readonly frame: number;
  readonly count: number;
  readonly gapPs: number;
}

type Step =
  | { readonly kind: 'make' | 'forget'; readonly ps: number }
  | { readonly kind: 'take'; readonly lane: number; readonly part: number };

interface Sorting {
  /** 0: the source's frames have arrived already. */
  readonly rateBps: number;
  readonly delayPs: number;
  readonly endPs: number;
  readonly runs: readonly Run[];
  readonly steps: readonly Step[];
}

const sorting: fc.Arbitrary<Sorting> = fc.record({
  rateBps: fc.constantFrom(0, 100e9, 100e9, 25e9, 1e9, 7_777_777_777),
  delayPs: fc.constantFrom(0, 1, 500_000),
  endPs: fc.constantFrom(2 ** 53, 2 ** 53, 1_000_000, 6720 * 700, 6720 * 700 + 1),
  runs: fc.array(
    fc.record({
      frame: fc.integer({ min: 0, max: FRAMES.length - 1 }),
      count: fc.constantFrom(1, 1, 2, 5, 40, 300, 2500),
      gapPs: fc.constantFrom(0, 0, 1, 6719, 6720, 6721, 100_000),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  steps: fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant<'make'>('make'),
        ps: fc.constantFrom(1, 5000, 300_000, 20_000_000, 100_000_000),
      }),
      fc.record({
        kind: fc.constant<'take'>('take'),
        lane: fc.integer({ min: 0, max: QUEUES }),
        part: fc.constantFrom(0.3, 1, 1),
      }),
      fc.record({ kind: fc.constant<'forget'>('forget'), ps: fc.constant(0) }),
    ),
    { minLength: 5, maxLength: 30 },
  ),
});

/** One frame would start when the line ends. */
const TOO_LATE: Sorting = {
  ...{ rateBps: 100e9, delayPs: 0, endPs: 6720 * 700 },
  runs: [{ frame: 0, count: 800, gapPs: 0 }],
  steps: [{ kind: 'make', ps: 20_000_000 }],
};

class Runs implements ArrivalSource {
  readonly frames: FrameTable;
  readonly endPs: number;
  private readonly at: number[] = [];
  private readonly frame: number[] = [];
  private next = 0;

  constructor(frames: FrameTable, { runs, endPs }: Sorting) {
    this.frames = frames;
    this.endPs = endPs;
    const numbers = FRAMES.map((bytes) => frames.add(bytes));
    let at = 0;
    for (const { frame, count, gapPs } of runs) {
      for (let i = 0; i < count; i++) {
        this.at.push((at += gapPs));
        this.frame.push(numbers[frame]!);
      }
    }
  }

  fill(block: ArrivalBlock): void {
    const at = this.at.slice(this.next, this.next + block.at.length);
    block.at.set(at);
    block.frame.set(this.frame.slice(this.next, this.next + at.length));
    block.count = at.length;
    this.next += at.length;
  }
}

type NicRig = ReturnType<typeof nicRig>;

function waitingIn({ head, size, at, frame, mask }: Lane): number[] {
  return Array.from({ length: size }, (_, i) => head + i).flatMap((i) => [
    at[i & mask]!,
    frame[i & mask]!,
  ]);
}

/** What lies in the lanes after each step. @param prepare told of the rig when it has its source */
function lanesOf(c: Sorting, prepare: (rig: NicRig) => void): number[][] {
  const rig = nicRig({ pace: 'lazy', queues: QUEUES, vlanStrip: true });
  const { port } = rig.nic;
  const source = new Runs(rig.frames, c);
  port.offer(c.rateBps === 0 ? source : new LinkFeed(new Link(c.rateBps, c.delayPs), source));
  prepare(rig);
  const lanes = [...port.lanes, port.refused];
  let now = 0;
  return c.steps.map((step) => {
    if (step.kind === 'take') {
      const lane = lanes[step.lane]!;
      for (let n = Math.ceil(lane.size * step.part); n > 0; n--) lane.take();
    } else if (step.kind === 'forget') port.resort();
    else port.makeTo((now += step.ps));
    return [port.knownTo, port.nextAt(), ...lanes.flatMap((l) => [l.size, ...waitingIn(l)])];
  });
}

const byTypeScript = (c: Sorting): number[][] =>
  lanesOf(c, ({ nic }) => {
    nic.classes.inHostMemory = false;
  });

test('the loop sorts as TypeScript does', () => {
  let arrivals = 0;
  let full = 0;
  fc.assert(
    fc.property(sorting, (c) => {
      let port: Port;
      const lanes = lanesOf(c, (rig) => void ({ port } = rig.nic));
      expect(lanes).toEqual(byTypeScript(c));
      arrivals += lanes.at(-1)!.length;
      full += port!.lanes.filter((lane) => !lane.inHostMemory).length;
    }),
    { numRuns: 60 * RUNS, seed: SEED },
  );
  expect(arrivals).toBeGreaterThan(10_000 * RUNS);
  expect(full).toBeGreaterThan(0);
});

/** Words of the port's block, see `arrivalBulk.ts`. */
const [FREE_AT, PS_PER_BYTE, LAG, END, LANES] = [3072, 3080, 3088, 3096, 3104] as const;

const blockOf = ({ nic }: NicRig): number =>
  (nic.port as unknown as { bulk: { at: number } }).bulk.at;
const double =
  (offset: number, change: (value: number) => number) =>
  (rig: NicRig): void => {
    const at = (blockOf(rig) + offset) >> 3;
    rig.mem.doubles[at] = change(rig.mem.doubles[at]!);
  };

describe('a loop is found out', () => {
  const cases = [TOO_LATE, ...fc.sample(sorting, { seed: 7, numRuns: 40 })];
  const right = cases.map(byTypeScript);

  test.each<[string, (rig: NicRig) => void]>([
    ['whose line is busy at first', double(FREE_AT, () => 1)],
    ['whose bytes take a picosecond more', double(PS_PER_BYTE, (ps) => ps + 1)],
    ['that counts the gap into the arrival', double(LAG, (ps) => ps + 12 * 80)],
    ['that is a picosecond late', double(LAG, (ps) => ps + 1)],
    ['whose line ends a picosecond late', double(END, (end) => end + 1)],
    ['whose line never ends', double(END, () => Infinity)],
    [
      'that takes each lane for the one behind it',
      (rig) => void (rig.mem.words[(blockOf(rig) + LANES) >> 2]! += LANE_BYTES),
    ],
    [
      'for which lanes have room without end',
      ({ nic: { port }, mem }) => {
        const { makeTo } = port;
        port.makeTo = (now) => {
          for (const { block } of port.lanes) mem.words[(block + LANE_LIMIT) >> 2] = 1e6;
          makeTo.call(port, now);
        };
      },
    ],
  ])('%s', (_, prepare) => {
    const differs = cases.some((c, i) => {
      try {
        return JSON.stringify(lanesOf(c, prepare)) !== JSON.stringify(right[i]);
      } catch {
        return true;
      }
    });
    expect(differs).toBe(true);
  });
});
