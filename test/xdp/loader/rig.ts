/** An object loaded with all helpers, every access checked, on either engine. */
import type { HostAddr } from '../../../src/host/memory.ts';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import { HELPERS } from '../../../src/xdp/helpers/table.ts';
import type { Collection, LoadOptions } from '../../../src/xdp/loader/load.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import type { CollectionSpec } from '../../../src/xdp/loader/spec.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { objectBytes } from '../elf/objects.ts';

export const specOf = (object: string): CollectionSpec =>
  parseElf(objectBytes(object), { file: `${object}.o` });

/** For `LoadOptions.engine`, in place of the compiler. */
export const interpreted: LoadOptions['engine'] = (image, bpf) =>
  new Interpreter(image, bpf, { checked: true, helpers: HELPERS });

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
  const collection = loadCollection(spec, bpf, options);
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
