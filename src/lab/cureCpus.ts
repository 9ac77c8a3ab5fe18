/**
 * Which CPUs a cure has NAPIs polled on: lists of CPUs that were given stay in force, so a cure that
 * wants others must say so.
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
