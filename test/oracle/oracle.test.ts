import { expect, test } from 'vitest';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { askKernel, oracleAbsent } from './oracle.ts';

const insn = (code: number, dst: number, src: number, off: number, imm: number): Insn => ({
  code,
  dst,
  src,
  off,
  imm,
});

const absent = oracleAbsent();
const EXIT = insn(0x95, 0, 0, 0, 0);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const BPF_MAP_TYPE_ARRAY = 2;

test.skipIf(absent !== null)(
  `the kernel judges many programs in one run (${absent ?? 'live'})`,
  () => {
    const { kernel, answers } = askKernel([
      {
        name: 'accepted',
        insns: [insn(0xb7, 0, 0, 0, 2), EXIT],
        packets: [new Uint8Array(14).fill(7)],
      },
      { name: 'r0 unset', insns: [EXIT] },
      // r1 = value of map 0, key 0, by direct access; r0 = *(u32 *)(r1 + 4)
      {
        name: 'map value',
        maps: [
          {
            type: BPF_MAP_TYPE_ARRAY,
            keySize: 4,
            valueSize: 8,
            maxEntries: 1,
            values: [[bytes(0, 0, 0, 0), bytes(1, 0, 0, 0, 3, 0, 0, 0)]],
          },
        ],
        insns: [insn(0x18, 1, 2, 0, 0), insn(0, 0, 0, 0, 0), insn(0x61, 0, 1, 4, 0), EXIT],
        packets: [new Uint8Array(14)],
        dumps: [[0, bytes(0, 0, 0, 0)]],
      },
    ]);
    expect(kernel).toMatch(/^\d+\.\d+/);
    expect(answers.map((answer) => [answer.name, answer.errno])).toEqual([
      ['accepted', 0],
      ['r0_unset', 13],
      ['map_value', 0],
    ]);
    expect(answers[0]!.runs).toMatchObject([{ errno: 0, retval: 2, data: '07'.repeat(14) }]);
    expect(answers[1]!.log).toContain('R0 !read_ok');
    expect(answers[2]!.runs[0]!.retval).toBe(3);
    expect(answers[2]!.dumps).toEqual(['0100000003000000']);
  },
);
