/**
 * A program from its function: behind it come the subprograms it calls, each once, in the order in
 * which calls first lead to them; calls and addresses are turned to where they now lie.
 *
 * @linux bpf_object__reloc_code, bpf_object__append_subprog_code; tools/lib/bpf/libbpf.c
 */
import type { Insn } from '../isa/insn.ts';
import { BPF_PSEUDO_FUNC, INSN_BYTES, isLdImm64 } from '../isa/insn.ts';
import type { CodeFunction, CodeSection } from './functions.ts';
import { codeTarget, isCall, isFuncAddress } from './functions.ts';
import type { ObjectFile } from './objectFile.ts';
import { Records } from './records.ts';
import type { Referents } from './references.ts';
import { readReference } from './references.ts';
import type { CoreRelo, FuncInfo, InsnRef, LineInfo } from './spec.ts';

/**
 * Instructions and records of all programs together. Programs share subprograms, so that a small
 * file could otherwise describe far more than it holds; the kernel takes a million of one program.
 */
const BUDGET: number = 1 << 22;

/** In front of a callback's name, in a tag of its program. */
const EXCEPTION_CALLBACK = 'exception_callback:';

interface LinkedProgram {
  readonly insns: Insn[];
  readonly refs: Map<number, InsnRef>;
  readonly core: CoreRelo[];
  readonly funcInfo: FuncInfo[];
  readonly lineInfo: LineInfo[];
}

export interface Code {
  readonly object: ObjectFile;
  readonly sections: ReadonlyMap<number, CodeSection>;
  readonly referents: Referents;
}

const emptyProgram = (): LinkedProgram => ({
  insns: [],
  refs: new Map(),
  core: [],
  funcInfo: [],
  lineInfo: [],
});

/** Links the programs of one object. */
export class Linker {
  private readonly code: Code;
  private readonly records: Records;
  private left = BUDGET;
  private out: LinkedProgram = emptyProgram();
  /** First slot, in the program, of each function that is in it. */
  private readonly placed = new Map<CodeFunction, number>();

  constructor(code: Code) {
    this.code = code;
    this.records = new Records(code.object);
  }

  link(main: CodeFunction): LinkedProgram {
    this.out = emptyProgram();
    this.placed.clear();
    this.append(main);
    const callback = this.exceptionCallback(main);
    if (callback !== undefined && !this.placed.has(callback)) this.append(callback);
    return this.out;
  }

  /** What the program's tag `exception_callback:NAME` names; nothing calls it. */
  private exceptionCallback(main: CodeFunction): CodeFunction | undefined {
    const { btf } = this.code.object;
    if (btf?.loads !== true) return undefined;
    const typed = btf.find(main.name, 'func');
    if (typed === null) return undefined;
    for (const tag of btf.tagsOf(typed.id)) {
      if (tag.component !== -1 || !tag.name.startsWith(EXCEPTION_CALLBACK)) continue;
      const name = tag.name.slice(EXCEPTION_CALLBACK.length);
      for (const { functions } of this.code.sections.values())
        for (const func of functions.values()) if (func.name === name) return func;
    }
    return undefined;
  }

  /**
   * Append `func`, then look at what it calls, first come first: what a called function calls comes
   * before the next call of this one is looked at. Kept on a list, since calls may be nested as
   * deep as there are functions.
   */
  private append(main: CodeFunction): void {
    const open = [this.place(main)];
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      if (at.slot === at.func.end) {
        open.pop();
        continue;
      }
      const called = this.relocate(at.func, at.slot++);
      if (called !== null) open.push(this.place(called));
    }
  }

  private place(func: CodeFunction): { func: CodeFunction; slot: number } {
    const { insns } = this.code.sections.get(func.section.index)!;
    const { out } = this;
    const first = out.insns.length;
    const records = this.records.of(func);
    const count = records.funcs.length + records.lines.length + records.core.length;
    this.left -= func.end - func.start + count;
    if (this.left < 0) {
      throw func.section.part.refuse(
        func.start * INSN_BYTES,
        `with ${func.name} the programs have more than ${BUDGET} instructions and records`,
      );
    }
    this.placed.set(func, first);
    for (const info of records.funcs) out.funcInfo.push({ ...info, slot: info.slot + first });
    for (const info of records.lines) out.lineInfo.push({ ...info, slot: info.slot + first });
    for (const relo of records.core) out.core.push({ ...relo, slot: relo.slot + first });
    for (let slot = func.start; slot < func.end; slot++) out.insns.push(insns[slot]!);
    return { func, slot: func.start };
  }

  /** @returns a function that has just been found to be called */
  private relocate(func: CodeFunction, slot: number): CodeFunction | null {
    const code = this.code.sections.get(func.section.index)!;
    const insn = code.insns[slot]!;
    const reloc = code.relocs.get(slot);
    const target = codeTarget(code, slot);
    const to = this.placed.get(func)! + slot - func.start;
    const isExtern = reloc !== undefined && reloc.symbol.section === 0;
    const toCode =
      target !== null &&
      !isExtern &&
      (reloc === undefined || isCall(insn) || isFuncAddress(reloc, insn, this.code.sections));
    if (toCode && this.code.sections.has(target.section)) {
      return this.pointTo(func, slot, insn, to, target);
    }
    if (reloc === undefined) return null;
    const {
      ref,
      insn: resolved,
      high,
    } = readReference(this.code.referents, func.section, slot, insn, reloc);
    this.out.refs.set(to, ref);
    this.out.insns[to] = resolved;
    if (isLdImm64(insn)) this.out.insns[to + 1] = { ...this.out.insns[to + 1]!, imm: high };
    return null;
  }

  private pointTo(
    func: CodeFunction,
    slot: number,
    insn: Insn,
    to: number,
    target: { readonly section: number; readonly slot: number },
  ): CodeFunction | null {
    const callee = this.code.sections.get(target.section)!.functions.get(target.slot);
    if (callee === undefined) {
      throw func.section.part.refuse(
        slot * INSN_BYTES,
        `slot ${slot} of the section leads to slot ${target.slot} of another, where no function begins`,
      );
    }
    const isNew = !this.placed.has(callee);
    const start = this.placed.get(callee) ?? this.out.insns.length;
    const src = isCall(insn) ? insn.src : BPF_PSEUDO_FUNC;
    this.out.insns[to] = { ...insn, src, imm: start - to - 1 };
    return isNew ? callee : null;
  }
}
