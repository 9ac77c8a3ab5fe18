/**
 * `npm run bench -- verifier`: how long programs take to verify, ours next to the kernel's own
 * `verification time`: every object of `examples/bpf` and `test/bpf`, the 594 of `test/bpf/verifier`
 * (where the kernel can be asked: of these the programs that take it a millisecond or more), Debian's
 * if they are installed, and a loop of 250,000 instructions. Processor time: the first, and the least
 * of the rounds after it; the kernel gives wall time, the least of three.
 */
import { cpus } from 'node:os';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REGS, asm, assemble } from '../src/xdp/isa/asm.ts';
import type { Insn } from '../src/xdp/isa/insn.ts';
import { collectionMapMemory } from '../src/xdp/loader/createMaps.ts';
import { describedMaps } from '../src/xdp/loader/describedMaps.ts';
import type { BpfProgramImage } from '../src/xdp/loader/image.ts';
import { loadCollection } from '../src/xdp/loader/load.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';
import { verify } from '../src/xdp/verifier/verify.ts';
import { askKernel, oracleAbsent } from '../test/oracle/oracle.ts';
import type { ObjectJudge } from '../test/oracle/verifierPrograms.ts';
import { programBytes, programObjects, withObjectJudge } from '../test/oracle/verifierPrograms.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NEVER_RUN = { run: () => 0, r0Hi: 0 };
const BPF_LOG_STATS = 4;
const BIG_TURNS = 83_333;

interface Row {
  readonly program: string;
  readonly processed: number;
  readonly firstMs: number;
  readonly ms: number;
  readonly kernelMs: number | null;
}

/** Three instructions a turn. */
function bigLoop(): Insn[] {
  const [R0, R1] = [REGS[0]!, REGS[1]!];
  return assemble([
    asm.mov(R0, 0),
    asm.label('turn'),
    asm.add(R0, 1),
    asm.mov(R1, R0),
    asm.jlt(R0, BIG_TURNS, 'turn'),
    asm.exit(),
  ]);
}

/** Of the first time, and the least of the others. */
function timed(rounds: number, what: () => number): Omit<Row, 'program' | 'kernelMs'> {
  const times: number[] = [];
  let processed = 0;
  for (let i = 0; i <= rounds; i++) {
    const start = process.cpuUsage();
    processed = what();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  return { processed, firstMs: times[0]!, ms: Math.min(...times.slice(1)) };
}

/** Programs that the kernel verifies faster say little about speed. */
const SLOW_KERNEL_MS = 1;
const KERNEL_ROUNDS = 3;
const DEBIAN = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/bpf/`;

const verificationMs = (log: string): number =>
  Number(/verification time (\d+) usec/.exec(log)?.[1]) / 1000;

interface Measured {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** By program; empty where there is no kernel to ask. */
  readonly kernelMs: ReadonlyMap<string, number>;
}

/** One look at each program, more at those that are slow. */
function askTimes(judge: ObjectJudge, bytes: Uint8Array): Map<string, number> {
  const times = new Map<string, number>();
  for (let round = 0; round < KERNEL_ROUNDS; round++) {
    for (const { name, log } of judge(bytes, BPF_LOG_STATS))
      times.set(name, Math.min(times.get(name) ?? Infinity, verificationMs(log)));
    if (Math.max(...times.values()) < SLOW_KERNEL_MS) break;
  }
  return times;
}

const filesIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.o'))
    .map((name) => dir + name);

function measuredObjects(): { all: Measured[]; slow: Measured[] } {
  const own = ['examples/bpf/', 'test/bpf/'].flatMap((dir) => filesIn(ROOT + dir));
  const files = [...own, ...(existsSync(DEBIAN) ? filesIn(DEBIAN) : [])].map((path) => ({
    name: basename(path, '.o'),
    bytes: new Uint8Array(readFileSync(path)),
  }));
  if (oracleAbsent() !== null)
    return {
      all: files.map((file) => ({ ...file, kernelMs: new Map<string, number>() })),
      slow: [],
    };
  const many = programObjects().map((name) => ({
    name: basename(name, '.o'),
    bytes: programBytes(name),
  }));
  return withObjectJudge((judge) => {
    const asked = (file: Omit<Measured, 'kernelMs'>): Measured => ({
      ...file,
      kernelMs: askTimes(judge, file.bytes),
    });
    const isSlow = ({ kernelMs }: Measured): boolean =>
      Math.max(...kernelMs.values()) >= SLOW_KERNEL_MS;
    return { all: files.map(asked), slow: many.map(asked).filter(isSlow) };
  });
}

/** @param least of the kernel's time for a program to be measured */
function objectRows({ name, bytes, kernelMs }: Measured, rounds: number, least: number): Row[] {
  const rows: Row[] = [];
  const spec = parseElf(bytes, { file: name });
  const bpf = standaloneBpf({ mapBytes: collectionMapMemory(spec, 1) });
  loadCollection(spec, bpf, {
    maps: describedMaps(spec, bpf),
    engine: () => NEVER_RUN,
    hasKfunc: () => true,
    verify(image) {
      const theirs = kernelMs.get(image.name) ?? null;
      if ((theirs ?? 0) < least) return image;
      const measured = timed(rounds, () => verify(image, bpf, { logLevel: 0 }).processed);
      rows.push({ program: `${name} ${image.name}`, ...measured, kernelMs: theirs });
      return image;
    },
  });
  return rows;
}

function bigRow(rounds: number): Row {
  const insns = bigLoop();
  const bpf = standaloneBpf();
  const image: BpfProgramImage = {
    ...{ name: 'loop', type: 6, attachType: 0, frags: false, gpl: true, insns, maps: [] },
    ...{ kfuncs: [], funcInfo: [], lineInfo: [], btf: null },
  };
  const measured = timed(rounds, () => verify(image, bpf).processed);
  return { program: 'a loop', ...measured, kernelMs: loopKernelMs(insns, KERNEL_ROUNDS) };
}

function loopKernelMs(insns: readonly Insn[], rounds: number): number | null {
  if (oracleAbsent() !== null) return null;
  const one = { name: 'loop', insns, logLevel: BPF_LOG_STATS };
  const { answers } = askKernel(Array.from({ length: rounds + 1 }, () => one));
  return Math.min(...answers.map(({ log }) => verificationMs(log)));
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

const ratioOf = ({ ms, kernelMs: theirs }: Row): number => ms / theirs!;

function rowText(row: Row): string {
  const { program, processed, firstMs, ms, kernelMs: theirs } = row;
  const kernel =
    theirs === null
      ? ''
      : `${theirs.toFixed(2).padStart(11)}${ratioOf(row).toFixed(1).padStart(8)}`;
  return (
    `${program.padEnd(44)}${String(processed).padStart(9)}${firstMs.toFixed(1).padStart(10)}` +
    `${ms.toFixed(2).padStart(10)}${kernel}`
  );
}

export function verifier(rounds: number, asJson: boolean): void {
  const objects = measuredObjects();
  const rows = objects.all.flatMap((object) => objectRows(object, rounds, 0));
  const slowRows = objects.slow.flatMap((object) => objectRows(object, rounds, SLOW_KERNEL_MS));
  const medianMs = median(rows.map(({ ms }) => ms));
  const big = bigRow(rounds);
  const compared = [...rows, ...slowRows, big].filter(
    (row) => (row.kernelMs ?? 0) >= SLOW_KERNEL_MS,
  );
  const ratios = compared.map(ratioOf);
  const summary = { worst: Math.max(...ratios), median: median(ratios), count: ratios.length };
  if (asJson) {
    const all = {
      medianMs,
      ratios: summary,
      big,
      rows: [...rows, ...slowRows],
      cpus: cpus().length,
    };
    process.stdout.write(`${JSON.stringify(all)}\n`);
    return;
  }
  const longest = rows.toSorted((a, b) => b.ms - a.ms).slice(0, 8);
  const worst = slowRows.toSorted((a, b) => ratioOf(b) - ratioOf(a)).slice(0, 12);
  const known = summary.count > 0;
  process.stdout.write(
    [
      `${'program'.padEnd(44)}processed  first ms        ms  kernel ms   ratio`,
      ...[...longest, ...worst, big].map(rowText),
      `median of ${rows.length} programs: ${medianMs.toFixed(2)} ms`,
      ...(known
        ? [
            `${summary.count} programs of ${SLOW_KERNEL_MS} ms or more to the kernel: ` +
              `at worst ${summary.worst.toFixed(1)} times its time, median ${summary.median.toFixed(1)}`,
          ]
        : []),
      '',
    ].join('\n'),
  );
}
