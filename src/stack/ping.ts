/**
 * Asking others for an echo, as `ping` does.
 *
 * @linux net/ipv4/ping.c
 */
import type { Cpu } from '../host/cpu.ts';
import type { SkBuff } from './skbuff.ts';

/** Who sent an echo request and waits for the reply. */
export interface PingReader {
  /** The skb is only lent. @returns whether it was this one that asked */
  onReply(skb: SkBuff, cpu: Cpu): boolean;
}
