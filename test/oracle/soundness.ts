/**
 * Was the verifier right? Of a program that it accepted, every access must lie inside its object by
 * what the verifier itself knew (`extents.ts`). Then it runs in the interpreter, every access tested
 * (`grants.ts`), and before every instruction what the registers and spilled slots hold is held
 * against what the verifier thought of them there.
 *
 * For that the program is walked once more without an end at equal states: what is known of a number
 * that does not matter is not carried over to the state that a path was found equal to. Paths are
 * not told apart: one state of the instruction must hold all registers.
 */
import type { Bpf } from '../../src/xdp/bpf.ts';
import { Interpreter } from '../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { readBtfFile } from '../../src/xdp/btf/btf.ts';
import type { BpfProgramImage } from '../../src/xdp/loader/image.ts';
import type { BpfMap } from '../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../src/xdp/maps/createMap.ts';
import { RingbufMap } from '../../src/xdp/maps/ringbuf.ts';
import { ProgramFault } from '../../src/xdp/program.ts';
import { standaloneBpf } from '../../src/xdp/standalone.ts';
import { TEST_RUN_MEMORY_BYTES, TestRun } from '../../src/xdp/testRun.ts';
import type { Bounds } from '../../src/xdp/verifier/bounds.ts';
import type { Reg } from '../../src/xdp/verifier/reg.ts';
import * as type from '../../src/xdp/verifier/regTypes.ts';
import type { Slot } from '../../src/xdp/verifier/state.ts';
import { STACK_SPILL, STACK_ZERO, allBytes } from '../../src/xdp/verifier/state.ts';
import { verify } from '../../src/xdp/verifier/verify.ts';
import { BORDER_BTF, BORDER_MAPS, borderFuncs } from './borderCase.ts';
import { VALUES, VALUE_BYTES } from './borderDraft.ts';
import type { BorderProgram } from './borderProgram.ts';
import { borderProgram } from './borderProgram.ts';
import { outside } from './extents.ts';
import { Grants } from './grants.ts';

/** What the verifier knew on one path. Global functions are walked at depth 0, wherever they run. */
interface Known {
  readonly depth: number;
  readonly regs: readonly Reg[];
  readonly stack: readonly Slot[];
}

export interface Judgement {
  readonly accepted: boolean;
  /** Why Linux's verifier, as we know it, refuses it. */
  readonly message: string;
  /** What was wrong, or null. */
  readonly violation: string | null;
  /** Instructions before which registers were compared. */
  readonly compared: number;
}

const WALK_LIMIT = 20_000;
const STATES_LIMIT = 400;
const MAX_INSNS = 1 << 20;

const within = (b: Bounds, value: bigint): boolean => {
  const v = BigInt.asUintN(64, value);
  const s = BigInt.asIntN(64, v);
  const low = Number(BigInt.asUintN(32, v));
  return (
    (v & (b.mask ^ 0xffff_ffff_ffff_ffffn)) === b.value &&
    b.umin <= v &&
    v <= b.umax &&
    b.smin <= s &&
    s <= b.smax &&
    b.u32Min <= low &&
    low <= b.u32Max &&
    b.s32Min <= (low | 0) &&
    (low | 0) <= b.s32Max
  );
};

/** Packets of sizes around what programs compare, of bytes around what they compare them with. */
function packets(seed: number): Uint8Array[] {
  const lengths = [14, 15, 16, 20, 34, 54, 64, 100];
  return lengths.map((length, n) => {
    let x = Math.imul(seed + n + 1, 0x9e3779b1);
    return Uint8Array.from({ length }, () => {
      x = Math.imul(x ^ (x >>> 15), 0x85ebca6b) ^ n;
      return n === 0 ? 0 : n === 4 && x & 1 ? 0xff : x >>> 24;
    });
  });
}

class Violation extends Error {}

export class Soundness {
  private readonly bpf: Bpf;
  private readonly testRun: TestRun;
  private readonly maps: readonly BpfMap[];
  private readonly grants: Grants;
  private readonly btf = readBtfFile(BORDER_BTF, 'border');
  private readonly cpus: number;
  private compared = 0;

  /** @param cpus bounds of the CPU's number, as on the machine that is to judge as well */
  constructor(cpus: number = 2) {
    this.cpus = cpus;
    this.bpf = standaloneBpf({ moreBytes: TEST_RUN_MEMORY_BYTES });
    this.testRun = new TestRun(this.bpf);
    this.maps = BORDER_MAPS.map(({ type: kind, keySize, valueSize, maxEntries }) =>
      createMap(this.bpf, {
        ...{ name: 'border', type: kind, keySize, valueSize, maxEntries, flags: 0 },
      }),
    );
    this.grants = new Grants(this.bpf.arena.region, this.maps[0]!.handle);
  }

  private imageOf({ insns, functions }: BorderProgram): BpfProgramImage {
    const own = insns.map((insn) =>
      insn.code === 0x18 && insn.src === 1 ? { ...insn, imm: this.maps[insn.imm]!.id } : insn,
    );
    const funcInfo = borderFuncs({ functions });
    return {
      ...{ name: 'border', type: 6, attachType: 0, frags: false, gpl: true, insns: own },
      ...{ maps: this.maps, kfuncs: [], funcInfo, lineInfo: [] },
      btf: funcInfo.length === 0 ? null : this.btf,
    };
  }

  judge(seed: number): Judgement {
    const image = this.imageOf(borderProgram(seed));
    let wide: string | null = null;
    const { accepted, message } = verify(image, this.bpf, {
      logLevel: 0,
      cpus: this.cpus,
      onState({ insnIdx, regs }) {
        wide ??= outside(image.insns[insnIdx]!, insnIdx, regs);
      },
    });
    this.compared = 0;
    const violation = accepted ? (wide ?? this.run(image, seed)) : null;
    return { accepted, message, violation, compared: this.compared };
  }

  /** As if the verifier had accepted it. @returns what was wrong, or null */
  runAnyway(insns: Insn[]): string | null {
    return this.run(this.imageOf({ insns, functions: [] }), 1);
  }

  private run(image: BpfProgramImage, seed: number): string | null {
    const known = this.knownOf(image);
    const engine = new Interpreter(image, this.bpf, { checked: true, maxInsns: MAX_INSNS });
    let md = -1;
    engine.onInsn((at) => {
      if (at.slot === 0 && at.depth === 0 && md < 0) md = Number(at.reg(1));
      this.grants.arrive(at);
      if (known !== null) this.compare(known, at, md);
      const wrong = this.grants.look(image.insns[at.slot]!, at);
      if (wrong !== null) throw new Violation(wrong);
    });
    try {
      for (const packet of packets(seed)) {
        md = -1;
        this.grants.begin();
        this.setValues(packet);
        this.testRun.run(engine, packet);
      }
    } catch (error) {
      if (error instanceof Violation || error instanceof ProgramFault) return error.message;
      throw error;
    }
    return null;
  }

  /** States by instruction; null when there are too many paths. */
  private knownOf(image: BpfProgramImage): Known[][] | null {
    const known: Known[][] = [];
    let most = 0;
    const { accepted } = verify(image, this.bpf, {
      logLevel: 0,
      cpus: this.cpus,
      exhaustive: WALK_LIMIT,
      onState({ insnIdx, cur }) {
        const { regs, stack } = cur.top;
        const list = (known[insnIdx] ??= []);
        list.push({ depth: cur.curframe, regs: regs.slice(), stack: stack.slice() });
        most = Math.max(most, list.length);
      },
    });
    return accepted && most <= STATES_LIMIT ? known : null;
  }

  /** Values hold what packets do; the ring buffer is read. */
  private setValues(packet: Uint8Array): void {
    const [array, , ring] = this.maps;
    const { u8 } = this.bpf.mem;
    const from = array!.inline!.at;
    for (let n = 0; n < VALUES * VALUE_BYTES; n++) u8[from + n] = packet[n % packet.length]!;
    if (ring instanceof RingbufMap) ring.consume(() => undefined);
  }

  private compare(known: readonly Known[][], at: Interpreter, md: number): void {
    const { slot } = at;
    const states = known[slot] ?? [];
    this.compared++;
    const values = Array.from({ length: 11 }, (_, n) => at.reg(n));
    const found = states.findIndex((state) => this.holds(state, values, md));
    if (found < 0) {
      const wrong =
        states.length === 0 ? 'was never walked' : this.firstWrong(states[0]!, values, md);
      throw new Violation(`instruction ${slot}: ${states.length} states, none holds; ${wrong}`);
    }
    // the next run through here is likely to be like this one
    if (found > 0) [states[0], states[found]] = [states[found]!, states[0]!];
  }

  private firstWrong(state: Known, values: readonly bigint[], md: number): string {
    const n = state.regs.findIndex(
      (reg, i) => !this.holdsReg(reg, values[i]!, values[10]!, state, md),
    );
    return n < 0 ? 'a spilled slot differs' : `r${n} is ${values[n]}`;
  }

  private holds(state: Known, values: readonly bigint[], md: number): boolean {
    const fp = values[10]!;
    return (
      state.regs.every((reg, n) => this.holdsReg(reg, values[n]!, fp, state, md)) &&
      state.stack.every((slot, spi) =>
        this.holdsSlot(slot, Number(fp) - 8 * (spi + 1), fp, state, md),
      )
    );
  }

  private holdsSlot(slot: Slot, at: number, fp: bigint, state: Known, md: number): boolean {
    const { mem } = this.bpf;
    const word = (i: number): bigint => BigInt(mem.words[(at >> 2) + i]! >>> 0);
    if (slot.types === allBytes(STACK_ZERO)) return word(0) === 0n && word(1) === 0n;
    if (slot.types !== allBytes(STACK_SPILL)) return true;
    return this.holdsReg(slot.reg, (word(1) << 32n) | word(0), fp, state, md);
  }

  private holdsReg(reg: Reg, value: bigint, fp: bigint, state: Known, md: number): boolean {
    if (type.typeMayBeNull(reg.type) && value === 0n) return true;
    const { words } = this.bpf.mem;
    const rest = value - BigInt(reg.off);
    switch (type.baseType(reg.type)) {
      case type.SCALAR_VALUE:
        return within(reg.bounds, value);
      case type.PTR_TO_CTX:
        return within(reg.bounds, rest - BigInt(md));
      case type.PTR_TO_PACKET: {
        const data = BigInt(words[md >> 2]!);
        const end = BigInt(words[(md >> 2) + 1]!);
        return (
          within(reg.bounds, rest - data) && (reg.range <= 0 || rest + BigInt(reg.range) <= end)
        );
      }
      case type.PTR_TO_PACKET_END:
        return value === BigInt(words[(md >> 2) + 1]!);
      case type.PTR_TO_STACK:
        return reg.frameno !== state.depth || within(reg.bounds, rest - fp);
      case type.PTR_TO_MAP_VALUE:
      case type.PTR_TO_MEM: {
        const map = this.maps.find((one) => one === reg.map);
        const bytes = map?.valueSize ?? reg.memSize;
        const begins = (at: number): boolean => within(reg.bounds, rest - BigInt(at));
        return this.grants.some(map?.handle ?? 0, bytes, begins);
      }
      default:
        return true;
    }
  }
}
