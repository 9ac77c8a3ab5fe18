/**
 * A NIC and its firmware, driven as a driver would: rings through HWRM, descriptors in memory,
 * doorbells over the bus. Operations cost nothing, so that every time in a test is the NIC's own.
 */
import { Bus } from '../../src/host/bus.ts';
import type { Ps } from '../../src/host/clock.ts';
import { PS_PER_NS } from '../../src/host/clock.ts';
import type { NicTiming, PcieSpec } from '../../src/host/profile.ts';
import { OP_COUNT } from '../../src/host/cost.ts';
import { CoherentMemory } from '../../src/host/coherent.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { Faults } from '../../src/host/faults.ts';
import { Fates } from '../../src/host/fates.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import { Ledger } from '../../src/host/ledger.ts';
import type { HostAddr } from '../../src/host/memory.ts';
import { HostMemory, PAGE_SIZE } from '../../src/host/memory.ts';
import { RxStamps, stampBytes } from '../../src/host/stamps.ts';
import { Trace } from '../../src/host/trace.ts';
import { Watch } from '../../src/host/watch.ts';
import { EagerHardware } from '../../src/nic/eager.ts';
import { Firmware } from '../../src/nic/firmware.ts';
import { recordBytes } from '../../src/nic/frameRecord.ts';
import {
  DB_IDX_VALID,
  DB_IRQ_DIS,
  DB_KEY_CP,
  DB_KEY_RX,
  DB_KEY_TX,
} from '../../src/nic/hsi/doorbell.ts';
import type { HwrmRingAggintInput, HwrmVnicRssCfgInput } from '../../src/nic/hsi/hwrm.ts';
import {
  CFA_L2_SET_RX_MASK_REQ_MASK_BCAST,
  RING_ALLOC_REQ_RING_TYPE_L2_CMPL,
  RING_ALLOC_REQ_RING_TYPE_RX,
  RING_ALLOC_REQ_RING_TYPE_TX,
} from '../../src/nic/hsi/hwrm.ts';
import { DESC_SHIFT } from '../../src/nic/hsi/ring.ts';
import {
  RX_BD_FLAGS_EOP,
  RX_BD_TYPE_RX_PACKET_BD,
  rxBdInit,
  rxBdPost,
} from '../../src/nic/hsi/rxBd.ts';
import { cmpType, cmpValid } from '../../src/nic/hsi/rxCmp.ts';
import { txBdPost } from '../../src/nic/hsi/txBd.ts';
import { txBdExtPost } from '../../src/nic/hsi/txBdExt.ts';
import { LazyHardware } from '../../src/nic/lazy.ts';
import { Nic } from '../../src/nic/nic.ts';
import { NicTimes } from '../../src/nic/parts.ts';
import { PcieLink } from '../../src/nic/pcieLink.ts';
import { STANDARD_HASH_KEY } from '../../src/nic/rss.ts';
import type { ArrivalBlock, ArrivalSource } from '../../src/wire/frames.ts';
import { BLOCK, FrameTable } from '../../src/wire/frames.ts';
import { Link } from '../../src/wire/link.ts';

export const TIMING: NicTiming = {
  rxDmaNs: 700,
  rxDmaSlotNs: 2,
  txFetchNs: 900,
  txQueueSlotNs: 0,
  txCompleteNs: 400,
  msixNs: 500,
};
/** From the arrival of a frame at an idle queue until its completion is visible. */
export const RX_NS: number = TIMING.rxDmaNs + TIMING.rxDmaSlotNs;

export const MAC: Uint8Array = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const MRU = 1518;
export const BUFFER = 1536;
const HEADROOM = 256;
const RING_SLOTS = 256;
const CP_RING_SLOTS = 256;
const ENTRY = 16;
const RX_L2_CMP = 17;
const VECTORS = 8;

/** One completion as the driver reads it: its raw index and its bytes, one slot or two. */
export interface Completion {
  readonly raw: number;
  readonly type: number;
  readonly at: HostAddr;
  readonly ext: HostAddr;
}

interface Queue {
  readonly cpDb: number;
  readonly cpBase: HostAddr;
  readonly cpId: number;
  readonly rxDb: number;
  readonly rxBase: HostAddr;
  readonly rxId: number;
  readonly txDb: number;
  readonly txBase: HostAddr;
  readonly txId: number;
  rawCons: number;
  rxProd: number;
  txProd: number;
}

export interface RigOptions {
  readonly pace: 'lazy' | 'eager';
  readonly queues?: number;
  readonly vlanStrip?: boolean;
  readonly rxMask?: number;
  readonly rss?: Partial<HwrmVnicRssCfgInput>;
  readonly linkBps?: number;
  readonly txQueueSlotNs?: number;
  readonly pcie?: PcieSpec;
  readonly booksFrames?: boolean;
}

export type Rig = ReturnType<typeof nicRig>;

/** Frames at times, in nanoseconds. */
class Listed implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly list: readonly (readonly [number, number])[];
  private next = 0;

  constructor(frames: FrameTable, list: readonly (readonly [number, number])[]) {
    this.frames = frames;
    this.list = list;
  }

  fill(block: ArrivalBlock): void {
    block.count = Math.min(BLOCK, this.list.length - this.next);
    for (let i = 0; i < block.count; i++) {
      const [ns, frame] = this.list[this.next++]!;
      block.at[i] = ns * PS_PER_NS;
      block.frame[i] = frame;
    }
  }
}

export function nicRig(options: RigOptions) {
  const { pace, queues = 1, txQueueSlotNs = 0 } = options;
  const mem = new HostMemory(8 * 2 ** 20);
  const rings = mem.region('rings', 64 * PAGE_SIZE);
  const pages = mem.region('pages', 1200 * PAGE_SIZE);
  const frames = new FrameTable(mem, mem.region('frames', 64 * PAGE_SIZE));
  const fifo = mem.region('fifo', 4 * PAGE_SIZE);
  const cpu = new Cpu(0, new Float64Array(OP_COUNT));
  cpu.stepping = true;
  const irqs = new IrqController();
  const sent: { ns: number; bytes: Uint8Array }[] = [];
  const faults = new Faults();
  const hardware = pace === 'lazy' ? new LazyHardware() : new EagerHardware([cpu]);
  const parts = {
    gathers: true,
    mem,
    watch: new Watch(new Trace(), new Ledger()),
    faults,
    stamps: new RxStamps(mem, mem.region('stamps', stampBytes(mem.bytes))),
    chip: new CoherentMemory(mem, mem.region('chip', 256 * PAGE_SIZE)),
    records: mem.region('records', recordBytes(64 * PAGE_SIZE)),
    irqs,
    frames,
    booksFrames: options.booksFrames === true,
    timing: new NicTimes(
      { ...TIMING, txQueueSlotNs },
      options.pcie === undefined ? null : new PcieLink(options.pcie),
    ),
    txFifo: fifo.at,
    sink: {
      watched: true,
      frame: (_port: number, time: Ps, at: HostAddr, len: number): void => {
        sent.push({ ns: time / PS_PER_NS, bytes: mem.u8.slice(at, at + len) });
      },
    },
  };
  const nic = new Nic(0, parts, new Link(options.linkBps ?? 100e9), queues, hardware);
  hardware.add(nic);
  const lines = Array.from({ length: VECTORS }, (_, i) => new IrqLine(`irq${i}`, cpu, i));
  const hwrm = new Firmware(nic, lines);
  const bus = new Bus();
  const bar = bus.attach(nic);
  let ringNext = rings.at;
  let pageNext = pages.at;

  const ringMemory = (slots: number): HostAddr => {
    const at = ringNext;
    ringNext += slots * ENTRY;
    return at;
  };
  const alloc = (ringType: number, slots: number, i: number, cmplRingId: number) => {
    const ringAddr = ringMemory(slots);
    const out = hwrm.ringAlloc(
      { ringType, ringAddr, length: slots, logicalId: i, cmplRingId, intVector: i },
      cpu.now,
    );
    return { base: ringAddr, id: out.ringId, db: bar + out.doorbell };
  };
  const openQueue = (_: unknown, i: number): Queue => {
    const cp = alloc(RING_ALLOC_REQ_RING_TYPE_L2_CMPL, CP_RING_SLOTS, i, -1);
    const tx = alloc(RING_ALLOC_REQ_RING_TYPE_TX, RING_SLOTS, i, cp.id);
    const rx = alloc(RING_ALLOC_REQ_RING_TYPE_RX, RING_SLOTS, i, cp.id);
    for (let slot = 0; slot < RING_SLOTS; slot++) {
      const flags = RX_BD_TYPE_RX_PACKET_BD | RX_BD_FLAGS_EOP;
      rxBdInit(mem.words, rx.base + (slot << DESC_SHIFT), flags, BUFFER, slot);
    }
    return {
      ...{ cpDb: cp.db, cpBase: cp.base, cpId: cp.id, rxDb: rx.db, rxBase: rx.base, rxId: rx.id },
      ...{ txDb: tx.db, txBase: tx.base, txId: tx.id, rawCons: 0, rxProd: 0, txProd: 0 },
    };
  };
  const opened = Array.from({ length: queues }, openQueue);
  hwrm.vnicRssCfg(
    {
      hashType: 0x3f,
      hashKey: STANDARD_HASH_KEY,
      ringTable: Uint16Array.from({ length: 128 }, (_, i) => i % queues),
      ...options.rss,
    },
    cpu.now,
  );
  hwrm.vnicCfg({ mru: MRU, vlanStrip: options.vlanStrip ?? false }, cpu.now);
  hwrm.cfaL2SetRxMask(options.rxMask ?? CFA_L2_SET_RX_MASK_REQ_MASK_BCAST, MAC, cpu.now);

  const q = (i: number): Queue => opened[i]!;
  const cpAt = (i: number, raw: number): HostAddr =>
    q(i).cpBase + ((raw & (CP_RING_SLOTS - 1)) << DESC_SHIFT);
  const valid = (i: number, raw: number): boolean =>
    cmpValid(mem.words, cpAt(i, raw), (raw & CP_RING_SLOTS) === 0 ? 0 : 1);

  return {
    ...{ mem, cpu, nic, hwrm, irqs, lines, sent, frames, faults, opened },
    q,

    /** The CPU's clock moves on. */
    at(ns: number): void {
      cpu.idleUntil(ns * PS_PER_NS);
      cpu.charge(0); // what an eager NIC lets happen, it lets happen when a clock moves
    },

    /** Frames on the wire, each with its arrival in nanoseconds. */
    arrive(list: readonly (readonly [number, Uint8Array])[]): void {
      const numbers = new Map<Uint8Array, number>();
      for (const [, bytes] of list) {
        if (!numbers.has(bytes)) numbers.set(bytes, frames.add(bytes));
      }
      nic.port.offer(
        new Listed(
          frames,
          list.map(([ns, bytes]) => [ns, numbers.get(bytes)!]),
        ),
      );
    },

    /** Offer `count` fresh buffers on queue `i`. @returns where their frames will lie */
    post(count: number, i = 0): HostAddr[] {
      const queue = q(i);
      const at: HostAddr[] = [];
      for (let n = 0; n < count; n++) {
        const slot = queue.rxProd++ & (RING_SLOTS - 1);
        at.push(pageNext + HEADROOM);
        rxBdPost(cpu, mem.words, queue.rxBase + (slot << DESC_SHIFT), pageNext + HEADROOM);
        pageNext += PAGE_SIZE;
      }
      bus.write32(cpu, queue.rxDb, DB_KEY_RX | (queue.rxProd & (RING_SLOTS - 1)));
      return at;
    },

    /** What the driver finds on the completion ring of queue `i` now. It is not acknowledged. */
    poll(i = 0): Completion[] {
      const found: Completion[] = [];
      const queue = q(i);
      for (;;) {
        const raw = queue.rawCons;
        if (!valid(i, raw) && !(bus.settle(cpu, queue.cpDb, 0) && valid(i, raw))) return found;
        const type = cmpType(mem.words, cpAt(i, raw));
        const slots = type === RX_L2_CMP ? 2 : 1;
        if (slots === 2 && !valid(i, raw + 1)) return found;
        found.push({ raw, type, at: cpAt(i, raw), ext: cpAt(i, raw + 1) });
        queue.rawCons += slots;
      }
    },

    acknowledge(i = 0, arm = false): void {
      const key = DB_KEY_CP | DB_IDX_VALID | (arm ? 0 : DB_IRQ_DIS);
      bus.write32(cpu, q(i).cpDb, key | (q(i).rawCons & (CP_RING_SLOTS - 1)));
    },

    /** Put one descriptor on TX ring `i`; the doorbell comes apart. */
    queueBd(bytes: Uint8Array, flags: number, opaque: number, i = 0): void {
      const queue = q(i);
      mem.u8.set(bytes, pageNext);
      const bd = queue.txBase + ((queue.txProd++ & (RING_SLOTS - 1)) << DESC_SHIFT);
      txBdPost(cpu, mem.words, bd, bytes.length, flags, opaque, pageNext);
      pageNext += PAGE_SIZE;
    },

    /** The extension behind a long descriptor. */
    queueExt(lflags: number, cfaMeta = 0, i = 0): void {
      const queue = q(i);
      const bd = queue.txBase + ((queue.txProd++ & (RING_SLOTS - 1)) << DESC_SHIFT);
      txBdExtPost(mem.words, bd, lflags, cfaMeta);
    },

    kick(i = 0): void {
      bus.write32(cpu, q(i).txDb, DB_KEY_TX | (q(i).txProd & (RING_SLOTS - 1)));
    },

    /** @param gather records, and ticks, that completions gather between a message and the next arm */
    coalesce(
      numCmplAggrInt: number,
      intLatTmrMax: number,
      i = 0,
      flags = 0,
      gather: readonly [number, number] = [1, 1],
    ): void {
      const [numCmplDmaAggrDuringInt, cmplAggrDmaTmrDuringInt] = gather;
      const input: HwrmRingAggintInput = {
        ...{ intLatTmrMin: 0, cmplAggrDmaTmr: 0, numCmplDmaAggr: 0, flags },
        ...{ cmplAggrDmaTmrDuringInt, numCmplDmaAggrDuringInt },
        ringId: q(i).cpId,
        numCmplAggrInt,
        intLatTmrMax,
      };
      hwrm.ringCmplRingCfgAggintParams(input, cpu.now);
    },

    /** Nobody does anything until `ns` or the first interrupt. @returns when that reaches its CPU, in ns, or null */
    wait(ns: number): number | null {
      hardware.runToIrq(ns * PS_PER_NS);
      const at = irqs.nextAt();
      if (at === Infinity) return null;
      irqs.take();
      return at / PS_PER_NS;
    },

    /** All lanes together, the refused frames included. */
    fates(): Fates {
      const sum = new Fates();
      for (const lane of [...nic.port.lanes, nic.port.refused]) sum.add(lane.fates);
      return sum;
    },
  };
}
