/**
 * What a walk (`rxWalk.ts`) knows of its ring, in host memory, a block for each RX ring.
 *
 * Words, at 4 bytes; time is charged where the CPU has it (`Cpu.timeAt`):
 *
 *   rings     0 completions | 1 mask | 2 bit of the lap | 3 descriptors | 4 notes | 5 mask
 *   program   6 xdp_buff | 7 headroom | 8 arrival stamps | 9 does it touch the packet?
 *   walk      10 rx_prod | 11 rx_next_cons | 12 packets | 13 their bytes | 14 verdict behind them
 *   XDP TX    15 descriptors | 16 notes | 17 mask | 18 usable | 19 opaque | 20 enough to wake
 *             21 tx_prod | 22 tx_cons | 23 tx_hw_cons | 24 packets sent | 25 TX completions
 *   stages    26 are booked? then of each packet (f64 18 on) how long ago it had arrived at its
 *             verdict; behind those the times of the verdicts, and raw indexes
 *   latency   27 histogram of all packets from arrival to verdict, at the end of the block
 *   redirect  28 page_pool | 29 where a page's DMA begins | 30 the CPU's redirect info
 *             31 packets redirected | 32 what frames say of their origin, four words as in `xdpFrame.ts`
 */
import { HISTOGRAM_BYTES } from '../../host/histogram.ts';
import type { HostAddr } from '../../host/memory.ts';
import { setTxOpaque } from '../../nic/hsi/txBd.ts';
import { GRO_NORMAL_BATCH } from '../../stack/gro.ts';
import type { XdpProg } from '../../xdp/program.ts';
import type { BnxtRxRingInfo } from './bnxt.ts';

export const CP_RING = 0;
export const CP_MASK = 4;
export const CP_BIT = 8;
export const RX_RING = 12;
export const BUF_RING = 16;
export const RX_MASK = 20;
export const XDP = 24;
export const HEADROOM = 28;
export const STAMPS = 32;
export const TOUCHES = 36;
export const PROD = 40;
export const NEXT_CONS = 44;
export const PACKETS = 48;
export const BYTES = 52;
export const ACT = 56;
export const TX_RING = 60;
export const TX_BUF_RING = 64;
export const TX_MASK = 68;
export const TX_SIZE = 72;
export const TX_OPAQUE = 76;
export const TX_WAKE = 80;
export const TX_PROD = 84;
export const TX_CONS = 88;
export const TX_HW_CONS = 92;
export const SENT = 96;
export const TX_COMPLETIONS = 100;
export const STAGED = 104;
export const LATENCY = 108;
export const POOL = 112;
export const DMA_OFFSET = 116;
export const RI = 120;
export const REDIRECTED = 124;
export const ORIGIN = 128;
export const AGES = 144;

/** Packets of one walk: there is no room for the ages of more. */
export const MOST = 128;
export const VERDICTS: number = AGES + MOST * 8;
export const RAW_INDEXES: number = VERDICTS + MOST * 8;
/** Where `rxWalkPass.ts` keeps what it knows. */
export const PASS: number = RAW_INDEXES + MOST * 4;
export const PASS_NOTES: number = PASS + 32;
export const PASS_NOTE_SHIFT = 4;
export const HISTOGRAM: number = PASS_NOTES + (GRO_NORMAL_BATCH << PASS_NOTE_SHIFT);
/** Bytes of a ring's block. */
export const RX_WALK_BLOCK: number = HISTOGRAM + HISTOGRAM_BYTES;

/** What stays as it is while the ring exists. */
export function initWalkBlock(block: HostAddr, rxr: BnxtRxRingInfo, prog: XdpProg): void {
  const { words, xdpRxq } = rxr;
  const txr = rxr.txr!;
  words[(block + CP_RING) >> 2] = rxr.cpDescRing;
  words[(block + CP_MASK) >> 2] = rxr.cpRingMask;
  words[(block + CP_BIT) >> 2] = rxr.cpBit;
  words[(block + RX_RING) >> 2] = rxr.rxDescRing;
  words[(block + BUF_RING) >> 2] = rxr.rxBufRing;
  words[(block + RX_MASK) >> 2] = rxr.rxRingMask;
  words[(block + XDP) >> 2] = rxr.xdp;
  words[(block + HEADROOM) >> 2] = rxr.rxOffset;
  words[(block + STAMPS) >> 2] = xdpRxq.arrivedAt.byteOffset;
  words[(block + TOUCHES) >> 2] = prog.touchesPacket ? 1 : 0;
  words[(block + STAGED) >> 2] = xdpRxq.stages === null ? 0 : 1;
  words[(block + LATENCY) >> 2] = block + HISTOGRAM;
  words[(block + TX_RING) >> 2] = txr.txDescRing;
  words[(block + TX_BUF_RING) >> 2] = txr.xdpBufRing;
  words[(block + TX_MASK) >> 2] = txr.txRingMask;
  words[(block + TX_SIZE) >> 2] = txr.txRingSize;
  words[(block + TX_OPAQUE) >> 2] = setTxOpaque(txr.txNapiIdx, 0, 1);
  words[(block + TX_WAKE) >> 2] = rxr.bp.txWakeThresh;
  words[(block + POOL) >> 2] = rxr.pagePool.at;
  words[(block + DMA_OFFSET) >> 2] = rxr.bp.rxDmaOffset;
  words[(block + ORIGIN) >> 2] = xdpRxq.memType;
  words[(block + ORIGIN + 4) >> 2] = xdpRxq.ifindex;
  words[(block + ORIGIN + 8) >> 2] = xdpRxq.memId;
  words[(block + ORIGIN + 12) >> 2] = rxr.rxPageSize;
}
