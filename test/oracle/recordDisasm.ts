/**
 * Ask the running kernel how it prints every case of `disasmCases.ts` and keep its answers:
 *
 *   npx tsx test/oracle/recordDisasm.ts        as root, with a C compiler
 */
import { writeFileSync } from 'node:fs';
import { DISASM_CASES, askTexts } from './disasmCases.ts';

const { kernel, texts } = askTexts();
const lines = [
  `{ "kernel": "${kernel}", "texts": [`,
  texts.map((text) => JSON.stringify(text)).join(',\n'),
  ']}',
  '',
];
writeFileSync(new URL('../vectors/disasm.json', import.meta.url), lines.join('\n'));
process.stdout.write(
  `${texts.filter((text) => text !== null).length} of ${DISASM_CASES.length} printed\n`,
);
