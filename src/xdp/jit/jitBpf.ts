/** What compiled programs need of the machine beyond what every engine does. */
import type { HostAddr } from '../../host/memory.ts';
import type { EngineBpf, EngineMap } from '../engine.ts';

/** Values that code can reach without a call: at + index * stride + cpu * perCpuStride. */
export interface InlineValues {
  readonly at: HostAddr;
  readonly stride: number;
  /** 0 for values that all CPUs share. */
  readonly perCpuStride: number;
  readonly maxEntries: number;
}

export interface JitMap extends EngineMap {
  readonly inline: InlineValues | null;
  /** @returns address of the value, or 0 */
  lookupElem(key: HostAddr): HostAddr;
}

export interface JitBpf extends EngineBpf {
  readonly maps: {
    at(handle: HostAddr): JitMap | undefined;
    get(id: number): JitMap | undefined;
  };
  /** CPUs that a per-CPU value has a place for. */
  readonly cpus: number;
  /** Id of the CPU that runs. */
  readonly cpuWord: HostAddr;
}
