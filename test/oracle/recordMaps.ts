/**
 * Ask the running kernel about every script of `mapScripts.ts` and keep its answers:
 *
 *   npx tsx test/oracle/recordMaps.ts        as root, with a C compiler
 */
import { mkdirSync } from 'node:fs';
import { askKernelMaps, writeMapAnswers } from './kernelMaps.ts';
import { mapScripts } from './mapScripts.ts';

mkdirSync(new URL('../vectors/maps', import.meta.url), { recursive: true });
const answers = askKernelMaps((cpus) => mapScripts(cpus));
writeMapAnswers(answers);
process.stdout.write(
  `${Object.values(answers.answers).flat().length} answers of ${answers.kernel}\n`,
);
