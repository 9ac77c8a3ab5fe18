/**
 * What the arguments of a call say of each other and of its result.
 *
 * @linux struct bpf_call_arg_meta; kernel/bpf/verifier.c
 */
import type { MapField, VerifierMap } from './verifierMap.ts';

export interface CallMeta {
  readonly funcId: number;
  readonly pktAccess: boolean;
  map: VerifierMap | null;
  mapUid: number;
  /** The memory handed over is only written to: it need not be set before. */
  rawMode: boolean;
  /** Then: which register points to it, and how many bytes are set afterwards. */
  rawReg: number;
  rawBytes: number;
  /** The argument whose reference the call takes. */
  releaseReg: number;
  refObjId: number;
  dynptrId: number;
  /** Size of the memory returned. */
  memSize: number;
  /** Largest size of memory handed over. */
  largest: bigint;
  subprogno: number;
  /** The kept pointer that is exchanged. */
  kptr: MapField | null;
  /** The key, where it is a known number; else -1. */
  constMapKey: bigint;
}

export const callMeta = (funcId: number, pktAccess: boolean): CallMeta => ({
  funcId,
  pktAccess,
  map: null,
  mapUid: 0,
  rawMode: false,
  rawReg: 0,
  rawBytes: 0,
  releaseReg: 0,
  refObjId: 0,
  dynptrId: 0,
  memSize: 0,
  largest: 0n,
  subprogno: 0,
  kptr: null,
  constMapKey: -1n,
});
