/**
 * A small WebAssembly encoder: a code writer that keeps count of its nesting, and a module of
 * types, imports, functions, one table and exports.
 *
 * Imports may be added while functions are being written: a call of one of the module's own
 * functions has an index of fixed width, which is filled in when the module is put together,
 * because own functions are numbered after all imports.
 *
 * @spec WebAssembly Core Specification 2.0, chapter 5 (binary format)
 */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const V128 = 0x7b;
const FUNCREF = 0x70;

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const EMPTY = 0x40;

/** Bytes of code, growing as they are written. */
export class WasmCode {
  bytes: Uint8Array;
  length = 0;
  /** Blocks, loops and ifs that are open; the number of the innermost is its label. */
  depth = 0;
  /** Where an own function's index is to be filled in. */
  readonly patches: number[] = [];

  constructor(capacity: number = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  /** One byte: an instruction without operands, or a part of one. */
  op(byte: number): this {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = byte;
    return this;
  }

  raw(bytes: ArrayLike<number>): this {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Unsigned LEB128 of 32 bits. */
  u32(n: number): this {
    let rest = n >>> 0;
    while (rest > 0x7f) {
      this.op((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.op(rest);
  }

  /** Signed LEB128 of a 64-bit number in two halves. */
  private s64(lo: number, hi: number): this {
    let low = lo | 0;
    let high = hi | 0;
    while (true) {
      const seven = low & 0x7f;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
      const sign = (seven & 0x40) === 0 ? 0 : -1;
      if (low === sign && high === sign) return this.op(seven);
      this.op(seven | 0x80);
    }
  }

  i32(n: number): this {
    return this.op(I32_CONST).s64(n, n >> 31);
  }

  /** @param hi high word; that of a sign-extended `lo` unless given */
  i64(lo: number, hi: number = lo >> 31): this {
    return this.op(I64_CONST).s64(lo, hi);
  }

  get(local: number): this {
    return this.op(LOCAL_GET).u32(local);
  }

  set(local: number): this {
    return this.op(LOCAL_SET).u32(local);
  }

  tee(local: number): this {
    return this.op(LOCAL_TEE).u32(local);
  }

  globalGet(global: number): this {
    return this.op(GLOBAL_GET).u32(global);
  }

  globalSet(global: number): this {
    return this.op(GLOBAL_SET).u32(global);
  }

  /** A load or store at the address on the stack plus `offset`; no alignment is promised. */
  access(instruction: number, offset: number): this {
    return this.op(instruction).op(0).u32(offset);
  }

  /** @returns the label: branches to it go to its end */
  block(): number {
    this.op(BLOCK).op(EMPTY);
    return ++this.depth;
  }

  /** @returns the label: branches to it go to its start */
  loop(): number {
    this.op(LOOP).op(EMPTY);
    return ++this.depth;
  }

  /** @param type of the value that both arms leave; none unless given */
  if(type: number = EMPTY): void {
    this.op(IF).op(type);
    this.depth++;
  }

  else(): void {
    this.op(ELSE);
  }

  end(): void {
    this.op(END);
    this.depth--;
  }

  br(label: number): this {
    return this.op(BR).u32(this.depth - label);
  }

  brIf(label: number): this {
    return this.op(BR_IF).u32(this.depth - label);
  }

  /** @param labels by the number on the stack; the last for all others */
  brTable(labels: readonly number[]): this {
    this.op(BR_TABLE).u32(labels.length - 1);
    for (const label of labels) this.u32(this.depth - label);
    return this;
  }

  callImport(index: number): this {
    return this.op(CALL).u32(index);
  }

  /** @param index among the module's own functions */
  call(index: number): this {
    this.op(CALL);
    this.patches.push(this.length);
    return this.raw(patched(index));
  }

  private grow(more: number): void {
    const bigger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    bigger.set(this.bytes);
    this.bytes = bigger;
  }
}

/** LEB128 of 32 bits in its longest form, 5 bytes. */
const patched = (n: number): number[] => [
  ...[0, 7, 14, 21].map((shift) => ((n >>> shift) & 0x7f) | 0x80),
  n >>> 28,
];
const unpatched = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! & 0x7f) |
  ((bytes[at + 1]! & 0x7f) << 7) |
  ((bytes[at + 2]! & 0x7f) << 14) |
  ((bytes[at + 3]! & 0x7f) << 21) |
  (bytes[at + 4]! << 28);

const FUNCTION = 0x00;
const GLOBAL = 0x03;

interface Export {
  readonly name: string;
  readonly kind: number;
  /** Among the module's own. */
  readonly index: number;
}

interface OwnFunction {
  readonly type: number;
  /** Types of its locals behind the parameters. */
  readonly locals: readonly number[];
  readonly code: WasmCode;
}

export class WasmModule {
  private readonly types: string[] = [];
  private readonly imports: WasmCode[] = [];
  private readonly functions: (OwnFunction | undefined)[] = [];
  private readonly exports: Export[] = [];
  private readonly globals: WasmCode[] = [];
  private importedFunctions = 0;

  /** @returns the type's index; equal types have one */
  type(params: readonly number[], results: readonly number[]): number {
    const key = [params.length, ...params, results.length, ...results].join(' ');
    const known = this.types.indexOf(key);
    return known >= 0 ? known : this.types.push(key) - 1;
  }

  importFunction(from: string, name: string, type: number): number {
    this.import(from, name).op(0x00).u32(type);
    return this.importedFunctions++;
  }

  importMemory(from: string, name: string): void {
    this.import(from, name).op(0x02).op(0x00).u32(0);
  }

  importTable(from: string, name: string): void {
    this.import(from, name).op(0x01).op(FUNCREF).op(0x00).u32(0);
  }

  /** A mutable i32, 0 at first. */
  global(): number {
    return this.globals.push(new WasmCode(8).op(I32).op(0x01).i32(0).op(END)) - 1;
  }

  /** Takes the next index among own functions; its code follows by `define`. */
  declare(): number {
    return this.functions.push(undefined) - 1;
  }

  define(own: number, type: number, locals: readonly number[], code: WasmCode): void {
    this.functions[own] = { type, locals, code };
  }

  exportFunction(name: string, own: number): void {
    this.exports.push({ name, kind: FUNCTION, index: own });
  }

  exportGlobal(name: string, global: number): void {
    this.exports.push({ name, kind: GLOBAL, index: global });
  }

  /** @throws TypeError when a declared function was not defined */
  encode(): Uint8Array<ArrayBuffer> {
    const functions = this.functions.map((own, i) => {
      if (own === undefined) throw new TypeError(`function ${i} was declared and not defined`);
      return own;
    });
    const out = new WasmCode(4096).raw([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, this.types, (to, key) => to.op(0x60).raw(key.split(' ').map(Number)));
    section(out, 2, this.imports, (to, entry) => to.raw(entry.bytes.subarray(0, entry.length)));
    section(out, 3, functions, (to, { type }) => to.u32(type));
    section(out, 6, this.globals, (to, entry) => to.raw(entry.bytes.subarray(0, entry.length)));
    section(out, 7, this.exports, (to, { name, kind, index }) =>
      text(to, name)
        .op(kind)
        .u32(kind === FUNCTION ? this.importedFunctions + index : index),
    );
    section(out, 10, functions, (to, own) => this.body(to, own));
    return out.bytes.slice(0, out.length);
  }

  private import(from: string, name: string): WasmCode {
    const entry = text(text(new WasmCode(32), from), name);
    this.imports.push(entry);
    return entry;
  }

  private body(to: WasmCode, { locals, code }: OwnFunction): void {
    for (const at of code.patches) {
      code.bytes.set(patched(unpatched(code.bytes, at) + this.importedFunctions), at);
    }
    const head = new WasmCode(16);
    const groups: { type: number; count: number }[] = [];
    for (const type of locals) {
      const last = groups.at(-1);
      if (last?.type === type) last.count++;
      else groups.push({ type, count: 1 });
    }
    head.u32(groups.length);
    for (const { type, count } of groups) head.u32(count).op(type);
    to.u32(head.length + code.length + 1);
    to.raw(head.bytes.subarray(0, head.length)).raw(code.bytes.subarray(0, code.length)).op(END);
  }
}

const text = (to: WasmCode, name: string): WasmCode =>
  to.u32(name.length).raw([...name].map((c) => c.charCodeAt(0)));

/** Append one section; an empty one is left out. */
function section<T>(
  out: WasmCode,
  id: number,
  items: readonly T[],
  write: (to: WasmCode, item: T) => void,
): void {
  if (items.length === 0) return;
  const inner = new WasmCode(1024).u32(items.length);
  for (const item of items) write(inner, item);
  out.op(id).u32(inner.length).raw(inner.bytes.subarray(0, inner.length));
}
