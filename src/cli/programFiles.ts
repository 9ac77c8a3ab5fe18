/**
 * The files that a program's module consists of: itself, and what it imports from its own folders.
 *
 * Nothing is loaded or parsed: every quoted text that could be a relative path, and leads to a
 * file, counts. That takes in more than imports (an object that the module reads, a name in a
 * comment), which is harmless where the question is whether anything has changed. Of a package,
 * its `package.json` counts, which has its version. Paths that are put together at run time are
 * not found.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CODE = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
/** What an import may leave out, or say instead of the name of a source file. */
const ENDINGS = ['', '.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];
const QUOTED = /(['"`])((?:\.{0,2}\/|file:)[^'"`\n]+)\1/g;
const PACKAGE =
  /\b(?:from|import|require)\s*\(?\s*['"]((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[^'"]*)?['"]/g;

/** @returns absolute names, in order; without `name` itself */
export async function filesBehind(name: string): Promise<readonly string[]> {
  const root = resolve(name);
  const seen = new Set([root]);
  for (const file of seen) {
    if (!CODE.includes(extname(file))) continue;
    for (const other of await namedIn(file)) seen.add(other);
  }
  seen.delete(root);
  return [...seen].toSorted();
}

async function namedIn(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  const folder = dirname(file);
  const candidates = [...text.matchAll(QUOTED)].flatMap(([, , path]) => spellings(folder, path!));
  for (const [, name] of text.matchAll(PACKAGE)) candidates.push(...manifests(folder, name!));
  const found = await Promise.all(candidates.map(isFile));
  return candidates.filter((_, i) => found[i]);
}

/** A `.js` in an import may stand for the `.ts` that it will be compiled from. */
function spellings(folder: string, path: string): readonly string[] {
  const whole = pathOf(folder, path.replace(/[?#].*$/, ''));
  // of absolute names only code counts: /proc and the like change all the time
  const meant = path.startsWith('/') ? CODE.includes(extname(path)) : true;
  if (whole === null || !meant) return [];
  const source = whole.replace(/\.([mc]?)js$/, '.$1ts');
  return [...ENDINGS.map((ending) => whole + ending), ...(source === whole ? [] : [source])];
}

function pathOf(folder: string, path: string): string | null {
  if (!path.startsWith('file:')) return resolve(folder, path);
  try {
    return fileURLToPath(path);
  } catch {
    return null; // no path of this system: nothing here that could change
  }
}

/** Where a package may lie, from this folder upwards. */
function manifests(folder: string, name: string): readonly string[] {
  const here = join(folder, 'node_modules', name, 'package.json');
  const above = dirname(folder);
  return above === folder ? [here] : [here, ...manifests(above, name)];
}

const isFile = (name: string): Promise<boolean> =>
  stat(name).then(
    (about) => about.isFile(),
    () => false,
  );
