/**
 * Ask the running kernel how it prints every case of `disasmCases.ts` and keep its answers:
 *
 *   npx tsx test/oracle/recordDisasm.ts        as root, with a C compiler
 */
import { writeFileSync } from 'node:fs';
import { DISASM_CASES, askTexts } from './disasmCases.ts';

const record = askTexts();
const file = new URL('../vectors/disasm.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
const printed = record.texts.filter((text) => text !== null).length;
process.stdout.write(`${printed} of ${DISASM_CASES.length} printed\n`);
