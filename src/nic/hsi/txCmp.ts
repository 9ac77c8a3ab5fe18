/**
 * Transmit completion, 16 bytes: a packet has left, its buffers are the driver's again.
 *
 *   +0   flags_type    7 push | 6 error | 5:0 type (0, or 2 when coalesced)
 *   +4   opaque        echoed from the packet's first descriptor
 *   +8   errors_v      7 hint too short, 6 DMA, 5 length, 4 zero length, 3:1 buffer error | 0 V
 *   +12  sq_cons_idx   23:0 consumer index (type 2)
 *
 * @linux struct tx_cmp; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const CMP_TYPE_TX_L2_CMP = 0;
export const CMP_TYPE_TX_L2_COAL_CMP = 2;
export const CMP_TYPE_TX_L2_PKT_TS_CMP = 4;

const FLAGS_TYPE = 0;
const OPAQUE = 4;
const ERRORS_V = 8;
const SQ_CONS_IDX = 12;
const SQ_CONS_MASK = 0xffffff;

export const txCmpOpaque = (words: HostWords, at: HostAddr): number => words[(at + OPAQUE) >> 2]!;
/** @linux TX_CMP_SQ_CONS_IDX */
export const txCmpSqConsIdx = (words: HostWords, at: HostAddr): number =>
  words[(at + SQ_CONS_IDX) >> 2]! & SQ_CONS_MASK;

/** Write a completion, its valid bit last. @param v valid bit of the writer's lap: 1 on even laps */
export function txCmpWrite(
  words: HostWords,
  at: HostAddr,
  type: number,
  opaque: number,
  sqConsIdx: number,
  v: number,
): void {
  words[(at + FLAGS_TYPE) >> 2] = type;
  words[(at + OPAQUE) >> 2] = opaque;
  words[(at + SQ_CONS_IDX) >> 2] = sqConsIdx;
  words[(at + ERRORS_V) >> 2] = v;
}

export const TX_CMP_FIELDS: readonly Field[] = [
  field('type', 0, 5, 0, '0 per packet, 2 coalesced'),
  field('error', 0, 6, 6, 'some error bit is set'),
  field('push', 0, 7, 7, 'the packet was pushed'),
  field('opaque', 4, 31, 0, 'echo of the descriptor'),
  field('v', 8, 0, 0, 'valid on this lap'),
  field('bufferError', 8, 3, 1, '0 none, 2 bad format'),
  field('sqConsIdx', 12, 23, 0, 'consumer index of the ring'),
];
