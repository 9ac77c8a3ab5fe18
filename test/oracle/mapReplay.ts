/** A script of `maps.c` replayed on our own maps: the same lines in, the same lines out. */
import type { Bpf, BpfProgRef } from '../../src/xdp/bpf.ts';
import type { BatchDone, BatchRead } from '../../src/xdp/maps/batch.ts';
import {
  sysDeleteBatch,
  sysLookupAndDeleteBatch,
  sysLookupBatch,
  sysUpdateBatch,
} from '../../src/xdp/maps/batch.ts';
import { BloomFilterMap } from '../../src/xdp/maps/bloomFilter.ts';
import type { BpfMap } from '../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../src/xdp/maps/createMap.ts';
import type { MapDef } from '../../src/xdp/maps/mapDef.ts';
import { MapError } from '../../src/xdp/maps/mapDef.ts';
import { ArrayOfMaps, HashOfMaps } from '../../src/xdp/maps/mapInMap.ts';
import { ProgArrayMap } from '../../src/xdp/maps/progArray.ts';
import { standaloneBpf } from '../../src/xdp/standalone.ts';

const NOTHING = new Uint8Array(0);
const NO_KEY = '-';
const PROG_FLAG_FRAGS = 32;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex') || '-';
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const idOf = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

class Replay {
  private readonly bpf: Bpf;
  private maps: (BpfMap | null)[] = [];
  private readonly progs: BpfProgRef[] = [];

  constructor(cpus: number) {
    this.bpf = standaloneBpf({ mapBytes: 64 << 20, cpus });
  }

  line(text: string): string {
    const [op, ...args] = text.split(' ');
    if (op === 'reset') {
      for (const map of this.maps) map?.release();
      this.maps = [];
      return '0';
    }
    if (op === 'map') return this.create(args.map(Number));
    if (op === 'prog') return this.load(Number(args[0]), Number(args[1]));
    const map = this.maps[Number(args[0])] ?? null;
    if (map === null) throw new Error(`${text}: there is no such map`);
    try {
      return op!.length === 2 ? this.batch(op!, map, args) : this.element(op!, map, args);
    } catch (error) {
      if (error instanceof MapError) return String(-error.errno);
      throw error;
    }
  }

  private create(args: number[]): string {
    const [
      type = 0,
      keySize = 0,
      valueSize = 0,
      maxEntries = 0,
      flags = 0,
      mapExtra = 0,
      inner = -1,
    ] = args;
    const sizes = { keySize, valueSize, maxEntries, flags, mapExtra };
    const model: Partial<MapDef> = inner < 0 ? {} : { inner: this.maps[inner]! };
    try {
      this.maps.push(createMap(this.bpf, { name: 'm', type, ...sizes, ...model }));
      return '0';
    } catch (error) {
      if (!(error instanceof MapError)) throw error;
      this.maps.push(null);
      return String(-error.errno);
    }
  }

  private load(attachType: number, flags: number): string {
    const id = this.progs.length + 1;
    const prog: BpfProgRef = {
      ...{ id, name: `p${id}`, type: 6, attachType, frags: (flags & PROG_FLAG_FRAGS) !== 0 },
      image: { name: `p${id}`, insns: [] },
      run: () => 0,
    };
    this.progs.push(prog);
    this.bpf.progs.set(id, prog);
    return '0';
  }

  private element(op: string, map: BpfMap, args: readonly string[]): string {
    const [, key = NO_KEY, a = '', b = ''] = args;
    const k = this.bytes(key);
    switch (op) {
      case 'u':
        return String(map.sysUpdate(k, this.bytes(a), Number(b)));
      case 'l':
        if (map instanceof BloomFilterMap) {
          const value = this.bytes(b);
          return map.sysTest(value, Number(a)) ? `0 ${hex(value)}` : '-2';
        }
        return this.found(map, map.sysLookup(k, Number(a)));
      case 'd':
        return String(map.sysDelete(k));
      case 't':
        return this.found(map, map.sysLookupAndDelete(k, Number(a)));
      case 'n': {
        const next = map.sysGetNextKey(key === NO_KEY ? null : k);
        return next === null ? '-2' : `0 ${hex(next)}`;
      }
      case 'f':
        return String(map.freeze());
      default:
        throw new Error(`unknown operation ${op}`);
    }
  }

  private batch(op: string, map: BpfMap, args: readonly string[]): string {
    const [, a = '', b = '', c = '', d = ''] = args;
    const from = a === NO_KEY ? null : this.bytes(a);
    if (op === 'bl') return this.read(map, sysLookupBatch(map, from, Number(b), Number(c)));
    if (op === 'bt')
      return this.read(map, sysLookupAndDeleteBatch(map, from, Number(b), Number(c)));
    const done: BatchDone =
      op === 'bu'
        ? sysUpdateBatch(map, this.bytes(b), this.bytes(c), Number(d))
        : sysDeleteBatch(map, this.bytes(b), Number(c));
    return `${done.rc} ${done.count}`;
  }

  private read(map: BpfMap, batch: BatchRead): string {
    const { rc, count } = batch;
    if (rc !== 0 && rc !== -2) return `${rc} ${count}`;
    const token = new Uint8Array(Math.max(map.keySize, 4));
    token.set(batch.next);
    const size = map.userValueSize;
    const values = Array.from({ length: count }, (_, i) =>
      this.value(map, batch.values.subarray(i * size, (i + 1) * size)),
    );
    return [rc, count, hex(token), hex(batch.keys), ...values].join(' ');
  }

  private found(map: BpfMap, value: Uint8Array | null): string {
    return value === null ? '-2' : `0 ${this.value(map, value)}`;
  }

  private value(map: BpfMap, value: Uint8Array): string {
    if (map instanceof ArrayOfMaps || map instanceof HashOfMaps)
      return `@${this.maps.findIndex((m) => m?.id === idOf(value))}`;
    return map instanceof ProgArrayMap ? `$${idOf(value) - 1}` : hex(value);
  }

  private bytes(text: string): Uint8Array {
    if (text === NO_KEY) return NOTHING;
    if (text.startsWith('@')) return u32(this.maps[Number(text.slice(1))]!.id);
    if (text.startsWith('$')) return u32(Number(text.slice(1)) + 1);
    return new Uint8Array(Buffer.from(text, 'hex'));
  }
}

/** @param cpus possible CPUs of the kernel that answered */
export function replayMaps(script: readonly string[], cpus: number): string[] {
  const replay = new Replay(cpus);
  return script.map((line) => replay.line(line));
}
