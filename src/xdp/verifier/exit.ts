/**
 * The end of a function or of the program.
 *
 * "R0 leaks addr as return value", "At subprogram exit the register R0 is not a scalar value (%s)", "At
 * async callback return the register R0 is not a known value (%s)", "BPF_EXIT instruction in main prog
 * would lead to reference leak".
 *
 * @linux process_bpf_exit_full, check_return_code; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { inRange, prepareFuncExit, refuseReturn } from './funcCall.ts';
import { markChainPrecision } from './precision.ts';
import { checkResourceLeak } from './references.ts';
import { isPointerValue, readReg } from './regArg.ts';
import { SCALAR_VALUE, regTypeStr } from './regTypes.ts';
import { EXIT } from './insnKind.ts';

const AT_ASYNC_RETURN = 'At async callback return';

/** @returns true when the path ends here */
export function checkExit(env: Env, insn: Insn): boolean {
  if (insn.code !== EXIT || insn.imm !== 0 || insn.src !== 0 || insn.dst !== 0)
    env.invalid('BPF_EXIT uses reserved fields');
  checkResourceLeak(env, false, env.cur.curframe === 0, 'BPF_EXIT instruction in main prog');
  if (env.cur.curframe === 0) {
    checkReturnCode(env);
    return true;
  }
  env.liveness.update(env.cur);
  prepareFuncExit(env);
  return false;
}

/** XDP programs may return any number. */
function checkReturnCode(env: Env): void {
  const { func } = env;
  const r0 = readReg(env, 0);
  if (isPointerValue(env, r0)) env.deny('R0 leaks addr as return value');
  if (func.inAsyncCallbackFn) {
    if (r0.type !== SCALAR_VALUE)
      env.invalid(
        `${AT_ASYNC_RETURN} the register R0 is not a known value (${regTypeStr(r0.type)})`,
      );
    markChainPrecision(env, 0);
    const known = env.regs[0]!;
    if (!inRange(func.callbackRetRange, known))
      refuseReturn(env, known, func.callbackRetRange, AT_ASYNC_RETURN);
  } else if (
    func.subprogno !== 0 &&
    func.subprogno !== env.exceptionCallback &&
    r0.type !== SCALAR_VALUE
  ) {
    env.invalid(
      `At subprogram exit the register R0 is not a scalar value (${regTypeStr(r0.type)})`,
    );
  }
}
