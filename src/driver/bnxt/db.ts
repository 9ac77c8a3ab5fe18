/**
 * Doorbells of the driver: on P4 a 32-bit register for each ring, on P5 one of 64 bits for all.
 *
 * @linux bnxt_db_write, bnxt_db_cq, BNXT_DB_CQ_ARM, bnxt_set_db; bnxt.c, bnxt.h
 */
import { OP_DOORBELL, OP_TX_DOORBELL } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import { wmb } from '../../host/dma.ts';
import {
  TP_DOORBELL_CQ,
  TP_DOORBELL_NQ,
  TP_DOORBELL_RX,
  TP_DOORBELL_TX,
} from '../../host/trace.ts';
import {
  DBR_PATH_L2,
  DBR_TYPE_CQ,
  DBR_TYPE_CQ_ARMALL,
  DBR_TYPE_NQ,
  DBR_TYPE_NQ_ARM,
  DBR_TYPE_SQ,
  DBR_TYPE_SRQ,
  DB_IDX_VALID,
  DB_IRQ_DIS,
  DB_KEY_CP,
  DB_KEY_RX,
  DB_KEY_TX,
  dbrHi,
  dbrToggle,
} from '../../nic/hsi/doorbell.ts';
import type { Bnxt, BnxtCpRingInfo, BnxtDbInfo } from './bnxt.ts';
import { bnxtChipP5 } from './bnxt.ts';

export const BNXT_DB_KEY_RX: number = DB_KEY_RX;
export const BNXT_DB_KEY_TX: number = DB_KEY_TX;
export const BNXT_DB_KEY_CP: number = DB_KEY_CP | DB_IDX_VALID;

/** Where a ring's doorbell is, what its index is masked with, and its key. @linux bnxt_set_db, bnxt_set_db_mask */
export function bnxtSetDb(
  bp: Bnxt,
  db: BnxtDbInfo,
  key: number,
  offset: number,
  ringMask: number,
  ringId: number,
): void {
  db.doorbell = bp.pdev.bar1 + offset;
  db.dbKey32 = key;
  db.dbRingMask = ringMask;
  db.op = key === BNXT_DB_KEY_TX ? OP_TX_DOORBELL : OP_DOORBELL;
  if (!bnxtChipP5(bp)) return;
  // a completion ring's or queue's doorbell has its type from whoever writes it
  db.dbXid = ringId;
  db.dbKeyHi = dbrHi(key === BNXT_DB_KEY_RX ? DBR_TYPE_SRQ : DBR_TYPE_SQ, ringId, DBR_PATH_L2);
}

/** Publish descriptors up to `idx`; everything written to them before is visible first. @linux bnxt_db_write */
export function bnxtDbWrite(bp: Bnxt, cpu: Cpu, db: BnxtDbInfo, idx: number): void {
  wmb();
  bnxtDbWriteRelaxed(bp, cpu, db, idx);
}

/** As `bnxtDbWrite`, where the caller has issued the barrier itself. @linux bnxt_db_write_relaxed */
export function bnxtDbWriteRelaxed(bp: Bnxt, cpu: Cpu, db: BnxtDbInfo, idx: number): void {
  if (bp.watch.on)
    bp.watch.point(db.dbKey32 === BNXT_DB_KEY_RX ? TP_DOORBELL_RX : TP_DOORBELL_TX, cpu, idx);
  const index = idx & db.dbRingMask;
  if (db.dbKeyHi !== 0) bp.bus.write64(cpu, db.doorbell, index, db.dbKeyHi, db.op);
  else bp.bus.write32(cpu, db.doorbell, db.dbKey32 | index, db.op);
}

/** Completions before `idx` are free again; the interrupt stays off. @linux bnxt_db_cq, BNXT_DB_CQ */
export function bnxtDbCq(bp: Bnxt, cpr: BnxtCpRingInfo, idx: number): void {
  if (bp.watch.on) bp.watch.point(TP_DOORBELL_CQ, cpr.cpu, idx, 0);
  bp.bus.write32(
    cpr.cpu,
    cpr.cpDb.doorbell,
    cpr.cpDb.dbKey32 | DB_IRQ_DIS | (idx & cpr.cpDb.dbRingMask),
  );
}

/** The same, and one interrupt is asked for. @linux BNXT_DB_CQ_ARM */
export function bnxtDbCqArm(bp: Bnxt, cpr: BnxtCpRingInfo, idx: number): void {
  if (bp.watch.on) bp.watch.point(TP_DOORBELL_CQ, cpr.cpu, idx, 1);
  bp.bus.write32(cpr.cpu, cpr.cpDb.doorbell, cpr.cpDb.dbKey32 | (idx & cpr.cpDb.dbRingMask));
}

/**
 * P5: completions of one ring up to `idx` are free again.
 *
 * @param arm ask for a notification, which `toggle` lets the NIC match with the last one
 * @linux __bnxt_poll_cqs_done, bnxt_db_cq
 */
export function bnxtDbCqP5(
  bp: Bnxt,
  cpr: BnxtCpRingInfo,
  idx: number,
  arm: boolean,
  toggle: number,
): void {
  if (bp.watch.on) bp.watch.point(TP_DOORBELL_CQ, cpr.cpu, idx, arm ? 1 : 0);
  writeP5(cpr, arm ? DBR_TYPE_CQ_ARMALL : DBR_TYPE_CQ, idx, dbrToggle(toggle));
}

/** P5: notifications up to `idx` are free again; the interrupt stays off. @linux BNXT_DB_NQ_P5 */
export function bnxtDbNq(bp: Bnxt, cpr: BnxtCpRingInfo, idx: number): void {
  if (bp.watch.on) bp.watch.point(TP_DOORBELL_NQ, cpr.cpu, idx, 0);
  writeP5(cpr, DBR_TYPE_NQ, idx, 0);
}

/** The same, and one interrupt is asked for. @linux BNXT_DB_NQ_ARM_P5 */
export function bnxtDbNqArm(bp: Bnxt, cpr: BnxtCpRingInfo, idx: number): void {
  if (bp.watch.on) bp.watch.point(TP_DOORBELL_NQ, cpr.cpu, idx, 1);
  writeP5(cpr, DBR_TYPE_NQ_ARM, idx, 0);
}

function writeP5(
  { bus, cpu, cpDb }: BnxtCpRingInfo,
  type: number,
  idx: number,
  flags: number,
): void {
  const hi = dbrHi(type, cpDb.dbXid, DBR_PATH_L2);
  bus.write64(cpu, cpDb.doorbell, flags | (idx & cpDb.dbRingMask), hi);
}

/** A NAPI's one interrupt: its completion ring's on P4, its notification queue's on P5. @linux bnxt_db_nq_arm */
export function bnxtDbArm(bp: Bnxt, cpr: BnxtCpRingInfo): void {
  if (bnxtChipP5(bp)) bnxtDbNqArm(bp, cpr, cpr.cpRawCons);
  else bnxtDbCqArm(bp, cpr, cpr.cpRawCons);
}
