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
  skb.fates = napi.dev.rxFates;
  skb.napiId = napi.napiId;
  if (!napi.dev.net.stackOn) {
    napiConsumeSkb(skb, napi.weight, napi.cpu);
    return GRO_NORMAL;
  }
  groReceiveSkb(napi, skb);
  return GRO_NORMAL;
}

/** @linux gro_receive_skb, gro_normal_one */
export function groReceiveSkb(gro: GroNode, skb: SkBuff): void {
  gro.cpu.charge(OP_GRO_RECEIVE);
  gro.rxList.queueTail(skb);
  if (gro.rxList.qlen >= GRO_NORMAL_BATCH) groNormalList(gro);
}

/**
 * `napiGroReceive` for a packet whose time at that door has passed already.
 *
 * @param isUp all before it have gone up, and so does this one; else it waits for others
 */
export function napiGroCharged(napi: NapiStruct, skb: SkBuff, isUp: boolean): void {
  skb.fates = napi.dev.rxFates;
  skb.napiId = napi.napiId;
  if (isUp) groNormalSkb(skb, napi.cpu);
  else napi.rxList.queueTail(skb);
}

/** Pass up what has been collected, in its order. @linux gro_normal_list, netif_receive_skb_list_internal */
export function groNormalList(gro: GroNode): void {
  const { rxList, cpu } = gro;
  for (let skb = rxList.dequeue(); skb !== null; skb = rxList.dequeue()) groNormalSkb(skb, cpu);
}

/** Into the stack here, or to whom RPS says. */
function groNormalSkb(skb: SkBuff, cpu: Cpu): void {
  const target = getRpsCpu(skb);
  if (target < 0) netifReceiveSkb(skb, cpu);
  else enqueueToBacklog(skb, skb.dev.net.softnet[target]!.cpu, cpu);
}
