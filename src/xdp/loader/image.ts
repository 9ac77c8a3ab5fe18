/**
 * A program whose references are all resolved: what engines and the verifier take.
 *
 * `ld_imm64` names maps by live id in the place of a file descriptor: source `BPF_PSEUDO_MAP_FD` or
 * `BPF_PSEUDO_MAP_VALUE`, `imm` the id, and the second slot's `imm` the offset. A call of a kernel
 * function has in `imm` its index in `kfuncs`.
 */
import { printable } from '../../host/errors.ts';
import type { Btf } from '../btf/btf.ts';
import type { EngineImage } from '../engine.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import type { FuncInfo, LineInfo } from './spec.ts';

export interface BpfProgramImage extends EngineImage {
  /** @linux enum bpf_prog_type */
  readonly type: number;
  /** @linux enum bpf_attach_type */
  readonly attachType: number;
  readonly frags: boolean;
  /** May it call what is for programs under the GPL alone? @linux license_is_gpl_compatible */
  readonly gpl: boolean;
  /** Those that it names, each once. */
  readonly maps: readonly BpfMap[];
  readonly kfuncs: readonly string[];
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly btf: Btf | null;
  /** What CO-RE relocated against; `whole`: all types of a kernel, rather than those built in. */
  readonly kernelTypes?: { readonly btf: Btf; readonly whole: boolean };
}

const GPL_COMPATIBLE: readonly string[] = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
];

/** @linux license_is_gpl_compatible; include/linux/license.h */
export const isGplCompatible = (license: string): boolean => GPL_COMPATIBLE.includes(license);

/** An object that is well formed, but cannot be brought to life here. */
export class LoadError extends Error {
  readonly file: string;
  /** Program or map. */
  readonly subject: string;
  readonly reason: string;

  constructor(file: string, subject: string, reason: string) {
    super(printable(`${file}: ${subject}: ${reason}`));
    this.name = 'LoadError';
    this.file = file;
    this.subject = subject;
    this.reason = reason;
  }
}
