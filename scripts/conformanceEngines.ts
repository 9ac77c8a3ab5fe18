/**
 * The engines under test, as the conformance suite calls them: a program nobody has verified, on
 * memory of its own, its address in r1 and its length in r2.
 */
import type { Helper } from '../src/xdp/helpers/helper.ts';
import { Interpreter } from '../src/xdp/interp/interpreter.ts';
import type { Insn } from '../src/xdp/isa/insn.ts';
import { compile } from '../src/xdp/jit/compile.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';

export const ENGINES = ['interpreter', 'jit'] as const;
export type Engine = (typeof ENGINES)[number];

/** Enough for any case, and over in a second or two. */
const MAX_INSNS = 100_000_000;

/** @returns r0 @throws when the program is refused, or does not run to its end */
export function runBare(name: Engine, insns: readonly Insn[], memory: Uint8Array): bigint {
  const bpf = standaloneBpf({ mapBytes: 0, moreBytes: memory.length });
  const { at } = bpf.mem.region('memory', Math.max(1, memory.length));
  bpf.mem.u8.set(memory, at);
  const options = { checked: true, helpers: SUITE_HELPERS, maxInsns: MAX_INSNS };
  const image = { name: 'case', insns };
  const engine =
    name === 'jit' ? compile(image, bpf, options) : new Interpreter(image, bpf, options);
  const low = engine.runOn(memory.length === 0 ? 0 : at, memory.length);
  return (BigInt(engine.r0Hi >>> 0) << 32n) | BigInt(low >>> 0);
}

const helper = (id: number, name: string, call: Helper['call']): Helper => ({
  ...{ id, name, wideArgs: 0, wideRet: false, call },
});

/** What uBPF's own tests call, by its numbers; the conformance suite calls number 5 only. */
const SUITE_HELPERS: readonly Helper[] = [
  {
    ...{ id: 0, name: 'gather_bytes', wideArgs: 0, wideRet: true },
    call: (bpf, a, b, c, d, e) => {
      bpf.mem.words[bpf.hi >> 2] = a & 0xff;
      return ((b & 0xff) << 24) | ((c & 0xff) << 16) | ((d & 0xff) << 8) | (e & 0xff);
    },
  },
  helper(1, 'memfrob', (bpf, at, len) => {
    for (let i = 0; i < len; i++) bpf.mem.u8[at + i] = bpf.mem.u8[at + i]! ^ 42;
    return at;
  }),
  helper(2, 'no_op', () => 0),
  helper(3, 'sqrti', (_, n) => Math.floor(Math.sqrt(n >>> 0))),
  helper(4, 'strcmp_ext', (bpf, a, b) => {
    const { u8 } = bpf.mem;
    while (u8[a] === u8[b] && u8[a] !== 0 && u8[a] !== undefined) {
      a++;
      b++;
    }
    return (u8[a] ?? 0) - (u8[b] ?? 0);
  }),
  helper(5, 'unwind', (_, n) => n),
];
