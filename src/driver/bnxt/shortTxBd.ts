/**
 * The WebAssembly of `bnxtXmitBd`: a short TX descriptor that is a whole packet.
 *
 * @linux bnxt_xmit_bd; drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c
 */
import type { Value, WasmFunction } from '../../host/wasmFunction.ts';
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

/** Write the descriptor at `to`; its time is charged elsewhere. @linux bnxt_xmit_bd, bnxt_lhint_arr */
export function postShortTxBd(
  f: WasmFunction,
  to: Value,
  opaque: Value,
  mapping: Value,
  lenBytes: Value,
): void {
  const [at, len, flags] = [f.i32(), f.i32(), f.i32()] as const;
  f.set(at, to);
  f.set(len, lenBytes);
  f.set(flags, shr(len, LHINT_STEP));
  f.set(flags, add(add(ge(flags, 1), ge(flags, 2)), ge(flags, 4)));
  f.store32(at, 0, or(shl(flags, LHINT_SHIFT), or(shl(len, LEN_SHIFT), FLAGS)));
  f.store32(at, OPAQUE, opaque);
  f.store32(at, HADDR, mapping);
  f.store32(at, HADDR_HI, 0);
}
