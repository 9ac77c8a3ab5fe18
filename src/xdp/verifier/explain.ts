/**
 * A refusal in plain words: what it means, the line of C, how the path came there, where the registers
 * in question got what they hold, and what usually mends it. Ours; Linux has only the log.
 */
import { funcIdName } from '../helpers/helperNames.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import type { Env } from './env.ts';
import { CALL_RULES } from './explainCalls.ts';
import { FLOW_RULES } from './explainFlow.ts';
import { MEMORY_RULES } from './explainMemory.ts';
import { OBJECT_RULES } from './explainObjects.ts';
import type { BranchStep, Origin, SourceLine } from './explainPath.ts';
import { branchesOf, originOf, sourceOf, walkedBack } from './explainPath.ts';
import { PACKET_RULES } from './explainPacket.ts';
import { POINTER_RULES } from './explainPointers.ts';
import { regText } from './explainReg.ts';
import type { CallFacts, FrameFacts, Rule, RuleFacts } from './explainRules.ts';
import { SIZE_RULES, sizeRegister } from './explainSizes.ts';
import { isHelperCall, isKfuncCall } from './insnKind.ts';

export type { BranchStep, Origin, SourceLine } from './explainPath.ts';

export interface Explanation {
  /** What the message means; the message itself where there is no better word. */
  readonly why: string;
  /** What usually mends it; empty where only the message is known. */
  readonly cure: string;
  /** Line of the refused instruction. */
  readonly source: SourceLine | null;
  /** Registers the message is about, and where they got what they hold. */
  readonly origins: readonly (Origin & { readonly holds: string })[];
  /** Conditional jumps from the start to the refused instruction, the last ones. */
  readonly path: readonly BranchStep[];
  /** Jumps before those of `path`. */
  readonly earlier: number;
}

type Words = Pick<Explanation, 'why' | 'cure'>;

/** In this order: the first that fits explains. */
const RULES: readonly Rule[] = [
  ...SIZE_RULES,
  ...OBJECT_RULES,
  ...CALL_RULES,
  ...PACKET_RULES,
  ...MEMORY_RULES,
  ...POINTER_RULES,
  ...FLOW_RULES,
];
const MAX_BRANCHES = 64;
/** Lines of the refused instruction that are looked at. */
const MAX_DETAIL = 8;

/** What was written of the refused instruction, without what the log alone is for. */
function detailOf(env: Env): string {
  const lines = env.said.trimEnd().split('\n');
  const insn = lines.findLastIndex((line) => /^\d+: \([0-9a-f]{2}\)/.test(line));
  return lines
    .slice(insn + 1)
    .filter((line) => !line.startsWith('mark_precise:'))
    .slice(-MAX_DETAIL)
    .join('\n');
}

/** @param message the last line that says why */
export function explain(env: Env, message: string): Explanation {
  const at = env.walking;
  const walked = at ? walkedBack(env) : [];
  const slot = walked[0] ?? -1;
  const branches = branchesOf(env, walked);
  const facts = factsOf(env, walked, branches);
  const text = `${detailOf(env)}\n${message}`;
  const origins = mentionedIn(text, facts)
    .map((register) => originOf(env, walked, register))
    .filter((origin) => origin !== null)
    .map((origin) => ({ ...origin, holds: holdsText(env, origin) }));
  return {
    ...(movedWords(message, origins) ?? wordsFor(text, message, facts)),
    source: slot < 0 ? null : sourceOf(env, slot),
    origins,
    path: branches.slice(-MAX_BRANCHES),
    earlier: Math.max(0, branches.length - MAX_BRANCHES),
  };
}

function factsOf(env: Env, walked: number[], branches: readonly BranchStep[]): RuleFacts {
  const at = env.walking;
  const slot = walked[0] ?? -1;
  return {
    insn: slot < 0 ? null : (env.insns[slot] ?? null),
    held: (register) => (at ? regText(env.regs[register]!) : 'something'),
    reg: (register) => (at ? (env.regs[register] ?? null) : null),
    regs: at ? env.regs : [],
    mapIn: (register) => {
      const from = at ? originOf(env, walked, register) : null;
      return (from === null ? null : env.aux[from.slot]!.map?.name) ?? null;
    },
    call: (place) => callAt(env, place),
    chain: env.stackChain.map((number) => frameOf(env, number)),
    branches,
  };
}

/** What is called at an instruction, and where that is. */
function callAt(env: Env, slot: number): CallFacts | null {
  const insn = env.insns[slot];
  if (insn === undefined) return null;
  const name = isKfuncCall(insn) ? kfuncByImm(insn.imm)?.name : funcIdName(insn.imm);
  if (name === undefined || !(isKfuncCall(insn) || isHelperCall(insn))) return null;
  const source = sourceOf(env, slot);
  return { name, place: source === null ? `instruction ${slot}` : `line ${source.line}` };
}

function frameOf(env: Env, number: number): FrameFacts {
  const { name, start, stackDepth } = env.subprogs[number]!;
  const line = sourceOf(env, start)?.line;
  const called = name === '' ? `function ${number}` : name;
  return { name: called, line: line ?? null, bytes: stackDepth };
}

/** Registers the message is about; with a buffer goes its size. */
function mentionedIn(text: string, { insn, regs }: RuleFacts): number[] {
  if (regs.length === 0) return [];
  const named = [...text.matchAll(/\bR(\d+)\b/g)].map((m) => Number(m[1]));
  const sizes = named.map((register) => sizeRegister(insn, register));
  return [...new Set([...named, ...sizes])]
    .filter((register) => register !== null)
    .filter((register) => register <= 9);
}

function holdsText(env: Env, { register, movedAt }: Origin): string {
  const held = regText(env.regs[register]!);
  return movedAt === null
    ? held
    : `was a pointer into the packet; since line ${movedAt.line} ${held}`;
}

/** The commonest way for a packet pointer to become a number. */
function movedWords(message: string, origins: Explanation['origins']): Words | null {
  const origin = origins.find(({ movedAt }) => movedAt !== null);
  if (origin?.movedAt == null || !message.endsWith("invalid mem access 'scalar'")) return null;
  const { line, text } = origin.movedAt;
  return {
    why: `R${origin.register} pointed into the packet until line ${line} (${text}): that call may move the packet, so every pointer from before it is void.`,
    cure: 'After the call load data = (void *)(long)ctx->data and data_end again, and compare again before the access.',
  };
}

function wordsFor(text: string, message: string, facts: RuleFacts): Words {
  for (const rule of RULES) {
    const match = rule.says.exec(text);
    if (match === null || rule.when?.(match, facts) === false) continue;
    const say = (what: Rule['why']): string =>
      typeof what === 'string' ? what : what(match, facts);
    return { why: say(rule.why), cure: say(rule.cure) };
  }
  return { why: `Linux says: ${message}`, cure: '' };
}
