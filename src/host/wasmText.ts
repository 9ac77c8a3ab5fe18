/**
 * WebAssembly as text: the functions of a module, each instruction a line with its offset in the
 * function's code and its nesting, in the words of the specification's text format. Labels are
 * numbered by nesting, so that a branch names the block it leaves or the loop it repeats.
 *
 * For modules as `wasm.ts` writes them out of programs: no data, no bulk memory, block types without
 * parameters.
 *
 * @spec WebAssembly Core Specification 2.0, chapters 5 (binary format) and 6 (text format)
 */
import { MEMORY_NAMES, PLAIN_NAMES } from './wasmOpcodes.ts';

export interface WasmLine {
  /** From the function's first instruction. */
  readonly at: number;
  /** Blocks, loops and ifs around it. */
  readonly depth: number;
  readonly text: string;
}

export interface WasmFunction {
  /** Among the module's own functions. */
  readonly own: number;
  readonly exported: string | null;
  /** Types of parameters, of results, and of the locals behind the parameters. */
  readonly params: readonly string[];
  readonly results: readonly string[];
  readonly locals: readonly string[];
  readonly lines: readonly WasmLine[];
}

/** What a reader calls things; numbers stand for what has no name. */
export interface WasmNames {
  function(own: number): string | undefined;
  local(own: number, index: number): string | undefined;
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
]);
const EMPTY = 0x40;

interface Signature {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** A place in bytes that moves on as it is read. */
class Cursor {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    return this.bytes[this.at++]!;
  }

  u32(): number {
    return Number(this.leb(false));
  }

  signed(): bigint {
    return this.leb(true);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.u32() }, read);
  }

  name(): string {
    return String.fromCharCode(...this.list(() => this.u8()));
  }

  part(): Cursor {
    const length = this.u32();
    this.at += length;
    return new Cursor(this.bytes.subarray(this.at - length, this.at));
  }

  private leb(isSigned: boolean): bigint {
    let value = 0n;
    let bits = 0n;
    let byte: number;
    do {
      byte = this.u8();
      value |= BigInt(byte & 0x7f) << bits;
      bits += 7n;
    } while (byte > 0x7f);
    return isSigned && (byte & 0x40) !== 0 ? value - (1n << bits) : value;
  }
}

const typeName = (byte: number): string => TYPES.get(byte) ?? `type 0x${byte.toString(16)}`;

/** @throws TypeError for an instruction that no module of ours has */
export function wasmText(bytes: Uint8Array, names: WasmNames): WasmFunction[] {
  const file = new Cursor(bytes);
  file.at = 8;
  let types: Signature[] = [];
  let imported: string[] = [];
  let typeOf: number[] = [];
  let bodies: Cursor[] = [];
  const exported = new Map<number, string>();
  while (file.at < bytes.length) {
    const id = file.u8();
    const part = file.part();
    if (id === 1) types = part.list(() => readSignature(part));
    else if (id === 2) imported = part.list(() => readImport(part)).filter((name) => name !== '');
    else if (id === 3) typeOf = part.list(() => part.u32());
    else if (id === 7) part.list(() => readExport(part, exported));
    else if (id === 10) bodies = part.list(() => part.part());
  }
  const calls = (index: number): string => {
    const own = index - imported.length;
    if (own < 0) return imported[index]!;
    return names.function(own) ?? exported.get(index) ?? String(index);
  };
  return bodies.map((body, own) => {
    const { params, results } = types[typeOf[own]!]!;
    const locals = body
      .list(() => Array<number>(body.u32()).fill(body.u8()))
      .flat()
      .map(typeName);
    const code = new Cursor(body.bytes.subarray(body.at, -1));
    const local = (index: number): string => names.local(own, index) ?? String(index);
    const lines = new CodeText(code, calls, local).lines();
    const name = exported.get(imported.length + own) ?? null;
    return { own, exported: name, params, results, locals, lines };
  });
}

function readSignature(from: Cursor): Signature {
  from.at++;
  const words = (): string[] => from.list(() => typeName(from.u8()));
  return { params: words(), results: words() };
}

/** @returns the name of a function, '' for anything else */
function readImport(from: Cursor): string {
  from.name();
  const name = from.name();
  const kind = from.u8();
  if (kind === 0) {
    from.u32();
    return name;
  }
  if (kind === 1) from.at++;
  from.at++;
  from.u32();
  return '';
}

function readExport(from: Cursor, functions: Map<number, string>): void {
  const name = from.name();
  const kind = from.u8();
  const index = from.u32();
  if (kind === 0) functions.set(index, name);
}

class CodeText {
  private readonly code: Cursor;
  private readonly calls: (index: number) => string;
  private readonly local: (index: number) => string;
  private depth = 0;

  constructor(code: Cursor, calls: (index: number) => string, local: (index: number) => string) {
    this.code = code;
    this.calls = calls;
    this.local = local;
  }

  lines(): WasmLine[] {
    const lines: WasmLine[] = [];
    while (this.code.at < this.code.bytes.length) {
      const { at } = this.code;
      const byte = this.code.u8();
      // an arm or an end stands where its block does
      const outside = byte === 0x05 || byte === 0x0b ? 1 : 0;
      const depth = this.depth - outside;
      lines.push({ at, depth, text: this.text(byte) });
    }
    return lines;
  }

  private text(byte: number): string {
    const { code } = this;
    const plain = PLAIN_NAMES.get(byte);
    if (plain !== undefined) return plain;
    const memory = MEMORY_NAMES.get(byte);
    if (memory !== undefined) return this.access(memory);
    switch (byte) {
      case 0x02:
        return this.open('block');
      case 0x03:
        return this.open('loop');
      case 0x04:
        return this.open('if');
      case 0x05:
        return 'else';
      case 0x0b:
        return `end $${this.depth--}`;
      case 0x0c:
        return `br ${this.label()}`;
      case 0x0d:
        return `br_if ${this.label()}`;
      case 0x0e:
        return `br_table ${[...code.list(() => this.label()), this.label()].join(' ')}`;
      case 0x10:
        return `call ${this.calls(code.u32())}`;
      case 0x11: {
        const type = code.u32();
        return `call_indirect ${code.u32()} (type ${type})`;
      }
      case 0x20:
        return `local.get $${this.local(code.u32())}`;
      case 0x21:
        return `local.set $${this.local(code.u32())}`;
      case 0x22:
        return `local.tee $${this.local(code.u32())}`;
      case 0x23:
        return `global.get ${code.u32()}`;
      case 0x24:
        return `global.set ${code.u32()}`;
      case 0x41:
        return `i32.const ${code.signed()}`;
      case 0x42:
        return `i64.const ${code.signed()}`;
      default:
        throw new TypeError(`WebAssembly instruction 0x${byte.toString(16)} has no name here`);
    }
  }

  private open(what: string): string {
    const type = this.code.u8();
    this.depth++;
    return `${what} $${this.depth}${type === EMPTY ? '' : ` (result ${typeName(type)})`}`;
  }

  private label(): string {
    return `$${this.depth - this.code.u32()}`;
  }

  private access(name: string): string {
    this.code.u32();
    const offset = this.code.u32();
    return offset === 0 ? name : `${name} offset=${offset}`;
  }
}
