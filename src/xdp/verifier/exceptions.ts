/**
 * What `bpf_throw` throws ends the program with that value, unless a function of its own was named to
 * see it: `__exception_cb(name)`, a tag in BTF. Nothing calls that function, and it is walked by itself.
 *
 * "exception callback '%s' could not be found in BTF", "exception callback '%s' must have global
 * linkage", "multiple exception callback tags for main subprog", "exception callback type id not found
 * in func_info", "exception cb cannot return void", "exception cb only supports single integer
 * argument".
 *
 * @linux bpf_find_exception_callback_insn_off, bpf_mark_subprog_exc_cb; kernel/bpf/verifier.c
 */
import { ENOENT } from '../../host/errno.ts';
import { ARG_ANYTHING } from '../helpers/protos.ts';
import type { Env, SubprogArg } from './env.ts';

const TAG = 'exception_callback:';
const BTF_FUNC_GLOBAL = 1;

/** @returns the callback's first instruction; 0: none is named */
export function exceptionCallbackStart(env: Env): number {
  const { btf, funcInfo } = env.image;
  if (btf === null || funcInfo.length === 0) return 0;
  const main = funcInfo[0]!.typeId;
  const tags = btf
    .tagsOf(main)
    .filter(({ component, name }) => component === -1 && name.startsWith(TAG));
  if (tags.length === 0) return 0;
  if (tags.length > 1) env.invalid('multiple exception callback tags for main subprog');
  const name = tags[0]!.name.slice(TAG.length);
  const func = btf.find(name, 'func');
  if (func?.kind !== 'func')
    return env.refuse(ENOENT, `exception callback '${name}' could not be found in BTF`);
  if (func.linkage !== BTF_FUNC_GLOBAL)
    env.invalid(`exception callback '${name}' must have global linkage`);
  const info = funcInfo.findLast(({ typeId }) => typeId === func.id);
  if (info === undefined) return env.invalid('exception callback type id not found in func_info');
  if (info.slot === 0) env.invalid('invalid exception callback insn_off in func_info: 0');
  return info.slot;
}

/** @param start of the callback */
export function markExceptionCallback(env: Env, start: number): void {
  env.exceptionCallback = env.subprogs.findIndex((subprog) => subprog.start === start);
  const subprog = env.subprogs[env.exceptionCallback]!;
  subprog.isCb = true;
  subprog.isAsyncCb = true;
  subprog.isExceptionCb = true;
}

export function checkExceptionCallback(env: Env, args: readonly SubprogArg[]): void {
  if (args.length !== 1 || args[0]!.type !== ARG_ANYTHING)
    env.invalid('exception cb only supports single integer argument');
}
