/**
 * The door of the stack: where a driver hands over what it received.
 *
 * Merging is not built: every packet is one that GRO leaves alone, so of Linux's results (merged,
 * merged and freed, held, normal, consumed) only `GRO_NORMAL` ever comes. Those packets go up in
 * groups of eight, or fewer when the NAPI completes or its budget is spent.
 *
 * @linux net/core/gro.c
 */
import { OP_GRO_RECEIVE } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { enqueueToBacklog } from './backlog.ts';
import type { NapiStruct } from './napi.ts';
import { netifReceiveSkb } from './netifReceiveSkb.ts';
import { getRpsCpu } from './rps.ts';
import type { SkBuff } from './skbuff.ts';
import type { SkBuffHead } from './skbList.ts';
import { napiConsumeSkb } from './skbPool.ts';

/** @linux net.core.gro_normal_batch */
export const GRO_NORMAL_BATCH = 8;

/** Whose GRO it is: a NAPI's, or that of a cpumap's thread. @linux struct gro_node; include/linux/netdevice.h */
export interface GroNode {
  readonly cpu: Cpu;
  readonly rxList: SkBuffHead;
}

/** What became of a packet at this door. @linux enum gro_result; include/linux/netdevice.h */
export const GRO_NORMAL = 3;

/**
 * The stack owns `skb` from here on. With the stack off the packet's way ends at this door: it is
 * counted as delivered, and freed at once.
 *
 * @returns `GRO_NORMAL`: nothing is merged or held
 * @linux napi_gro_receive
 */
export function napiGroReceive(napi: NapiStruct, skb: SkBuff): number {
  if (napi.dev.net.stackOn) {
    napi.cpu.charge(OP_GRO_RECEIVE);
    napiGroCharged(napi, skb);
    return GRO_NORMAL;
  }
  skb.fates = napi.dev.rxFates;
  skb.napiId = napi.napiId;
  napiConsumeSkb(skb, napi.weight, napi.cpu);
  return GRO_NORMAL;
}

/** The same with the stack on, for a packet whose time at this door has passed already. */
export function napiGroCharged(napi: NapiStruct, skb: SkBuff): void {
  skb.fates = napi.dev.rxFates;
  skb.napiId = napi.napiId;
  groNormalOne(napi, skb);
}

/** @linux gro_receive_skb */
export function groReceiveSkb(gro: GroNode, skb: SkBuff): void {
  gro.cpu.charge(OP_GRO_RECEIVE);
  groNormalOne(gro, skb);
}

/** @linux gro_normal_one */
function groNormalOne(gro: GroNode, skb: SkBuff): void {
  gro.rxList.queueTail(skb);
  if (gro.rxList.qlen >= GRO_NORMAL_BATCH) groNormalList(gro);
}

/** Pass up what has been collected, in its order, or to whom RPS says. @linux gro_normal_list, netif_receive_skb_list_internal */
export function groNormalList(gro: GroNode): void {
  const { rxList, cpu } = gro;
  for (let skb = rxList.dequeue(); skb !== null; skb = rxList.dequeue()) {
    const target = getRpsCpu(skb);
    if (target < 0) netifReceiveSkb(skb, cpu);
    else enqueueToBacklog(skb, skb.dev.net.softnet[target]!.cpu, cpu);
  }
}
