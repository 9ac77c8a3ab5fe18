/**
 * What the compiler makes of a program, for people to read: every WebAssembly function of its module
 * as text, with the instruction of the program that each part is the code of.
 */
import type { WasmFunction } from '../../host/wasmText.ts';
import { wasmText } from '../../host/wasmText.ts';
import type { BpfProgramImage } from '../loader/image.ts';
import { HELPERS } from '../helpers/table.ts';
import { BPF_PROG_TYPE_XDP } from '../uapi.ts';
import { writeModule } from './compile.ts';
import type { JitBpf } from './jitBpf.ts';
import { runStateOf } from './runState.ts';
import type { CodeOrigin } from './unit.ts';
import { Unit } from './unit.ts';

export interface JitedFunction extends WasmFunction {
  readonly name: string;
  /** Names of parameters and locals. */
  readonly names: readonly string[];
  /** Where each instruction's code begins; empty for what the compiler adds. */
  readonly starts: CodeOrigin['starts'];
}

export interface Jited {
  /** Size of the module. */
  readonly bytes: number;
  readonly functions: readonly JitedFunction[];
}

/**
 * @param checked as it is compiled when nobody has verified it
 * @throws ProgramRefused when it cannot be compiled
 */
export function jited(image: BpfProgramImage, bpf: JitBpf, checked: boolean): Jited {
  const origins: CodeOrigin[] = [];
  const unit = new Unit(image, bpf, {
    checked,
    takesXdpMd: !checked && image.type === BPF_PROG_TYPE_XDP,
    helpers: HELPERS,
    maxInsns: 2 ** 27,
    resume: nothing,
    reach: runStateOf(bpf, checked).reach,
    tailTarget: () => 0,
    origins,
  });
  const bytes = writeModule(unit, false);
  const byOwn = new Map(origins.map((origin) => [origin.own, origin]));
  const names = new Map(image.funcInfo.map(({ slot, name }) => [slot, name]));
  const nameOf = (own: number): string | undefined => {
    const slot = byOwn.get(own)?.slot;
    return slot === undefined ? undefined : (names.get(slot) ?? `function ${slot}`);
  };
  const functions = wasmText(bytes, {
    function: nameOf,
    local: (own, index) => byOwn.get(own)?.locals[index],
  }).map((func) => ({
    ...func,
    name: nameOf(func.own) ?? func.exported ?? 'access',
    names: byOwn.get(func.own)?.locals ?? [],
    starts: byOwn.get(func.own)?.starts ?? [],
  }));
  return { bytes: bytes.length, functions };
}

const nothing = (): void => undefined;
