/**
 * Resources the program must give back: sockets, ringbuf records, iterators.
 *
 * "Unreleased reference id=%d alloc_insn=%d", "%s would lead to reference leak", "%s cannot be used
 * inside bpf_spin_lock-ed region" and its sisters.
 *
 * @linux acquire_reference, release_reference, check_resource_leak; kernel/bpf/verifier.c
 */
import { EINVAL } from '../../host/errno.ts';
import type { Env } from './env.ts';
import type { VerifierState } from './state.ts';

/** @returns its id */
export function acquireReference(env: Env, insnIdx: number): number {
  const id = env.newId();
  env.cur.refs.push({ kind: 'ptr', id, insnIdx, map: null });
  return id;
}

/** The reference is given back; registers are the caller's. @returns 0 or -EINVAL @linux release_reference_nomark */
export function dropReference(state: VerifierState, id: number): number {
  const at = state.refs.findIndex((ref) => ref.kind === 'ptr' && ref.id === id);
  if (at < 0) return -EINVAL;
  state.refs.splice(at, 1);
  return 0;
}

/** Given back, and all that hung on it is dead. @returns 0 or -EINVAL */
export function releaseReference(env: Env, id: number): number {
  const err = dropReference(env.cur, id);
  if (err !== 0) return err;
  env.cur.mapRegs((reg) => (reg.refObjId === id ? env.dead : reg));
  return 0;
}

/** @linux check_reference_leak */
function checkReferenceLeak(env: Env, exception: boolean): boolean {
  if (!exception && env.func.frameno !== 0) return false;
  const left = env.cur.refs.filter((ref) => ref.kind === 'ptr');
  for (const { id, insnIdx } of left)
    env.write(`Unreleased reference id=${id} alloc_insn=${insnIdx}\n`);
  return left.length > 0;
}

/** Nothing may be held where the program leaves. @param what leaves */
export function checkResourceLeak(
  env: Env,
  exception: boolean,
  checkLock: boolean,
  what: string,
): void {
  const { cur } = env;
  const inside = (region: string): never =>
    env.invalid(`${what} cannot be used inside ${region}-ed region`);
  if (checkLock && cur.activeLocks > 0) inside('bpf_spin_lock');
  if (checkReferenceLeak(env, exception)) env.invalid(`${what} would lead to reference leak`);
  if (!checkLock) return;
  if (cur.activeIrqId !== 0) inside('bpf_local_irq_save');
  if (cur.activeRcuLock) inside('bpf_rcu_read_lock');
  if (cur.activePreemptLocks > 0) inside('bpf_preempt_disable');
}
