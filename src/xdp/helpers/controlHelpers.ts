/**
 * Helpers that steer a program's flow, and locks, which nobody else ever holds here: a program runs
 * to its end before another starts.
 *
 * @linux kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c
 */
import { E2BIG, EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { BPF_MAX_LOOPS } from '../isa/insn.ts';
import { HI_FLAGS_4, hasHigh, helper, setHigh } from './define.ts';
import type { Helper } from './helper.ts';

/**
 * Linux writes a loop without flags into the program, and there too many rounds give an error of 32
 * bits, its upper half zero.
 *
 * @returns how often the callback ran
 * @linux bpf_loop, inline_bpf_loop
 */
function loop(bpf: Bpf, times: number, callback: number, context: HostAddr, flags: number): number {
  setHigh(bpf, 0);
  if (flags !== 0 || hasHigh(bpf, 4)) {
    setHigh(bpf, -1);
    return -EINVAL;
  }
  if (times >>> 0 > BPF_MAX_LOOPS) return -E2BIG;
  const engine = bpf.engine!;
  let rounds = 0;
  while (rounds < times) {
    if (engine.call(callback, rounds++, context, 0, 0) !== 0) break;
  }
  setHigh(bpf, 0); // helpers in the callback have written there
  return rounds;
}

function setLock(bpf: Bpf, lock: HostAddr, held: number): number {
  bpf.mem.words[lock >> 2] = held;
  return 0;
}

export const CONTROL_HELPERS: readonly Helper[] = [
  helper(93, 'bpf_spin_lock', (bpf, lock) => setLock(bpf, lock, 1)),
  helper(94, 'bpf_spin_unlock', (bpf, lock) => setLock(bpf, lock, 0)),
  helper(181, 'bpf_loop', loop, { wideArgs: HI_FLAGS_4, wideRet: true }),
];
