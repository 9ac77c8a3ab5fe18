/** Adaptive RX in a whole machine: where DIM goes under load, and what the NIC is told. */
import { describe, expect, test } from 'vitest';
import { PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import type { Ps } from '../../src/host/clock.ts';
import { bnxtSetCoalesce } from '../../src/driver/bnxt/coal.ts';
import type { Machine } from '../../src/machine.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from '../../src/wire/frames.ts';
import { BLOCK } from '../../src/wire/frames.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { XDP_DROP } from '../../src/xdp/uapi.ts';
import { udpFrame } from '../driver/bnxt/rig.ts';
import { oneNic } from './oneNic.ts';

const drop = defineXdp(() => XDP_DROP, { name: 'drop' });

const adaptive = (traffic: string): Machine =>
  oneNic({ xdp: drop, count: 1_000_000, traffic, nic: { adaptiveRx: true } });

/** Share of [from, to) that the ring spends on each profile, looked at every 50 us. */
function profiles(machine: Machine, from: Ps, to: Ps): number[] {
  const seen = [0, 0, 0, 0, 0];
  const step = 50 * PS_PER_US;
  for (let at = from; at < to; at += step) {
    machine.run(at);
    const ix = machine.nics[0]!.bp.bnapi[0]!.cpRing.dim.profileIx;
    seen[ix]! += step / (to - from);
  }
  return seen;
}

const mean = (shares: readonly number[]): number =>
  shares.reduce((sum, share, ix) => sum + share * ix, 0);

/** One frame over and over, at a rate of its own in each phase. */
class Phases implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly phases: readonly (readonly [untilMs: number, gapNs: number])[];
  private readonly frame: number;
  private at: Ps = 0;

  constructor(frames: FrameTable, phases: readonly (readonly [number, number])[]) {
    this.frames = frames;
    this.phases = phases;
    this.frame = frames.add(udpFrame());
  }

  fill(block: ArrivalBlock): void {
    block.count = 0;
    while (block.count < BLOCK) {
      const phase = this.phases.find(([untilMs]) => this.at < untilMs * PS_PER_MS);
      if (phase === undefined) return;
      block.at[block.count] = this.at;
      block.frame[block.count++] = this.frame;
      this.at += phase[1] * 1000;
    }
  }
}

describe('adaptive RX', () => {
  test('stays with short timers while interrupts bring one packet each', () => {
    // at 50 us between packets neither 1 us nor 8 us gathers anything: nothing gets better
    const shares = profiles(adaptive('rate=20kpps'), 4 * PS_PER_MS, 60 * PS_PER_MS);
    expect(shares[0]! + shares[1]!).toBeCloseTo(1, 6);
  });

  test('climbs to long timers where they save interrupts', () => {
    const few = adaptive('rate=1Mpps');
    const fixed = oneNic({ xdp: drop, count: 1_000_000, traffic: 'rate=1Mpps' });
    const shares = profiles(few, 10 * PS_PER_MS, 40 * PS_PER_MS);
    expect(shares[2]! + shares[3]! + shares[4]!).toBeCloseTo(1, 6);
    fixed.run(40 * PS_PER_MS);
    // 64 frames an interrupt at the most, where rx-usecs 10 gathers about ten
    const irqs = (machine: Machine): number => machine.result().napi[0]!.irqs;
    expect(irqs(few)).toBeLessThan(irqs(fixed) / 3);
  });

  test('moves down with the load, and up again', () => {
    const phases = [
      [30, 1000],
      [330, 200_000],
      [380, 1000],
    ] as const;
    const source = (frames: FrameTable): ArrivalSource => new Phases(frames, phases);
    const machine = oneNic({ xdp: drop, count: 1, source, nic: { adaptiveRx: true } });
    const busy = mean(profiles(machine, 10 * PS_PER_MS, 30 * PS_PER_MS));
    const quiet = mean(profiles(machine, 200 * PS_PER_MS, 330 * PS_PER_MS));
    const again = mean(profiles(machine, 345 * PS_PER_MS, 380 * PS_PER_MS));
    expect(busy).toBeGreaterThanOrEqual(2);
    expect(quiet).toBeLessThan(busy - 0.5);
    expect(again).toBeGreaterThan(quiet + 0.5);
  });

  test('programs its own ring only, with records limited as all are', () => {
    const machine = oneNic({
      xdp: drop,
      count: 100_000,
      nic: { adaptiveRx: true, queues: 2, irqAffinity: [0] },
      traffic: 'rate=1Mpps flows=1',
    });
    machine.run(PS_PER_MS);
    const [nic] = machine.nics;
    const moved = nic!.bp.bnapi.map(({ cpRing }) => cpRing.dim.profileIx);
    expect(moved.toSorted()).toEqual([0, 0, 0, 1]);
    const told = nic!.nic.completionRings.slice(0, 2).map((cp) => [cp.coalRecords, cp.coalTimerPs]);
    const busy = moved.indexOf(1);
    // profile 1 is 8 us, 100 ticks of 80 ns, and 256 records, cut to twice the 64 of a poll
    expect(told[busy]).toEqual([128, 8 * PS_PER_US]);
    expect(told[1 - busy]).toEqual([30, 10 * PS_PER_US]);
  });

  test('that is switched off gives every ring its own settings back', () => {
    const machine = adaptive('rate=1Mpps');
    machine.run(20 * PS_PER_MS);
    const { bp, nic } = machine.nics[0]!;
    expect(nic.completionRings[0]!.coalTimerPs).toBeGreaterThan(10 * PS_PER_US);
    bnxtSetCoalesce(bp, { adaptiveRx: false, rxUsecs: 99 });
    // as read, the same command's other values are ignored then
    expect(nic.completionRings[0]!.coalTimerPs).toBe(10 * PS_PER_US);
    expect(bp.rxCoal.coalTicks).toBe(10);
    bnxtSetCoalesce(bp, { rxUsecs: 99, rxFrames: 7 });
    expect(nic.completionRings[0]!.coalRecords).toBe(14);
    const dim = machine.result().napi[0]!.dim!;
    expect(dim.profile).toBeNull();
    expect(dim.up).toBeGreaterThan(0);
  });

  test('is told of: its moves, and the time with each profile', () => {
    const machine = adaptive('rate=1Mpps');
    // a look every 50 us, from outside, is off by no more than that for each of the moves
    const seen = profiles(machine, 0, 20 * PS_PER_MS);
    const { napi, settled } = machine.result();
    const { profile, up, down, spent, profiles: list } = napi[0]!.dim!;
    expect(list.map(({ usec }) => usec)).toEqual([1, 8, 64, 128, 256]);
    expect(profile).toBe(machine.nics[0]!.bp.bnapi[0]!.cpRing.dim.profileIx);
    expect(up - down).toBe(profile); // it began at the first
    expect(up + down).toBeGreaterThanOrEqual(3);
    expect(spent.reduce((sum, ps) => sum + ps, 0)).toBe(settled.ps);
    const [asSet, ...each] = spent;
    expect(asSet).toBeGreaterThan(64 * PS_PER_US); // 64 interrupts, a packet a microsecond
    each.forEach((ps, ix) => {
      const told = ix === 0 ? ps + asSet! : ps; // it stands at the first before it moves
      const slack = (50 * PS_PER_US * (up + down + 1)) / (20 * PS_PER_MS);
      expect(Math.abs(told / (20 * PS_PER_MS) - seen[ix]!)).toBeLessThan(slack);
    });
    const off = oneNic({ xdp: drop, count: 10, traffic: 'rate=1Mpps' });
    off.run(PS_PER_MS);
    expect(off.result().napi[0]!.dim).toBeNull();
  });
});
