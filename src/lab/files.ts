/** The part of a run that touches the file system: captures, scenarios and programs, by name. */
import type { FileHandle } from 'node:fs/promises';
import { access, constants, open, realpath, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { thrownText } from '../host/errors.ts';
import { InputError } from './inputError.ts';
import type { MapsFile } from './mapState.ts';
import type { OptionSource } from './options.ts';
import type { RunOutcome } from './run.ts';
import { readScenario } from './scenario.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of its path is no directory',
  EMFILE: 'too many open files',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'too many symbolic links',
  EIO: 'input/output error',
  ERR_INVALID_ARG_VALUE: 'its name has a zero byte',
};

/** Larger files than this are none that a run could hold in memory. */
const MOST_BYTES = 2 ** 30;
const CHUNK_BYTES = 2 ** 20;

/** @param error what the file system threw @returns why, in words */
export function fileReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : thrownText(error));
}

/** @param option the option that named the file @throws InputError */
export async function readBytes(option: string, name: string): Promise<Uint8Array> {
  const refuse = (why: string): InputError =>
    new InputError(`${option}: cannot read ${name === '' ? '(empty)' : name}: ${why}`);
  const about = await stat(name).catch((error: unknown) => {
    throw refuse(fileReason(error));
  });
  // devices may be endless; asked before opening, which may wait
  if (about.isCharacterDevice() || about.isBlockDevice()) throw refuse('is a device, not a file');
  let bytes: Uint8Array | null;
  try {
    const file = await open(name);
    bytes = await readWhole(file).finally(() => file.close());
  } catch (error) {
    throw refuse(fileReason(error));
  }
  if (bytes === null) throw refuse(`is larger than ${MOST_BYTES} bytes`);
  return bytes;
}

/** Piece by piece: a pipe does not say how much will come. @returns null beyond the limit */
async function readWhole(file: FileHandle): Promise<Uint8Array | null> {
  const { size } = await file.stat();
  if (size > MOST_BYTES) return null;
  let bytes = new Uint8Array(size + CHUNK_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, CHUNK_BYTES);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length > MOST_BYTES) return null;
    if (length + CHUNK_BYTES > bytes.length) {
      const wider = new Uint8Array(2 * bytes.length + CHUNK_BYTES);
      wider.set(bytes.subarray(0, length));
      bytes = wider;
    }
  }
}

/** @param option the option that named the file @throws InputError */
export async function writeBytes(option: string, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(name, bytes);
  } catch (error) {
    throw new InputError(`${option}: cannot write ${name}: ${fileReason(error)}`);
  }
}

/** Behind a flag without a value these are taken for a scenario's name. */
const SWITCHED: readonly string[] = ['on', 'off', 'true', 'false'];

/** The scenario file of that name, as options. @throws InputError, OptionError */
export async function readScenarioFile(name: string): Promise<OptionSource> {
  const bytes = await readBytes('SCENARIO', name).catch((error: unknown) => {
    if (!(error instanceof InputError) || !SWITCHED.includes(name)) throw error;
    throw new InputError(`${error.message} (the flag in front of it takes no value)`);
  });
  return readScenario(name, new TextDecoder().decode(bytes));
}

/** A file that a run reads or writes: the option that named it, and the name. */
export type NamedFile = readonly [option: string, name: string | undefined];

/**
 * Ask before a long run whether what it is to write can be written, and over nothing it needs.
 *
 * @throws InputError
 */
export async function checkOutputs(
  inputs: readonly NamedFile[],
  outputs: readonly NamedFile[],
): Promise<void> {
  const taken = new Map<string, string>();
  for (const [option, name] of inputs) {
    if (name !== undefined) taken.set(await placeOf(name), option);
  }
  for (const [option, name] of outputs) {
    if (name === undefined) continue;
    await checkWritable(option, name);
    const place = await placeOf(name);
    const other = taken.get(place);
    if (other !== undefined) {
      throw new InputError(`${option}: cannot write ${name}: ${other} names the same file`);
    }
    if (place !== '/dev/null') taken.set(place, option);
  }
}

/** One name for a file, links followed. */
const placeOf = (name: string): Promise<string> =>
  realpath(name).catch(() =>
    realpath(dirname(name)).then(
      (folder) => resolve(folder, basename(name)),
      () => resolve(name),
    ),
  );

async function checkWritable(option: string, name: string): Promise<void> {
  const refuse = (error: unknown): never => {
    throw new InputError(`${option}: cannot write ${name}: ${fileReason(error)}`);
  };
  const about = await stat(name).catch(() => null);
  if (about?.isDirectory()) {
    throw new InputError(`${option}: cannot write ${name}: is a directory`);
  }
  const asked = about === null ? dirname(name) : name;
  const folder =
    about === null
      ? await stat(asked).catch((error: unknown) => {
          const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
          return refuse(missing ? new Error(`there is no folder ${asked}`) : error);
        })
      : null;
  if (folder?.isDirectory() === false) {
    throw new InputError(`${option}: cannot write ${name}: ${asked} is no folder`);
  }
  await access(asked, constants.W_OK).catch(refuse);
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

/** @throws InputError */
export async function writeMaps(option: string, name: string, maps: MapsFile): Promise<void> {
  const text = `${JSON.stringify(maps, null, 2)}\n`;
  await writeBytes(option, name, new TextEncoder().encode(text));
}

/** Modules imported so far: each import of a file has an address of its own. */
let imports = 0;

/**
 * The default export of a program's module, whatever it is.
 *
 * The file is read anew each time, so that what it keeps in variables ends with its run: points of a
 * sweep that share a process must not depend on each other. What it imports is read once.
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
  const path = resolve(name);
  const url = `${pathToFileURL(path).href}?import=${++imports}`;
  delete createRequire(import.meta.url).cache[await realpath(path)]; // a CommonJS module is known by its path
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

/**
 * Node strips types itself from 22.18 on; before, tsx does, which is loaded only then. Neither
 * looks into a tsconfig.json, so that a program means the same under both.
 */
async function importTs(url: string): Promise<unknown> {
  if ('typescript' in process.features && process.features.typescript !== false) {
    return import(url);
  }
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(url, { parentURL: import.meta.url, tsconfig: false });
}

/** Compilers announce their message in the line before it. */
function firstLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : thrownText(error)).split('\n');
  return lines.slice(0, lines[0]!.endsWith(':') ? 2 : 1).join(' ');
}
