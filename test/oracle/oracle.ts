/**
 * The running kernel as judge of raw eBPF programs: builds `oracle.c` once per process, asks it
 * about many cases in one run, and gives its answers. Needs Linux, a C compiler and the right to
 * load programs; `oracleAbsent` says why there is none.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeInsns } from '../../src/xdp/isa/insn.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';

/** Which capabilities the loader has: all, all but CAP_PERFMON and CAP_SYS_ADMIN, or none for BPF. */
export type OracleCaps = 'all' | 'noperfmon' | 'none';

export interface OracleMap {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  /** Number of an earlier map of the case: the template of a map in map. */
  readonly inner?: number;
  readonly extra?: number;
  /** Type ids in the case's BTF. */
  readonly keyType?: number;
  readonly valueType?: number;
  /** What user space writes before the program is loaded; a number is another map of the case. */
  readonly values?: readonly (readonly [key: Uint8Array, value: Uint8Array | number])[];
  readonly frozen?: boolean;
}

export interface OracleCase {
  readonly name: string;
  /** `ld_imm64` of a map carries the map's number in this case. */
  readonly insns: readonly Insn[];
  readonly maps?: readonly OracleMap[];
  readonly btf?: Uint8Array;
  /** Arrays of `struct bpf_func_info` and `struct bpf_line_info`. */
  readonly funcs?: Uint8Array;
  readonly lines?: Uint8Array;
  /** BPF_PROG_TYPE_; XDP unless said. */
  readonly type?: number;
  readonly attachType?: number;
  readonly flags?: number;
  readonly logLevel?: number;
  readonly caps?: OracleCaps;
  readonly license?: string;
  /** Map and key of a program array that is to hold the program itself. */
  readonly tails?: readonly (readonly [map: number, key: Uint8Array])[];
  /** Packets to run the program on when it was accepted. */
  readonly packets?: readonly Uint8Array[];
  readonly repeat?: number;
  /** Entries to read back in the end. */
  readonly dumps?: readonly (readonly [map: number, key: Uint8Array])[];
}

export interface OracleRun {
  readonly errno: number;
  readonly retval: number;
  readonly ns: number;
  /** The packet afterwards, in hex. */
  readonly data: string;
}

export interface OracleAnswer {
  readonly name: string;
  readonly mapErrno: readonly number[];
  /** 0 when the program was accepted. */
  readonly errno: number;
  readonly log: string;
  readonly runs: readonly OracleRun[];
  readonly dumps: readonly string[];
}

export interface OracleAnswers {
  /** Version of the kernel that judged. */
  readonly kernel: string;
  readonly answers: readonly OracleAnswer[];
}

const BPF_PROG_TYPE_XDP = 6;

const hex = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '-' : Buffer.from(bytes).toString('hex');

const mapText = (map: OracleMap, index: number): string[] => [
  [
    'map',
    map.type,
    map.keySize,
    map.valueSize,
    map.maxEntries,
    map.flags ?? 0,
    map.inner ?? -1,
    map.extra ?? 0,
    map.keyType ?? 0,
    map.valueType ?? 0,
  ].join(' '),
  ...(map.values ?? []).map(
    ([key, value]) =>
      `value ${index} ${hex(key)} ${typeof value === 'number' ? `@${value}` : hex(value)}`,
  ),
  ...(map.frozen ? [`freeze ${index}`] : []),
];

function caseText(one: OracleCase): string {
  const lines = [`case ${one.name.replace(/\s/g, '_')}`];
  if (one.btf) lines.push(`btf ${hex(one.btf)}`);
  (one.maps ?? []).forEach((map, index) => lines.push(...mapText(map, index)));
  lines.push(`insns ${hex(encodeInsns(one.insns))}`);
  if (one.funcs) lines.push(`funcs ${hex(one.funcs)}`);
  if (one.lines) lines.push(`lines ${hex(one.lines)}`);
  lines.push(
    `load ${one.type ?? BPF_PROG_TYPE_XDP} ${one.attachType ?? 0} ${one.flags ?? 0} ` +
      `${one.logLevel ?? 1} ${one.caps ?? 'all'} ${one.license ?? 'GPL'}`,
  );
  for (const [map, key] of one.tails ?? []) lines.push(`tail ${map} ${hex(key)}`);
  for (const packet of one.packets ?? []) lines.push(`run ${one.repeat ?? 1} ${hex(packet)}`);
  for (const [map, key] of one.dumps ?? []) lines.push(`dump ${map} ${hex(key)}`);
  return [...lines, 'end', ''].join('\n');
}

let built: string | null = null;

/** Compiles the oracle on its first use; the binary goes when the process ends. */
function binary(): string {
  if (built !== null) return built;
  const dir = mkdtempSync(join(tmpdir(), 'ringscope-oracle-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const out = join(dir, 'oracle');
  const source = fileURLToPath(new URL('oracle.c', import.meta.url));
  execFileSync('cc', ['-O2', '-o', out, source], { stdio: ['ignore', 'ignore', 'pipe'] });
  built = out;
  return out;
}

/** @throws Error with what the oracle says when it cannot understand a case */
export function askKernel(cases: readonly OracleCase[]): OracleAnswers {
  const run = spawnSync(binary(), {
    input: cases.map(caseText).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (run.status !== 0) throw new Error(`oracle: ${run.stderr || run.signal || run.error}`);
  const [head, ...lines] = run.stdout.trimEnd().split('\n');
  const { kernel } = JSON.parse(head!) as { kernel: string };
  return { kernel, answers: lines.map((line) => JSON.parse(line) as OracleAnswer) };
}

const TWO_AND_OUT: readonly Insn[] = [
  { code: 0xb7, dst: 0, src: 0, off: 0, imm: 2 },
  { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 },
];

/** Why this machine cannot judge, or null when it can. */
export function oracleAbsent(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  try {
    const { answers } = askKernel([{ name: 'probe', insns: TWO_AND_OUT }]);
    return answers[0]!.errno === 0 ? null : `the kernel answers errno ${answers[0]!.errno}`;
  } catch (error) {
    return String(error);
  }
}
