/**
 * Helpers that print: to the trace, or into a buffer.
 *
 * @linux kernel/trace/bpf_trace.c, kernel/bpf/helpers.c
 */
import { EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { bprintf, readString } from './bprintf.ts';
import type { Printed } from './bprintf.ts';
import { helper } from './define.ts';
import type { Helper } from './helper.ts';

/** A line of the trace holds so many bytes, its end included. @linux MAX_BPRINTF_BUF */
const MAX_LINE = 1024;
const WIDE_VALUES: number = (1 << 3) | (1 << 4) | (1 << 5);
const SPECIFICATION = /%%|%/g;

/** @returns bytes of the line, or a negative errno */
function trace(bpf: Bpf, text: Printed): number {
  if (typeof text === 'number') return text;
  const line = text.slice(0, MAX_LINE - 1);
  const { cpu } = bpf.xdp;
  bpf.tracePipe.print({ cpu: cpu.id, time: bpf.now, text: line.replace(/\n$/, '') });
  return text.length;
}

/** The format's text; it must end inside its size. */
function formatAt(bpf: Bpf, at: HostAddr, size: number): string | null {
  const text = readString(bpf.mem, at, size);
  return text.length < size ? text : null;
}

/** How many values a format names. */
const valuesOf = (format: string): number =>
  [...format.matchAll(SPECIFICATION)].filter(([found]) => found === '%').length;

/** Up to three values come in registers: they are put down beside their high words. @linux bpf_trace_printk */
function tracePrintk(
  bpf: Bpf,
  format: HostAddr,
  size: number,
  a3: number,
  a4: number,
  a5: number,
): number {
  const text = formatAt(bpf, format, size);
  if (text === null) return -EINVAL;
  const { words } = bpf.mem;
  const hi = bpf.hi >> 2;
  const at = bpf.scratch.value >> 2;
  [a3, a4, a5].forEach((low, i) => {
    words[at + 2 * i] = low;
    words[at + 2 * i + 1] = words[hi + 3 + i]!;
  });
  const args = [0, 1, 2].slice(0, valuesOf(text)).map((i) => bpf.scratch.value + 8 * i);
  return trace(bpf, bprintf(bpf.mem, text, args));
}

function arrayOf(data: HostAddr, bytes: number): HostAddr[] | null {
  if (bytes % 8 !== 0 || (data === 0 && bytes !== 0)) return null;
  return Array.from({ length: bytes / 8 }, (_, i) => data + 8 * i);
}

/** @linux bpf_trace_vprintk */
function traceVprintk(
  bpf: Bpf,
  format: HostAddr,
  size: number,
  data: HostAddr,
  bytes: number,
): number {
  const text = formatAt(bpf, format, size);
  const args = arrayOf(data, bytes);
  return text === null || args === null ? -EINVAL : trace(bpf, bprintf(bpf.mem, text, args));
}

/** @returns bytes that the whole text needs, its end included @linux bpf_snprintf */
function snprintf(
  bpf: Bpf,
  into: HostAddr,
  size: number,
  format: HostAddr,
  data: HostAddr,
  bytes: number,
): number {
  const { mem } = bpf;
  const args = arrayOf(data, bytes);
  if (args === null) return -EINVAL;
  const text = bprintf(mem, readString(mem, format, mem.bytes), args);
  if (typeof text === 'number') return text;
  const fits = Math.max(0, Math.min(text.length, size - 1));
  for (let i = 0; i < fits; i++) mem.u8[into + i] = text.charCodeAt(i);
  if (size > 0) mem.u8[into + fits] = 0;
  return text.length + 1;
}

export const PRINT_HELPERS: readonly Helper[] = [
  helper(6, 'bpf_trace_printk', tracePrintk, { wideArgs: WIDE_VALUES }),
  helper(165, 'bpf_snprintf', snprintf),
  helper(177, 'bpf_trace_vprintk', traceVprintk),
];
