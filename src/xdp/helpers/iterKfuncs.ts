/**
 * Kernel functions that programs call by name: numeric iterators and read-side sections.
 *
 * @linux kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c
 */
import { E2BIG, EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { BPF_MAX_LOOPS } from '../isa/insn.ts';
import { helper } from './define.ts';
import type { Helper } from './helper.ts';

/** 8 bytes: the number before the next, and the end. @linux struct bpf_iter_num_kern */
function setIter(bpf: Bpf, it: HostAddr, cur: number, end: number): void {
  bpf.mem.words[it >> 2] = cur;
  bpf.mem.words[(it >> 2) + 1] = end;
}

/** @linux bpf_iter_num_new */
function iterNumNew(bpf: Bpf, it: HostAddr, start: number, end: number): number {
  const err = start > end ? -EINVAL : end - start > BPF_MAX_LOOPS ? -E2BIG : 0;
  if (err === 0) setIter(bpf, it, start - 1, end);
  else setIter(bpf, it, 0, 0);
  return err;
}

/** @returns the address of the next number, or null @linux bpf_iter_num_next */
function iterNumNext(bpf: Bpf, it: HostAddr): HostAddr {
  const { words } = bpf.mem;
  const at = it >> 2;
  if (words[at]! + 1 >= words[at + 1]!) {
    setIter(bpf, it, 0, 0);
    return 0;
  }
  words[at]!++;
  return it;
}

/** @linux bpf_iter_num_destroy */
function iterNumDestroy(bpf: Bpf, it: HostAddr): number {
  setIter(bpf, it, 0, 0);
  return 0;
}

/** Nothing is freed, and nobody preempts, while a program runs. */
const nothing = (): number => 0;

export const ITER_KFUNCS: readonly Helper[] = [
  helper(0, 'bpf_iter_num_new', iterNumNew),
  helper(0, 'bpf_iter_num_next', iterNumNext),
  helper(0, 'bpf_iter_num_destroy', iterNumDestroy),
  helper(0, 'bpf_rcu_read_lock', nothing),
  helper(0, 'bpf_rcu_read_unlock', nothing),
  helper(0, 'bpf_preempt_disable', nothing),
  helper(0, 'bpf_preempt_enable', nothing),
];
