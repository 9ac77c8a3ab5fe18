/**
 * The seeded generator behind everything random: xoshiro128**, 32 bits a draw, the same on every engine.
 *
 * @spec Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators, 2021
 */
export class Rng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** @param seed any integer; nearby seeds give unrelated streams (splitmix32 fills the state) */
  constructor(seed: number) {
    let s = seed | 0;
    const splitmix = (): number => {
      s = (s + 0x9e3779b9) | 0;
      let z = s ^ (s >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = splitmix();
    this.b = splitmix();
    this.c = splitmix();
    this.d = splitmix() | 1;
  }

  /** 32 random bits as an int32. */
  int32(): number {
    const b5 = Math.imul(this.b, 5);
    const result = Math.imul((b5 << 7) | (b5 >>> 25), 9);
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** 32 random bits as an unsigned number. */
  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A whole number from 0 to `n - 1`; the bias is below n / 2^32. @param n 1 to 2^21 */
  below(n: number): number {
    return Math.floor((this.uint32() * n) / 4294967296);
  }

  /** An independent stream, so that drawing more from one never shifts another. */
  fork(): Rng {
    return new Rng(this.int32());
  }
}
