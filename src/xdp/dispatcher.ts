/**
 * Several programs on one device, one after the other, as libxdp's dispatcher runs them: in order
 * of priority, on until one returns a verdict that it was not told to go on from.
 *
 * @spec xdp-tools, protocol for dispatching several XDP programs
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import type { XdpProgramSpec } from './define.ts';
import type { BpfProgRef } from './bpf.ts';
import type { MapTypes } from './loader/typedMap.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { XdpProg } from './program.ts';
import { XDP_PASS } from './uapi.ts';

/** Programs that one dispatcher holds at most. */
export const MAX_DISPATCHER_ACTIONS = 10;
/** Where a program stands that says nothing; lower ones run first. */
export const XDP_DEFAULT_RUN_PRIO = 50;
/** Bit n: after verdict n the next program runs. */
export const XDP_DEFAULT_CHAIN_CALL_ACTIONS: number = 1 << XDP_PASS;

export interface DispatchedProgram {
  readonly program: XdpProgramSpec;
  /** 50 unless given; equals run in the order in which they stand. */
  readonly priority?: number;
  readonly chainCallActions?: number;
}

class Dispatcher implements XdpProg {
  readonly name = 'xdp_dispatcher';
  readonly id: number;
  readonly hasFrags: boolean;
  readonly touchesPacket: boolean;
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly mapTypes: Readonly<Record<string, MapTypes>>;
  readonly programs: Readonly<Record<string, BpfProgRef>>;
  private readonly progs: readonly XdpProg[];
  private readonly chain: readonly number[];

  constructor(id: number, progs: readonly XdpProg[], chain: readonly number[]) {
    this.id = id;
    this.hasFrags = progs.every(({ hasFrags }) => hasFrags);
    this.touchesPacket = progs.some(({ touchesPacket }) => touchesPacket);
    this.maps = gathered(progs, ({ maps }) => maps);
    this.mapTypes = gathered(progs, ({ mapTypes }) => mapTypes);
    this.programs = gathered(progs, ({ programs }) => programs);
    this.progs = progs;
    this.chain = chain;
  }

  run(md: HostAddr): number {
    const { progs, chain } = this;
    for (let i = 0; i < progs.length; i++) {
      const verdict = progs[i]!.run(md);
      // a verdict beyond the mask's bits never goes on
      if (verdict >>> 0 > 31 || ((chain[i]! >>> verdict) & 1) === 0) return verdict;
    }
    return XDP_PASS;
  }
}

/** What each program names, under its own name and a dot. */
const gathered = <T>(
  progs: readonly XdpProg[],
  of: (prog: XdpProg) => Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> =>
  Object.fromEntries(
    progs.flatMap((prog) =>
      Object.entries(of(prog) ?? {}).map(([name, item]) => [`${prog.name}.${name}`, item]),
    ),
  );

/**
 * One program out of several.
 *
 * @throws RangeRefused unless there are 1 to 10
 */
export function dispatchXdp(programs: readonly DispatchedProgram[]): XdpProgramSpec {
  if (programs.length < 1 || programs.length > MAX_DISPATCHER_ACTIONS) {
    throw new RangeRefused(
      'dispatcher',
      programs.length,
      `1 to ${MAX_DISPATCHER_ACTIONS} programs`,
    );
  }
  const inOrder = programs.toSorted(
    (a, b) => (a.priority ?? XDP_DEFAULT_RUN_PRIO) - (b.priority ?? XDP_DEFAULT_RUN_PRIO),
  );
  const specs = inOrder.map(({ program }) => program);
  const chain = inOrder.map((p) => p.chainCallActions ?? XDP_DEFAULT_CHAIN_CALL_ACTIONS);
  return {
    type: 'xdp',
    name: specs.map(({ name }) => name).join('+'),
    hasFrags: specs.every(({ hasFrags }) => hasFrags),
    maps: {},
    mapBytes: (cpus) => specs.reduce((sum, spec) => sum + (spec.mapBytes?.(cpus) ?? 0), 0),
    load: (xdp) =>
      new Dispatcher(
        xdp.newProgId(),
        specs.map((spec) => spec.load(xdp)),
        chain,
      ),
  };
}
