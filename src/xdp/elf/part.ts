/**
 * A named part of an object file, little-endian, whose every read is checked against its end.
 *
 * Texts are decoded when asked for. A hostile table lets thousands of names share one long tail, so
 * a name has a longest length and the table as a whole a budget of characters.
 */
import { ElfError } from './objectError.ts';

/** Longest name that is read; C++ and Rust symbols stay below. */
const MAX_NAME = 4096;
const NAME_BUDGET = 1 << 22;

const utf8: TextDecoder = new TextDecoder();

export class Part {
  readonly file: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly error: typeof ElfError;
  private readonly texts = new Map<number, string>();
  private budget: number;

  constructor(file: string, name: string, bytes: Uint8Array, error: typeof ElfError = ElfError) {
    this.file = file;
    this.name = name;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.error = error;
    this.budget = NAME_BUDGET + 4 * bytes.length;
  }

  /** A part of this one, under a name of its own; offsets count from its start. */
  sub(name: string, at: number, length: number): Part {
    this.need(at, length);
    return new Part(this.file, name, this.bytes.subarray(at, at + length), this.error);
  }

  get length(): number {
    return this.bytes.length;
  }

  refuse(at: number, reason: string): ElfError {
    return new this.error(this.file, this.name, at, reason);
  }

  need(at: number, length: number): void {
    if (at >= 0 && length >= 0 && at + length <= this.bytes.length) return;
    throw this.refuse(
      at,
      `needs ${length} bytes, but the part is ${this.bytes.length} bytes long: cut short or damaged`,
    );
  }

  u8(at: number): number {
    this.need(at, 1);
    return this.view.getUint8(at);
  }

  u16(at: number): number {
    this.need(at, 2);
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    this.need(at, 4);
    return this.view.getUint32(at, true);
  }

  i32(at: number): number {
    this.need(at, 4);
    return this.view.getInt32(at, true);
  }

  /** Inexact above 2^53, where nothing can point into a file anyway. */
  u64(at: number): number {
    this.need(at, 8);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }

  /**
   * The text that starts at `at` and ends before the next zero byte.
   *
   * @throws when there is none, or it is longer than 4,096 bytes
   */
  text(at: number): string {
    const known = this.texts.get(at);
    if (known !== undefined) return known;
    if (at < 0 || at >= this.bytes.length) {
      throw this.refuse(at, `a name starts here, outside the ${this.bytes.length} bytes of names`);
    }
    const end = this.bytes.subarray(at, at + MAX_NAME + 1).indexOf(0);
    if (end < 0) throw this.refuse(at, `a name does not end within ${MAX_NAME} bytes`);
    this.budget -= end;
    if (this.budget < 0) throw this.refuse(at, 'names overlap so that they exceed their table');
    const text = utf8.decode(this.bytes.subarray(at, at + end));
    this.texts.set(at, text);
    return text;
  }
}
