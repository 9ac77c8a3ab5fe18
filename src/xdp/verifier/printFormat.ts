/**
 * The format of `bpf_snprintf` is checked when the program is loaded.
 *
 * "Invalid format string".
 *
 * @linux check_bpf_snprintf_call; kernel/bpf/verifier.c. bpf_bprintf_prepare; kernel/bpf/helpers.c
 */
import { EINVAL } from '../../host/errno.ts';
import { formatArgs } from '../helpers/bprintf.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { fixedOffset } from './reg.ts';

export function checkSnprintfFormat(env: Env): void {
  const bytes = Number(env.regs[5]!.bounds.value);
  if (bytes % 8 !== 0) throw new Refused(EINVAL, 'arguments of bpf_snprintf are 8 bytes each');
  const format = env.regs[3]!;
  let text = '';
  for (let at = fixedOffset(format); at < format.map!.valueSize; at++) {
    const byte = Number(env.options.readMap(format.map!, at, 1) ?? 0n);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  const used = formatArgs(text);
  if (used < 0 || used > bytes / 8) env.invalid('Invalid format string');
}
