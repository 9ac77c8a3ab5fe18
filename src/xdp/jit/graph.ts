/**
 * The control-flow graph of one function of a program: basic blocks in reverse postorder, who
 * dominates whom, which blocks begin loops, and whether the graph is reducible.
 *
 * A function is what can be reached from its first slot. Code that cannot be reached is never
 * looked at, so it may be anything.
 */
import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, isLdImm64 } from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';

/** A program whose jumps, or an instruction in it, cannot be compiled. */
export class JitError extends Error {
  readonly slot: number;

  constructor(slot: number, reason: string) {
    super(`insn ${slot}: ${reason}`);
    this.name = 'JitError';
    this.slot = slot;
  }
}

export interface Block {
  /** Slots from `start` to before `end`. */
  readonly start: number;
  readonly end: number;
  /** Blocks that may come next: none after an exit, two after a condition, the jump's target first. */
  readonly next: number[];
  readonly before: number[];
  /** The closest block that every way here passes; the first block is its own. */
  dominator: number;
  /** Blocks whose `dominator` this is, in order. */
  readonly dominates: number[];
  /** Does a later block jump back here? */
  loop: boolean;
  /** Do several ways forward meet here? */
  merge: boolean;
}

export interface Graph {
  /** In reverse postorder: on every way that does not go back, a block's number grows. */
  readonly blocks: readonly Block[];
  /** Does every jump back go to a block that dominates it? False as well where finding out took too long. */
  readonly reducible: boolean;
}

/** The slot a jump goes to. @spec RFC 9669 §4.3: `gotol` has its distance in `imm` */
export const jumpTarget = (insn: Insn, slot: number): number =>
  slot + 1 + (insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off);

const isJumpClass = (insn: Insn): boolean => {
  const cls = insn.code & 7;
  return cls === BPF_JMP || cls === BPF_JMP32;
};
const operation = (insn: Insn): number => insn.code & 0xf0;

/** Where control may go from an instruction that ends a block; null when it ends none. */
function successors(insn: Insn, slot: number): number[] | null {
  if (!isJumpClass(insn)) return null;
  const op = operation(insn);
  if (op === BPF_CALL) return null;
  if (op === BPF_EXIT) return [];
  const target = jumpTarget(insn, slot);
  if (op === BPF_JA) return [target];
  return target === slot + 1 ? [target] : [target, slot + 1];
}

const slotsOf = (insn: Insn): number => (isLdImm64(insn) ? 2 : 1);

/**
 * Mark every slot that a jump goes to, or that follows a jump: blocks begin there.
 * Second slots of `ld_imm64` are marked apart.
 */
export function findLeaders(insns: readonly Insn[]): Uint8Array {
  const leaders = new Uint8Array(insns.length + 1);
  for (let slot = 0; slot < insns.length; slot++) {
    const insn = insns[slot]!;
    if (isLdImm64(insn)) leaders[++slot] = SECOND_SLOT;
  }
  for (let slot = 0; slot < insns.length; slot++) {
    if (leaders[slot] === SECOND_SLOT) continue;
    const next = successors(insns[slot]!, slot);
    if (next === null) continue;
    for (const target of [slot + 1, ...next]) {
      if (target >= 0 && target < insns.length && leaders[target] !== SECOND_SLOT)
        leaders[target] = LEADER;
    }
  }
  return leaders;
}
const LEADER = 1;
const SECOND_SLOT = 2;

/** @throws JitError when control leaves the program or enters the middle of an instruction */
export function buildGraph(insns: readonly Insn[], leaders: Uint8Array, entry: number): Graph {
  const found = new Map<number, { end: number; next: number[] }>();
  const order = postorder(entry, (start) => {
    const block = readBlock(insns, leaders, start);
    found.set(start, block);
    return block.next;
  }).toReversed();
  const numberOf = new Map(order.map((start, i) => [start, i]));
  const blocks: Block[] = order.map((start) => {
    const { end, next } = found.get(start)!;
    return {
      start,
      end,
      next: next.map((slot) => numberOf.get(slot)!),
      before: [],
      dominator: 0,
      dominates: [],
      loop: false,
      merge: false,
    };
  });
  blocks.forEach(({ next }, i) => next.forEach((to) => blocks[to]!.before.push(i)));
  return { blocks, reducible: findDominators(blocks) && classify(blocks) };
}

function readBlock(
  insns: readonly Insn[],
  leaders: Uint8Array,
  start: number,
): { end: number; next: number[] } {
  let slot = start;
  while (true) {
    const insn = insns[slot]!;
    const after = slot + slotsOf(insn);
    const next = successors(insn, slot) ?? (leaders[after] === LEADER ? [after] : null);
    if (next === null && after < insns.length) {
      slot = after;
      continue;
    }
    for (const target of next ?? [after]) checkTarget(insns, leaders, slot, target);
    return { end: after, next: next! };
  }
}

function checkTarget(
  insns: readonly Insn[],
  leaders: Uint8Array,
  slot: number,
  target: number,
): void {
  if (target < 0 || target >= insns.length)
    throw new JitError(
      slot,
      `goes on at ${target}, outside the program (0 to ${insns.length - 1})`,
    );
  if (leaders[target] === SECOND_SLOT)
    throw new JitError(slot, `goes on at ${target}, the second half of an ld_imm64`);
}

/** Depth first without recursion: programs have thousands of blocks in a row. */
function postorder(entry: number, nextOf: (start: number) => readonly number[]): number[] {
  const done: number[] = [];
  const seen = new Set([entry]);
  const path = [{ start: entry, next: nextOf(entry), at: 0 }];
  while (path.length > 0) {
    const top = path.at(-1)!;
    const to = top.next[top.at++];
    if (to === undefined) {
      done.push(top.start);
      path.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      path.push({ start: to, next: nextOf(to), at: 0 });
    }
  }
  return done;
}

/** Steps through dominators; programs that people write take some ten a block. */
const MOST_STEPS = 1e9;

/**
 * Cooper, Harvey and Kennedy: "A Simple, Fast Dominance Algorithm". Its worst case is quadratic, so a
 * program made to be slow is left to the dispatcher.
 *
 * @returns whether all are known
 */
function findDominators(blocks: readonly Block[]): boolean {
  const UNKNOWN = -1;
  let steps = 0;
  for (const block of blocks) block.dominator = UNKNOWN;
  blocks[0]!.dominator = 0;
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      steps++;
      if (x > y) x = blocks[x]!.dominator;
      else y = blocks[y]!.dominator;
    }
    return x;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 1; i < blocks.length; i++) {
      if (steps > MOST_STEPS) return false;
      let dominator = UNKNOWN;
      // from the last to the first: where many ways lead out of one chain, each step is short
      for (const p of blocks[i]!.before.toReversed()) {
        if (blocks[p]!.dominator === UNKNOWN) continue;
        dominator = dominator === UNKNOWN ? p : meet(p, dominator);
      }
      if (blocks[i]!.dominator !== dominator) {
        blocks[i]!.dominator = dominator;
        changed = true;
      }
    }
  }
  for (let i = 1; i < blocks.length; i++) blocks[blocks[i]!.dominator]!.dominates.push(i);
  return true;
}

/** Mark loops and merges. @returns whether the graph is reducible */
function classify(blocks: readonly Block[]): boolean {
  let reducible = true;
  blocks.forEach((block, i) => {
    block.merge = block.before.filter((p) => p < i).length > 1;
    for (const p of block.before) {
      if (p < i) continue;
      block.loop = true;
      reducible &&= dominates(blocks, i, p);
    }
  });
  return reducible;
}

function dominates(blocks: readonly Block[], a: number, b: number): boolean {
  let at = b;
  while (at > a) at = blocks[at]!.dominator;
  return at === a;
}
