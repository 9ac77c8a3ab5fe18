/**
 * The receive softirq: polls the NAPIs of one CPU until they are done or a limit is reached.
 *
 * @linux net_rx_action; net/core/dev.c
 */
import type { Stepped, Steps } from '../host/cpu.ts';
import { STEPS_OVER, STEP_MADE } from '../host/cpu.ts';
import { TP_SOFTIRQ_ENTRY, TP_SOFTIRQ_EXIT } from '../host/trace.ts';
import { netRpsAction } from './backlog.ts';
import { napiPoll } from './napi.ts';
import { NapiList } from './napiList.ts';
import type { Net } from './net.ts';
import type { SoftnetData } from './softnet.ts';
import { NET_RX_SOFTIRQ, raiseSoftirqIrqoff } from './softnet.ts';

/**
 * One run after the other, on one CPU; a step is one poll, behind which other CPUs run and
 * interrupts come in.
 *
 * A NAPI that used its weight goes to a private list and not to the end of this one, so a run polls
 * it once; only one that completed and was scheduled anew meanwhile comes twice, when the run
 * starts over, and then neither budget nor time limit do. Left out until it exists: the deferred
 * skb frees before each poll.
 *
 * @linux net_rx_action
 */
export class NetRxAction implements Steps {
  private readonly net: Net;
  private readonly sd: SoftnetData;
  private readonly list: NapiList = new NapiList();
  private readonly repoll: NapiList = new NapiList();
  private timeLimit = 0;
  private budget = 0;
  /** The last step has polled, and its limits have not been looked at. */
  private polled = false;

  constructor(net: Net, sd: SoftnetData) {
    this.net = net;
    this.sd = sd;
  }

  begin(): this {
    const { net, sd } = this;
    this.timeLimit = net.jiffies(sd.cpu.now) + net.netdevBudgetJiffies;
    this.budget = net.netdevBudget;
    this.polled = false;
    if (net.watch.on) net.watch.point(TP_SOFTIRQ_ENTRY, sd.cpu);
    sd.inNetRxAction = true;
    this.list.spliceTail(sd.pollList);
    return this;
  }

  next(): Stepped {
    const { sd, list, repoll } = this;
    if (this.polled && this.limitReached()) return this.end(true);
    while (list.first === null) {
      if (!repoll.empty || sd.pollList.empty) return this.end(false); // RPS's interrupts are sent there
      list.spliceTail(sd.pollList); // new work came while we polled: start over
    }
    this.budget -= napiPoll(list.first, repoll);
    this.polled = true;
    return STEP_MADE;
  }

  private limitReached(): boolean {
    return this.budget <= 0 || this.net.jiffies(this.sd.cpu.now) >= this.timeLimit;
  }

  private end(squeezed: boolean): Stepped {
    const { net, sd, list, repoll } = this;
    if (squeezed) {
      sd.timeSqueeze++;
      if (this.budget <= 0) sd.budgetSqueeze++;
    }
    // put back: the remainder, then what came meanwhile, then what must be polled again
    list.spliceTail(sd.pollList);
    list.spliceTail(repoll);
    sd.pollList.spliceTail(list);
    if (!sd.pollList.empty) raiseSoftirqIrqoff(sd, NET_RX_SOFTIRQ);
    sd.inNetRxAction = false;
    netRpsAction(net, sd);
    if (net.watch.on) net.watch.point(TP_SOFTIRQ_EXIT, sd.cpu, squeezed ? 1 : 0);
    return STEPS_OVER;
  }
}
