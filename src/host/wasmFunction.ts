/**
 * WebAssembly functions written as statements over expressions, for loops that must run at the
 * speed of the machine: no checks of maps and bounds, everything in registers.
 *
 *   const f = new WasmFunction();
 *   const n = f.i32();                      // a local
 *   f.repeat(() => {                        // a loop, until something leaves it
 *     f.leaveIf(ge(n, 8));
 *     f.store32(at, 4, add(n, 1));
 *     f.set(n, add(n, 1));
 *   });
 *
 * A number stands for an i32 constant. Names without a letter are of i32, and unsigned where it
 * matters; names with `f` are of f64.
 *
 * @spec WebAssembly Core Specification 2.0, chapter 5.4 (instructions)
 */
import { F64, I32, V128, WasmCode } from './wasm.ts';
import type { WasmModule } from './wasm.ts';

/** Writes the code that leaves its value on the stack. */
type Expr = (code: WasmCode) => void;

/** A parameter or a local variable. */
export class Local {
  readonly index: number;
  readonly type: number;

  constructor(index: number, type: number) {
    this.index = index;
    this.type = type;
  }
}

export type Value = number | Local | Expr;

function push(code: WasmCode, value: Value): void {
  if (typeof value === 'number') code.i32(value);
  else if (value instanceof Local) code.get(value.index);
  else value(code);
}

const binary =
  (op: number) =>
  (a: Value, b: Value): Expr =>
  (code) => {
    push(code, a);
    push(code, b);
    code.op(op);
  };

type Binary = (a: Value, b: Value) => Expr;
export const eq: Binary = binary(0x46);
export const ne: Binary = binary(0x47);
export const gt: Binary = binary(0x4b);
export const ge: Binary = binary(0x4f);
export const add: Binary = binary(0x6a);
export const sub: Binary = binary(0x6b);
export const mul: Binary = binary(0x6c);
export const and: Binary = binary(0x71);
export const or: Binary = binary(0x72);
export const xor: Binary = binary(0x73);
export const shl: Binary = binary(0x74);
export const shr: Binary = binary(0x76);
export const fgt: Binary = binary(0x64);
export const fge: Binary = binary(0x66);
export const fadd: Binary = binary(0xa0);
export const fsub: Binary = binary(0xa1);
export const fmul: Binary = binary(0xa2);
export const fmax: Binary = binary(0xa5);

const I32_LOAD = 0x28;
const F64_LOAD = 0x2b;
const I32_STORE = 0x36;
const F64_STORE = 0x39;
const I64_CONST = 0x42;
const I64_SHR_S = 0x87;
const I32_WRAP_I64 = 0xa7;
const I64_REINTERPRET_F64 = 0xbd;
const V128_LOAD = [0xfd, 0x00];
const V128_STORE = [0xfd, 0x0b];
const V128_OR = [0xfd, 0x50];
const I32X4_SPLAT = [0xfd, 0x11];
const I32X4_REPLACE_LANE = [0xfd, 0x1c];
const MEMORY_COPY = [0xfc, 0x0a, 0, 0];
const F64_CONST_HALF = [0x44, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f];
const F64_CONST_ONE = [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
const F64_CONST_INFINITY = [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f];

/** The 32 bits at `at + offset`. */
export const load32 =
  (at: Value, offset: number = 0): Expr =>
  (code) => {
    push(code, at);
    code.access(I32_LOAD, offset);
  };

export const loadF64 =
  (at: Value, offset: number = 0): Expr =>
  (code) => {
    push(code, at);
    code.access(F64_LOAD, offset);
  };

/** The sixteen bytes at `at + offset`. */
export const load16 =
  (at: Value, offset: number = 0): Expr =>
  (code) => {
    push(code, at);
    code.raw(V128_LOAD).op(0).u32(offset);
  };

/** Sixteen bytes whose four words are all the same. */
export const fourOf =
  (word: Value): Expr =>
  (code) => {
    push(code, word);
    code.raw(I32X4_SPLAT);
  };

/** `four`, its word `index` replaced. */
export const withWord =
  (four: Value, index: number, word: Value): Expr =>
  (code) => {
    push(code, four);
    push(code, word);
    code.raw(I32X4_REPLACE_LANE).op(index);
  };

export const or16: Binary = (a, b) => (code) => {
  push(code, a);
  push(code, b);
  code.raw(V128_OR);
};

/** What the imported function at `index` returns. */
export const callImport =
  (index: number, ...params: readonly Value[]): Expr =>
  (code) => {
    for (const param of params) push(code, param);
    code.callImport(index);
  };

/** What the module's own function at `index` returns. */
export const callOwn =
  (index: number, ...params: readonly Value[]): Expr =>
  (code) => {
    for (const param of params) push(code, param);
    code.call(index);
  };

const unary =
  (op: number) =>
  (a: Value): Expr =>
  (code) => {
    push(code, a);
    code.op(op);
  };

export const ffloor: (a: Value) => Expr = unary(0x9c);
/** The first `bits` of a double, sign and exponent before the fraction, as a signed number; at most 32. */
export const topBits =
  (a: Value, bits: number): Expr =>
  (code) => {
    push(code, a);
    code
      .op(I64_REINTERPRET_F64)
      .raw([I64_CONST, 64 - bits])
      .op(I64_SHR_S)
      .op(I32_WRAP_I64);
  };
/** The double that is as large as an i32, unsigned. */
export const double: (a: Value) => Expr = unary(0xb8);
export const ONE: Expr = (code) => void code.raw(F64_CONST_ONE);
export const HALF: Expr = (code) => void code.raw(F64_CONST_HALF);
export const INFINITY: Expr = (code) => void code.raw(F64_CONST_INFINITY);

export class WasmFunction {
  readonly code: WasmCode = new WasmCode();
  private readonly params: number[] = [];
  private readonly results: number[] = [];
  private readonly locals: number[] = [];
  /** Labels of the loops that are open: where they begin again, and where they end. */
  private readonly loops: { readonly start: number; readonly end: number }[] = [];

  /** All parameters come before the first local. @param type I32 or F64 */
  param(type: number): Local {
    return new Local(this.params.push(type) - 1, type);
  }

  i32(): Local {
    return this.local(I32);
  }

  f64(): Local {
    return this.local(F64);
  }

  /** Sixteen bytes. */
  v128(): Local {
    return this.local(V128);
  }

  /** A local of any type. */
  local(type: number): Local {
    return new Local(this.params.length + this.locals.push(type) - 1, type);
  }

  /** A local that begins as the 32 bits at `at + offset`. */
  i32At(at: Value, offset: number): Local {
    const local = this.i32();
    this.set(local, load32(at, offset));
    return local;
  }

  f64At(at: Value, offset: number): Local {
    const local = this.f64();
    this.set(local, loadF64(at, offset));
    return local;
  }

  set(to: Local, value: Value): void {
    push(this.code, value);
    this.code.set(to.index);
  }

  /** `local` becomes `most` if it is more. */
  atMost(local: Local, most: Value): void {
    this.if(gt(local, most), () => this.set(local, most));
  }

  store32(at: Value, offset: number, value: Value): void {
    push(this.code, at);
    push(this.code, value);
    this.code.access(I32_STORE, offset);
  }

  storeF64(at: Value, offset: number, value: Value): void {
    push(this.code, at);
    push(this.code, value);
    this.code.access(F64_STORE, offset);
  }

  /** One more, or so many, of what is counted there in an f64. */
  count(at: Value, offset: number, more: Value = ONE): void {
    this.storeF64(at, offset, fadd(loadF64(at, offset), more));
  }

  store16(at: Value, offset: number, value: Value): void {
    push(this.code, at);
    push(this.code, value);
    this.code.raw(V128_STORE).op(0).u32(offset);
  }

  copy(to: Value, from: Value, bytes: Value): void {
    push(this.code, to);
    push(this.code, from);
    push(this.code, bytes);
    this.code.raw(MEMORY_COPY);
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    push(this.code, condition);
    this.code.if();
    then();
    if (otherwise !== undefined) {
      this.code.else();
      otherwise();
    }
    this.code.end();
  }

  /** Again and again, until `leave` or `leaveIf`. */
  repeat(body: () => void): void {
    const end = this.code.block();
    const start = this.code.loop();
    this.loops.push({ start, end });
    body();
    this.code.br(start).end();
    this.code.end();
    this.loops.pop();
  }

  leaveIf(condition: Value): void {
    push(this.code, condition);
    this.code.brIf(this.loops.at(-1)!.end);
  }

  /** Begin the innermost loop's body anew. */
  again(): void {
    this.code.br(this.loops.at(-1)!.start);
  }

  /** The function ends with this value; without it, with none. @param type I32 or F64 */
  returns(value: Value, type: number): void {
    push(this.code, value);
    this.results.push(type);
  }

  /** Make it a function of `module`, under `name`. */
  exportTo(module: WasmModule, name: string): void {
    const own = module.declare();
    module.define(own, module.type(this.params, this.results), this.locals, this.code);
    module.exportFunction(name, own);
  }
}
