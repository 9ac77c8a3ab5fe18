import type { HostAddr } from '../../../src/host/memory.ts';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import type { Helper } from '../../../src/xdp/helpers/helper.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { compile } from '../../../src/xdp/jit/compile.ts';
import type { JitOptions, JitProgram } from '../../../src/xdp/jit/compile.ts';
import type { JitBpf, JitMap } from '../../../src/xdp/jit/jitBpf.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';

export interface JitRig {
  readonly bpf: Bpf;
  /** A page for contexts and packets. */
  readonly page: HostAddr;
  /** The machine with the maps that were given besides. */
  readonly machine: JitBpf;
  /** Map memory that programs may touch. */
  openBlock(bytes: number): HostAddr;
  compile(insns: readonly Insn[], options?: JitOptions): JitProgram;
}

/** @param more maps besides the machine's own, found by their id */
export function jitRig(cpus: number = 1, more: readonly JitMap[] = []): JitRig {
  const bpf = standaloneBpf({ cpus, moreBytes: 65536 });
  const page = bpf.mem.region('page', 8192).at;
  const maps: JitBpf['maps'] = {
    at: (handle) => more.find((map) => map.handle === handle) ?? bpf.maps.at(handle),
    get: (id) => more.find((map) => map.id === id) ?? bpf.maps.get(id),
  };
  const machine: JitBpf = {
    mem: bpf.mem,
    hi: bpf.hi,
    stackTop: bpf.stackTop,
    arena: bpf.arena,
    cpus: bpf.cpus,
    cpuWord: bpf.cpuWord,
    maps,
    engine: null,
  };
  return {
    bpf,
    page,
    machine,
    openBlock(bytes) {
      const at = bpf.arena.alloc(bytes);
      bpf.arena.open(at, () => true);
      return at;
    },
    compile: (insns, options = {}) => compile({ name: 'p', insns }, machine, options),
  };
}

export const helper = (id: number, call: Helper['call'], more: Partial<Helper> = {}): Helper => ({
  ...{ id, name: `helper ${id}`, wideArgs: 0, wideRet: false, call },
  ...more,
});

/** Helpers by their numbers. */
export function helpersOf(...list: Helper[]): (Helper | undefined)[] {
  const table: (Helper | undefined)[] = [];
  for (const one of list) table[one.id] = one;
  return table;
}
