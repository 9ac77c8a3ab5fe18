/**
 * Defining helpers: a number, a name, a function of 32-bit words, and which of them are wider.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { ProgramFault } from '../program.ts';
import type { Helper } from './helper.ts';

export type HelperFn = (
  bpf: Bpf,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
) => number;

interface Width {
  readonly wideArgs?: number;
  readonly wideRet?: boolean;
}

/** `wideArgs` for the one argument that holds 64-bit flags. */
export const HI_FLAGS_2: number = 1 << 2;
export const HI_FLAGS_3: number = 1 << 3;
export const HI_FLAGS_4: number = 1 << 4;
export const HI_FLAGS_5: number = 1 << 5;

export function helper(id: number, name: string, call: HelperFn, width: Width = {}): Helper {
  return { id, name, wideArgs: width.wideArgs ?? 0, wideRet: width.wideRet ?? false, call };
}

/** High word of argument `n`, which the helper declared wide. */
export const highOf = (bpf: Bpf, n: number): number => bpf.mem.words[(bpf.hi >> 2) + n]!;

export const hasHigh = (bpf: Bpf, n: number): boolean => highOf(bpf, n) !== 0;

/** Write the high word of a wide result. */
export function setHigh(bpf: Bpf, high: number): void {
  bpf.mem.words[bpf.hi >> 2] = high;
}

/** Return an unsigned 64-bit value: the high word goes to memory, the low one to the caller. */
export function wide(bpf: Bpf, value: number): number {
  setHigh(bpf, Math.floor(value / 2 ** 32));
  return value | 0;
}

/** The map behind a program's map pointer. @throws ProgramFault when it is none */
export function mapAt(bpf: Bpf, handle: HostAddr): BpfMap {
  const map = bpf.maps.at(handle);
  if (map === undefined) {
    throw new ProgramFault('', `0x${(handle >>> 0).toString(16)} is no map pointer`);
  }
  return map;
}
