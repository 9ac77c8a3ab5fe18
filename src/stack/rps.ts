/**
 * Receive packet steering: which CPU takes a packet into the stack.
 *
 * A device has one list of CPUs, as if `rps_cpus` were the same for all its queues. Packets of one
 * flow always go to the same of them. Accelerated steering to where the reader runs (RFS) is not
 * built.
 *
 * @linux get_rps_cpu; net/core/dev.c. __skb_get_hash; net/core/flow_dissector.c
 */
import { FlowKeys } from './flowKeys.ts';
import type { SkBuff } from './skbuff.ts';

const keys: FlowKeys = new FlowKeys();

/** @returns the CPU's number; -1 when the packet stays on the one it is on. @linux get_rps_cpu */
export function getRpsCpu(skb: SkBuff): number {
  const { rpsCpus } = skb.dev;
  if (rpsCpus.length === 0) return -1;
  return rpsCpus[Math.floor((skbGetHash(skb) * rpsCpus.length) / 2 ** 32)]!; // reciprocal_scale
}

/**
 * The packet's flow hash: the NIC's, or where it gave none, one over addresses, protocol and ports
 * as far as they are linear. Both directions of a flow have the same, and so have all fragments of
 * a datagram. It is a mix of our own, since Linux's has a random key.
 *
 * @linux skb_get_hash
 */
function skbGetHash(skb: SkBuff): number {
  if (skb.hash === 0) skb.hash = softwareHash(skb) || 1;
  return skb.hash >>> 0;
}

function softwareHash(skb: SkBuff): number {
  keys.dissect(skb, false);
  if (keys.version === 0) return mix(mix(0, skb.protocol), 0x9e37_79b9);
  const { saddr, daddr } = keys;
  let hash = keys.protocol ^ (keys.sport ^ keys.dport);
  hash = mix(hash, saddr.w0 ^ daddr.w0);
  hash = mix(hash, saddr.w1 ^ daddr.w1);
  hash = mix(hash, saddr.w2 ^ daddr.w2);
  hash = mix(hash, saddr.w3 ^ daddr.w3);
  return mix(hash, 0x9e37_79b9);
}

/** One round of a multiplicative hash. */
function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x85eb_ca6b);
  return (h ^ (h >>> 15)) >>> 0;
}
