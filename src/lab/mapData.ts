/**
 * Keys and values of maps as people write them.
 *
 * Bytes are hex digits, as many as there are bytes, blanks and colons between them as one likes, `0x`
 * in front or not. Everything else is a value of the map's type: a number, an object, a list, the
 * name of an enumerator. Digits that could be either are refused. Maps that hold programs, maps,
 * devices or CPUs take names: `{ ifindex: eth1, prog: NAME }`, `{ qsize: 64, prog: NAME }`, `NAME`.
 */
import { printable } from '../host/errors.ts';
import type { BtfInput } from '../xdp/btf/value.ts';
import type { BpfMap } from '../xdp/maps/bpfMap.ts';
import {
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_PROG_ARRAY,
} from '../xdp/maps/uapi.ts';
import { InputError } from './inputError.ts';
import { didYouMean } from './nearest.ts';

interface Numbered {
  readonly id: number;
}

/** What names in values stand for. */
export interface NamesForMaps {
  /** Programs that were loaded with the map. */
  readonly programs: Readonly<Record<string, Numbered>>;
  /** Maps likewise. */
  readonly maps: Readonly<Record<string, Numbered>>;
  /** @returns undefined for no device */
  ifindexOf(name: string): number | undefined;
}

/**
 * @param what it is, for messages
 * @param size in bytes
 * @throws InputError
 */
export function datumOf(what: string, raw: unknown, size: number): BtfInput {
  if (typeof raw !== 'string') {
    if (raw === null || raw === undefined) throw new InputError(`${what}: needs a value`);
    return raw as BtfInput;
  }
  const text = raw.trim();
  const digits = text.replace(/^0x/i, '').replaceAll(/[\s:]/g, '');
  const isHex = /^([0-9a-f]{2})+$/i.test(digits) && digits.length === 2 * size;
  const isDecimal = /^-?(0|[1-9]\d*)$/.test(text);
  if (isHex && isDecimal) {
    throw new InputError(
      `${what}: ${text} may be bytes or a number: write 0x${digits} for the bytes, or those of the number`,
    );
  }
  if (isHex) return bytesOfHex(digits);
  if (/^0x/i.test(text)) {
    throw new InputError(
      `${what}: ${printable(text)} is not ${size} bytes in hex (${2 * size} digits)`,
    );
  }
  if (isDecimal) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  try {
    return JSON.parse(text) as BtfInput;
  } catch (error) {
    if (/^[{["]/.test(text)) {
      throw new InputError(`${what}: not JSON: ${error instanceof Error ? error.message : ''}`);
    }
    return text;
  }
}

/** @param hex an even number of digits */
export const bytesOfHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));

/** A value whose names are looked up. @throws InputError for a name of nothing */
export function valueOf(map: BpfMap, raw: unknown, names: NamesForMaps): BtfInput {
  const what = `map ${map.name}, value`;
  const datum = datumOf(what, raw, map.userValueSize);
  if (datum instanceof Uint8Array) return datum;
  if (map.type === BPF_MAP_TYPE_PROG_ARRAY) return idOf(what, 'program', datum, names.programs);
  if (map.inner !== undefined) return idOf(what, 'map', datum, names.maps);
  const targets = [BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP];
  return targets.includes(map.type) ? targetOf(map, what, datum, names) : datum;
}

function idOf(
  what: string,
  kind: string,
  name: BtfInput,
  numbered: Readonly<Record<string, Numbered>>,
): BtfInput {
  if (typeof name !== 'string') return name;
  if (Object.hasOwn(numbered, name)) return numbered[name]!.id;
  const known = Object.keys(numbered);
  throw new InputError(
    `${what}: no ${kind} ${printable(name)}${didYouMean(name, known)}; there are ${known.join(', ') || 'none'}`,
  );
}

/** The bytes of struct bpf_devmap_val or struct bpf_cpumap_val. */
function targetOf(map: BpfMap, what: string, datum: BtfInput, names: NamesForMaps): Uint8Array {
  const first = map.type === BPF_MAP_TYPE_CPUMAP ? 'qsize' : 'ifindex';
  const given = typeof datum === 'object' ? datum : { [first]: datum };
  const { [first]: target, prog, ...more } = given as Readonly<Record<string, BtfInput>>;
  const odd = Object.keys(more)[0];
  if (odd !== undefined || target === undefined) {
    const form = `{ ${first}, prog }`;
    throw new InputError(`${what}: ${odd === undefined ? `needs ${first}` : odd} (${form})`);
  }
  const id = prog === undefined ? 0 : idOf(what, 'program', prog, names.programs);
  const number = typeof target === 'string' ? (names.ifindexOf(target) ?? -1) : target;
  if (number === -1) throw new InputError(`${what}: no device ${printable(target as string)}`);
  if (!isWord(number) || !isWord(id)) {
    throw new InputError(`${what}: ${first} and prog are whole numbers from 0 to 4294967295`);
  }
  if (id !== 0 && map.valueSize < 8) {
    throw new InputError(`${what}: has ${map.valueSize} bytes, no place for a program`);
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, number, true);
  view.setUint32(4, id, true);
  return new Uint8Array(view.buffer, 0, map.valueSize);
}

const isWord = (value: BtfInput): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
