/** The command `explain` and its options: those of a run, and whether to try the cures. */
import type { Command } from 'commander';
import { kebab } from '../lab/optionNames.ts';
import { RUN_OPTIONS } from '../lab/optionSchema.ts';
import { SINGLE_RUN_KEYS } from '../lab/sweepPlan.ts';
import { optionOf } from './optionFlags.ts';

const AFTER_HELP = `
Examples:
  ringscope explain --budget 1 --count 50k --try
  ringscope run lab.yaml --json > result.json; ringscope explain result.json
  ringscope sweep --budget 1..256*2 --out budgets.jsonl; ringscope explain budgets.jsonl`;

/** What leaves files, a prompt or other tables behind. */
const ELSEWHERE = `
${SINGLE_RUN_KEYS.map((key) => `--${kebab(key)}`).join(', ')} are for run; in a scenario they are passed over.
`;

export function addExplain(
  program: Command,
  action: (what: string | undefined, flags: Readonly<Record<string, unknown>>) => Promise<void>,
): void {
  const explain = program
    .command('explain')
    .helpGroup('Commands:')
    .description('Say in words what a run shows and which option to change.')
    .usage('[SCENARIO | RESULT.json | SWEEP.jsonl] [options]')
    .argument('[SCENARIO]', 'YAML file with options; or a result, which is explained as it is')
    .option('--try', 'Run again with each option that is proposed, and compare')
    .addHelpText('after', `${ELSEWHERE}${AFTER_HELP}`)
    .action(action);
  for (const info of RUN_OPTIONS) {
    const option = optionOf(info);
    explain.addOption(SINGLE_RUN_KEYS.includes(info.key) ? option.hideHelp() : option);
  }
}
