/**
 * Alignment of loads and stores: of stack slots always, elsewhere where the program asks for it.
 *
 * "misaligned packet access off %d+%s+%d+%d size %d", "misaligned %saccess off %s+%d+%d size %d".
 *
 * @linux check_ptr_alignment; kernel/bpf/verifier.c
 */
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import {
  PTR_TO_ARENA,
  PTR_TO_CTX,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_STACK,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
} from './regTypes.ts';
import { tnumAdd, tnumConst, tnumIsAligned, tnumText } from './tnum.ts';

const DESCRIPTIONS: ReadonlyMap<number, string> = new Map([
  [PTR_TO_MAP_KEY, 'key '],
  [PTR_TO_MAP_VALUE, 'value '],
  [PTR_TO_CTX, 'context '],
  [PTR_TO_STACK, 'stack '],
  [PTR_TO_SOCKET, 'sock '],
  [PTR_TO_SOCK_COMMON, 'sock_common '],
  [PTR_TO_TCP_SOCK, 'tcp_sock '],
  [PTR_TO_XDP_SOCK, 'xdp_sock '],
]);

/** Packets begin 2 bytes off, so that the IP header is aligned. */
const NET_IP_ALIGN = 2;

/** @param strictOnce the instruction wants alignment whatever the program asked for */
export function checkPtrAlignment(
  env: Env,
  reg: Reg,
  off: number,
  size: number,
  strictOnce: boolean,
): void {
  const strict = env.options.strictAlignment || strictOnce || reg.type === PTR_TO_STACK;
  if (!strict || size === 1 || reg.type === PTR_TO_ARENA) return;
  const packet = reg.type === PTR_TO_PACKET || reg.type === PTR_TO_PACKET_META;
  const fixed = reg.off + off + (packet ? NET_IP_ALIGN : 0);
  if (tnumIsAligned(tnumAdd(reg.bounds, tnumConst(BigInt(fixed))), size)) return;
  const where = tnumText(reg.bounds);
  if (packet)
    env.deny(
      `misaligned packet access off ${NET_IP_ALIGN}+${where}+${reg.off}+${off} size ${size}`,
    );
  const what = DESCRIPTIONS.get(reg.type) ?? '';
  env.deny(`misaligned ${what}access off ${where}+${reg.off}+${off} size ${size}`);
}
