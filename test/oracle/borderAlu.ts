/** The arithmetic of border programs, and the comparisons they branch on. */
import { asm } from '../../src/xdp/isa/asm.ts';
import type { Draft } from './borderDraft.ts';

const ALU = [
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'mul',
  'lsh',
  'rsh',
  'arsh',
  'mov',
  'div',
  'mod',
] as const;
export const JUMPS = [
  'jeq',
  'jne',
  'jgt',
  'jge',
  'jlt',
  'jle',
  'jsgt',
  'jsge',
  'jslt',
  'jsle',
  'jset',
] as const;

export function aluName(d: Draft): (typeof ALU)[number] | `${(typeof ALU)[number]}32` {
  const name = d.pick(ALU);
  return d.chance(40) ? `${name}32` : name;
}

/** Two operands. */
export function alu(d: Draft): void {
  const name = aluName(d);
  const dst = d.number();
  const shift = name.includes('sh');
  const width = name.endsWith('32') ? 32 : 64;
  if (d.chance(50)) {
    const src = d.number();
    if (shift) d.put(asm.and(src, width - 1));
    d.put(asm[name](dst, src));
  } else {
    const imm = shift ? d.below(width) : d.edge();
    d.put(
      asm[name](dst, (name.startsWith('div') || name.startsWith('mod')) && imm === 0 ? 3 : imm),
    );
  }
}

/** One operand, or a widening move. */
export function unary(d: Draft): void {
  const [dst, src] = [d.number(), d.number()];
  const bits = d.pick([8, 16, 32] as const);
  d.put(
    d.pick([
      () => asm.neg(dst),
      () => asm.neg32(dst),
      () => asm.movsx(bits, dst, src),
      () => asm.movsx32(d.pick([8, 16] as const), dst, src),
      () => asm.bswap(d.pick([16, 32, 64] as const), dst),
      () => asm.be(d.pick([16, 32, 64] as const), dst),
      () => asm.le(d.pick([16, 32] as const), dst),
    ])(),
  );
}
