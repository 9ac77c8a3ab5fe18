/**
 * DIM's decisions, window by window. Expected profiles are worked out by hand from the rules of
 * net_dim_decision: better goes on, anything else turns, a top is parked on.
 */
import { describe, expect, test } from 'vitest';
import { PS_PER_MS } from '../../src/host/clock.ts';
import {
  DIM_GOING_LEFT,
  DIM_GOING_RIGHT,
  DIM_PARKING_ON_TOP,
  DIM_PARKING_TIRED,
  Dim,
  netDim,
  netDimGetModeration,
} from '../../src/stack/netDim.ts';

/** A ring whose windows of 64 interrupts each take a millisecond unless said otherwise. */
class Windows {
  readonly dim: Dim = new Dim();
  private at = 0;
  private events = 0;
  private packets = 0;
  private bytes = 0;

  constructor() {
    this.sample();
  }

  private sample(): boolean {
    return netDim(this.dim, this.at, this.events & 0xffff, this.packets, this.bytes);
  }

  /** One window. @returns profile and state behind it */
  pass(packets: number, bytes: number = packets * 100, ms: number = 1): [number, number] {
    this.at += ms * PS_PER_MS;
    this.events += 64;
    this.packets += packets;
    this.bytes += bytes;
    if (this.sample()) {
      this.dim.applied();
      this.sample();
    }
    return [this.dim.profileIx, this.dim.tuneState];
  }
}

describe('DIM', () => {
  test('has five profiles for timers that start with the event', () => {
    const dim = new Dim();
    const usecs = [0, 1, 2, 3, 4].map((ix) => {
      dim.profileIx = ix;
      return netDimGetModeration(dim);
    });
    expect(usecs.map(({ usec }) => usec)).toEqual([1, 8, 64, 128, 256]);
    expect(usecs.every(({ pkts }) => pkts === 256)).toBe(true);
  });

  test('leaves the first profile with the first traffic, and goes on while it gets better', () => {
    const w = new Windows();
    expect(w.pass(1000)).toEqual([1, DIM_GOING_RIGHT]);
    expect(w.pass(1200)).toEqual([2, DIM_GOING_RIGHT]);
    expect(w.pass(1400)).toEqual([3, DIM_GOING_RIGHT]);
    expect(w.pass(1600)).toEqual([4, DIM_GOING_RIGHT]);
    expect(w.pass(1800)).toEqual([4, DIM_PARKING_ON_TOP]); // the edge
  });

  test('turns when it got worse, and parks on the top it has passed', () => {
    const w = new Windows();
    w.pass(1000);
    expect(w.pass(1200)).toEqual([2, DIM_GOING_RIGHT]);
    expect(w.pass(1000)).toEqual([1, DIM_GOING_LEFT]);
    expect(w.pass(1200)).toEqual([1, DIM_PARKING_ON_TOP]);
    expect(w.pass(1200)).toEqual([1, DIM_PARKING_ON_TOP]);
  });

  test('stays parked within ten per cent of the window that led there, and leaves beyond', () => {
    const w = new Windows();
    for (const packets of [1000, 1200, 1000, 1200]) w.pass(packets);
    expect(w.pass(1320)).toEqual([1, DIM_PARKING_ON_TOP]);
    expect(w.pass(1090)).toEqual([1, DIM_PARKING_ON_TOP]);
    expect(w.pass(1332)).toEqual([0, DIM_GOING_LEFT]); // 11 per cent
  });

  test('compares packets where bytes are equal, and interrupts where both are: fewer are better', () => {
    const packets = new Windows();
    packets.pass(1000, 100_000);
    expect(packets.pass(1500, 100_000)).toEqual([2, DIM_GOING_RIGHT]);
    const events = new Windows();
    events.pass(1000, 100_000);
    // 64 interrupts in twice the time, at the same rates
    expect(events.pass(2000, 200_000, 2)).toEqual([2, DIM_GOING_RIGHT]);
    expect(events.pass(1000, 100_000, 1)).toEqual([1, DIM_GOING_LEFT]);
  });

  test('tires after ten steps that led nowhere, and rests for as many windows', () => {
    const w = new Windows();
    for (let step = 1; step <= 10; step++) {
      expect(w.pass(1000)).toEqual([step % 2, step % 2 === 1 ? DIM_GOING_RIGHT : DIM_GOING_LEFT]);
    }
    expect(w.pass(1000)).toEqual([0, DIM_PARKING_TIRED]);
    for (let rest = 1; rest < 10; rest++) expect(w.pass(5000)).toEqual([0, DIM_PARKING_TIRED]);
    expect(w.pass(5000)).toEqual([1, DIM_GOING_RIGHT]);
  });

  test('decides only after 64 interrupts, counted as 16 bits', () => {
    const dim = new Dim();
    netDim(dim, 0, 0xffff, 0, 0);
    expect(netDim(dim, PS_PER_MS, 62, 1000, 100_000)).toBe(false);
    expect(dim.profileIx).toBe(0);
    expect(netDim(dim, 2 * PS_PER_MS, 63, 1000, 100_000)).toBe(true);
    expect(dim.profileIx).toBe(1);
  });

  test('counts packets and bytes as 32 bits', () => {
    const dim = new Dim();
    netDim(dim, 0, 0, 0xffff_fff0, 0xffff_ff00);
    netDim(dim, PS_PER_MS, 64, 0x1_0000_0010, 0x1_0000_0100);
    expect(dim.prevStats).toEqual({ ppms: 32, bpms: 512, epms: 64 });
  });

  test('waits for a new profile to be programmed', () => {
    const dim = new Dim();
    netDim(dim, 0, 0, 0, 0);
    expect(netDim(dim, PS_PER_MS, 64, 1000, 100_000)).toBe(true);
    expect(netDim(dim, 2 * PS_PER_MS, 128, 9000, 900_000)).toBe(false);
    expect(dim.profileIx).toBe(1);
  });
});
