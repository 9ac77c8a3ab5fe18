/** An object loaded on the interpreter, with the few helpers that its programs call. */
import type { HostAddr } from '../../../src/host/memory.ts';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import type { Helper } from '../../../src/xdp/helpers/helper.ts';
import type { Collection, LoadOptions } from '../../../src/xdp/loader/load.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import type { CollectionSpec } from '../../../src/xdp/loader/spec.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { objectBytes } from '../elf/objects.ts';

const helper = (id: number, name: string, call: Helper['call']): Helper => ({
  ...{ id, name, wideArgs: 0, wideRet: false },
  call,
});

/** Stand-ins: `bpf_map_lookup_elem`, `bpf_map_update_elem`, `bpf_loop`. */
const HELPERS: (Helper | undefined)[] = [];
HELPERS[1] = helper(1, 'map_lookup_elem', (bpf, map, key) =>
  (bpf as Bpf).maps.at(map)!.lookupElem(key),
);
HELPERS[2] = helper(2, 'map_update_elem', (bpf, map, key, value, flags) =>
  (bpf as Bpf).maps.at(map)!.updateElem(key, value, flags),
);
HELPERS[181] = helper(181, 'loop', (bpf, count, func, data) => {
  for (let i = 0; i < count; i++) if (bpf.engine!.call(func, i, data, 0, 0) !== 0) return i + 1;
  return count;
});

export const specOf = (object: string): CollectionSpec =>
  parseElf(objectBytes(object), { file: `${object}.o` });

const PACKET_BYTES = 4096;

export interface LoadRig extends Collection {
  readonly bpf: Bpf;
  /** Run a program on a packet of `len` zero bytes. */
  run(program: string, len?: number): number;
  /** A global variable's bytes, as user space reads them. */
  variable(name: string): string;
}

export function loadRig(spec: CollectionSpec, options: LoadOptions = {}): LoadRig {
  const bpf = standaloneBpf({ moreBytes: PACKET_BYTES });
  const packet = bpf.mem.region('packet', PACKET_BYTES).at;
  const md: HostAddr = packet;
  const engine: LoadOptions['engine'] = (image) =>
    new Interpreter(image, bpf, { checked: true, helpers: HELPERS });
  const collection = loadCollection(spec, bpf, { engine, ...options });
  return {
    ...collection,
    bpf,
    run(program, len = 64) {
      const data = packet + 512;
      bpf.mem.words.set([data, data + len, data, 1, 0, 0], md >> 2);
      return collection.programs[program]!.run(md);
    },
    variable(name) {
      const { map, offset, size } = spec.variables[name]!;
      const value = collection.maps[map]!.sysLookup(new Uint8Array(4))!;
      return Buffer.from(value.subarray(offset, offset + size)).toString('hex');
    },
  };
}
