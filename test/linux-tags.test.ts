import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const DRIVER = new URL('../src/driver/bnxt/', import.meta.url);
const EXPORT = /^export (?:async )?(?:function\*?|const) ((?:__)?bnxt\w+)/;

interface Found {
  readonly name: string;
  readonly doc: string;
}

/** Every exported `bnxt*` function or constant of a file, with the docstring right above it. */
function exportsOf(text: string): Found[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const name = EXPORT.exec(line)?.[1];
    return name === undefined ? [] : [{ name, doc: docAbove(lines, i) }];
  });
}

function docAbove(lines: readonly string[], at: number): string {
  if (!lines[at - 1]?.endsWith('*/')) return '';
  let from = at - 1;
  while (from > 0 && !lines[from]!.trimStart().startsWith('/**')) from--;
  return lines.slice(from, at).join('\n');
}

const files = readdirSync(DRIVER).filter((name) => name.endsWith('.ts'));

test('every exported bnxt function says which function of Linux it is', () => {
  const untagged = files.flatMap((file) =>
    exportsOf(readFileSync(new URL(file, DRIVER), 'utf8'))
      .filter(({ doc }) => !doc.includes('@linux '))
      .map(({ name }) => `${file}: ${name}`),
  );
  expect(untagged).toEqual([]);
});

test('the reader of tags finds exports, and misses none of their forms', () => {
  const text = [
    '/** A. @linux bnxt_a */',
    'export function bnxtA(): void {}',
    '/**',
    ' * B.',
    ' *',
    ' * @linux __bnxt_b',
    ' */',
    'export function __bnxtB(): void {}',
    'export const bnxtC = (): number => 1;',
    'function bnxtHidden(): void {}',
  ].join('\n');
  expect(exportsOf(text).map(({ name, doc }) => [name, doc.includes('@linux ')])).toEqual([
    ['bnxtA', true],
    ['__bnxtB', true],
    ['bnxtC', false],
  ]);
  const found = files.flatMap((f) => exportsOf(readFileSync(new URL(f, DRIVER), 'utf8')));
  expect(found.length).toBeGreaterThan(40);
});
