/** `rxBulk.ts` on completions that are due. */
import { F64, I32 } from '../host/wasm.ts';
import type { Local, Value } from '../host/wasmFunction.ts';
import {
  INFINITY,
  WasmFunction,
  add,
  and,
  eq,
  fadd,
  fge,
  fgt,
  fmax,
  fourOf,
  ge,
  gt,
  load16,
  load32,
  loadF64,
  ne,
  or,
  or16,
  shl,
  shr,
  sub,
  withWord,
} from '../host/wasmFunction.ts';
import {
  CP_BASE,
  CP_CONS,
  CP_GATHER_RECORDS,
  CP_GATHER_TIMER,
  CP_PROD,
  CP_RELEASED_TO,
  CP_SLOTS,
  CP_STAMPS,
  CP_TX_AT,
  CP_TX_HEAD,
  CP_TX_OPAQUE,
  CP_TX_TAIL,
} from './completionRing.ts';
import { REC_COMPLETION, REC_EXT, REC_SHIFT } from './frameRecord.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import { CMP_TYPE_TX_L2_CMP } from './hsi/txCmp.ts';
import {
  BULK_BLOCK,
  CP,
  PENDING_BYTES,
  PENDING_FRAME,
  PENDING_HEAD,
  PENDING_OPAQUE,
  PENDING_SHIFT,
  PENDING_TAIL,
  RECORDS,
  RX_MASK,
  stamp,
  word,
} from './rxBulkBlock.ts';

/** Frames that did not fit their buffer are pending as negative numbers. */
const MAX_FRAME = 0x7fff_ffff;
/** Words of a completion's slots, see `hsi/`. */
const TYPE_WORD = 0;
const OPAQUE_WORD = 1;
const V_WORD = 2;

/** Where a record is written: its slot, when it became visible, and its valid bit in place. */
interface Place {
  readonly slot: Local;
  readonly stamp: Local;
  readonly valid: Local;
}

/**
 * Every completion to be written by `until` for which there is room becomes visible, in the order of
 * time, RX before TX. What has to wait for others, and how long, is told in `gathering.ts`; as there,
 * nothing waits where two records are enough and no TX completion is about, and a frame that comes
 * first never does where two are enough.
 *
 * @returns how many frames were completed, times two, and one more when it stopped in front of one that did
 *   not fit its buffer
 */
export function completeLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const isOdd = f.i32();
  const cp = f.i32At(q, CP);
  const pendingHead = f.i32At(q, PENDING_HEAD);
  const prod = f.i32At(cp, CP_PROD);
  const txHead = f.i32At(cp, CP_TX_HEAD);
  const wanted = f.i32At(cp, CP_GATHER_RECORDS);
  const released = f.f64At(cp, CP_RELEASED_TO);
  const records = f.i32At(q, RECORDS);
  const [rxAt, txAt, txNext, limit, bound, first, at] = [
    ...[f.f64(), f.f64(), f.f64(), f.f64(), f.f64(), f.f64(), f.f64()],
  ] as const;
  const [isTx, n, i, rx, tx, gathered, rec, pending, run] = [
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const place = (): Place => ({ slot: f.i32(), stamp: f.i32(), valid: f.v128() });
  const [one, two] = [place(), place()] as const;
  const slots = load32(cp, CP_SLOTS);
  const slotMask = sub(slots, 1);
  const pendingAddress = (index: Value): Value =>
    add(q, shl(and(index, load32(q, RX_MASK)), PENDING_SHIFT));

  /** When the completions at these places are due: Infinity where there is none. */
  const lookAtRx = (to: Local, index: Value): void => {
    f.set(to, INFINITY);
    f.if(ne(index, load32(q, PENDING_TAIL)), () =>
      f.set(to, loadF64(pendingAddress(index), BULK_BLOCK)),
    );
  };
  const lookAtTx = (to: Local, index: Value): void => {
    f.set(to, INFINITY);
    f.if(ne(index, load32(cp, CP_TX_TAIL)), () =>
      f.set(to, loadF64(stamp(load32(cp, CP_TX_AT), and(index, slotMask)))),
    );
  };
  /** Valid is 1 on even laps. */
  const goTo = ({ slot, stamp: visible, valid }: Place, index: Value): void => {
    f.set(i, and(index, slotMask));
    f.set(slot, add(load32(cp, CP_BASE), shl(i, DESC_SHIFT)));
    f.set(visible, stamp(load32(cp, CP_STAMPS), i));
    f.set(valid, withWord(fourOf(0), V_WORD, eq(and(index, slots), 0)));
  };
  const room = sub(slots, sub(prod, load32(cp, CP_CONS)));
  /** Leaves in `at` when those are written that gather behind the first, which is due then. */
  const gather = (): void => {
    const over = fadd(first, loadF64(cp, CP_GATHER_TIMER));
    f.set(tx, add(txHead, isTx));
    f.set(rx, add(pendingHead, sub(1, isTx)));
    f.set(gathered, sub(2, isTx));
    f.repeat(() => {
      f.leaveIf(ge(gathered, wanted));
      lookAtRx(at, rx);
      lookAtTx(txNext, tx);
      f.set(n, fgt(at, txNext));
      f.if(n, () => f.set(at, txNext));
      f.set(tx, add(tx, n));
      f.set(rx, add(rx, sub(1, n)));
      f.set(gathered, add(gathered, sub(2, n)));
      f.if(fgt(at, over), () => {
        f.set(at, over);
        f.set(gathered, wanted);
      });
    });
  };
  const writeTx = (): void => {
    goTo(one, prod);
    f.storeF64(one.stamp, 0, txAt);
    f.set(i, load32(word(load32(cp, CP_TX_OPAQUE), and(txHead, slotMask))));
    const opaque = withWord(one.valid, OPAQUE_WORD, i);
    f.store16(one.slot, 0, withWord(opaque, TYPE_WORD, CMP_TYPE_TX_L2_CMP));
    f.set(prod, add(prod, 1));
    f.set(txHead, add(txHead, 1));
  };
  /** Frame `n` and those behind it that are due by `bound`, before anything has to begin anew. */
  const writeRx = (): void => {
    f.set(pending, pendingAddress(pendingHead));
    goTo(one, prod);
    f.set(run, shr(sub(slots, i), 1));
    f.if(eq(run, 0), () => f.set(run, 1)); // from the last slot to the first
    goTo(two, add(prod, 1));
    f.atMost(run, shr(room, 1));
    f.atMost(run, sub(load32(q, PENDING_TAIL), pendingHead));
    f.atMost(run, sub(add(load32(q, RX_MASK), 1), and(pendingHead, load32(q, RX_MASK))));
    f.set(prod, add(prod, shl(run, 1)));
    f.set(pendingHead, add(pendingHead, run));
    f.repeat(() => {
      f.set(rec, add(records, shl(n, REC_SHIFT)));
      f.storeF64(one.stamp, 0, rxAt);
      f.storeF64(two.stamp, 0, rxAt);
      f.set(i, load32(pending, BULK_BLOCK + PENDING_OPAQUE));
      f.store16(
        one.slot,
        0,
        or16(load16(rec, REC_COMPLETION), withWord(one.valid, OPAQUE_WORD, i)),
      );
      f.store16(two.slot, 0, or16(load16(rec, REC_EXT), two.valid));
      f.set(run, sub(run, 1));
      f.leaveIf(eq(run, 0));
      for (const { slot, stamp: visible } of [one, two]) {
        f.set(slot, add(slot, 2 << DESC_SHIFT));
        f.set(visible, add(visible, 16));
      }
      f.set(pending, add(pending, PENDING_BYTES));
      f.set(rxAt, loadF64(pending, BULK_BLOCK));
      f.leaveIf(fgt(rxAt, bound));
      f.set(n, load32(pending, BULK_BLOCK + PENDING_FRAME));
      f.leaveIf(gt(n, MAX_FRAME));
    });
    f.set(prod, sub(prod, shl(run, 1)));
    f.set(pendingHead, sub(pendingHead, run));
  };
  /** When the last record written became visible. */
  const lastAt = loadF64(stamp(load32(cp, CP_STAMPS), and(sub(prod, 1), slotMask)));

  f.set(limit, until);
  f.if(gt(add(wanted, ne(txHead, load32(cp, CP_TX_TAIL))), 2), () =>
    f.if(fgt(limit, released), () => f.set(limit, released)),
  );
  f.repeat(() => {
    lookAtRx(rxAt, pendingHead);
    lookAtTx(txAt, txHead);
    f.set(isTx, fgt(rxAt, txAt));
    f.set(first, rxAt);
    f.set(bound, limit);
    f.if(
      isTx,
      () => f.set(first, txAt),
      () => f.if(gt(3, wanted), () => f.set(bound, until)),
    );
    f.leaveIf(fgt(first, until));
    f.leaveIf(gt(sub(2, isTx), room));
    f.if(fgt(first, bound), () => {
      f.set(at, first);
      gather();
      f.leaveIf(fgt(at, until));
      f.set(released, at);
      f.set(limit, at);
      f.set(bound, at);
    });
    f.if(isTx, () => {
      f.repeat(() => {
        writeTx();
        lookAtTx(txAt, txHead);
        f.leaveIf(fgt(txAt, limit));
        f.leaveIf(fge(txAt, rxAt));
        f.leaveIf(eq(room, 0));
      });
      f.again();
    });
    f.set(n, load32(pendingAddress(pendingHead), BULK_BLOCK + PENDING_FRAME));
    f.set(isOdd, gt(n, MAX_FRAME));
    f.leaveIf(isOdd);
    f.if(fgt(bound, txAt), () => f.set(bound, txAt));
    writeRx();
    f.if(fgt(lastAt, limit), () => f.set(limit, lastAt));
  });
  f.if(ne(prod, load32(cp, CP_PROD)), () => f.storeF64(cp, CP_RELEASED_TO, fmax(released, lastAt)));
  f.set(n, sub(pendingHead, load32(q, PENDING_HEAD)));
  f.store32(q, PENDING_HEAD, pendingHead);
  f.store32(cp, CP_PROD, prod);
  f.store32(cp, CP_TX_HEAD, txHead);
  f.returns(or(shl(n, 1), isOdd), I32);
  return f;
}
