/**
 * The loop of `rxWalk.ts`, in WebAssembly over the ring's block (`rxWalkBlock.ts`).
 */
import {
  OP_BD_POST,
  OP_COUNT,
  OP_DMA_RMB,
  OP_DMA_SYNC,
  OP_PACKET_TOUCH,
  OP_XDP_REDIRECT,
  OP_XDP_RUN,
  OP_XDP_XMIT,
} from '../../host/cost.ts';
import { recordInHistogram } from '../../host/histogram.ts';
import { PAGE_SHIFT } from '../../host/memory.ts';
import { I32 } from '../../host/wasm.ts';
import type { WasmModule } from '../../host/wasm.ts';
import type { Local, Value } from '../../host/wasmFunction.ts';
import {
  WasmFunction,
  add,
  and,
  callImport,
  eq,
  fadd,
  fsub,
  ge,
  load32,
  loadF64,
  ne,
  shl,
  shr,
  sub,
} from '../../host/wasmFunction.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { CMP_TYPE_RX_L2_CMP } from '../../nic/hsi/rxCmp.ts';
import { CMP_TYPE_TX_L2_CMP } from '../../nic/hsi/txCmp.ts';
import type { InlinedProgram } from '../../xdp/engine.ts';
import { XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../xdp/uapi.ts';
import {
  XDP_BUFF_HARD_START,
  XDP_MD_DATA,
  XDP_MD_DATA_END,
  XDP_MD_DATA_META,
} from '../../xdp/xdpBuff.ts';
import {
  ACT,
  AGES,
  BUF_RING,
  BYTES,
  CP_BIT,
  CP_MASK,
  CP_RING,
  HEADROOM,
  LATENCY,
  NEXT_CONS,
  PACKETS,
  PROD,
  RAW_INDEXES,
  REDIRECTED,
  RI,
  RX_MASK,
  SENT,
  STAGED,
  STAMPS,
  TOUCHES,
  TX_COMPLETIONS,
  TX_CONS,
  TX_MASK,
  TX_PROD,
  TX_SIZE,
  VERDICTS,
  XDP,
} from './rxWalkBlock.ts';
import { PassStatements } from './rxWalkPass.ts';
import { txCompletions } from './rxWalkTxCmp.ts';
import type { RedirectImports, Walking } from './rxWalkVerdicts.ts';
import { costOf, post, redirect, xmit } from './rxWalkVerdicts.ts';
import { SW_RX_BD_DATA_PTR, SW_RX_BD_MAPPING, SW_RX_BD_SHIFT } from './swRxBd.ts';

/** Within descriptors, see `nic/hsi/`: of both slots of a completion. */
const TYPE = 0x3f;
const OPAQUE = 4;
const V = 8;
const LEN_SHIFT = 16;
const L2_ERRORS: number = (7 << 1) | (1 << 8);

/** How a walk ends: in front of a packet, behind a verdict, or where nothing is written up to now. */
const WALK_STOPPED = 0;
export const WALK_RAN = 1;
export const WALK_EMPTY = 2;

/** Imports, by their indices. */
export interface WalkImports extends RedirectImports {
  /** The NIC catches up. @returns 0: nothing can have changed */
  readonly settle: number;
}

/** `walk(block, time, rawCons, most)`, which returns how it ended. */
export function walkLoop(
  module: WasmModule,
  program: InlinedProgram,
  imports: WalkImports,
): WasmFunction {
  const f = new WasmFunction();
  const [q, time, raw, most] = [f.param(I32), f.param(I32), f.param(I32), f.param(I32)] as const;
  const prod = f.i32At(q, PROD);
  const cons = f.i32At(q, NEXT_CONS);
  const xdp = f.i32At(q, XDP);
  const ri = f.i32At(q, RI);
  const txProd = f.i32At(q, TX_PROD);
  const cpRing = f.i32At(q, CP_RING);
  const cpMask = f.i32At(q, CP_MASK);
  const cpBit = f.i32At(q, CP_BIT);
  const rxMask = f.i32At(q, RX_MASK);
  const now = f.f64At(time, OP_COUNT * 8);
  const [n, at, ext, first, buf, page] = [
    ...[f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32()],
  ] as const;
  const [to, data, len, bytes, act, end] = [
    ...[f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32()],
  ] as const;
  const [arrived, age] = [f.f64(), f.f64()] as const;
  const w: Walking = {
    ...{ f, q, time, ri, xdp, now, prod, txProd, rxMask, page, data, len },
    spare: [at, to],
  };
  const costs = {
    toProgram: costOf(w, OP_DMA_RMB, OP_DMA_SYNC, OP_XDP_RUN),
    xmit: costOf(w, OP_DMA_SYNC, OP_XDP_XMIT),
    redirect: costOf(w, OP_BD_POST, OP_XDP_REDIRECT),
  };
  f.if(load32(q, TOUCHES), () =>
    f.set(costs.toProgram, fadd(costs.toProgram, loadF64(time, OP_PACKET_TOUCH * 8))),
  );
  const takes = (cost: Value): void => f.set(now, fadd(now, cost));

  /** The address of this raw index's slot goes to `slot`. @returns whether nothing is written there yet */
  const slotIsEmpty = (slot: Local, index: Value): Value => {
    f.set(slot, add(cpRing, shl(and(index, cpMask), DESC_SHIFT)));
    return eq(and(load32(slot, V), 1), ne(and(index, cpBit), 0));
  };

  const pass = new PassStatements(module, f, { q, time, now, raw, ext, xdp, len, to });
  f.store32(q, SENT, 0);
  f.store32(q, REDIRECTED, 0);
  f.store32(q, TX_COMPLETIONS, 0);
  f.repeat(() => {
    f.leaveIf(ge(n, most));
    const isEmpty = slotIsEmpty(at, raw);
    f.if(isEmpty, () => {
      f.store32(q, PACKETS, n);
      f.store32(q, BYTES, bytes);
      f.storeF64(time, OP_COUNT * 8, now);
      f.set(end, WALK_EMPTY);
      f.leaveIf(eq(callImport(imports.settle), 0));
      f.leaveIf(isEmpty);
      f.set(end, WALK_STOPPED);
    });
    f.set(first, load32(at));
    f.if(eq(and(first, TYPE), CMP_TYPE_TX_L2_CMP), () => {
      txCompletions(w, at, raw, slotIsEmpty);
      f.again();
    });
    f.leaveIf(ne(and(first, TYPE), CMP_TYPE_RX_L2_CMP));
    f.leaveIf(slotIsEmpty(ext, add(raw, 1)));
    f.leaveIf(and(load32(ext, V), L2_ERRORS));
    f.leaveIf(ne(load32(at, OPAQUE), cons));

    f.set(buf, add(load32(q, BUF_RING), shl(cons, SW_RX_BD_SHIFT)));
    f.set(page, load32(buf));
    f.store32(buf, 0, 0);
    f.set(data, add(page, load32(q, HEADROOM)));
    f.store32(xdp, XDP_BUFF_HARD_START, page);
    f.store32(xdp, XDP_MD_DATA, data);
    f.store32(xdp, XDP_MD_DATA_END, add(data, shr(first, LEN_SHIFT)));
    f.store32(xdp, XDP_MD_DATA_META, data);
    takes(costs.toProgram);
    // it is asked for early, since it may be far away: a packet stays in its page
    f.set(arrived, loadF64(add(load32(q, STAMPS), shl(shr(page, PAGE_SHIFT), 3))));

    // it may read the clock, move it, or throw
    f.store32(q, PACKETS, n);
    f.store32(q, BYTES, bytes);
    f.storeF64(time, OP_COUNT * 8, now);
    f.set(act, program(f, xdp));
    f.set(now, loadF64(time, OP_COUNT * 8));
    f.set(age, fsub(now, arrived));
    f.set(to, load32(q, LATENCY));
    recordInHistogram(f, to, age, at);
    f.if(load32(q, STAGED), () => {
      f.storeF64(add(q, shl(n, 3)), AGES, age);
      f.storeF64(add(q, shl(n, 3)), VERDICTS, now);
      f.store32(add(q, shl(n, 2)), RAW_INDEXES, raw);
    });
    f.set(data, load32(xdp, XDP_MD_DATA));
    f.set(len, sub(load32(xdp, XDP_MD_DATA_END), data));
    f.set(end, WALK_RAN);
    f.if(
      eq(act, XDP_REDIRECT),
      () => redirect(w, costs.redirect, imports),
      () => {
        f.if(
          eq(act, XDP_TX),
          () => {
            f.set(to, and(sub(txProd, load32(q, TX_CONS)), load32(q, TX_MASK)));
            f.leaveIf(eq(to, load32(q, TX_SIZE)));
            takes(costs.xmit);
            xmit(w);
          },
          () => {
            f.if(
              eq(act, XDP_PASS),
              () => {
                f.leaveIf(pass.isUnusual());
                pass.leaveWithoutHead();
                pass.copy();
              },
              () => f.leaveIf(ne(act, XDP_DROP)),
            );
          },
        );
        takes(loadF64(time, OP_BD_POST * 8));
        f.set(first, load32(buf, SW_RX_BD_MAPPING));
        post(w, page, load32(buf, SW_RX_BD_DATA_PTR), first);
      },
    );
    f.set(end, WALK_STOPPED);

    f.set(bytes, add(bytes, len));
    f.set(prod, add(prod, 1));
    f.set(cons, and(add(cons, 1), rxMask));
    f.set(raw, add(raw, 2));
    f.set(n, add(n, 1));
    f.if(eq(act, XDP_PASS), () =>
      pass.queue(
        () => {
          f.store32(q, PACKETS, n);
          f.store32(q, BYTES, bytes);
          f.storeF64(time, OP_COUNT * 8, now);
        },
        () => f.set(now, loadF64(time, OP_COUNT * 8)),
      ),
    );
  });
  f.storeF64(time, OP_COUNT * 8, now);
  f.store32(q, PACKETS, n);
  f.store32(q, BYTES, bytes);
  f.store32(q, ACT, act);
  f.returns(end, I32);
  return f;
}
