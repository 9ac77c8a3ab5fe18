/**
 * Doorbells of the driver.
 *
 * @linux bnxt_db_write, bnxt_db_cq, BNXT_DB_CQ_ARM, bnxt_set_db; bnxt.c, bnxt.h
 */
import type { Cpu } from '../../host/cpu.ts';
import { wmb } from '../../host/dma.ts';
import { TP_DOORBELL_CQ, TP_DOORBELL_RX, TP_DOORBELL_TX } from '../../host/trace.ts';
import {
  DB_IDX_VALID,
  DB_IRQ_DIS,
  DB_KEY_CP,
  DB_KEY_RX,
  DB_KEY_TX,
} from '../../nic/hsi/doorbell.ts';
import type { Bnxt, BnxtCpRingInfo, BnxtDbInfo } from './bnxt.ts';

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
): void {
  db.doorbell = bp.pdev.bar1 + offset;
  db.dbKey32 = key;
  db.dbRingMask = ringMask;
}

/** Publish descriptors up to `idx`; everything written to them before is visible first. @linux bnxt_db_write */
export function bnxtDbWrite(bp: Bnxt, cpu: Cpu, db: BnxtDbInfo, idx: number): void {
  wmb();
  if (bp.watch.on)
    bp.watch.point(db.dbKey32 === BNXT_DB_KEY_RX ? TP_DOORBELL_RX : TP_DOORBELL_TX, cpu, idx);
  bp.bus.write32(cpu, db.doorbell, db.dbKey32 | (idx & db.dbRingMask));
}

/** As `bnxtDbWrite`, where the caller has issued the barrier itself. @linux bnxt_db_write_relaxed */
export function bnxtDbWriteRelaxed(bp: Bnxt, cpu: Cpu, db: BnxtDbInfo, idx: number): void {
  if (bp.watch.on)
    bp.watch.point(db.dbKey32 === BNXT_DB_KEY_RX ? TP_DOORBELL_RX : TP_DOORBELL_TX, cpu, idx);
  bp.bus.write32(cpu, db.doorbell, db.dbKey32 | (idx & db.dbRingMask));
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
