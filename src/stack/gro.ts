/**
 * The door of the stack: where a driver hands over what it received.
 *
 * Merging, and passing packets up in groups of eight, are not built yet: each packet
 * goes up at once, in order, which is what an unmergeable packet sees of it.
 *
 * @linux net/core/gro.c
 */
import { OP_GRO_RECEIVE } from '../host/cost.ts';
import type { NapiStruct } from './napi.ts';
import { netifReceiveSkb } from './netifReceiveSkb.ts';
import type { SkBuff } from './skbuff.ts';
import { napiConsumeSkb } from './skbPool.ts';

/**
 * The stack owns `skb` from here on. With the stack off the packet's way ends at this door: it is
 * counted as delivered, and freed at once.
 *
 * @linux napi_gro_receive
 */
export function napiGroReceive(napi: NapiStruct, skb: SkBuff): void {
  skb.fates = napi.fates;
  if (!napi.dev.net.stackOn) {
    napi.fates.toStack++;
    napiConsumeSkb(skb, napi.weight, napi.cpu);
    return;
  }
  napi.cpu.charge(OP_GRO_RECEIVE);
  netifReceiveSkb(skb, napi.cpu);
}
