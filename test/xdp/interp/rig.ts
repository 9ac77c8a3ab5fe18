import type { HostAddr, Region } from '../../../src/host/memory.ts';
import { HostMemory } from '../../../src/host/memory.ts';
import type { EngineBpf, EngineMap } from '../../../src/xdp/engine.ts';
import { CALL_CHAIN_BYTES } from '../../../src/xdp/engine.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';

export const MAPS_BYTES = 4096;

/** An engine's surroundings and nothing more; `maps` by id, their handles 1 to n. */
export function bareBpf(maps: readonly EngineMap[] = []): EngineBpf & { readonly given: HostAddr } {
  const mem = new HostMemory(1 << 16);
  const stacks = mem.region('program stacks', CALL_CHAIN_BYTES);
  return {
    mem,
    given: mem.region('given', 4096).at,
    hi: mem.region('hi', 64).at,
    stackTop: stacks.at + stacks.bytes,
    arena: openArena(mem.region('maps', MAPS_BYTES)),
    maps: {
      at: (handle) => maps.find((map) => map.handle === handle),
      get: (id) => maps.find((map) => map.id === id),
    },
    engine: null,
  };
}

export const insn = (code: number, fields: Partial<Omit<Insn, 'code'>> = {}): Insn => ({
  ...{ code, dst: 0, src: 0, off: 0, imm: 0 },
  ...fields,
});

/** `dst = value`, in two slots. */
export const load64 = (dst: number, value: bigint): Insn[] => [
  insn(0x18, { dst, imm: Number(BigInt.asIntN(32, value)) }),
  insn(0, { imm: Number(BigInt.asIntN(32, value >> 32n)) }),
];

export const EXIT: Insn = insn(0x95);

/** All of it is the program's. */
function openArena(region: Region): EngineBpf['arena'] {
  return { region, allows: (at, len) => at >= region.at && at + len <= region.at + region.bytes };
}
