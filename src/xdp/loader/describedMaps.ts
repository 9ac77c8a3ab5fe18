/**
 * Stand-ins for maps of types that Linux knows and we do not emulate (storage of sockets, tasks and
 * cgroups, arenas, rings of user space): the verifier needs to know only what they are like.
 */
import type { Bpf } from '../bpf.ts';
import { BpfMap } from '../maps/bpfMap.ts';
import { isMapEmulated } from '../maps/createMap.ts';
import { MAP_TYPE_NAMES } from '../maps/uapi.ts';
import { mapDefOf } from './mapDefs.ts';
import type { CollectionSpec } from './spec.ts';

class DescribedMap extends BpfMap {
  protected override destroy(): void {
    // holds nothing
  }
}

/** By name, those of a blueprint that cannot be made; for verifying alone, never for programs that run. */
export function describedMaps(spec: CollectionSpec, bpf: Bpf): Record<string, BpfMap> {
  const maps: Record<string, BpfMap> = {};
  for (const [name, map] of Object.entries(spec.maps)) {
    if (isMapEmulated(map.type) || MAP_TYPE_NAMES[map.type] === undefined) continue;
    const def = { ...mapDefOf(map, spec.file, bpf.cpus), maxEntries: map.maxEntries };
    maps[name] = new DescribedMap(bpf, def, bpf.maps.newHandle());
    bpf.maps.add(maps[name]);
  }
  return maps;
}
