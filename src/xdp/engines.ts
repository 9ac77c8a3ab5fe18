/**
 * Engines by name, as commands and options choose them.
 *
 * What the verifier accepted runs without tests, in host memory and nowhere else. Of what nobody has
 * verified every access is tested, and a run is bounded.
 */
import type { Bpf } from './bpf.ts';
import type { BpfRunnable } from './engine.ts';
import { Interpreter } from './interp/interpreter.ts';
import { JitProgram } from './jit/compile.ts';
import type { BpfProgramImage } from './loader/image.ts';
import { BPF_PROG_TYPE_XDP } from './uapi.ts';

export type EngineName = 'jit' | 'interp';

export const ENGINE_NAMES: readonly EngineName[] = ['jit', 'interp'];

/** Some seconds of the slower engine: no program that Linux accepts runs so long on a packet. */
const MAX_INSNS = 2 ** 27;

const BOUNDED = { checked: true, maxInsns: MAX_INSNS } as const;

/** @returns what makes a program ready to run; it throws ProgramRefused */
export function engineNamed(
  name: EngineName,
): (image: BpfProgramImage, bpf: Bpf, verified: boolean) => BpfRunnable {
  if (name === 'interp') return interpreterOf;
  return (image, bpf, verified) =>
    new JitProgram(
      image,
      bpf,
      verified ? { takesXdpMd: image.type === BPF_PROG_TYPE_XDP } : BOUNDED,
    );
}

/** @throws ProgramRefused */
export const interpreterOf = (image: BpfProgramImage, bpf: Bpf, verified: boolean): Interpreter =>
  new Interpreter(image, bpf, verified ? {} : BOUNDED);
