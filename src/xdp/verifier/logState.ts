/**
 * States, instructions and source lines as the log shows them.
 *
 * @linux print_verifier_state, print_insn_state, verbose_linfo; kernel/bpf/log.c
 */
import { funcIdName } from '../helpers/helperNames.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { BPF_PSEUDO_FUNC } from '../isa/insn.ts';
import { disasm } from '../isa/disasm.ts';
import type { Env, LineInfo } from './env.ts';
import type { Bounds } from './bounds.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX } from './bounds.ts';
import type { Reg } from './reg.ts';
import { baseId, isAddConst } from './reg.ts';
import {
  BPF_DYNPTR_NR_SLOTS,
  CONST_PTR_TO_DYNPTR,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TO_STACK,
  SCALAR_VALUE,
  baseType,
  dynptrTypeStr,
  regTypeStr,
  typeIsMapPtr,
  typeIsNonOwningRef,
  typeIsPktPointer,
} from './regTypes.ts';
import type { FuncState, VerifierState } from './state.ts';
import {
  SLOT_BYTES,
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_ITER,
  STACK_SPILL,
  byteType,
} from './state.ts';
import { U64_MAX, s64, signedText, tnumIsConst, tnumText, u64, unsignedText } from './tnum.ts';

interface Range {
  readonly name: string;
  readonly signed: boolean;
  readonly value: bigint;
  omit: boolean;
}

const SMALLEST_DECIMAL = -0x8000;
const LARGEST_DECIMAL = 0x7fff;

/** Signed halves too large for decimals are shown as their 32 bits. */
const signedHalf = (x: number): bigint =>
  BigInt(x >= SMALLEST_DECIMAL && x <= LARGEST_DECIMAL ? x : x >>> 0);

const rangesOf = (b: Bounds): Range[] => [
  { name: 'smin', signed: true, value: b.smin, omit: b.smin === S64_MIN },
  { name: 'smax', signed: true, value: b.smax, omit: b.smax === S64_MAX },
  { name: 'umin', signed: false, value: b.umin, omit: b.umin === 0n },
  { name: 'umax', signed: false, value: b.umax, omit: b.umax === U64_MAX },
  { name: 'smin32', signed: true, value: signedHalf(b.s32Min), omit: b.s32Min === S32_MIN },
  { name: 'smax32', signed: true, value: signedHalf(b.s32Max), omit: b.s32Max === S32_MAX },
  { name: 'umin32', signed: false, value: BigInt(b.u32Min), omit: b.u32Min === 0 },
  { name: 'umax32', signed: false, value: BigInt(b.u32Max), omit: b.u32Max === U32_MAX },
];

const negative = (range: Range): boolean => range.signed && range.value < 0n;

/** Equal limits are written as one: `smax=umax=255`. @linux print_scalar_ranges */
function rangeTexts(b: Bounds): string[] {
  const ranges = rangesOf(b);
  const texts: string[] = [];
  ranges.forEach((range, i) => {
    if (range.omit) return;
    let names = `${range.name}=`;
    for (let j = i + 2; j < ranges.length; j += 2) {
      const other = ranges[j]!;
      if (other.omit || u64(other.value) !== u64(range.value)) continue;
      if (negative(other) !== negative(range)) continue;
      other.omit = true;
      names += `${other.name}=`;
    }
    texts.push(names + (range.signed ? signedText(range.value) : unsignedText(range.value)));
  });
  return texts;
}

const idText = (reg: Reg): string => {
  const distance = isAddConst(reg.id) ? `${reg.off < 0 ? '' : '+'}${reg.off}` : '';
  return `id=${baseId(reg.id)}${distance}`;
};

function attributesOf(reg: Reg): string[] {
  const { type, bounds, map } = reg;
  const parts: string[] = [];
  if (reg.id !== 0) parts.push(idText(reg));
  if (reg.refObjId !== 0) parts.push(`ref_obj_id=${reg.refObjId}`);
  if (typeIsNonOwningRef(type)) parts.push('non_own_ref');
  if (typeIsMapPtr(type) && map !== null) {
    // templates of inner maps have no name
    if (map.name !== '' && 'id' in map) parts.push(`map=${map.name}`);
    parts.push(`ks=${map.keySize},vs=${map.valueSize}`);
  }
  if (type !== SCALAR_VALUE && reg.off !== 0) parts.push(`off=${signedText(BigInt(reg.off))}`);
  if (typeIsPktPointer(type)) parts.push(`r=${unsignedText(u64(BigInt(reg.range)))}`);
  if (baseType(type) === PTR_TO_MEM) parts.push(`sz=${unsignedText(BigInt(reg.memSize >>> 0))}`);
  if (type === CONST_PTR_TO_DYNPTR) parts.push(`type=${dynptrTypeStr(reg.dynptrType)}`);
  if (tnumIsConst(bounds)) {
    if (bounds.value !== 0n) parts.push(`imm=${signedText(s64(bounds.value))}`);
    return parts;
  }
  parts.push(...rangeTexts(bounds));
  if (bounds.mask !== U64_MAX) parts.push(`var_off=${tnumText(bounds)}`);
  return parts;
}

/** @linux print_reg_state */
function regText(frameno: number, reg: Reg): string {
  const { type, bounds } = reg;
  if (type === SCALAR_VALUE) {
    const precise = reg.precise ? 'P' : '';
    if (tnumIsConst(bounds)) return precise + signedText(s64(bounds.value));
    return `${precise}scalar(${attributesOf(reg).join(',')})`;
  }
  let name = regTypeStr(type);
  if (type === PTR_TO_ARENA) return name;
  if (type === PTR_TO_STACK) {
    if (frameno !== reg.frameno) name += `[${reg.frameno}]`;
    if (tnumIsConst(bounds)) return name + signedText(s64(u64(bounds.value + BigInt(reg.off))));
  }
  if (baseType(type) === PTR_TO_BTF_ID) name += reg.btf?.name ?? '';
  return `${name}(${attributesOf(reg).join(',')})`;
}

const SLOT_CHARS = '?rm0dif';

function slotTypesText(types: number): string {
  let text = '';
  for (let j = 0; j < SLOT_BYTES; j++) text += SLOT_CHARS[byteType(types, j)];
  return text;
}

/** The bytes above a spilled half. */
function aboveSpill(types: number): string {
  const text = slotTypesText(types);
  return text.slice(0, text.indexOf(SLOT_CHARS[STACK_SPILL]!));
}

/** A slot's offset from the frame pointer. */
const offsetOf = (i: number): number => (-i - 1) * SLOT_BYTES;

function slotsText(env: Env, func: FuncState, all: boolean): string {
  let text = '';
  for (let spi = 0; spi < func.stack.length; spi++) {
    if (!all && !env.allScratched && !env.scratchedSlots.has(spi)) continue;
    const slot = func.stack[spi]!;
    if (slot.types === STACK_INVALID) continue;
    switch (byteType(slot.types, 7)) {
      case STACK_SPILL:
        text += ` fp${offsetOf(spi)}=${aboveSpill(slot.types)}${regText(func.frameno, slot.reg)}`;
        break;
      case STACK_DYNPTR: {
        // the one with the lower address describes the dynptr
        spi += BPF_DYNPTR_NR_SLOTS - 1;
        const { reg } = func.stack[spi]!;
        const parts = [];
        if (reg.id !== 0) parts.push(`id=${reg.id}`);
        if (reg.refObjId !== 0) parts.push(`ref_id=${reg.refObjId}`);
        // in Linux the mark of the first slot lies where this number does
        if (reg.firstSlot) parts.push('dynptr_id=1');
        if (reg.dynptrId !== 0) parts.push(`dynptr_id=${reg.dynptrId}`);
        text += ` fp${offsetOf(spi)}=dynptr_${dynptrTypeStr(reg.dynptrType)}(${parts.join(',')})`;
        break;
      }
      case STACK_ITER: {
        const { reg } = slot;
        if (reg.refObjId === 0) break;
        text += ` fp${offsetOf(spi)}=iter_${reg.iterName}(ref_id=${reg.refObjId},state=${reg.iterState},depth=${reg.iterDepth})`;
        break;
      }
      default:
        text += ` fp${offsetOf(spi)}=${slotTypesText(slot.types)}`;
    }
  }
  return text;
}

/** @linux print_verifier_state */
export function printVerifierState(
  env: Env,
  state: VerifierState,
  frameno: number,
  all: boolean,
): void {
  const func = state.frames[frameno]!;
  let text = func.frameno === 0 ? '' : ` frame${func.frameno}:`;
  func.regs.forEach((reg, i) => {
    if (reg.type === NOT_INIT) return;
    if (!all && !env.allScratched && (env.scratchedRegs & (1 << i)) === 0) return;
    text += ` R${i}=${regText(func.frameno, reg)}`;
  });
  text += slotsText(env, func, all);
  const refs = state.refs.filter((ref) => ref.id !== 0).map((ref) => ref.id);
  if (state.refs.length !== 0 && state.refs[0]!.id !== 0) text += ` refs=${refs.join(',')}`;
  if (func.inCallbackFn) text += ' cb';
  if (func.inAsyncCallbackFn) text += ' async_cb';
  env.write(`${text}\n`);
  if (!all) markClean(env);
}

/** Nothing changed since. @linux mark_verifier_state_clean */
export function markClean(env: Env): void {
  env.scratchedRegs = 0;
  env.scratchedSlots.clear();
  env.allScratched = false;
}

/** @linux mark_verifier_state_scratched */
export function markAllScratched(env: Env): void {
  env.allScratched = true;
}

/** @linux verifier_state_scratched */
export const stateScratched = (env: Env): boolean =>
  env.allScratched || env.scratchedRegs !== 0 || env.scratchedSlots.size !== 0;

const ALIGNMENT = 40;
const MIN_ALIGNMENT = 8;

/** Blanks up to the column of states. @linux vlog_alignment */
function alignment(pos: number): number {
  const wanted = Math.max(pos + MIN_ALIGNMENT / 2, ALIGNMENT);
  return Math.ceil(wanted / MIN_ALIGNMENT) * MIN_ALIGNMENT - pos - 1;
}

/** What the instruction just printed changed, behind it on its line where nothing came between. */
export function printInsnState(env: Env, state: VerifierState, frameno: number): void {
  if (env.prevLogPos !== 0 && env.prevLogPos === env.log.end) {
    env.log.cutTo(env.prevLogPos - 1);
    env.write(`${' '.repeat(alignment(env.prevInsnPrintLength))};`);
  } else {
    env.write(`${env.insnIdx}:`);
  }
  printVerifierState(env, state, frameno, false);
}

export function insnText(env: Env, idx: number): string {
  return disasm(env.insns[idx]!, env.insns[idx + 1], {
    helper: funcIdName,
    kfunc: ({ imm }) => (imm === 0 ? '' : kfuncByImm(imm)?.name), // the kernel's type 0 has no name
    imm64: (insn) =>
      insn.src === 0 || insn.src === BPF_PSEUDO_FUNC || env.allowPtrLeaks ? undefined : 0n,
  });
}

/** `12: (b7) r0 = 2`. @linux verbose_insn */
export function printInsn(env: Env, idx: number): void {
  env.prevLogPos = env.log.end;
  env.write(`${idx}: ${insnText(env, idx)}\n`);
  env.prevInsnPrintLength = env.log.end - env.prevLogPos;
  env.prevLogPos = env.log.end;
}

/** The line a slot belongs to. @linux find_linfo */
export function findLine(env: Env, slot: number): LineInfo | null {
  const lines = env.image.lineInfo;
  let low = 0;
  let high = lines.length - 1;
  if (high < 0) return null;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]!.slot <= slot) low = middle;
    else high = middle - 1;
  }
  return lines[low]!;
}

/** The source line, where it is another than the last one shown. @linux verbose_linfo */
export function printLine(env: Env, slot: number, prefix: string): void {
  if (env.log.level === 0) return;
  const line = findLine(env, slot);
  const last = env.prevLine;
  if (line === null || line === last) return;
  if (last !== null && line.file === last.file && line.line === last.line) return;
  const file = line.file.slice(line.file.lastIndexOf('/') + 1);
  env.write(`${prefix}${line.text.trimStart()} @ ${file}:${line.line}\n`);
  env.prevLine = line;
}
