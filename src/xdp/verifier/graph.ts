/**
 * Lists and trees of objects that programs allocated. What is put in belongs to the list or tree, and
 * may still be looked at while their lock is held; what is taken out is the program's again.
 *
 * "%s not found at offset=%u", "bpf_spin_lock at off=%d must be held for %s", "held lock and object are
 * not in the same allocation", "operation on %s expects arg#1 %s at offset=%d in struct %s, but arg is
 * at offset=%d in struct %s", "%s can only take non-owning or refcounted bpf_rb_node pointer", "%s not
 * allowed in rbtree cb", "arg#%d doesn't point to a type with bpf_refcount field".
 *
 * @linux __process_kf_arg_ptr_to_graph_root, __process_kf_arg_ptr_to_graph_node,
 * ref_convert_owning_non_owning; kernel/bpf/verifier.c
 */
import { EINVAL, EOPNOTSUPP } from '../../host/errno.ts';
import { specialFields } from '../btf/specialFields.ts';
import type { GraphTarget } from '../maps/mapDef.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { pointerReg, withReg } from './reg.ts';
import {
  MEM_ALLOC,
  MEM_RCU,
  NON_OWN_REF,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_VALUE,
  typeIsNonOwningRef,
  typeIsPtrAllocObj,
} from './regTypes.ts';
import { isLock } from './state.ts';
import { dropReference } from './references.ts';
import { tnumIsConst } from './tnum.ts';
import type { MapField } from './verifierMap.ts';

const OBJECT = PTR_TO_BTF_ID | MEM_ALLOC;

/** Fields of the object or map value that the register points into. */
export function fieldsOf(env: Env, reg: Reg): readonly MapField[] {
  if (reg.type === PTR_TO_MAP_VALUE) return reg.map?.special ?? [];
  const { btf } = env.image;
  return btf === null || reg.btf === null ? [] : specialFields(btf, reg.btf.id, true);
}

function fieldAt(env: Env, regno: number, kind: MapField['kind']): MapField {
  const reg = env.regs[regno]!;
  if (!tnumIsConst(reg.bounds))
    env.invalid(
      `R${regno} doesn't have constant offset. bpf_${kind} has to be at the constant offset`,
    );
  const off = reg.off + Number(reg.bounds.value);
  const field = fieldsOf(env, reg).find((one) => one.kind === kind && one.at === off);
  return field ?? env.invalid(`bpf_${kind} not found at offset=${off}`);
}

/** @linux check_reg_allocation_locked */
function isLocked(env: Env, reg: Reg): boolean {
  const { cur } = env;
  if (cur.activeLocks === 0) return false;
  const holds = cur.refs.some(
    (ref) => isLock(ref) && ref.id === reg.id && ref.map === (reg.map ?? null),
  );
  if (!holds) env.write('held lock and object are not in the same allocation\n');
  return holds;
}

export function checkRoot(env: Env, regno: number, kind: 'list_head' | 'rb_root'): GraphTarget {
  const reg = env.regs[regno]!;
  if (reg.type !== PTR_TO_MAP_VALUE && reg.type !== OBJECT)
    env.invalid(`arg#${regno - 1} expected pointer to map value or allocated object`);
  if (reg.type === OBJECT && reg.refObjId === 0) env.invalid('allocated object must be referenced');
  const field = fieldAt(env, regno, kind);
  if (!isLocked(env, reg)) {
    const lock = fieldsOf(env, reg).find((one) => one.kind === 'spin_lock');
    env.invalid(`bpf_spin_lock at off=${lock?.at ?? -EINVAL} must be held for bpf_${kind}`);
  }
  return field.graph ?? env.refuse(EOPNOTSUPP, `what hangs on the bpf_${kind} is not known`);
}

/** @param name of the function that takes out or looks; '': it puts in */
export function checkNode(
  env: Env,
  regno: number,
  kind: 'list_node' | 'rb_node',
  root: GraphTarget,
  name: string,
): void {
  const reg = env.regs[regno]!;
  if (name === '') {
    if (reg.type !== OBJECT) env.invalid(`arg#${regno - 1} expected pointer to allocated object`);
    if (reg.refObjId === 0) env.invalid('allocated object must be referenced');
  } else {
    if (!typeIsNonOwningRef(reg.type) && reg.refObjId === 0)
      env.invalid(`${name} can only take non-owning or refcounted bpf_rb_node pointer`);
    if (inTreeCallback(env)) env.invalid(`${name} not allowed in rbtree cb`);
  }
  const { at } = fieldAt(env, regno, kind);
  const head = kind === 'list_node' ? 'list_head' : 'rb_root';
  if (reg.btf!.id !== root.id)
    env.invalid(
      `operation on bpf_${head} expects arg#1 bpf_${kind} at offset=${root.at} in struct ` +
        `${root.name}, but arg is at offset=${at} in struct ${reg.btf!.name}`,
    );
  if (at !== root.at)
    env.invalid(
      `arg#1 offset=${at}, but expected bpf_${kind} at offset=${root.at} in struct ${root.name}`,
    );
}

/** Does what compares two nodes of a tree run, with the tree locked? @linux in_rbtree_lock_required_cb */
export const inTreeCallback = (env: Env): boolean =>
  env.cur.curframe > 0 && env.func.inCallbackFn && env.cur.activeLocks > 0;

const isShared = (env: Env, reg: Reg): boolean =>
  fieldsOf(env, reg).some(({ kind }) => kind === 'refcount');

/** Looked at, not owned; what others count, too, may go at any time but for RCU. @linux ref_set_non_owning */
export const unowned = (env: Env, reg: Reg): Reg =>
  withReg(reg, { type: reg.type | NON_OWN_REF | (isShared(env, reg) ? MEM_RCU : 0), refObjId: 0 });

/** The object goes into a list or a tree. @linux ref_convert_owning_non_owning */
export function handOver(env: Env, id: number): void {
  env.cur.mapRegs((reg) => (reg.refObjId === id ? unowned(env, reg) : reg));
  dropReference(env.cur, id);
}

/** @linux mark_reg_graph_node */
export const nodeReg = (root: GraphTarget): Reg =>
  pointerReg(OBJECT, { btf: { owner: 'program', id: root.id, name: root.name }, off: root.at });

/** With the lock, the right to look is gone. @linux invalidate_non_owning_refs */
export function forgetUnowned(env: Env): void {
  env.cur.mapRegs((reg) => (typeIsNonOwningRef(reg.type) ? env.dead : reg));
}

/** One more owner. */
export function checkCounted(env: Env, regno: number): void {
  const reg = env.regs[regno]!;
  if (!typeIsPtrAllocObj(reg.type))
    env.invalid(`arg#${regno - 1} is neither owning or non-owning ref`);
  if (!isShared(env, reg))
    env.invalid(`arg#${regno - 1} doesn't point to a type with bpf_refcount field`);
}
