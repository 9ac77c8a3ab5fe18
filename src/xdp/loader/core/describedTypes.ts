/**
 * Type information from a description in text, one type a line:
 *
 *   struct iphdr 20 ihl:u8@0:4 version:u8@4:4 tos:u8@8 saddr:u32@96    kind, name, bytes, members
 *   union #3 8 word:u32@0 bytes:u8[4]@0                               # and a number: no name
 *   enum xdp_action 4 XDP_ABORTED=0 XDP_DROP=1                        kind, name, bytes, values
 *
 * A member is name, type, first bit, and of a bitfield its bits. Types are u8 to u64, s8 to s64,
 * bool, `*` for any pointer, `*struct.net_device` for one to another line's struct, or that
 * struct itself, `struct.in6_addr`; each with array dimensions behind.
 */
import type { Btf } from '../../btf/btf.ts';
import { readBtfFile } from '../../btf/btf.ts';
import {
  BTF_KIND_ARRAY,
  BTF_KIND_ENUM,
  BTF_KIND_INT,
  BTF_KIND_PTR,
  BTF_KIND_STRUCT,
  BTF_KIND_UNION,
} from '../../btf/types.ts';
import { bugOn } from '../../../host/errors.ts';

const HEADER_BYTES = 24;
const MAGIC_AND_VERSION = 0x1eb9f;
const INT_SIGNED = 1;
const INT_BOOL = 4;

export function describedTypes(lines: readonly string[], name: string): Btf {
  return readBtfFile(new Describer(lines).bytes(), name);
}

class Describer {
  private readonly lines: readonly string[];
  /** Ids of types by how they are written; those of lines come first, in their order. */
  private readonly ids = new Map<string, number>();
  private readonly texts: string[] = [''];
  private textBytes = 1;
  private readonly textAt = new Map<string, number>([['', 0]]);
  /** Words of types that lines mention: numbers, pointers, arrays. */
  private readonly more: number[] = [];
  private mentioned = 0;

  constructor(lines: readonly string[]) {
    this.lines = lines;
    lines.forEach((line, i) => {
      const [kind, name] = line.split(' ', 2);
      this.ids.set(`${kind}.${name}`, i + 1);
    });
  }

  bytes(): Uint8Array {
    const words = [...this.lines.flatMap((line) => this.type(line)), ...this.more];
    const text = new TextEncoder().encode(`${this.texts.join('\0')}\0`);
    const bytes = new Uint8Array(HEADER_BYTES + words.length * 4 + text.length);
    const view = new DataView(bytes.buffer);
    const header = [
      MAGIC_AND_VERSION,
      HEADER_BYTES,
      0,
      words.length * 4,
      words.length * 4,
      text.length,
    ];
    [...header, ...words].forEach((word, i) => view.setUint32(i * 4, word, true));
    bytes.set(text, HEADER_BYTES + words.length * 4);
    return bytes;
  }

  private type(line: string): number[] {
    const [kind, name, size, ...parts] = line.split(' ');
    const head = (number: number, flag: number): number[] => [
      this.text(name!.startsWith('#') ? '' : name!),
      ((flag << 31) | (number << 24) | parts.length) >>> 0,
      Number(size),
    ];
    if (kind === 'enum') {
      const values = parts.flatMap((part) => {
        const [label, value] = part.split('=');
        return [this.text(label!), Number(value) >>> 0];
      });
      return [...head(BTF_KIND_ENUM, 0), ...values];
    }
    const members = parts.flatMap((part) => {
      const [, member, type, bit, bits] = /^(\w*):([^@]+)@(\d+):?(\d*)$/.exec(part)!;
      return [this.text(member!), this.idOf(type!), (Number(bits) << 24) | Number(bit)];
    });
    return [...head(kind === 'union' ? BTF_KIND_UNION : BTF_KIND_STRUCT, 1), ...members];
  }

  private idOf(type: string): number {
    const known = this.ids.get(type);
    if (known !== undefined) return known;
    const [, element, count] = /^(.*)\[(\d+)\]$/.exec(type) ?? [];
    // what is mentioned gets its id after what it mentions itself
    const words = element === undefined ? this.simple(type) : this.array(element, Number(count));
    const id = this.lines.length + 1 + this.mentioned++;
    this.more.push(...words);
    this.ids.set(type, id);
    return id;
  }

  private array(element: string, count: number): number[] {
    return [0, BTF_KIND_ARRAY << 24, 0, this.idOf(element), this.idOf('u32'), count];
  }

  private simple(type: string): number[] {
    if (type.startsWith('*'))
      return [0, BTF_KIND_PTR << 24, type === '*' ? 0 : this.idOf(type.slice(1))];
    const [, sign, bits] = /^([us])(8|16|32|64)$/.exec(type) ?? [];
    bugOn(bits === undefined && type !== 'bool', `a described type is ${type}`);
    const width = bits === undefined ? 8 : Number(bits);
    const encoding = type === 'bool' ? INT_BOOL : sign === 's' ? INT_SIGNED : 0;
    return [this.text(type), BTF_KIND_INT << 24, width / 8, (encoding << 24) | width];
  }

  private text(text: string): number {
    const known = this.textAt.get(text);
    if (known !== undefined) return known;
    const at = this.textBytes;
    this.texts.push(text);
    this.textBytes += text.length + 1;
    this.textAt.set(text, at);
    return at;
  }
}
