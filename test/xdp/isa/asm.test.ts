/** Encodings written out from RFC 9669's tables, for both ways to write a program. */
import { describe, expect, test } from 'vitest';
import { RangeRefused } from '../../../src/host/errors.ts';
import type { AsmLine } from '../../../src/xdp/isa/asm.ts';
import { LabelError, REGS, asm, assemble } from '../../../src/xdp/isa/asm.ts';
import { assembleConformance } from '../../../src/xdp/isa/asmConformance.ts';
import { AsmError } from '../../../src/xdp/isa/asmError.ts';
import type { Insn } from '../../../src/xdp/isa/insn.ts';
import { encodeInsns } from '../../../src/xdp/isa/insn.ts';

const [R0, R1, R2] = REGS as [(typeof REGS)[0], (typeof REGS)[0], (typeof REGS)[0]];
const R10 = REGS[10]!;

const hex = (insns: readonly Insn[]): string => Buffer.from(encodeInsns(insns)).toString('hex');

/** The call, the line of text where the suite has one, and the bytes. */
const BOTH: readonly [AsmLine | AsmLine[], string | null, string][] = [
  [asm.add(R1, 5), 'add %r1, 5', '0701000005000000'],
  [asm.add32(R1, R2), 'add32 %r1, %r2', '0c21000000000000'],
  [asm.sub(R1, -1), 'sub %r1, -1', '17010000ffffffff'],
  [asm.mul(R1, R2), 'mul %r1, %r2', '2f21000000000000'],
  [asm.div(R1, 2), 'div %r1, 2', '3701000002000000'],
  [asm.sdiv32(R1, R2), 'sdiv32 %r1, %r2', '3c21010000000000'],
  [asm.or(R1, 0xffffffff), 'or %r1, 0xffffffff', '47010000ffffffff'],
  [asm.and32(R1, 15), 'and32 %r1, 0xf', '540100000f000000'],
  [asm.lsh(R1, 3), 'lsh %r1, 3', '6701000003000000'],
  [asm.rsh32(R1, R2), 'rsh32 %r1, %r2', '7c21000000000000'],
  [asm.neg(R1), 'neg %r1', '8701000000000000'],
  [asm.neg32(R1), 'neg32 %r1', '8401000000000000'],
  [asm.mod(R1, 7), 'mod %r1, 7', '9701000007000000'],
  [asm.smod(R1, R2), 'smod %r1, %r2', '9f21010000000000'],
  [asm.xor(R1, R2), 'xor %r1, %r2', 'af21000000000000'],
  [asm.mov(R1, 1), 'mov %r1, 1', 'b701000001000000'],
  [asm.mov32(R1, R2), 'mov32 %r1, %r2', 'bc21000000000000'],
  [asm.arsh(R1, 63), 'arsh %r1, 63', 'c70100003f000000'],
  [asm.movsx(8, R1, R2), 'movsx864 %r1, %r2', 'bf21080000000000'],
  [asm.movsx(32, R1, R2), 'movsx3264 %r1, %r2', 'bf21200000000000'],
  [asm.movsx32(16, R1, R2), 'movsx1632 %r1, %r2', 'bc21100000000000'],
  [asm.le(16, R1), 'le16 %r1', 'd401000010000000'],
  [asm.be(32, R1), 'be32 %r1', 'dc01000020000000'],
  [asm.bswap(64, R1), 'swap64 %r1', 'd701000040000000'],
  [asm.load('u8', R1, R2, 1), 'ldxb %r1, [%r2+1]', '7121010000000000'],
  [asm.load('u16', R1, R2, -2), 'ldxh %r1, [%r2-2]', '6921feff00000000'],
  [asm.load('u32', R1, R2, 0), 'ldxw %r1, [%r2]', '6121000000000000'],
  [asm.load('u64', R1, R10, -0x10), 'ldxdw %r1, [%r10-0x10]', '79a1f0ff00000000'],
  [asm.load('s8', R1, R2, 0), 'ldxsb %r1, [%r2]', '9121000000000000'],
  [asm.load('s16', R1, R2, 0), 'ldxsh %r1, [%r2]', '8921000000000000'],
  [asm.load('s32', R1, R2, 0), 'ldxsw %r1, [%r2]', '8121000000000000'],
  [asm.store('u8', R10, -1, 7), 'stb [%r10-1], 7', '720affff07000000'],
  [asm.store('u64', R10, -8, -1), 'stdw [%r10-8], -1', '7a0af8ffffffffff'],
  [asm.store('u16', R10, -2, R1), 'stxh [%r10-2], %r1', '6b1afeff00000000'],
  [asm.store('u32', R10, -4, R1), 'stxw [%r10-4], %r1', '631afcff00000000'],
  [asm.atomic('add', 'u32', R10, -4, R1), 'lock add32 [%r10-4], %r1', 'c31afcff00000000'],
  [asm.fetch('xor', 'u64', R10, -8, R1), 'lock fetch xor [%r10-8], %r1', 'db1af8ffa1000000'],
  [asm.xchg('u64', R10, -8, R1), 'lock xchg [%r10-8], %r1', 'db1af8ffe1000000'],
  [asm.cmpxchg('u32', R10, -4, R1), 'lock cmpxchg32 [%r10-4], %r1', 'c31afcfff1000000'],
  [asm.loadAcquire('u16', R1, R2, 4), null, 'cb21040000010000'],
  [asm.storeRelease('u8', R10, -1, R1), null, 'd31affff10010000'],
  [
    asm.imm64(R1, 0x1122334455667788n),
    'lddw %r1, 0x1122334455667788',
    '18010000887766550000000044332211',
  ],
  [asm.mapPtr(R1, 3), null, '18110000030000000000000000000000'],
  [asm.mapValue(R1, 3, 8), null, '18210000030000000000000008000000'],
  [asm.func(R1, 2), null, '18410000020000000000000000000000'],
  [asm.ja(-2), 'ja -2', '0500feff00000000'],
  [asm.ja32(70000), 'ja32 +70000', '0600000070110100'],
  [asm.jeq(R1, R2, 3), 'jeq %r1, %r2, +3', '1d21030000000000'],
  [asm.jsgt32(R1, -5, 3), 'jsgt32 %r1, -5, +3', '66010300fbffffff'],
  [asm.jset(R1, 1, 0), 'jset %r1, 1, +0', '4501000001000000'],
  [asm.jlt(R1, R2, 1), 'jlt %r1, %r2, +1', 'ad21010000000000'],
  [asm.jsle32(R1, R2, 1), 'jsle32 %r1, %r2, +1', 'de21010000000000'],
  [asm.mayGoto(4), null, 'e500040000000000'],
  [asm.call(12), 'call 12', '850000000c000000'],
  [asm.callLocal(-3), 'call local -3', '85100000fdffffff'],
  [asm.callKfunc(77), 'call runtime 77', '852000004d000000'],
  [asm.callx(R2), 'call %r2', '8d02000000000000'],
  [asm.exit(), 'exit', '9500000000000000'],
];

test.each(BOTH)('%#: %o', (call, text, bytes) => {
  expect(hex(assemble([call]))).toBe(bytes);
  if (text !== null) expect(hex(assembleConformance(text))).toBe(bytes);
});

describe('labels', () => {
  test('count slots, of which a 64-bit constant takes two', () => {
    const program = [
      asm.label('top'),
      asm.jeq(R0, 0, 'out'),
      asm.imm64(R0, 0n),
      asm.callLocal('top'),
      asm.func(R0, 'out'),
      asm.ja('top'),
      asm.label('out'),
      asm.exit(),
    ];
    const distances = assemble(program).map(({ code, off, imm }) => [code, off, imm]);
    expect(distances).toEqual([
      [0x15, 6, 0],
      ...[
        [0x18, 0, 0],
        [0, 0, 0],
      ],
      [0x85, 0, -4],
      ...[
        [0x18, 0, 2],
        [0, 0, 0],
      ],
      [0x05, -7, 0],
      [0x95, 0, 0],
    ]);
  });

  test('that are missing, stand twice or lie too far away are refused by name', () => {
    expect(() => assemble([asm.ja('nowhere')])).toThrow(new LabelError('no label nowhere'));
    const twice = [asm.label('a'), asm.label('a')];
    expect(() => assemble(twice)).toThrow(new LabelError('label a stands twice'));
    const far = [
      asm.ja('end'),
      ...Array.from({ length: 32768 }, () => asm.exit()),
      asm.label('end'),
    ];
    expect(() => assemble(far)).toThrow(RangeRefused);
    expect(assemble([asm.ja32('end'), ...far.slice(1)])[0]).toMatchObject({ imm: 32768 });
  });

  test('in text: `exit` is the first exit, and comments count for nothing', () => {
    const text = 'jne %r0, 0, exit # leave\n\nexit\nmov %r0, 1\nexit';
    expect(assembleConformance(text).map(({ off }) => off)).toEqual([0, 0, 0, 0]);
    expect(assembleConformance(`ja exit\nmov %r0, 1\n${text}`)[0]!.off).toBe(2);
  });
});

describe('what cannot be understood', () => {
  test.each([
    ['mov %r0', 'mov takes 2 operands, not 1'],
    ['mov %x0, 1', '%x0 is no register'],
    ['mov %r0, five', 'five is no number'],
    ['mov %r0, 0x123456789', '0x123456789 does not fit 32 bits'],
    ['ldxw %r0, %r1', '%r1 is no address'],
    ['ldxw %r0, [%r1+40000]', 'offset: 40000 is out of range'],
    ['stxsb [%r1], %r0', 'no instruction stxsb'],
    ['movsx3232 %r0, %r1', 'no instruction movsx3232'],
    ['lock nand [%r1], %r0', 'no atomic operation nand'],
    ['frobnicate %r0', 'no instruction frobnicate'],
  ])('%s', (line, reason) => {
    const text = `exit\n${line}`;
    expect(() => assembleConformance(text)).toThrow(AsmError);
    expect(() => assembleConformance(text)).toThrow(`line 2, ${line}: ${reason}`);
  });

  test('constants and offsets outside their fields', () => {
    expect(() => asm.mov(R0, 2 ** 32)).toThrow(RangeRefused);
    expect(() => asm.mov(R0, 0.5)).toThrow(RangeRefused);
    expect(() => asm.store('u8', R10, 32768, 0)).toThrow(RangeRefused);
  });
});
