/**
 * The option list that IPv4 and TCP share: kind 0 ends it, kind 1 is one byte of padding, every
 * other option is kind, length (both bytes included), data.
 *
 * Each step moves on by at least one byte and never past `end`, so a walk always ends.
 *
 * @spec RFC 791 §3.1, RFC 9293 §3.1
 */
const KIND_END = 0;
const KIND_NOP = 1;

/** Kind of the option at `at`; the caller has seen that `at` lies before the end. */
export const optionKind = (view: DataView, at: number): number => view.getUint8(at);

/**
 * Address of the option after the one at `at`.
 *
 * @param end first byte after the option area
 * @returns `end` after the last option; -1 when a length is below 2 or leaves the area
 */
export function optionNext(view: DataView, at: number, end: number): number {
  const kind = view.getUint8(at);
  if (kind === KIND_END) return end;
  if (kind === KIND_NOP) return at + 1;
  if (end - at < 2) return -1;
  const len = view.getUint8(at + 1);
  return len < 2 || len > end - at ? -1 : at + len;
}

/**
 * Address of the first option of a kind.
 *
 * @returns -1 when there is none before the list ends or breaks
 */
export function findOption(view: DataView, at: number, end: number, kind: number): number {
  while (at >= 0 && at < end) {
    const next = optionNext(view, at, end);
    if (next >= 0 && optionKind(view, at) === kind) return at;
    at = next;
  }
  return -1;
}
