/** bpf_xdp_adjust_head, which verified programs do on the spot: as the helper, which Linux judged. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bpfXdpAdjustHead } from '../../../src/xdp/adjust.ts';
import {
  XDP_MD_BYTES,
  setXdpDataMeta,
  xdpInitBuff,
  xdpPrepareBuff,
} from '../../../src/xdp/xdpBuff.ts';
import { EXIT, insn } from '../interp/rig.ts';
import { jitRig } from './rig.ts';

const HEADROOM = 256;

const rig = jitRig();
const { mem } = rig.bpf;
const [md, buffer] = [rig.page, rig.page + 4096];

function packet(len: number, metasize: number, metaValid: boolean): void {
  const { words, u8 } = mem;
  for (let i = 0; i < 1024; i++) u8[buffer + i] = i & 0xff;
  xdpInitBuff(words, md, 4096, 2, 0);
  xdpPrepareBuff(words, md, buffer, HEADROOM, len, metaValid);
  if (metasize > 0) setXdpDataMeta(words, md, buffer + HEADROOM - metasize);
}

const seen = (): string =>
  [...mem.u8.subarray(md, md + XDP_MD_BYTES), ...mem.u8.subarray(buffer, buffer + 1024)].join();

test('compiled and called, it does the same', () => {
  const programs = new Map<number, ReturnType<typeof rig.compile>>();
  const compiled = (delta: number): ReturnType<typeof rig.compile> => {
    const known =
      programs.get(delta) ??
      rig.compile([insn(0xb7, { dst: 2, imm: delta }), insn(0x85, { imm: 44 }), EXIT]);
    programs.set(delta, known);
    return known;
  };
  const edge = fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -257, -217, -216, -215, -1, 0, 1, 46, 47);
  fc.assert(
    fc.property(
      fc.oneof(edge, fc.integer({ min: -300, max: 80 })),
      fc.integer({ min: 14, max: 60 }),
      fc.constantFrom(0, 0, 4, 32),
      fc.boolean(),
      (delta, len, meta, valid) => {
        const metasize = valid ? meta : 0;
        packet(len, metasize, valid);
        const wanted = bpfXdpAdjustHead(mem, md, delta);
        const after = seen();
        packet(len, metasize, valid);
        expect(compiled(delta).run(md)).toBe(wanted);
        expect(seen()).toBe(after);
      },
    ),
    { numRuns: 1000 },
  );
});

test('however often a program calls it', () => {
  const calls = Array.from({ length: 13_000 }, () => insn(0x85, { imm: 44 }));
  packet(60, 0, true);
  const start = seen();
  expect(rig.compile([insn(0xb7, { dst: 2 }), ...calls, EXIT]).run(md)).toBe(0);
  expect(seen()).toBe(start);
});
