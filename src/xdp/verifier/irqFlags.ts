/**
 * Interrupt flags that `bpf_local_irq_save` leaves on the stack: restored once each, the newest first.
 *
 * "arg#%d doesn't point to an irq flag on stack", "expected uninitialized irq flag as arg#%d", "expected
 * an initialized irq flag as arg#%d", "cannot restore irq state out of order, expected id=%d acquired
 * at insn_idx=%d", "irq flag acquired by %s kfuncs cannot be restored with %s kfuncs".
 *
 * @linux process_irq_flag; kernel/bpf/verifier.c
 */
import type { Env } from './env.ts';
import { checkMemAccess } from './memAccess.ts';
import { pointerReg } from './reg.ts';
import { PTR_TO_STACK } from './regTypes.ts';
import { OUTSIDE, objectSlot } from './stackObject.ts';
import type { Ref } from './state.ts';
import { EMPTY_SLOT, SLOT_BYTES, STACK_IRQ_FLAG, allBytes, byteType } from './state.ts';

const ALL_FLAG = allBytes(STACK_IRQ_FLAG);

/** Whose functions saved the flags: those made for it, or a lock's. */
type FlagKind = 'irq' | 'irqOfLock';
const isFlag = ({ kind }: Ref): boolean => kind === 'irq' || kind === 'irqOfLock';
const ownerName = (kind: Ref['kind']): string => (kind === 'irq' ? 'native' : 'lock');

export function processIrqFlag(env: Env, regno: number, save: boolean, kind: FlagKind): void {
  const reg = env.regs[regno]!;
  if (reg.type !== PTR_TO_STACK)
    env.invalid(`arg#${regno - 1} doesn't point to an irq flag on stack`);
  if (save) saveFlag(env, regno, kind);
  else restoreFlag(env, regno, kind);
}

function saveFlag(env: Env, regno: number, kind: FlagKind): void {
  const reg = env.regs[regno]!;
  const { frameno, stack } = env.frameOf(reg);
  const at = objectSlot(env, reg, 'irq_flag', 1);
  const holds = (byte: number): boolean => byteType(stack[at]!.types, byte) === STACK_IRQ_FLAG;
  if (at !== OUTSIDE && (at < 0 || [0, 1, 2, 3, 4, 5, 6, 7].some(holds)))
    env.invalid(`expected uninitialized irq flag as arg#${regno - 1}`);
  checkMemAccess(env, env.insnIdx, regno, 0, SLOT_BYTES, 'write', -1);
  const spi = objectSlot(env, reg, 'irq_flag', 1);
  const id = env.newId();
  env.cur.refs.push({ kind, id, insnIdx: env.insnIdx, map: null });
  env.cur.activeIrqId = id;
  stack[spi] = { types: ALL_FLAG, reg: pointerReg(PTR_TO_STACK, { refObjId: id }) };
  env.liveness.markWrite(frameno, spi);
  env.scratchSlot(spi);
}

function restoreFlag(env: Env, regno: number, kind: FlagKind): void {
  const reg = env.regs[regno]!;
  const { frameno, stack } = env.frameOf(reg);
  const spi = objectSlot(env, reg, 'irq_flag', 1);
  if (spi < 0 || stack[spi]!.types !== ALL_FLAG)
    env.invalid(`expected an initialized irq flag as arg#${regno - 1}`);
  env.liveness.markRead(frameno, spi);
  env.scratchSlot(spi);
  release(env, stack[spi]!.reg.refObjId, kind);
  stack[spi] = EMPTY_SLOT;
  env.liveness.markWrite(frameno, spi);
}

/** @linux release_irq_state */
function release(env: Env, id: number, kind: FlagKind): void {
  const { cur } = env;
  const saved = cur.refs.filter(isFlag);
  const by = saved.find((ref) => ref.id === id)!.kind;
  if (by !== kind)
    env.invalid(
      `irq flag acquired by ${ownerName(by)} kfuncs cannot be restored with ${ownerName(kind)} kfuncs`,
    );
  if (id !== cur.activeIrqId) {
    const { insnIdx } = saved.find((ref) => ref.id === cur.activeIrqId)!;
    env.deny(
      `cannot restore irq state out of order, expected id=${cur.activeIrqId} acquired at insn_idx=${insnIdx}`,
    );
  }
  cur.refs = cur.refs.filter((ref) => !isFlag(ref) || ref.id !== id);
  cur.activeIrqId = saved[saved.length - 2]?.id ?? 0;
}
