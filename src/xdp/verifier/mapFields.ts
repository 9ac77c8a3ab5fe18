/**
 * Locks and timers inside map values.
 *
 * "R%d doesn't have constant offset. %s_lock has to be at the constant offset", "map '%s' has no valid
 * %s", "off %lld doesn't point to 'struct %s' that is at %d", "Locking two bpf_spin_locks are not
 * allowed", "bpf_spin_unlock without taking a lock", "bpf_spin_unlock of different lock".
 *
 * @linux process_spin_lock, process_timer_func; kernel/bpf/verifier.c
 */
import type { CallMeta } from './callMeta.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { PTR_TO_MAP_VALUE } from './regTypes.ts';
import { tnumIsConst } from './tnum.ts';
import type { VerifierMap } from './verifierMap.ts';

const offsetOf = (reg: Reg): number => reg.off + Number(reg.bounds.smin);

export function processSpinLock(env: Env, regno: number, lock: boolean): void {
  const reg = env.regs[regno]!;
  const { cur } = env;
  if (!tnumIsConst(reg.bounds))
    env.invalid(
      `R${regno} doesn't have constant offset. bpf_spin_lock has to be at the constant offset`,
    );
  const map = reg.type === PTR_TO_MAP_VALUE ? reg.map : null;
  if (map === null) return env.invalid("local 'kptr' has no valid bpf_spin_lock");
  if (map.special === undefined || map.untyped === true)
    env.invalid(`map '${map.name}' has to have BTF in order to use bpf_spin_lock`);
  const field = map.special?.find(({ kind }) => kind === 'spin_lock');
  if (field === undefined) return env.invalid(`map '${map.name}' has no valid bpf_spin_lock`);
  if (field.at !== offsetOf(reg))
    env.invalid(
      `off ${offsetOf(reg)} doesn't point to 'struct bpf_spin_lock' that is at ${field.at}`,
    );
  if (lock) {
    if (cur.activeLocks > 0) env.invalid('Locking two bpf_spin_locks are not allowed');
    cur.refs.push({ kind: 'lock', id: reg.id, insnIdx: env.insnIdx, map });
    setLock(env, reg.id, map, 1);
    return;
  }
  if (cur.activeLocks === 0) env.invalid('bpf_spin_unlock without taking a lock');
  const held = cur.refs.findIndex(
    (ref) => ref.kind === 'lock' && ref.id === reg.id && ref.map === map,
  );
  if (held < 0) env.invalid('bpf_spin_unlock of different lock');
  cur.refs.splice(held, 1);
  setLock(env, 0, null, 0);
}

function setLock(env: Env, id: number, map: VerifierMap | null, count: number): void {
  env.cur.activeLocks = count;
  env.cur.activeLockId = id;
  env.cur.activeLockMap = map;
}

export function processTimer(env: Env, regno: number, meta: CallMeta): void {
  const reg = env.regs[regno]!;
  if (!tnumIsConst(reg.bounds))
    env.invalid(
      `R${regno} doesn't have constant offset. bpf_timer has to be at the constant offset`,
    );
  const map = reg.map!;
  if (map.special === undefined || map.untyped === true)
    env.invalid(`map '${map.name}' has to have BTF in order to use bpf_timer`);
  const field = map.special?.find(({ kind }) => kind === 'timer');
  if (field === undefined) return env.invalid(`map '${map.name}' has no valid bpf_timer`);
  if (field.at !== offsetOf(reg))
    env.invalid(`off ${offsetOf(reg)} doesn't point to 'struct bpf_timer' that is at ${field.at}`);
  meta.mapUid = reg.mapUid;
  meta.map = map;
}
