/**
 * The loop of `rxWalk.ts`, in WebAssembly over the ring's block (`rxWalkBlock.ts`).
 */
import {
  OP_BD_POST,
  OP_COUNT,
  OP_DMA_RMB,
  OP_DMA_SYNC,
  OP_PACKET_TOUCH,
  OP_XDP_RUN,
  OP_XDP_XMIT,
} from '../../host/cost.ts';
import { recordInHistogram } from '../../host/histogram.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { STAMP_SHIFT } from '../../host/stamps.ts';
import { I32, WasmModule } from '../../host/wasm.ts';
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
  or,
  shl,
  shr,
  sub,
} from '../../host/wasmFunction.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { CMP_TYPE_RX_L2_CMP } from '../../nic/hsi/rxCmp.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_SHORT_TX_BD,
} from '../../nic/hsi/txBd.ts';
import { CMP_TYPE_TX_L2_CMP } from '../../nic/hsi/txCmp.ts';
import type { InlinedProgram } from '../../xdp/engine.ts';
import type { XdpProg } from '../../xdp/program.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../xdp/uapi.ts';
import {
  XDP_BUFF_HARD_START,
  XDP_MD_DATA,
  XDP_MD_DATA_END,
  XDP_MD_DATA_META,
} from '../../xdp/xdpBuff.ts';
import type { BnxtCpRingInfo } from './bnxt.ts';
import { catchUp } from './poll.ts';
import {
  ACT,
  AGES,
  LATENCY,
  BUF_RING,
  BYTES,
  CP_BIT,
  CP_MASK,
  CP_RING,
  HEADROOM,
  NEXT_CONS,
  PACKETS,
  PROD,
  RAW_INDEXES,
  RX_MASK,
  RX_RING,
  SENT,
  STAGED,
  STAMPS,
  TOUCHES,
  TX_BUF_RING,
  TX_COMPLETIONS,
  TX_CONS,
  TX_HW_CONS,
  TX_MASK,
  TX_OPAQUE,
  TX_PROD,
  TX_RING,
  TX_SIZE,
  TX_WAKE,
  VERDICTS,
  XDP,
} from './rxWalkBlock.ts';
import { PassStatements, passImports } from './rxWalkPass.ts';
import { SW_RX_BD_DATA_PTR, SW_RX_BD_MAPPING, SW_RX_BD_SHIFT } from './swRxBd.ts';
import { SW_TX_BD_PAGE, SW_TX_BD_RX_PROD, SW_TX_BD_SHIFT } from './swTxBd.ts';

/** What the walk is told instead of a verdict that it leaves to TypeScript, and that may be no integer. */
const ANOTHER = 0;

/** Within descriptors, see `nic/hsi/`: of both slots of a completion and of a buffer. */
const TYPE = 0x3f;
const OPAQUE = 4;
const V = 8;
const LEN_SHIFT = 16;
const L2_ERRORS: number = (7 << 1) | (1 << 8);
const HADDR = 8;
const HADDR_HI = 12;
const OPAQUE_BDS_SHIFT = 16;
const OPAQUE_BDS = 0xff;
const OPAQUE_RING_SHIFT = 24;
const LHINT_STEP = 9;
const LHINT_SHIFT = 13;
/** One short descriptor is the whole packet. */
const TX_FLAGS: number =
  TX_BD_TYPE_SHORT_TX_BD | (1 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END;

/** How a walk ends: in front of a packet, behind a verdict, or where nothing is written up to now. */
const WALK_STOPPED = 0;
export const WALK_RAN = 1;
export const WALK_EMPTY = 2;

/**
 * `walk(block, time, rawCons, most)`.
 *
 * @param settle the import that lets the NIC catch up
 * @returns how it ended
 */
function walkLoop(module: WasmModule, program: InlinedProgram, settle: number): WasmFunction {
  const f = new WasmFunction();
  const [q, time, raw, most] = [f.param(I32), f.param(I32), f.param(I32), f.param(I32)] as const;
  const prod = f.i32At(q, PROD);
  const cons = f.i32At(q, NEXT_CONS);
  const xdp = f.i32At(q, XDP);
  const txProd = f.i32At(q, TX_PROD);
  const now = f.f64At(time, OP_COUNT * 8);
  const [n, at, ext, buf, data, to, len, bytes, act, end] = [
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const age = f.f64();

  const charge = (op: number): void => f.set(now, fadd(now, loadF64(time, op * 8)));
  /** The address of this raw index's slot goes to `slot`. @returns whether nothing is written there yet */
  const slotIsEmpty = (slot: Local, index: Value): Value => {
    f.set(slot, add(load32(q, CP_RING), shl(and(index, load32(q, CP_MASK)), DESC_SHIFT)));
    return eq(and(load32(slot, V), 1), ne(and(index, load32(q, CP_BIT)), 0));
  };
  /** The packet becomes the next descriptor of the XDP TX ring. */
  const xmit = (): void => {
    charge(OP_DMA_SYNC);
    f.set(to, and(txProd, load32(q, TX_MASK)));
    f.set(at, add(load32(q, TX_RING), shl(to, DESC_SHIFT)));
    charge(OP_XDP_XMIT);
    f.store32(at, OPAQUE, or(load32(q, TX_OPAQUE), to));
    f.set(to, add(load32(q, TX_BUF_RING), shl(to, SW_TX_BD_SHIFT)));
    f.store32(at, HADDR, load32(xdp, XDP_MD_DATA));
    f.store32(at, HADDR_HI, 0);
    f.set(ext, shr(len, LHINT_STEP));
    f.set(ext, add(add(ge(ext, 1), ge(ext, 2)), ge(ext, 4)));
    f.set(ext, or(shl(ext, LHINT_SHIFT), or(shl(len, LEN_SHIFT), TX_FLAGS)));
    f.store32(at, 0, ext);
    f.store32(to, 0, XDP_TX);
    f.store32(to, SW_TX_BD_RX_PROD, and(add(prod, 1), 0xffff));
    f.store32(to, SW_TX_BD_PAGE, data);
    f.set(txProd, and(add(txProd, 1), 0xffff));
    f.store32(q, SENT, add(load32(q, SENT), 1));
  };

  const pass = new PassStatements(module, f, { q, time, now, raw, ext, xdp, len, to });
  f.store32(q, SENT, 0);
  f.store32(q, TX_COMPLETIONS, 0);
  f.repeat(() => {
    f.leaveIf(ge(n, most));
    const isEmpty = slotIsEmpty(at, raw);
    f.if(isEmpty, () => {
      f.store32(q, PACKETS, n);
      f.store32(q, BYTES, bytes);
      f.storeF64(time, OP_COUNT * 8, now);
      f.set(end, WALK_EMPTY);
      f.leaveIf(eq(callImport(settle), 0));
      f.leaveIf(isEmpty);
      f.set(end, WALK_STOPPED);
    });
    f.if(eq(and(load32(at), TYPE), CMP_TYPE_TX_L2_CMP), () => {
      f.set(to, load32(at, OPAQUE));
      f.leaveIf(shr(to, OPAQUE_RING_SHIFT));
      f.set(to, add(to, and(shr(to, OPAQUE_BDS_SHIFT), OPAQUE_BDS)));
      f.set(to, and(to, load32(q, TX_MASK)));
      f.leaveIf(ge(and(sub(to, load32(q, TX_CONS)), load32(q, TX_MASK)), load32(q, TX_WAKE)));
      charge(OP_DMA_RMB);
      f.store32(q, TX_HW_CONS, to);
      f.store32(q, TX_COMPLETIONS, add(load32(q, TX_COMPLETIONS), 1));
      f.set(raw, add(raw, 1));
      f.again();
    });
    f.leaveIf(ne(and(load32(at), TYPE), CMP_TYPE_RX_L2_CMP));
    f.leaveIf(slotIsEmpty(ext, add(raw, 1)));
    f.leaveIf(and(load32(ext, V), L2_ERRORS));
    f.leaveIf(ne(load32(at, OPAQUE), cons));
    charge(OP_DMA_RMB);

    f.set(buf, add(load32(q, BUF_RING), shl(cons, SW_RX_BD_SHIFT)));
    f.set(data, load32(buf));
    f.store32(buf, 0, 0);
    charge(OP_DMA_SYNC);
    f.set(to, add(data, load32(q, HEADROOM)));
    f.store32(xdp, XDP_BUFF_HARD_START, data);
    f.store32(xdp, XDP_MD_DATA, to);
    f.store32(xdp, XDP_MD_DATA_END, add(to, shr(load32(at), LEN_SHIFT)));
    f.store32(xdp, XDP_MD_DATA_META, to);
    charge(OP_XDP_RUN);
    f.if(load32(q, TOUCHES), () => charge(OP_PACKET_TOUCH));

    // it may read the clock, move it, or throw
    f.store32(q, PACKETS, n);
    f.store32(q, BYTES, bytes);
    f.storeF64(time, OP_COUNT * 8, now);
    f.set(act, program(f, xdp));
    f.set(now, loadF64(time, OP_COUNT * 8));
    f.set(to, and(load32(xdp, XDP_MD_DATA), PAGE_MASK));
    f.set(to, add(load32(q, STAMPS), shl(shr(to, STAMP_SHIFT), 3)));
    f.set(age, fsub(now, loadF64(to)));
    f.set(to, load32(q, LATENCY));
    recordInHistogram(f, to, age, at);
    f.if(load32(q, STAGED), () => {
      f.storeF64(add(q, shl(n, 3)), AGES, age);
      f.storeF64(add(q, shl(n, 3)), VERDICTS, now);
      f.store32(add(q, shl(n, 2)), RAW_INDEXES, raw);
    });
    f.set(len, sub(load32(xdp, XDP_MD_DATA_END), load32(xdp, XDP_MD_DATA)));
    f.if(
      eq(act, XDP_TX),
      () => {
        f.set(to, and(sub(txProd, load32(q, TX_CONS)), load32(q, TX_MASK)));
        f.set(end, eq(to, load32(q, TX_SIZE)));
        f.leaveIf(end);
        xmit();
      },
      () => {
        f.if(
          eq(act, XDP_PASS),
          () => {
            f.set(end, 1);
            f.leaveIf(pass.isUnusual());
            pass.leaveWithoutHead();
            f.set(end, 0);
            pass.copy();
          },
          () => {
            f.set(end, ne(act, XDP_DROP));
            f.leaveIf(end);
          },
        );
      },
    );

    f.set(bytes, add(bytes, len));
    f.set(to, and(prod, load32(q, RX_MASK)));
    f.set(at, add(load32(q, RX_RING), shl(to, DESC_SHIFT)));
    f.set(to, add(load32(q, BUF_RING), shl(to, SW_RX_BD_SHIFT)));
    f.store32(to, 0, data);
    f.store32(to, SW_RX_BD_DATA_PTR, load32(buf, SW_RX_BD_DATA_PTR));
    f.store32(to, SW_RX_BD_MAPPING, load32(buf, SW_RX_BD_MAPPING));
    charge(OP_BD_POST);
    f.store32(at, HADDR, load32(buf, SW_RX_BD_MAPPING));
    f.set(prod, add(prod, 1));
    f.set(cons, and(add(cons, 1), load32(q, RX_MASK)));
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

type Walk = (block: HostAddr, time: HostAddr, rawCons: number, most: number) => number;

/** The walk of one program. */
export interface ProgramWalk {
  readonly walk: Walk;
  readonly around: Around;
}

/** What a walk needs of what is around it. */
export interface Around {
  /** Whose completions are walked. */
  cpr: BnxtCpRingInfo | null;
  /** The last verdict, as the program gave it, of one that is not WebAssembly. */
  act: number;
  /** The NIC catches up, or the stack takes packets: what is thrown now is not the program's. */
  catchesUp: boolean;
}

function writeWalk(module: WasmModule, program: InlinedProgram): void {
  const settle = module.importFunction('nic', 'settle', module.type([], [I32]));
  walkLoop(module, program, settle).exportTo(module, 'walk');
}

/** A walk whose program is an import: each has an instance of its own. */
function encodeCallingWalk(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  const run = module.importFunction('program', 'run', module.type([I32], [I32]));
  writeWalk(module, (_, ctx) => callImport(run, ctx));
  return module.encode();
}

/** Compiled at the first use. */
let callingWalk: WebAssembly.Module | null = null;
const walks: WeakMap<XdpProg, ProgramWalk> = new WeakMap();

export function walkOf(prog: XdpProg, memory: WebAssembly.Memory): ProgramWalk {
  let known = walks.get(prog);
  if (known === undefined) {
    const around: Around = { cpr: null, act: XDP_DROP, catchesUp: false };
    const run = (md: HostAddr): number => {
      const act = prog.run(md);
      around.act = act;
      return act === XDP_DROP || act === XDP_TX || act === XDP_PASS ? act : ANOTHER;
    };
    const settle = (): number => {
      around.catchesUp = true;
      const isMore = catchUp(around.cpr!);
      around.catchesUp = false;
      return isMore ? 1 : 0;
    };
    const skb = passImports(around);
    const exports =
      prog.link?.(writeWalk, { nic: { settle }, skb }) ??
      new WebAssembly.Instance((callingWalk ??= new WebAssembly.Module(encodeCallingWalk())), {
        ...{ host: { memory }, program: { run }, nic: { settle }, skb },
      }).exports;
    known = { walk: exports['walk'] as Walk, around };
    walks.set(prog, known);
  }
  return known;
}
