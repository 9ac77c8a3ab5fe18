/**
 * All helpers by number, and all kernel functions by name: what an engine can call.
 *
 * `bpf_tail_call` (12) is an instruction to the engines and stands here only so that it is known.
 */
import { CLOCK_HELPERS } from './clockHelpers.ts';
import { CONTROL_HELPERS } from './controlHelpers.ts';
import { DYNPTR_HELPERS, DYNPTR_KFUNCS } from './dynptrHelpers.ts';
import { EVENT_HELPERS } from './eventHelpers.ts';
import type { Helper } from './helper.ts';
import { ITER_KFUNCS } from './iterKfuncs.ts';
import { MAP_HELPERS } from './mapHelpers.ts';
import { PACKET_HELPERS } from './packetHelpers.ts';
import { PRINT_HELPERS } from './printHelpers.ts';
import { REDIRECT_HELPERS } from './redirectHelpers.ts';
import { SOCKET_HELPERS } from './socketHelpers.ts';
import { STRING_HELPERS } from './stringHelpers.ts';
import { TIMER_HELPERS } from './timerHelpers.ts';
import { helper } from './define.ts';

const ALL: readonly Helper[] = [
  helper(12, 'bpf_tail_call', () => 0),
  ...MAP_HELPERS,
  ...PACKET_HELPERS,
  ...REDIRECT_HELPERS,
  ...CLOCK_HELPERS,
  ...CONTROL_HELPERS,
  ...TIMER_HELPERS,
  ...DYNPTR_HELPERS,
  ...EVENT_HELPERS,
  ...STRING_HELPERS,
  ...PRINT_HELPERS,
  ...SOCKET_HELPERS,
];

/** Indexed by helper number; a hole where a number is not known. */
export const HELPERS: readonly (Helper | undefined)[] = Array.from(
  { length: Math.max(...ALL.map(({ id }) => id)) + 1 },
  (_, id) => ALL.find((known) => known.id === id),
);

export const KFUNCS: ReadonlyMap<string, Helper> = new Map(
  [...DYNPTR_KFUNCS, ...ITER_KFUNCS].map((kfunc) => [kfunc.name, kfunc]),
);
