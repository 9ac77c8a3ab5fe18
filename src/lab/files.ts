/** The part of a run that touches the file system: captures, scenarios and programs, by name. */
import { readFile, writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InputError } from './inputError.ts';
import type { OptionSource } from './options.ts';
import type { RunOutcome } from './run.ts';
import { readScenario } from './scenario.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of its path is no directory',
  EMFILE: 'too many open files',
};

/** @param error what the file system threw @returns why, in words */
function fileReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** @param option the option that named the file @throws InputError */
export async function readBytes(option: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(name);
  } catch (error) {
    throw new InputError(`${option}: cannot read ${name}: ${fileReason(error)}`);
  }
}

/** @param option the option that named the file @throws InputError */
async function writeBytes(option: string, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(name, bytes);
  } catch (error) {
    throw new InputError(`${option}: cannot write ${name}: ${fileReason(error)}`);
  }
}

/** The scenario file of that name, as options. @throws InputError, OptionError */
export async function readScenarioFile(name: string): Promise<OptionSource> {
  return readScenario(name, new TextDecoder().decode(await readBytes('SCENARIO', name)));
}

/** Write the captures that a run was asked to write to files. @throws InputError */
export async function writeCaptures(
  names: Readonly<Record<'txOut' | 'passOut', string | undefined>>,
  { txOut, passOut }: RunOutcome['captures'],
): Promise<void> {
  if (names.txOut !== undefined && txOut) await writeBytes('--tx-out', names.txOut, txOut);
  if (names.passOut !== undefined && passOut)
    await writeBytes('--pass-out', names.passOut, passOut);
}

/**
 * The default export of a program's module, whatever it is.
 *
 * @param option the option that named the file
 * @throws InputError when there is no such module, or it does not load
 */
export async function importProgram(option: string, name: string): Promise<unknown> {
  const extension = extname(name);
  if (!['.ts', '.mts', '.js', '.mjs'].includes(extension)) {
    throw new InputError(`${option}: ${name} is not a program (.ts or .js)`);
  }
  await readBytes(option, name);
  const url = pathToFileURL(resolve(name)).href;
  try {
    const module = await (extension.endsWith('ts') ? importTs(url) : import(url));
    return defaultExport(defaultExport(module));
  } catch (error) {
    throw new InputError(`${option}: ${name} does not load: ${firstLine(error)}`);
  }
}

/** Outside an ES module package a file counts as CommonJS: its default export is then one deeper. */
const defaultExport = (module: unknown): unknown =>
  typeof module === 'object' && module !== null && 'default' in module ? module.default : module;

/** Node strips types itself from 22.18 on; before, tsx does, which is loaded only then. */
async function importTs(url: string): Promise<unknown> {
  if ('typescript' in process.features && process.features.typescript !== false) {
    return import(url);
  }
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(url, import.meta.url);
}

/** Compilers announce their message in the line before it. */
function firstLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  return lines.slice(0, lines[0]!.endsWith(':') ? 2 : 1).join(' ');
}
