/**
 * What every part of the generator of border programs needs: the seeded choice, the instructions so
 * far, numbers and places on the edge of something.
 */
import { Rng } from '../../src/host/rng.ts';
import type { AsmLine } from '../../src/xdp/isa/asm.ts';
import { REGS, asm } from '../../src/xdp/isa/asm.ts';

export type Register = (typeof REGS)[number];
export type Put = AsmLine | readonly AsmLine[];

export const r = (n: number): Register => REGS[n]!;
export const CTX: Register = r(6);
export const PKT: Register = r(7);
export const END: Register = r(8);
export const VAL: Register = r(9);
export const FP: Register = r(10);

/** Map 0: an array of 4 values of 48 bytes. */
export const VALUE_BYTES = 48;
export const VALUES = 4;
/** Map 1: a hash of 32-bit keys. */
export const HASH_BYTES = 24;
export const HASH_VALUES = 8;
/** Map 2: a ring buffer. */
export const RING_BYTES = 4096;

export const SIZES = ['u8', 'u16', 'u32', 'u64'] as const;
export const BYTES = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;
const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 14, 15, 16, 31, 32, 33, 47, 48, 63, 64, 127, 128, 255, 256, 0xffff, 0x10000,
  0x7fffffff, -1, -2, -8, -16, -128, -0x80000000,
] as const;

export class Draft {
  readonly lines: Put[] = [];
  /** Functions besides the main program, in order: the slot, and whether it stands for itself. */
  readonly functions: { slot: number; global: boolean }[] = [];
  private readonly rng: Rng;
  private labels = 0;

  constructor(seed: number) {
    this.rng = new Rng(seed);
  }

  below(n: number): number {
    return (this.rng.int32() >>> 0) % n;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  edge(): number {
    return this.chance(80) ? this.pick(EDGES) : this.rng.int32();
  }

  put(...lines: Put[]): void {
    this.lines.push(...lines);
  }

  label(): string {
    return `l${this.labels++}`;
  }

  /** Where the next instruction will be. */
  get slot(): number {
    return this.lines.flat().filter((line) => !('label' in line)).length;
  }

  /** One of the registers of numbers. */
  number(): Register {
    return r(this.below(6));
  }

  /** Numbers for all of these again, whatever a call left in them. */
  numbers(from: number): void {
    for (let n = from; n < 6; n++) this.put(asm.mov(r(n), this.edge()));
  }

  /** A place that ends `size` bytes before, at or behind `limit`: mostly inside. */
  near(limit: number, size: number): number {
    if (this.chance(50) && limit > size) return this.below(limit - size + 1);
    return limit - size + (this.chance(85) ? 0 : this.pick([1, -1, 2, -limit]));
  }

  /** A number is bounded, more or less, by a mask or a comparison. */
  bound(reg: Register, most: number): void {
    if (this.chance(40)) {
      this.put(this.chance(50) ? asm.and(reg, most) : asm.and32(reg, most));
    } else {
      const over = most + this.pick([0, 0, 0, 1]);
      const forms = [
        () => asm.jgt(reg, over, 'out'),
        () => asm.jge(reg, over + 1, 'out'),
        () => asm.jgt32(reg, over, 'out'),
        () => asm.jsgt(reg, over, 'out'),
      ];
      this.put(this.pick(forms)());
      if (this.chance(25)) this.put(asm.jslt(reg, 0, 'out'));
    }
  }

  /** Load or store somewhere in, or just behind, the `limit` bytes at `at`. */
  touch(at: Register, limit: number): void {
    const size = this.pick(SIZES);
    const off = this.near(limit, BYTES[size]);
    if (this.chance(50)) this.put(asm.store(size, at, off, this.edge()));
    else this.put(asm.load(size, r(2), at, off));
  }
}
