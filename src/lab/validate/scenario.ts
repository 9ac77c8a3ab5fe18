/** The machines of published rows: ordinary runs, written as the options of a command line. */
import { kebab } from '../optionNames.ts';
import type { RunReport } from '../report.ts';

/** Options by camelCase key, as `ringscope run` takes them. */
export interface Scenario {
  readonly profile: string;
  readonly [option: string]: string | number | boolean;
}

/** Reads a row's metric, in its unit, off a report. */
export interface Reading {
  (report: RunReport): number;
  /** How, where it is no figure that the run prints. */
  readonly says?: string;
}

export const reading = (says: string, read: (report: RunReport) => number): Reading =>
  Object.assign((report: RunReport): number => read(report), { says });

export interface Row {
  readonly id: string;
  readonly family: string;
  readonly scenario: Scenario;
  readonly modelled: Reading;
  /** Adaptive moderation wanders: another seed changes it more than a tenth of anything. */
  readonly byChance?: boolean;
  /** What one packet took, where a profile can be fitted on that. */
  readonly nsPerPacket?: (value: number) => number;
}

/** What a user would type. */
export function commandLine(scenario: Scenario): string {
  const words = Object.entries(scenario).flatMap(([key, value]) => {
    const flag = `--${kebab(key)}`;
    if (typeof value === 'boolean') return value ? [flag] : [];
    return [flag, /[^\w.,:/-]/.test(`${value}`) ? `"${value}"` : `${value}`];
  });
  return ['ringscope run', ...words].join(' ');
}

/** One flow each for so many senders, evenly: RSS then spreads them within 2 % of evenly. */
export const udp = (rate: string, size: number = 64): string =>
  `udp size=${size} flows=1024 pattern=uniform rate=${rate}`;

/** Seconds in which frames arrived. */
const seconds = ({ packets, rates }: RunReport): number => packets.offered / rates.offeredPps;

/** From the first frame until the last is dealt with: behind a CPU that is overrun, its ring is full. */
const span = (report: RunReport): number => {
  const most = Math.max(...report.cpus.map(({ busyPct: busy }) => busy));
  return Math.max(seconds(report), (most / 100) * (report.settledNs / 1e9));
};

const SPAN =
  'the time of the load (packets.offered / rates.offeredPps) or, if longer, that of the busiest CPU ' +
  '(busyPct of settledNs)';

/** Frames received per second. */
export const receivedPps: Reading = reading(
  `packets.received over ${SPAN}`,
  (report) => report.packets.received / span(report),
);

/** Frames per second that threads of cpumaps took into the stack. */
export const cpumapPps: Reading = reading(
  `packets.cpumapPass over ${SPAN}`,
  (report) => report.packets.cpumapPass / span(report),
);

/** Frames put on the wire per second. */
export const sentPps: Reading = reading(
  `packets.onWire over ${SPAN}`,
  (report) => report.packets.onWire / span(report),
);

/** Percent of the time in which frames arrive, of `cpus` CPUs together. */
export const busyPct = (cpus: number): Reading =>
  reading(
    `busyPct of settledNs, mean of ${cpus === 1 ? 'the CPU' : `${cpus} CPUs`}, over ${SPAN}`,
    (report) =>
      (report.cpus.reduce((sum, cpu) => sum + cpu.busyPct, 0) * report.settledNs) /
      (span(report) * 1e9) /
      cpus,
  );

/** A saturated rate on `cores` cores, as nanoseconds of one core a packet. */
export const saturated =
  (cores: number = 1) =>
  (pps: number): number =>
    (cores * 1e9) / pps;
