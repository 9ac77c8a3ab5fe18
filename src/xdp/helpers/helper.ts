/**
 * How engines call a helper or a kernel function.
 *
 * Arguments and result are 32-bit words. A helper that needs more of an argument says so: the
 * engine then leaves the high word in `bpf.hi`, one word per argument, and takes the high word of a
 * 64-bit result from there.
 *
 * @linux struct bpf_func_proto; include/linux/bpf.h
 */
import type { EngineBpf } from '../engine.ts';

export interface Helper {
  /** Number in `enum bpf_func_id`; kernel functions have 0. */
  readonly id: number;
  readonly name: string;
  /** Bit n: argument n is 64 bits wide, and its high word lies in word n of `bpf.hi`. */
  readonly wideArgs: number;
  /** The result's high word lies in word 0 of `bpf.hi`; else the result is a sign-extended word. */
  readonly wideRet: boolean;
  call(bpf: EngineBpf, a1: number, a2: number, a3: number, a4: number, a5: number): number;
}
