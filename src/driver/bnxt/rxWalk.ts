/**
 * The poll's walk over packets as WebAssembly: what `bnxtRxPkt`, `bnxtRxXdp`, `__bnxtXmitXdp`,
 * `bnxtXdpRedirect` and `bnxtCopyXdp` do packet by packet with those that are dropped, sent back,
 * redirected or passed up, for all that follow each other and are ordinary, and what `bnxtTxCmp` does
 * with TX completions between them.
 *
 * They say each step, in TypeScript, and do everything that is not here; this is the same once more
 * for speed, since most of what their machine code does is to check that arrays and objects are what
 * they were. The history is the same to the picosecond: a property test holds runs with and without
 * it equal, and breaks it to see that it would notice.
 *
 * A packet is ordinary when both slots of its completion are written, name the buffer that is
 * expected, and tell of no error; the ring is in page mode and has a program. In front of anything
 * else the walk stops. Behind another verdict, without room to send, where a redirect is not to one
 * device that takes the frame, or where what is passed up is none of the packets that `rxWalkPass.ts`
 * tells of, it stops too, and the driver goes on with that packet where it would have come back from
 * the program. Where nothing is written it lets the NIC catch up, as `bnxtCmpValid` does, and ends the
 * pass if that brings nothing.
 *
 * It does not begin while somebody watches, counts charges or has armed faults, nor for
 * fewer than `LEAST` packets; a ring where it stops early does without for some polls.
 *
 * A compiled program that needs no preparation becomes a part of the walk.
 */
import { ENOMEM } from '../../host/errno.ts';
import { HISTOGRAM_BYTES } from '../../host/histogram.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { RxStages } from '../../host/stages.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { cmpValid } from '../../nic/hsi/rxCmp.ts';
import type { XdpProg } from '../../xdp/program.ts';
import { programFaultOn } from '../../xdp/program.ts';
import { XDP_PASS } from '../../xdp/uapi.ts';
import { xdpDataHardStart } from '../../xdp/xdpBuff.ts';
import type { BnxtCpRingInfo, BnxtRxRingInfo } from './bnxt.ts';
import { BNXT_REDIRECT_EVENT, BNXT_RX_EVENT, BNXT_TX_CMP_EVENT, BNXT_TX_EVENT } from './bnxt.ts';
import { rxPktRan } from './rx.ts';
import { ELSEWHERE, IN_BULK_QUEUE, IN_PROGRAM } from './rxWalkAround.ts';
import {
  ACT,
  AGES,
  BYTES,
  HISTOGRAM,
  MOST,
  NEXT_CONS,
  PACKETS,
  PROD,
  RAW_INDEXES,
  REDIRECTED,
  RI,
  SENT,
  TX_COMPLETIONS,
  TX_CONS,
  TX_HW_CONS,
  TX_PROD,
  VERDICTS,
  initWalkBlock,
} from './rxWalkBlock.ts';
import { WALK_EMPTY, WALK_RAN } from './rxWalkLoop.ts';
import type { ProgramWalk } from './rxWalkOf.ts';
import { ANOTHER, walkOf } from './rxWalkOf.ts';
import { PASSED, initPassWords, passNoted } from './rxWalkPass.ts';
import { bnxtTxAvail } from './xdp.ts';

/** Fewer packets are not worth the way in and out. */
const LEAST = 8;
/** Polls that a ring does without after walks that stopped early: one more than twice as many each time. */
const LONGEST_PAUSE = 255;

export class RxWalk {
  readonly block: HostAddr;
  private readonly rxr: BnxtRxRingInfo;
  private readonly prog: XdpProg;
  private of: ProgramWalk | null = null;
  /** Raw index of the running pass from which on another walk may be worth it; -1: it is, at once. */
  private from = 0;
  /** Packets that a poll's first pass over the ring received the last time, and a later one. */
  private readonly usual: [number, number] = [0, 0];
  /** Which of them runs, and packets before it. */
  private pass: 0 | 1 = 0;
  private before = 0;
  /** The last walk ended where nothing is written up to now. */
  foundEmpty = false;
  /** Polls to come without a walk, and how many there were the last time. */
  private pause = 0;
  private pauses = 0;

  constructor(rxr: BnxtRxRingInfo, prog: XdpProg, block: HostAddr) {
    this.rxr = rxr;
    this.prog = prog;
    this.block = block;
    rxr.xdpRxq.latency.moveTo(rxr.bp.mem.doublesAt(block + HISTOGRAM, HISTOGRAM_BYTES / 8));
  }

  /** A pass over `cpr` begins. @returns whether it may walk */
  begin(cpr: BnxtCpRingInfo, budget: number): boolean {
    const { rxr } = this;
    if (cpr !== rxr.cpr) return false;
    const { packets } = cpr;
    this.usual[this.pass] = packets - this.before;
    this.pass = budget === rxr.bp.napiWeight ? 0 : 1;
    this.before = packets;
    if (budget < LEAST || rxr.cpu.timeAt === 0) return false;
    if (rxr.watch.on || rxr.bp.faults.armed) return false;
    if (this.pause > 0) {
      this.pause--;
      return false;
    }
    this.from = this.usual[this.pass] >= LEAST ? -1 : 0;
    return true;
  }

  /** A packet at `rawCons` is there: do enough follow, or did they the last time? If not, the next question comes later. */
  isWorthIt(rawCons: number, budget: number): boolean {
    if (rawCons < this.from || budget < LEAST) return false;
    if (this.from < 0) {
      this.from = 0;
      return true;
    }
    const last = rawCons + 2 * LEAST - 1;
    const { words, cpDescRing, cpRingMask, cpBit } = this.rxr;
    const at = cpDescRing + ((last & cpRingMask) << DESC_SHIFT);
    if (cmpValid(words, at, (last & cpBit) === 0 ? 0 : 1)) return true;
    this.from = last;
    return false;
  }

  /**
   * Walk from `rxr.rawCons` on, which it leaves at the next slot to be read, and with it `rxr.event`.
   *
   * @returns packets to count
   * @throws ProgramFault when the program throws
   */
  run(budget: number): number {
    const { rxr, block } = this;
    const { words } = rxr;
    const txr = rxr.txr!;
    const { walk, around } = (this.of ??= this.prepare());
    words[(block + PROD) >> 2] = rxr.rxProd;
    words[(block + NEXT_CONS) >> 2] = rxr.rxNextCons;
    words[(block + TX_PROD) >> 2] = txr.txProd;
    words[(block + TX_CONS) >> 2] = txr.txCons;
    const context = rxr.xdpRxq.xdp.netContexts[rxr.cpu.id]!;
    context.askRooms(rxr.bp.dev.ifindex);
    words[(block + RI) >> 2] = context.ri.at;
    around.rxr = rxr;
    around.inside = IN_PROGRAM;
    around.refills = 0;
    let end: number;
    try {
      end = walk(block, rxr.cpu.timeAt, rxr.rawCons, budget < MOST ? budget : MOST);
    } catch (error) {
      this.book(around.inside === IN_PROGRAM || around.inside === ELSEWHERE ? 0 : 1);
      if (around.inside !== IN_PROGRAM) throw error;
      throw programFaultOn(this.prog, rxr.xdpRxq, error);
    }
    this.foundEmpty = end === WALK_EMPTY;
    const ran = end === WALK_RAN ? 1 : 0;
    const handled = this.book(ran);
    if (handled >= LEAST) this.pauses = 0;
    else if (!this.foundEmpty) this.rest();
    if (ran === 0) return handled;
    const told = words[(block + ACT) >> 2]!;
    const act = this.prog.link === undefined && told === ANOTHER ? around.act : told;
    const rc = rxPktRan(rxr, rxr.rxNextCons, xdpDataHardStart(words, rxr.xdp), act);
    rxr.rawCons++;
    return handled + (rc === -ENOMEM ? 1 : rc);
  }

  /** No more walks in this poll and the next ones. */
  private rest(): void {
    this.from = Infinity;
    this.pauses = Math.min(2 * this.pauses + 1, LONGEST_PAUSE);
    this.pause = this.pauses;
  }

  /** What the walk has done becomes the rings'. @param ran verdicts behind the last packet @returns packets */
  private book(ran: number): number {
    const { rxr, block } = this;
    const { words, cpr, fates, xdpRxq, pagePool } = rxr;
    const { inside, refills } = this.of!.around;
    const txr = rxr.txr!;
    const n = words[(block + PACKETS) >> 2]!;
    const sent = words[(block + SENT) >> 2]!;
    const redirected = words[(block + REDIRECTED) >> 2]!;
    const completions = words[(block + TX_COMPLETIONS) >> 2]!;
    if (xdpRxq.stages !== null) this.bookStages(xdpRxq.stages, n + ran);
    rxr.rawCons += 2 * n + completions;
    rxr.rxProd = (rxr.rxProd + n) & 0xffff;
    rxr.rxNextCons = (rxr.rxNextCons + n) & rxr.rxRingMask;
    cpr.packets += n;
    cpr.bytes += words[(block + BYTES) >> 2]!;
    const passed = words[(block + PASSED) >> 2]!;
    fates.xdpDrop += n - sent - redirected - passed;
    fates.xdpPass += passed;
    fates.xdpTx += sent;
    fates.xdpRedirect += redirected;
    // a page whose frame was refused by an error had been taken
    pagePool.stats.allocFast += redirected - refills + (inside === IN_BULK_QUEUE ? 1 : 0);
    if (redirected > 0) rxr.event |= BNXT_REDIRECT_EVENT;
    txr.txProd = (txr.txProd + sent) & 0xffff;
    if (sent > 0) rxr.event |= BNXT_TX_EVENT;
    if (completions > 0) {
      txr.txHwCons = words[(block + TX_HW_CONS) >> 2]!;
      rxr.event |= BNXT_TX_CMP_EVENT;
    }
    if (n + ran === 0) return 0;
    xdpRxq.latency.counted(n + ran);
    const isCopied = ran === 0 && words[(block + ACT) >> 2] === XDP_PASS;
    rxr.cpu.packetTouched = !isCopied && this.prog.touchesPacket;
    passNoted(rxr, false);
    rxr.event |= BNXT_RX_EVENT;
    if (bnxtTxAvail(txr) !== txr.txRingSize) rxr.event &= ~BNXT_RX_EVENT;
    return n;
  }

  /** As `bpfProgRunXdp` does, each with `rxr.rawCons` on its completion. */
  private bookStages(stages: RxStages, verdicts: number): void {
    const { rxr, block } = this;
    const { words, rawCons } = rxr;
    const { doubles } = rxr.bp.mem;
    for (let i = 0; i < verdicts; i++) {
      const now = doubles[((block + VERDICTS) >> 3) + i]!;
      rxr.rawCons = words[((block + RAW_INDEXES) >> 2) + i]!;
      stages.verdict(now - doubles[((block + AGES) >> 3) + i]!, now);
    }
    rxr.rawCons = rawCons;
  }

  /** What stays as it is while the ring exists. */
  private prepare(): ProgramWalk {
    const { rxr, block, prog } = this;
    initWalkBlock(block, rxr, prog);
    initPassWords(block, rxr);
    return walkOf(prog, rxr.bp.mem.memory);
  }
}
