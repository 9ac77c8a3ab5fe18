/** What Linux's verifier would say of the programs of an object file. */
import { kfuncImm } from '../xdp/helpers/kfuncProtos.ts';
import { collectionMapMemory } from '../xdp/loader/createMaps.ts';
import { describedMaps } from '../xdp/loader/describedMaps.ts';
import type { BpfProgramImage } from '../xdp/loader/image.ts';
import { loadCollection, tailCallTargets } from '../xdp/loader/load.ts';
import type { CollectionSpec, LineInfo, ProgramSpec } from '../xdp/loader/spec.ts';
import { standaloneBpf } from '../xdp/standalone.ts';
import type { Explanation } from '../xdp/verifier/explain.ts';
import { verify } from '../xdp/verifier/verify.ts';

export interface ProgramVerdict {
  readonly program: string;
  readonly section: string;
  readonly accepted: boolean;
  readonly insns: number;
  /** Instructions walked, on all paths together. */
  readonly processed: number;
  /** Why it is refused; empty when it is not. */
  readonly message: string;
  /** Where: the instruction, and the line it came from. */
  readonly slot: number | null;
  readonly source: Omit<LineInfo, 'slot'> | null;
  /** What the refusal means, and what mends it; null when there is none. */
  readonly explanation: Explanation | null;
  readonly log: string;
}

export interface VerifyObjectOptions {
  /** Bits as in `bpf(2)`: 1 paths to a refusal, 2 everything, 4 statistics; unless set, the log of a refusal. */
  readonly logLevel?: number;
}

/** Of the machine that is asked about: with one, the number of the CPU would decide comparisons. */
const CPUS = 2;

/** Stands in for an engine where nothing is going to run. */
const NEVER_RUN = { run: () => 0, r0Hi: 0 };

/** @throws LoadError, MapError when the programs' surroundings cannot be made */
export function verifyObject(
  spec: CollectionSpec,
  programs: readonly ProgramSpec[],
  options: VerifyObjectOptions = {},
): ProgramVerdict[] {
  const verdicts: ProgramVerdict[] = [];
  const bpf = standaloneBpf({ mapBytes: collectionMapMemory(spec, CPUS), cpus: CPUS });
  loadCollection(spec, bpf, {
    maps: describedMaps(spec, bpf),
    programs: [...new Set([...programs.map(({ name }) => name), ...tailCallTargets(spec)])],
    engine: () => NEVER_RUN,
    hasKfunc: (name) => kfuncImm(name) !== 0, // nothing runs: it is enough that the verifier knows it
    verify(image) {
      const asked = programs.find(({ name }) => name === image.name);
      if (asked === undefined) return image;
      const result = verify(image, bpf, options);
      const { section } = asked;
      const { accepted, processed, message, explanation, log } = result;
      const slot = accepted || result.slot < 0 ? null : result.slot;
      const source = slot === null ? null : sourceAt(image, slot);
      const insns = image.insns.length;
      const program = image.name;
      const words = { message, slot, source, explanation, log };
      verdicts.push({ program, section, accepted, insns, processed, ...words });
      return image;
    },
  });
  return verdicts;
}

/** The line that the instruction came from. */
function sourceAt({ lineInfo }: BpfProgramImage, slot: number): Omit<LineInfo, 'slot'> | null {
  const info = lineInfo.findLast((line) => line.slot <= slot);
  if (info === undefined) return null;
  const { file, line, column, text } = info;
  return { file, line, column, text };
}
