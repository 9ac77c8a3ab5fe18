/**
 * Helpers and kernel functions on dynptrs.
 *
 * @linux kernel/bpf/helpers.c, net/core/filter.c
 */
import { E2BIG, EINVAL, ERANGE } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { xdpData, xdpLen } from '../xdpBuff.ts';
import { HI_FLAGS_2, HI_FLAGS_3, HI_FLAGS_5, hasHigh, helper, wide } from './define.ts';
import {
  DYNPTR_MAX_SIZE,
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_XDP,
  dynptrCheck,
  dynptrData,
  dynptrInit,
  dynptrIsRdonly,
  dynptrNarrow,
  dynptrOffset,
  dynptrSetNull,
  dynptrSize,
  dynptrType,
} from './dynptr.ts';
import type { Helper } from './helper.ts';
import { xdpLoadBytes, xdpStoreBytes } from './packetHelpers.ts';

/** @linux bpf_dynptr_from_mem */
function fromMem(bpf: Bpf, data: HostAddr, size: number, flags: number, ptr: HostAddr): number {
  const { words } = bpf.mem;
  const err = size >>> 0 > DYNPTR_MAX_SIZE ? -E2BIG : flags !== 0 || hasHigh(bpf, 3) ? -EINVAL : 0;
  if (err !== 0) dynptrSetNull(words, ptr);
  else dynptrInit(words, ptr, data, DYNPTR_TYPE_LOCAL, size);
  return err;
}

/** @linux bpf_dynptr_read */
function read(
  bpf: Bpf,
  into: HostAddr,
  len: number,
  ptr: HostAddr,
  offset: number,
  flags: number,
): number {
  const { words } = bpf.mem;
  const data = dynptrData(words, ptr);
  if (data === 0 || flags !== 0 || hasHigh(bpf, 5)) return -EINVAL;
  const err = dynptrCheck(words, ptr, offset, len);
  if (err !== 0) return err;
  const at = dynptrOffset(words, ptr) + offset;
  if (dynptrType(words, ptr) === DYNPTR_TYPE_XDP) return xdpLoadBytes(bpf, data, at, into, len);
  bpf.mem.copy(into, data + at, len);
  return 0;
}

/** @linux bpf_dynptr_write */
function write(
  bpf: Bpf,
  ptr: HostAddr,
  offset: number,
  from: HostAddr,
  len: number,
  flags: number,
): number {
  const { words } = bpf.mem;
  const data = dynptrData(words, ptr);
  if (data === 0 || dynptrIsRdonly(words, ptr)) return -EINVAL;
  const err = dynptrCheck(words, ptr, offset, len);
  if (err !== 0) return err;
  if (flags !== 0 || hasHigh(bpf, 5)) return -EINVAL;
  const at = dynptrOffset(words, ptr) + offset;
  if (dynptrType(words, ptr) === DYNPTR_TYPE_XDP) return xdpStoreBytes(bpf, data, at, from, len);
  bpf.mem.copy(data + at, from, len);
  return 0;
}

/** @returns the bytes themselves, or null @linux bpf_dynptr_data */
function dataOf(bpf: Bpf, ptr: HostAddr, offset: number, len: number): HostAddr {
  const { words } = bpf.mem;
  if (dynptrType(words, ptr) === DYNPTR_TYPE_XDP || dynptrIsRdonly(words, ptr)) return 0;
  return slice(bpf, ptr, offset, 0, len);
}

/** @linux bpf_dynptr_from_xdp */
function fromXdp(bpf: Bpf, md: HostAddr, flags: number, ptr: HostAddr): number {
  const { words } = bpf.mem;
  if (flags !== 0 || hasHigh(bpf, 2)) {
    dynptrSetNull(words, ptr);
    return -EINVAL;
  }
  dynptrInit(words, ptr, md, DYNPTR_TYPE_XDP, xdpLen(words, md));
  return 0;
}

/**
 * A packet lies in one buffer, so its bytes can always be given themselves.
 *
 * @returns the bytes, or null @linux bpf_dynptr_slice
 */
function slice(bpf: Bpf, ptr: HostAddr, offset: number, _buffer: HostAddr, len: number): HostAddr {
  const { words } = bpf.mem;
  const memory = dynptrData(words, ptr);
  if (memory === 0 || dynptrCheck(words, ptr, offset, len) !== 0) return 0;
  const at = dynptrOffset(words, ptr) + offset;
  if (dynptrType(words, ptr) !== DYNPTR_TYPE_XDP) return memory + at;
  return at + len > xdpLen(words, memory) ? 0 : xdpData(words, memory) + at;
}

/** @linux bpf_dynptr_slice_rdwr */
const sliceRdwr = (
  bpf: Bpf,
  ptr: HostAddr,
  offset: number,
  buffer: HostAddr,
  len: number,
): HostAddr => (dynptrIsRdonly(bpf.mem.words, ptr) ? 0 : slice(bpf, ptr, offset, buffer, len));

/** @linux bpf_dynptr_adjust */
function adjust(bpf: Bpf, ptr: HostAddr, start: number, end: number): number {
  const { words } = bpf.mem;
  if (dynptrData(words, ptr) === 0 || start >>> 0 > end >>> 0) return -EINVAL;
  if (end >>> 0 > dynptrSize(words, ptr)) return -ERANGE;
  dynptrNarrow(words, ptr, start, end);
  return 0;
}

/** Its error is an unsigned word, as its result is. @linux bpf_dynptr_size */
function sizeOf(bpf: Bpf, ptr: HostAddr): number {
  const { words } = bpf.mem;
  return wide(bpf, dynptrData(words, ptr) === 0 ? 2 ** 32 - EINVAL : dynptrSize(words, ptr));
}

/** @linux bpf_dynptr_clone */
function clone(bpf: Bpf, ptr: HostAddr, copy: HostAddr): number {
  const { words } = bpf.mem;
  if (dynptrData(words, ptr) === 0) {
    dynptrSetNull(words, copy);
    return -EINVAL;
  }
  words.copyWithin(copy >> 2, ptr >> 2, (ptr >> 2) + 4);
  return 0;
}

export const DYNPTR_HELPERS: readonly Helper[] = [
  helper(197, 'bpf_dynptr_from_mem', fromMem, { wideArgs: HI_FLAGS_3 }),
  helper(201, 'bpf_dynptr_read', read, { wideArgs: HI_FLAGS_5 }),
  helper(202, 'bpf_dynptr_write', write, { wideArgs: HI_FLAGS_5 }),
  helper(203, 'bpf_dynptr_data', dataOf),
];

export const DYNPTR_KFUNCS: readonly Helper[] = [
  helper(0, 'bpf_dynptr_from_xdp', fromXdp, { wideArgs: HI_FLAGS_2 }),
  helper(0, 'bpf_dynptr_slice', slice),
  helper(0, 'bpf_dynptr_slice_rdwr', sliceRdwr),
  helper(0, 'bpf_dynptr_adjust', adjust),
  helper(0, 'bpf_dynptr_is_null', (bpf, ptr) => (dynptrData(bpf.mem.words, ptr) === 0 ? 1 : 0)),
  helper(0, 'bpf_dynptr_is_rdonly', (bpf, ptr) =>
    dynptrData(bpf.mem.words, ptr) !== 0 && dynptrIsRdonly(bpf.mem.words, ptr) ? 1 : 0,
  ),
  helper(0, 'bpf_dynptr_size', sizeOf, { wideRet: true }),
  helper(0, 'bpf_dynptr_clone', clone),
];
