/**
 * Helpers that ask for the time, the CPU, a random number: all of them the machine's own, so that
 * a run repeats.
 *
 * Every clock of Linux is the CPU's virtual time here; the coarse one moves with the tick.
 *
 * @linux kernel/bpf/helpers.c
 */
import { PS_PER_NS } from '../../host/clock.ts';
import type { Bpf } from '../bpf.ts';
import { helper, wide } from './define.ts';
import type { Helper } from './helper.ts';

const NS_PER_SEC = 1e9;
/** `jiffies` starts five minutes before it wraps 32 bits. @linux INITIAL_JIFFIES */
const INITIAL_JIFFIES_SEC = -300;

/** Virtual nanoseconds of the CPU that runs. */
const nowNs = (bpf: Bpf): number => Math.floor(bpf.now / PS_PER_NS);

/** @linux bpf_ktime_get_ns and its kin */
const ktimeGetNs = (bpf: Bpf): number => wide(bpf, nowNs(bpf));

/** @linux bpf_ktime_get_coarse_ns */
function ktimeGetCoarseNs(bpf: Bpf): number {
  const tick = NS_PER_SEC / bpf.xdp.hz;
  return wide(bpf, Math.floor(nowNs(bpf) / tick) * tick);
}

/** @linux bpf_jiffies64 */
function jiffies64(bpf: Bpf): number {
  const initial = 2 ** 32 + INITIAL_JIFFIES_SEC * bpf.xdp.hz;
  return wide(bpf, initial + Math.floor((nowNs(bpf) * bpf.xdp.hz) / NS_PER_SEC));
}

export const CLOCK_HELPERS: readonly Helper[] = [
  helper(5, 'bpf_ktime_get_ns', ktimeGetNs, { wideRet: true }),
  helper(7, 'bpf_get_prandom_u32', (bpf) => wide(bpf, bpf.xdp.random.uint32()), { wideRet: true }),
  helper(8, 'bpf_get_smp_processor_id', (bpf) => bpf.xdp.cpu.id),
  // one node
  helper(42, 'bpf_get_numa_node_id', () => 0),
  helper(118, 'bpf_jiffies64', jiffies64, { wideRet: true }),
  helper(125, 'bpf_ktime_get_boot_ns', ktimeGetNs, { wideRet: true }),
  helper(160, 'bpf_ktime_get_coarse_ns', ktimeGetCoarseNs, { wideRet: true }),
  helper(208, 'bpf_ktime_get_tai_ns', ktimeGetNs, { wideRet: true }),
];
