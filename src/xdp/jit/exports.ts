/**
 * Ways into a compiled program besides its first function: the loop over a batch of contexts, and
 * the doors through which helpers call back.
 */
import { I32, WasmCode } from '../../host/wasm.ts';
import { MAX_BPF_STACK } from '../isa/insn.ts';
import * as op from './opcodes.ts';
import type { Unit } from './unit.ts';

/** Arguments that a callback gets: r1 to r4. */
const CALLBACK_ARGS = 4;

const CONTEXT = 0;
const STRIDE = 1;
const LEFT = 2;
const VERDICT = 3;

/**
 * `batch(context, stride, count, verdicts)`: runs the program on contexts at equal distances and
 * stores each verdict as a word.
 *
 * @param entry own index of the function a run begins with
 */
export function writeBatch(unit: Unit, entry: number): void {
  const own = unit.module.declare();
  const out = new WasmCode(64);
  const end = out.block();
  const again = out.loop();
  out.get(LEFT).op(op.I32_EQZ).brIf(end);
  out.get(VERDICT).get(CONTEXT).call(entry).access(op.I32_STORE, 0);
  out.get(CONTEXT).get(STRIDE).op(op.I32_ADD).set(CONTEXT);
  out.get(VERDICT).i32(4).op(op.I32_ADD).set(VERDICT);
  out.get(LEFT).i32(1).op(op.I32_SUB).set(LEFT).br(again);
  out.end();
  out.end();
  unit.module.define(own, unit.module.type([I32, I32, I32, I32], []), [], out);
  unit.module.exportFunction('batch', own);
}

/**
 * `callback <slot>(r1, r2, r3, r4)`: runs the function at `slot` below the frame of the function
 * that called the helper, and leaves that frame noted as it was: the helper may call again.
 */
export function writeCallback(unit: Unit, slot: number): void {
  const own = unit.module.declare();
  const out = new WasmCode(64);
  const caller = CALLBACK_ARGS;
  out.i32(unit.frameWord).access(op.I32_LOAD, 0).set(caller);
  if (unit.checked) {
    out.get(caller).i32(unit.lastFrame).op(op.I32_LE_S);
    unit.writeTooDeepIf(out, slot);
  }
  for (let n = 0; n < CALLBACK_ARGS; n++) out.get(n).op(op.I64_EXTEND_I32_U);
  out.i64(0).get(caller).i32(MAX_BPF_STACK).op(op.I32_SUB).call(unit.callee(slot));
  out.op(op.I32_WRAP_I64);
  out.i32(unit.frameWord).get(caller).access(op.I32_STORE, 0);
  unit.module.define(own, unit.module.type([I32, I32, I32, I32], [I32]), [I32], out);
  unit.module.exportFunction(callbackName(slot), own);
}

export const callbackName = (slot: number): `callback ${number}` => `callback ${slot}`;
