/**
 * Values of the kernel's settings that an object asks for (`extern int CONFIG_HZ __kconfig`).
 *
 * What the caller does not say and is not built in is missing: zero if it may be (`__weak`).
 *
 * @linux bpf_object__read_kconfig_file, set_kcfg_value_tri, set_kcfg_value_num; tools/lib/bpf/libbpf.c
 */
import type { Btf } from '../btf/btf.ts';
import { KCONFIG } from './externs.ts';
import { LoadError } from './image.ts';
import type { CollectionSpec, ExternRef, VariableSpec } from './spec.ts';

/** A number, `true` for y, or a text. */
export type KconfigValue = number | bigint | boolean | string;

/** The kernel that is emulated. */
const BUILT_IN: Readonly<Record<string, KconfigValue>> = {
  LINUX_KERNEL_VERSION: (6 << 16) | (18 << 8),
  LINUX_HAS_BPF_COOKIE: true,
  LINUX_HAS_SYSCALL_WRAPPER: true,
  CONFIG_BPF: true,
  CONFIG_BPF_SYSCALL: true,
  CONFIG_BPF_JIT: true,
  CONFIG_NET: true,
  CONFIG_INET: true,
  CONFIG_IPV6: true,
  CONFIG_64BIT: true,
  CONFIG_X86_64: true,
  CONFIG_SMP: true,
  CONFIG_HZ: 250,
};

/** How the C type `enum libbpf_tristate` counts. */
const TRI_YES = 1;

/**
 * The contents of the map `.kconfig`.
 *
 * @throws LoadError for a setting that must be there and is not, or does not fit its type
 */
export function kconfigContents(
  spec: CollectionSpec,
  given: Readonly<Record<string, KconfigValue>>,
): Uint8Array | null {
  const map = spec.maps[KCONFIG];
  if (map === undefined || spec.btf === null) return null;
  const contents = new Uint8Array(map.valueSize);
  const externs = externsOf(spec);
  for (const variable of Object.values(spec.variables)) {
    if (variable.map !== KCONFIG) continue;
    const value = given[variable.name] ?? BUILT_IN[variable.name];
    if (value !== undefined) writeSetting(spec, spec.btf, contents, variable, value);
    else if (externs.get(variable.name)?.weak === false) {
      throw new LoadError(spec.file, `setting ${variable.name}`, 'no value is known; give one');
    }
  }
  return contents;
}

function externsOf({ programs }: CollectionSpec): Map<string, ExternRef> {
  const externs = new Map<string, ExternRef>();
  for (const { refs } of Object.values(programs)) {
    for (const ref of refs.values()) if (ref.kind === 'kconfig') externs.set(ref.name, ref);
  }
  return externs;
}

function writeSetting(
  spec: CollectionSpec,
  btf: Btf,
  contents: Uint8Array,
  { name, offset, size, type }: VariableSpec,
  value: KconfigValue,
): void {
  const refuse = (why: string): LoadError =>
    new LoadError(spec.file, `setting ${name}`, `${String(value)} ${why}`);
  const target = btf.resolve(type);
  if (typeof value === 'string') {
    if (target.kind !== 'array') throw refuse('is a text, but the program wants a number');
    const bytes = new TextEncoder().encode(value).subarray(0, size - 1);
    contents.set(bytes, offset);
    return;
  }
  if (target.kind !== 'int' && target.kind !== 'enum')
    throw refuse('is a number, but no number is wanted');
  const number = typeof value === 'boolean' ? (value ? TRI_YES : 0) : value;
  let rest = BigInt(number);
  const bits = BigInt(size * 8);
  const least = target.signed ? -(1n << (bits - 1n)) : 0n;
  const most = (1n << (target.signed ? bits - 1n : bits)) - 1n;
  if (rest < least || rest > most) throw refuse(`is out of range (${least} to ${most})`);
  for (let i = 0; i < size; i++, rest >>= 8n) contents[offset + i] = Number(rest & 0xffn);
}
