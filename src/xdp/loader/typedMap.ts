/**
 * A live map with keys and values as its types say: `counters.get({ proto: 6 })`.
 *
 * Without types, keys and values of 1, 2, 4 or 8 bytes are numbers, others are bytes. Values of
 * per-CPU maps are arrays, one element a CPU. It is user space's side: what is frozen or read-only
 * refuses to be written, and what programs change meanwhile is seen on the next call.
 */
import { ENOENT } from '../../host/errno.ts';
import type { Btf } from '../btf/btf.ts';
import { readBits, writeBits } from '../btf/bits.ts';
import { readValue } from '../btf/readValue.ts';
import type { BtfInput, BtfValue } from '../btf/value.ts';
import { rangeOf, ValueRefused } from '../btf/value.ts';
import { writeValue } from '../btf/writeValue.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { MAP_KINDS } from '../maps/kinds.ts';
import { MapError, round8 } from '../maps/mapDef.ts';
import { BPF_ANY } from '../maps/uapi.ts';
import type { MapSpec } from './spec.ts';

/** What a map's blueprint says of its keys and values. */
export type MapTypes = Pick<MapSpec, 'btf' | 'keyType' | 'valueType'>;

/** Without types: numbers where the sizes allow, else bytes. */
export const UNTYPED: MapTypes = { btf: null, keyType: 0, valueType: 0 };

/** Keys and values as they are read; bytes where there is no type. */
export type MapDatum = BtfValue | Uint8Array;

export class TypedMap implements Iterable<readonly [key: MapDatum, value: MapDatum]> {
  readonly map: BpfMap;
  /** Does an object tell what keys and values are? */
  readonly isTyped: boolean;
  private readonly key: Codec;
  private readonly value: Codec;

  constructor(map: BpfMap, types: MapTypes = UNTYPED) {
    const { name } = map;
    this.map = map;
    this.isTyped = types.btf !== null && types.valueType !== 0;
    this.key = codecOf(types.btf, types.keyType, map.keySize, `${name}.key`);
    const value = codecOf(types.btf, types.valueType, map.valueSize, `${name}.value`);
    const cpus = perCpuOf(map);
    this.value = cpus === 0 ? value : eachCpu(value, map.valueSize, cpus, `${name}.value`);
  }

  /** What the bytes of a key, and of its value as user space has it, mean. */
  decoded(key: Uint8Array, value: Uint8Array): readonly [key: MapDatum, value: MapDatum] {
    return [this.key.read(key), this.value.read(value)];
  }

  keyBytes(key: BtfInput): Uint8Array {
    return this.key.write(key);
  }

  /** As user space hands it over: of a per-CPU map, the values of all CPUs. */
  valueBytes(value: BtfInput): Uint8Array {
    return this.value.write(value);
  }

  /** @returns undefined where the map has no such key */
  get(key: BtfInput): MapDatum | undefined {
    const bytes = this.map.sysLookup(this.keyBytes(key));
    return bytes === null ? undefined : this.value.read(bytes);
  }

  /** @throws MapError when the map refuses */
  set(key: BtfInput, value: BtfInput, flags: number = BPF_ANY): void {
    const rc = this.map.sysUpdate(this.keyBytes(key), this.valueBytes(value), flags);
    if (rc !== 0) throw new MapError(this.map, -rc, 'update refused');
  }

  /** @returns whether it was there */
  delete(key: BtfInput): boolean {
    const rc = this.map.sysDelete(this.keyBytes(key));
    if (rc === -ENOENT) return false;
    if (rc !== 0) throw new MapError(this.map, -rc, 'delete refused');
    return true;
  }

  /** In the kernel's order. A key that is deleted meanwhile starts the walk again, as it does on Linux. */
  *keys(): Generator<MapDatum> {
    for (const key of this.rawKeys()) yield this.key.read(key);
  }

  *entries(): Generator<readonly [key: MapDatum, value: MapDatum]> {
    for (const key of this.rawKeys()) {
      const value = this.map.sysLookup(key);
      if (value !== null) yield [this.key.read(key), this.value.read(value)];
    }
  }

  [Symbol.iterator](): Iterator<readonly [key: MapDatum, value: MapDatum]> {
    return this.entries();
  }

  private *rawKeys(): Generator<Uint8Array> {
    for (let key = this.map.sysGetNextKey(null); key !== null; key = this.map.sysGetNextKey(key)) {
      yield key;
    }
  }
}

interface Codec {
  read(bytes: Uint8Array): MapDatum;
  write(value: BtfInput): Uint8Array;
}

function codecOf(btf: Btf | null, type: number, size: number, path: string): Codec {
  if (btf !== null && type !== 0) {
    return {
      read: (bytes) => readValue(btf, type, bytes),
      write: (value) => writeValue(btf, type, value, path),
    };
  }
  return {
    read: (bytes) => (isNumberSize(size) ? numberOf(bytes, size) : bytes.slice(0, size)),
    write: (value) => bytesOf(value, size, path),
  };
}

const isNumberSize = (size: number): boolean =>
  size === 1 || size === 2 || size === 4 || size === 8;

function numberOf(bytes: Uint8Array, size: number): number | bigint {
  const raw = readBits(bytes, 0, size * 8, false);
  const number = Number(raw);
  return Number.isSafeInteger(number) ? number : raw;
}

function bytesOf(value: BtfInput, size: number, path: string): Uint8Array {
  if (value instanceof Uint8Array) {
    if (value.length === size) return value;
    throw new ValueRefused(path, `${value.length} bytes, not ${size}`);
  }
  const isNumber = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!isNumber || !isNumberSize(size)) {
    throw new ValueRefused(path, `without a type it is ${size} bytes, given as such`);
  }
  const raw = BigInt(value as number | bigint);
  const [, most] = rangeOf(size * 8, false);
  if (raw < 0n || raw > most) throw new ValueRefused(path, `${raw} is out of range (0 to ${most})`);
  const bytes = new Uint8Array(size);
  writeBits(bytes, 0, size * 8, raw);
  return bytes;
}

/** @returns 0 for a map whose values all CPUs share */
const perCpuOf = (map: BpfMap): number => (MAP_KINDS[map.type]?.perCpu === true ? map.bpf.cpus : 0);

function eachCpu(one: Codec, size: number, cpus: number, path: string): Codec {
  const stride = round8(size);
  return {
    read: (bytes) =>
      Array.from({ length: cpus }, (_, cpu) =>
        one.read(bytes.subarray(cpu * stride, cpu * stride + size)),
      ) as MapDatum,
    write: (value) => {
      if (value instanceof Uint8Array && value.length === cpus * stride) return value;
      if (!Array.isArray(value) || value.length !== cpus) {
        throw new ValueRefused(path, `a per-CPU value is an array of ${cpus}, one for each CPU`);
      }
      const bytes = new Uint8Array(cpus * stride);
      value.forEach((part: BtfInput, cpu) => bytes.set(one.write(part), cpu * stride));
      return bytes;
    },
  };
}
