import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assembleClang } from '../../../src/xdp/isa/asmClang.ts';
import { disasm } from '../../../src/xdp/isa/disasm.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { encodeInsns } from '../../../src/xdp/isa/insn.ts';
import { malformed } from '../../../src/xdp/isa/wellFormed.ts';
import { DISASM_CASES } from '../../oracle/disasmCases.ts';

const hex = (insns: readonly Insn[]): string => Buffer.from(encodeInsns(insns)).toString('hex');

const fromClang = readFileSync(new URL('../../vectors/asm/clang.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^[0-9a-f]/.test(line))
  .map((line) => ({
    bytes: line.slice(0, line.indexOf(' ')),
    text: line.slice(line.indexOf(' ') + 1),
  }));

test.each(fromClang)('as clang assembles: $text', ({ bytes, text }) => {
  expect(hex(assembleClang(text))).toBe(bytes);
});

test('the disassembler’s text goes back to an instruction of the same text', () => {
  const EXIT: Insn = { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 };
  const around = Array.from({ length: 300 }, () => EXIT);
  // a constant that may be a pointer, an unnamed callee, and a code that Linux prints as another
  const unlike = ({ code, src }: Insn): boolean =>
    code === 0x18 || code === 0x8d || (code === 0x85 && src === 2);
  const cases = DISASM_CASES.filter(
    (insn) => !unlike(insn) && malformed([...around, insn, ...around]) === null,
  );
  expect(cases.length).toBeGreaterThan(700);
  for (const insn of cases) {
    const text = disasm(insn, undefined);
    expect(disasm(assembleClang(text.slice(5))[0]!, undefined)).toBe(text);
  }
});

test('labels, directives and comments, as clang writes them', () => {
  const text = [
    '\t.text',
    '\t.globl\tf                       # -- Begin function f',
    'f:                                 # @f',
    '\tr0 = 0; the verdict',
    '\tif r1 == 0 goto LBB0_2 // leave',
    '\tcall g',
    'LBB0_2:',
    '\tgotol f',
    'g:',
    '\texit',
  ];
  expect(
    assembleClang(text.join('\n')).map(({ code, src, off, imm }) => [code, src, off, imm]),
  ).toEqual([
    [0xb7, 0, 0, 0],
    [0x15, 0, 1, 0],
    [0x85, 1, 0, 1],
    [0x06, 0, 0, -4],
    [0x95, 0, 0, 0],
  ]);
});

describe('what cannot be understood', () => {
  test.each([
    ['r1 = r2 + r3', 'no instruction has this form'],
    ['r1 = w2', 'a 64-bit and a 32-bit register in one operation'],
    ['w1 = (s32)w2', '32 bits are all of a w register'],
    ['r11 = 0', 'there is no register 11'],
    ['r1 ~= 5', 'no instruction has this form'],
    ['r1 s+= 5', 'no operation s+='],
    ['if r1 =! 5 goto +1', 'no instruction has this form'],
    ['r1 = 0x1ffffffff', 'constant: 8589934591 is out of range'],
  ])('%s', (line, reason) => {
    expect(() => assembleClang(`exit\n${line}`)).toThrow(`line 2, ${line}: ${reason}`);
  });
});
