/**
 * One instruction a case, for which the kernel's log is asked: every code with fields of several
 * kinds, whether it exists or not, and every atomic operation in every size.
 */
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { LD_IMM64 } from '../../src/xdp/isa/insn.ts';
import type { OracleAnswers } from './oracle.ts';
import { askKernel } from './oracle.ts';

const insn = (code: number, fields: Partial<Insn> = {}): Insn => ({
  ...{ code, dst: 0, src: 0, off: 0, imm: 0 },
  ...fields,
});

const FIELDS: readonly Partial<Insn>[] = [
  { dst: 1, src: 2, off: -8, imm: 0x10 },
  { dst: 1, src: 2, off: 0, imm: -5 },
  { dst: 3, src: 4, off: 1, imm: 32 },
  { dst: 3, src: 4, off: 1, imm: 0x30001 },
  { dst: 3, src: 4, off: -1, imm: 0 },
  { dst: 3, src: 4, off: 8, imm: 16 },
  { dst: 4, src: 3, off: 16, imm: 64 },
  { dst: 3, src: 4, off: 32, imm: 0x100 },
  { dst: 3, src: 0, off: 0, imm: 0x110 },
  { dst: 3, src: 0, off: 3, imm: 1 },
  { dst: 3, src: 1, off: 2, imm: 7 },
];
const ATOMICS: readonly number[] = [
  ...[0, 1, 0x10, 0x30, 0x40, 0x41, 0x42, 0x50, 0x51, 0xa0, 0xa1],
  ...[0xe0, 0xe1, 0xf0, 0xf1, 0x100, 0x110, 0x120],
];

export const DISASM_CASES: readonly Insn[] = [
  ...Array.from({ length: 256 }, (_, code) => FIELDS.map((fields) => insn(code, fields))).flat(),
  ...[0xc3, 0xcb, 0xd3, 0xdb].flatMap((code) =>
    ATOMICS.map((imm) => insn(code, { dst: 1, src: 2, off: 4, imm })),
  ),
];

/** The high half of 64-bit constants. */
export const SECOND: Insn = insn(0, { imm: 0x12 });
const SLOTS_BEFORE = 4;
const zero = (dst: number): Insn => insn(0xb7, { dst });

export interface DisasmRecord {
  readonly kernel: string;
  /** The log's text of every case, or null where the kernel refuses before it prints. */
  readonly texts: readonly (string | null)[];
}

/** Ask the running kernel about every case. */
export function askTexts(): DisasmRecord {
  const cases = DISASM_CASES.map((one, i) => ({
    name: String(i),
    logLevel: 2,
    insns: [
      ...[zero(0), zero(2), zero(3), zero(4), one],
      ...(one.code === LD_IMM64 ? [SECOND] : []),
      ...Array.from({ length: 40 }, () => zero(0)),
      insn(0x95),
    ],
  }));
  const { kernel, answers }: OracleAnswers = askKernel(cases);
  const line = new RegExp(`^${SLOTS_BEFORE}: (\\([0-9a-f]{2}\\) .*?)(?:\\s+;.*)?$`, 'm');
  return { kernel, texts: answers.map(({ log }) => line.exec(log)?.[1] ?? null) };
}
