/**
 * Capture files put together by hand, byte by byte from the two specifications: nothing here is
 * shared with the code under test.
 */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `lenBytes` bytes that count up from `first`. */
export const counting = (lenBytes: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: lenBytes }, (_, i) => (first + i) & 0xff);

/** Builds the pieces of a pcapng file in one byte order. */
export class Pieces {
  private readonly little: boolean;

  constructor(order: 'little' | 'big') {
    this.little = order === 'little';
  }

  u16(...values: readonly number[]): Uint8Array {
    return this.words(values, 2, (view, at, value) => view.setUint16(at, value, this.little));
  }

  u32(...values: readonly number[]): Uint8Array {
    return this.words(values, 4, (view, at, value) => view.setUint32(at, value, this.little));
  }

  i64(value: bigint): Uint8Array {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setBigInt64(0, value, this.little);
    return out;
  }

  private words(
    values: readonly number[],
    width: number,
    store: (view: DataView, at: number, value: number) => void,
  ): Uint8Array {
    const out = new Uint8Array(values.length * width);
    values.forEach((value, i) => store(new DataView(out.buffer), i * width, value));
    return out;
  }

  pad(value: Uint8Array): Uint8Array {
    return concat(value, new Uint8Array((4 - (value.length % 4)) % 4));
  }

  block(type: number, ...body: readonly Uint8Array[]): Uint8Array {
    const whole = this.pad(concat(...body));
    const length = this.u32(whole.length + 12);
    return concat(this.u32(type), length, whole, length);
  }

  option(code: number, value: Uint8Array): Uint8Array {
    return concat(this.u16(code, value.length), this.pad(value));
  }

  section(): Uint8Array {
    const version = this.u16(1, 0);
    return this.block(0x0a0d0d0a, this.u32(0x1a2b3c4d), version, hex('ffffffffffffffff'));
  }

  interface(linkType: number, snapLen: number, ...options: readonly Uint8Array[]): Uint8Array {
    return this.block(1, this.u16(linkType, 0), this.u32(snapLen), ...options);
  }

  /** Enhanced packet block. */
  enhanced(
    id: number,
    ticks: bigint,
    data: Uint8Array,
    wireLen: number = data.length,
    ...options: readonly Uint8Array[]
  ): Uint8Array {
    const fixed = this.u32(
      id,
      Number(ticks >> 32n),
      Number(ticks & 0xffffffffn),
      data.length,
      wireLen,
    );
    return this.block(6, fixed, this.pad(data), ...options);
  }
}

export const ascii = (text: string): Uint8Array =>
  Uint8Array.from(text, (letter) => letter.charCodeAt(0));
