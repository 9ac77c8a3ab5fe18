/**
 * eBPF without a machine around it: memory, CPUs whose clocks stand still, no device but the
 * loopback. For a program's single run, and for tests.
 */
import type { VirtualClock } from '../host/clock.ts';
import { costTable } from '../host/cost.ts';
import { FLAT } from '../host/profiles.ts';
import { Cpu } from '../host/cpu.ts';
import { EOPNOTSUPP } from '../host/errno.ts';
import { Ledger } from '../host/ledger.ts';
import { HostMemory, PAGE_SIZE } from '../host/memory.ts';
import { Rng } from '../host/rng.ts';
import { Trace } from '../host/trace.ts';
import { Watch } from '../host/watch.ts';
import { PROGRAM_STACK_BYTES } from './bpf.ts';
import type { Bpf } from './bpf.ts';
import type { DeviceTable } from './kernel.ts';
import { XdpKernel } from './kernel.ts';
import type { RedirectTarget } from './redirectTarget.ts';
import { MAP_STRUCTS_BYTES } from './maps/mapTable.ts';
import { netContextBytes } from './netContext.ts';

export interface StandaloneOptions {
  /** Room for maps, the sum of `mapMemory`. */
  readonly mapBytes?: number;
  /** Room for regions that the caller carves: packets, contexts. */
  readonly moreBytes?: number;
  readonly cpus?: number;
  readonly seed?: number;
  /** Time stands still when left out. */
  readonly clock?: VirtualClock;
  /** The loopback alone when left out. */
  readonly devices?: DeviceTable;
}

const MAP_BYTES = 1 << 20;
/** That have a bulk queue on each CPU. */
const DEVICES = 15;

/** The one device of every network namespace; nothing can be redirected into it. */
const LOOPBACK: RedirectTarget = {
  ifindex: 1,
  name: 'lo',
  up: true,
  mtu: 65536,
  hardHeaderLen: 14,
  xdpFeatures: 0,
  ndoXdpXmit: () => -EOPNOTSUPP,
};

/** @throws RangeRefused when that is more memory than can be addressed */
export function standaloneBpf(options: StandaloneOptions = {}): Bpf {
  const { mapBytes = MAP_BYTES, moreBytes = 0, cpus = 1, seed = 1 } = options;
  const maps = MAP_STRUCTS_BYTES + mapBytes;
  const redirects = cpus * netContextBytes(DEVICES);
  const mem = new HostMemory(maps + PROGRAM_STACK_BYTES + redirects + moreBytes + 5 * PAGE_SIZE);
  const xdp = new XdpKernel({
    mem,
    watch: new Watch(new Trace(), new Ledger()),
    random: new Rng(seed),
    cpus: Array.from({ length: cpus }, (_, id) => new Cpu(id, costTable(FLAT))),
    devices: options.devices ?? {
      devGetByIndex: (ifindex) => (ifindex === LOOPBACK.ifindex ? LOOPBACK : null),
    },
    bpf: {
      maps: mem.region('maps', maps),
      stacks: mem.region('program stacks', PROGRAM_STACK_BYTES),
    },
    redirects: mem.region('redirects', redirects),
    ...(options.clock && { clock: options.clock }),
  });
  return xdp.bpf;
}
