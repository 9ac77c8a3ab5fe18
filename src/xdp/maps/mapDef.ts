/**
 * What a map is made from, and how one that cannot be made is refused.
 */
import { ENOMEM, errnoName } from '../../host/errno.ts';
import { printable } from '../../host/errors.ts';
import { MAP_TYPE_NAMES } from './uapi.ts';

export type SpecialKind =
  | 'spin_lock'
  | 'timer'
  | 'res_spin_lock'
  | 'wq'
  | 'task_work'
  | 'list_head'
  | 'rb_root'
  | 'refcount'
  | 'list_node'
  | 'rb_node'
  | 'kptr';

/** Objects of a list or tree: the struct, by its number in the object's BTF, and where its link is. */
export interface GraphTarget {
  readonly id: number;
  readonly name: string;
  readonly at: number;
}

/** How the kernel keeps a pointer. */
export type KptrTag = 'kptr' | 'kptr_untrusted' | 'percpu_kptr' | 'uptr';

/** A part of a value that the kernel keeps for itself: copies leave it alone, user space reads zero. */
export interface SpecialField {
  readonly kind: SpecialKind;
  /** Bytes from the value's start. */
  readonly at: number;
  readonly bytes: number;
  /** What hangs on a list or tree. */
  readonly graph?: GraphTarget;
  /** What a kept pointer may point to: a struct, by its number in the object's BTF. */
  readonly kptr?: { readonly tag: KptrTag; readonly id: number; readonly name: string };
}

/** The attributes of `BPF_MAP_CREATE`. */
export interface MapDef {
  readonly name: string;
  /** `BPF_MAP_TYPE_*` */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*` */
  readonly flags: number;
  /** Bloom filter: number of hash functions. */
  readonly mapExtra?: number;
  /** Map-in-map: what its maps must be like. */
  readonly inner?: MapDef;
  /** From the value's BTF, in the order of their offsets. */
  readonly special?: readonly SpecialField[];
  /** The kernel was given no type of its values. */
  readonly untyped?: boolean;
}

/** An operation on a map that Linux would answer with an error number. */
export class MapError extends Error {
  /** Positive, as in C's `errno`. */
  readonly errno: number;

  constructor(def: MapDef, errno: number, why: string) {
    super(printable(`map ${def.name} (${mapTypeName(def.type)}): ${why} (${errnoName(errno)})`));
    this.name = 'MapError';
    this.errno = errno;
  }
}

/** `hash` for 1; `type 99` for what no Linux knows. */
export function mapTypeName(type: number): string {
  return MAP_TYPE_NAMES[type] ?? `type ${type}`;
}

/** Values lie at 8-byte steps. */
export const round8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Entries that are objects of ours lie outside host memory, which bounds all others. */
const MAX_OBJECTS: number = 1 << 22;

/** @throws MapError for more entries than a map of objects may have */
export function boundObjects(def: MapDef): void {
  if (def.maxEntries <= MAX_OBJECTS) return;
  throw new MapError(def, ENOMEM, `${def.maxEntries} entries; ${MAX_OBJECTS} at most here`);
}
