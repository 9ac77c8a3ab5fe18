/**
 * How V8 is asked to compile, in processes that are ours alone.
 *
 * The packet path is a chain of small functions of the kernel's names. V8 stops inlining after 920
 * bytes of bytecode and then calls; with room for the whole chain a packet takes 10 to 25 % less.
 * What is small is inlined beyond that room, too: else it depends on the order in which functions
 * become hot who finds it full (bench/rejected.md). A library must not set this: the process is its
 * user's.
 */
import { setFlagsFromString } from 'node:v8';

/** Call once, before anything has become hot. */
export function inlineWholePath(): void {
  setFlagsFromString('--max-inlined-bytecode-size=1500');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
  setFlagsFromString('--max-inlined-bytecode-size-small=100');
}
