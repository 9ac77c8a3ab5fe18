/**
 * The programs of test/bpf/verifier, compiled for three instruction sets: what Linux says of them, and
 * what we say.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { verifyObject } from '../../src/lab/bpfVerify.ts';
import { parseElf } from '../../src/xdp/loader/parseElf.ts';

const FOLDER = new URL('../bpf/verifier/', import.meta.url);
const PACKED = '.gz';

export interface ProgramVerdict {
  readonly errno: number;
  /** The last line before the summary; empty for what is accepted. */
  readonly error: string;
  /** Instructions walked. */
  readonly processed: number;
}

export interface ProgramVectors {
  readonly kernel: string;
  /** By object, by program. */
  readonly objects: Readonly<Record<string, Readonly<Record<string, ProgramVerdict>>>>;
}

export const programObjects = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(PACKED))
    .map((file) => file.slice(0, -PACKED.length))
    .toSorted();

export const programBytes = (object: string): Uint8Array =>
  gunzipSync(readFileSync(new URL(object + PACKED, FOLDER)));

function shortened(errno: number, log: string): ProgramVerdict {
  const lines = log.trimEnd().split('\n');
  const processed = Number(/^processed (\d+) insns/.exec(lines.at(-1)!)?.[1] ?? 0);
  return { errno, error: errno === 0 ? '' : (lines.at(-2) ?? ''), processed };
}

export function ourVerdicts(object: string): Record<string, ProgramVerdict> {
  const spec = parseElf(programBytes(object), { file: object });
  return Object.fromEntries(
    Object.values(spec.programs).flatMap((program) =>
      verifyObject(spec, [program], { logLevel: 1 }).map(({ accepted, log }) => [
        program.name,
        shortened(accepted ? 0 : 1, log),
      ]),
    ),
  );
}

/** One program, in the kernel's own words. */
interface KernelWords {
  readonly name: string;
  readonly errno: number;
  readonly log: string;
}

/** Asks the running kernel about every program of an object. */
export type ObjectJudge = (bytes: Uint8Array, logLevel: number) => KernelWords[];

/** Needs root, a C compiler, libbpf. */
export function withObjectJudge<T>(use: (judge: ObjectJudge) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'ringscope-programs-'));
  try {
    const program = join(dir, 'objverify');
    const source = fileURLToPath(new URL('objverify.c', import.meta.url));
    execFileSync('cc', ['-O2', '-o', program, source, '-lbpf']);
    const file = join(dir, 'object.o');
    return use((bytes, logLevel) => {
      writeFileSync(file, bytes);
      const options = { encoding: 'utf8', maxBuffer: 1 << 30 } as const;
      const lines = execFileSync(program, [file, String(logLevel)], options);
      return lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as KernelWords);
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export const recordPrograms = (): ProgramVectors =>
  withObjectJudge((judge) => {
    const objects = programObjects().map((object) => {
      const verdicts = judge(programBytes(object), 1).map(
        ({ name, errno, log }) => [name, shortened(errno, log)] as const,
      );
      return [object, Object.fromEntries(verdicts)] as const;
    });
    return { kernel: release().replace(/-.*/, ''), objects: Object.fromEntries(objects) };
  });
