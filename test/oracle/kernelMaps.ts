/** Asking the running kernel about maps, through `maps.c`; and what it has answered before. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Answers of a kernel, line by line, to scripts by name. */
export interface MapAnswers {
  readonly kernel: string;
  /** Possible CPUs: what a per-CPU value has a place for. */
  readonly cpus: number;
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

const SOURCE = fileURLToPath(new URL('maps.c', import.meta.url));
const RECORD = new URL('../vectors/maps/answers.json.gz', import.meta.url);
const MAX_OUTPUT = 2 ** 28;

let built: string | null = null;

function mapsOracle(): string {
  if (built === null) {
    built = join(mkdtempSync(join(tmpdir(), 'ringscope-maps-')), 'maps');
    execFileSync('cc', ['-O1', '-Wall', '-o', built, SOURCE]);
  }
  return built;
}

const ask = (lines: readonly string[]): string[] =>
  execFileSync(mapsOracle(), {
    input: [...lines, ''].join('\n'),
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT,
  })
    .split('\n')
    .slice(0, -1);

/** @param scripts made for the number of CPUs that this kernel has */
export function askKernelMaps(
  scripts: (cpus: number) => Readonly<Record<string, readonly string[]>>,
): MapAnswers {
  const [kernel = '', cpus = ''] = ask([])[0]!.split(' ');
  const answers = Object.entries(scripts(Number(cpus))).map(
    ([name, script]) => [name, ask(script).slice(1)] as const,
  );
  return { kernel, cpus: Number(cpus), answers: Object.fromEntries(answers) };
}

export const readMapAnswers = (): MapAnswers =>
  JSON.parse(gunzipSync(readFileSync(RECORD)).toString()) as MapAnswers;

export function writeMapAnswers(answers: MapAnswers): void {
  writeFileSync(RECORD, gzipSync(JSON.stringify(answers), { level: 9 }));
}
