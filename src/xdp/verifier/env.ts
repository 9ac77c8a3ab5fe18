/**
 * One verification: the program, what is known of each instruction and subprogram, the path that is
 * being walked, and how a program is refused.
 *
 * @linux struct bpf_verifier_env, struct bpf_insn_aux_data; include/linux/bpf_verifier.h
 */
import { EACCES, EINVAL } from '../../host/errno.ts';
import type { Btf } from '../btf/btf.ts';
import type { Insn } from '../isa/insn.ts';
import { VerifierLog } from './log.ts';
import type { BtfRef } from './btfRef.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, constReg, unknownReg } from './reg.ts';
import { NOT_INIT } from './regTypes.ts';
import { VerifierState } from './state.ts';
import type { FuncState, HistoryEntry } from './state.ts';
import type { SccVisit } from './sccVisit.ts';
import type { StackLiveness } from './stackLiveness.ts';
import type { LiveMap, VerifierMap } from './verifierMap.ts';

export interface FuncInfo {
  readonly slot: number;
  readonly name: string;
  readonly typeId: number;
}

export interface LineInfo {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** What the verifier takes of a program that is to be loaded. */
export interface VerifiedImage {
  readonly name: string;
  /** `BPF_PROG_TYPE_*` */
  readonly type: number;
  readonly attachType: number;
  readonly gpl: boolean;
  readonly insns: readonly Insn[];
  /** `ld_imm64` names maps by id. */
  readonly maps: readonly LiveMap[];
  /** Calls of kernel functions name them by their index here. */
  readonly kfuncs: readonly string[];
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly btf: Btf | null;
  readonly kernelTypes?: KernelTypes;
}

/** The kernel's types, which CO-RE relocates against. */
export interface KernelTypes {
  readonly btf: Btf;
  /** All of a kernel's, rather than what is built in. */
  readonly whole: boolean;
}

export interface VerifierOptions {
  /** Bits: 1 paths to a refusal, 2 everything, 4 statistics. */
  readonly logLevel: number;
  /** CAP_PERFMON: pointers may be kept as numbers, no guards against speculation. */
  readonly perfmon: boolean;
  /** BPF_F_STRICT_ALIGNMENT */
  readonly strictAlignment: boolean;
  /** BPF_F_TEST_STATE_FREQ: remember a state wherever one may be remembered. */
  readonly testStateFreq: boolean;
  /** BPF_F_TEST_REG_INVARIANTS: contradictory bounds are an error. */
  readonly testRegInvariants: boolean;
  /** CPUs of the machine: a bound of `bpf_get_smp_processor_id`. */
  readonly cpus: number;
  /** Called for every instruction of every path, with `env` standing on it; for judges of the verifier. */
  readonly onState?: (env: Env) => void;
  /** Never end a path at a state that was walked already, and walk so many instructions at most. */
  readonly exhaustive?: number;
  /** Constants of frozen read-only maps. @returns null when they cannot be read */
  readonly readMap: (map: VerifierMap, off: number, size: number) => bigint | null;
}

/** The program is refused; the reason is already in the log. */
export class Refused extends Error {
  /** Positive. */
  readonly errno: number;

  constructor(errno: number, text: string) {
    super(text);
    this.name = 'Refused';
    this.errno = errno;
  }
}

/** What the analysis keeps of one instruction. */
export class InsnAux {
  /** Some path walked it; else it is dead code, which Linux cuts out. */
  seen = false;
  prunePoint = false;
  jmpPoint = false;
  forceCheckpoint = false;
  callsCallback = false;
  isIterNext = false;
  /** Number of the loop it lies in; 0: none. */
  scc = 0;
  /** Bit n: register n may be read before it is written. */
  liveRegs = 0;
  /** `ld_imm64` of a map: which, and the offset into its value. */
  map: VerifierMap | null = null;
  mapOff = 0;
  /** Type of the pointer that every path uses here. */
  ptrType: number = NOT_INIT;
  /** `bpf_loop`: its flags were 0 and its callback the same on every path; null before the first. */
  loopInline: boolean | null = null;
  /** `bpf_loop`: the callback of the first path. */
  loopCallback = -1;
  fastcallPattern = false;
  fastcallSpills = 0;
  /** Guards against speculation. */
  nospec = false;
  nospecResult = false;
  aluState = 0;
  aluLimit = 0;
}

/** A parameter of a global function. @linux struct bpf_subprog_arg_info */
export interface SubprogArg {
  /** `ARG_*` with flags. */
  readonly type: number;
  readonly memSize: number;
  readonly btf: BtfRef | null;
}

export class Subprog {
  readonly start: number;
  name = '';
  typeId = 0;
  global = false;
  hasTailCall = false;
  hasLdAbs = false;
  isCb = false;
  isAsyncCb = false;
  /** What is thrown goes to it; calling it is refused. */
  isExceptionCb = false;
  changesPktData = false;
  mightSleep = false;
  stackDepth = 0;
  fastcallStackOff = 0;
  keepFastcallStack = false;
  postorderStart = 0;
  /** Parameters by BTF, once they were read. */
  args: readonly SubprogArg[] | null = null;
  /** Its BTF does not say what its registers hold. */
  unreliable = false;
  called = false;
  verified = false;

  constructor(start: number) {
    this.start = start;
  }
}

/** A path to walk later. */
export interface PendingPath {
  readonly state: VerifierState;
  readonly insnIdx: number;
  readonly prevInsnIdx: number;
  readonly logEnd: number;
}

export class Env {
  readonly image: VerifiedImage;
  readonly options: VerifierOptions;
  readonly insns: readonly Insn[];
  log: VerifierLog;
  readonly aux: readonly InsnAux[];
  /** CAP_BPF, which XDP programs cannot be loaded without. */
  readonly bpfCapable = true;
  /** Number of the subprogram that what is thrown goes to; 0: none, the program ends with it. */
  exceptionCallback = 0;
  /** The program names an arena. */
  hasArena = false;
  readonly allowPtrLeaks: boolean;
  readonly allowUninitStack: boolean;
  readonly bypassSpecV1: boolean;
  readonly bypassSpecV4: boolean;
  /** In order of their starts; one more, which starts at the program's end. */
  subprogs: Subprog[] = [];
  /** Instructions of each subprogram, successors before predecessors. */
  postorder: readonly number[] = [];
  /** Instructions that may follow each one within its function. */
  next: readonly (readonly number[])[] = [];
  liveness!: StackLiveness;
  sccVisits: SccVisit[][] = [];
  /** States remembered, newest last, by instruction and call site. */
  explored: VerifierState[][] = [];

  cur: VerifierState = new VerifierState();
  insnIdx = 0;
  prevInsnIdx = -1;
  /** A function is being walked: a refusal is about the running instruction. */
  walking = false;
  /** What is recorded of the running instruction, when something is. */
  curHistory: HistoryEntry | null = null;
  pending: PendingPath[] = [];
  private lastId = 0;
  private saidText = '';
  private saidAt = -1;
  /** Functions whose stacks together were too much, by number, outermost first. */
  stackChain: readonly number[] = [];
  /** Compare numbers strictly: masks against speculation depend on them. */
  exploreAluLimits = false;

  insnProcessed = 0;
  jmpsProcessed = 0;
  prevInsnProcessed = 0;
  prevJmpsProcessed = 0;
  maxStatesPerInsn = 0;
  totalStates = 0;
  peakStates = 0;
  exploredStatesSize = 0;
  freeListSize = 0;
  numBackedges = 0;

  // what changed since the last state was printed
  scratchedRegs = 0;
  scratchedSlots: Set<number> = new Set();
  allScratched = false;
  prevLine: LineInfo | null = null;
  prevLogPos = 0;
  prevInsnPrintLength = 0;

  constructor(image: VerifiedImage, options: VerifierOptions) {
    this.image = image;
    this.options = options;
    this.insns = image.insns;
    this.log = new VerifierLog(options.logLevel);
    this.aux = image.insns.map(() => new InsnAux());
    this.allowPtrLeaks = options.perfmon;
    this.allowUninitStack = options.perfmon;
    this.bypassSpecV1 = options.perfmon;
    this.bypassSpecV4 = options.perfmon;
  }

  /** Subprograms, without the mark of the end. */
  get subprogCount(): number {
    return this.subprogs.length - 1;
  }

  /** The running function. */
  get func(): FuncState {
    return this.cur.top;
  }

  get regs(): Reg[] {
    return this.cur.top.regs;
  }

  newId(): number {
    return ++this.lastId;
  }

  get idGen(): number {
    return this.lastId;
  }

  /** What was written of the running instruction, whatever the log keeps. */
  get said(): string {
    return this.saidAt === this.insnProcessed ? this.saidText : '';
  }

  /** @linux verbose */
  write(text: string): void {
    if (this.saidAt !== this.insnProcessed) {
      this.saidAt = this.insnProcessed;
      this.saidText = '';
    }
    this.saidText += text;
    this.log.write(text);
  }

  /** Say why and stop. @param text without the line's end */
  refuse(errno: number, text: string): never {
    this.write(`${text}\n`);
    throw new Refused(errno, text);
  }

  /** The commonest refusals. */
  deny(text: string): never {
    return this.refuse(EACCES, text);
  }

  invalid(text: string): never {
    return this.refuse(EINVAL, text);
  }

  /** Stop for a reason that is already in the log. */
  silent(text: string): never {
    throw new Refused(EACCES, text);
  }

  /** A number nothing is known of. @linux __mark_reg_unknown */
  get unknown(): Reg {
    return unknownReg(!this.bpfCapable);
  }

  /** What becomes of a register whose pointer died. @linux mark_reg_invalid */
  get dead(): Reg {
    return this.allowPtrLeaks ? this.unknown : NOT_INIT_REG;
  }

  /** @linux __mark_reg_const_zero */
  get zero(): Reg {
    return constReg(0n, !this.bpfCapable);
  }

  /** The function whose stack a stack pointer points into. @linux func */
  frameOf(reg: Reg): FuncState {
    return this.cur.frames[reg.frameno]!;
  }

  scratchReg(regno: number): void {
    this.scratchedRegs |= 1 << regno;
  }

  scratchSlot(spi: number): void {
    this.scratchedSlots.add(spi);
  }
}
