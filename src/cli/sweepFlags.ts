/** The command `sweep`, its own options and those of its runs. */
import type { Command } from 'commander';
import { camel, kebab } from '../lab/optionNames.ts';
import type { OptionInfo } from '../lab/optionSchema.ts';
import { RUN_OPTIONS } from '../lab/optionSchema.ts';
import { SINGLE_RUN_KEYS } from '../lab/sweepPlan.ts';
import { optionOf } from './optionFlags.ts';
import type { SweepCall } from './sweep.ts';

const own = (flag: string, value: string, help: string, fallback: string = ''): OptionInfo => ({
  key: camel(flag),
  flag: `--${flag}`,
  value,
  allowed: '',
  group: 'Sweep',
  help,
  fallback,
});

const OWN: readonly OptionInfo[] = [
  own('best', 'MEASURE', 'Sort by this, the best first: p99, received, cpu, min:latencyNs.max.'),
  own('where', 'CONDITION', 'Keep points for which this holds, as "lost==0 and cpu<60".'),
  own('seeds', 'N', 'Run each point with this many seeds and tell the spread.', '1'),
  own('out', 'FILE', 'Keep results here, a line each; what is there already is not run again.'),
  own(
    'report',
    'FILE',
    'Write an HTML page with plots, heat maps and the table; it loads nothing.',
  ),
  own('svg', 'FOLDER', 'Write each plot as an SVG file into this folder, which must exist.'),
  own('shard', 'I/N', 'Do only this part of all runs, as 2/4, for several machines.'),
  own('workers', 'N', 'Runs at the same time; as many as there are cores unless set.'),
  own('top', 'N', 'Lines of the table.', '40'),
  own('json', '', 'Print one JSON document instead of a table.'),
];

export const SWEEP_FLAGS: readonly string[] = OWN.map(({ key }) => kebab(key));

const AFTER_HELP = `
Any option of a run takes a list (1,8,64), a range (1..256*2, 1M..12M+1M) or, where its value may
hold commas, values with bars between them ("drop|pass").

Examples:
  ringscope sweep --xdp drop --traffic "udp size=64" --queues 1 --cpus 1 --budget 1..256*2 --rate 2M..14M+2M
  ringscope sweep --rx-usecs 0..50+10 --rx-ring 511,1023,2047 --best p99 --where "lost==0 and cpu<80"
  ringscope sweep lab.yaml --budget 16,64 --seeds 5 --out budgets.jsonl`;

const mine = (key: string): boolean => OWN.some((option) => option.key === key);

/** @param args the whole command line, to be told again */
export function addSweep(
  program: Command,
  args: readonly string[],
  action: (call: SweepCall) => Promise<void>,
): void {
  const sweep = program
    .command('sweep')
    .helpGroup('Commands:')
    .description('Run every combination of lists of options, on all cores.')
    .usage('[SCENARIO] [options]')
    .argument('[SCENARIO]', 'YAML file with options; flags replace what it says')
    .addHelpText('after', AFTER_HELP)
    .action((scenario: string | undefined, given: Readonly<Record<string, unknown>>) => {
      const pick = (wanted: (key: string) => boolean): Record<string, unknown> =>
        Object.fromEntries(Object.entries(given).filter(([key]) => wanted(key)));
      return action({
        scenario,
        runFlags: pick((key) => !mine(key)),
        flags: pick(mine),
        command: commandText(args),
      });
    });
  for (const info of OWN) sweep.addOption(optionOf(info));
  for (const info of RUN_OPTIONS) {
    if (info.key === 'json') continue;
    const option = optionOf(info);
    sweep.addOption(SINGLE_RUN_KEYS.includes(info.key) ? option.hideHelp() : option);
  }
}

/** As a shell takes it, without the number of workers, which changes nothing in what comes out. */
const commandText = (args: readonly string[]): string =>
  ['ringscope', ...args]
    .filter((arg, i, all) => !/^--workers(=|$)/.test(arg) && all[i - 1] !== '--workers')
    .map((arg) => (/^[\w./,:=+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
