/**
 * What `bnxtXdpXmit` and `bnxtTxIntXdp` do frame by frame with those that other devices redirect here,
 * as WebAssembly loops: `xdp.ts`, `memModel.ts` and `pagePool.ts` say each step, and this is the same once
 * more for speed.
 *
 * Nothing looks at the clock between two frames, and time is whole picoseconds: so what they take
 * is charged behind them, each operation as often as it happened. The same goes for the pool's
 * counts. While somebody watches, each frame has its own time and page, and TypeScript does them all;
 * it does likewise where a mapping may fail.
 */
import { OP_DMA_MAP, OP_FRAME_RETURN, OP_XDP_XMIT } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { PTR_RING_HEAD, PTR_RING_SIZE, PTR_RING_SLOTS, PTR_RING_USED } from '../../host/ptrRing.ts';
import { I32 } from '../../host/wasm.ts';
import {
  WasmFunction,
  add,
  and,
  eq,
  ge,
  gt,
  load32,
  ne,
  or,
  shl,
  sub,
} from '../../host/wasmFunction.ts';
import { wasmLoops } from '../../host/wasmLoops.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { setTxOpaque } from '../../nic/hsi/txBd.ts';
import { PagePool } from '../../stack/pagePool.ts';
import { PP_ALLOC_CACHE_SIZE, PP_CACHE, PP_CACHED, PP_RING } from '../../stack/pagePoolBlock.ts';
import { XDP_REDIRECT } from '../../xdp/uapi.ts';
import {
  XDP_FRAME_DATA,
  XDP_FRAME_LEN,
  XDP_FRAME_MEM_ID,
  xdpFrameMemId,
} from '../../xdp/xdpFrame.ts';
import type { BnxtTxRingInfo } from './bnxt.ts';
import { postShortTxBd } from './shortTxBd.ts';
import { SW_TX_BD_PAGE, SW_TX_BD_RX_PROD, SW_TX_BD_SHIFT, swTxBdAt, swTxBdXdpf } from './swTxBd.ts';

/**
 * From slot `cons` of the notes up to `end`: frames of one memory model go back to their pool.
 *
 * @param direct 1: into its cache, as long as that has room; then, as with 0, into its ring
 * @returns where it ended: at `end`, another kind of packet, a frame of another pool, or a full ring
 */
type GiveBack = (
  notes: HostAddr,
  mask: number,
  cons: number,
  end: number,
  memId: number,
  pool: HostAddr,
  direct: number,
) => number;

function giveBackLoop(): WasmFunction {
  const f = new WasmFunction();
  const [notes, mask, cons, end] = [
    f.param(I32),
    f.param(I32),
    f.param(I32),
    f.param(I32),
  ] as const;
  const [memId, pool, direct] = [f.param(I32), f.param(I32), f.param(I32)] as const;
  const cached = f.i32At(pool, PP_CACHED);
  const used = f.i32At(pool, PP_RING + PTR_RING_USED);
  const [note, frame, slot] = [f.i32(), f.i32(), f.i32()] as const;

  f.repeat(() => {
    f.set(slot, and(cons, mask));
    f.leaveIf(eq(slot, end));
    f.set(note, add(notes, shl(slot, SW_TX_BD_SHIFT)));
    f.leaveIf(ne(load32(note), XDP_REDIRECT));
    f.set(frame, load32(note, SW_TX_BD_PAGE));
    f.leaveIf(ne(load32(frame, XDP_FRAME_MEM_ID), memId));
    f.if(
      and(direct, gt(PP_ALLOC_CACHE_SIZE, cached)),
      () => {
        f.store32(add(pool, shl(cached, 2)), PP_CACHE, and(frame, PAGE_MASK));
        f.set(cached, add(cached, 1));
      },
      () => {
        const size = load32(pool, PP_RING + PTR_RING_SIZE);
        f.leaveIf(eq(used, size));
        f.set(slot, add(load32(pool, PP_RING + PTR_RING_HEAD), used));
        f.if(ge(slot, size), () => f.set(slot, sub(slot, size)));
        f.store32(add(pool, shl(slot, 2)), PP_RING + PTR_RING_SLOTS, and(frame, PAGE_MASK));
        f.set(used, add(used, 1));
      },
    );
    f.store32(note, 0, 0);
    f.set(cons, and(add(cons, 1), 0xffff));
  });
  f.store32(pool, PP_CACHED, cached);
  f.store32(pool, PP_RING + PTR_RING_USED, used);
  f.returns(cons, I32);
  return f;
}

/**
 * Frames, whose addresses lie from `frames` on, take the slots from `prod` on: there is room for `n`.
 */
type Xmit = (
  frames: HostAddr,
  n: number,
  ring: HostAddr,
  notes: HostAddr,
  mask: number,
  prod: number,
  opaque: number,
) => void;

function xmitLoop(): WasmFunction {
  const f = new WasmFunction();
  const [frames, n, ring, notes] = [
    f.param(I32),
    f.param(I32),
    f.param(I32),
    f.param(I32),
  ] as const;
  const [mask, prod, opaque] = [f.param(I32), f.param(I32), f.param(I32)] as const;
  const [slot, note, frame, end] = [f.i32(), f.i32(), f.i32(), f.i32()] as const;

  f.set(end, add(frames, shl(n, 2)));
  f.repeat(() => {
    f.leaveIf(eq(frames, end));
    f.set(frame, load32(frames));
    f.set(slot, and(prod, mask));
    const data = load32(frame, XDP_FRAME_DATA);
    postShortTxBd(
      f,
      add(ring, shl(slot, DESC_SHIFT)),
      or(opaque, slot),
      data,
      load32(frame, XDP_FRAME_LEN),
    );
    f.set(note, add(notes, shl(slot, SW_TX_BD_SHIFT)));
    f.store32(note, 0, XDP_REDIRECT);
    f.store32(note, SW_TX_BD_RX_PROD, 0);
    f.store32(note, SW_TX_BD_PAGE, frame);
    f.set(prod, add(prod, 1));
    f.set(frames, add(frames, 4));
  });
  return f;
}

interface Loops {
  readonly giveBack: GiveBack;
  readonly xmit: Xmit;
}

const loopsOn = wasmLoops<Loops>({ giveBack: giveBackLoop, xmit: xmitLoop });

/** The loops of one ring. */
export class XdpTxLoops {
  private readonly txr: BnxtTxRingInfo;
  private readonly loops: Loops;

  constructor(txr: BnxtTxRingInfo) {
    this.txr = txr;
    this.loops = loopsOn(txr.bp.mem.memory);
  }

  /**
   * Queue frames as `bnxtXdpXmit` does, where no mapping can fail.
   *
   * @param n at most `bnxtTxAvail`
   * @returns how many: all
   */
  xmit(cpu: Cpu, frames: HostAddr, n: number): number {
    const { txr } = this;
    const { txDescRing, xdpBufRing, txRingMask, txProd } = txr;
    const opaque = setTxOpaque(txr.txNapiIdx, 0, 1);
    this.loops.xmit(frames, n, txDescRing, xdpBufRing, txRingMask, txProd, opaque);
    txr.txProd = (txProd + n) & 0xffff;
    cpu.chargeTimes(OP_DMA_MAP, n);
    cpu.chargeTimes(OP_XDP_XMIT, n);
    return n;
  }

  /**
   * Give the pages of sent frames back as `bnxtTxIntXdp` does, from the one at `txCons` on, as far as
   * they are of one pool that takes them.
   *
   * @returns the index of the first that is left
   */
  giveBack(cpu: Cpu, txCons: number): number {
    const { txr } = this;
    const { words, xdpBufRing, txRingMask } = txr;
    const frame = swTxBdXdpf(words, swTxBdAt(xdpBufRing, txCons & txRingMask));
    const memId = xdpFrameMemId(words, frame);
    const pool = txr.bp.pdev.xdp.memModels.get(memId);
    if (!(pool instanceof PagePool) || pool.at === 0 || pool.isCut) return txCons;

    const direct = pool.framesGoToCache(cpu);
    const { cachedPages, ringPages } = pool;
    const { at } = pool;
    const to = direct ? 1 : 0;
    const end = this.loops.giveBack(xdpBufRing, txRingMask, txCons, txr.txHwCons, memId, at, to);
    const n = (end - txCons) & 0xffff;
    cpu.chargeTimes(OP_DMA_MAP, n);
    cpu.chargeTimes(OP_FRAME_RETURN, n);
    pool.gotBack(pool.cachedPages - cachedPages, pool.ringPages - ringPages, direct, cpu);
    return end;
  }
}
