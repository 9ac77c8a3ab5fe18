/**
 * The verifier as loaders call it: a live program in, a verdict out.
 *
 *   loadCollection(spec, bpf, { verify: (image, bpf) => checkProgram(image, bpf) })
 *
 * What it costs to be refused by Linux is known before a program ever runs: the log, the instruction,
 * the line of C.
 */
import { errnoName } from '../../host/errno.ts';
import { printable } from '../../host/errors.ts';
import type { Bpf } from '../bpf.ts';
import type { BpfProgramImage } from '../loader/image.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import type { VerifierResult } from './analyse.ts';
import { analyse } from './analyse.ts';
import { withoutDeadCode } from './deadCode.ts';
import type { VerifierOptions } from './env.ts';
import type { Explanation, SourceLine } from './explain.ts';
import { BPF_LOG_LEVEL1 } from './log.ts';
import type { VerifierMap } from './verifierMap.ts';

export type VerifyOptions = Partial<Omit<VerifierOptions, 'readMap'>>;

const ROOT: Omit<VerifierOptions, 'readMap' | 'logLevel'> = {
  perfmon: true,
  strictAlignment: false,
  testStateFreq: false,
  testRegInvariants: false,
  cpus: 1,
};

/** Instructions that are walked twice for the sake of the log. */
const MAX_ASKED_AGAIN = 100_000;

/** A number in the one value of an array, little-endian; other maps have no constants. */
function constantOf(bpf: Bpf, map: VerifierMap, off: number, size: number): bigint | null {
  const { inline } = map as BpfMap;
  if (inline === null) return null;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--)
    value = (value << 8n) | BigInt(bpf.mem.u8[inline.at + off + i]!);
  return value;
}

/**
 * Would Linux load it? `options` say who asks: root, unless they say otherwise. Without a log level
 * there is none for an accepted program and a full one for a refused one, which is walked again for
 * it; but of one that took long only how it ends.
 */
export function verify(
  image: BpfProgramImage,
  bpf: Bpf,
  options: VerifyOptions = {},
): VerifierResult {
  const ask = (logLevel: number): VerifierResult =>
    analyse(image, {
      ...ROOT,
      cpus: bpf.cpus,
      ...options,
      logLevel,
      readMap: (map, off, size) => constantOf(bpf, map, off, size),
    });
  if (options.logLevel !== undefined) return ask(options.logLevel);
  const quiet = ask(0);
  if (quiet.accepted) return quiet;
  if (quiet.processed <= MAX_ASKED_AGAIN) return ask(BPF_LOG_LEVEL1);
  return { ...quiet, log: quiet.end };
}

type RefusedResult = VerifierResult & { readonly explanation: Explanation };

/** Linux would refuse the program. */
export class VerifierError extends Error {
  readonly program: string;
  /** Positive. */
  readonly errno: number;
  /** Slot of the instruction, or -1. */
  readonly slot: number;
  readonly log: string;
  /** Line of C of the instruction; null when none is to blame, or the object has no lines. */
  readonly source: SourceLine | null;
  /** In plain words, with the line of C and the path that leads there. */
  readonly explanation: Explanation;

  constructor(program: string, result: RefusedResult) {
    const { errno, slot, log, message, explanation } = result;
    const where = slot < 0 ? '' : `, instruction ${slot}`;
    super(`program ${printable(program)}${where}: ${message} (${errnoName(errno)})`);
    this.name = 'VerifierError';
    this.program = program;
    this.errno = errno;
    this.slot = slot;
    this.log = log;
    this.source = explanation.source;
    this.explanation = explanation;
  }
}

/**
 * For `LoadOptions.verify`.
 *
 * @returns what is to run: the program without what no path reaches
 * @throws VerifierError when Linux would refuse it
 */
export function checkProgram(
  image: BpfProgramImage,
  bpf: Bpf,
  options: VerifyOptions = {},
): BpfProgramImage {
  const result = verify(image, bpf, options);
  const { explanation } = result;
  if (explanation !== null) throw new VerifierError(image.name, { ...result, explanation });
  return { ...image, insns: withoutDeadCode(image.insns, result.seen) };
}
