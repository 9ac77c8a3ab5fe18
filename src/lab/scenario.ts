/** Scenario files: YAML whose keys are the option names, each with its place for error messages. */
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { OptionSource } from './options.ts';
import { camel } from './optionNames.ts';
import { OptionError } from './options.ts';

/**
 * @param name as it appears in messages
 * @throws OptionError with line and column when the text is no YAML mapping
 */
export function readScenario(name: string, text: string): OptionSource {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const wrong = doc.errors[0];
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
    where: (path) => `${place(offsetOf(doc, path))}: ${String(path.at(-1))}`,
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

const oneLine = (message: string): string => message.split('\n')[0]!;

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [camel(key), camelKeys(inner)]),
  );
}

/** Where the deepest part of `path` that exists starts: a key where there is one, else an item. */
function offsetOf(doc: Document, path: readonly PropertyKey[]): number {
  let node: unknown = doc.contents;
  let offset = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isScalar(item.key) && camel(String(item.key.value)) === camel(String(step)),
      );
      if (!isPair(pair)) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      node = doc.getIn(path.slice(0, path.indexOf(step) + 1), true);
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
