/** `ringscope prog show`, `prog dump` and `map show`: what an object file holds, nothing loaded. */
import type { Command } from 'commander';
import { chooseProgram, readObject } from '../lab/bpfObject.ts';
import { readBytes } from '../lab/files.ts';
import { printable } from '../host/errors.ts';
import { InputError } from '../lab/inputError.ts';
import type { MapsFile } from '../lab/mapState.ts';
import { jitDump } from '../lab/jitDump.ts';
import { dumpProgram } from '../lab/objectDump.ts';
import type { ProgramDump } from '../lab/objectDump.ts';
import type { MapListing, ProgramListing } from '../lab/objectListing.ts';
import { listMaps, listPrograms } from '../lab/objectListing.ts';
import { OptionError } from '../lab/options.ts';
import type { BtfValue } from '../xdp/btf/value.ts';
import { listingText } from '../xdp/isa/listing.ts';
import type { CollectionSpec, ProgramSpec } from '../xdp/loader/spec.ts';
import { BPF_PROG_TYPE_XDP } from '../xdp/uapi.ts';
import { jitText } from './jitText.ts';
import { jsonLine } from './jsonLine.ts';
import { kernelTypesAt } from './kernelTypesFile.ts';
import { addMapElements, FILE_HELP, listStates } from './mapCommands.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { verifyFlag } from './verifyFlag.ts';

interface Flags {
  readonly program?: string;
  readonly sec?: string;
  readonly json?: boolean;
  readonly jited?: boolean;
  readonly btf?: string;
  readonly verify?: string;
}

type Show = (spec: CollectionSpec, flags: Flags, terminal: Terminal) => void;

const JSON_HELP = 'one JSON document on stdout and nothing else';

/** Adds `show` and `dump` to the command `prog`. */
export function addProgListings(prog: Command, terminal: Terminal): void {
  add(prog, 'show', 'List the programs of an object.', showPrograms, terminal);
  add(prog, 'dump', 'List the instructions of programs, with their C source.', dump, terminal)
    .option('--program <NAME>', 'only this one, by its function')
    .option('--sec <SECTION>', 'only this one, by its section')
    .option('--jited', 'the WebAssembly that they are compiled to, of XDP programs')
    .option('--btf <FILE>', "with --jited: a kernel's types for CO-RE")
    .option('--verify <on|off>', 'with --jited, off: as compiled with every access tested');
}

/** The command `map`. */
export function addMap(program: Command, terminal: Terminal): void {
  const map = program
    .command('map')
    .helpGroup('Commands:')
    .description('Show the maps of an eBPF object file, or of a run.')
    .usage('COMMAND FILE [options]')
    .helpCommand(false);
  map
    .command('show')
    .description('List maps; of an object its variables, too.')
    .argument('FILE', FILE_HELP)
    .option('--json', JSON_HELP)
    .action(async (file: string, flags: Flags) => {
      const states = await listStates(file);
      if (states !== null) showStates(file, states, flags, terminal);
      else showMaps(readObject(file, await readBytes('FILE', file)), flags, terminal);
    });
  addMapElements(map, terminal);
}

function add(to: Command, name: string, help: string, show: Show, terminal: Terminal): Command {
  return to
    .command(name)
    .description(help)
    .argument('FILE', 'eBPF object (.o)')
    .option('--json', JSON_HELP)
    .action(async (file: string, flags: Flags) => {
      const types = await kernelTypesAt(flags.btf);
      show(readObject(file, await readBytes('FILE', file), types), flags, terminal);
    });
}

function showPrograms(spec: CollectionSpec, { json: asJson }: Flags, terminal: Terminal): void {
  const programs = listPrograms(spec);
  if (asJson) {
    terminal.out(jsonLine(programs));
    return;
  }
  const { bold } = terminal.colors;
  const rows = programs.map((p) => [p.name, p.section, p.type, String(p.insns), notesOn(p)]);
  const head = ['program', 'section', 'type', 'insns', ''];
  const lines = table([head, ...rows], ['left', 'left', 'left', 'right', 'left']);
  const license = spec.license === '' ? 'no licence' : `licence ${spec.license}`;
  const types = spec.btf === null ? 'no type information' : `${spec.btf.count - 1} types`;
  terminal.out(`${bold(spec.file)}  ${license}, ${types}\n\n${lines.join('\n')}\n`);
}

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what} ${names.join(' ')}`];

function notesOn(program: ProgramListing): string {
  const { autoload, frags, functions, maps, externs, core, run_config: place } = program;
  return [
    ...(autoload ? [] : ['only when asked for']),
    ...(frags ? ['fragments'] : []),
    ...named('calls', functions.slice(1)),
    ...named('maps', maps),
    ...named('externs', externs),
    ...(core === 0 ? [] : [`${core} CO-RE`]),
    ...placeNotes(place),
  ].join('; ');
}

function placeNotes(place: ProgramListing['run_config']): string[] {
  if (place === null) return [];
  if ('refused' in place) return [printable(place.refused)];
  const { priority, chain_call_actions: goesOn } = place;
  return [`priority ${priority}`, ...named('goes on after', goesOn)];
}

/** @throws OptionError, and with --jited what loading throws */
function dump(spec: CollectionSpec, flags: Flags, terminal: Terminal): void {
  if (flags.jited) {
    const dumps = jitDump(spec, xdpProgramsOf(spec, flags), verifyFlag(flags.verify));
    terminal.out(flags.json ? jsonLine(dumps) : dumps.map((d) => jitText(d, terminal)).join('\n'));
    return;
  }
  for (const name of ['btf', 'verify'] as const) {
    if (flags[name] !== undefined) throw new OptionError(`--${name} is for dumps with --jited`);
  }
  const dumps = programsOf(spec, flags).map((program) => dumpProgram(program));
  terminal.out(flags.json ? jsonLine(dumps) : dumps.map((d) => dumpText(d, terminal)).join('\n'));
}

/** Of any type: what does not run here can be read all the same. */
function programsOf({ file, programs }: CollectionSpec, flags: Flags): ProgramSpec[] {
  const all = Object.values(programs);
  const found = all.filter(
    ({ name, section }) => (flags.program ?? name) === name && (flags.sec ?? section) === section,
  );
  const asked = flags.program !== undefined || flags.sec !== undefined;
  if (found.length > 0 || !asked) return found;
  const known = all.map(({ name, section }) => `${name} (${section})`).join(', ');
  throw new InputError(`${file}: no such program; the object has ${known || 'none'}`);
}

/** Those that were asked for; unless they were, those of type XDP that load by themselves. */
function xdpProgramsOf(spec: CollectionSpec, flags: Flags): ProgramSpec[] {
  const found = programsOf(spec, flags);
  if (flags.program !== undefined || flags.sec !== undefined) return found;
  const xdp = found.filter(({ type, autoload }) => type === BPF_PROG_TYPE_XDP && autoload);
  if (xdp.length === 0) chooseProgram(spec, {}); // says what there is instead
  return xdp;
}

const dumpText = ({ program, section, insns }: ProgramDump, { colors }: Terminal): string =>
  `${colors.bold(`${program} (${section})`)}\n${listingText(insns)}\n`;

function showMaps(spec: CollectionSpec, { json: asJson }: Flags, terminal: Terminal): void {
  const maps = listMaps(spec);
  if (asJson) {
    terminal.out(jsonLine(maps));
    return;
  }
  const { bold } = terminal.colors;
  const head = ['map', 'type', 'key', 'value', 'entries', 'flags', ''];
  const rows = maps.map((map) => [
    map.name,
    map.type,
    `${map.bytes_key} B`,
    `${map.bytes_value} B`,
    String(map.max_entries),
    `0x${map.flags.toString(16)}`,
    mapNotes(map),
  ]);
  const lines = table(
    [head, ...rows],
    ['left', 'left', 'right', 'right', 'right', 'right', 'left'],
  );
  const variables = maps.flatMap((map) =>
    map.variables.map((v) => [v.name, v.type, map.name, shown(v.value)]),
  );
  const more =
    variables.length === 0
      ? []
      : [
          '',
          ...table(
            [['variable', 'type', 'in', 'value'], ...variables],
            ['left', 'left', 'left', 'left'],
          ),
        ];
  terminal.out(`${bold(spec.file)}\n\n${[...lines, ...more].join('\n')}\n`);
}

/** What a maps file or a run tells of its maps. */
function showStates(
  file: string,
  { maps }: MapsFile,
  { json: asJson }: Flags,
  terminal: Terminal,
): void {
  const listed = maps.map(({ name, type, keySize, valueSize, elems }) => ({
    ...{ name, type, bytes_key: keySize, bytes_value: valueSize, elements: elems.length },
  }));
  if (asJson) {
    terminal.out(jsonLine(listed));
    return;
  }
  const rows = listed.map((map) => [
    printable(map.name),
    printable(map.type),
    `${map.bytes_key} B`,
    `${map.bytes_value} B`,
    String(map.elements),
  ]);
  const lines = table(
    [['map', 'type', 'key', 'value', 'elements'], ...rows],
    ['left', 'left', 'right', 'right', 'right'],
  );
  terminal.out(`${terminal.colors.bold(printable(file))}\n\n${lines.join('\n')}\n`);
}

function mapNotes({ key, value, inner, values, pinned, frozen }: MapListing): string {
  return [
    ...(value === '' ? [] : [key === '' ? value : `${key} → ${value}`]),
    ...(inner === null ? [] : [`of ${inner.type}, ${inner.max_entries} entries`]),
    ...values.map(({ index, name }) => `[${index}] ${name}`),
    ...(pinned ? ['pinned by name'] : []),
    ...(frozen ? ['frozen'] : []),
  ].join('; ');
}

const shown = (value: BtfValue | null): string =>
  value === null
    ? 'not known'
    : typeof value === 'object' || typeof value === 'string'
      ? jsonLine(value).trim()
      : String(value);
