/** `ringscope map dump|lookup|update|delete`: the elements of an object's maps, or of a run's end state. */
import type { Command } from 'commander';
import { chooseProgram, LoneProgram, readObject } from '../lab/bpfObject.ts';
import { readBytes, writeMaps } from '../lab/files.ts';
import { printable } from '../host/errors.ts';
import { inPlace } from '../lab/changes.ts';
import { InputError } from '../lab/inputError.ts';
import { datumOf } from '../lab/mapData.ts';
import type { MapElem, MapState, MapsFile } from '../lab/mapState.ts';
import { hexOfBytes, holdsNames, mapsFile, parseMapsFile } from '../lab/mapState.ts';
import { didYouMean } from '../lab/nearest.ts';
import type { Collection } from '../xdp/loader/load.ts';
import { TypedMap } from '../xdp/loader/typedMap.ts';
import { askRun, isControl } from './controlClient.ts';
import { jsonLine } from './jsonLine.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Flags {
  readonly map?: string;
  readonly json?: boolean;
  readonly btf?: string;
}

export const FILE_HELP =
  'maps file (run --maps-out), an eBPF object (.o) for what it starts with, or the socket of a run (run --watch --control)';
const KEY_HELP = 'in hex, bytes in the order of memory; or as its type says, in JSON';
const BTF_HELP = 'object (.o) that says what the keys and values of a maps file are';
const JSON_HELP = 'one JSON document on stdout and nothing else';

/** Adds to the command `map`. */
export function addMapElements(map: Command, terminal: Terminal): void {
  map
    .command('dump')
    .description('Print the elements of maps.')
    .argument('FILE', FILE_HELP)
    .option('--map <NAME>', 'only this one')
    .option('--json', JSON_HELP)
    .action(async (file: string, flags: Flags) => dump(file, flags, terminal));
  map
    .command('lookup')
    .description('Print the value at a key.')
    .argument('FILE', FILE_HELP)
    .argument('MAP', 'its name')
    .argument('KEY', KEY_HELP)
    .option('--btf <FILE>', BTF_HELP)
    .option('--json', JSON_HELP)
    .action(async (file: string, name: string, key: string, flags: Flags) => {
      const elem = await lookup(file, name, key, flags);
      terminal.out(flags.json ? jsonLine(elem) : `${shownValue(elem)}\n`);
    });
  map
    .command('update')
    .description('Write a value into a maps file, or into a map of a run that goes on.')
    .argument('FILE', WRITTEN_HELP)
    .argument('MAP', 'its name')
    .argument('KEY', KEY_HELP)
    .argument('VALUE', 'likewise; names of programs and devices where a map holds such')
    .option('--btf <FILE>', BTF_HELP)
    .action(async (file: string, name: string, key: string, value: string, { btf }: Flags) => {
      if (await isControl(file)) await askRun(file, `update ${name} ${word(key)} ${word(value)}`);
      else await change(file, name, btf, key, value);
    });
  map
    .command('delete')
    .description('Take a key out of a maps file, or out of a map of a run that goes on.')
    .argument('FILE', WRITTEN_HELP)
    .argument('MAP', 'its name')
    .argument('KEY', KEY_HELP)
    .option('--btf <FILE>', BTF_HELP)
    .action(async (file: string, name: string, key: string, { btf }: Flags) => {
      if (await isControl(file)) await askRun(file, `delete ${name} ${word(key)}`);
      else await change(file, name, btf, key, null);
    });
}

const WRITTEN_HELP = 'maps file (run --maps-out), or the socket of a run (run --watch --control)';

/** One word of a command: blanks between bytes are left out. */
const word = (text: string): string => (/["[{]/.test(text) ? text : text.replaceAll(/\s/g, ''));

/** @param name of the one map that is wanted */
async function read(file: string, name?: string): Promise<MapsFile> {
  if (await isControl(file)) {
    return (await askRun(file, name === undefined ? 'dump' : `dump ${name}`)).data as MapsFile;
  }
  const content = await readBytes('FILE', file);
  if (!isObject(file, content)) return parseMapsFile(file, content);
  const { maps, spec } = loaded(file, content);
  const only = name !== undefined && Object.hasOwn(maps, name) ? name : undefined;
  return inPlace(file, () => mapsFile(maps, spec.maps, only));
}

/** `map show` of a maps file or a run. @returns null for an object */
export async function listStates(file: string): Promise<MapsFile | null> {
  if (await isControl(file)) return read(file);
  const content = await readBytes('FILE', file);
  return isObject(file, content) ? null : parseMapsFile(file, content);
}

/** By its name, or since it does not begin as a maps file does. */
const isObject = (file: string, content: Uint8Array): boolean =>
  file.endsWith('.o') || !/^\s*\{/.test(new TextDecoder().decode(content.subarray(0, 64)));

/** An object's maps, alive. */
function loaded(file: string, content: Uint8Array): Collection {
  const spec = readObject(file, content);
  // nothing runs: what the maps start with does not depend on what Linux thinks of the programs
  const options = { engine: 'interp', verify: false } as const;
  return new LoneProgram(spec, chooseProgram(spec, {}), options).collection;
}

function named({ maps }: MapsFile, file: string, name: string): MapState {
  const state = maps.find((map) => map.name === name);
  if (state !== undefined) return state;
  const names = maps.map((map) => map.name);
  const known = names.join(', ') || 'none';
  throw new InputError(`${file}: no map ${name}${didYouMean(name, names)}; it has ${known}`);
}

/** How the texts of keys and values become bytes, in hex. */
interface Texts {
  key(text: string): string;
  value(text: string): string;
}

/** @param btf the object that tells types; an object file is its own */
async function textsOf(file: string, state: MapState, btf: string | undefined): Promise<Texts> {
  const from = btf ?? (isObject(file, await readBytes('FILE', file)) ? file : undefined);
  const { name, keySize, valueSize } = state;
  if (from === undefined) {
    return {
      key: (text) => untyped('KEY', text, keySize),
      value: (text) => untyped('VALUE', text, valueSize),
    };
  }
  const { maps, spec } = loaded(from, await readBytes(btf === undefined ? 'FILE' : '--btf', from));
  const map = Object.hasOwn(maps, name) ? maps[name] : undefined;
  if (map === undefined) throw new InputError(`--btf: ${from} has no map ${name}`);
  const typed = new TypedMap(map, spec.maps[name]);
  return {
    key: (text) =>
      checkedSize(
        'KEY',
        inPlace('KEY', () => typed.keyBytes(datumOf(name, text, keySize))),
        keySize,
      ),
    value: (text) =>
      checkedSize(
        'VALUE',
        inPlace('VALUE', () => typed.valueBytes(datumOf(name, text, valueSize))),
        valueSize,
      ),
  };
}

function checkedSize(what: string, bytes: Uint8Array, size: number): string {
  if (bytes.length === size) return hexOfBytes(bytes);
  throw new InputError(`${what}: has ${bytes.length} bytes there and ${size} in the file`);
}

/** @returns lower-case digits alone */
function untyped(what: string, text: string, size: number): string {
  const datum = datumOf(what, text, size);
  if (datum instanceof Uint8Array) return hexOfBytes(datum);
  throw new InputError(
    `${what}: ${printable(text)} is not ${size} bytes in hex (${2 * size} digits); values by type need --btf`,
  );
}

async function lookup(file: string, name: string, key: string, { btf }: Flags): Promise<MapElem> {
  if (await isControl(file)) {
    return (await askRun(file, `lookup ${name} ${word(key)}`)).data as MapElem;
  }
  const state = named(await read(file, name), file, name);
  const digits = (await textsOf(file, state, btf)).key(key);
  const elem = state.elems.find((e) => e.key.toLowerCase() === digits);
  if (elem === undefined) throw new InputError(`${file}: map ${name} has no key ${key}`);
  return elem;
}

async function dump(file: string, { map, json }: Flags, terminal: Terminal): Promise<void> {
  const all = await read(file, map);
  const maps = map === undefined ? all.maps : [named(all, file, map)];
  if (json) {
    terminal.out(jsonLine(maps));
    return;
  }
  terminal.out(`${maps.map((state) => shown(state, terminal)).join('\n\n')}\n`);
}

/** Two digits a byte, as bpftool prints them. */
const spaced = (hex: string): string => hex.match(/../g)?.join(' ') ?? '';

/** As its type says, where that is known. */
const shownValue = ({ value, name, formatted }: MapElem): string =>
  formatted === undefined
    ? printable(name ?? spaced(value))
    : printable(JSON.stringify(formatted.value));

const shownKey = ({ key, formatted }: MapElem): string =>
  formatted === undefined ? spaced(key) : printable(JSON.stringify(formatted.key));

function shown({ name, type, elems }: MapState, { colors }: Terminal): string {
  const count = `${elems.length} ${elems.length === 1 ? 'element' : 'elements'}`;
  const rows = elems.map((elem) => [shownKey(elem), shownValue(elem)]);
  return [
    `${colors.bold(printable(name))}  ${printable(type)}, ${count}`,
    ...table(rows, ['left', 'left']),
  ].join('\n');
}

/** Programs and maps have their ids only once they are loaded. */
const written = (
  { type, valueSize }: MapState,
  texts: Texts,
  text: string,
): Omit<MapElem, 'key'> =>
  holdsNames(type) ? { value: '00'.repeat(valueSize), name: text } : { value: texts.value(text) };

/**
 * Replaces the value, or adds the key behind the others; the next run's kernel puts it in order.
 *
 * @param text the value; null to take the key out
 */
async function change(
  file: string,
  name: string,
  btf: string | undefined,
  keyText: string,
  text: string | null,
): Promise<void> {
  const content = await readBytes('FILE', file);
  if (isObject(file, content)) throw new InputError(`${file}: an object is not written to`);
  const all = parseMapsFile(file, content);
  const state = named(all, file, name);
  const texts = await textsOf(file, state, btf);
  const key = texts.key(keyText);
  const others = state.elems.filter((elem) => elem.key.toLowerCase() !== key);
  if (text === null && others.length === state.elems.length)
    throw new InputError(`${file}: map ${name} has no key ${keyText}`);
  const elems = text === null ? others : [...others, { key, ...written(state, texts, text) }];
  const maps = all.maps.map((map) => (map === state ? { ...state, elems } : map));
  await writeMaps('FILE', file, { ...all, maps });
}
