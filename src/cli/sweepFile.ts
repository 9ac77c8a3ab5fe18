/**
 * The file of a sweep's results: one run a line, as JSON, found again by a hash of all that its
 * result depends on: the options, the contents of the files they name and of those that a program
 * imports, and this program.
 *
 * Lines are added as runs finish and put in the order of the sweep at its end, so that a sweep that
 * was interrupted loses nothing, and a complete one has the same bytes whatever happened on the
 * way. Lines of other sweeps stay in front.
 */
import { createHash } from 'node:crypto';
import { appendFile, rename, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fileReason, readBytes, writeBytes } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import type { MeasuredReport } from '../lab/measures.ts';
import type { RunOptions } from '../lab/optionSchema.ts';
import type { SweepRunPlan } from '../lab/sweepPlan.ts';
import type { SweptRun } from '../lab/sweepResult.ts';
import { filesBehind } from './programFiles.ts';
import { VERSION } from './version.ts';

const OPTION = '--out';

const digest = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex').slice(0, 32);

/** What a run reads, by the option that names it, apart from what it writes. */
function filesOf(options: RunOptions): readonly (readonly [option: string, name: string])[] {
  const changes = options.at.flatMap(({ change }) => (change.kind === 'xdp' ? [change.xdp] : []));
  const named: readonly (readonly [string, string | undefined])[] = [
    ['--in', options.in],
    ['--maps', options.maps],
    ['--btf', options.btf],
    ...[options.xdp, options.xdpPeer].flatMap((list) => listed('--xdp', list)),
    ...changes.flatMap((list) => listed('--at', list)),
    ...listed('--profile', options.profile),
  ];
  return named.flatMap(([option, name]) => (name === undefined ? [] : [[option, name] as const]));
}

/** Examples and profiles go by a bare name and are part of the program. */
const listed = (option: string, list: string | undefined): (readonly [string, string])[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /[./\\]/.test(name))
    .map((name) => [option, name] as const);

/**
 * @param program file of this program; a source file stands for itself alone
 * @returns the key of each run @throws InputError for a file that cannot be read
 */
export async function runKeys(
  runs: readonly SweepRunPlan[],
  program: URL | null,
): Promise<readonly string[]> {
  const self = program === null ? VERSION : fileURLToPath(program);
  const contents = new Map<string, string>([[VERSION, VERSION]]);
  const contentOf = async (option: string, name: string): Promise<string> => {
    const known = contents.get(name) ?? digest(await readBytes(option, name));
    contents.set(name, known);
    return known;
  };
  const behind = new Map<string, readonly string[]>();
  const importsOf = async (name: string): Promise<readonly string[]> => {
    const known = behind.get(name) ?? (await filesBehind(name));
    behind.set(name, known);
    return known;
  };
  const keys: string[] = [];
  for (const { options } of runs) {
    const files: string[] = [await contentOf('ringscope', self)];
    for (const [option, name] of filesOf(options)) {
      files.push(await contentOf(option, name));
      for (const other of await importsOf(name)) files.push(await contentOf(option, other));
    }
    keys.push(digest(JSON.stringify([VERSION, files, { ...options, json: false }])));
  }
  return keys;
}

interface Line {
  readonly key: string;
  readonly point: SweptRun['point'];
  readonly seed: number;
  readonly report: MeasuredReport;
}

export class SweepFile {
  private readonly name: string;
  private readonly lines: Map<string, Line>;
  /** Each line waits for the one before it. */
  private written: Promise<void> = Promise.resolve();
  private changed = false;

  private constructor(name: string, lines: Map<string, Line>) {
    this.name = name;
    this.lines = lines;
  }

  /** What the file holds; a last line that was cut off is forgotten. @throws InputError */
  static async open(name: string): Promise<SweepFile> {
    const exists = await stat(name).then(
      () => true,
      () => false,
    );
    if (!exists) {
      await writeBytes(OPTION, name, new Uint8Array());
      return new SweepFile(name, new Map());
    }
    const text = new TextDecoder().decode(await readBytes(OPTION, name));
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const file = new SweepFile(name, linesOf(name, whole));
    if (whole !== text) await writeBytes(OPTION, name, new TextEncoder().encode(whole));
    return file;
  }

  find(key: string): MeasuredReport | undefined {
    return this.lines.get(key)?.report;
  }

  add(key: string, { point, seed, report }: SweptRun): void {
    const line = { key, point, seed, report };
    this.lines.set(key, line);
    this.changed = true;
    this.written = this.written.then(() => appendFile(this.name, `${JSON.stringify(line)}\n`));
    this.written.catch(() => {}); // told when the file is finished
  }

  /** Put these runs in order, behind what else there is. @throws InputError */
  async finish(keys: readonly string[]): Promise<void> {
    try {
      await this.written;
      if (!this.changed) return;
      const mine = new Set(keys);
      const others = [...this.lines.keys()].filter((key) => !mine.has(key));
      const ordered = [...others, ...keys.filter((key) => this.lines.has(key))];
      const text = ordered.map((key) => `${JSON.stringify(this.lines.get(key))}\n`).join('');
      const beside = `${this.name}.part`;
      await writeBytes(OPTION, beside, new TextEncoder().encode(text));
      await rename(beside, this.name);
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`${OPTION}: cannot write ${this.name}: ${fileReason(error)}`);
    }
  }
}

function linesOf(name: string, text: string): Map<string, Line> {
  const lines = new Map<string, Line>();
  text.split('\n').forEach((raw, i) => {
    if (raw === '') return;
    const line = lineOf(raw);
    if (line === null) {
      throw new InputError(`${OPTION}: ${name}:${i + 1}: is no result of a sweep`);
    }
    lines.set(line.key, line);
  });
  return lines;
}

function lineOf(raw: string): Line | null {
  try {
    const line = JSON.parse(raw) as Partial<Line> | null;
    const whole =
      typeof line?.key === 'string' &&
      typeof line.seed === 'number' &&
      typeof line.point === 'object' &&
      typeof line.report?.packets?.offered === 'number';
    return whole ? (line as Line) : null;
  } catch {
    return null;
  }
}
