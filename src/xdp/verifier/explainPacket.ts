/** Explanations of refused packet accesses: not compared, compared too far out, compared the wrong way round. */
import type { Rule, RuleFacts } from './explainRules.ts';
import type { Reg } from './reg.ts';
import { BEYOND_PKT_END, AT_PKT_END } from './reg.ts';
import { typeIsPktPointer } from './regTypes.ts';
import { sized } from './sized.ts';

/** Further out, comparisons with the end tell nothing. @linux MAX_PACKET_OFF */
const MAX_PACKET_OFF = 0xffffn;
/** A branch that a path takes so often is a loop's. */
const LOOP_TURNS = 64;

const OUTSIDE =
  /invalid access to packet, off=(-?\d+) size=(\d+), R(\d+)\(id=(\d+),off=(-?\d+),r=(\d+)\)/;

const farthest = (reg: Reg): bigint => reg.bounds.umax + BigInt(reg.off);

/** May the pointer lie further out than a comparison can tell? */
export const tooFar = (reg: Reg): boolean => farthest(reg) > MAX_PACKET_OFF;

/** The pointer's own offset: messages count from the start of the packet, or from where a variable was added. */
const ownOffset = (register: number, { reg }: RuleFacts): number => reg(register)?.off ?? 0;

/** A branch was taken again and again. */
function loops({ branches }: RuleFacts): boolean {
  const last = branches.at(-1);
  return (
    last !== undefined &&
    branches.slice(-LOOP_TURNS * 8).filter(({ slot }) => slot === last.slot).length >= LOOP_TURNS
  );
}

/** Another copy of the pointer was compared, and this path is the one on which it is not inside. */
const wrongSide = (register: number, { reg, regs }: RuleFacts): boolean => {
  const used = reg(register);
  return (
    used !== null &&
    regs.some(
      (other) =>
        typeIsPktPointer(other.type) &&
        other.id === used.id &&
        (other.range === BEYOND_PKT_END || other.range === AT_PKT_END),
    )
  );
};

const compareCure = (register: number, off: number, size: number, facts: RuleFacts): string =>
  `Compare on every path before the access: if (ptr + ${off - ownOffset(register, facts) + size} > data_end) return XDP_PASS; ` +
  'with the very pointer that is then used. A call that may move the packet (bpf_xdp_adjust_head and others) undoes comparisons: load data and data_end again after it.';

export const PACKET_RULES: readonly Rule[] = [
  {
    says: /R(\d+) offset is outside of the packet/,
    when: (m, facts) => {
      const reg = facts.reg(Number(m[1]));
      return reg !== null && tooFar(reg) && loops(facts);
    },
    why: (m, { held }) =>
      `Nothing but data_end ends the loop: after many turns R${m[1]} holds ${held(Number(m[1]))}. Beyond 65535 bytes a comparison with data_end tells the verifier nothing.`,
    cure: 'Bound the turns by a constant, and compare inside the loop: for (int i = 0; i < 1500; i++) { if (p + 1 > data_end) break; … }. For long loops use bpf_loop, or let a helper do it (bpf_csum_diff, bpf_xdp_load_bytes).',
  },
  {
    says: /R(\d+) offset is outside of the packet/,
    when: (m, { reg }) => {
      const used = reg(Number(m[1]));
      return used !== null && tooFar(used);
    },
    why: (m, { held }) =>
      `R${m[1]} holds ${held(Number(m[1]))}. For a pointer that may lie more than 65535 bytes into the packet, a comparison with data_end tells the verifier nothing, even where the program has one.`,
    cure: 'Bound the number before it is added to the pointer: if (off > 1500) return XDP_PASS; or off &= 0x7fff; and then compare the sum with data_end as before.',
  },
  {
    says: OUTSIDE,
    when: (m) => Number(m[1]) < 0,
    why: (m) =>
      `The program uses ${sized(Number(m[2]))} at offset ${m[1]} of R${m[3]}, before the start of the packet.`,
    cure: 'Reach for bytes before data with bpf_xdp_adjust_head or bpf_xdp_adjust_meta, and compare anew.',
  },
  {
    says: OUTSIDE,
    when: (m, facts) => Number(m[6]) === 0 && wrongSide(Number(m[3]), facts),
    why: (m, { branches }) => {
      const line = branches.at(-1)?.source?.line;
      const where = line === undefined ? 'The comparison' : `The comparison at line ${line}`;
      return `${where} with data_end does not hold on this path: it says that R${m[3]} has enough bytes on the other path, and nothing of this one, where ${sized(Number(m[2]))} of the packet are used.`;
    },
    cure: (m, facts) =>
      `Turn the comparison round. ${compareCure(Number(m[3]), Number(m[1]), Number(m[2]), facts)}`,
  },
  {
    says: OUTSIDE,
    why: (m, facts) => {
      const own = ownOffset(Number(m[3]), facts);
      const [off, size, range] = [Number(m[1]) - own, Number(m[2]), Number(m[6]) - own];
      const known =
        range <= 0 ? 'no byte is' : `only ${sized(range)} ${range === 1 ? 'is' : 'are'}`;
      return `The program uses ${sized(size)} of the packet at offset ${off} of the pointer, but on this path ${known} known to lie before data_end. A packet may be that short.`;
    },
    cure: (m, facts) => compareCure(Number(m[3]), Number(m[1]), Number(m[2]), facts),
  },
  {
    says: /R(\d+) offset is outside of the packet/,
    why: (m, { held }) =>
      `R${m[1]} holds ${held(Number(m[1]))}: the bytes used are not known to be inside the packet.`,
    cure: 'Compare the very pointer that is used with data_end, on the path where it is used; it is inside where the comparison says "not beyond".',
  },
];
