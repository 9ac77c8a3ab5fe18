/** The verifier where programs are loaded: real objects pass, and what Linux would refuse is named. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { REGS, asm, assemble } from '../../../src/xdp/isa/asm.ts';
import { loadCollection } from '../../../src/xdp/loader/load.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { VerifierError, checkProgram, verify } from '../../../src/xdp/verifier/verify.ts';

const R0 = REGS[0]!;
const R2 = REGS[2]!;

const specOf = (path: string): ReturnType<typeof parseElf> =>
  parseElf(readFileSync(new URL(`../../../${path}`, import.meta.url)), { file: path });

it('a real object is accepted as the kernel accepts it', () => {
  const spec = specOf('examples/bpf/ddos_filter.o');
  const processed: number[] = [];
  loadCollection(spec, standaloneBpf({ mapBytes: 1 << 26 }), {
    verify: (image, bpf) => {
      processed.push(verify(image, bpf).processed);
      return checkProgram(image, bpf);
    },
  });
  // what Linux 6.18 says: "processed 318 insns"
  expect(processed).toEqual([318]);
});

it('a program that Linux would refuse is not loaded', () => {
  const spec = specOf('examples/bpf/ddos_filter.o');
  const program = spec.programs['ddos_filter']!;
  // the lines of the C program do not fit any more
  Object.assign(program, { funcInfo: [], lineInfo: [] });
  program.insns = assemble([asm.mov(R0, R2), asm.exit()]);
  program.refs.clear();
  const load = (): unknown =>
    loadCollection(spec, standaloneBpf({ mapBytes: 1 << 26 }), { verify: checkProgram });
  expect(load).toThrow(VerifierError);
  expect(load).toThrow('program ddos_filter, instruction 0: R2 !read_ok (EACCES)');
});

it('what no path reaches does not run, and is not asked about', () => {
  const spec = specOf('examples/bpf/ddos_filter.o');
  const program = spec.programs['ddos_filter']!;
  Object.assign(program, { funcInfo: [], lineInfo: [] });
  const unknownHelper = 9999;
  program.insns = assemble([
    asm.mov(R0, 2),
    asm.jeq(R0, 2, 'out'),
    asm.call(unknownHelper),
    asm.label('out'),
    asm.exit(),
  ]);
  program.refs.clear();
  const bpf = standaloneBpf({ mapBytes: 1 << 26 });
  const { programs } = loadCollection(spec, bpf, { verify: checkProgram });
  expect(programs['ddos_filter']!.image.insns.map(({ code, off }) => [code, off])).toEqual([
    [0xb7, 0],
    [0x05, 1],
    [0x05, -1],
    [0x95, 0],
  ]);
  expect(programs['ddos_filter']!.run(0)).toBe(2);
});
