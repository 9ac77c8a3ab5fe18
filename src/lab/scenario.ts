/** Scenario files: YAML whose keys are the option names, each with its place for error messages. */
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { OptionSource } from './options.ts';
import { camel, kebab } from './optionNames.ts';
import { OptionError } from './options.ts';

/**
 * @param name as it appears in messages
 * @throws OptionError with line and column when the text is no YAML mapping
 */
export function readScenario(name: string, text: string): OptionSource {
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  // what YAML only warns of (a tag nobody knows) would be ignored in silence
  const wrong = doc.errors[0] ?? doc.warnings[0];
  if (wrong !== undefined)
    throw new OptionError(`${place(wrong.pos[0])}: ${oneLine(wrong.message)}`);
  if (doc.contents === null) throw new OptionError(`${name}:1:1: is empty, expected options`);
  if (!isMap(doc.contents)) {
    throw new OptionError(
      `${place(doc.contents.range?.[0] ?? 0)}: expected options as "name: value"`,
    );
  }
  const values = readValues(doc, name);
  return {
    values,
    where: (path) => {
      const found = foundAt(doc, path);
      return `${place(found.offset)}: ${found.text}`;
    },
  };
}

/** YAML aliases can multiply without end; the library stops them, with a message of its own. */
function readValues(doc: Document, name: string): Record<string, unknown> {
  try {
    return camelKeys(doc.toJS()) as Record<string, unknown>;
  } catch (error) {
    throw new OptionError(`${name}: ${oneLine(error instanceof Error ? error.message : '')}`);
  }
}

const oneLine = (message: string): string =>
  message.startsWith('Maximum call stack')
    ? 'is nested too deeply, or contains itself'
    : message.split('\n')[0]!;

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [camel(key), camelKeys(inner)]);
  const keys = new Set<unknown>();
  for (const [key] of entries) {
    if (keys.has(key)) throw new OptionError(`${kebab(String(key))} is given twice`);
    keys.add(key);
  }
  return Object.fromEntries(entries);
}

/**
 * Where the deepest part of `path` that exists starts: a key where there is one, else an item; and
 * what it is called from the top of the file on.
 */
function foundAt(doc: Document, path: readonly PropertyKey[]): { offset: number; text: string } {
  let node: unknown = doc.contents;
  let offset = 0;
  let text = '';
  for (const [i, step] of path.entries()) {
    const before = text === '' ? '' : `${text}.`;
    text = typeof step === 'number' ? `${text}[${step}]` : `${before}${String(step)}`;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isScalar(item.key) && camel(String(item.key.value)) === camel(String(step)),
      );
      if (!isPair(pair)) break;
      if (isScalar(pair.key)) {
        text = `${before}${String(pair.key.value)}`;
        offset = pair.key.range?.[0] ?? offset;
      }
      node = pair.value;
    } else {
      node = doc.getIn(path.slice(0, i + 1), true);
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return { offset, text };
}
