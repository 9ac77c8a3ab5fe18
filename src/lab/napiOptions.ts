/** Who polls and who interrupts, as options say it: what goes together, and what a machine makes of it. */
import type { NicNapi } from '../machine/config.ts';
import { BUSY_POLL_BUDGET } from '../stack/busyPoll.ts';
import type { NicOptions, RunOptions } from './optionSchema.ts';

export function checkNapi(
  o: RunOptions,
  refuse: (key: keyof RunOptions, why: string) => never,
): void {
  const needs = (key: keyof RunOptions, what: string): never => refuse(key, `needs ${what}`);
  const prefers = o.preferBusyPoll || o.apps.some(({ preferBusyPoll }) => preferBusyPoll === true);
  const polls = prefers || o.busyPoll > 0 || o.apps.some(({ busyPoll = 0 }) => busyPoll > 0);
  if (o.busyPoll > 0 && o.apps.length === 0) needs('busyPoll', '--apps: applications poll');
  if (o.preferBusyPoll && o.apps.length === 0) needs('preferBusyPoll', '--apps: applications poll');
  if (o.busyPollBudget !== BUSY_POLL_BUDGET && !polls) needs('busyPollBudget', '--busy-poll');
  if (o.irqSuspendTimeout > 0) {
    if (!prefers)
      needs('irqSuspendTimeout', '--prefer-busy-poll: only such an application suspends');
    if (o.groFlushTimeout === 0 || o.napiDeferHardIrqs === 0)
      needs('irqSuspendTimeout', '--gro-flush-timeout and --napi-defer-hard-irqs');
  }
  if (o.threadCpus !== undefined && !o.threaded) needs('threadCpus', '--threaded on');
}

/** @param irqCpus CPUs of the queues' interrupts */
export function nicNapi(o: RunOptions, nic: NicOptions, irqCpus: readonly number[]): NicNapi {
  return {
    groFlushTimeoutNs: nic.groFlushTimeout ?? o.groFlushTimeout,
    deferHardIrqs: nic.napiDeferHardIrqs ?? o.napiDeferHardIrqs,
    irqSuspendTimeoutNs: o.irqSuspendTimeout,
    threadCpus: (nic.threaded ?? o.threaded) ? (o.threadCpus ?? irqCpus) : [],
  };
}
