/**
 * Short packets that a walk (`rxWalk.ts`) passes up: `bnxtCopyXdp` and what follows it.
 *
 * Between a packet's copy and its NAPI's full list nothing but charges happens that somebody could
 * see. So the walk charges and copies, in the driver's order, into the head that the next skb would
 * get, and notes which packet that was. Where the list is full the notes become skbs, one after the
 * other, each of which goes up at once, with the head and at the time that it would have had; those
 * that are left at the walk's end wait on the list.
 *
 * What is not copied, has metadata in front or a tag behind its completion is left to TypeScript, as
 * is everything when no head is free, the stack is off or stages are booked.
 *
 * Words at `PASS` of the ring's block:
 *
 *   +0   frames of this length or more are not copied
 *   +4   notes | +8 notes that fill the NAPI's list | +12 heads lent for them | +16 packets passed up
 *   +32  notes of 16 bytes: head | raw index of the completion | length of the frame
 */
import {
  OP_COPY_64B,
  OP_DMA_SYNC,
  OP_GRO_RECEIVE,
  OP_SKB_ALLOC,
  OP_STACK_TOUCH,
} from '../../host/cost.ts';
import { bugOn } from '../../host/errors.ts';
import type { HostAddr } from '../../host/memory.ts';
import { I32 } from '../../host/wasm.ts';
import type { WasmModule } from '../../host/wasm.ts';
import { copyApart } from '../../host/wasmCopy.ts';
import type { Local, Value } from '../../host/wasmFunction.ts';
import {
  add,
  and,
  callImport,
  double,
  eq,
  fadd,
  fmul,
  ge,
  load32,
  loadF64,
  ne,
  or,
  shl,
  shr,
} from '../../host/wasmFunction.ts';
import type { WasmFunction } from '../../host/wasmFunction.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { RX_CMP_FLAGS2_META_FORMAT_VLAN } from '../../nic/hsi/rxCmp.ts';
import { GRO_NORMAL_BATCH, groNormalList } from '../../stack/gro.ts';
import { NET_SKB_PAD, skbHeadSlab, skbOverHead } from '../../stack/skbPool.ts';
import { skbPut } from '../../stack/skbuff.ts';
import { XDP_MD_DATA, XDP_MD_DATA_META } from '../../xdp/xdpBuff.ts';
import type { BnxtRxRingInfo } from './bnxt.ts';
import { PASS, PASS_NOTE_SHIFT, PASS_NOTES, TOUCHES } from './rxWalkBlock.ts';
import type { Around } from './rxWalkAround.ts';
import { ELSEWHERE, IN_ALLOCATOR, IN_PROGRAM } from './rxWalkAround.ts';
import { deliverCharged } from './skb.ts';

const COPIED_BELOW: number = PASS;
const NOTED: number = PASS + 4;
const NOTES_FILL: number = PASS + 8;
const HEADS: number = PASS + 12;
export const PASSED: number = PASS + 16;
const NOTE_HEAD: number = PASS_NOTES;
const NOTE_RAW: number = PASS_NOTES + 4;
const NOTE_LEN: number = PASS_NOTES + 8;

export function initPassWords(block: HostAddr, rxr: BnxtRxRingInfo): void {
  const { words, bp, xdpRxq } = rxr;
  const isUsual = bp.dev.net.stackOn && xdpRxq.stages === null;
  words[(block + COPIED_BELOW) >> 2] = isUsual ? bp.rxCopybreak + 1 : 0;
}

/** The locals of the walk that this part of it reads, and `to`, which it may use. */
export interface PassLocals {
  readonly q: Local;
  readonly time: Local;
  readonly now: Local;
  readonly raw: Local;
  readonly ext: Local;
  readonly xdp: Local;
  readonly len: Local;
  readonly to: Local;
}

/** The statements that a walk has for XDP_PASS. */
export class PassStatements {
  private readonly f: WasmFunction;
  private readonly locals: PassLocals;
  private readonly lend: number;
  private readonly deliver: number;

  constructor(module: WasmModule, f: WasmFunction, locals: PassLocals) {
    this.f = f;
    this.locals = locals;
    this.lend = module.importFunction('skb', 'lend', module.type([], [I32]));
    this.deliver = module.importFunction('skb', 'deliver', module.type([], [I32]));
    f.store32(locals.q, NOTED, 0);
    f.store32(locals.q, HEADS, 0);
    f.store32(locals.q, PASSED, 0);
  }

  private charge(op: number): void {
    const { time, now } = this.locals;
    this.f.set(now, fadd(now, loadF64(time, op * 8)));
  }

  /** Must this packet be left to TypeScript? */
  isUnusual(): Value {
    const { q, ext, xdp, len } = this.locals;
    return or(
      or(
        ge(len, load32(q, COPIED_BELOW)),
        ne(load32(xdp, XDP_MD_DATA_META), load32(xdp, XDP_MD_DATA)),
      ),
      and(load32(ext), RX_CMP_FLAGS2_META_FORMAT_VLAN),
    );
  }

  /** Leave the walk if there is no head for it. */
  leaveWithoutHead(): void {
    const { f } = this;
    const { q, to } = this.locals;
    f.set(to, load32(q, HEADS));
    f.if(ge(load32(q, NOTED), to), () => f.set(to, callImport(this.lend)));
    f.leaveIf(eq(to, 0));
  }

  /** Copy it, before its buffer is posted again. */
  copy(): void {
    const { f } = this;
    const { q, time, now, raw, xdp, len, to } = this.locals;
    this.charge(OP_SKB_ALLOC);
    f.if(eq(load32(q, TOUCHES), 0), () => this.charge(OP_STACK_TOUCH));
    this.charge(OP_DMA_SYNC);
    const lines = double(shr(add(len, 63), 6));
    f.set(now, fadd(now, fmul(loadF64(time, OP_COPY_64B * 8), lines)));
    f.set(to, add(q, shl(load32(q, NOTED), PASS_NOTE_SHIFT)));
    f.store32(to, NOTE_RAW, raw);
    f.store32(to, NOTE_LEN, len);
    copyApart(f, add(load32(to, NOTE_HEAD), NET_SKB_PAD), load32(xdp, XDP_MD_DATA), len);
    this.charge(OP_DMA_SYNC);
  }

  /** It stands on the NAPI's list from here on. @param leave, comeBack what goes around the call of the stack */
  queue(leave: () => void, comeBack: () => void): void {
    const { f } = this;
    const { q, to } = this.locals;
    this.charge(OP_GRO_RECEIVE);
    f.store32(q, PASSED, add(load32(q, PASSED), 1));
    f.set(to, add(load32(q, NOTED), 1));
    f.store32(q, NOTED, to);
    f.if(eq(to, load32(q, NOTES_FILL)), () => {
      leave();
      f.set(to, callImport(this.deliver));
      comeBack();
    });
  }
}

/** What these statements call: for heads when none is lent, and where the NAPI's list is full. */
export function passImports(around: Around): Record<string, () => number> {
  return {
    lend: () => {
      around.inside = IN_ALLOCATOR;
      const heads = lendHeads(around.rxr!);
      around.inside = IN_PROGRAM;
      return heads;
    },
    deliver: () => {
      const rxr = around.rxr!;
      around.inside = ELSEWHERE;
      rxr.cpu.packetTouched = false;
      passNoted(rxr, true);
      const heads = lendHeads(rxr);
      around.inside = IN_PROGRAM;
      return heads;
    },
  };
}

/** Note which heads the next packets get. @returns how many */
function lendHeads(rxr: BnxtRxRingInfo): number {
  const { words, bp } = rxr;
  const { block } = rxr.walk!;
  if (words[(block + NOTED) >> 2]! > 0) return 0; // all that were left are noted
  const fill = GRO_NORMAL_BATCH - rxr.bnapi.napi.rxList.qlen;
  const slab = skbHeadSlab(bp.dev.net, bp.rxCopybreak);
  let heads = 0;
  for (; heads < fill; heads++) {
    const head = slab.peek(heads);
    if (head === 0) break;
    words[(block + NOTE_HEAD + (heads << PASS_NOTE_SHIFT)) >> 2] = head;
  }
  words[(block + NOTES_FILL) >> 2] = fill;
  words[(block + HEADS) >> 2] = heads;
  return heads;
}

/**
 * Make skbs of the notes, in their order: for the NAPI's list, or, with all that stands there before
 * them, for the stack.
 */
export function passNoted(rxr: BnxtRxRingInfo, areUp: boolean): void {
  const { words, cpDescRing, cpRingMask, bp } = rxr;
  const { block } = rxr.walk!;
  const noted = words[(block + NOTED) >> 2]!;
  words[(block + NOTED) >> 2] = 0;
  words[(block + HEADS) >> 2] = 0;
  if (noted === 0) return;
  const slab = skbHeadSlab(bp.dev.net, bp.rxCopybreak);
  bugOn(slab.peek(0) !== words[(block + NOTE_HEAD) >> 2]!, 'a packet was copied to no free head');
  slab.take(noted);
  if (areUp) groNormalList(rxr.bnapi.napi);
  for (let i = 0; i < noted; i++) {
    const note = block + (i << PASS_NOTE_SHIFT);
    const raw = words[(note + NOTE_RAW) >> 2]!;
    const at = cpDescRing + ((raw & cpRingMask) << DESC_SHIFT);
    const ext = cpDescRing + (((raw + 1) & cpRingMask) << DESC_SHIFT);
    const skb = skbOverHead(bp.dev, slab, words[(note + NOTE_HEAD) >> 2]!);
    skbPut(skb, words[(note + NOTE_LEN) >> 2]!);
    deliverCharged(rxr, skb, at, ext, areUp);
  }
}
