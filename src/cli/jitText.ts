/**
 * `ringscope prog dump --jited`: WebAssembly, a line an instruction with its offset and nesting, each
 * part below the eBPF instruction and the C it comes from.
 *
 *   count (xdp): 21 instructions, 563 bytes of WebAssembly
 *
 *   count(ctx i32) -> i32, exported as run
 *   ; if (data + 14 > data_end) @ count.c:12
 *      3: (2d) if r1 > r2 goto pc+4
 *            1c  local.get $r1
 */
import type { JitDump, JitDumpFunction } from '../lab/jitDump.ts';
import { insnLines } from '../xdp/isa/listing.ts';
import type { Terminal } from './terminal.ts';

/** Columns up to the end of an offset. */
const OFFSETS_END = 14;

export function jitText(dump: JitDump, { colors }: Terminal): string {
  const { program, section, insns, bytes, functions } = dump;
  const head = `${program} (${section}): ${insns} instructions, ${bytes} bytes of WebAssembly`;
  return `${[colors.bold(head), ...functions.map(functionText)].join('\n\n')}\n`;
}

function functionText(func: JitDumpFunction): string {
  const { name, exported, params, results, locals, names, code } = func;
  const word = (type: string, i: number): string => `${names[i] ?? i} ${type}`;
  const result = results.length === 0 ? '' : ` -> ${results.join(' ')}`;
  const door = exported === null || exported === name ? '' : `, exported as ${exported}`;
  const variables = locals.map((type, i) => word(type, params.length + i)).join(', ');
  return [
    `${name}(${params.map(word).join(', ')})${result}${door}`,
    ...(variables === '' ? [] : [`  locals ${variables}`]),
    ...code.flatMap(({ at, depth, text, insns = [] }) => [
      ...insns.flatMap(insnLines),
      `${at.toString(16).padStart(OFFSETS_END)}  ${'  '.repeat(depth)}${text}`,
    ]),
  ].join('\n');
}
