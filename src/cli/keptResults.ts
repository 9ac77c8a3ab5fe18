/** Results that earlier commands have written, and what many of them have in common. */
import type { Colors } from 'picocolors/types';
import type { Finding } from '../lab/finding.ts';
import { InputError } from '../lab/inputError.ts';
import { kebab } from '../lab/optionNames.ts';
import type { RunReport } from '../lab/report.ts';
import { plural } from '../lab/format.ts';
import { marked } from './findings.ts';

export interface KeptRun {
  /** What was swept, by option; empty for a single run. */
  readonly point: Readonly<Record<string, string>>;
  readonly report: Omit<RunReport, 'wallMs'>;
}

/** @param text of a document of `run --json` or `sweep --json`, or lines of `sweep --out` @throws InputError */
export function keptReports(name: string, text: string): KeptRun[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new InputError(`${name}: is empty, not a result`);
  return lines.flatMap((line, i) => {
    const place = lines.length === 1 ? name : `${name}:${i + 1}`;
    return runsOf(parsed(place, line)).map(({ point, report }) => {
      if (Array.isArray(report?.findings)) return { point, report };
      const why =
        typeof report?.packets?.offered === 'number'
          ? 'is a result without findings, by an earlier ringscope: run it again'
          : 'is no result of run --json, sweep --json or sweep --out';
      throw new InputError(`${place}: ${why}`);
    });
  });
}

function parsed(place: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new InputError(`${place}: is not JSON: ${(error as Error).message}`);
  }
}

interface SweepDocument {
  readonly points: readonly {
    readonly point: KeptRun['point'];
    readonly runs: readonly { readonly report: KeptRun['report'] }[];
  }[];
}

/** Of a run, a line of a sweep's file, or a sweep's document. */
function runsOf(json: unknown): KeptRun[] {
  const document = json as Partial<SweepDocument & KeptRun & RunReport> | null;
  if (Array.isArray(document?.points))
    return (document as SweepDocument).points.flatMap(({ point, runs }) =>
      runs.map(({ report }) => ({ point, report })),
    );
  if (typeof document?.report === 'object')
    return [{ point: document.point ?? {}, report: document.report }];
  return [{ point: {}, report: json as RunReport }];
}

interface Found {
  readonly finding: Finding;
  readonly run: KeptRun;
}

/** Each finding once: in how many runs, and as the worst of them says it. */
export function manyFindings(runs: readonly KeptRun[], c: Colors): string[] {
  const byId = new Map<string, Found[]>();
  for (const run of runs) {
    for (const finding of run.report.findings) {
      const seen = byId.get(finding.id) ?? [];
      seen.push({ finding, run });
      byId.set(finding.id, seen);
    }
  }
  const clean = runs.filter(({ report }) => report.findings.length === 0).length;
  const said = [...byId].flatMap(([id, seen]) => {
    const [worst] = seen.toSorted((a, b) => costOf(b) - costOf(a) || lossOf(b.run) - lossOf(a.run));
    const at = Object.entries(worst!.run.point).map(([key, value]) => `--${kebab(key)} ${value}`);
    const where = at.length === 0 ? '' : `; most at ${at.join(' ')}, where:`;
    return [
      `  ${c.bold(id)}  in ${seen.length} of ${plural(runs.length, 'run')}${where}`,
      ...marked('   ', worst!.finding, worst!.finding.cures.slice(0, 1), c),
      '',
    ];
  });
  return [...said, `  ${plural(clean, 'run')} without findings`];
}

/** Share of packets that this finding cost, and that all did together. */
const costOf = ({ finding, run }: Found): number =>
  finding.packets / Math.max(1, run.report.packets.offered);
const lossOf = ({ report: { packets } }: KeptRun): number =>
  Object.values(packets.lost).reduce((sum, n) => sum + n, 0) / Math.max(1, packets.offered);
