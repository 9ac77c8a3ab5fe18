/**
 * What an explanation is made by: a message of the verifier's, what it means for the one who wrote the
 * program, and what usually mends it.
 */
import type { Insn } from '../isa/insn.ts';

/** What a rule may look at besides the message. */
export interface RuleFacts {
  /** The refused instruction. */
  readonly insn: Insn | null;
  /** What a register holds, as a part of "R1 holds …". */
  readonly held: (register: number) => string;
  /** Lines the verifier wrote of this instruction before the message. */
  readonly detail: string;
}

type Say = (match: RegExpExecArray, facts: RuleFacts) => string;

export interface Rule {
  /** Of the message, or of the lines before it and the message. */
  readonly says: RegExp;
  readonly why: string | Say;
  readonly cure: string | Say;
}
