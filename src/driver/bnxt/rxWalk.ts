/**
 * The poll's walk over packets that the program drops or sends back, as WebAssembly: what `bnxtRxPkt`,
 * `bnxtRxXdp` and `__bnxtXmitXdp` do packet by packet, for all that follow each other and are ordinary,
 * and what `bnxtTxCmp` does with TX completions between them.
 *
 * They say each step, in TypeScript, and do everything that is not here; this is the same once more
 * for speed, since most of what their machine code does is to check that arrays and objects are what
 * they were. The history is the same to the picosecond: a property test holds runs with and without
 * it equal, and breaks it to see that it would notice.
 *
 * A packet is ordinary when both slots of its completion are written, name the buffer that is
 * expected, and tell of no error; the ring is in page mode and has a program. In front of anything
 * else the walk stops. Behind a verdict other than XDP_DROP and XDP_TX, or without room to send, it
 * stops too, and the driver goes on with that packet where it would have come back from the program. It does not begin while somebody
 * watches, counts charges, books stages or has armed faults, nor for fewer than `LEAST` packets.
 *
 * A compiled program that needs no preparation is called from WebAssembly directly.
 */
import { ENOMEM } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { cmpValid } from '../../nic/hsi/rxCmp.ts';
import type { XdpProg } from '../../xdp/program.ts';
import { programFaultOn } from '../../xdp/program.ts';
import { xdpDataHardStart } from '../../xdp/xdpBuff.ts';
import type { BnxtCpRingInfo, BnxtRxRingInfo } from './bnxt.ts';
import { BNXT_RX_EVENT, BNXT_TX_CMP_EVENT, BNXT_TX_EVENT } from './bnxt.ts';
import { bnxtRxPktRan } from './rx.ts';
import type { ProgramWalk } from './rxWalkLoop.ts';
import {
  ACT,
  AGES,
  BYTES,
  MOST,
  NEXT_CONS,
  PACKETS,
  PROD,
  SENT,
  TX_COMPLETIONS,
  TX_CONS,
  TX_HW_CONS,
  TX_PROD,
  initWalkBlock,
  walkOf,
} from './rxWalkLoop.ts';
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
  /** Raw index of the running poll from which on another walk may be worth it. */
  private from = 0;
  /** Polls to come without a walk, and how many there were the last time. */
  private pause = 0;
  private pauses = 0;

  constructor(rxr: BnxtRxRingInfo, prog: XdpProg, block: HostAddr) {
    this.rxr = rxr;
    this.prog = prog;
    this.block = block;
  }

  /** A poll of `cpr` begins. @returns whether it may walk */
  begin(cpr: BnxtCpRingInfo, budget: number): boolean {
    const { rxr } = this;
    if (budget < LEAST || cpr !== rxr.cpr || rxr.cpu.timeAt === 0) return false;
    if (rxr.watch.on || rxr.xdpRxq.stages !== null || rxr.bp.faults.armed) return false;
    if (this.pause > 0) {
      this.pause--;
      return false;
    }
    this.from = 0;
    return true;
  }

  /** Do enough packets follow from `rawCons` on? If not, the next question comes later. */
  isWorthIt(rawCons: number, budget: number): boolean {
    if (rawCons < this.from || budget < LEAST) return false;
    const { words, cpDescRing, cpRingMask, cpBit } = this.rxr;
    const last = rawCons + 2 * LEAST - 1;
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
    const { walk, told } = (this.of ??= this.prepare());
    words[(block + PROD) >> 2] = rxr.rxProd;
    words[(block + NEXT_CONS) >> 2] = rxr.rxNextCons;
    words[(block + TX_PROD) >> 2] = txr.txProd;
    words[(block + TX_CONS) >> 2] = txr.txCons;
    let other: number;
    try {
      other = walk(block, rxr.cpu.timeAt, rxr.rawCons, budget < MOST ? budget : MOST);
    } catch (error) {
      this.book(0);
      throw programFaultOn(this.prog, rxr.xdpRxq, error);
    }
    const handled = this.book(other);
    if (handled >= LEAST) this.pauses = 0;
    else {
      this.from = Infinity;
      this.pauses = Math.min(2 * this.pauses + 1, LONGEST_PAUSE);
      this.pause = this.pauses;
    }
    if (other === 0) return handled;
    const act = told === null ? words[(block + ACT) >> 2]! : told.act;
    const rc = bnxtRxPktRan(rxr, rxr.rxNextCons, xdpDataHardStart(words, rxr.xdp), act);
    rxr.rawCons++;
    return handled + (rc === -ENOMEM ? 1 : rc);
  }

  /** What the walk has done becomes the rings'. @param other verdicts behind the last packet @returns packets */
  private book(other: number): number {
    const { rxr, block } = this;
    const { bp, words, cpr, fates, xdpRxq } = rxr;
    const txr = rxr.txr!;
    const n = words[(block + PACKETS) >> 2]!;
    const sent = words[(block + SENT) >> 2]!;
    const completions = words[(block + TX_COMPLETIONS) >> 2]!;
    rxr.rawCons += 2 * n + completions;
    rxr.rxProd = (rxr.rxProd + n) & 0xffff;
    rxr.rxNextCons = (rxr.rxNextCons + n) & rxr.rxRingMask;
    cpr.packets += n;
    cpr.bytes += words[(block + BYTES) >> 2]!;
    fates.xdpDrop += n - sent;
    fates.xdpTx += sent;
    txr.txProd = (txr.txProd + sent) & 0xffff;
    if (sent > 0) rxr.event |= BNXT_TX_EVENT;
    if (completions > 0) {
      txr.txHwCons = words[(block + TX_HW_CONS) >> 2]!;
      rxr.event |= BNXT_TX_CMP_EVENT;
    }
    if (n + other === 0) return 0;
    xdpRxq.latency.recordAll(bp.mem.doubles, words, (block + AGES) >> 3, n + other);
    rxr.cpu.packetTouched = this.prog.touchesPacket;
    rxr.event |= BNXT_RX_EVENT;
    if (bnxtTxAvail(txr) !== txr.txRingSize) rxr.event &= ~BNXT_RX_EVENT;
    return n;
  }

  /** What stays as it is while the ring exists. */
  private prepare(): ProgramWalk {
    const { rxr, block, prog } = this;
    initWalkBlock(block, rxr, prog);
    return walkOf(prog, rxr.bp.mem.memory);
  }
}
