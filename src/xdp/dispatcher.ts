/**
 * Several programs on one device, one after the other, as libxdp's dispatcher runs them: in order
 * of priority, on until one returns a verdict that it was not told to go on from. An object says both
 * in `.xdp_run_config`. Of equal priority the first given runs first; libxdp goes by their names.
 *
 * @spec xdp-tools, protocol for dispatching several XDP programs
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import type { XdpProgramSpec } from './define.ts';
import type { BpfProgRef } from './bpf.ts';
import type { MapTypes } from './loader/typedMap.ts';
import { XDP_DEFAULT_CHAIN_CALL_ACTIONS, XDP_DEFAULT_RUN_PRIO } from './loader/runConfig.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { XdpProg } from './program.ts';
import { BPF_XDP, XDP_PASS } from './uapi.ts';

/** Programs that one dispatcher holds at most. */
export const MAX_DISPATCHER_ACTIONS = 10;

export interface DispatchedProgram {
  readonly program: XdpProgramSpec;
  /** Unless given, what the program says; 50 for one that says nothing. Lower ones run first. */
  readonly priority?: number;
  /** Bit n: after verdict n the next program runs. Unless given, as the program says, or XDP_PASS. */
  readonly chainCallActions?: number;
}

class Dispatcher implements XdpProg {
  readonly name = 'xdp_dispatcher';
  readonly id: number;
  readonly attachType: number;
  readonly hasFrags: boolean;
  readonly touchesPacket: boolean;
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly mapTypes: Readonly<Record<string, MapTypes>>;
  readonly programs: Readonly<Record<string, BpfProgRef>>;
  private readonly progs: readonly XdpProg[];
  private readonly chain: readonly number[];

  constructor(id: number, progs: readonly XdpProg[], chain: readonly number[]) {
    this.id = id;
    // one that is not for devices keeps all from being attached
    const attachTypes = progs.map(({ attachType = BPF_XDP }) => attachType);
    this.attachType = attachTypes.find((type) => type !== BPF_XDP) ?? BPF_XDP;
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

const priorityOf = ({ priority, program }: DispatchedProgram): number =>
  priority ?? program.runConfig?.priority ?? XDP_DEFAULT_RUN_PRIO;

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
  const inOrder = programs.toSorted((a, b) => priorityOf(a) - priorityOf(b));
  const specs = inOrder.map(({ program }) => program);
  const chain = inOrder.map(
    ({ chainCallActions, program }) =>
      chainCallActions ?? program.runConfig?.chainCallActions ?? XDP_DEFAULT_CHAIN_CALL_ACTIONS,
  );
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
