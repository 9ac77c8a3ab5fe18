/**
 * The backlog: packets that wait on a CPU until its softirq takes them into the stack.
 *
 * RPS puts packets here for other CPUs, and devices without a NAPI of their own for this one. Each
 * CPU works its backlog off as one more NAPI, of weight 64. The CPU that queues the first packet on
 * another one remembers to send it an interrupt, and does so when its own softirq run ends.
 *
 * @linux enqueue_to_backlog, process_backlog, net_rps_action_and_irq_enable; net/core/dev.c
 */
import { OP_BACKLOG, OP_IPI } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_CPU_BACKLOG, SKB_DROP_REASON_DEV_READY } from '../host/dropReason.ts';
import { IrqLine } from '../host/irq.ts';
import { NAPIF_STATE_SCHED, NapiStruct, __napiSchedule } from './napi.ts';
import { napiEnable, netifNapiAdd } from './napiSetup.ts';
import type { Net } from './net.ts';
import { NetDevice } from './netdevice.ts';
import { netifReceiveSkb } from './netifReceiveSkb.ts';
import { SkBuffHead } from './skbList.ts';
import type { SkBuff } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { getRpsCpu } from './rps.ts';
import type { SoftnetData } from './softnet.ts';
import { NET_RX_SOFTIRQ, raiseSoftirq } from './softnet.ts';

/** @linux include/linux/netdevice.h */
const NET_RX_SUCCESS = 0;
export const NET_RX_DROP = 1;

/** @linux net.core.netdev_max_backlog */
const NETDEV_MAX_BACKLOG = 1000;

/** One CPU's backlog. @linux part of struct softnet_data */
export class Backlog {
  /** Where others put packets, and what this CPU has taken over from there. */
  readonly inputPktQueue: SkBuffHead = new SkBuffHead();
  readonly processQueue: SkBuffHead = new SkBuffHead();
  readonly napi: NapiStruct;
  /** CPUs that this one will interrupt when its softirq run ends, the last one first. */
  readonly rpsIpiList: SoftnetData[] = [];
  /** How others interrupt this CPU. */
  readonly line: IrqLine;

  constructor(net: Net, sd: SoftnetData) {
    this.napi = new NapiStruct(
      new NetDevice(net, 'backlog', NO_OPS, { hi16: 0, lo32: 0 }),
      sd.cpu.id,
    );
    this.napi.cpu = sd.cpu;
    netifNapiAdd(this.napi, (napi, quota) => processBacklog(napi, sd, this, quota));
    napiEnable(this.napi);
    this.line = new IrqLine(`rps-${sd.cpu.id}`, sd.cpu, -1);
    this.line.handler = (): void => {
      sd.receivedRps++;
      __napiSchedule(this.napi, sd.cpu);
    };
  }
}

/** A NAPI has a device; the backlog's is one that is never opened. @linux init_dummy_netdev */
const NO_OPS = { ndoOpen: (): number => 0, ndoStop: (): number => 0 };

/** @linux net_dev_init */
export function backlogInit(net: Net): void {
  for (const sd of net.softnet) sd.backlog = new Backlog(net, sd);
}

/**
 * Put a packet on the backlog of `target`; a full one, or a device that is down, drops it.
 *
 * @param cpu the one this code runs on
 * @returns `NET_RX_*`
 * @linux enqueue_to_backlog, napi_schedule_rps
 */
export function enqueueToBacklog(skb: SkBuff, target: Cpu, cpu: Cpu): number {
  const { net } = skb.dev;
  const sd = net.softnet[target.id]!;
  const backlog = sd.backlog!;
  cpu.charge(OP_BACKLOG);
  if (!skb.dev.up) {
    skb.dev.stats.rxDropped++;
    kfreeSkb(skb, SKB_DROP_REASON_DEV_READY, cpu);
    return NET_RX_DROP;
  }
  if (backlog.inputPktQueue.qlen > NETDEV_MAX_BACKLOG) {
    sd.dropped++;
    skb.dev.stats.rxDropped++;
    kfreeSkb(skb, SKB_DROP_REASON_CPU_BACKLOG, cpu);
    return NET_RX_DROP;
  }
  backlog.inputPktQueue.queueTail(skb);
  if ((backlog.napi.state & NAPIF_STATE_SCHED) !== 0) return NET_RX_SUCCESS;
  backlog.napi.state |= NAPIF_STATE_SCHED;
  const mysd = net.softnet[cpu.id]!;
  if (sd === mysd) {
    __napiSchedule(backlog.napi, cpu);
  } else mysd.backlog!.rpsIpiList.push(sd);
  if (!mysd.inNetRxAction && !mysd.inNapiThreadedPoll) raiseSoftirq(mysd, NET_RX_SOFTIRQ);
  return NET_RX_SUCCESS;
}

/**
 * A packet from a device without a NAPI: RPS decides whose backlog, else this CPU's.
 *
 * @returns `NET_RX_*`
 * @linux netif_rx
 */
export function netifRx(skb: SkBuff, cpu: Cpu): number {
  const target = getRpsCpu(skb);
  const { softnet } = skb.dev.net;
  return enqueueToBacklog(skb, target < 0 ? cpu : softnet[target]!.cpu, cpu);
}

/** Interrupt whom this CPU has given packets to. @linux net_rps_action_and_irq_enable, rps_trigger_softirq */
export function netRpsAction(net: Net, sd: SoftnetData): void {
  const { rpsIpiList } = sd.backlog!;
  for (let remote = rpsIpiList.pop(); remote !== undefined; remote = rpsIpiList.pop()) {
    sd.cpu.charge(OP_IPI);
    net.irqs.post(remote.backlog!.line, sd.cpu.now);
  }
}

/** @returns packets taken into the stack; fewer than `quota` when both queues are empty. @linux process_backlog */
function processBacklog(
  napi: NapiStruct,
  sd: SoftnetData,
  backlog: Backlog,
  quota: number,
): number {
  const { inputPktQueue, processQueue } = backlog;
  const { cpu } = sd;
  let work = 0;
  netRpsAction(napi.dev.net, sd);
  for (;;) {
    for (let skb = processQueue.dequeue(); skb !== null; skb = processQueue.dequeue()) {
      cpu.charge(OP_BACKLOG);
      netifReceiveSkb(skb, cpu);
      if (++work >= quota) return work;
    }
    if (inputPktQueue.qlen === 0) {
      napi.state &= ~NAPIF_STATE_SCHED;
      napi.listOwner = -1;
      return work;
    }
    processQueue.spliceTail(inputPktQueue);
  }
}

/** The machine is shut down: what still waits is dropped. @linux dev_cpu_dead, flush_backlog */
export function flushBacklog(net: Net): void {
  for (const { backlog, cpu } of net.softnet)
    for (const queue of [backlog!.processQueue, backlog!.inputPktQueue])
      for (let skb = queue.dequeue(); skb !== null; skb = queue.dequeue())
        kfreeSkb(skb, SKB_DROP_REASON_DEV_READY, cpu);
}
