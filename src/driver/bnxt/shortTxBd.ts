/**
 * The WebAssembly of `bnxtXmitBd`: a short TX descriptor that is a whole packet.
 *
 * @linux bnxt_xmit_bd; drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c
 */
import type { Local, Value, WasmFunction } from '../../host/wasmFunction.ts';
import { add, ge, or, shl, shr } from '../../host/wasmFunction.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_SHORT_TX_BD,
} from '../../nic/hsi/txBd.ts';

/** Within descriptors, see `nic/hsi/txBd.ts`. */
const OPAQUE = 4;
const HADDR = 8;
const HADDR_HI = 12;
const LEN_SHIFT = 16;
const LHINT_STEP = 9;
const LHINT_SHIFT = 13;
const FLAGS: number =
  TX_BD_TYPE_SHORT_TX_BD | (1 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END;

export class ShortTxBd {
  private readonly f: WasmFunction;
  private readonly at: Local;
  private readonly len: Local;
  private readonly steps: Local;

  constructor(f: WasmFunction) {
    this.f = f;
    this.at = f.i32();
    this.len = f.i32();
    this.steps = f.i32();
  }

  /** Write the descriptor at `to`; its time is charged elsewhere. @linux bnxt_lhint_arr */
  post(to: Value, opaque: Value, mapping: Value, lenBytes: Value): void {
    const { f, at, len, steps } = this;
    f.set(at, to);
    f.set(len, lenBytes);
    f.set(steps, shr(len, LHINT_STEP));
    f.set(steps, add(add(ge(steps, 1), ge(steps, 2)), ge(steps, 4)));
    f.store32(at, 0, or(shl(steps, LHINT_SHIFT), or(shl(len, LEN_SHIFT), FLAGS)));
    f.store32(at, OPAQUE, opaque);
    f.store32(at, HADDR, mapping);
    f.store32(at, HADDR_HI, 0);
  }
}
