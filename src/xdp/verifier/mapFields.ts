/**
 * Locks, timers and queues of work inside map values. Locks inside objects that programs allocate are
 * refused by name; Linux takes them.
 *
 * "R%d doesn't have constant offset. %s_lock has to be at the constant offset", "map '%s' has no valid
 * %s", "off %lld doesn't point to 'struct %s' that is at %d", "Locking two bpf_spin_locks are not
 * allowed", "Acquiring the same lock again, AA deadlock detected", "bpf_spin_unlock without taking a
 * lock", "bpf_spin_unlock of different lock", "bpf_res_spin_unlock cannot be out of order".
 *
 * @linux process_spin_lock, check_map_field_pointer; kernel/bpf/verifier.c
 */
import { ENOTSUPP } from '../../host/errno.ts';
import type { Env } from './env.ts';
import { fieldsOf, forgetUnowned, inTreeCallback } from './graph.ts';
import type { Reg } from './reg.ts';
import { MEM_ALLOC, PTR_TO_MAP_VALUE } from './regTypes.ts';
import type { LockKind } from './state.ts';
import { isLock } from './state.ts';
import { tnumIsConst } from './tnum.ts';
import type { VerifierMap } from './verifierMap.ts';

const offsetOf = (reg: Reg): number => reg.off + Number(reg.bounds.smin);

/** The map in whose value the register points to a field of this kind. */
function mapOfField(
  env: Env,
  regno: number,
  kind: 'spin_lock' | 'res_spin_lock' | 'timer' | 'wq' | 'task_work',
): VerifierMap {
  const reg = env.regs[regno]!;
  const name = `bpf_${kind}`;
  if (!tnumIsConst(reg.bounds))
    env.invalid(`R${regno} doesn't have constant offset. ${name} has to be at the constant offset`);
  const map = reg.type === PTR_TO_MAP_VALUE ? reg.map : null;
  if (map === null) {
    if ((reg.type & MEM_ALLOC) !== 0 && fieldsOf(env, reg).some((one) => one.kind === kind))
      env.refuse(ENOTSUPP, `${name} in an allocated object is not supported by this verifier`);
    return env.invalid(`local 'kptr' has no valid ${name}`);
  }
  if (map.special === undefined || map.untyped === true)
    env.invalid(`map '${map.name}' has to have BTF in order to use ${name}`);
  const field = map.special?.find((one) => one.kind === kind);
  if (field === undefined) return env.invalid(`map '${map.name}' has no valid ${name}`);
  if (field.at !== offsetOf(reg))
    env.invalid(`off ${offsetOf(reg)} doesn't point to 'struct ${name}' that is at ${field.at}`);
  return map;
}

/** @param kind `lock`: of those that wait for ever, of which one may be held */
export function processSpinLock(env: Env, regno: number, take: boolean, kind: LockKind): void {
  const reg = env.regs[regno]!;
  const { cur } = env;
  if (inTreeCallback(env)) env.deny("can't spin_{lock,unlock} in rbtree cb");
  const resilient = kind !== 'lock';
  const map = mapOfField(env, regno, resilient ? 'res_spin_lock' : 'spin_lock');
  const held = (...kinds: LockKind[]): number =>
    cur.refs.findIndex(
      (ref) => isLock(ref) && kinds.includes(ref.kind) && ref.id === reg.id && ref.map === map,
    );
  if (take) {
    if (!resilient && cur.refs.some((ref) => ref.kind === 'lock'))
      env.invalid('Locking two bpf_spin_locks are not allowed');
    if (resilient && held('resLock', 'resLockIrq') >= 0)
      env.invalid('Acquiring the same lock again, AA deadlock detected');
    cur.refs.push({ kind, id: reg.id, insnIdx: env.insnIdx, map });
    cur.activeLocks++;
    cur.activeLockId = reg.id;
    cur.activeLockMap = map;
    return;
  }
  const name = resilient ? 'bpf_res_spin_unlock' : 'bpf_spin_unlock';
  if (cur.activeLocks === 0) env.invalid(`${name} without taking a lock`);
  const at = held(kind);
  if (at < 0) env.invalid(`${name} of different lock`);
  if (reg.id !== cur.activeLockId || map !== cur.activeLockMap)
    env.invalid(`${name} cannot be out of order`);
  cur.refs.splice(at, 1);
  const outer = cur.refs.findLast(isLock);
  cur.activeLocks--;
  cur.activeLockId = outer?.id ?? 0;
  cur.activeLockMap = outer?.map ?? null;
  forgetUnowned(env);
}

/** What a call says later of the map that a timer or a queue of work is in. */
interface FieldMap {
  map: VerifierMap | null;
  mapUid: number;
}

export function processMapField(
  env: Env,
  regno: number,
  kind: 'timer' | 'wq' | 'task_work',
  meta: FieldMap,
): void {
  meta.map = mapOfField(env, regno, kind);
  meta.mapUid = env.regs[regno]!.mapUid;
}
