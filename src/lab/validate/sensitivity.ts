/** Which quantities of a profile a family of rows depends on most, and what a tenth more of each does. */
import type { CostProfile } from '../../host/profile.ts';
import { PROFILES } from '../../host/profiles.ts';
import { fromFlags, readOptions } from '../options.ts';
import type { RunIo } from '../run.ts';
import { runScenario } from '../run.ts';
import type { Row } from './scenario.ts';

export interface Influence {
  readonly op: string;
  /** Of the metric, on the mean over the rows looked at, for 10 % more; percent. */
  readonly changePct: number;
}

export interface FamilySensitivity {
  readonly family: string;
  /** Looked at; none where all hang on chance. */
  readonly rows: readonly string[];
  /** The three that matter most. */
  readonly influences: readonly Influence[];
}

const MORE = 1.1;
/** Requests of clients: what changes a figure is seen with fewer than the figure takes. */
const REQUESTS = 20_000;
const MOST_SHOWN = 3;
/** Rows of a family that are looked at, as long as they tell something. */
const ENDS = 2;
/** Less than this much of a change is none, percent. */
const NO_CHANGE = 0.05;
/** Besides operations, which a run's breakdown tells of. */
const HARDWARE: readonly string[] = [
  'RX DMA',
  'TX fetch',
  'TX completion',
  'TX queue slot',
  'MSI-X',
  'last-level cache',
  'last-level cache miss',
  'PCIe RX completion',
  'PCIe RX descriptor',
];

export async function sensitivityOf(
  family: string,
  rows: readonly Row[],
  io: RunIo,
): Promise<FamilySensitivity> {
  const steady = rows.filter(({ byChance }) => byChance !== true);
  const tried: Row[] = [];
  const changes = new Map<string, number[]>();
  const isTold = (): boolean =>
    [...changes.values()].some((all) => all.some((change) => Math.abs(change) >= NO_CHANGE));
  for (const row of fromTheEnds(steady)) {
    if (tried.length >= ENDS && isTold()) break;
    tried.push(row);
    const profile = PROFILES.find(({ name }) => name === row.scenario.profile)!;
    const base = await modelledWith(row, profile, null, io);
    const ops = base.costs.map(({ op }) => op);
    const known = HARDWARE.filter((name) => profile.entries.some(({ op }) => op === name));
    for (const op of [...ops, ...known]) {
      const { value } = await modelledWith(row, profile, op, io);
      const change = base.value === 0 ? 0 : (value / base.value - 1) * 100;
      changes.set(op, [...(changes.get(op) ?? []), change]);
    }
  }
  const influences = [...changes].map(([op, all]) => ({
    op,
    changePct: all.reduce((sum, change) => sum + change, 0) / tried.length,
  }));
  return {
    family,
    rows: tried.map(({ id }) => id),
    influences: influences
      .filter(({ changePct }) => Math.abs(changePct) >= NO_CHANGE)
      .toSorted((a, b) => Math.abs(b.changePct) - Math.abs(a.changePct))
      .slice(0, MOST_SHOWN),
  };
}

/** Rows go from one end of what was varied to the other: both ends first, the others should these tell nothing. */
const fromTheEnds = (rows: readonly Row[]): readonly Row[] =>
  rows.length > ENDS ? [rows[0]!, rows.at(-1)!, ...rows.slice(1, -1)] : rows;

/** A row's metric with a tenth more of `op`; and what its operations took. */
async function modelledWith(
  row: Row,
  profile: CostProfile,
  op: string | null,
  io: RunIo,
): Promise<{ value: number; costs: readonly { op: string }[] }> {
  const fewer = row.scenario['clients'] === undefined ? {} : { count: REQUESTS };
  const scenario = { ...row.scenario, ...fewer, breakdown: true };
  const changed = op === null ? scenario : { ...scenario, profile: TRIAL };
  const readFile: RunIo['readFile'] = (option, name) =>
    name === TRIAL
      ? Promise.resolve(new TextEncoder().encode(trialOf(profile, op!)))
      : io.readFile(option, name);
  const { report } = await runScenario(readOptions([fromFlags(changed)]), { ...io, readFile });
  return { value: row.modelled(report), costs: report.costs };
}

const TRIAL = './trial.yaml';

function trialOf({ name, entries }: CostProfile, op: string): string {
  const { value, unit } = entries.find((entry) => entry.op === op)!;
  const entry = { op, value: value * MORE, unit, source: `${name}, and a tenth more` };
  return JSON.stringify({ name: 'trial', says: `${name}, varied`, base: name, entries: [entry] });
}
