/**
 * Dynptrs: 16 bytes on the program's stack that describe memory whose size is known only at run time.
 *
 *   0   address of the memory, or of the packet's context; 0 marks an empty one
 *   8   size (24 bits), type (bits 28 to 30), read-only (bit 31)
 *   12  offset into the memory
 *
 * @linux struct bpf_dynptr_kern; include/linux/bpf.h. kernel/bpf/helpers.c
 */
import { E2BIG } from '../../host/errno.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';

export const DYNPTR_TYPE_LOCAL = 1;
export const DYNPTR_TYPE_RINGBUF = 2;
export const DYNPTR_TYPE_XDP = 4;
export const DYNPTR_MAX_SIZE: number = (1 << 24) - 1;

const TYPE_SHIFT = 28;
const TYPE_MASK = 7;
const RDONLY: number = 1 << 31;

/** @linux bpf_dynptr_init */
export function dynptrInit(
  words: HostWords,
  ptr: HostAddr,
  data: HostAddr,
  type: number,
  size: number,
): void {
  words[ptr >> 2] = data;
  words[(ptr >> 2) + 1] = 0;
  words[(ptr >> 2) + 2] = size | (type << TYPE_SHIFT);
  words[(ptr >> 2) + 3] = 0;
}

/** @linux bpf_dynptr_set_null */
export const dynptrSetNull = (words: HostWords, ptr: HostAddr): void =>
  dynptrInit(words, ptr, 0, 0, 0);

export const dynptrData = (words: HostWords, ptr: HostAddr): HostAddr => words[ptr >> 2]!;
export const dynptrSize = (words: HostWords, ptr: HostAddr): number =>
  words[(ptr >> 2) + 2]! & DYNPTR_MAX_SIZE;
export const dynptrOffset = (words: HostWords, ptr: HostAddr): number => words[(ptr >> 2) + 3]!;
export const dynptrType = (words: HostWords, ptr: HostAddr): number =>
  (words[(ptr >> 2) + 2]! >>> TYPE_SHIFT) & TYPE_MASK;
export const dynptrIsRdonly = (words: HostWords, ptr: HostAddr): boolean =>
  (words[(ptr >> 2) + 2]! & RDONLY) !== 0;

/** Leave only the bytes from `start` to `end` in view. */
export function dynptrNarrow(words: HostWords, ptr: HostAddr, start: number, end: number): void {
  const at = (ptr >> 2) + 2;
  words[at] = (words[at]! & ~DYNPTR_MAX_SIZE) | (end - start);
  words[at + 1]! += start;
}

/** @linux bpf_dynptr_check_off_len */
export function dynptrCheck(words: HostWords, ptr: HostAddr, offset: number, len: number): number {
  const size = dynptrSize(words, ptr);
  return len >>> 0 > size || offset >>> 0 > size - (len >>> 0) ? -E2BIG : 0;
}
