/** `ringscope map dump|lookup|update`: the elements of an object's maps, or of a run's end state. */
import type { Command } from 'commander';
import { chooseProgram, LoneProgram, readObject } from '../lab/bpfObject.ts';
import { readBytes, writeMaps } from '../lab/files.ts';
import { printable } from '../host/errors.ts';
import { InputError } from '../lab/inputError.ts';
import type { MapElem, MapState, MapsFile } from '../lab/mapState.ts';
import { mapsFile, parseMapsFile } from '../lab/mapState.ts';
import { didYouMean } from '../lab/nearest.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Flags {
  readonly map?: string;
  readonly json?: boolean;
}

const FILE_HELP = 'maps file (run --maps-out), or an eBPF object (.o) for what it starts with';
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
    .argument('KEY', 'in hex, bytes in the order of memory')
    .option('--json', JSON_HELP)
    .action(async (file: string, name: string, key: string, flags: Flags) => {
      const state = named(await read(file), file, name);
      const elem = elemAt(state, bytes('KEY', key, state.keySize), file);
      terminal.out(flags.json ? `${JSON.stringify(elem)}\n` : `${spaced(elem.value)}\n`);
    });
  map
    .command('update')
    .description('Write a value into a maps file.')
    .argument('FILE', 'maps file (run --maps-out)')
    .argument('MAP', 'its name')
    .argument('KEY', 'in hex, bytes in the order of memory')
    .argument('VALUE', 'in hex')
    .action(async (file: string, name: string, key: string, value: string) => {
      await update(file, name, key, value);
    });
}

async function read(file: string): Promise<MapsFile> {
  const content = await readBytes('FILE', file);
  if (!file.endsWith('.o')) return parseMapsFile(file, content);
  const spec = readObject(file, content);
  // nothing runs: what the maps start with does not depend on what Linux thinks of the programs
  const lone = new LoneProgram(spec, chooseProgram(spec, {}), { engine: 'interp', verify: false });
  return mapsFile(lone.collection.maps);
}

function named({ maps }: MapsFile, file: string, name: string): MapState {
  const state = maps.find((map) => map.name === name);
  if (state !== undefined) return state;
  const names = maps.map((map) => map.name);
  const known = names.join(', ') || 'none';
  throw new InputError(`${file}: no map ${name}${didYouMean(name, names)}; it has ${known}`);
}

/** @returns lower-case digits alone */
function bytes(what: string, text: string, size: number): string {
  const digits = text.replaceAll(/[\s:]|^0x/g, '').toLowerCase();
  if (!/^([0-9a-f]{2})*$/.test(digits) || digits.length !== 2 * size) {
    throw new InputError(`${what}: ${text} is not ${size} bytes in hex (${2 * size} digits)`);
  }
  return digits;
}

function elemAt(state: MapState, key: string, file: string): MapElem {
  const elem = state.elems.find((e) => e.key.toLowerCase() === key);
  if (elem === undefined) throw new InputError(`${file}: map ${state.name} has no key ${key}`);
  return elem;
}

async function dump(file: string, { map, json }: Flags, terminal: Terminal): Promise<void> {
  const all = await read(file);
  const maps = map === undefined ? all.maps : [named(all, file, map)];
  if (json) {
    terminal.out(`${JSON.stringify(maps)}\n`);
    return;
  }
  terminal.out(`${maps.map((state) => shown(state, terminal)).join('\n\n')}\n`);
}

/** Two digits a byte, as bpftool prints them. */
const spaced = (hex: string): string => hex.match(/../g)?.join(' ') ?? '';

function shown({ name, type, elems }: MapState, { colors }: Terminal): string {
  const count = `${elems.length} ${elems.length === 1 ? 'element' : 'elements'}`;
  const rows = elems.map(({ key, value }) => [spaced(key), spaced(value)]);
  return [
    `${colors.bold(printable(name))}  ${printable(type)}, ${count}`,
    ...table(rows, ['left', 'left']),
  ].join('\n');
}

/** Replaces the value, or adds the key behind the others; the next run's kernel puts it in order. */
async function update(file: string, name: string, keyText: string, text: string): Promise<void> {
  if (file.endsWith('.o')) throw new InputError(`${file}: an object is not written to`);
  const all = parseMapsFile(file, await readBytes('FILE', file));
  const state = named(all, file, name);
  const key = bytes('KEY', keyText, state.keySize);
  const value = bytes('VALUE', text, state.valueSize);
  const others = state.elems.filter((elem) => elem.key.toLowerCase() !== key);
  const elems = [...others, { key, value }];
  const maps = all.maps.map((map) => (map === state ? { ...state, elems } : map));
  await writeMaps('FILE', file, { ...all, maps });
}
