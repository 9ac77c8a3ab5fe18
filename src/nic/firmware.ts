/**
 * The firmware: answers the control path.
 *
 * Every change takes effect at the `now` it is made: what arrived before is treated by the old
 * configuration, what arrives later by the new one.
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_NS } from '../host/clock.ts';
import { BugError, bugOn } from '../host/errors.ts';
import { LOST_DEVICE_CLOSED, LOST_RING_RESET } from '../host/fates.ts';
import type { IrqLine } from '../host/irq.ts';
import { CompletionRing, completionRingBytes } from './completionRing.ts';
import { DB_PF_OFFSET_P5, DB_STRIDE } from './hsi/doorbell.ts';
import { RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_TIMER_RESET } from './hsi/hwrm.ts';
import type {
  CtxHwStats,
  Hwrm,
  HwrmCfaNtupleFilterAllocInput,
  HwrmRingAggintInput,
  HwrmRingAggintQcapsOutput,
  HwrmRingAllocInput,
  HwrmRingAllocOutput,
  HwrmVnicCfgInput,
  HwrmVnicRssCfgInput,
  PortStats,
} from './hsi/hwrm.ts';
import {
  RING_ALLOC_REQ_RING_TYPE_L2_CMPL,
  RING_ALLOC_REQ_RING_TYPE_NQ,
  RING_ALLOC_REQ_RING_TYPE_RX,
} from './hsi/hwrm.ts';
import { checkedSlots } from './hsi/ring.ts';
import type { Nic } from './nic.ts';
import { NotificationQueue } from './notificationQueue.ts';
import { RxRing, rxRingBytes } from './rxRing.ts';
import { RING_STATS_BYTES, RingStats } from './stats.ts';
import { TxRing, txRingBytes } from './txRing.ts';

/** Default of the driver and of the firmware emulated here. @linux bnxt_hwrm_coal_params_qcaps */
const COAL_TIMER_UNIT_PS: Ps = 80 * PS_PER_NS;
const COAL_CAPS: HwrmRingAggintQcapsOutput = {
  numCmplAggrIntMax: 65535,
  intLatTmrMaxMax: 65535,
  intLatTmrMinMax: 65535,
  cmplAggrDmaTmrMax: 65535,
  cmplAggrDmaTmrDuringIntMax: 65535,
  numCmplDmaAggrMax: 63,
  numCmplDmaAggrDuringIntMax: 63,
  timerUnitPs: COAL_TIMER_UNIT_PS,
};
const COAL_CAPS_ONE_BY_ONE: HwrmRingAggintQcapsOutput = {
  ...COAL_CAPS,
  numCmplDmaAggrDuringIntMax: 1,
};

export class Firmware implements Hwrm {
  private readonly nic: Nic;
  private readonly vectors: readonly IrqLine[];
  /** Counters of TX rings by logical id; those of RX rings stay with their lanes. */
  private readonly txStats: RingStats[] = [];
  private rxRings = 0;

  /** @param vectors MSI-X vectors, by number */
  constructor(nic: Nic, vectors: readonly IrqLine[]) {
    this.nic = nic;
    this.vectors = vectors;
  }

  ringAlloc(req: HwrmRingAllocInput, now: Ps): HwrmRingAllocOutput {
    checkedSlots('ring', req.length);
    const { bells } = this.nic;
    const free = bells.indexOf(null);
    const id = free < 0 ? bells.length : free;
    if (req.ringType === RING_ALLOC_REQ_RING_TYPE_L2_CMPL)
      bells[id] = this.allocCompletionRing(id, req);
    else if (req.ringType === RING_ALLOC_REQ_RING_TYPE_NQ)
      bells[id] = this.allocNotificationQueue(id, req);
    else if (req.ringType === RING_ALLOC_REQ_RING_TYPE_RX)
      bells[id] = this.allocRxRing(id, req, now);
    else bells[id] = this.allocTxRing(id, req);
    const p5 = this.nic.parts.p5 === true;
    return { ringId: id, doorbell: p5 ? DB_PF_OFFSET_P5 : id * DB_STRIDE };
  }

  private vector(number: number): IrqLine {
    const line = this.vectors[number];
    bugOn(line === undefined, `no MSI-X vector ${number}`);
    return line!;
  }

  private allocNotificationQueue(id: number, req: HwrmRingAllocInput): NotificationQueue {
    const line = this.vector(req.intVector);
    const nq = new NotificationQueue(id, req.ringAddr, req.length, line, this.nic.ahead);
    this.nic.notificationQueues.push(nq);
    return nq;
  }

  private allocCompletionRing(id: number, req: HwrmRingAllocInput): CompletionRing {
    const nq = req.nqRingId === undefined ? null : this.notificationQueue(req.nqRingId);
    const line = nq === null ? this.vector(req.intVector) : nq.irq;
    const { ahead, parts } = this.nic;
    const block = parts.chip.alloc(completionRingBytes(req.length));
    const cp = new CompletionRing(id, req.ringAddr, req.length, line, parts.mem, block, ahead);
    this.nic.completionRings.push(cp);
    if (nq === null) return cp;
    cp.nq = nq;
    cp.fromMessage = !this.nic.parts.gathers;
    cp.handle = req.cqHandle ?? 0;
    nq.rings.push(cp);
    return cp;
  }

  private notificationQueue(id: number): NotificationQueue {
    const nq = this.nic.bells[id];
    bugOn(!(nq instanceof NotificationQueue), `ring ${id} is no notification queue`);
    return nq as NotificationQueue;
  }

  private allocRxRing(id: number, req: HwrmRingAllocInput, now: Ps): RxRing {
    const cp = this.completionRing(req.cmplRingId);
    const lane = this.nic.port.lanes[req.logicalId];
    bugOn(lane === undefined, `RX ring ${req.logicalId} of ${this.nic.port.lanes.length}`);
    const { mem, chip } = this.nic.parts;
    const block = chip.alloc(rxRingBytes(req.length));
    const ring = new RxRing(id, req.ringAddr, req.length, cp, mem, block);
    this.nic.bulk.initBlock(ring, lane!, this.nic.classes.rec, this.nic.parts);
    this.nic.settleAll(now);
    lane!.ring = ring;
    cp.lane = lane!;
    this.rxRings++;
    this.nic.rx.rings = this.rxRings;
    return ring;
  }

  private allocTxRing(id: number, req: HwrmRingAllocInput): TxRing {
    const cp = this.completionRing(req.cmplRingId);
    const { mem, chip } = this.nic.parts;
    const stats = (this.txStats[req.logicalId] ??= new RingStats(
      mem.doublesAt(chip.alloc(RING_STATS_BYTES), RING_STATS_BYTES / 8),
    ));
    const block = chip.alloc(txRingBytes(req.length));
    const ring = new TxRing(id, req.ringAddr, req.length, cp, stats, mem, block);
    this.nic.tx.initRing(ring);
    return ring;
  }

  private completionRing(id: number): CompletionRing {
    const cp = this.nic.bells[id];
    bugOn(!(cp instanceof CompletionRing), `ring ${id} is no completion ring`);
    return cp as CompletionRing;
  }

  ringFree(_ringType: number, ringId: number, now: Ps): number {
    const { nic } = this;
    const ring = nic.bells[ringId];
    if (ring === null || ring === undefined) throw new BugError(`ring ${ringId} does not exist`);
    nic.settleAll(now);
    nic.bells[ringId] = null;
    if (ring instanceof RxRing) return this.freeRx(ring, now);
    if (ring instanceof TxRing) return this.freeTx(ring);
    if (ring instanceof NotificationQueue) remove(nic.notificationQueues, ring);
    else {
      remove(nic.completionRings, ring);
      if (ring.nq !== null) remove(ring.nq.rings, ring);
      nic.parts.chip.release(ring.block, completionRingBytes(ring.slots));
    }
    nic.parts.irqs.cancel(ring.irq);
    return 0;
  }

  private freeTx(ring: TxRing): number {
    this.nic.parts.chip.release(ring.block, txRingBytes(ring.mask + 1));
    return this.nic.tx.quiesce(ring);
  }

  private freeRx(ring: RxRing, now: Ps): number {
    this.abandonDma(ring, LOST_DEVICE_CLOSED, now);
    ring.cp.lane!.ring = null;
    ring.cp.lane = null;
    this.nic.parts.chip.release(ring.block, rxRingBytes(ring.mask + 1));
    this.rxRings--;
    this.nic.rx.rings = this.rxRings;
    if (this.rxRings === 0) this.reconfigure(now, (c) => (c.queues = 0));
    return ring.cons;
  }

  ringReset(ringId: number, now: Ps): void {
    const ring = this.nic.bells[ringId];
    bugOn(!(ring instanceof RxRing), `ring ${ringId} is no RX ring`);
    this.nic.settleAll(now);
    this.abandonDma(ring as RxRing, LOST_RING_RESET, now);
    (ring as RxRing).reset();
  }

  /** Frames whose DMA is under way end with the ring; what has gathered is written. */
  private abandonDma(ring: RxRing, cause: number, now: Ps): void {
    ring.cp.release(now);
    this.nic.writeDue(ring.cp, now);
    ring.cp.lane!.fates.lost[cause]! += ring.pendingCount;
    ring.pendingHead = ring.pendingTail;
  }

  ringAggintQcaps(): HwrmRingAggintQcapsOutput {
    return this.nic.parts.gathers ? COAL_CAPS : COAL_CAPS_ONE_BY_ONE;
  }

  ringCmplRingCfgAggintParams(req: HwrmRingAggintInput, now: Ps): void {
    this.nic.settleAll(now);
    // a notification queue is told its shortest wait, which no NIC here keeps
    if (this.nic.bells[req.ringId] instanceof NotificationQueue) return;
    const timerPs = req.intLatTmrMax * COAL_TIMER_UNIT_PS;
    const timerReset = (req.flags & RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_TIMER_RESET) !== 0;
    const limits = {
      ...{ records: req.numCmplAggrInt, timerPs, timerReset },
      gatherRecords: req.numCmplDmaAggrDuringInt,
      gatherTimerPs: req.cmplAggrDmaTmrDuringInt * COAL_TIMER_UNIT_PS,
    };
    this.completionRing(req.ringId).coalesce(limits, now);
  }

  vnicCfg(req: HwrmVnicCfgInput, now: Ps): void {
    this.reconfigure(now, (c) => {
      c.mru = req.mru;
      c.vlanStrip = req.vlanStrip;
      c.queues = this.rxRings;
    });
  }

  vnicRssCfg(req: HwrmVnicRssCfgInput, now: Ps): void {
    this.reconfigure(now, (c) => c.rss.configure(req.hashType, req.hashKey, req.ringTable));
  }

  cfaL2SetRxMask(mask: number, mac: Uint8Array, now: Ps, mcast: readonly Uint8Array[] = []): void {
    this.reconfigure(now, (c) => {
      c.rxMask = mask;
      c.mcast = mcast;
      c.mac = mac.slice();
    });
  }

  cfaNtupleFilterAlloc(req: HwrmCfaNtupleFilterAllocInput, now: Ps): number {
    bugOn(
      req.dst < -1 || req.dst >= this.rxRings,
      `ntuple rule to RX ring ${req.dst} of ${this.rxRings}`,
    );
    let id = 0;
    this.reconfigure(now, (c) => (id = c.ntuple.add(req)));
    return id;
  }

  cfaNtupleFilterFree(filterId: number, now: Ps): void {
    this.reconfigure(now, (c) => c.ntuple.remove(filterId));
  }

  private reconfigure(now: Ps, change: (classes: Nic['classes']) => void): void {
    this.nic.settleAll(now);
    change(this.nic.classes);
    this.nic.port.resort();
  }

  statCtxQuery(logicalId: number, now: Ps): CtxHwStats {
    this.nic.settleAll(now);
    const sum = new RingStats();
    const rx = this.nic.port.lanes[logicalId]?.stats;
    const tx = this.txStats[logicalId];
    for (let i = 0; i < sum.by.length; i++) sum.by[i] = (rx?.by[i] ?? 0) + (tx?.by[i] ?? 0);
    return sum;
  }

  portQstats(now: Ps): PortStats {
    this.nic.settleAll(now);
    return { ...this.nic.counters, rxGoodFrames: this.goodFrames() };
  }

  /** What came in whole and of a legal length, whatever became of it then. */
  private goodFrames(): number {
    const { port, counters } = this.nic;
    const { refused } = port;
    const closed = refused.fates.lost[LOST_DEVICE_CLOSED]!;
    const bad = counters.rxUndrszFrames + counters.rxOversizeFrames + counters.rxFcsErrFrames;
    const all = port.lanes.reduce((sum, lane) => sum + lane.fates.offered, refused.fates.offered);
    return all - closed - bad;
  }
}

function remove<T>(from: T[], item: T): void {
  from.splice(from.indexOf(item), 1);
}
