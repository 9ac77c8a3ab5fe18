/**
 * Fits a profile's open values on the published rows that may be fitted on, and prints what is left.
 *
 *   npx tsx bench/fit.ts [PROFILE]
 *
 * Each row is a run of the emulator: what the driver does says how often each operation happens,
 * and time per packet is linear in what they take. Where a profile leaves a time of the NIC open, which is in
 * no cost, it is moved a little, and the row read again. The search goes from the values in the profile's
 * `from` notes, in their logarithms, and pays for leaving them: few rows never decide many values.
 */
import { OP_NAMES } from '../src/host/cost.ts';
import type { CostProfile, ProfileEntry } from '../src/host/profile.ts';
import { PROFILES } from '../src/host/profiles.ts';
import { fromFlags, readOptions } from '../src/lab/options.ts';
import type { RunReport } from '../src/lab/report.ts';
import { runScenario } from '../src/lab/run.ts';
import { FIGURES } from '../src/lab/validate/figures.ts';
import type { Scenario } from '../src/lab/validate/scenario.ts';
import { ROWS } from '../src/lab/validate/rows.ts';

/** What a fitted row may miss, and how far an open value may go from where it began (factor e^x). */
const ROW_SIGMA = 0.01;
const VALUE_SIGMA = 0.35;
const ROUNDS = 4;
/** By how much of itself a value is moved that no cost shows. */
const MOVE = 0.02;

interface Open {
  readonly op: string;
  readonly from: number;
  value: number;
}

interface Equation {
  readonly id: string;
  /** Nanoseconds a packet. */
  readonly target: number;
  readonly fixed: number;
  /** Nanoseconds a packet of each open value, as it is now. */
  readonly parts: readonly number[];
}

/** Entries of a profile that no other one lends it. */
const ownEntries = ({ name, entries }: CostProfile): readonly ProfileEntry[] => {
  const before = PROFILES.slice(
    0,
    PROFILES.findIndex((profile) => profile.name === name),
  );
  return entries.filter((entry) => !before.some((other) => other.entries.includes(entry)));
};

const FROM = /fit; from ([\d.]+)/;

function openValues(entries: readonly ProfileEntry[]): Open[] {
  return entries.flatMap(({ op, value, source }) => {
    const from = FROM.exec(source);
    return from === null ? [] : [{ op, from: Number(from[1]), value }];
  });
}

async function reportOf(
  scenario: Scenario,
  base: string,
  open: readonly Open[],
): Promise<RunReport> {
  const entries = open.map(
    ({ op, value }) => `  - { op: "${op}", value: ${value}, unit: ns, source: trial }`,
  );
  const text = `name: trial\nsays: trial\nbase: ${base}\nentries:\n${entries.join('\n')}\n`;
  const io = {
    readFile: () => Promise.resolve(new TextEncoder().encode(text)),
    importProgram: () => Promise.reject(new Error('no modules here')),
    nowMs: () => 0,
  };
  const flags = { ...scenario, profile: './trial.yaml', breakdown: true };
  return (await runScenario(readOptions([fromFlags(flags)]), io)).report;
}

/** Time per packet as the row reads it; each open value is moved by `MOVE` of itself. */
async function moved(id: string, base: string, open: readonly Open[]): Promise<Equation> {
  const { value: published, unit } = FIGURES.find((row) => row.id === id)!;
  const { scenario, nsPerPacket, modelled } = ROWS.find((row) => row.id === id)!;
  const read = async (values: readonly Open[]): Promise<number> => {
    const value = modelled(await reportOf(scenario, base, values));
    return nsPerPacket!(unit === 'Mpps' ? value / 1e6 : value);
  };
  const now = await read(open);
  const parts: number[] = [];
  for (const one of open) {
    const more = open.map((other) =>
      other === one ? { ...one, value: one.value * (1 + MOVE) } : other,
    );
    parts.push(((await read(more)) - now) / MOVE);
  }
  const fixed = now - parts.reduce((sum, part) => sum + part, 0);
  return { id, target: nsPerPacket!(published), parts, fixed };
}

/** Time per received packet, split into what is open and what is not. */
async function equation(id: string, base: string, open: readonly Open[]): Promise<Equation> {
  if (open.some(({ op }) => !OP_NAMES.includes(op))) return moved(id, base, open);
  const figure = FIGURES.find((row) => row.id === id)!;
  const { scenario, nsPerPacket } = ROWS.find((row) => row.id === id)!;
  const report = await reportOf(scenario, base, open);
  const { received } = report.packets;
  const parts = open.map(({ op }) => {
    const cost = report.costs.find((entry) => entry.op === op);
    return (cost?.ns ?? 0) / received;
  });
  const all = report.costs.reduce((sum, { ns }) => sum + ns, 0) / received;
  return {
    ...{ id, target: nsPerPacket!(figure.value), parts },
    fixed: all - parts.reduce((sum, part) => sum + part, 0),
  };
}

/** One step of Gauss and Newton in the logarithms of the open values. */
function improve(open: Open[], equations: readonly Equation[]): void {
  const n = open.length;
  const matrix = open.map((_, i) => open.map((__, j) => (i === j ? VALUE_SIGMA ** -2 : 0)));
  const right = open.map(({ value, from }) => -Math.log(value / from) * VALUE_SIGMA ** -2);
  for (const { target, fixed, parts } of equations) {
    const miss = target - fixed - parts.reduce((sum, part) => sum + part, 0);
    const weight = (ROW_SIGMA * target) ** -2;
    for (let i = 0; i < n; i++) {
      right[i]! += weight * parts[i]! * miss;
      for (let j = 0; j < n; j++) matrix[i]![j]! += weight * parts[i]! * parts[j]!;
    }
  }
  const step = solve(matrix, right);
  open.forEach((entry, i) => (entry.value *= Math.exp(Math.max(-0.5, Math.min(0.5, step[i]!)))));
}

/** Gaussian elimination; the matrix is symmetric and positive definite. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  for (let i = 0; i < n; i++) {
    for (let row = i + 1; row < n; row++) {
      const factor = matrix[row]![i]! / matrix[i]![i]!;
      for (let j = i; j < n; j++) matrix[row]![j]! -= factor * matrix[i]![j]!;
      right[row]! -= factor * right[i]!;
    }
  }
  const x = right.slice();
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i]! -= matrix[i]![j]! * x[j]!;
    x[i]! /= matrix[i]![i]!;
  }
  return x;
}

const rowsToFit = (name: string): readonly string[] =>
  ROWS.filter(
    ({ id, nsPerPacket, scenario }) =>
      scenario.profile === name &&
      nsPerPacket !== undefined &&
      FIGURES.find((figure) => figure.id === id)!.use === 'calibrate',
  ).map(({ id }) => id);

async function fit(name: string): Promise<void> {
  const profile = PROFILES.find((known) => known.name === name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  const ids = rowsToFit(name);
  const open = openValues(ownEntries(profile));
  for (let round = 0; round < ROUNDS; round++) {
    const equations: Equation[] = [];
    for (const id of ids) equations.push(await equation(id, name, open));
    improve(open, equations);
  }
  console.log(`${name}\n\nvalue                          from   fitted  in the profile, ns`);
  for (const { op, from, value } of open) {
    const now = profile.entries.find((entry) => entry.op === op)!.value;
    console.log(
      `${op.padEnd(26)} ${from.toFixed(2).padStart(8)} ${value.toFixed(2).padStart(8)} ${now.toFixed(2).padStart(8)}`,
    );
  }
  console.log('\nrow                        published  modelled, ns a packet');
  for (const id of ids) {
    const { target, fixed, parts } = await equation(id, name, open);
    const ours = fixed + parts.reduce((sum, part) => sum + part, 0);
    const off = `${((ours / target - 1) * 100).toFixed(2)} %`;
    console.log(
      `${id.padEnd(26)} ${target.toFixed(2).padStart(9)} ${ours.toFixed(2).padStart(9)}  ${off}`,
    );
  }
}

const wanted = process.argv.slice(2);
const fitted = PROFILES.filter(
  (profile) =>
    rowsToFit(profile.name).length > 0 &&
    ownEntries(profile).some(({ source }) => FROM.test(source)),
);
for (const name of wanted.length > 0 ? wanted : fitted.map((profile) => profile.name)) {
  await fit(name);
}
