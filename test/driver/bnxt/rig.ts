import type {
  Bnxt,
  BnxtNapi,
  BnxtRxRingInfo,
  BnxtTxRingInfo,
} from '../../../src/driver/bnxt/bnxt.ts';
import { swRxBdAt, swRxBdData } from '../../../src/driver/bnxt/swRxBd.ts';
import type { Ps } from '../../../src/host/clock.ts';
import { END_OF_TIME, PS_PER_NS, PS_PER_US } from '../../../src/host/clock.ts';
import type { CostProfile } from '../../../src/host/profile.ts';
import { FLAT } from '../../../src/host/profiles.ts';
import type { Cpu } from '../../../src/host/cpu.ts';
import { CTX_SOFTIRQ } from '../../../src/host/cpu.ts';
import { Fates, LOSS_CAUSES } from '../../../src/host/fates.ts';
import { OWNER_NAMES } from '../../../src/host/ledger.ts';
import { PAGE_MASK } from '../../../src/host/memory.ts';
import { Machine } from '../../../src/machine.ts';
import type { NicConfig } from '../../../src/machine/config.ts';
import { CompletionRing } from '../../../src/nic/completionRing.ts';
import {
  DBR_TYPE_CQ_ARMALL,
  DBR_TYPE_NQ_ARM,
  dbArms,
  dbIndex,
  dbrType,
} from '../../../src/nic/hsi/doorbell.ts';
import type { Interrupter, Nic } from '../../../src/nic/nic.ts';
import { NotificationQueue } from '../../../src/nic/notificationQueue.ts';
import { RxRing } from '../../../src/nic/rxRing.ts';
import { TxRing } from '../../../src/nic/txRing.ts';
import { NAPIF_STATE_SCHED, napiPoll, napiSchedule } from '../../../src/stack/napi.ts';
import { NapiList } from '../../../src/stack/napiList.ts';
import type { NetDevice } from '../../../src/stack/netdevice.ts';
import type { SkBuff } from '../../../src/stack/skbuff.ts';
import { buildFrame } from '../../../src/wire/build.ts';
import type { FrameSpec } from '../../../src/wire/build.ts';
import { parseMac } from '../../../src/wire/eth.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from '../../../src/wire/frames.ts';
import { BLOCK } from '../../../src/wire/frames.ts';
import type { XdpContext } from '../../../src/xdp/context.ts';
import type { XdpProgramSpec } from '../../../src/xdp/define.ts';
import { defineXdp } from '../../../src/xdp/define.ts';

export const NIC_MAC = '02:00:00:00:00:01';
const FRAME_BYTES = 1 << 20;
const GAP_PS: Ps = 100 * PS_PER_NS;

/** A UDP frame of `len` bytes for the first NIC; `spec` changes parts of it. */
export const udpFrame = (len = 64, spec: Partial<FrameSpec> = {}): Uint8Array =>
  buildFrame({
    dst: parseMac(NIC_MAC),
    src: parseMac('02:00:00:00:00:99'),
    net: {
      kind: 'ipv4',
      src: 0x0a000002,
      dst: 0x0a000001,
      body: { kind: 'udp', srcPort: 1, dstPort: 2 },
    },
    frameLenBytes: len,
    ...spec,
  });

/** A program that returns the next of `verdicts`, the last one for ever. */
export function verdicts(...acts: number[]): XdpProgramSpec {
  let i = 0;
  return defineXdp(() => acts[Math.min(i++, acts.length - 1)]!, { name: 'verdicts' });
}

export const program = (fn: (ctx: XdpContext<Record<never, never>>) => number): XdpProgramSpec =>
  defineXdp(fn, { name: 'test' });

/** Arrivals a test adds by hand. */
class HandFed implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly queue: { at: Ps; frame: number }[] = [];

  constructor(frames: FrameTable) {
    this.frames = frames;
  }

  push(at: Ps, frame: number): void {
    this.queue.push({ at, frame });
  }

  fill(block: ArrivalBlock): void {
    const next = this.queue.splice(0, BLOCK);
    next.forEach(({ at, frame }, i) => {
      block.at[i] = at;
      block.frame[i] = frame;
    });
    block.count = next.length;
  }
}

/** One doorbell as the device saw it: `rx 12`, `tx 3`, `cq 8` or `cq-arm 8`, of ring number `ring`. */
export interface Rung {
  readonly nic: number;
  readonly what: 'rx' | 'tx' | 'cq' | 'cq-arm' | 'nq' | 'nq-arm';
  readonly index: number;
  /** NAPI the ring belongs to. */
  readonly irq: string;
}

/** What a tap saw of one packet. */
export type SeenSkb = Pick<
  SkBuff,
  | 'len'
  | 'dataLen'
  | 'nrFrags'
  | 'headFrag'
  | 'hash'
  | 'l4Hash'
  | 'protocol'
  | 'vlanProto'
  | 'vlanTci'
  | 'ipSummed'
  | 'csumLevel'
  | 'metaLen'
  | 'queueMapping'
  | 'truesize'
> & { readonly linear: number[]; readonly bytes: number[]; readonly meta: number[] };

export interface RigOptions extends Partial<Omit<NicConfig, 'name' | 'mac'>> {
  nics?: number;
  cpus?: number;
  budget?: number;
  check?: boolean;
  stack?: boolean;
  /** `flat` unless given. */
  profile?: CostProfile;
  /** Programs by NIC number. */
  xdp?: readonly (XdpProgramSpec | null)[];
  /** Leave the devices closed. */
  closed?: boolean;
}

/**
 * A machine of which a test drives every single poll: frames are made ready, the NAPI is polled by
 * hand, and each doorbell is written down. `run` lets the scheduler do it instead.
 */
export class Rig {
  readonly machine: Machine;
  readonly rung: Rung[] = [];
  private readonly repoll: NapiList = new NapiList();
  private readonly sources: HandFed[];

  constructor(options: RigOptions = {}) {
    const {
      nics = 1,
      cpus = 1,
      budget = 64,
      check = true,
      stack = true,
      profile = FLAT,
      xdp = [],
      closed,
      ...nic
    } = options;
    const names = Array.from({ length: nics }, (_, i) => i);
    this.machine = new Machine(
      {
        seed: 1,
        cpus,
        hz: 1000,
        budget,
        netdevBudget: 300,
        profile,
        nics: names.map((i) => ({ ...nicConfig(i, cpus), ...nic })),
        stack,
        check,
        eager: false,
      },
      FRAME_BYTES,
    );
    this.sources = names.map(() => new HandFed(this.machine.frames));
    this.machine.nics.forEach(({ nic: hw }, i) => this.listen(i, hw));
    xdp.forEach((spec, i) => this.machine.attachXdp(i, spec));
    if (closed !== true) this.machine.open();
    this.rung.length = 0;
  }

  get cpu(): Cpu {
    return this.machine.cpus[0]!;
  }

  bp(nic = 0): Bnxt {
    return this.machine.nics[nic]!.bp;
  }

  dev(nic = 0): NetDevice {
    return this.bp(nic).dev;
  }

  hw(nic = 0): Nic {
    return this.machine.nics[nic]!.nic;
  }

  bnapi(queue = 0, nic = 0): BnxtNapi {
    return this.bp(nic).bnapi[queue]!;
  }

  rxr(queue = 0, nic = 0): BnxtRxRingInfo {
    return this.bp(nic).rxRing[queue]!;
  }

  txr(ring = 0, nic = 0): BnxtTxRingInfo {
    return this.bp(nic).txRing[ring]!;
  }

  /** The NIC's own side of RX ring `queue`. */
  hwRx(queue = 0, nic = 0): RxRing {
    return this.hw(nic).bells[this.rxr(queue, nic).fwRingId] as RxRing;
  }

  /** The NIC's own side of TX ring `ring`. */
  hwTx(ring = 0, nic = 0): TxRing {
    return this.hw(nic).bells[this.txr(ring, nic).fwRingId] as TxRing;
  }

  private listen(number: number, hw: Nic): void {
    const real = hw.doorbell.bind(hw);
    hw.doorbell = (offset, lo, hi, now, cpu): void => {
      const bell = hw.bellAt(offset, hi);
      const index = dbIndex(lo);
      if (bell instanceof RxRing) this.note(number, 'rx', index, bell.cp);
      else if (bell instanceof TxRing) this.note(number, 'tx', index, bell.cp);
      else if (bell instanceof CompletionRing) {
        const arms = hi === 0 ? dbArms(lo) : dbrType(hi) === DBR_TYPE_CQ_ARMALL;
        this.note(number, arms ? 'cq-arm' : 'cq', index, bell);
      } else if (bell instanceof NotificationQueue)
        this.note(number, dbrType(hi) === DBR_TYPE_NQ_ARM ? 'nq-arm' : 'nq', index, bell);
      real(offset, lo, hi, now, cpu);
    };
  }

  private note(nic: number, what: Rung['what'], index: number, ring: Interrupter): void {
    this.rung.push({ nic, what, index, irq: ring.irq.name });
  }

  /** Doorbells since the last call, as text: `cq 2`, `rx 512`. */
  bells(nic = 0): string[] {
    const heard = this.rung.filter((r) => r.nic === nic).map((r) => `${r.what} ${r.index}`);
    this.rung.length = 0;
    return heard;
  }

  /** `frames` arrive one after the other from now on. @returns when the last has */
  arrive(frames: readonly Uint8Array[], nic = 0, gapPs: Ps = GAP_PS): Ps {
    const hw = this.hw(nic);
    hw.settleAll(this.cpu.now);
    const source = this.sources[nic]!;
    let at = this.cpu.now;
    for (const bytes of frames) {
      at += gapPs;
      source.push(at, this.numberOf(bytes));
    }
    this.machine.offer(nic, source);
    return at;
  }

  private readonly known: Map<Uint8Array, number> = new Map();

  private numberOf(bytes: Uint8Array): number {
    const known = this.known.get(bytes);
    if (known !== undefined) return known;
    const n = this.machine.frames.add(bytes);
    this.known.set(bytes, n);
    return n;
  }

  /** `n` copies of `frame` have arrived and been completed when this returns. */
  ready(n: number, frame: Uint8Array = SMALL, nic = 0): void {
    this.readyFrames(
      Array.from({ length: n }, () => frame),
      nic,
    );
  }

  readyFrames(frames: readonly Uint8Array[], nic = 0): void {
    this.cpu.idleUntil(this.arrive(frames, nic) + 2 * PS_PER_US);
  }

  /** Time passes, and the CPU does nothing. */
  wait(us: number): void {
    this.cpu.idleUntil(this.cpu.now + us * PS_PER_US);
  }

  /** One poll, as net_rx_action makes it. @returns what the driver reported */
  poll(queue = 0, nic = 0, cpu: Cpu = this.cpu): number {
    this.schedule(queue, nic, cpu);
    return napiPoll(this.bnapi(queue, nic).napi, this.repoll);
  }

  /** The core owns the NAPI, and its softirq is about to poll. */
  schedule(queue = 0, nic = 0, cpu: Cpu = this.cpu): void {
    const { napi } = this.bnapi(queue, nic);
    cpu.enter(CTX_SOFTIRQ);
    if ((napi.state & NAPIF_STATE_SCHED) === 0) napiSchedule(napi, cpu);
  }

  /** One poll with a budget of the caller's choice, past the core: netpoll's way. */
  pollBudget(budget: number, queue = 0, nic = 0): number {
    const { napi } = this.bnapi(queue, nic);
    this.cpu.enter(CTX_SOFTIRQ);
    return napi.poll(napi, budget);
  }

  /** Does the core own the NAPI still, to be polled again? */
  scheduled(queue = 0, nic = 0): boolean {
    return (this.bnapi(queue, nic).napi.state & NAPIF_STATE_SCHED) !== 0;
  }

  /** Let the scheduler run the machine to its end. */
  run(until: Ps = END_OF_TIME): void {
    this.machine.run(until);
  }

  /** Record the trace from now on. */
  trace(): void {
    this.machine.trace.start(10_000, 4);
    this.machine.watch.refresh();
  }

  /** Arguments of each recorded trace point called `name`. */
  events(name: string): (readonly number[])[] {
    return [...this.machine.trace.records()]
      .filter((r) => r.point.name === name)
      .map((r) => r.args);
  }

  /** Who the ledger says holds the page of RX slot `slot`. */
  slotOwner(slot: number, queue = 0, nic = 0): string {
    return this.ownerOf(this.slotPage(slot, queue, nic));
  }

  ownerOf(page: number): string {
    return OWNER_NAMES[this.machine.watch.ledger.ownerOf(page)]!;
  }

  slotPage(slot: number, queue = 0, nic = 0): number {
    return this.slotData(slot, queue, nic) & PAGE_MASK;
  }

  slotData(slot: number, queue = 0, nic = 0): number {
    const { words, rxBufRing } = this.rxr(queue, nic);
    return swRxBdData(words, swRxBdAt(rxBufRing, slot));
  }

  /** What stands in each slot of an RX ring; 0: nothing. */
  slots(queue = 0, nic = 0): number[] {
    const { rxRingMask } = this.rxr(queue, nic);
    return Array.from({ length: rxRingMask + 1 }, (_, slot) => this.slotData(slot, queue, nic));
  }

  /** Buffers that stand in slots of an RX ring. */
  buffers(queue = 0, nic = 0): number {
    return this.slots(queue, nic).filter((data) => data !== 0).length;
  }

  /** Buffers the NIC has been told of and has not used. */
  posted(queue = 0, nic = 0): number {
    const ring = this.hwRx(queue, nic);
    return (ring.prod - ring.cons) & ring.mask;
  }

  /** The machine's books: all NICs together. */
  fates(): Fates {
    const sum = new Fates();
    for (const nic of this.machine.result().nics) sum.add(nic.fates);
    return sum;
  }

  /** Losses by name, zeros left out. */
  lost(): Record<string, number> {
    return Object.fromEntries(
      [...this.fates().lost]
        .map((n, i) => [LOSS_CAUSES[i]!.name, n] as const)
        .filter(([, n]) => n > 0),
    );
  }

  ethtool(nic = 0): Record<string, number> {
    return Object.fromEntries(this.machine.result().nics[nic]!.ethtool);
  }

  /** Close everything: what is left over, all of which must be nothing. */
  leftOver(): { imbalance: ReturnType<Fates['imbalance']>; allocated: number; skbs: number } {
    this.machine.close();
    const { pages } = this.machine.result();
    return {
      imbalance: this.fates().imbalance(),
      allocated: pages.allocated,
      skbs: this.machine.net.skbs.live,
    };
  }

  /** From now on, every packet the stack gets. */
  tap(): SeenSkb[] {
    const seen: SeenSkb[] = [];
    const { u8 } = this.machine.mem;
    this.machine.net.addTap({
      onSkb: (skb) => {
        const linear = [...u8.subarray(skb.macHeader, skb.tail)];
        const bytes = [...linear];
        for (let i = 0; i < skb.nrFrags; i++) {
          const at = skb.fragPage[i]! + skb.fragOffset[i]!;
          bytes.push(...u8.subarray(at, at + skb.fragSize[i]!));
        }
        const meta = [...u8.subarray(skb.macHeader - skb.metaLen, skb.macHeader)];
        seen.push({ ...skb, linear, bytes, meta });
      },
    });
    return seen;
  }

  /** From now on, every frame a NIC has put on the wire. */
  wire(): { port: number; bytes: number[] }[] {
    const sent: { port: number; bytes: number[] }[] = [];
    const { u8 } = this.machine.mem;
    this.machine.watchWire({
      frame: (port, _time, at, len) =>
        void sent.push({ port, bytes: [...u8.subarray(at, at + len)] }),
    });
    return sent;
  }
}

/** What `leftOver` says of a run that adds up and leaked nothing. */
export const NOTHING = { imbalance: { nic: 0, driver: 0, tx: 0, up: 0 }, allocated: 0, skbs: 0 };

export const SMALL: Uint8Array = udpFrame(64);

const nicConfig = (i: number, cpus: number): NicConfig => ({
  name: `eth${i}`,
  mac: Uint8Array.of(2, 0, 0, 0, 0, i + 1),
  queues: 1,
  rxRing: 511,
  txRing: 511,
  mtu: 1500,
  linkBps: 100e9,
  rxUsecs: 10,
  rxFrames: 15,
  txUsecs: 28,
  txFrames: 30,
  rxvlan: true,
  promisc: true,
  irqAffinity: Array.from({ length: cpus }, (_, id) => (id + i) % cpus),
});
