/**
 * A border program with what loads beside it: the maps it names, and types of its functions, by which
 * a verifier knows which of them are global.
 */
import { btfBytes } from '../xdp/btf/btfBytes.ts';
import type { BorderProgram } from './borderProgram.ts';
import { borderProgram } from './borderProgram.ts';
import { HASH_BYTES, HASH_VALUES, RING_BYTES, VALUES, VALUE_BYTES } from './borderDraft.ts';
import type { OracleCase, OracleMap } from './oracle.ts';

export const BORDER_MAPS: readonly OracleMap[] = [
  { type: 2, keySize: 4, valueSize: VALUE_BYTES, maxEntries: VALUES },
  { type: 1, keySize: 4, valueSize: HASH_BYTES, maxEntries: HASH_VALUES },
  { type: 27, keySize: 0, valueSize: 0, maxEntries: RING_BYTES },
];

const INT = 1 << 24;
const PTR = 2 << 24;
const STRUCT = 4 << 24;
const FUNC = 12 << 24;
const FUNC_PROTO = 13 << 24;
const SIGNED_32 = (1 << 24) | 32;

/** int main(struct xdp_md *a), static int f(int a, int b), int g(int a, int b) */
const STRINGS = '\0int\0xdp_md\0main\0f\0g\0a\0b\0';
const name = (text: string): number => STRINGS.indexOf(`\0${text}\0`) + 1;
const MAIN = 5;
const STATIC = 7;
const GLOBAL = 8;

export const BORDER_BTF: Uint8Array = btfBytes(
  [
    [name('int'), INT, 4, SIGNED_32],
    [name('xdp_md'), STRUCT, 24],
    [0, PTR, 2],
    [0, FUNC_PROTO | 1, 1, name('a'), 3],
    [name('main'), FUNC | 1, 4],
    [0, FUNC_PROTO | 2, 1, name('a'), 1, name('b'), 1],
    [name('f'), FUNC, 6],
    [name('g'), FUNC | 1, 6],
  ],
  STRINGS,
);

/** In order of slots; none when there is nothing to say. */
export function borderFuncs(
  program: Pick<BorderProgram, 'functions'>,
): { slot: number; name: string; typeId: number }[] {
  const { functions } = program;
  if (functions.length === 0) return [];
  return [
    { slot: 0, name: 'main', typeId: MAIN },
    ...functions.map(({ slot, global }) => ({
      ...{ slot, name: global ? 'g' : 'f', typeId: global ? GLOBAL : STATIC },
    })),
  ];
}

/** For the kernel. */
export function borderCase(seed: number, logLevel: number): OracleCase {
  const program = borderProgram(seed);
  const funcs = borderFuncs(program).flatMap(({ slot, typeId }) => [slot, typeId]);
  return {
    ...{ name: `s${seed}`, insns: program.insns, maps: BORDER_MAPS, logLevel },
    ...(funcs.length === 0
      ? {}
      : { btf: BORDER_BTF, funcs: new Uint8Array(Uint32Array.from(funcs).buffer) }),
  };
}
