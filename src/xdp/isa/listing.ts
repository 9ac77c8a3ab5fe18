/**
 * A program as people read it: the verifier log's text of every instruction, with function names and
 * source lines between, and what a reference stands for behind it.
 *
 *   xdp_drop:
 *   ; if (data + 14 > data_end) @ drop.c:12
 *      3: (2d) if r1 > r2 goto pc+4
 *      4: (18) r1 = 0x0                       map counters
 */
import { disasm } from './disasm.ts';
import type { DisasmNames } from './disasm.ts';
import type { Insn } from './insn.ts';
import { isLdImm64 } from './insn.ts';

/** The part of a program that is shown; what a loader's spec holds has this form. */
export interface Listable {
  readonly insns: readonly Insn[];
  readonly lineInfo: readonly {
    readonly slot: number;
    readonly file: string;
    readonly line: number;
    readonly text: string;
  }[];
  readonly funcInfo: readonly { readonly slot: number; readonly name: string }[];
  /** By slot. */
  readonly refs: ReadonlyMap<number, { readonly kind: string; readonly name: string }>;
  /** By slot: what else there is to say. */
  readonly notes?: ReadonlyMap<number, string>;
}

export interface ListedInsn {
  readonly slot: number;
  readonly text: string;
  /** The function that begins here. */
  readonly function?: string;
  /** The source line that begins here. */
  readonly source?: { readonly file: string; readonly line: number; readonly text: string };
  /** What the instruction refers to. */
  readonly ref?: { readonly kind: string; readonly name: string };
  readonly note?: string;
}

/** One element an instruction; the second slot of a 64-bit constant has none. */
export function listInsns(program: Listable, names: DisasmNames = {}): ListedInsn[] {
  const functions = new Map(program.funcInfo.map(({ slot, name }) => [slot, name]));
  const sources = new Map(program.lineInfo.map((line) => [line.slot, line]));
  const listed: ListedInsn[] = [];
  for (let slot = 0; slot < program.insns.length; slot++) {
    const insn = program.insns[slot]!;
    const func = functions.get(slot);
    const source = sources.get(slot);
    const ref = program.refs.get(slot);
    const note = program.notes?.get(slot);
    const { file = '', line = 0, text = '' } = source ?? {};
    listed.push({
      slot,
      text: disasm(insn, program.insns[slot + 1], {
        ...names,
        kfunc: () => (ref?.kind === 'kfunc' ? ref.name : undefined),
      }),
      ...(func === undefined ? {} : { function: func }),
      ...(source === undefined ? {} : { source: { file, line, text } }),
      ...(ref === undefined ? {} : { ref: { kind: ref.kind, name: ref.name } }),
      ...(note === undefined ? {} : { note }),
    });
    if (isLdImm64(insn)) slot++;
  }
  return listed;
}

const KINDS: Readonly<Record<string, string>> = { map: 'map', mapValue: 'value of', kfunc: '' };

/** The listing as lines of text. */
export const listingText = (listed: readonly ListedInsn[]): string =>
  listed
    .flatMap((insn) => {
      const { function: func } = insn;
      return [...(func === undefined ? [] : [`${func}:`]), ...insnLines(insn)];
    })
    .join('\n');

/** An instruction, behind the source line that begins with it. */
export function insnLines({ slot, text, source, ref, note }: ListedInsn): string[] {
  const kind = ref === undefined ? '' : (KINDS[ref.kind] ?? ref.kind);
  const meant = ref === undefined || kind === '' ? (note ?? '') : `${kind} ${ref.name}`;
  const line = `${String(slot).padStart(4)}: ${meant === '' ? text : text.padEnd(40)}${meant}`;
  if (source === undefined || source.text.trim() === '') return [line];
  const file = source.file.replace(/.*\//, '');
  return [`; ${source.text.trim()} @ ${file}:${source.line}`, line];
}
