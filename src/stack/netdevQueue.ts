/**
 * One TX queue of a device as the stack sees it: whether it may be fed, and what waits for it.
 *
 * Two parties can stop a queue, each for its own reason: the driver when its ring is full, and the
 * byte queue limit when enough is in flight. Only when neither does is it fed.
 *
 * @linux struct netdev_queue, netif_tx_stop_queue, netdev_tx_sent_queue; include/linux/netdevice.h
 */
import type { Cpu } from '../host/cpu.ts';
import { SpinLock } from '../host/spinLock.ts';
import { Dql } from './dql.ts';
import type { NetDevice } from './netdevice.ts';
import { Qdisc, netifSchedule } from './qdisc.ts';

const QUEUE_STATE_DRV_XOFF: number = 1 << 0;
const QUEUE_STATE_STACK_XOFF: number = 1 << 1;

export class NetdevQueue {
  readonly dev: NetDevice;
  readonly index: number;
  readonly qdisc: Qdisc;
  /** `QUEUE_STATE_*`; 0: neither driver nor byte limit holds it back. */
  state = 0;
  readonly dql: Dql;
  /** Two CPUs may send to one queue. @linux _xmit_lock */
  readonly xmitLock: SpinLock = new SpinLock();

  constructor(dev: NetDevice, index: number) {
    this.dev = dev;
    this.index = index;
    this.qdisc = new Qdisc(this);
    this.dql = new Dql(dev.net.hz);
  }
}

/** By the driver or by the byte limit. @linux netif_xmit_stopped */
export const netifXmitStopped = (txq: NetdevQueue): boolean => txq.state !== 0;

/** @linux netif_tx_queue_stopped */
export const netifTxQueueStopped = (txq: NetdevQueue): boolean =>
  (txq.state & QUEUE_STATE_DRV_XOFF) !== 0;

/** The driver's ring is full. @linux netif_tx_stop_queue */
export function netifTxStopQueue(txq: NetdevQueue): void {
  txq.state |= QUEUE_STATE_DRV_XOFF;
}

/**
 * The ring has little room left: stop the queue, unless a completion has made room meanwhile.
 *
 * @param avail descriptors free now
 * @param startThrs as many that it may go on
 * @returns whether it stays stopped
 * @linux netif_txq_try_stop
 */
export function netifTxqTryStop(txq: NetdevQueue, avail: number, startThrs: number): boolean {
  if (avail >= startThrs) return false;
  txq.state |= QUEUE_STATE_DRV_XOFF;
  return true;
}

/** There is room again: what waits is sent from the TX softirq of `cpu`. @linux netif_tx_wake_queue */
export function netifTxWakeQueue(txq: NetdevQueue, cpu: Cpu): void {
  if ((txq.state & QUEUE_STATE_DRV_XOFF) === 0) return;
  txq.state &= ~QUEUE_STATE_DRV_XOFF;
  netifSchedule(txq.qdisc, cpu);
}

/** A packet is on the ring. @linux netdev_tx_sent_queue */
export function netdevTxSentQueue(txq: NetdevQueue, bytes: number): void {
  txq.dql.queued(bytes);
  if (txq.dql.avail < 0) txq.state |= QUEUE_STATE_STACK_XOFF;
}

/** Packets have left the ring. @linux netdev_tx_completed_queue */
export function netdevTxCompletedQueue(txq: NetdevQueue, bytes: number, cpu: Cpu): void {
  if (bytes === 0) return;
  txq.dql.completed(bytes, txq.dev.net.jiffies(cpu.now));
  if (txq.dql.avail < 0 || (txq.state & QUEUE_STATE_STACK_XOFF) === 0) return;
  txq.state &= ~QUEUE_STATE_STACK_XOFF;
  netifSchedule(txq.qdisc, cpu);
}

/** The ring starts anew, empty. @linux netdev_tx_reset_queue */
export function netdevTxResetQueue(txq: NetdevQueue): void {
  const { net } = txq.dev;
  txq.state &= ~QUEUE_STATE_STACK_XOFF;
  txq.dql.reset(net.jiffies(net.softnet[0]!.cpu.now));
}
