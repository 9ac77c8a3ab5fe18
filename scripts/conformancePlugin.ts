/**
 * The plugin of the conformance suite's own runner: the program's bytes in hex on standard input,
 * memory in hex as an argument, r0 in hex on standard output; what goes wrong on standard error,
 * with exit status 1.
 *
 *   conformancePlugin.ts [--program HEX] [MEMORY] [--jit] [--debug]
 *
 * `--jit` runs it on the compiler instead of the interpreter.
 */
import { readFileSync } from 'node:fs';
import { thrownText } from '../src/host/errors.ts';
import { decodeInsns } from '../src/xdp/isa/insn.ts';
import { hexBytes } from './conformanceCase.ts';
import { runBare } from './conformanceEngines.ts';

function main(args: string[]): void {
  const given = args.indexOf('--program');
  const program = given < 0 ? readFileSync(0, 'utf8') : args.splice(given, 2)[1];
  if (program === undefined) throw new Error('--program wants bytes in hex');
  const engine = args.includes('--jit') ? 'jit' : 'interpreter';
  const rest = args.filter((arg) => arg !== '--debug' && arg !== '--jit');
  const unknown = rest.find((arg) => arg.startsWith('--'));
  if (unknown !== undefined) throw new Error(`${unknown}: no such option`);
  if (rest.length > 1) throw new Error(`${rest[1]}: one memory is enough`);
  const r0 = runBare(engine, decodeInsns(hexBytes(program)), hexBytes(rest[0] ?? ''));
  console.log(r0.toString(16));
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : thrownText(error));
  process.exitCode = 1;
}
