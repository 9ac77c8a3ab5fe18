/**
 * The receive softirq: polls the NAPIs of one CPU until they are done or a limit is reached.
 *
 * @linux net_rx_action; net/core/dev.c
 */
import type { Work } from '../host/cpu.ts';
import { TP_SOFTIRQ_ENTRY, TP_SOFTIRQ_EXIT } from '../host/trace.ts';
import { netRpsAction } from './backlog.ts';
import { napiPoll } from './napi.ts';
import { NapiList } from './napiList.ts';
import type { Net } from './net.ts';
import type { SoftnetData } from './softnet.ts';
import { NET_RX_SOFTIRQ, raiseSoftirqIrqoff } from './softnet.ts';

/**
 * One run. Yields after each poll: that is where other CPUs run and interrupts come in.
 *
 * A NAPI that used its weight goes to a private list and not to the end of this one, so a run polls
 * it once; only one that completed and was scheduled anew meanwhile comes twice, when the run
 * starts over, and then neither budget nor time limit do. Left out until it exists: the deferred
 * skb frees before each poll.
 *
 * @linux net_rx_action
 */
export function* netRxAction(net: Net, sd: SoftnetData): Work {
  const { cpu } = sd;
  const { watch } = net;
  const timeLimit = net.jiffies(cpu.now) + net.netdevBudgetJiffies;
  const list = new NapiList();
  const repoll = new NapiList();
  let budget = net.netdevBudget;
  let squeezed = 0;

  if (watch.on) watch.point(TP_SOFTIRQ_ENTRY, cpu);
  sd.inNetRxAction = true;
  list.spliceTail(sd.pollList);
  for (;;) {
    const napi = list.first;
    if (napi === null) {
      if (!repoll.empty || sd.pollList.empty) break; // RPS's interrupts are sent below
      list.spliceTail(sd.pollList); // new work came while we polled: start over
      continue;
    }

    budget -= napiPoll(napi, repoll);
    yield;

    if (budget <= 0 || net.jiffies(cpu.now) >= timeLimit) {
      sd.timeSqueeze++;
      if (budget <= 0) sd.budgetSqueeze++;
      squeezed = 1;
      break;
    }
  }

  // put back: the remainder, then what came meanwhile, then what must be polled again
  list.spliceTail(sd.pollList);
  list.spliceTail(repoll);
  sd.pollList.spliceTail(list);
  if (!sd.pollList.empty) raiseSoftirqIrqoff(sd, NET_RX_SOFTIRQ);
  sd.inNetRxAction = false;
  netRpsAction(net, sd);
  if (watch.on) watch.point(TP_SOFTIRQ_EXIT, cpu, squeezed);
}
