/**
 * Engines by name, as commands and options choose them.
 *
 * Nobody has verified these programs, so every access is tested and a run is bounded.
 */
import type { Bpf } from './bpf.ts';
import type { BpfRunnable } from './engine.ts';
import { Interpreter } from './interp/interpreter.ts';
import { JitProgram } from './jit/compile.ts';
import type { BpfProgramImage } from './loader/image.ts';

export type EngineName = 'jit' | 'interp';

export const ENGINE_NAMES: readonly EngineName[] = ['jit', 'interp'];

/** Some seconds of the slower engine: no program that Linux accepts runs so long on a packet. */
const MAX_INSNS = 2 ** 27;

const BOUNDED = { checked: true, maxInsns: MAX_INSNS } as const;

/** @returns what makes a program ready to run; it throws ProgramRefused */
export function engineNamed(name: EngineName): (image: BpfProgramImage, bpf: Bpf) => BpfRunnable {
  if (name === 'jit') return (image, bpf) => new JitProgram(image, bpf, BOUNDED);
  return (image, bpf) => new Interpreter(image, bpf, BOUNDED);
}
