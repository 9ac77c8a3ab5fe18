/**
 * What `bnxtTxIntXdp` does frame by frame for those that other devices redirected here, as a
 * WebAssembly loop: `xdp.ts`, `memModel.ts` and `pagePool.ts` say each step, and this is the same once
 * more for speed.
 *
 * Nothing looks at the clock between two frames, and time is whole picoseconds: so what they take
 * is charged behind them, each operation as often as it happened. The same goes for the pool's
 * counts. While somebody watches, each frame has its own time and page, and TypeScript does them all.
 */
import { OP_DMA_MAP, OP_FRAME_RETURN } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { PTR_RING_HEAD, PTR_RING_SIZE, PTR_RING_SLOTS, PTR_RING_USED } from '../../host/ptrRing.ts';
import { I32, WasmModule } from '../../host/wasm.ts';
import {
  WasmFunction,
  add,
  and,
  eq,
  ge,
  gt,
  load32,
  ne,
  shl,
  sub,
} from '../../host/wasmFunction.ts';
import { PagePool } from '../../stack/pagePool.ts';
import { PP_ALLOC_CACHE_SIZE, PP_CACHE, PP_CACHED, PP_RING } from '../../stack/pagePoolBlock.ts';
import { XDP_REDIRECT } from '../../xdp/uapi.ts';
import { XDP_FRAME_MEM_ID, xdpFrameMemId } from '../../xdp/xdpFrame.ts';
import type { BnxtTxRingInfo } from './bnxt.ts';
import { SW_TX_BD_PAGE, SW_TX_BD_SHIFT, swTxBdAt, swTxBdXdpf } from './swTxBd.ts';

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

function encodeLoops(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  giveBackLoop().exportTo(module, 'giveBack');
  return module.encode();
}

let compiled: WebAssembly.Module | null = null;
const instances: WeakMap<WebAssembly.Memory, XdpTxLoops> = new WeakMap();

/** One instance for each memory. */
export function xdpTxLoopsOn(memory: WebAssembly.Memory): XdpTxLoops {
  let loops = instances.get(memory);
  if (loops === undefined) {
    compiled ??= new WebAssembly.Module(encodeLoops());
    loops = new XdpTxLoops(new WebAssembly.Instance(compiled, { host: { memory } }));
    instances.set(memory, loops);
  }
  return loops;
}

export class XdpTxLoops {
  private readonly loop: GiveBack;

  constructor({ exports }: WebAssembly.Instance) {
    this.loop = exports['giveBack'] as GiveBack;
  }

  /**
   * Give the pages of sent frames back, from the one at `txCons` on, as far as they are of one pool
   * that takes them.
   *
   * @returns the index of the first that is left
   */
  giveBack(txr: BnxtTxRingInfo, cpu: Cpu, txCons: number): number {
    const { words, xdpBufRing, txRingMask } = txr;
    const frame = swTxBdXdpf(words, swTxBdAt(xdpBufRing, txCons & txRingMask));
    const memId = xdpFrameMemId(words, frame);
    const pool = txr.bp.pdev.xdp.memModels.get(memId);
    if (!(pool instanceof PagePool) || pool.at === 0 || pool.isCut) return txCons;

    const direct = pool.framesGoToCache(cpu);
    const { cachedPages, ringPages } = pool;
    const to = direct ? 1 : 0;
    const end = this.loop(xdpBufRing, txRingMask, txCons, txr.txHwCons, memId, pool.at, to);
    const n = (end - txCons) & 0xffff;
    cpu.chargeTimes(OP_DMA_MAP, n);
    cpu.chargeTimes(OP_FRAME_RETURN, n);
    pool.gotBack(pool.cachedPages - cachedPages, pool.ringPages - ringPages, direct, cpu);
    return end;
  }
}
