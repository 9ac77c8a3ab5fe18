/**
 * The formatted output of `bpf_trace_printk`, `bpf_trace_vprintk` and `bpf_snprintf`.
 *
 *   %% %c %s %pks %pus   %d %i %u %x %X with l or ll, and a width   %p %px   %pi4 %pI4 %pi6 %pI6
 *
 * Cold, as printing is: it makes strings, and BigInts of what is 64 bits wide.
 *
 * @linux bpf_bprintf_prepare; kernel/bpf/helpers.c, lib/vsprintf.c
 */
import { EINVAL, ENOSPC } from '../../host/errno.ts';
import type { HostAddr, HostMemory } from '../../host/memory.ts';

/** A format is refused with a negative errno, as the kernel returns it. */
export type Printed = string | number;

/** Where a value of 64 bits lies; its words are read little-endian. */
type ArgAddr = HostAddr;

const MAX_BPRINTF_VARARGS = 12;
const STRING_MAX = 512;

const SPEC =
  /%(?:(%)|([0 +-]*\d*)(?:(c|s)|(pks|pus)|(pi4|pI4|pi6|pI6)|(px|pK|pS|pB|p)|(ll|l)?([diuxX])))/y;

/** Text between specifications must be printable. */
const isPlain = (code: number): boolean => (code >= 32 && code < 127) || (code >= 9 && code <= 13);

export function readString(mem: HostMemory, at: HostAddr, max: number): string {
  let end = at;
  while (end < at + max && end < mem.bytes && mem.u8[end] !== 0) end++;
  return String.fromCharCode(...mem.u8.subarray(at, end));
}

/** How many values a format takes; -EINVAL when it is none. */
export function formatArgs(format: string): number {
  let used = 0;
  for (let i = 0; i < format.length;) {
    if (format[i] !== '%') {
      if (!isPlain(format.charCodeAt(i++))) return -EINVAL;
      continue;
    }
    SPEC.lastIndex = i;
    const spec = SPEC.exec(format);
    if (spec === null) return -EINVAL;
    i = SPEC.lastIndex;
    if (spec[1] === undefined) used++;
  }
  return used > MAX_BPRINTF_VARARGS ? -ENOSPC : used;
}

/**
 * @param args addresses of the values, 8 bytes each
 * @returns the text, or -EINVAL when the format, or the number of its arguments, cannot be
 */
export function bprintf(mem: HostMemory, format: string, args: readonly ArgAddr[]): Printed {
  if (args.length > MAX_BPRINTF_VARARGS) return -ENOSPC;
  let out = '';
  let used = 0;
  for (let i = 0; i < format.length;) {
    if (format[i] !== '%') {
      if (!isPlain(format.charCodeAt(i))) return -EINVAL;
      out += format[i++];
      continue;
    }
    SPEC.lastIndex = i;
    const spec = SPEC.exec(format);
    if (spec === null) return -EINVAL;
    i = SPEC.lastIndex;
    if (spec[1] !== undefined) {
      out += '%';
      continue;
    }
    const arg = args[used++];
    if (arg === undefined) return -EINVAL;
    out += printed(mem, spec, arg);
  }
  return used === args.length ? out : -EINVAL;
}

function printed(mem: HostMemory, spec: RegExpExecArray, arg: ArgAddr): string {
  const [, , flags = '', character, userString, address, pointer, long, radix = ''] = spec;
  const low = mem.view.getUint32(arg, true);
  if (character === 'c') return padded(String.fromCharCode(low & 0xff), flags);
  if (character === 's' || userString !== undefined) return readString(mem, low, STRING_MAX);
  if (address !== undefined) return ipAddress(mem, address, low);
  const value = mem.view.getBigUint64(arg, true);
  if (pointer !== undefined) return value.toString(16).padStart(16, '0');
  return padded(integer(value, long !== undefined, radix), flags);
}

function integer(value: bigint, wide: boolean, radix: string): string {
  const bits = wide ? 64 : 32;
  const unsigned = BigInt.asUintN(bits, value);
  if (radix === 'x') return unsigned.toString(16);
  if (radix === 'X') return unsigned.toString(16).toUpperCase();
  return (radix === 'u' ? unsigned : BigInt.asIntN(bits, value)).toString();
}

function padded(text: string, flags: string): string {
  const width = Number(/\d+$/.exec(flags)?.[0] ?? 0);
  const marks = flags.slice(0, flags.length - (/[1-9]\d*$/.exec(flags)?.[0].length ?? 0));
  const signed = marks.includes('+') && !text.startsWith('-') ? `+${text}` : text;
  if (marks.includes('-')) return signed.padEnd(width);
  if (!marks.includes('0')) return signed.padStart(width);
  const sign = /^[+-]/.exec(signed)?.[0] ?? '';
  return sign + signed.slice(sign.length).padStart(width - sign.length, '0');
}

function ipAddress(mem: HostMemory, kind: string, at: HostAddr): string {
  if (kind.endsWith('4')) {
    const bytes = [...mem.u8.subarray(at, at + 4)];
    return bytes.map((b) => (kind === 'pi4' ? String(b).padStart(3, '0') : String(b))).join('.');
  }
  const hex = [...mem.u8.subarray(at, at + 16)]
    .map((b) => b.toString(16).padStart(2, '0'))
    .join('');
  if (kind === 'pi6') return hex;
  return hex.match(/.{4}/g)!.join(':');
}
