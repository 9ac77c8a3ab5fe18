/** What a walk (`rxWalk.ts`) and what it calls in TypeScript tell each other. */
import type { BnxtRxRingInfo } from './bnxt.ts';

/** What runs now: whose fault it is when something is thrown. */
export const IN_PROGRAM = 0;
/** NIC or stack. */
export const ELSEWHERE = 1;
export const IN_BULK_QUEUE = 2;
/** Page pool or heads of skbs, behind the program of the packet that needs one. */
export const IN_ALLOCATOR = 3;

/** What a walk needs of what is around it. */
export interface Around {
  /** Whose completions are walked. */
  rxr: BnxtRxRingInfo | null;
  /** The last verdict as a program in TypeScript gave it, of those that the walk was not told. */
  act: number;
  /** `IN_*` or `ELSEWHERE` */
  inside: number;
  /** Pages that came out of the pool's ring, with others for its cache. */
  refills: number;
}
