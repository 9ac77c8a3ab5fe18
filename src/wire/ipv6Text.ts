/**
 * IPv6 addresses as people write them. Not for a packet's path.
 *
 * @spec RFC 4291 §2.2 (what is read), RFC 5952 (what is written)
 */
import { AddressError } from './addressError.ts';
import { formatIpv4, parseIpv4Addr } from './ipv4.ts';

/**
 * The one canonical text of the 16 bytes at `at`: lower case, no leading zeros, `::` for the
 * longest run of zero groups (the first of equals, two at least), IPv4-mapped addresses with
 * their last 32 bits dotted.
 */
export function formatIpv6(view: DataView, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push(view.getUint16(at + 2 * i));
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(view.getUint32(at + 12))}`;
  }
  const run = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return run.len < 2 ? text(0, 8) : `${text(0, run.at)}::${text(run.at + run.len, 8)}`;
}

function longestZeroRun(groups: readonly number[]): { at: number; len: number } {
  let best = { at: 0, len: 0 };
  let len = 0;
  groups.forEach((group, i) => {
    len = group === 0 ? len + 1 : 0;
    if (len > best.len) best = { at: i - len + 1, len };
  });
  return best;
}

/**
 * Reads any text form of RFC 4291: full, with `::`, or with a dotted IPv4 tail. A zone (`%eth0`) is
 * refused, since no frame carries one.
 *
 * @returns 16 bytes
 * @throws AddressError when the text has another form
 */
export function parseIpv6Addr(text: string): Uint8Array {
  const halves = text.split('::');
  const head = groupsOf(halves[0] ?? '', text, halves.length === 1);
  const tail = halves.length > 1 ? groupsOf(halves[1] ?? '', text, true) : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) throw notIpv6(text);
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff]));
}

function groupsOf(part: string, text: string, last: boolean): number[] {
  if (part === '') return [];
  const fields = part.split(':');
  return fields.flatMap((field, i) => {
    if (field.includes('.') && last && i === fields.length - 1) return dottedGroups(field, text);
    if (!/^[0-9a-f]{1,4}$/i.test(field)) throw notIpv6(text);
    return [parseInt(field, 16)];
  });
}

function dottedGroups(field: string, text: string): number[] {
  try {
    const addr = parseIpv4Addr(field);
    return [addr >>> 16, addr & 0xffff];
  } catch {
    throw notIpv6(text);
  }
}

const notIpv6 = (text: string): AddressError =>
  new AddressError('IPv6', text, '2001:db8::1 (up to eight groups of hex digits, one "::")');
