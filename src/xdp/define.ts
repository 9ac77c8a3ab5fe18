/**
 * Programs written in TypeScript.
 *
 * `defineXdp` makes a blueprint, the same wherever the file is read; `load` binds it to one machine.
 * Such programs are trusted, not verified.
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import { XdpContext } from './context.ts';
import { createMap } from './maps/createMap.ts';
import type { DevMap } from './maps/devmap.ts';
import { BPF_MAP_TYPE_DEVMAP } from './maps/uapi.ts';
import type { XdpKernel } from './kernel.ts';
import type { RunConfig } from './loader/runConfig.ts';
import type { XdpProg } from './program.ts';

export interface DevMapSpec {
  readonly type: 'devmap';
  readonly maxEntries: number;
}

export type MapSpecs = Readonly<Record<string, DevMapSpec>>;
/** The live maps of a blueprint's specs. */
export type LiveMaps<Specs extends MapSpecs> = { readonly [Name in keyof Specs]: DevMap };

export interface XdpOptions<Specs extends MapSpecs> {
  /** Shown by tools and in messages; the function's own name, or `xdp_prog`, when left out. */
  readonly name?: string;
  /** Does it accept packets in several buffers? */
  readonly frags?: boolean;
  /** False: it decides without looking at the packet, which then stays out of the CPU's caches. */
  readonly touchesPacket?: boolean;
  readonly maps?: Specs;
}

/** A program before it is loaded. */
export interface XdpProgramSpec {
  /** Tells a blueprint from whatever else a file may export. */
  readonly type: 'xdp';
  readonly name: string;
  readonly hasFrags: boolean;
  readonly maps: MapSpecs;
  /** Its place among several on one device, when it says one. */
  readonly runConfig?: RunConfig;
  /** Bytes of region 'maps' that a load takes; without it the maps are few and small. */
  mapBytes?(cpus: number): number;
  load(xdp: XdpKernel): XdpProg;
}

const MAX_ENTRIES = 65536;

/**
 * Devices to redirect to, by key.
 *
 * A machine fills key 0 with the NIC after the one the program is attached to, the first after the
 * last; other keys are its scenario's.
 *
 * @throws RangeRefused unless `maxEntries` is an integer from 1 to 65536
 */
export function devMap(maxEntries: number): DevMapSpec {
  if (!Number.isInteger(maxEntries) || maxEntries < 1 || maxEntries > MAX_ENTRIES) {
    throw new RangeRefused('devmap entries', maxEntries, `1 to ${MAX_ENTRIES}`);
  }
  return { type: 'devmap', maxEntries };
}

/**
 * A program from a function that gets a packet and returns a verdict.
 *
 * The function runs once per packet, on one `XdpContext` that is reused: it must not keep it, nor
 * be asynchronous.
 */
export function defineXdp<const Specs extends MapSpecs = Record<never, DevMapSpec>>(
  fn: (ctx: XdpContext<LiveMaps<Specs>>) => number,
  options: XdpOptions<Specs> = {},
): XdpProgramSpec {
  if (typeof fn !== 'function') {
    throw new RangeRefused('defineXdp', typeof fn, 'a function of the packet');
  }
  const name = options.name ?? (fn.name || 'xdp_prog');
  const hasFrags = options.frags ?? false;
  const touches = options.touchesPacket ?? true;
  const maps: MapSpecs = options.maps ?? {};
  return {
    type: 'xdp',
    name,
    hasFrags,
    maps,
    load: (xdp) =>
      new DefinedProg(
        xdp,
        name,
        { hasFrags, touches },
        createMaps(xdp, maps) as LiveMaps<Specs>,
        fn,
      ),
  };
}

function createMaps(xdp: XdpKernel, specs: MapSpecs): Record<string, DevMap> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { maxEntries }]) => {
      const sizes = { keySize: 4, valueSize: 4, maxEntries, flags: 0 };
      const def = { name: mapName(name), type: BPF_MAP_TYPE_DEVMAP, ...sizes };
      return [name, createMap(xdp.bpf, def) as DevMap];
    }),
  );
}

/** Linux's names are shorter than JavaScript's, and have fewer letters. */
const mapName = (name: string): string => name.replaceAll(/[^\w.]/g, '_').slice(0, 15);

class DefinedProg<Maps extends Readonly<Record<string, DevMap>>> implements XdpProg {
  readonly name: string;
  readonly id: number;
  readonly hasFrags: boolean;
  readonly touchesPacket: boolean;
  readonly maps: Maps;
  private readonly ctx: XdpContext<Maps>;
  private readonly fn: (ctx: XdpContext<Maps>) => number;

  constructor(
    xdp: XdpKernel,
    name: string,
    { hasFrags, touches }: { readonly hasFrags: boolean; readonly touches: boolean },
    maps: Maps,
    fn: (ctx: XdpContext<Maps>) => number,
  ) {
    this.name = name;
    this.id = xdp.newProgId();
    this.hasFrags = hasFrags;
    this.touchesPacket = touches;
    this.maps = maps;
    this.ctx = new XdpContext(xdp, name, maps);
    this.fn = fn;
  }

  run(md: HostAddr): number {
    const ctx = this.ctx;
    ctx.bind(md);
    return this.fn(ctx);
  }
}
