/**
 * A refusal in plain words: what it means, the line of C, how the path came there, where the registers
 * in question got what they hold, and what usually mends it. Ours; Linux has only the log.
 */
import type { Env } from './env.ts';
import { CALL_RULES } from './explainCalls.ts';
import { FLOW_RULES } from './explainFlow.ts';
import { MEMORY_RULES } from './explainMemory.ts';
import type { BranchStep, Origin, SourceLine } from './explainPath.ts';
import { branchesOf, originOf, sourceOf, walkedBack } from './explainPath.ts';
import { POINTER_RULES } from './explainPointers.ts';
import { regText } from './explainReg.ts';
import type { Rule, RuleFacts } from './explainRules.ts';

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
const RULES: readonly Rule[] = [...CALL_RULES, ...MEMORY_RULES, ...POINTER_RULES, ...FLOW_RULES];
const MAX_BRANCHES = 64;

/** What was written since the last instruction was printed; only with a log. */
function detailOf(log: string): string {
  const lines = log.trimEnd().split('\n').slice(-8);
  const insn = lines.findLastIndex((line) => /^\d+: \([0-9a-f]{2}\)/.test(line));
  return lines.slice(insn + 1).join('\n');
}

/** @param message the last line that says why */
export function explain(env: Env, message: string): Explanation {
  const at = env.walking;
  const walked = at ? walkedBack(env) : [];
  const slot = walked[0] ?? -1;
  const branches = branchesOf(env, walked);
  const facts: RuleFacts = {
    insn: slot < 0 ? null : (env.insns[slot] ?? null),
    held: (register) => (at ? regText(env.regs[register]!) : 'something'),
    detail: detailOf(env.log.text),
  };
  const text = `${facts.detail}\n${message}`;
  const mentioned = at
    ? [...new Set([...text.matchAll(/\bR(\d+)\b/g)].map((m) => Number(m[1])))]
    : [];
  const origins = mentioned
    .filter((register) => register <= 9)
    .map((register) => originOf(env, walked, register))
    .filter((origin) => origin !== null)
    .map((origin) => ({ ...origin, holds: regText(env.regs[origin.register]!) }));
  return {
    ...(movedWords(message, origins) ?? wordsFor(text, message, facts)),
    source: slot < 0 ? null : sourceOf(env, slot),
    origins,
    path: branches.slice(-MAX_BRANCHES),
    earlier: Math.max(0, branches.length - MAX_BRANCHES),
  };
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
    if (match === null) continue;
    const say = (what: Rule['why']): string =>
      typeof what === 'string' ? what : what(match, facts);
    return { why: say(rule.why), cure: say(rule.cure) };
  }
  return { why: `Linux says: ${message}`, cure: '' };
}
