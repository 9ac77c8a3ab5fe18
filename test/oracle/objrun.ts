/** Asking the running kernel about a real object, through `objrun.c`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObjectCase } from './objectCases.ts';

/** One element of a map; `key` is empty for queues and stacks. Bytes in hex. */
export interface Elem {
  readonly map: string;
  readonly key: string;
  readonly value: string;
}

/** What came of a case: per packet its verdict, bytes and records; then the maps. */
export interface ObjectAnswers {
  readonly runs: readonly { retval: number; out: string; events: readonly string[] }[];
  readonly elems: readonly Elem[];
}

const MAX_OUTPUT = 2 ** 28;
const SOURCE = fileURLToPath(new URL('objrun.c', import.meta.url));
const TOP = fileURLToPath(new URL('../../', import.meta.url));

export const kernelRelease = (): string => release().replace(/-.*/, '');

/** Why the kernel cannot be asked here, or null. */
export function whyNoKernel(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/usr/include/bpf/libbpf.h')) return 'libbpf-dev is not installed';
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'no C compiler';
  }
  return null;
}

let built: string | null = null;

function objrun(): string {
  if (built === null) {
    built = join(mkdtempSync(join(tmpdir(), 'ringscope-objrun-')), 'objrun');
    execFileSync('cc', ['-O2', '-Wall', '-o', built, SOURCE, '-lbpf']);
  }
  return built;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex') || '-';
const unhex = (text: string): string => (text === '-' ? '' : text);

function commands(c: ObjectCase, packets: readonly Uint8Array[]): string {
  const lines = [`prog ${c.prog}`];
  for (const step of c.setup ?? []) {
    if ('set' in step) lines.push(`set ${step.set} ${step.key} ${step.value}`);
    else lines.push(`tail ${step.tail} ${step.index} ${step.prog}`);
  }
  for (const packet of packets) {
    lines.push(`packet ${hex(packet)}`);
    if (c.events !== undefined) lines.push(`events ${c.events}`);
  }
  return [...lines, 'dump', ''].join('\n');
}

/** @throws Error when the object does not load or the kernel refuses a command */
export function askKernel(c: ObjectCase, packets: readonly Uint8Array[]): ObjectAnswers {
  const text = execFileSync(objrun(), [join(TOP, c.object)], {
    input: commands(c, packets),
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT,
  });
  const runs: { retval: number; out: string; events: string[] }[] = [];
  const elems: Elem[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [kind, a = '', b = '', c3 = ''] = line.split(' ');
    if (kind === 'run') runs.push({ retval: Number(a), out: unhex(b), events: [] });
    else if (kind === 'event') runs.at(-1)!.events.push(unhex(a));
    else if (kind === 'elem') elems.push({ map: a, key: unhex(b), value: unhex(c3) });
    else throw new Error(`${c.object}: ${line}`);
  }
  return { runs, elems };
}
