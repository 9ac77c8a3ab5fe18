/**
 * The maps of a program as a file: what a run left in them, and what another run starts from.
 *
 * Bytes are in hex, keys in the kernel's order; beside them, as `bpftool -j map dump` has it, what
 * they mean, where an object tells (integers beyond 2^53 as texts). Only the bytes are read back, and
 * of programs and maps inside maps the names. The value of a per-CPU map holds one value after the
 * other, for as many CPUs as the machine had. Maps that user space cannot read (sockets, perf events)
 * or walk (queues, ring buffers) are left out.
 */
import * as z from 'zod';
import { errnoName } from '../host/errno.ts';
import type { MapDatum, MapTypes } from '../xdp/loader/typedMap.ts';
import { TypedMap } from '../xdp/loader/typedMap.ts';
import type { BpfMap } from '../xdp/maps/bpfMap.ts';
import { MapError } from '../xdp/maps/mapDef.ts';
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PROG_ARRAY,
  MAP_TYPE_NAMES,
} from '../xdp/maps/uapi.ts';
import { InputError } from './inputError.ts';
import { bytesOfHex } from './mapData.ts';

/** One element, bytes in hex. */
export interface MapElem {
  readonly key: string;
  readonly value: string;
  /** Of the program or map that the value is. */
  readonly name?: string | undefined;
  readonly formatted?: { readonly key: JsonDatum; readonly value: JsonDatum } | undefined;
}

export interface MapState {
  readonly name: string;
  /** As bpftool names it. */
  readonly type: string;
  readonly keySize: number;
  /** Of one value in user space's hands: per-CPU values of all CPUs together. */
  readonly valueSize: number;
  readonly elems: readonly MapElem[];
}

export interface MapsFile {
  readonly format: 'ringscope maps 1';
  readonly maps: readonly MapState[];
}

const HEX = /^([0-9a-f]{2})*$/i;
const hexText: z.ZodType<string> = z.string().regex(HEX, 'an even number of hex digits');
/** What a value of a C type is in JSON. */
export type JsonDatum =
  number | boolean | string | readonly JsonDatum[] | { readonly [member: string]: JsonDatum };

const elemSchema: z.ZodType<MapElem> = z.strictObject({
  key: hexText,
  value: hexText,
  name: z.optional(z.string()),
  formatted: z.optional(
    z.strictObject({
      key: z.json() as z.ZodType<JsonDatum>,
      value: z.json() as z.ZodType<JsonDatum>,
    }),
  ),
});
const mapSchema: z.ZodType<MapState> = z.strictObject({
  name: z.string(),
  type: z.string(),
  keySize: z.int().min(0),
  valueSize: z.int().min(0),
  elems: z.array(elemSchema),
});
const fileSchema: z.ZodType<MapsFile> = z.strictObject({
  format: z.literal('ringscope maps 1'),
  maps: z.array(mapSchema),
});

/** Most elements of all maps in a file, and most bytes of keys and values: both are texts there. */
const MOST_ELEMS: number = 1 << 20;
const MOST_BYTES: number = 1 << 26;

export const hexOfBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * @param types what keys and values mean; without, it is left out
 * @param only this one
 * @throws InputError for more than a file takes, and for one map alone without elements to list
 */
export function mapsFile(
  maps: Readonly<Record<string, BpfMap>>,
  types: Readonly<Record<string, MapTypes>> = {},
  only?: string,
): MapsFile {
  const left = { elems: MOST_ELEMS, bytes: MOST_BYTES };
  const states = Object.entries(maps).flatMap(([name, map]) => {
    if (only !== undefined && name !== only) return [];
    const elems = elemsOf(map, types[name], maps, left);
    if (elems === null && only !== undefined) throw noElements(name, map);
    if (elems === null) return [];
    const type = MAP_TYPE_NAMES[map.type]!;
    return [{ name, type, keySize: map.keySize, valueSize: map.userValueSize, elems }];
  });
  return { format: 'ringscope maps 1', maps: states };
}

const noElements = (name: string, { type }: BpfMap): InputError =>
  new InputError(`map ${name} (${MAP_TYPE_NAMES[type]}) has no elements that can be listed`);

/** @returns null for a kind that user space cannot walk or read */
function elemsOf(
  map: BpfMap,
  types: MapTypes | undefined,
  others: Readonly<Record<string, BpfMap>>,
  left: { elems: number; bytes: number },
): MapElem[] | null {
  const typed = new TypedMap(map, types);
  const elems: MapElem[] = [];
  const bytes = map.keySize + map.userValueSize;
  const least = ARRAYS.includes(map.type) ? map.maxEntries : 0;
  if (least > left.elems || least * bytes > left.bytes) throw tooMuch(map);
  try {
    for (let key = map.sysGetNextKey(null); key !== null; key = map.sysGetNextKey(key)) {
      const elem = elemAt(typed, key, others);
      if (elem === null) continue;
      left.elems--;
      left.bytes -= bytes;
      if (left.elems < 0 || left.bytes < 0) throw tooMuch(map);
      elems.push(elem);
    }
  } catch (error) {
    if (error instanceof MapError) return null;
    throw error;
  }
  return elems;
}

/** Always full. */
const ARRAYS: readonly number[] = [BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY];

const tooMuch = ({ name }: BpfMap): InputError =>
  new InputError(
    `map ${name}: a maps file takes at most ${MOST_ELEMS} elements and ${MOST_BYTES} bytes of all maps`,
  );

/**
 * @param others maps by the names that maps of maps shall have
 * @returns null where there is no such key
 */
export function elemAt(
  typed: TypedMap,
  key: Uint8Array,
  others: Readonly<Record<string, BpfMap>>,
): MapElem | null {
  const bytes = typed.map.sysLookup(key);
  if (bytes === null) return null;
  const name = nameInside(typed.map, bytes, others);
  const elem = { key: hexOfBytes(key), value: hexOfBytes(bytes), ...(name && { name }) };
  if (name !== undefined || !typed.isTyped) return elem;
  const [shownKey, value] = typed.decoded(key, bytes);
  return { ...elem, formatted: { key: jsonDatum(shownKey), value: jsonDatum(value) } };
}

/** What a program array or a map of maps has there. */
function nameInside(
  { bpf, type }: BpfMap,
  value: Uint8Array,
  others: Readonly<Record<string, BpfMap>>,
): string | undefined {
  if (!INSIDE.includes(type)) return undefined;
  const id = new DataView(value.buffer, value.byteOffset).getUint32(0, true);
  if (type === BPF_MAP_TYPE_PROG_ARRAY) return bpf.progs.get(id)?.name;
  return Object.entries(others).find(([, map]) => map.id === id)?.[0]; // the kernel's is cut short
}

const INSIDE: readonly number[] = [
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
];

/** By the name a file has. */
export const holdsNames = (type: string): boolean =>
  INSIDE.some((inside) => MAP_TYPE_NAMES[inside] === type);

function jsonDatum(datum: MapDatum): JsonDatum {
  if (typeof datum === 'bigint') return String(datum);
  if (datum instanceof Uint8Array) return hexOfBytes(datum);
  if (typeof datum !== 'object') return datum;
  if (Array.isArray(datum)) return (datum as readonly MapDatum[]).map(jsonDatum);
  return Object.fromEntries(
    Object.entries(datum).map(([name, part]) => [name, jsonDatum(part as MapDatum)]),
  );
}

/** @throws InputError naming the place in the file */
export function parseMapsFile(name: string, bytes: Uint8Array): MapsFile {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(`${name}: not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) {
    for (const map of parsed.data.maps) checkSizes(name, map);
    return parsed.data;
  }
  const issue = parsed.error.issues[0]!;
  throw new InputError(`${name}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
}

function checkSizes(file: string, { name, keySize, valueSize, elems }: MapState): void {
  elems.forEach(({ key, value }, i) => {
    if (key.length !== 2 * keySize || value.length !== 2 * valueSize) {
      throw new InputError(
        `${file}: map ${name}, element ${i}: its key has ${key.length / 2} bytes and its value ` +
          `${value.length / 2}, not ${keySize} and ${valueSize}`,
      );
    }
  });
}

/**
 * Write a file's elements into live maps; what is frozen keeps what the object says.
 *
 * @throws InputError for a map that is not there, is another one, or refuses an element
 */
export function restoreMaps(
  file: string,
  { maps: states }: MapsFile,
  maps: Readonly<Record<string, BpfMap>>,
  programs: Readonly<Record<string, { readonly id: number }>> = {},
): void {
  for (const { name, type, keySize, valueSize, elems } of states) {
    const map = Object.hasOwn(maps, name) ? maps[name] : undefined;
    if (map === undefined) {
      const known = Object.keys(maps).join(', ') || 'none';
      throw new InputError(`${file}: the program has no map ${name}; it has ${known}`);
    }
    if (map.frozen) continue;
    const live = [MAP_TYPE_NAMES[map.type], map.keySize, map.userValueSize];
    if (live.join() !== [type, keySize, valueSize].join()) {
      throw new InputError(
        `${file}: map ${name} is ${type} with keys of ${keySize} and values of ${valueSize} bytes, ` +
          `the program's is ${live[0]} with ${live[1]} and ${live[2]}`,
      );
    }
    const named = INSIDE.includes(map.type);
    if (named) clear(map);
    for (const { key, value, name: inside } of elems) {
      const known = map.type === BPF_MAP_TYPE_PROG_ARRAY ? programs : maps;
      const bytes = named
        ? idNamed(`${file}: map ${name}, key ${key}`, inside, known)
        : bytesOfHex(value);
      const rc = map.sysUpdate(bytesOfHex(key), bytes);
      if (rc !== 0) throw new InputError(`${file}: map ${name}, key ${key}: ${errnoName(rc)}`);
    }
  }
}

/** What the object put into it may have been taken out since. */
function clear(map: BpfMap): void {
  for (let key = map.sysGetNextKey(null); key !== null; key = map.sysGetNextKey(key)) {
    if (map.sysLookup(key) !== null) map.sysDelete(key);
  }
}

function idNamed(
  what: string,
  name: string | undefined,
  known: Readonly<Record<string, { readonly id: number }>>,
): Uint8Array {
  if (name !== undefined && Object.hasOwn(known, name)) {
    return new Uint8Array(Uint32Array.of(known[name]!.id).buffer);
  }
  const names = Object.keys(known).join(', ') || 'none';
  throw new InputError(
    `${what}: needs a name, one of ${names}${name === undefined ? '' : `, not ${name}`}`,
  );
}
