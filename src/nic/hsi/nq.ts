/**
 * Notification queue entry of P5 chips, 16 bytes: some completion ring has something to say.
 *
 *   +0   type             7:6 toggle | 5:0 type (0x30)
 *   +4   cq_handle_low    31:24 kind of ring (0 RX, 1 TX) | 23:0 index among its NAPI's rings
 *   +8   v                0 V
 *   +12  cq_handle_high
 *
 * The valid bit lies where every 16-byte entry has it (`cmpValid`).
 *
 * @linux struct nqe_cn; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const NQ_CN_TYPE_CQ_NOTIFICATION = 0x30;
export const BNXT_NQ_HDL_TYPE_RX = 0;
export const BNXT_NQ_HDL_TYPE_TX = 1;

const TYPE = 0;
const TYPE_MASK = 0x3f;
const TOGGLE_SHIFT = 6;
const TOGGLE_MASK = 3;
const CQ_HANDLE_LOW = 4;
const V = 8;
const CQ_HANDLE_HIGH = 12;
const HDL_IDX_MASK = 0xffffff;
const HDL_TYPE_SHIFT = 24;

/** @linux BNXT_SET_NQ_HDL */
export const bnxtSetNqHdl = (type: number, index: number): number =>
  (type << HDL_TYPE_SHIFT) | index;
/** @linux BNXT_NQ_HDL_IDX */
export const bnxtNqHdlIdx = (handle: number): number => handle & HDL_IDX_MASK;
/** @linux BNXT_NQ_HDL_TYPE */
export const bnxtNqHdlType = (handle: number): number => handle >>> HDL_TYPE_SHIFT;

/** @linux NQE_CN_TYPE */
export const nqeCnType = (words: HostWords, at: HostAddr): number =>
  words[(at + TYPE) >> 2]! & TYPE_MASK;
/** @linux NQE_CN_TOGGLE */
export const nqeCnToggle = (words: HostWords, at: HostAddr): number =>
  (words[(at + TYPE) >> 2]! >> TOGGLE_SHIFT) & TOGGLE_MASK;
export const nqeCnHandle = (words: HostWords, at: HostAddr): number =>
  words[(at + CQ_HANDLE_LOW) >> 2]!;

/** Write a notification, its valid bit last. @param v valid bit of the writer's lap: 1 on even laps */
export function nqeCnWrite(
  words: HostWords,
  at: HostAddr,
  handle: number,
  toggle: number,
  v: number,
): void {
  words[(at + TYPE) >> 2] = NQ_CN_TYPE_CQ_NOTIFICATION | ((toggle & TOGGLE_MASK) << TOGGLE_SHIFT);
  words[(at + CQ_HANDLE_LOW) >> 2] = handle;
  words[(at + CQ_HANDLE_HIGH) >> 2] = 0;
  words[(at + V) >> 2] = v;
}

export const NQE_CN_FIELDS: readonly Field[] = [
  field('type', 0, 5, 0, '0x30: a completion ring notifies'),
  field('toggle', 0, 7, 6, 'goes back with the doorbell that arms the ring'),
  field('index', 4, 23, 0, "the ring's place among those of its NAPI"),
  field('kind', 4, 31, 24, '0 RX, 1 TX'),
  field('v', 8, 0, 0, 'valid on this lap'),
];
