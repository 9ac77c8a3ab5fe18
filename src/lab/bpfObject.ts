/**
 * An eBPF object file as the commands use it: read, one of its programs chosen, brought to life.
 */
import { RangeRefused } from '../host/errors.ts';
import { standaloneBpf } from '../xdp/standalone.ts';
import type { Bpf } from '../xdp/bpf.ts';
import { PS_PER_NS, VirtualClock } from '../host/clock.ts';
import type { BpfProg, Collection } from '../xdp/loader/load.ts';
import { tailCallTargets } from '../xdp/loader/load.ts';
import { collectionMapMemory } from '../xdp/loader/createMaps.ts';
import type { Btf } from '../xdp/btf/btf.ts';
import { readBtf, readBtfFile } from '../xdp/btf/btf.ts';
import { readElf } from '../xdp/elf/elf.ts';
import { parseElf } from '../xdp/loader/parseElf.ts';
import { progTypeName } from '../xdp/loader/sections.ts';
import { loadChosen } from '../xdp/objectProgram.ts';
import type { ObjectOptions } from '../xdp/objectProgram.ts';
import type { CollectionSpec, ProgramSpec } from '../xdp/loader/spec.ts';
import { TypedMap } from '../xdp/loader/typedMap.ts';
import type { Interpreter } from '../xdp/interp/interpreter.ts';
import { ProgramFault, programFault } from '../xdp/program.ts';
import { TEST_RUN_MEMORY_BYTES, TestRun } from '../xdp/testRun.ts';
import { interpreterOf } from '../xdp/engines.ts';
import type { EngineName } from '../xdp/engines.ts';
import { BPF_PROG_TYPE_XDP, BPF_XDP, XDP_ACTION_NAMES } from '../xdp/uapi.ts';
import { InputError } from './inputError.ts';

export { ENGINE_NAMES } from '../xdp/engines.ts';
export type { EngineName };

/** `XDP_PASS` for 2; empty for a number that is no verdict. */
export const verdictName = (verdict: number): string => XDP_ACTION_NAMES[verdict] ?? '';

/** How a program of an object is named. */
export interface ProgramChoice {
  readonly program?: string | undefined;
  readonly section?: string | undefined;
}

/**
 * @param kernelTypes what CO-RE relocations are made against, instead of the built-in description
 * @throws ElfError, BtfError
 */
export function readObject(
  file: string,
  bytes: Uint8Array,
  kernelTypes: Btf | null = null,
): CollectionSpec {
  const spec = parseElf(bytes, { file });
  spec.kernelTypes = kernelTypes;
  return spec;
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * A kernel's types: BTF by itself, as /sys/kernel/btf/vmlinux, or in the `.BTF` section of an ELF file.
 *
 * @throws ElfError, BtfError
 */
export function readKernelTypes(name: string, bytes: Uint8Array): Btf {
  if (ELF_MAGIC.some((byte, i) => bytes[i] !== byte)) return readBtfFile(bytes, name);
  const section = readElf(bytes, name).sections.find((one) => one.name === '.BTF');
  if (section === undefined) throw new InputError(`${name}: has no section .BTF`);
  return readBtf(section.part);
}

/**
 * The program that was asked for; without a name the first of type XDP that is for a device and loads by
 * itself, and that no program array of the object leads to.
 *
 * @throws InputError when there is none, or it is of another type
 */
export function chooseProgram(spec: CollectionSpec, choice: ProgramChoice): ProgramSpec {
  const programs = Object.values(spec.programs);
  const found = programs.filter(
    ({ name, section }) =>
      (choice.program === undefined || name === choice.program) &&
      (choice.section === undefined || section === choice.section),
  );
  const xdp = found.filter(({ type }) => type === BPF_PROG_TYPE_XDP);
  const targets = tailCallTargets(spec);
  const entries = xdp.filter(({ name }) => !targets.includes(name));
  const first = entries.find((p) => p.attachType === BPF_XDP && p.autoload) ?? entries[0] ?? xdp[0];
  if (first !== undefined) return first;
  const known = programs.map(({ name, section }) => `${name} (${section})`).join(', ');
  const asked = [
    choice.program === undefined ? '' : ` named ${choice.program}`,
    choice.section === undefined ? '' : ` in section ${choice.section}`,
  ].join('');
  const other = found[0];
  const why =
    other === undefined
      ? `no program${asked}`
      : `${other.name} (${other.section}) is of type ${progTypeName(other.type)}, not XDP`;
  throw new InputError(`${spec.file}: ${why}; the object has ${known || 'none'}`);
}

export interface LoneOptions extends ObjectOptions {
  /** Of the program's random numbers. */
  readonly seed?: number;
}

/**
 * An object outside any machine: its maps, and one program, with what its tail calls lead to, that
 * runs on bytes that are given.
 *
 *   const spec = readObject('rate_limiter.o', bytes);
 *   setVariable(spec, 'burst', 2);
 *   const lone = new LoneProgram(spec);
 *   lone.run(packet);                         // the verdict
 *   lone.advance(1e9);                        // a second later; until then time stands still
 *   lone.map('buckets').get([192, 0, 2, 1]);  // { tokens_ns: …, seen_ns: … }
 */
export class LoneProgram {
  readonly bpf: Bpf;
  readonly collection: Collection;
  private readonly prog: BpfProg;
  private readonly chosen: ProgramSpec;
  private readonly verified: boolean;
  private readonly clock: VirtualClock = new VirtualClock();
  private readonly testRun: TestRun;

  /**
   * @param chosen the program to run; unless given, as `chooseProgram` says
   * @throws LoadError, MapError, VerifierError, ProgramRefused
   */
  constructor(
    spec: CollectionSpec,
    chosen: ProgramSpec = chooseProgram(spec, {}),
    options: LoneOptions = {},
  ) {
    const { verify = true, seed } = options;
    this.bpf = standaloneBpf({
      mapBytes: collectionMapMemory(spec, 1),
      moreBytes: TEST_RUN_MEMORY_BYTES,
      clock: this.clock,
      ...(seed !== undefined && { seed }),
    });
    this.testRun = new TestRun(this.bpf);
    this.chosen = chosen;
    this.verified = verify;
    this.collection = loadChosen(spec, chosen, this.bpf, options);
    this.prog = this.collection.programs[chosen.name]!;
  }

  /**
   * @returns the verdict
   * @throws RangeRefused for a packet that is too short or too long, InputError for a program that
   *   Linux runs on redirected packets alone
   */
  run(data: Uint8Array): number {
    this.checkRunnable();
    try {
      return this.testRun.run(this.prog, data);
    } catch (error) {
      if (!(error instanceof ProgramFault) || error.program !== '') throw error;
      throw programFault(this.prog.name, error); // helpers do not know whose they are
    }
  }

  /** The interpreter before the program's first instruction, to be walked; maps are the same ones. */
  steps(data: Uint8Array): Interpreter {
    this.checkRunnable();
    const it = interpreterOf(this.prog.image, this.bpf, this.verified);
    it.start(this.testRun.prepare(data));
    return it;
  }

  /** @linux bpf_prog_test_run_xdp, by expected_attach_type */
  private checkRunnable(): void {
    const { attachType, name, section } = this.chosen;
    if (attachType === BPF_XDP) return;
    const what = `${name} (${section}) is for entries of devmaps or cpumaps`;
    const why = 'BPF_PROG_TEST_RUN refuses it with EINVAL';
    throw new InputError(`${this.collection.spec.file}: ${what}; ${why}`);
  }

  /** Let time pass, and timers ring that are due by then. @throws RangeRefused for less than 0 */
  advance(ns: number): void {
    if (!(ns >= 0 && Number.isFinite(ns)))
      throw new RangeRefused('advance', `${ns} ns`, '0 or more');
    const { cpu } = this.bpf.xdp;
    const until = cpu.now + ns * PS_PER_NS;
    for (let at = this.clock.nextAt(); at <= until; at = this.clock.nextAt()) {
      cpu.idleUntil(at);
      this.clock.ringNext();
    }
    cpu.idleUntil(until);
  }

  /** A map with keys and values as the object's types say. @throws InputError when there is none */
  map(name: string): TypedMap {
    const { maps, spec } = this.collection;
    const map = Object.hasOwn(maps, name) ? maps[name] : undefined;
    if (map !== undefined) return new TypedMap(map, spec.maps[name]);
    const known = Object.keys(maps).join(', ') || 'none';
    throw new InputError(`${spec.file}: no map ${name}; it has ${known}`);
  }

  /** Lines that the program printed, the last 1,024 of them. */
  get printed(): readonly string[] {
    return this.bpf.tracePipe.lines.map(({ text }) => text);
  }

  get dataOut(): Uint8Array {
    return this.testRun.dataOut;
  }
}
