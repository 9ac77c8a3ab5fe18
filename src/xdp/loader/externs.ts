/**
 * What an object expects from outside: settings of the kernel (`.kconfig`), its variables and
 * functions (`.ksyms`).
 *
 * A setting gets a place in a map of its own, `.kconfig`; its value comes when the object is loaded.
 *
 * @linux bpf_object__collect_externs; tools/lib/bpf/libbpf.c
 */
import type { Btf } from '../btf/btf.ts';
import type { BtfFunc, BtfSecVar, BtfVar } from '../btf/types.ts';
import type { ElfSymbol } from '../elf/elf.ts';
import { SHN_UNDEF, STB_WEAK } from '../elf/elf.ts';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY, emptyMap } from './mapSpec.ts';
import type { ObjectFile } from './objectFile.ts';
import type { ExternRef, MapSpec, VariableSpec } from './spec.ts';

export const KCONFIG = '.kconfig';
const KSYMS = '.ksyms';
const MAX_ALIGN = 8;
/** Bytes of settings an object may ask for. */
const MAX_BYTES = 65536;

export interface Externs {
  readonly refs: ReadonlyMap<string, ExternRef>;
  /** Place of each kconfig value in the map. */
  readonly kconfigAt: ReadonlyMap<string, number>;
  readonly kconfig: MapSpec | null;
  readonly variables: readonly VariableSpec[];
}

export function readExterns(object: ObjectFile): Externs {
  const refs = new Map<string, ExternRef>();
  const { btf } = object;
  if (btf === null) return { refs, kconfigAt: new Map(), kconfig: null, variables: [] };
  const symbols = new Map(
    object.elf.symbols
      .filter(({ section, name }) => section === SHN_UNDEF && name !== '')
      .map((symbol) => [symbol.name, symbol]),
  );
  const settings: VariableSpec[] = [];
  const places: BtfSecVar[] = [];
  let end = 0;
  for (const { variable, size, align } of settingsOf(object, btf)) {
    const symbol = symbols.get(variable.name);
    if (symbol === undefined) continue;
    const offset = Math.ceil(end / align) * align;
    end = offset + size;
    if (end > MAX_BYTES) throw btf.refuse(variable.id, `settings exceed ${MAX_BYTES} bytes`);
    places.push({ type: variable.id, offset, size });
    settings.push({ name: variable.name, map: KCONFIG, offset, size, type: variable.type });
    refs.set(variable.name, externRef('kconfig', symbol, variable.type));
  }
  const datasec = object.datasec(KCONFIG);
  if (datasec !== null) btf.amend({ ...datasec, size: end, vars: places });
  for (const [extern] of entriesOf(object, btf, KSYMS)) {
    const symbol = symbols.get(extern.name);
    if (symbol === undefined) continue;
    refs.set(
      extern.name,
      extern.kind === 'func'
        ? externRef('kfunc', symbol, extern.type)
        : externRef('ksym', symbol, isVoid(btf, extern.type) ? 0 : extern.type),
    );
  }
  return {
    refs,
    kconfigAt: new Map(settings.map(({ name, offset }) => [name, offset])),
    kconfig: settings.length === 0 ? null : kconfigMap(object, end),
    variables: settings,
  };
}

const externRef = (
  kind: ExternRef['kind'],
  { name, bind }: ElfSymbol,
  type: number,
): ExternRef => ({ kind, name, weak: bind === STB_WEAK, type });

const isVoid = (btf: Btf, type: number): boolean => btf.resolve(type).kind === 'void';

function entriesOf(
  object: ObjectFile,
  btf: Btf,
  section: string,
): [BtfVar | BtfFunc, size: number][] {
  return (object.datasec(section)?.vars ?? []).map(({ type: id }) => {
    const type = btf.type(id);
    if (type.kind === 'func') return [type, 0];
    if (type.kind !== 'var') throw btf.refuse(id, `${section} lists what is no variable`);
    return [type, isVoid(btf, type.type) ? 0 : btf.sizeOf(type.type)];
  });
}

interface Setting {
  readonly variable: BtfVar;
  readonly size: number;
  readonly align: number;
}

/** In libbpf's order: what needs most alignment first, then the smaller, then by name. */
function settingsOf(object: ObjectFile, btf: Btf): Setting[] {
  return entriesOf(object, btf, KCONFIG)
    .flatMap(([variable, size]) =>
      variable.kind === 'var' ? [{ variable, size, align: alignOf(btf, variable.type) }] : [],
    )
    .toSorted(
      (a, b) =>
        b.align - a.align || a.size - b.size || (a.variable.name < b.variable.name ? -1 : 1),
    );
}

/** Settings are numbers and texts: the alignment of their elements, by size. */
function alignOf(btf: Btf, id: number): number {
  let type = btf.resolve(id);
  if (type.kind === 'array') type = btf.resolve(type.type);
  if (type.kind === 'array') return 1;
  return Math.min(MAX_ALIGN, Math.max(1, btf.sizeOf(type.id)));
}

const kconfigMap = (object: ObjectFile, size: number): MapSpec => ({
  ...emptyMap(KCONFIG, object.btf),
  type: BPF_MAP_TYPE_ARRAY,
  keySize: 4,
  valueSize: size,
  maxEntries: 1,
  flags: BPF_F_RDONLY_PROG | BPF_F_MMAPABLE,
  valueType: object.datasec(KCONFIG)?.id ?? 0,
  contents: new Uint8Array(size),
  frozen: true,
});
