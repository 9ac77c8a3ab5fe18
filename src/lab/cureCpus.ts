/**
 * Which CPUs a cure has NAPIs polled on, and which queues it spreads frames over: lists that were
 * given stay in force, so a cure that wants others must say so.
 */
import type { RunAbout } from './runAbout.ts';

/** Lists that were given, made longer until the queues reach all CPUs; those there stay in front. */
export function overAllCpus(
  { settings }: RunAbout,
  queues: number,
  cpus: number,
): Record<string, string> {
  const { irqAffinity, threadCpus } = settings;
  const all = Array.from({ length: cpus }, (_, id) => id);
  const longer = (given: readonly number[]): string =>
    [...new Set([...given, ...all])].slice(0, queues).join(',');
  return {
    ...(irqAffinity === null ? {} : { 'irq-affinity': longer(irqAffinity) }),
    ...(threadCpus === null ? {} : { 'thread-cpus': longer(threadCpus) }),
  };
}

/** The queues' NAPIs polled there: threads that have CPUs of their own do not follow interrupts. */
export const polledOn = (
  { settings }: RunAbout,
  cpus: readonly number[],
): Record<string, string> => ({
  [settings.threadCpus === null ? 'irq-affinity' : 'thread-cpus']: cpus.join(','),
});

/** An indirection table with all of so many queues alike, said as the one that was given. */
export const allQueuesAlike = (
  { settings }: RunAbout,
  queues: number,
): Record<string, string | number> =>
  settings.indirBy === 'rss-indir'
    ? { 'rss-indir': Array.from({ length: queues }, (_, ring) => ring).join(',') }
    : { 'rss-equal': queues };

/** More queues, and all of them in the table, which knows of them by itself unless one was given. */
export const moreQueues = (run: RunAbout, queues: number): Record<string, string | number> => ({
  queues,
  ...(run.settings.indirBy === null ? {} : allQueuesAlike(run, queues)),
});
