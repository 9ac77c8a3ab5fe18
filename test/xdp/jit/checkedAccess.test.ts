/** What checked mode lets pass by its own tests is what `ProgramMemory` allows, and nothing else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CALL_CHAIN_BYTES } from '../../../src/xdp/engine.ts';
import { ProgramMemory } from '../../../src/xdp/programMemory.ts';
import { EXIT, insn } from '../interp/rig.ts';
import { jitRig } from './rig.ts';

const rig = jitRig();
const { bpf } = rig;
const BLOCK_BYTES = 64;
const block = rig.openBlock(BLOCK_BYTES);
const md = rig.page;
const data = rig.page + 4096;
const DATA_BYTES = 61;
const META_BYTES = 12;
const reach = new ProgramMemory(bpf);

/** By size of the access: r0 = the number at the address that lies in the word behind the packet. */
const READS = [0x71, 0x69, 0x61, 0x79];
const WRITES = [0x72, 0x6a, 0x62, 0x7a];
const SIZES = [1, 2, 4, 8];
const ADDRESS = block + BLOCK_BYTES - 8;
const toAddress = [insn(0x18, { dst: 2, imm: ADDRESS }), insn(0), insn(0x79, { dst: 2, src: 2 })];
const program = (access: ReturnType<typeof insn>): ReturnType<typeof rig.compile> =>
  rig.compile([...toAddress, access, insn(0xb7), EXIT], { checked: true });
const reads = READS.map((code) => program(insn(code, { src: 2 })));
const writes = WRITES.map((code) => program(insn(code, { dst: 2, imm: 0 })));

const edges = [
  md,
  md + 24,
  data - META_BYTES,
  data,
  data + DATA_BYTES,
  bpf.stackTop,
  bpf.stackTop - CALL_CHAIN_BYTES,
  block,
  block + BLOCK_BYTES,
  0,
  4096,
  bpf.mem.bytes,
  2 ** 32,
];

test('reads and writes around every edge', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...edges),
      fc.integer({ min: -12, max: 12 }),
      fc.constantFrom(0n, 0n, 0n, 1n, 0xffffffffn, 0x80000000n),
      fc.nat(3),
      fc.boolean(),
      (edge, by, high, size, isWrite) => {
        const at = BigInt.asUintN(64, BigInt(edge + by) + (high << 32n));
        // a write at the very end of the map's block would change the address itself
        fc.pre(!isWrite || edge !== block + BLOCK_BYTES);
        bpf.mem.fill(md, 24, 0);
        bpf.mem.words.set([data, data + DATA_BYTES, data - META_BYTES], md >> 2);
        bpf.mem.view.setBigUint64(ADDRESS, at, true);
        reach.context(md);
        const allowed =
          at < BigInt(bpf.mem.bytes) && reach.allows(Number(at), SIZES[size]!, isWrite);
        const run = (): number => (isWrite ? writes : reads)[size]!.run(md);
        if (allowed) expect(run()).toBe(0);
        else expect(run).toThrow(isWrite ? 'writes' : 'reads');
      },
    ),
    { numRuns: 4000 },
  );
});
