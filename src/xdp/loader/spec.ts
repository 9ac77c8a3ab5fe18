/**
 * What an object file describes, before anything of it exists: pure data that may be edited.
 *
 * `parseElf` makes it, the same from the same bytes anywhere; `loadCollection` makes maps and
 * programs of it. In between, a caller may resize maps, fill them, set variables, change types.
 */
import type { Btf } from '../btf/btf.ts';
import type { Insn } from '../isa/insn.ts';

export interface CollectionSpec {
  /** What messages call the object. */
  readonly file: string;
  /** By name; a section of global data is a map under the section's name, such as `.rodata`. */
  readonly maps: Record<string, MapSpec>;
  /** By function name, in the order of the file. */
  readonly programs: Record<string, ProgramSpec>;
  /** Global variables by name. */
  readonly variables: Record<string, VariableSpec>;
  readonly btf: Btf | null;
  license: string;
  /** The `version` section of old objects; 0 without one. */
  kernelVersion: number;
  /** The kernel's types, for CO-RE; null: a description of those that XDP programs touch. */
  kernelTypes: Btf | null;
}

/** An entry of a map that holds maps or programs, as the object initialises it. */
export interface MapInit {
  readonly index: number;
  readonly kind: 'map' | 'program';
  readonly name: string;
}

export interface MapSpec {
  name: string;
  /** @linux enum bpf_map_type */
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  mapExtra: number;
  numaNode: number;
  /** 0, or 1: by name. @linux enum libbpf_pin_type */
  pinning: number;
  /** Types in the object's BTF; 0 where it tells none. */
  keyType: number;
  valueType: number;
  readonly btf: Btf | null;
  /** What the maps inside are like, for maps of maps. */
  inner: MapSpec | null;
  values: MapInit[];
  /** Global data: the one value. */
  contents: Uint8Array | null;
  /** User space cannot write it any more once it is loaded. */
  frozen: boolean;
}

export interface VariableSpec {
  readonly name: string;
  /** The map, and so the section, that holds it. */
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  /** In the object's BTF; 0 where it tells none. */
  readonly type: number;
}

/** What an instruction means beyond itself; its slot is the key in `ProgramSpec.refs`. */
export type InsnRef =
  | { readonly kind: 'map'; readonly name: string }
  /** The second slot's `imm` is the offset. */
  | { readonly kind: 'mapValue'; readonly name: string }
  | ExternRef;

export interface ExternRef {
  /**
   * `kconfig`: the address of a value in the map `.kconfig`. `ksym`: the address of a variable of
   * the kernel. `kfunc`: a call of a function of the kernel. `kfuncAddress`: does it exist?
   */
  readonly kind: 'kconfig' | 'ksym' | 'kfunc' | 'kfuncAddress';
  readonly name: string;
  readonly weak: boolean;
  /** In the object's BTF; 0 for a ksym without one. */
  readonly type: number;
}

export interface FuncInfo {
  readonly slot: number;
  readonly name: string;
  /** The function in the object's BTF. */
  readonly typeId: number;
}

export interface LineInfo {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A constant that hangs on the kernel's types. @linux struct bpf_core_relo */
export interface CoreRelo {
  readonly slot: number;
  /** In the object's BTF. */
  readonly type: number;
  /** Indices of members and elements, as in "0:1:2". */
  readonly access: string;
  /** @linux enum bpf_core_relo_kind */
  readonly kind: number;
}

export interface ProgramSpec {
  readonly name: string;
  /** Without the `?` of a section that is not loaded by itself. */
  readonly section: string;
  /** @linux enum bpf_prog_type */
  type: number;
  /** @linux enum bpf_attach_type */
  attachType: number;
  frags: boolean;
  /** False for a section whose name began with `?`. */
  autoload: boolean;
  /** The function, and behind it each subprogram it calls. */
  insns: Insn[];
  readonly refs: Map<number, InsnRef>;
  readonly core: readonly CoreRelo[];
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly btf: Btf | null;
}
