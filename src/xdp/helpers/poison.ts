/**
 * Calls that stand where a program asked for what this kernel does not have: a type or field (CO-RE),
 * or a weak kernel function. A program that asks first never gets there, so it may run; one that
 * does get there ends.
 *
 * @linux bpf_core_poison_insn; tools/lib/bpf/relo_core.c, poison_kfunc_call; tools/lib/bpf/libbpf.c
 */
import { ProgramFault } from '../program.ts';
import type { Helper } from './helper.ts';

/** "Bad relo", in hex speak. */
export const CORE_POISON = 0xbad2310;
/** And the instruction's number, of what was a call. @linux POISON_CALL_KFUNC_BASE */
export const KFUNC_POISON = 2_002_000_000;
const KFUNC_POISON_END = 2_003_000_000;

const ending = (name: string, reason: string): Helper => ({
  ...{ id: 0, name, wideArgs: 0, wideRet: false },
  call: () => {
    throw new ProgramFault('', reason);
  },
});

const CORE: Helper = ending(
  'invalid CO-RE relocation',
  'uses a type or a field that the kernel does not have',
);
const KFUNC: Helper = ending(
  'missing kernel function',
  'calls a function the kernel does not have',
);

/** @returns undefined for a number that is none of these */
export function poisoned(number: number): Helper | undefined {
  if (number === CORE_POISON) return CORE;
  return number >= KFUNC_POISON && number < KFUNC_POISON_END ? KFUNC : undefined;
}
