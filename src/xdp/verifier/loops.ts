/**
 * Loops of the program: strongly connected components of its graph, by Tarjan's algorithm without
 * recursion. Instructions of one loop share a number; those of none have 0.
 *
 * @linux compute_scc; kernel/bpf/verifier.c
 * @spec Pearce, "A Space-Efficient Algorithm for Finding Strongly Connected Components", algorithm 3
 */
import type { Env } from './env.ts';

const OFF_STACK = 0xffffffff;

export function computeScc(env: Env): void {
  const count = env.insns.length;
  const order = new Uint32Array(count);
  const lowest = new Uint32Array(count);
  const stack: number[] = [];
  let nextOrder = 1;
  let nextScc = 1;

  /** `w` is done: if nothing above it can be reached from it, what lies on the stack down to it is one component. */
  const close = (w: number, next: readonly number[]): void => {
    const loop = stack[stack.length - 1] !== w || next.includes(w);
    let t: number;
    do {
      t = stack.pop()!;
      lowest[t] = OFF_STACK;
      if (loop) env.aux[t]!.scc = nextScc;
    } while (t !== w);
    if (loop) nextScc++;
  };

  for (let i = 0; i < count; i++) {
    if (order[i] !== 0 || env.insns[i]!.code === 0) continue;
    const walk = [i];
    while (walk.length > 0) {
      const w = walk[walk.length - 1]!;
      if (order[w] === 0) {
        order[w] = lowest[w] = nextOrder++;
        stack.push(w);
      }
      const next = env.next[w]!;
      const fresh = next.find((s) => order[s] === 0);
      for (const s of next) {
        if (s === fresh) break;
        lowest[w] = Math.min(lowest[w]!, lowest[s]!);
      }
      if (fresh !== undefined) {
        walk.push(fresh);
        continue;
      }
      if (lowest[w] === order[w]) close(w, next);
      walk.pop();
    }
  }
  env.sccVisits = Array.from({ length: nextScc }, () => []);
}
