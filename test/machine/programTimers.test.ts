/** Timers of programs that start themselves again: they look at the right clock, and a run still ends. */
import { expect, test } from 'vitest';
import { END_OF_TIME, PS_PER_US } from '../../src/host/clock.ts';
import type { Machine } from '../../src/machine.ts';
import type { Bpf } from '../../src/xdp/bpf.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { HELPERS } from '../../src/xdp/helpers/table.ts';
import { createMap } from '../../src/xdp/maps/createMap.ts';
import { BPF_MAP_TYPE_ARRAY } from '../../src/xdp/maps/uapi.ts';
import { XDP_DROP } from '../../src/xdp/uapi.ts';
import { oneNic } from './oneNic.ts';

const called = (bpf: Bpf, name: string, ...args: number[]): number => {
  const [a1 = 0, a2 = 0, a3 = 0] = args;
  return HELPERS.find((known) => known?.name === name)!.call(bpf, a1, a2, a3, 0, 0);
};

interface Given {
  readonly everyNs: number;
  readonly count: number;
  readonly eager?: boolean;
  readonly sampled?: boolean;
}

/** A machine at 1 Mpps whose first packet starts a timer; its callback notes the time and starts it again. */
function restarting({ everyNs, count, eager = false, sampled = false }: Given): {
  readonly machine: Machine;
  readonly rang: number[];
} {
  const rang: number[] = [];
  let packets = 0;
  const start = (): void => {
    const { bpf } = machine.xdp;
    const def = { name: 'timers', type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 16 };
    const special = [{ kind: 'timer', at: 0, bytes: 16 } as const];
    const map = createMap(bpf, { ...def, maxEntries: 1, flags: 0, special });
    const value = map.inline!.at;
    const again = (): number => called(bpf, 'bpf_timer_start', value, everyNs);
    bpf.engine = {
      call() {
        rang.push(called(bpf, 'bpf_ktime_get_ns'));
        return again();
      },
    };
    called(bpf, 'bpf_timer_init', value, map.handle, 1);
    called(bpf, 'bpf_timer_set_callback', value, 1);
    again();
    bpf.engine = null;
  };
  const xdp = defineXdp(() => {
    if (packets++ === 0) start();
    return XDP_DROP;
  });
  const machine = oneNic({
    xdp,
    count,
    machine: { eager, ...(sampled && { samplePs: PS_PER_US }) },
  });
  return { machine, rang };
}

/** To the nanosecond on a CPU that idles; one that polls has its clock at the end of its poll. */
function apart(rang: readonly number[], ns: number): void {
  const gaps = rang.slice(1).map((at, i) => at - rang[i]!);
  expect(Math.min(...gaps)).toBe(ns);
  expect(Math.max(...gaps)).toBeLessThan(ns + 4000);
  expect(gaps.filter((gap) => gap === ns).length).toBeGreaterThan(gaps.length / 2);
}

test.each([{}, { eager: true }, { sampled: true }])(
  'as often as it says until the last packet is dealt with, and once more: %j',
  (how) => {
    const { machine, rang } = restarting({ everyNs: 700, count: 50, ...how });
    machine.run(END_OF_TIME);
    apart(rang, 1000);
    // packets come for 49 us, interrupts wait for 10 us or 15 packets
    expect(rang.at(-1)! - rang[0]!).toBeGreaterThan(30_000);
    expect(rang.at(-1)! - rang[0]!).toBeLessThan(65_000);
    expect(machine.result().nics[0]!.fates.xdpDrop).toBe(50);
  },
);

test('a longer period is kept on a CPU that idles between packets', () => {
  const { machine, rang } = restarting({ everyNs: 7123, count: 200 });
  machine.run(END_OF_TIME);
  expect(rang.length).toBeGreaterThan(25);
  apart(rang, 7123);
});

test('without an end of its own a bounded run goes on ringing', () => {
  const { machine, rang } = restarting({ everyNs: 5000, count: 1 });
  machine.run(1000 * PS_PER_US);
  expect(rang.length).toBeGreaterThan(190);
  const before = rang.length;
  machine.run(END_OF_TIME);
  expect(rang.length).toBe(before + 1);
});
