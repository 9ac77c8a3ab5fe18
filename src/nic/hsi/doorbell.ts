/**
 * Doorbells: the only registers a driver writes while packets flow.
 *
 * P3/P4, 32 bits, one register per ring, 0x80 apart:
 *
 *   31:28 key | 27 IRQ_DIS | 26 IDX_VALID | 23:0 index
 *
 * P5 and later, 64 bits, one shared register (here as two words, lo and hi):
 *
 *   lo  26:25 toggle | 24 epoch | 23:0 index
 *   hi  31:28 type | 26 VALID (P7) | 24 path L2 | 19:0 ring id
 *
 * @linux DB_*, DBR_*, BNXT_DB_CQ, BNXT_DB_CQ_ARM; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
export const DB_STRIDE = 0x80;
export const DB_IDX_MASK = 0xffffff;
export const DB_IDX_VALID: number = 1 << 26;
export const DB_IRQ_DIS: number = 1 << 27;
export const DB_KEY_TX: number = 0 << 28;
export const DB_KEY_RX: number = 1 << 28;
export const DB_KEY_CP: number = 2 << 28;

const KEY_SHIFT = 28;

/** 0 TX, 1 RX or AGG, 2 completion ring. */
export const dbKey = (value: number): number => value >>> KEY_SHIFT;
export const dbIndex = (value: number): number => value & DB_IDX_MASK;
/** Does this completion-ring doorbell ask for an interrupt? */
export const dbArms = (value: number): boolean => (value & DB_IRQ_DIS) === 0;

export const DBR_TYPE_SQ = 0x0;
export const DBR_TYPE_SRQ = 0x2;
export const DBR_TYPE_CQ = 0x4;
export const DBR_TYPE_CQ_ARMALL = 0x6;
export const DBR_TYPE_NQ = 0xa;
export const DBR_TYPE_NQ_ARM = 0xb;
export const DBR_TYPE_NQ_MASK = 0xe;
export const DBR_PATH_L2: number = 1 << 24;
export const DBR_VALID: number = 1 << 26;
const DBR_XID_MASK = 0xfffff;

/** The one register of all rings, for a physical function. @linux DB_PF_OFFSET_P5 */
export const DB_PF_OFFSET_P5 = 0x10000;
const DBR_TOGGLE_SHIFT = 25;

/** What the upper word of a 64-bit doorbell asks for, and of which ring. */
export const dbrType = (hi: number): number => hi >>> KEY_SHIFT;
export const dbrXid = (hi: number): number => hi & DBR_XID_MASK;
/** @linux DB_TOGGLE */
export const dbrToggle = (toggle: number): number => toggle << DBR_TOGGLE_SHIFT;

/** Upper word of a 64-bit doorbell. */
export const dbrHi = (type: number, xid: number, flags: number): number =>
  ((type << KEY_SHIFT) | flags | (xid & DBR_XID_MASK)) >>> 0;

/** The epoch bit flips each lap of the ring. @param slots ring size @linux DB_EPOCH */
export const dbrEpoch = (index: number, slots: number): number =>
  (index & slots) << (24 - (31 - Math.clz32(slots)));
