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

/** By name. */
export type Settings = Readonly<Record<string, KconfigValue>>;

/** The kernel that is emulated. */
const BUILT_IN: Settings = {
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
 * The blueprint with what is known of its settings in `.kconfig`; the rest is zero.
 *
 * @throws LoadError for a setting that does not fit its type
 */
export function withSettings(spec: CollectionSpec, given: Settings = {}): CollectionSpec {
  const map = spec.maps[KCONFIG];
  if (map === undefined || spec.btf === null) return spec;
  const contents = new Uint8Array(map.valueSize);
  for (const variable of settingsOf(spec)) {
    const value = valueOf(variable, given);
    if (value !== undefined) writeSetting(spec, spec.btf, contents, variable, value);
  }
  return { ...spec, maps: { ...spec.maps, [KCONFIG]: { ...map, contents } } };
}

/** Settings that must be there, and nobody knows. */
export function missingSettings(spec: CollectionSpec, given: Settings = {}): string[] {
  const externs = externsOf(spec);
  return settingsOf(spec)
    .filter((one) => externs.get(one.name)?.weak === false && valueOf(one, given) === undefined)
    .map(({ name }) => name);
}

const settingsOf = ({ variables }: CollectionSpec): VariableSpec[] =>
  Object.values(variables).filter(({ map }) => map === KCONFIG);

const valueOf = ({ name }: VariableSpec, given: Settings): KconfigValue | undefined =>
  given[name] ?? (Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined);

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
