/**
 * The structures of the driver, named after the kernel's.
 *
 * What a packet needs lies in one object, the RX ring: cursors of the running poll, geometry of
 * the completion ring, views and references included. The others hold what a poll or the control
 * path needs. All are built once, when the device is opened.
 *
 * @linux drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { Bus } from '../../host/bus.ts';
import type { Alarm, Ps, VirtualClock } from '../../host/clock.ts';
import { PS_PER_US } from '../../host/clock.ts';
import type { CoherentMemory } from '../../host/coherent.ts';
import { OP_DOORBELL } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import { Fates } from '../../host/fates.ts';
import type { Faults } from '../../host/faults.ts';
import { Histogram } from '../../host/histogram.ts';
import type { IrqLine } from '../../host/irq.ts';
import type { HostAddr, HostMemory, HostWords } from '../../host/memory.ts';
import type { ModerationSpec, StridesSpec } from '../../host/profile.ts';
import type { Rng } from '../../host/rng.ts';
import { SpinLock } from '../../host/spinLock.ts';
import type { RxStages } from '../../host/stages.ts';
import type { RxStamps } from '../../host/stamps.ts';
import type { Watch } from '../../host/watch.ts';
import type { Hwrm, HwrmCfaNtupleFilterAllocInput } from '../../nic/hsi/hwrm.ts';
import { BNXT_NQ_HDL_TYPE_RX, BNXT_NQ_HDL_TYPE_TX } from '../../nic/hsi/nq.ts';
import { NapiStruct } from '../../stack/napi.ts';
import { Dim } from '../../stack/netDim.ts';
import { DimBooks } from './dimBooks.ts';
import { PagePoolStats } from '../../stack/pagePoolStats.ts';
import type { NapiEndings } from '../../stack/napiCounts.ts';
import type { NetDevice } from '../../stack/netdevice.ts';
import type { PagePool } from '../../stack/pagePool.ts';
import { RxStrides } from '../../stack/rxStrides.ts';
import type { SkBuff } from '../../stack/skbuff.ts';
import type { WorkStruct } from '../../stack/workqueue.ts';
import type { XdpKernel } from '../../xdp/kernel.ts';
import type { XdpProg } from '../../xdp/program.ts';
import type { XdpRxqInfo } from '../../xdp/rxq.ts';
import type { BnxtCoal } from './coal.ts';
import type { RxWalk } from './rxWalk.ts';
import type { XdpTxLoops } from './xdpTxLoops.ts';

export const BNXT_RX_EVENT = 1;
export const BNXT_TX_EVENT = 4;
export const BNXT_REDIRECT_EVENT = 8;
export const BNXT_TX_CMP_EVENT = 0x10;

export const BNXT_FLAG_RX_PAGE_MODE: number = 1 << 0;
export const BNXT_FLAG_SHARED_RINGS: number = 1 << 2;
/** Adaptive RX coalescing is on. */
export const BNXT_FLAG_DIM: number = 1 << 3;
/** Notification queues above completion rings, and 64-bit doorbells. */
export const BNXT_FLAG_CHIP_P5_PLUS: number = 1 << 4;
/** `rx_next_cons` of a ring that waits for its reset. */
export const RX_CONS_FORCED_ERROR = 0xffff;

/** From queueing work until a worker runs it: an idle system's order of magnitude. */
export const WORKQUEUE_PS: number = 20 * PS_PER_US;

/** `sp_event` bits: work for the slow path. */
export const BNXT_RX_RING_RESET_SP_EVENT: number = 1 << 0;
export const BNXT_RESET_TASK_SP_EVENT: number = 1 << 1;

/** A doorbell: where it is and what stands in front of the index. @linux struct bnxt_db_info */
export class BnxtDbInfo {
  doorbell = 0;
  dbKey32 = 0;
  /** P5: the ring's number, and the upper word of its doorbell; 0 on P4. */
  dbXid = 0;
  dbKeyHi = 0;
  dbRingMask = 0;
  /** Which doorbell's time it takes. */
  op: number = OP_DOORBELL;
}

/** What stands in a slot of a ring of the stack. @linux struct bnxt_sw_tx_bd */
export class BnxtSwTxBd {
  skb: SkBuff | null = null;
  nrFrags = 0;
}

/** @linux struct bnxt_rx_sw_stats, struct bnxt_cmn_sw_stats */
export class BnxtSwStats {
  rxL4CsumErrors = 0;
  rxResets = 0;
  rxBufErrors = 0;
  rxOomDiscards = 0;
  rxNetpollDiscards = 0;
  txResets = 0;
  missedIrqs = 0;
}

/** @linux struct bnxt_cp_ring_info, struct bnxt_ring_struct */
export class BnxtCpRingInfo {
  readonly bnapi: BnxtNapi;
  readonly words: HostWords;
  readonly bus: Bus;
  /** Who polls: the CPU the NAPI was last scheduled on. */
  cpu: Cpu;
  cpDescRing: HostAddr = 0;
  /** Slots - 1, and slots: the bit of a raw index that tells its lap. */
  cpRingMask = 0;
  cpBit = 0;
  readonly cpDb: BnxtDbInfo = new BnxtDbInfo();
  fwRingId = -1;
  /** Counts on for ever; moved only when a poll has taken what lies before it. */
  cpRawCons = 0;
  /** Read by `bnxt_poll_p5`; kept up on P4 as Linux keeps them. */
  hadWorkDone = false;
  hasMoreWork = false;
  /** This poll met a completion of which only the first half was written; for `endedBy` alone. */
  sawPartial = false;
  /** What DIM goes by. */
  eventCtr = 0;
  packets = 0;
  bytes = 0;
  readonly dim: Dim = new Dim();
  /** Programs what DIM wants next; made when it first wants something. */
  dimWork: (WorkStruct & { cancel(): void }) | null = null;
  /** One for all rings of a NAPI. */
  readonly swStats: BnxtSwStats;
  /** P5: the CQs under this NQ; empty on P4. */
  readonly cpRingArr: BnxtCpRingInfo[] = [];
  /** P5, of a CQ: its place under its NQ and its kind, `BNXT_NQ_HDL_TYPE_*`. */
  readonly cpIdx: number;
  readonly cpRingType: number;
  /** P5, of a CQ: notified and not armed since, and the toggle that goes back with the arm. */
  hadNqeNotify = false;
  toggle = 0;

  /** @param nq P5: the NQ that a CQ of `type` belongs to */
  constructor(bnapi: BnxtNapi, bp: Bnxt, nq: BnxtCpRingInfo | null = null, type: number = 0) {
    this.bnapi = bnapi;
    this.swStats = nq === null ? new BnxtSwStats() : nq.swStats;
    this.cpIdx = nq === null ? 0 : nq.cpRingArr.length;
    this.cpRingType = type;
    this.words = bp.mem.words;
    this.bus = bp.bus;
    this.cpu = bnapi.irq.cpu;
    this.dim.profileIx = bp.pdev.moderation?.dimStart ?? 0;
  }
}

/** @linux struct bnxt_rx_ring_info */
export class BnxtRxRingInfo {
  readonly bp: Bnxt;
  readonly bnapi: BnxtNapi;
  readonly cpr: BnxtCpRingInfo;
  readonly index: number;
  readonly words: HostWords;
  readonly watch: Watch;
  /** The XDP TX ring that shares this NAPI; null while no program is attached. */
  txr: BnxtTxRingInfo | null = null;
  rxDescRing: HostAddr = 0;
  rxRingMask = 0;
  /** Copies of what each packet needs of `cpr` and `bp`: who polls, the completion ring, the headroom. */
  cpu: Cpu;
  cpDescRing: HostAddr = 0;
  cpRingMask = 0;
  cpBit = 0;
  rxOffset = 0;
  /** Notes on each slot: `swRxBd.ts`. */
  rxBufRing: HostAddr = 0;
  readonly rxDb: BnxtDbInfo = new BnxtDbInfo();
  fwRingId = -1;
  /** Free running u16: the slot the next buffer is posted to. */
  rxProd = 0;
  /** Slot the next completion must name. */
  rxNextCons = 0;
  /** Of the running poll: raw index of the completion in hand, and events so far. */
  rawCons = 0;
  event = 0;
  xdpProg: XdpProg | null = null;
  /** Takes runs of packets that the program drops; null without a program. */
  walk: RxWalk | null = null;
  readonly xdpRxq: XdpRxqInfo;
  /** `struct xdp_buff` of the packet in hand, one per ring. */
  xdp: HostAddr = 0;
  pagePool!: PagePool;
  headPool!: PagePool;
  rxPageSize = 0;
  readonly fates: Fates = new Fates();
  /** Null: a buffer for each frame. */
  readonly strides: RxStrides | null;

  constructor(bp: Bnxt, bnapi: BnxtNapi, index: number, xdpRxq: XdpRxqInfo) {
    this.bp = bp;
    this.bnapi = bnapi;
    this.cpr = bnapi.cpRingFor(BNXT_NQ_HDL_TYPE_RX);
    this.cpu = bnapi.cpRing.cpu;
    this.index = index;
    this.words = bp.mem.words;
    this.watch = bp.watch;
    this.xdpRxq = xdpRxq;
    const { strides } = bp.pdev;
    this.strides = strides === null ? null : new RxStrides(strides);
  }
}

/** @linux struct bnxt_tx_ring_info */
export class BnxtTxRingInfo {
  readonly bp: Bnxt;
  readonly bnapi: BnxtNapi;
  readonly words: HostWords;
  /** Place in `bp.txRing`, and in its NAPI's `txRing`. */
  readonly index: number;
  readonly txNapiIdx: number;
  /** netdev queue; -1 for XDP rings, which have none. */
  readonly txqIndex: number;
  txDescRing: HostAddr = 0;
  /** Usable descriptors, and slots - 1. */
  txRingSize = 0;
  txRingMask = 0;
  /** Of the stack's rings, and of XDP's: `swTxBd.ts`. */
  txBufRing: BnxtSwTxBd[] = [];
  xdpBufRing: HostAddr = 0;
  /** Of XDP's. */
  xdpLoops!: XdpTxLoops;
  readonly txDb: BnxtDbInfo = new BnxtDbInfo();
  fwRingId = -1;
  /** Free running u16. Driver writes; [txCons, txProd) is in flight or waits to be freed. */
  txProd = 0;
  txCons = 0;
  /** Masked; last consumer the NIC reported. */
  txHwCons = 0;
  closing = false;
  /** Descriptors wait for a doorbell that a later packet of the same bulk will ring. */
  kickPending = false;
  readonly xdpTxLock: SpinLock = new SpinLock();
  readonly fates: Fates = new Fates();
  /** The completion ring that serves it. */
  readonly cpr: BnxtCpRingInfo;

  constructor(bp: Bnxt, bnapi: BnxtNapi, index: number, txNapiIdx: number, txqIndex: number) {
    this.bp = bp;
    this.bnapi = bnapi;
    this.cpr = bnapi.cpRingFor(BNXT_NQ_HDL_TYPE_TX);
    this.words = bp.mem.words;
    this.index = index;
    this.txNapiIdx = txNapiIdx;
    this.txqIndex = txqIndex;
  }
}

/** @linux struct bnxt_napi */
export class BnxtNapi {
  readonly bp: Bnxt;
  readonly index: number;
  readonly irq: IrqLine;
  readonly napi: NapiStruct;
  readonly cpRing: BnxtCpRingInfo;
  rxRing: BnxtRxRingInfo | null = null;
  readonly txRing: BnxtTxRingInfo[] = [];
  /** `bnxtTxInt` or `bnxtTxIntXdp`; a NAPI has only one of the two. */
  txInt: (bnapi: BnxtNapi, budget: number) => void = () => {};
  events = 0;
  txFault = false;
  inReset = false;

  constructor(bp: Bnxt, index: number, irq: IrqLine) {
    this.bp = bp;
    this.index = index;
    this.irq = irq;
    this.napi = new NapiStruct(bp.dev, index);
    this.cpRing = new BnxtCpRingInfo(this, bp);
  }

  /** The completion ring of its RX or TX ring: P4 has one for both, P5 one for each. */
  cpRingFor(type: number): BnxtCpRingInfo {
    return this.cpRing.cpRingArr.find(({ cpRingType }) => cpRingType === type) ?? this.cpRing;
  }

  /** The rings in which completions come. */
  get completionRings(): readonly BnxtCpRingInfo[] {
    return bnxtChipP5(this.bp) ? this.cpRing.cpRingArr : [this.cpRing];
  }
}

/** What one NAPI has counted, over all the times the device was open. */
export class NapiTotals {
  polls = 0;
  fullPolls = 0;
  packets = 0;
  /** Polls by the packets they received. */
  readonly byWork: number[] = [];
  longestFullRun = 0;
  longestPoll: Ps = 0;
  longestWait: Ps = 0;
  timerIrqs = 0;
  busyPolls = 0;
  busyPackets = 0;
  busyCpu = 0;
  readonly endedBy: NapiEndings = { budget: 0, empty: 0, busy: 0, txWake: 0 };

  add(napi: NapiTotals | NapiStruct): void {
    this.polls += napi.polls;
    this.fullPolls += napi.fullPolls;
    this.packets += napi.packets;
    napi.byWork.forEach(
      (n: number, work: number) => (this.byWork[work] = (this.byWork[work] ?? 0) + n),
    );
    this.longestFullRun = Math.max(this.longestFullRun, napi.longestFullRun);
    this.longestPoll = Math.max(this.longestPoll, napi.longestPoll);
    this.longestWait = Math.max(this.longestWait, napi.longestWait);
    this.timerIrqs += napi.timerIrqs;
    this.busyPolls += napi.busyPolls;
    this.busyPackets += napi.busyPackets;
    if (napi.busyPolls > 0) this.busyCpu = napi.busyCpu;
    for (const why of ['budget', 'empty', 'busy', 'txWake'] as const)
      this.endedBy[why] += napi.endedBy[why];
  }
}

/** PCI device numbers: a 25 Gb/s controller of generation P4, a 200 Gb/s one of P5. @linux bnxt_pci_tbl */
export const BCM57414 = 0x16d7;
export const BCM57508 = 0x1750;

/** The PCI device a driver is probed with: everything outside the driver it may use. */
export interface BnxtPdev {
  /** `BCM57414` or `BCM57508`. */
  readonly device: number;
  readonly mem: HostMemory;
  readonly coherent: CoherentMemory;
  /** For what only the driver sees. */
  readonly kernel: CoherentMemory;
  /** A block for each RX ring's walk. */
  readonly walks: CoherentMemory;
  readonly bus: Bus;
  /** Address of the doorbell BAR. */
  readonly bar1: number;
  readonly hwrm: Hwrm;
  /** MSI-X vectors, two for each RX queue the device can have. */
  readonly vectors: readonly IrqLine[];
  readonly xdp: XdpKernel;
  /** Of the NIC whose timing is looked at; null: bnxt's own. */
  readonly moderation: ModerationSpec | null;
  /** How its frames share pages; null: a buffer for each, as bnxt has it. */
  readonly strides: StridesSpec | null;
  readonly stamps: RxStamps;
  /** For each RX ring that is opened, once the NIC has it; absent unless asked for. */
  readonly rxStages?: (rxr: BnxtRxRingInfo) => RxStages;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly watch: Watch;
  /** For the random RSS key. */
  readonly rng: Rng;
  readonly cpus: readonly Cpu[];
}

/** @linux struct bnxt */
export class Bnxt {
  readonly dev: NetDevice;
  readonly pdev: BnxtPdev;
  readonly mem: HostMemory;
  readonly bus: Bus;
  readonly watch: Watch;
  readonly faults: Faults;
  readonly cpus: readonly Cpu[];

  flags: number = BNXT_FLAG_SHARED_RINGS;
  /** BNXT_STATE_OPEN */
  open = false;
  rxRingSize = 511;
  txRingSize = 511;
  rxNrRings = 1;
  /** Stack TX rings, then with XDP the rings of XDP besides. */
  txNrRingsPerTc = 1;
  txNrRingsXdp = 0;
  cpNrRings = 1;
  /** Derived by `bnxtSetRingParams`. */
  rxNrPages = 0;
  rxRingMask = 0;
  txNrPages = 0;
  txRingMask = 0;
  txWakeThresh = 0;
  cpNrPages = 0;
  cpRingMask = 0;
  cpBit = 0;
  rxBufUseSize = 0;
  rxBufSize = 0;
  rxOffset = 0;
  rxDmaOffset = 0;
  rxCopybreak = 0;
  napiWeight = 64;
  rxCoal: BnxtCoal;
  txCoal: BnxtCoal;
  xdpProg: XdpProg | null = null;
  /** Static key `bnxt_xdp_locking_key`: fewer XDP rings than CPUs. */
  xdpLockingKey = false;

  bnapi: BnxtNapi[] = [];
  rxRing: BnxtRxRingInfo[] = [];
  /** XDP rings first, then those of the stack. */
  txRing: BnxtTxRingInfo[] = [];
  /** Books of rings that earlier opens had. */
  readonly fates: Fates = new Fates();
  /** By RX ring index. */
  readonly latency: Histogram[] = [];
  /** Polls at whose end buffers went back to the NIC; XDP_TX puts that off until its frames are sent. */
  rxDoorbellPolls = 0;
  /** By NAPI index. */
  readonly napiTotals: NapiTotals[] = [];
  /** Of the pools of rings that are closed. */
  readonly poolStats: PagePoolStats = new PagePoolStats();
  readonly ringErrStats: BnxtSwStats = new BnxtSwStats();
  rssKey: Uint8Array;
  rssIndirTbl: Uint16Array = new Uint16Array(0);
  rssHashCfg = 0;
  /** Steering rules, and their numbers in the firmware while the device is open. */
  readonly usrFltrs: HwrmCfaNtupleFilterAllocInput[] = [];
  usrFltrIds: number[] = [];
  spEvent = 0;
  readonly spTask: Alarm;
  /** Of NAPIs by index, over all opens: of what they receive, and of what they send. */
  readonly dimBooks: Readonly<Record<'rx' | 'tx', DimBooks[]>> = { rx: [], tx: [] };

  constructor(
    dev: NetDevice,
    pdev: BnxtPdev,
    coal: { rx: BnxtCoal; tx: BnxtCoal },
    spTask: (bp: Bnxt) => void,
  ) {
    this.dev = dev;
    this.pdev = pdev;
    this.mem = pdev.mem;
    this.bus = pdev.bus;
    this.watch = pdev.watch;
    this.faults = pdev.faults;
    this.cpus = pdev.cpus;
    this.rxCoal = coal.rx;
    this.txCoal = coal.tx;
    this.rssKey = new Uint8Array(0);
    this.spTask = pdev.clock.alarm((at) => {
      this.ctlCpu.idleUntil(at); // the worker runs when its time has come, not when a CPU last did
      spTask(this);
    });
  }

  dimBooksOf(index: number, ring: 'rx' | 'tx'): DimBooks {
    return (this.dimBooks[ring][index] ??= new DimBooks());
  }

  /** The CPU that runs the control path. */
  get ctlCpu(): Cpu {
    return this.cpus[0]!;
  }

  /** The control path's present: no CPU is ahead of it. */
  get ctlNow(): Ps {
    let now = 0;
    for (const cpu of this.cpus) if (cpu.now > now) now = cpu.now;
    return now;
  }
}

/** @linux BNXT_FLAG_CHIP_P5_PLUS */
export const bnxtChipP5 = (bp: Bnxt): boolean => (bp.flags & BNXT_FLAG_CHIP_P5_PLUS) !== 0;

/** @linux BNXT_RX_PAGE_MODE */
export const bnxtRxPageMode = (bp: Bnxt): boolean => (bp.flags & BNXT_FLAG_RX_PAGE_MODE) !== 0;
