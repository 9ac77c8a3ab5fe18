/**
 * A case of the eBPF conformance suite: a text file of sections, each begun by a line `-- name`.
 *
 *   asm      the program, in the suite's assembly
 *   raw      or as 64-bit words, one a slot; where both stand, this one counts
 *   mem      bytes in hex that the program is called on
 *   result   r0 after the run
 *   error    the program must not load, or not run to its end
 *
 * From `#` on a line is a comment. Sections that only concern other engines are passed over.
 */
import { assembleConformance } from '../src/xdp/isa/asmConformance.ts';
import type { Insn } from '../src/xdp/isa/insn.ts';
import { decodeInsns } from '../src/xdp/isa/insn.ts';

export interface ConformanceCase {
  readonly insns: readonly Insn[];
  readonly memory: Uint8Array;
  readonly result: bigint | null;
  /** Text of the section `error`, or null. */
  readonly error: string | null;
}

const KNOWN = new Set(['asm', 'raw', 'mem', 'result', 'error', 'error pattern']);
const OF_OTHERS = new Set(['c', 'no register offset', 'no jit', 'reload', 'unload']);

/** @throws Error naming what in the file makes no sense */
export function parseCase(text: string): ConformanceCase {
  const sections = sectionsOf(text);
  const raw = sections.get('raw');
  const assembly = sections.get('asm');
  if (raw === undefined && assembly === undefined) throw new Error('no section asm or raw');
  const result = sections.get('result')?.trim();
  const error = (sections.get('error') ?? sections.get('error pattern'))?.trim();
  if (result === undefined && error === undefined) throw new Error('no section result or error');
  return {
    insns: raw === undefined ? assembleConformance(assembly!) : rawInsns(raw),
    memory: hexBytes(sections.get('mem') ?? ''),
    result: result === undefined ? null : number64('result', result),
    error: error ?? null,
  };
}

/** Lines keep their places, so that an assembler's line numbers count from the section's start. */
function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  let name: string | null = null;
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.replace(/#.*/, '');
    const heading = /^--\s*(.*?)\s*$/.exec(line)?.[1];
    if (heading !== undefined) {
      if (!KNOWN.has(heading) && !OF_OTHERS.has(heading)) {
        throw new Error(`line ${index + 1}: unknown section ${heading}`);
      }
      name = heading;
      sections.set(heading, '');
    } else if (name !== null) {
      sections.set(name, `${sections.get(name)!}${line}\n`);
    }
  });
  return sections;
}

function rawInsns(text: string): Insn[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const view = new DataView(new ArrayBuffer(8 * words.length));
  words.forEach((word, i) => view.setBigUint64(8 * i, number64('raw', word), true));
  return decodeInsns(new Uint8Array(view.buffer));
}

function number64(what: string, text: string): bigint {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === undefined) throw new Error(`${what}: ${text} is no number`);
  return BigInt.asUintN(64, sign === '-' ? -BigInt(digits) : BigInt(digits));
}

/** Bytes in hex with any blanks between them. */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`${text.trim()}: not bytes in hex`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
