/** Whole machines from a few numbers, run to their end in checked mode, and their books. */
import * as fc from 'fast-check';
import { END_OF_TIME, PS_PER_NS } from '../../src/host/clock.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Fates } from '../../src/host/fates.ts';
import { FAULT_POINTS } from '../../src/host/faults.ts';
import type { HostMemory } from '../../src/host/memory.ts';
import { Rng } from '../../src/host/rng.ts';
import { Machine } from '../../src/machine.ts';
import type { NicConfig } from '../../src/machine.ts';
import type { MachineResult } from '../../src/machine/result.ts';
import type { ArrivalBlock, ArrivalSource, WireSink } from '../../src/wire/frames.ts';
import { BLOCK, FrameTable } from '../../src/wire/frames.ts';
import { fuzzFrame } from './fuzzFrames.ts';
import type { Lean } from './fuzzProgram.ts';
import { LEANS, fuzzProgram } from './fuzzProgram.ts';

export interface NicTrial {
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly mtu: number;
  readonly rxvlan: boolean;
  readonly promisc: boolean;
  readonly affinity: readonly number[];
  readonly rxUsecs: number;
  readonly rxFrames: number;
  readonly linkGbps: number;
  /** Null: no program. */
  readonly lean: Lean | null;
  readonly adjusts: number;
  /** Frames offered, and the mean distance between them. */
  readonly count: number;
  readonly gapNs: number;
}

export interface Trial {
  readonly seed: number;
  readonly cpus: number;
  readonly budget: number;
  readonly netdevBudget: number;
  readonly hz: number;
  readonly stack: boolean;
  readonly eager: boolean;
  readonly nics: readonly NicTrial[];
  readonly faults: readonly {
    readonly point: string;
    readonly after: number;
    readonly every: number;
  }[];
  /** When the first NIC's program is exchanged for another; null: never. */
  readonly exchangeUs: number | null;
}

const nicTrial: fc.Arbitrary<NicTrial> = fc.record({
  queues: fc.integer({ min: 1, max: 4 }),
  rxRing: fc.constantFrom(511, 1, 2, 3, 8, 33, 64, 255, 700),
  txRing: fc.constantFrom(511, 19, 20, 32, 64, 255),
  mtu: fc.constantFrom(1500, 68, 300, 2000, 3502),
  rxvlan: fc.boolean(),
  promisc: fc.boolean(),
  affinity: fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 4 }),
  rxUsecs: fc.constantFrom(10, 0, 1, 100),
  rxFrames: fc.constantFrom(15, 1, 2, 64),
  linkGbps: fc.constantFrom(100, 10, 1),
  lean: fc.option(fc.constantFrom(...LEANS), { freq: 6 }),
  adjusts: fc.constantFrom(0, 1, 4, 8),
  count: fc.constantFrom(0, 1, 40, 300, 700),
  gapNs: fc.constantFrom(1000, 7, 50, 200, 20_000),
});

const faultTrial = fc.record({
  point: fc.constantFrom(...FAULT_POINTS.map(({ name }) => name)),
  after: fc.nat({ max: 300 }),
  every: fc.constantFrom(Infinity, 1, 2, 7, 50),
});

export const trial: fc.Arbitrary<Trial> = fc.record({
  seed: fc.nat({ max: 2 ** 31 - 1 }),
  cpus: fc.integer({ min: 1, max: 3 }),
  budget: fc.constantFrom(64, 1, 2, 7, 256),
  netdevBudget: fc.constantFrom(300, 1, 64),
  hz: fc.constantFrom(1000, 100, 250),
  stack: fc.boolean(),
  eager: fc.boolean(),
  nics: fc.array(nicTrial, { minLength: 1, maxLength: 3 }),
  faults: fc.oneof(fc.constant([]), fc.array(faultTrial, { maxLength: 3 })),
  exchangeUs: fc.option(fc.constantFrom(1, 20, 100, 500)),
});

/** A number of runs, times what the environment asks for. */
export const runs = (of: number): number => of * Number(process.env['RINGSCOPE_RUNS'] ?? 1);
/** These tests measure nothing by the clock: they may take as long as their runs do. */
export const PATIENCE = { timeout: runs(120_000) };

/** Frames at given times, as they are. */
class Listed implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly times: readonly number[];
  private readonly first: number;
  private next = 0;

  constructor(frames: FrameTable, list: readonly Uint8Array[], times: readonly number[]) {
    this.frames = frames;
    this.first = frames.count;
    this.times = times;
    for (const bytes of list) frames.add(bytes);
  }

  fill(block: ArrivalBlock): void {
    block.count = 0;
    while (block.count < BLOCK && this.next < this.times.length) {
      block.at[block.count] = this.times[this.next]!;
      block.frame[block.count++] = this.first + this.next++;
    }
  }
}

/** Counts frames, and sums everything about them (FNV-1a), port by port. */
export class Digest implements WireSink {
  readonly frames: number[];
  readonly sums: number[];
  private readonly mem: HostMemory;

  constructor(mem: HostMemory, ports: number) {
    this.mem = mem;
    this.frames = Array.from({ length: ports }, () => 0);
    this.sums = Array.from({ length: ports }, () => 0x811c9dc5);
  }

  frame(port: number, time: number, at: number, len: number): void {
    this.frames[port]!++;
    for (const n of [time % 2 ** 32, Math.floor(time / 2 ** 32), len]) this.mix(port, n);
    for (let i = 0; i < len; i++) this.mix(port, this.mem.u8[at + i]!);
  }

  private mix(port: number, n: number): void {
    this.sums[port] = Math.imul(this.sums[port]! ^ n, 0x01000193);
  }
}

function nicConfig(nic: NicTrial, i: number, cpus: number): NicConfig {
  return {
    ...nic,
    name: `eth${i}`,
    mac: Uint8Array.of(2, 0, 0, 0, 0, i + 1),
    linkBps: nic.linkGbps * 1e9,
    txUsecs: 28,
    txFrames: 30,
    irqAffinity: nic.affinity.map((cpu) => cpu % cpus),
  };
}

export interface Built {
  readonly machine: Machine;
  readonly wire: Digest;
  readonly passed: Digest;
}

export function build(t: Trial): Built {
  const rng = new Rng(t.seed);
  const lists = t.nics.map((nic, i) => Array.from({ length: nic.count }, () => fuzzFrame(rng, i)));
  const room = FrameTable.bytesFor(lists.flat().map((bytes) => bytes.length));
  const { seed, cpus, budget, netdevBudget, hz, stack, eager } = t;
  const config = { seed, cpus, budget, netdevBudget, hz, stack, eager };
  const nics = t.nics.map((nic, i) => nicConfig(nic, i, cpus));
  const machine = new Machine({ ...config, profile: FLAT, nics, check: true }, room);
  const wire = new Digest(machine.mem, t.nics.length);
  const passed = new Digest(machine.mem, t.nics.length);
  machine.watchWire(wire);
  machine.watchPassed(passed);
  t.nics.forEach((nic, i) => {
    if (nic.lean !== null) machine.attachXdp(i, fuzzProgram(nic.lean, nic.adjusts));
    let at = 0;
    const times = lists[i]!.map(() => (at += 1 + rng.below(2 * nic.gapNs * PS_PER_NS)));
    machine.offer(i, new Listed(machine.frames, lists[i]!, times));
  });
  machine.open();
  for (const { point, after, every } of t.faults) machine.faults.arm(point, after, every);
  return { machine, wire, passed };
}

/** Run to the end, the exchange of programs on the way. */
export function runTrial(t: Trial): Built {
  const built = build(t);
  if (t.exchangeUs !== null) {
    built.machine.run(t.exchangeUs * 1e6);
    built.machine.attachXdp(0, t.seed % 3 === 0 ? null : fuzzProgram('any', 2));
  }
  built.machine.run(END_OF_TIME);
  return built;
}

export function sumOfFates(result: MachineResult): Fates {
  const sum = new Fates();
  for (const nic of result.nics) sum.add(nic.fates);
  return sum;
}

/** Everything a run reports, as text. */
export function books({ machine, wire, passed }: Built): string {
  const { nics, napi, cpus, latency, ...rest } = machine.result();
  return JSON.stringify({
    ...rest,
    nics: nics.map(({ fates, ...nic }) => ({ ...nic, fates, lost: [...fates.lost] })),
    napi,
    spent: cpus.map(({ spent }) => [...spent]),
    latency: [latency.count, latency.sumPs, latency.maxPs, latency.quantilePs(0.5)],
    wire: [wire.frames, wire.sums],
    passed: [passed.frames, passed.sums],
  });
}
