/**
 * What all of eBPF shares on one machine: its maps and their memory, its program stacks, and the
 * words through which 64-bit values pass where a call carries 32 bits.
 *
 *   region 'maps'            structs of live maps | hi | map storage (`MapArena`)
 *   region 'program stacks'  frames of 512 bytes, from the top down
 */
import type { Ps, VirtualClock } from '../host/clock.ts';
import type { HostAddr, HostMemory, Region } from '../host/memory.ts';
import type { EngineBpf, EngineImage, RunningEngine } from './engine.ts';
import { BpfTimers } from './helpers/timers.ts';
import { TracePipe } from './helpers/tracePipe.ts';
import type { XdpKernel } from './kernel.ts';
import { MapArena } from './maps/arena.ts';
import { MapTable } from './maps/mapTable.ts';
import { MapReaders } from './maps/readers.ts';
import { MapScratch } from './maps/scratch.ts';
import { XDP_BUFF_BYTES } from './xdpBuff.ts';

/** A loaded program, as maps that hold programs see it. */
export interface BpfProgRef {
  /** As `bpftool prog` numbers them, from 1. */
  readonly id: number;
  readonly name: string;
  /** `BPF_PROG_TYPE_*` */
  readonly type: number;
  readonly attachType: number;
  readonly frags: boolean;
  /** What a tail call goes on with. */
  readonly image: EngineImage;
  /** @param ctx address of the context @returns the low word of r0 */
  run(ctx: HostAddr): number;
}

/** Where eBPF lives in host memory. */
export interface BpfRegions {
  readonly maps: Region;
  readonly stacks: Region;
}

/** Bytes of region 'program stacks': 16 frames, twice what a call chain may have. */
export const PROGRAM_STACK_BYTES = 8192;

/** Behind the words of helpers and those of the compiler (`jit/unit.ts`). */
const CPU_WORD = 8;

export class Bpf implements EngineBpf {
  readonly mem: HostMemory;
  readonly xdp: XdpKernel;
  readonly maps: MapTable;
  readonly arena: MapArena;
  /** Where user space's keys and values lie while an operation on a map goes on. */
  readonly scratch: MapScratch;
  /** `hi[0]` high word of a helper's 64-bit result, `hi[1]` to `hi[5]` of its wide arguments. */
  readonly hi: HostAddr;
  /** Id of the CPU that runs, for code that cannot ask. */
  readonly cpuWord: HostAddr;
  /** The first frame ends here (r10); the next lies below. */
  readonly stackTop: HostAddr;
  /** CPUs that a per-CPU value has a place for. */
  readonly cpus: number;
  /** Loaded programs, by id: what prog_array, devmap and cpumap entries name. */
  readonly progs: Map<number, BpfProgRef> = new Map();
  /** What programs print. */
  readonly tracePipe: TracePipe = new TracePipe();
  readonly timers: BpfTimers;
  /** Context of programs that run on frames. */
  readonly frameMd: HostAddr;
  /** Who reads ring buffers and perf events. */
  readonly readers: MapReaders;
  engine: RunningEngine | null = null;

  /** @param clock rings timers and wakes readers; null: time stands still */
  constructor(xdp: XdpKernel, regions: BpfRegions, clock: VirtualClock | null) {
    this.mem = xdp.mem;
    this.xdp = xdp;
    this.cpus = xdp.netContexts.length;
    this.arena = new MapArena(xdp.mem, regions.maps);
    this.maps = new MapTable(this.arena);
    this.hi = this.arena.alloc(64);
    this.cpuWord = this.hi + 4 * CPU_WORD;
    this.scratch = new MapScratch(this.arena);
    this.frameMd = this.arena.alloc(XDP_BUFF_BYTES);
    this.stackTop = regions.stacks.at + regions.stacks.bytes;
    this.timers = new BpfTimers(this, clock);
    this.readers = new MapReaders(xdp, clock);
  }

  /** What programs read off a clock: that of the CPU that runs, or when a timer rang on one that idles. */
  get now(): Ps {
    return Math.max(this.xdp.cpu.now, this.timers.ringing);
  }
}
