/**
 * What an explanation is made by: a message of the verifier's, what it means for the one who wrote the
 * program, and what usually mends it.
 */
import type { Insn } from '../isa/insn.ts';
import type { BranchStep } from './explainPath.ts';
import type { Reg } from './reg.ts';

/** A helper or kernel function that was called. */
export interface CallFacts {
  readonly name: string;
  /** `line 15`, or the instruction. */
  readonly place: string;
}

/** A function of the program, on a chain of calls. */
export interface FrameFacts {
  readonly name: string;
  /** Its first. */
  readonly line: number | null;
  /** Of stack. */
  readonly bytes: number;
}

/** What a rule may look at besides the message. */
export interface RuleFacts {
  /** The refused instruction. */
  readonly insn: Insn | null;
  /** What a register holds, as a part of "R1 holds …". */
  readonly held: (register: number) => string;
  /** The register itself, while a function was walked. */
  readonly reg: (register: number) => Reg | null;
  /** All registers of the running function. */
  readonly regs: readonly Reg[];
  /** Name of the map that an argument of the refused call is, taken from where it was loaded. */
  readonly mapIn: (register: number) => string | null;
  /** The call at an instruction. */
  readonly call: (slot: number) => CallFacts | null;
  /** Functions whose stacks together are too much, outermost first. */
  readonly chain: readonly FrameFacts[];
  /** The conditional jumps on the way, in order. */
  readonly branches: readonly BranchStep[];
}

type Say = (match: RegExpExecArray, facts: RuleFacts) => string;

export interface Rule {
  /** Of the message, or of the lines before it and the message. */
  readonly says: RegExp;
  /** A rule of what the registers hold fits only then. */
  readonly when?: (match: RegExpExecArray, facts: RuleFacts) => boolean;
  readonly why: string | Say;
  readonly cure: string | Say;
}
