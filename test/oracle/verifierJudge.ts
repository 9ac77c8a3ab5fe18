/**
 * One case for both judges: our verifier and the running kernel.
 *
 * Maps are numbered as in the case; calls of kernel functions name them by their index in `kfuncs`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import type { Btf } from '../../src/xdp/btf/btf.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { isKfuncCall } from '../../src/xdp/verifier/insnKind.ts';
import type { FuncInfo, LineInfo } from '../../src/xdp/verifier/env.ts';
import type { MapField } from '../../src/xdp/verifier/verifierMap.ts';
import type { VerifierResult } from '../../src/xdp/verifier/analyse.ts';
import { analyse } from '../../src/xdp/verifier/analyse.ts';
import type { OracleCase } from './oracle.ts';
import { askKernel } from './oracle.ts';

export interface VerifierCase extends OracleCase {
  readonly kfuncs?: readonly string[];
  /** What `btf`, `funcs` and `lines` say, decoded. */
  readonly decoded?: {
    readonly btf: Btf;
    readonly funcInfo: readonly FuncInfo[];
    readonly lineInfo: readonly LineInfo[];
    /** By map. */
    readonly special?: readonly (readonly MapField[] | undefined)[];
  };
}

export interface Verdict {
  readonly errno: number;
  readonly log: string;
}

/** The kernel makes their values read-only by itself. */
const DEVMAPS: readonly number[] = [14, 25];
const BPF_F_RDONLY_PROG = 0x80;
const BPF_F_STRICT_ALIGNMENT = 1;
const BPF_F_TEST_STATE_FREQ = 8;
const BPF_F_TEST_REG_INVARIANTS = 0x80;

let kernelIds: ReadonlyMap<string, number> | null = null;

/** Numbers of functions in the running kernel's BTF. */
function kernelFuncs(): ReadonlyMap<string, number> {
  if (kernelIds !== null) return kernelIds;
  const text = execFileSync('bpftool', ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  kernelIds = new Map(
    [...text.matchAll(/^\[(\d+)\] FUNC '(\w+)'/gm)].map(([, id, name]) => [name!, Number(id)]),
  );
  return kernelIds;
}

export function forKernel(one: VerifierCase): OracleCase {
  const { kfuncs } = one;
  if (kfuncs === undefined) return one;
  const insns = one.insns.map((insn): Insn => {
    const name = isKfuncCall(insn) ? kfuncs[insn.imm] : undefined;
    return name === undefined ? insn : { ...insn, imm: kernelFuncs().get(name) ?? 0 };
  });
  return { ...one, insns };
}

/** Little-endian number at `off` of the first value user space wrote to a map. */
function valueOf(one: VerifierCase, map: number, off: number, size: number): bigint | null {
  const value = one.maps?.[map]?.values?.[0]?.[1];
  if (!(value instanceof Uint8Array) || off + size > value.length) return null;
  let number = 0n;
  for (let i = size - 1; i >= 0; i--) number = (number << 8n) | BigInt(value[off + i]!);
  return number;
}

export function ourVerdict(one: VerifierCase, machineCpus: number = cpus().length): VerifierResult {
  const flags = one.flags ?? 0;
  const maps = (one.maps ?? []).map((map, id) => ({
    name: '',
    id,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: (map.flags ?? 0) | (DEVMAPS.includes(map.type) ? BPF_F_RDONLY_PROG : 0),
    mapExtra: map.extra ?? 0,
    frozen: map.frozen ?? false,
    special: map.valueType === undefined ? undefined : one.decoded?.special?.[id],
    inner: undefined as unknown as never,
  }));
  maps.forEach((map, id) => {
    const inner = one.maps![id]!.inner;
    if (inner === undefined) delete (map as { inner?: unknown }).inner;
    else map.inner = maps[inner] as never;
    if (map.special === undefined) delete (map as { special?: unknown }).special;
  });
  return analyse(
    {
      name: one.name,
      type: one.type ?? 6,
      attachType: one.attachType ?? 0,
      gpl: (one.license ?? 'GPL') === 'GPL',
      insns: one.insns,
      maps: maps as never,
      kfuncs: one.kfuncs ?? [],
      funcInfo: one.decoded?.funcInfo ?? [],
      lineInfo: one.decoded?.lineInfo ?? [],
      btf: one.decoded?.btf ?? null,
    },
    {
      logLevel: one.logLevel ?? 1,
      perfmon: (one.caps ?? 'all') === 'all',
      strictAlignment: (flags & BPF_F_STRICT_ALIGNMENT) !== 0,
      testStateFreq: (flags & BPF_F_TEST_STATE_FREQ) !== 0,
      testRegInvariants: (flags & BPF_F_TEST_REG_INVARIANTS) !== 0,
      cpus: machineCpus,
      readMap: (map, off, size) => valueOf(one, maps.indexOf(map as never), off, size),
    },
  );
}

/** What differs between machines and boots: addresses, numbers in the kernel's BTF, time. */
export const comparable = (log: string): string =>
  log
    .replace(/^verification time .*\n/gm, '')
    .replace(/^.*(\(18\) r\d+ = 0x|call bpf_\w+#).*$/gm, (line) =>
      line
        .replace(/(\(18\) r\d+ = )0x[0-9a-f]+/, (_, start: string) => `${start}CONST`)
        .replace(/(call bpf_\w+#)-?\d+/, '$1N')
        .replace(/ +; ?/, ' ; '),
    );

/** The kernel's recorded answers, by name of the case. */
export interface VerifierVectors {
  readonly kernel: string;
  /** Of the machine that was asked. */
  readonly cpus: number;
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

/** The kernel's answers to `cases`, in the form that is kept. */
export function recordVerdicts(cases: readonly VerifierCase[]): VerifierVectors {
  const { kernel, answers } = askKernel(cases.map(forKernel));
  const verdicts = Object.fromEntries(
    answers.map(({ errno, log }, i) => [
      cases[i]!.name,
      { errno: Math.abs(errno), log: comparable(log) },
    ]),
  );
  return { kernel, cpus: cpus().length, verdicts };
}

/** What is kept of a log: its last words, and a hash of the whole. */
export interface ShortVerdict {
  readonly errno: number;
  /** The lines behind the last instruction of a refusal, or of the summary. */
  readonly end: string;
  readonly hash: string;
}

export function shortVerdict({ errno, log }: Verdict): ShortVerdict {
  const lines = log.trimEnd().split('\n');
  const end = lines.slice(errno === 0 ? -1 : -2).join('\n');
  return { errno, end, hash: createHash('sha256').update(log).digest('hex').slice(0, 16) };
}

export interface ShortVectors {
  readonly kernel: string;
  readonly cpus: number;
  readonly verdicts: Readonly<Record<string, ShortVerdict>>;
}
