/** Our text of every instruction against the verifier's log of Linux, recorded, and live where there is a kernel to ask. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { disasm } from '../../../src/xdp/isa/disasm.ts';
import type { DisasmRecord } from '../../oracle/disasmCases.ts';
import { DISASM_CASES, SECOND, askTexts } from '../../oracle/disasmCases.ts';
import { oracleAbsent } from '../../oracle/oracle.ts';

const VECTORS = new URL('../../vectors/disasm.json', import.meta.url);
const record = JSON.parse(readFileSync(VECTORS, 'utf8')) as DisasmRecord;
/** The helper that the cases call. */
const HELPER_NAMES: Readonly<Record<number, string>> = { 1: 'bpf_map_lookup_elem' };
const names = { helper: (id: number) => HELPER_NAMES[id] };

describe('as the verifier prints it', () => {
  const printed = DISASM_CASES.flatMap((insn, i) => {
    const text = record.texts[i];
    return typeof text === 'string' ? [{ insn, text }] : [];
  });

  test(`every instruction that Linux ${record.kernel} prints`, () => {
    expect(record.texts.length).toBe(DISASM_CASES.length);
    expect(printed.length).toBeGreaterThan(1000);
    const wrong = printed
      .map(({ insn, text }) => ({ text, ours: disasm(insn, SECOND, names) }))
      .filter(({ text, ours }) => text !== ours);
    expect(wrong).toEqual([]);
  });

  test.skipIf(oracleAbsent() !== null)('the record is what the running kernel says', () => {
    expect(askTexts().texts).toEqual(record.texts);
  });
});

describe('what the bits do not say', () => {
  const insn = (code: number, src: number, imm: number): Parameters<typeof disasm>[0] => ({
    ...{ code, dst: 1, src, off: 0, imm },
  });

  test('names of helpers and kernel functions', () => {
    expect(disasm(insn(0x85, 0, 9999), undefined)).toBe('(85) call unknown#9999');
    const kfunc = { kfunc: () => 'bpf_dynptr_slice' };
    expect(disasm(insn(0x85, 2, 81234), undefined, kfunc)).toBe('(85) call bpf_dynptr_slice#81234');
    expect(disasm(insn(0x85, 1, -7), undefined)).toBe('(85) call pc-7');
  });

  test('what a 64-bit constant stands for', () => {
    const map = insn(0x18, 1, 3);
    expect(disasm(map, SECOND, { imm64: () => 0x5000n })).toBe('(18) r1 = 0x5000');
    expect(disasm(map, SECOND)).toBe('(18) r1 = 0x1200000003');
  });
});
