/**
 * What the verifier needs to know of a map; live maps (`BpfMap`) and the templates of inner maps
 * are both of this form.
 */
import type { SpecialField } from '../maps/mapDef.ts';

export type MapField = SpecialField;

export interface VerifierMap {
  readonly name: string;
  /** `BPF_MAP_TYPE_*` */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*` */
  readonly flags: number;
  /** Of an arena: its address in user space. */
  readonly mapExtra?: number;
  /** Map in map: what its maps are like. */
  readonly inner?: VerifierMap;
  /** Fields the kernel keeps for itself; undefined for a map without BTF. */
  readonly special?: readonly MapField[];
  /** The kernel was given no type of its values. */
  readonly untyped?: boolean;
  readonly frozen?: boolean;
}

/** A live map, by the id that instructions carry; `readValue` serves constants of frozen maps. */
export interface LiveMap extends VerifierMap {
  readonly id: number;
}

/** @linux btf_record_has_field */
export const mapHasField = (map: VerifierMap | null, ...kinds: MapField['kind'][]): boolean =>
  map?.special?.some((field) => kinds.includes(field.kind)) ?? false;
