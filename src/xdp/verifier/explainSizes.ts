/** Explanations of a helper's buffer and its size: the size is an argument of its own, and may vary. */
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { ARG_CONST_SIZE, ARG_CONST_SIZE_OR_ZERO, helperProto } from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import type { Rule, RuleFacts } from './explainRules.ts';
import { isHelperCall, isKfuncCall } from './insnKind.ts';
import type { Reg } from './reg.ts';
import { SCALAR_VALUE, baseType } from './regTypes.ts';
import { tnumIsConst } from './tnum.ts';

const OUTSIDE =
  /invalid (?:write to|read from) stack R(\d+) off=(-?\d+) size=\d+|invalid access to (?:map value|memory|map key), .*\n?(?:.*\n)*?R(\d+) (?:min|max) value is outside/;

const CALL_ARGS = 5;

/** The register with the size of what `register` points to, in a call. */
export function sizeRegister(insn: Insn | null, register: number): number | null {
  if (insn === null || register < 1 || register >= CALL_ARGS) return null;
  if (isHelperCall(insn)) {
    const arg = helperProto(insn.imm)?.args[register] ?? 0;
    const base = baseType(arg);
    return base === ARG_CONST_SIZE || base === ARG_CONST_SIZE_OR_ZERO ? register + 1 : null;
  }
  return isKfuncCall(insn) && kfuncByImm(insn.imm) !== null ? register + 1 : null;
}

/** The size, where it may be more than one number. */
function varyingSize({ insn, reg }: RuleFacts, register: number): Reg | null {
  const size = sizeRegister(insn, register);
  const held = size === null ? null : reg(size);
  return held !== null && held.type === SCALAR_VALUE && !tnumIsConst(held.bounds) ? held : null;
}

const bufferOf = (m: RegExpExecArray): number => Number(m[1] ?? m[3]);

const roomOf = (m: RegExpExecArray): string =>
  m[2] === undefined || Number(m[2]) >= 0
    ? ''
    : ` has ${-Number(m[2])} bytes up to the end of the stack, and`;

export const SIZE_RULES: readonly Rule[] = [
  {
    says: OUTSIDE,
    when: (m, facts) => varyingSize(facts, bufferOf(m)) !== null,
    why: (m, facts) => {
      const buffer = bufferOf(m);
      return `R${buffer + 1} says how many bytes of the buffer in R${buffer} the call uses, and holds ${facts.held(buffer + 1)}: the buffer${roomOf(m)} is smaller than that.`;
    },
    cure: 'Bound the size by the buffer right before the call, from both sides: if (len == 0 || len > sizeof(buf)) return …;',
  },
];
