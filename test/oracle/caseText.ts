/**
 * Programs for both verifiers as text: many small ones in a file, in `test/oracle/cases/`.
 *
 *   == name of the case
 *   @caps noperfmon          settings: caps, flags, loglevel, type, attach, license
 *   r1 = map hash            a map of `caseMaps.ts`, by name
 *   r1 = value array+4       the address of a value of an array
 *   call map_lookup_elem     a helper
 *   call kfunc bpf_rcu_read_lock
 *   r2 = func callback       the address of a function
 *   callback:                else as `assembleClang` reads it
 *   lookup hash              short for what most programs begin with, as the next
 *   packet 14 out            r2: data, r3: data_end; to `out` with fewer than 14 bytes
 */
import { readFileSync, readdirSync } from 'node:fs';
import { assembleClang } from '../../src/xdp/isa/asmClang.ts';
import { AsmError } from '../../src/xdp/isa/asmError.ts';
import { BPF_FUNC_MAX_ID, funcIdName } from '../../src/xdp/helpers/helperNames.ts';
import { CASE_MAPS } from './caseMaps.ts';
import type { OracleCaps, OracleMap } from './oracle.ts';
import type { VerifierCase } from './verifierJudge.ts';

const HELPERS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: BPF_FUNC_MAX_ID }, (_, id) => [funcIdName(id).slice('bpf_'.length), id]),
);
const SETTINGS = ['caps', 'flags', 'loglevel', 'type', 'attach', 'license'] as const;
type Setting = (typeof SETTINGS)[number];

const FOLDER = new URL('cases/', import.meta.url);

/** Every case of the folder; its name begins with that of its file. */
export function smallCases(): VerifierCase[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.txt'))
    .toSorted()
    .flatMap((file) => {
      const area = file.slice(0, -'.txt'.length);
      const cases = readCases(file, readFileSync(new URL(file, FOLDER), 'utf8'));
      return cases.map((one) => ({ ...one, name: `${area}: ${one.name}` }));
    });
}

/** @param file for what is said of mistakes */
export function readCases(file: string, text: string): VerifierCase[] {
  const [, ...parts] = `\n${text}`.split(/\n== /);
  return parts.map((part) => {
    const end = part.indexOf('\n');
    const name = part.slice(0, end).trim();
    return readCase(file, name, part.slice(end + 1).split('\n'));
  });
}

function readCase(file: string, name: string, lines: readonly string[]): VerifierCase {
  const maps: OracleMap[] = [];
  const mapNames: string[] = [];
  const kfuncs: string[] = [];
  const settings: Partial<Record<Setting, string>> = {};
  const wrong = (what: string): Error => new Error(`${file}: ${name}: ${what}`);

  const mapId = (map: string): number => {
    const known = mapNames.indexOf(map);
    if (known >= 0) return known;
    const made = CASE_MAPS[map];
    if (made === undefined) throw wrong(`no map ${map}`);
    const { innerMap, ...rest } = made;
    const inner = innerMap === undefined ? {} : { inner: mapId(innerMap) };
    mapNames.push(map);
    return maps.push({ ...rest, ...inner }) - 1;
  };
  const kfuncId = (kfunc: string): number => {
    const known = kfuncs.indexOf(kfunc);
    return known >= 0 ? known : kfuncs.push(kfunc) - 1;
  };
  const translate = (line: string): string => {
    const setting = /^@(\w+) (.+)$/.exec(line);
    if (setting !== null) {
      const [, key, value] = setting;
      if (!SETTINGS.includes(key as Setting)) throw wrong(`no setting ${key}`);
      settings[key as Setting] = value!;
      return '';
    }
    const [word, arg, to] = line.split(/\s+/);
    if (word === 'lookup')
      return translateAll([
        '*(u64 *)(r10 - 8) = 0',
        'r2 = r10',
        'r2 += -8',
        `r1 = map ${arg}`,
        'call map_lookup_elem',
      ]);
    if (word === 'packet')
      return translateAll([
        'r2 = *(u32 *)(r1 + 0)',
        'r3 = *(u32 *)(r1 + 4)',
        'r4 = r2',
        `r4 += ${arg}`,
        `if r4 > r3 goto ${to}`,
      ]);
    return line
      .replace(/= map (\w+)$/, (_, map: string) => `= map[id:${mapId(map)}]`)
      .replace(/= value (\w+)\+/, (_, map: string) => `= map[id:${mapId(map)}][0]+`)
      .replace(/= func (\w+)$/, '= subprog[$1]')
      .replace(/^call kfunc (\w+)$/, (_, kfunc: string) => `call kfunc#${kfuncId(kfunc)}`)
      .replace(/^call (\w+)$/, (whole, helper: string) =>
        HELPERS.has(helper) ? `call ${HELPERS.get(helper)}` : whole,
      );
  };
  const translateAll = (all: readonly string[]): string => all.map(translate).join('\n');

  const program = translateAll(lines.map((line) => line.trim()));
  const insns = AsmError.at(null, name, () => assembleClang(program));
  return {
    name,
    insns,
    maps,
    logLevel: Number(settings.loglevel ?? 2),
    ...(kfuncs.length === 0 ? {} : { kfuncs }),
    ...(settings.caps === undefined ? {} : { caps: settings.caps as OracleCaps }),
    ...(settings.flags === undefined ? {} : { flags: Number(settings.flags) }),
    ...(settings.type === undefined ? {} : { type: Number(settings.type) }),
    ...(settings.attach === undefined ? {} : { attachType: Number(settings.attach) }),
    ...(settings.license === undefined ? {} : { license: settings.license }),
  };
}
