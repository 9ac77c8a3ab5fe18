/**
 * Fields of `struct xdp_md`: which may be read, and what comes of it.
 *
 *   +0 data   +4 data_end   +8 data_meta   +12 ingress_ifindex   +16 rx_queue_index
 *   +20 egress_ifindex, of programs on a devmap alone
 *
 * "invalid bpf_context access off=%d size=%d".
 *
 * @linux xdp_is_valid_access; net/core/filter.c
 */
import type { Env } from './env.ts';
import { BPF_XDP_DEVMAP } from '../uapi.ts';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, SCALAR_VALUE } from './regTypes.ts';

const XDP_MD_BYTES = 24;
const EGRESS_IFINDEX = 20;

const POINTERS: readonly number[] = [PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META];

/** @returns the type that the load gives, or null when it is not allowed */
export function ctxFieldType(
  env: Env,
  off: number,
  size: number,
  write: boolean,
  signed: boolean,
): number | null {
  if (off === EGRESS_IFINDEX && env.image.attachType !== BPF_XDP_DEVMAP) return null;
  if (write) return null;
  const pointer = off % 4 === 0 ? POINTERS[off / 4] : undefined;
  if (pointer !== undefined && signed) return null;
  if (off < 0 || off >= XDP_MD_BYTES || off % size !== 0 || size !== 4) return null;
  return pointer ?? SCALAR_VALUE;
}
