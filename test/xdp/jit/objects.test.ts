/**
 * Real objects do the same on interpreter and compiler: verdicts, contexts, packets, and every byte of
 * every map; or both refuse them for the same reason.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import { Interpreter } from '../../../src/xdp/interp/interpreter.ts';
import { compile } from '../../../src/xdp/jit/compile.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import type { Collection, LoadOptions } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { OBJECT_CASES } from '../../oracle/objectCases.ts';
import type { ObjectCase, Setup } from '../../oracle/objectCases.ts';
import { objectPackets } from '../../oracle/objectPackets.ts';

const TOP = new URL('../../../', import.meta.url);
const PAGE = 4096;
const HEADROOM = 256;
const packets = objectPackets();

type Engine = NonNullable<LoadOptions['engine']>;

const ENGINES: Readonly<Record<string, Engine>> = {
  interpreter: (image, bpf) => new Interpreter(image, bpf),
  'interpreter, checked': (image, bpf) => new Interpreter(image, bpf, { checked: true }),
  compiler: (image, bpf) => compile(image, bpf),
  'compiler, checked': (image, bpf) => compile(image, bpf, { checked: true }),
};

const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

function setUp({ maps, programs }: Collection, step: Setup): void {
  if ('set' in step) maps[step.set]!.sysUpdate(hex(step.key), hex(step.value));
  else maps[step.tail]!.sysUpdate(u32(step.index), u32(programs[step.prog]!.id));
}

/** Map memory, but for the words that engines and helpers pass values through. */
function mapMemory(bpf: Bpf): Uint8Array {
  const { at, bytes } = bpf.arena.region;
  bpf.mem.fill(bpf.hi, 64, 0);
  return bpf.mem.u8.subarray(at, at + bytes);
}

/** All that can be seen of a run over all packets, or the reason for which there is none. */
function outcomeOf({ object, prog, setup = [] }: ObjectCase, engine: Engine): string[] {
  const bpf = standaloneBpf({ cpus: 2, moreBytes: 5 * PAGE, mapBytes: 8 << 20 });
  const md = bpf.mem.region('context', PAGE).at;
  const page = bpf.mem.region('packet', 2 * PAGE).at;
  const file = fileURLToPath(new URL(object, TOP));
  const spec = parseElf(new Uint8Array(readFileSync(file)), { file });
  let loaded: Collection;
  try {
    loaded = loadCollection(spec, bpf, { engine, hasKfunc: () => true });
  } catch (error) {
    return [(error as Error).message];
  }
  for (const step of setup) setUp(loaded, step);
  const program = loaded.programs[prog]!;
  const data = page + HEADROOM;
  const seen = packets.map((packet) => {
    bpf.mem.fill(page, 2 * PAGE, 0);
    bpf.mem.u8.set(packet, data);
    bpf.mem.words.set([data, data + packet.length, data, 1, 0, 0], md >> 2);
    const verdict = program.run(md);
    const context = bpf.mem.words.subarray(md >> 2, (md >> 2) + 6).join(' ');
    const bytes = bpf.mem.u8.subarray(page, page + 2 * PAGE);
    return `${verdict} ${context} ${createHash('sha1').update(bytes).digest('hex')}`;
  });
  return [...seen, createHash('sha1').update(mapMemory(bpf)).digest('hex')];
}

test.each(OBJECT_CASES.map((one) => [`${one.object} ${one.prog}`, one] as const))(
  '%s',
  (_, one) => {
    const [reference, ...others] = Object.entries(ENGINES).map(([name, engine]) => ({
      name,
      seen: outcomeOf(one, engine),
    }));
    for (const { name, seen } of others) {
      const packet = seen.findIndex((line, i) => line !== reference!.seen[i]);
      const at = [name, packet];
      expect([...at, seen[packet]]).toEqual([...at, reference!.seen[packet]]);
    }
  },
);
