/**
 * `npm run bench -- verifier`: how long programs take to verify, ours next to the kernel's own
 * `verification time`: every object of `examples/bpf` and `test/bpf`, and a loop of 250,000
 * instructions. Processor time, the least of the rounds after one to warm up; the kernel gives wall time.
 */
import { cpus } from 'node:os';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { REGS, asm, assemble } from '../src/xdp/isa/asm.ts';
import type { Insn } from '../src/xdp/isa/insn.ts';
import { collectionMapMemory } from '../src/xdp/loader/createMaps.ts';
import type { BpfProgramImage } from '../src/xdp/loader/image.ts';
import { loadCollection } from '../src/xdp/loader/load.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';
import { verify } from '../src/xdp/verifier/verify.ts';
import { askKernel, oracleAbsent } from '../test/oracle/oracle.ts';

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

function objectRows(path: string, rounds: number): Row[] {
  const rows: Row[] = [];
  const spec = parseElf(new Uint8Array(readFileSync(`${ROOT}${path}`)), { file: path });
  const bpf = standaloneBpf({ mapBytes: collectionMapMemory(spec, 1) });
  loadCollection(spec, bpf, {
    engine: () => NEVER_RUN,
    verify(image) {
      const program = `${path.slice(path.lastIndexOf('/') + 1, -2)} ${image.name}`;
      const measured = timed(rounds, () => verify(image, bpf).processed);
      rows.push({ program, ...measured, kernelMs: null });
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
  return { program: 'a loop', ...measured, kernelMs: kernelMs(insns, rounds) };
}

function kernelMs(insns: readonly Insn[], rounds: number): number | null {
  if (oracleAbsent() !== null) return null;
  const one = { name: 'loop', insns, logLevel: BPF_LOG_STATS };
  const { answers } = askKernel(Array.from({ length: rounds + 1 }, () => one));
  const times = answers.map(({ log }) => Number(/verification time (\d+) usec/.exec(log)?.[1]));
  return Math.min(...times) / 1000;
}

export function verifier(rounds: number, asJson: boolean): void {
  const paths = ['examples/bpf/', 'test/bpf/'].flatMap((dir) =>
    readdirSync(`${ROOT}${dir}`)
      .filter((name) => name.endsWith('.o'))
      .map((name) => `${dir}${name}`),
  );
  const rows = paths.flatMap((path) => objectRows(path, rounds));
  const sorted = rows.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const medianMs = sorted[sorted.length >> 1]!;
  const big = bigRow(rounds);
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ medianMs, big, rows, cpus: cpus().length })}\n`);
    return;
  }
  const line = ({ program, processed, firstMs, ms, kernelMs: theirs }: Row): string =>
    `${program.padEnd(34)}${String(processed).padStart(9)}${firstMs.toFixed(1).padStart(10)}` +
    `${ms.toFixed(2).padStart(10)}${(theirs?.toFixed(1) ?? '').padStart(10)}`;
  const longest = rows.toSorted((a, b) => b.ms - a.ms).slice(0, 8);
  process.stdout.write(
    [
      `${'program'.padEnd(34)}processed  first ms     ms    kernel ms`,
      ...[...longest, big].map(line),
      `median of ${rows.length} programs: ${medianMs.toFixed(2)} ms`,
      '',
    ].join('\n'),
  );
}
