/**
 * Helpers that hand records to user space: the ring buffer, and perf events with packet bytes.
 *
 * @linux kernel/bpf/ringbuf.c, kernel/trace/bpf_trace.c, net/core/filter.c
 */
import { EFAULT, EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { PerfEventArrayMap } from '../maps/perfEventArray.ts';
import { RingbufMap } from '../maps/ringbuf.ts';
import { ProgramFault } from '../program.ts';
import { xdpData, xdpLen } from '../xdpBuff.ts';
import {
  HI_FLAGS_2,
  HI_FLAGS_3,
  HI_FLAGS_4,
  hasHigh,
  helper,
  highOf,
  mapAt,
  wide,
} from './define.ts';
import {
  DYNPTR_MAX_SIZE,
  DYNPTR_TYPE_RINGBUF,
  dynptrData,
  dynptrInit,
  dynptrSetNull,
} from './dynptr.ts';
import type { Helper } from './helper.ts';

function ringbufAt(bpf: Bpf, handle: HostAddr): RingbufMap {
  const map: BpfMap = mapAt(bpf, handle);
  if (map instanceof RingbufMap) return map;
  throw new ProgramFault('', `map ${map.name} is no ring buffer`);
}

/** @returns the record, or null @linux bpf_ringbuf_reserve */
const reserve = (bpf: Bpf, handle: HostAddr, size: number, flags: number): HostAddr =>
  flags !== 0 || hasHigh(bpf, 3) || hasHigh(bpf, 2)
    ? 0
    : ringbufAt(bpf, handle).reserve(size >>> 0);

/** @linux bpf_ringbuf_submit */
function submit(bpf: Bpf, data: HostAddr, flags: number): number {
  RingbufMap.of(bpf, data).submit(data, flags);
  return 0;
}

/** @linux bpf_ringbuf_discard */
function discard(bpf: Bpf, data: HostAddr, flags: number): number {
  RingbufMap.of(bpf, data).discard(data, flags);
  return 0;
}

/** @linux bpf_ringbuf_output */
const output = (bpf: Bpf, handle: HostAddr, data: HostAddr, size: number, flags: number): number =>
  hasHigh(bpf, 4) ? -EINVAL : ringbufAt(bpf, handle).output(data, size >>> 0, flags);

/** @linux bpf_ringbuf_query */
const query = (bpf: Bpf, handle: HostAddr, what: number): number =>
  wide(bpf, hasHigh(bpf, 2) ? 0 : ringbufAt(bpf, handle).query(what));

/** The dynptr is set in any case: a program must give it back even when it is empty. @linux bpf_ringbuf_reserve_dynptr */
function reserveDynptr(
  bpf: Bpf,
  handle: HostAddr,
  size: number,
  flags: number,
  ptr: HostAddr,
): number {
  const { words } = bpf.mem;
  dynptrSetNull(words, ptr);
  if (flags !== 0 || hasHigh(bpf, 3) || size >>> 0 > DYNPTR_MAX_SIZE) return -EINVAL;
  const data = ringbufAt(bpf, handle).reserve(size);
  if (data === 0) return -EINVAL;
  dynptrInit(words, ptr, data, DYNPTR_TYPE_RINGBUF, size);
  return 0;
}

/** @linux bpf_ringbuf_submit_dynptr, bpf_ringbuf_discard_dynptr */
function finishDynptr(
  bpf: Bpf,
  ptr: HostAddr,
  flags: number,
  finish: (bpf: Bpf, data: HostAddr, flags: number) => number,
): number {
  const data = dynptrData(bpf.mem.words, ptr);
  if (data === 0) return 0;
  dynptrSetNull(bpf.mem.words, ptr);
  return finish(bpf, data, flags);
}

/** All ones in the flags' low word. */
const BPF_F_CURRENT_CPU = -1;
/** Low 20 bits of the flags' high word: bytes of the packet to append. */
const CTXLEN_MASK = 0xfffff;

/** @linux bpf_xdp_event_output */
function perfEventOutput(
  bpf: Bpf,
  md: HostAddr,
  handle: HostAddr,
  flags: number,
  data: HostAddr,
  size: number,
): number {
  const packetLen = highOf(bpf, 3);
  if ((packetLen & ~CTXLEN_MASK) !== 0) return -EINVAL;
  const { words } = bpf.mem;
  if (packetLen > xdpLen(words, md)) return -EFAULT;
  const map: BpfMap = mapAt(bpf, handle);
  if (!(map instanceof PerfEventArrayMap)) {
    throw new ProgramFault('', `map ${map.name} is no perf event array`);
  }
  const index = flags === BPF_F_CURRENT_CPU ? bpf.xdp.cpu.id : flags >>> 0;
  return map.output(index, data, size >>> 0, xdpData(words, md), packetLen);
}

export const EVENT_HELPERS: readonly Helper[] = [
  helper(25, 'bpf_perf_event_output', perfEventOutput, { wideArgs: HI_FLAGS_3 }),
  helper(130, 'bpf_ringbuf_output', output, { wideArgs: HI_FLAGS_4 }),
  helper(131, 'bpf_ringbuf_reserve', reserve, { wideArgs: HI_FLAGS_2 | HI_FLAGS_3 }),
  helper(132, 'bpf_ringbuf_submit', submit),
  helper(133, 'bpf_ringbuf_discard', discard),
  helper(134, 'bpf_ringbuf_query', query, { wideArgs: HI_FLAGS_2, wideRet: true }),
  helper(198, 'bpf_ringbuf_reserve_dynptr', reserveDynptr, { wideArgs: HI_FLAGS_3 }),
  helper(199, 'bpf_ringbuf_submit_dynptr', (bpf, ptr, flags) =>
    finishDynptr(bpf, ptr, flags, submit),
  ),
  helper(200, 'bpf_ringbuf_discard_dynptr', (bpf, ptr, flags) =>
    finishDynptr(bpf, ptr, flags, discard),
  ),
];
