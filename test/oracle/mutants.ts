/**
 * Small cases with a few instructions changed, for both verifiers: registers, offsets, numbers,
 * operations, branch targets; instructions left out, doubled, exchanged, brought in from another case,
 * with branches kept on their targets; other maps, flags, capabilities.
 *
 * One seed and one set of cases, one mutant.
 */
import { Rng } from '../../src/host/rng.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import {
  BPF_CALL,
  BPF_EXIT,
  BPF_JMP,
  BPF_JMP32,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  LD_IMM64,
} from '../../src/xdp/isa/insn.ts';
import {
  GOTOL,
  classOf,
  isKfuncCall,
  isPseudoFunc,
  isSubprogCall,
  opOf,
} from '../../src/xdp/verifier/insnKind.ts';
import { CASE_MAPS } from './caseMaps.ts';
import type { OracleMap } from './oracle.ts';
import type { VerifierCase } from './verifierJudge.ts';

const IMMS = [
  ...[0, 1, -1, 2, 3, 4, 7, 8, 14, 15, 16, 31, 32, 33, 47, 48, 49, 63, 64, 127, 255, 256, 511, 512],
  ...[-2, -4, -8, -16, -64, -512, -513, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[1 << 29, -(1 << 29), 0x7fffffff, -0x80000000, 0x7ffffffe, -0x7fffffff],
];
const OFFS = [
  ...[0, 1, 2, 3, 4, 6, 8, 12, 13, 14, 16, 20, 24, 40, 44, 47, 48, 511, 512, 32767],
  ...[-1, -2, -3, -4, -7, -8, -9, -16, -24, -32, -64, -256, -512, -513, -520, -32768],
];
const CAPS = [undefined, undefined, undefined, 'noperfmon'] as const;
/** BPF_F_STRICT_ALIGNMENT, BPF_F_TEST_STATE_FREQ, BPF_F_TEST_REG_INVARIANTS */
const FLAGS = [0, 0, 0, 0, 1, 8, 9, 0x80];
const PLAIN_MAPS = Object.values(CASE_MAPS).filter(({ innerMap }) => innerMap === undefined);

const isMapRef = ({ code, src }: Insn): boolean =>
  code === LD_IMM64 && (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE);

/** Which field says where it goes, relative to the next instruction. */
function targetField(insn: Insn): 'off' | 'imm' | null {
  if (isSubprogCall(insn) || isPseudoFunc(insn) || insn.code === GOTOL) return 'imm';
  const isJump = classOf(insn) === BPF_JMP || classOf(insn) === BPF_JMP32;
  return isJump && opOf(insn) !== BPF_CALL && opOf(insn) !== BPF_EXIT ? 'off' : null;
}

class Mutant {
  private readonly rng: Rng;
  private insns: Insn[];
  private readonly maps: OracleMap[];
  private readonly kfuncs: string[];

  private readonly base: VerifierCase;
  private readonly donors: readonly VerifierCase[];

  constructor(rng: Rng, base: VerifierCase, donors: readonly VerifierCase[]) {
    this.rng = rng;
    this.base = base;
    this.donors = donors;
    this.insns = [...base.insns];
    this.maps = [...(base.maps ?? [])];
    this.kfuncs = [...(base.kfuncs ?? [])];
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.rng.below(from.length)]!;
  }

  private chance(percent: number): boolean {
    return this.rng.below(100) < percent;
  }

  /** Any slot but the second one of `ld_imm64`. */
  private slot(): number {
    const at = this.rng.below(this.insns.length);
    return at > 0 && this.insns[at - 1]!.code === LD_IMM64 ? at - 1 : at;
  }

  private set(at: number, change: Partial<Insn>): void {
    this.insns[at] = { ...this.insns[at]!, ...change };
  }

  /** Puts `added` in the place of `removed` instructions; branches keep their targets. */
  private splice(at: number, removed: number, added: readonly Insn[]): void {
    const grown = added.length - removed;
    const moved = (slot: number): number => (slot >= at + removed ? slot + grown : slot);
    const kept = this.insns.map((insn, slot): Insn => {
      const field = targetField(insn);
      if (field === null) return insn;
      const target = slot + 1 + insn[field];
      return { ...insn, [field]: moved(target) - moved(slot) - 1 };
    });
    kept.splice(at, removed, ...added);
    this.insns = kept;
  }

  private widthAt(at: number): number {
    return this.insns[at]!.code === LD_IMM64 ? 2 : 1;
  }

  /** A few instructions of another case; what they name comes along. */
  private graft(): Insn[] {
    const donor = this.pick(this.donors);
    const from = this.rng.below(donor.insns.length);
    const to = Math.min(donor.insns.length, from + 1 + this.rng.below(this.chance(70) ? 3 : 9));
    const whole = donor.insns[to - 1]!.code === LD_IMM64 ? to + 1 : to;
    return donor.insns.slice(from, whole).map((insn): Insn => {
      if (isMapRef(insn)) return { ...insn, imm: this.bringMap(donor, insn.imm) };
      if (isKfuncCall(insn))
        return { ...insn, imm: this.kfuncs.push(donor.kfuncs![insn.imm]!) - 1 };
      return insn;
    });
  }

  private bringMap(donor: VerifierCase, number: number): number {
    const map = donor.maps?.[number];
    if (map === undefined) return 0;
    const inner = map.inner === undefined ? {} : { inner: this.bringMap(donor, map.inner) };
    return this.maps.push({ ...map, ...inner }) - 1;
  }

  private changeMap(): void {
    if (this.maps.length === 0) return;
    const at = this.rng.below(this.maps.length);
    const map = this.maps[at]!;
    if (map.inner !== undefined || this.maps.some(({ inner }) => inner === at)) return;
    if (this.chance(50)) {
      this.maps[at] = this.pick(PLAIN_MAPS);
      return;
    }
    const { values: _, ...rest } = map;
    const key = this.pick(['valueSize', 'maxEntries', 'flags'] as const);
    const value = { valueSize: [1, 8, 16, 40, 64], maxEntries: [1, 2, 8], flags: [0, 0x80, 0x100] };
    this.maps[at] = { ...rest, frozen: false, [key]: this.pick(value[key]) };
  }

  /** One change. */
  private step(): void {
    if (this.insns.length === 0) return;
    const at = this.slot();
    const insn = this.insns[at]!;
    switch (this.rng.below(15)) {
      case 0:
        return this.set(at, { dst: this.rng.below(12) });
      case 1:
        if (insn.code !== LD_IMM64 && !isKfuncCall(insn)) this.set(at, { src: this.rng.below(12) });
        return;
      case 2:
        return this.set(at, { off: this.pick(OFFS) });
      case 3:
        return this.set(at, { off: ((insn.off + this.rng.below(5) - 2) << 16) >> 16 });
      case 4:
        if (!isMapRef(insn) && !isKfuncCall(insn)) this.set(at, { imm: this.pick(IMMS) });
        return;
      case 5:
        if (!isMapRef(insn) && !isKfuncCall(insn))
          this.set(at, { imm: (insn.imm + this.rng.below(5) - 2) | 0 });
        return;
      case 6:
        if (insn.code !== LD_IMM64) this.set(at, { code: insn.code ^ (1 << this.rng.below(8)) });
        return;
      case 7:
        if (insn.code !== LD_IMM64)
          this.set(at, { code: (insn.code & 0x0f) | (this.rng.below(16) << 4) });
        return;
      case 8:
        return this.splice(at, this.widthAt(at), []);
      case 9:
        return this.splice(at, 0, this.insns.slice(at, at + this.widthAt(at)));
      case 10:
      case 11:
        return this.splice(at, 0, this.graft());
      case 12: {
        const other = this.slot();
        if (this.widthAt(at) !== 1 || this.widthAt(other) !== 1) return;
        this.insns[at] = this.insns[other]!;
        this.insns[other] = insn;
        return;
      }
      case 13: {
        const field = targetField(insn);
        if (field !== null) this.set(at, { [field]: this.rng.below(this.insns.length) - at - 1 });
        return;
      }
      default:
        this.changeMap();
    }
  }

  /** Can both verifiers be asked? Numbers of maps and kernel functions mean nothing beyond the lists. */
  private get askable(): boolean {
    return (
      this.insns.length > 0 &&
      this.maps.length <= 64 &&
      this.insns.every(
        (insn) =>
          (!isMapRef(insn) || (insn.imm >= 0 && insn.imm < this.maps.length)) &&
          (!isKfuncCall(insn) || insn.off !== 0 || this.kfuncs[insn.imm] !== undefined),
      )
    );
  }

  made(name: string): VerifierCase | null {
    const steps = 1 + this.rng.below(3);
    for (let i = 0; i < steps; i++) this.step();
    if (!this.askable) return null;
    const caps = this.base.caps ?? this.pick(CAPS);
    const flags = this.base.flags ?? this.pick(FLAGS);
    return {
      ...this.base,
      ...{ name, insns: this.insns, maps: this.maps, kfuncs: this.kfuncs, flags, logLevel: 2 },
      ...(caps === undefined ? {} : { caps }),
    };
  }
}

/** @param cases the stock that is changed and taken from */
export function mutant(seed: number, cases: readonly VerifierCase[]): VerifierCase {
  const rng = new Rng(seed);
  for (;;) {
    const base = cases[rng.below(cases.length)]!;
    const made = new Mutant(rng, base, cases).made(`${base.name}~${seed}`);
    if (made !== null) return made;
  }
}
