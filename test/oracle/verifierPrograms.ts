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

const bytesOf = (object: string): Uint8Array =>
  gunzipSync(readFileSync(new URL(object + PACKED, FOLDER)));

function shortened(errno: number, log: string): ProgramVerdict {
  const lines = log.trimEnd().split('\n');
  const processed = Number(/^processed (\d+) insns/.exec(lines.at(-1)!)?.[1] ?? 0);
  return { errno, error: errno === 0 ? '' : (lines.at(-2) ?? ''), processed };
}

export function ourVerdicts(object: string): Record<string, ProgramVerdict> {
  const spec = parseElf(bytesOf(object), { file: object });
  return Object.fromEntries(
    Object.values(spec.programs).flatMap((program) =>
      verifyObject(spec, [program], { logLevel: 1 }).map(({ accepted, log }) => [
        program.name,
        shortened(accepted ? 0 : 1, log),
      ]),
    ),
  );
}

/** Needs root, a C compiler, libbpf. */
export function recordPrograms(): ProgramVectors {
  const dir = mkdtempSync(join(tmpdir(), 'ringscope-programs-'));
  try {
    const judge = join(dir, 'objverify');
    const source = fileURLToPath(new URL('objverify.c', import.meta.url));
    execFileSync('cc', ['-O2', '-o', judge, source, '-lbpf']);
    const objects = programObjects().map((object) => {
      const file = join(dir, object);
      writeFileSync(file, bytesOf(object));
      const lines = execFileSync(judge, [file], { encoding: 'utf8', maxBuffer: 1 << 30 });
      const verdicts = lines
        .trimEnd()
        .split('\n')
        .map((line) => {
          const { name, errno, log } = JSON.parse(line) as {
            name: string;
            errno: number;
            log: string;
          };
          return [name, shortened(errno, log)] as const;
        });
      return [object, Object.fromEntries(verdicts)] as const;
    });
    return { kernel: release().replace(/-.*/, ''), objects: Object.fromEntries(objects) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
