/**
 * The history of a run: everything of it that anybody outside the NIC can see, as numbers.
 *
 * Two paces must agree on every one: interrupts, doorbells (and the completions they acknowledge,
 * byte by byte), frames on the wire and up the stack, each frame's acceptance or loss with its
 * time, every trace point, the books, and all of host memory at the end but for the NICs' own.
 */
import { END_OF_TIME, PS_PER_NS } from '../../src/host/clock.ts';
import type { Cpu } from '../../src/host/cpu.ts';
import type { HostAddr, HostMemory } from '../../src/host/memory.ts';
import { TRACE_POINTS } from '../../src/host/trace.ts';
import type { MachinePace } from '../../src/machine.ts';
import { Machine } from '../../src/machine.ts';
import { CompletionRing } from '../../src/nic/completionRing.ts';
import { devClose, devOpen } from '../../src/stack/netdevice.ts';
import { dbIndex } from '../../src/nic/hsi/doorbell.ts';
import { FrameTable } from '../../src/wire/frames.ts';
import { Answers } from './caseAnswers.ts';
import type { Case } from './cases.ts';
import { machineConfig } from './cases.ts';
import { programOf } from './casePrograms.ts';
import { CaseArrivals, caseFrames } from './caseTraffic.ts';

/** Streams of numbers by name; each in an order that does not depend on when the NIC was asked. */
export type History = Readonly<Record<string, readonly number[]>>;

export type PaceMaker = (cpus: readonly Cpu[]) => MachinePace;

interface Streams {
  irqs: number[];
  doorbells: number[];
  wire: number[][];
  passed: number[];
  coalescing: number[];
}

const LEVEL_PER_PACKET = 3;

/**
 * Build the case's machine with `pace`, run it to its end, close it.
 *
 * @param watched false: without trace points and wire taps, since a NIC that nobody watches works
 *   in bulk; streams that come from these are then missing
 */
export function historyOf(c: Case, pace: PaceMaker, watched: boolean = true): History {
  const { machine, streams } = build(c, pace, watched);
  for (const ns of c.pausesNs.toSorted((a, b) => a - b)) machine.run(ns * PS_PER_NS);
  machine.run(END_OF_TIME);
  const books = booksOf(machine);
  const seen = machine.mem.regions.filter(
    ({ name }) => !/^(chip|records|walks|redirects)/.test(name),
  );
  const memory = seen.map(({ at, bytes }) => digest(machine.mem, at, bytes));
  machine.close();
  return {
    irqs: streams.irqs,
    doorbells: streams.doorbells,
    passed: streams.passed,
    coalescing: streams.coalescing,
    ...(watched ? seenInside(machine, streams) : {}),
    timeline: timelineOf(machine),
    books,
    memory,
    closed: booksOf(machine),
  };
}

function build(c: Case, pace: PaceMaker, watched: boolean): { machine: Machine; streams: Streams } {
  const lengths = c.nics.flatMap((n, i) =>
    Object.values(caseFrames(n.traffic, i)).flatMap((frames) => frames.map((f) => f.length)),
  );
  const machine = new Machine(machineConfig(c), FrameTable.bytesFor(lengths), pace);
  const wire = c.nics.map((): number[] => []);
  const streams: Streams = { irqs: [], doorbells: [], wire, passed: [], coalescing: [] };
  if (c.fault !== undefined) machine.faults.arm(c.fault.point, c.fault.after, c.fault.every);
  if (watched) {
    // who polls for nothing leaves traces too
    const idle = c.app === undefined ? 0 : 200_000;
    const records = idle + 40 * c.nics.reduce((n, x) => n + x.traffic.count, 400);
    machine.trace.start(records, LEVEL_PER_PACKET);
    machine.watch.refresh();
  }
  watchIrqs(machine, streams.irqs);
  watchDoorbells(machine, streams.doorbells);
  watchCoalescing(machine, streams.coalescing);
  if (watched) {
    machine.watchWire({
      frame: (port, time, at, len) =>
        streams.wire[port]!.push(time, len, digest(machine.mem, at, len)),
    });
  }
  machine.watchPassed({
    frame: (port, time, at, len) =>
      streams.passed.push(port, time, len, digest(machine.mem, at, len)),
  });
  if ((c.answerEvery ?? 0) > 0) machine.net.addTap(new Answers(machine.mem, c.answerEvery!));
  if (c.downNs !== undefined) {
    const { dev } = machine.nics.at(-1)!.bp;
    machine.at(c.downNs[0] * PS_PER_NS, () => devClose(dev));
    machine.at(c.downNs[1] * PS_PER_NS, () => void devOpen(dev));
  }
  c.nics.forEach((n, i) => {
    machine.attachXdp(i, programOf(n.program));
    if (n.traffic.count > 0) machine.offer(i, new CaseArrivals(c, i, machine.frames));
  });
  return { machine, streams };
}

function watchIrqs(machine: Machine, log: number[]): void {
  const { irqs } = machine;
  const lines = machine.nics.flatMap((n) => n.vectors);
  const take = irqs.take.bind(irqs);
  irqs.take = () => {
    const at = irqs.nextAt();
    const line = take();
    log.push(lines.indexOf(line), at, line.cpu.now);
    return line;
  };
}

/** What the firmware is told of a ring's interrupts while the machine runs. */
function watchCoalescing(machine: Machine, log: number[]): void {
  for (const { bp } of machine.nics) {
    const { hwrm } = bp.pdev;
    const told = hwrm.ringCmplRingCfgAggintParams.bind(hwrm);
    hwrm.ringCmplRingCfgAggintParams = (req, now) => {
      if (now > 0) log.push(req.ringId, req.numCmplAggrInt, req.intLatTmrMax, now);
      told(req, now);
    };
  }
}

/** A completion-ring doorbell comes with a digest of the records that the driver says it has read. */
function watchDoorbells(machine: Machine, log: number[]): void {
  machine.nics.forEach(({ nic }, i) => {
    const doorbell = nic.doorbell.bind(nic);
    nic.doorbell = (offset, lo, hi, now, cpu) => {
      const bell = nic.bellAt(offset, hi);
      const read = bell instanceof CompletionRing ? readRecords(machine.mem, bell, lo) : 0;
      log.push(i, offset + hi, lo, now, cpu.id, read);
      doorbell(offset, lo, hi, now, cpu);
    };
  });
}

function readRecords(mem: HostMemory, cp: CompletionRing, lo: number): number {
  const records = (dbIndex(lo) - cp.cons) & cp.mask;
  let sum = records;
  for (let i = 0; i < records; i++) sum = mix(sum, digest(mem, cp.slotAt(cp.cons + i), 16));
  return sum;
}

const mix = (sum: number, value: number): number => {
  const x = Math.imul(sum ^ value, 0x01000193);
  return x ^ (x >>> 15);
};

/** Of `len` bytes from a word boundary on, or of single bytes elsewhere. */
function digest(mem: HostMemory, at: HostAddr, len: number): number {
  let sum = len;
  let i = at;
  const end = at + len;
  if ((at & 3) === 0) {
    const { words } = mem;
    for (const last = end >> 2; i >> 2 < last; i += 4) {
      const x = Math.imul(sum ^ words[i >> 2]!, 0x01000193);
      sum = x ^ (x >>> 15);
    }
  }
  for (; i < end; i++) sum = mix(sum, mem.u8[i]!);
  return sum;
}

function seenInside(machine: Machine, { wire }: Streams): History {
  const frames = Object.fromEntries(wire.map((sent, port) => [`wire ${port}`, sent]));
  return { ...frames, ...traces(machine) };
}

/** What CPUs did, in the order they did it; what NICs did, in the order of time. */
function traces(machine: Machine): { cpuTrace: number[]; nicTrace: number[] } {
  if (machine.trace.lost > 0) throw new Error(`${machine.trace.lost} trace records lost`);
  const cpuTrace: number[] = [];
  const nic: number[][] = [];
  for (const { point, at, cpu, args } of machine.trace.records()) {
    const record = [at, TRACE_POINTS.indexOf(point), cpu, ...args];
    if (cpu < 0) nic.push(record);
    else cpuTrace.push(...record);
  }
  nic.sort(byNumbers);
  return { cpuTrace, nicTrace: nic.flat() };
}

function byNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Every number in the machine's result, in the order of its keys. */
function booksOf(machine: Machine): number[] {
  const numbers: number[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'number') numbers.push(value);
    else if (typeof value === 'object' && value !== null) {
      if (ArrayBuffer.isView(value)) numbers.push(...(value as Float64Array));
      else Object.values(value).forEach(collect);
    }
  };
  const result = machine.result();
  collect({ ...result, timeline: null, cpus: result.cpus.map((cpu) => [cpu.id, cpu.spent]) });
  return numbers;
}

/** What was seen of queues and books, moment by moment. */
const timelineOf = ({ timeline }: Machine): number[] =>
  (timeline?.samples ?? []).flatMap(({ at, offered, received, lost, buffers }) => [
    ...[at, offered, received],
    ...[...lost, ...buffers],
  ]);

/** The first difference in words, or null: the histories are identical. */
export function difference(a: History, b: History): string | null {
  for (const name of Object.keys(a)) {
    const x = a[name]!;
    const y = b[name]!;
    const n = Math.max(x.length, y.length);
    for (let i = 0; i < n; i++) {
      if (x[i] !== y[i]) {
        const from = Math.max(0, i - 8);
        const show = (s: readonly number[]): string => s.slice(from, i + 8).join(' ');
        return `${name}[${i}] of ${x.length} and ${y.length}:\n  ${show(x)}\n  ${show(y)}`;
      }
    }
  }
  return null;
}
