/** Carrying out changes on a machine: what `at:` entries and the prompt of `run --watch` do. */
import { RangeRefused } from '../host/errors.ts';
import { ValueRefused } from '../xdp/btf/value.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { ProgramRefused } from '../xdp/engine.ts';
import { LoadError } from '../xdp/loader/image.ts';
import { TypedMap } from '../xdp/loader/typedMap.ts';
import { MapError } from '../xdp/maps/mapDef.ts';
import type { XdpProg } from '../xdp/program.ts';
import type { Change, DeviceChange } from './changeSpec.ts';
import { UPDATE_FLAGS } from './changeSpec.ts';
import { InputError } from './inputError.ts';
import type { NamesForMaps } from './mapData.ts';
import { datumOf, valueOf } from './mapData.ts';
import { didYouMean } from './nearest.ts';

/** What changes need of a machine. NICs are numbered as in the configuration. */
export interface ChangeableMachine {
  armFault(point: string, after?: number, every?: number): void;
  attachXdp(nic: number, program: XdpProgramSpec | null): void;
  /** What `attachXdp` brought to life. */
  programOf(nic: number): XdpProg | null;
  /** @returns undefined for no device */
  ifindexOf(name: string): number | undefined;
}

/** The program that an `xdp` change names, read before the run. */
export type ProgramOfChange = (change: Change) => XdpProgramSpec | null;

/** @param nics names, in order @throws InputError, RangeRefused, and what loading a program throws */
export function makeChange(
  machine: ChangeableMachine,
  nics: readonly string[],
  { dev, change }: DeviceChange,
  programs: ProgramOfChange,
): void {
  const nic = nicOf(nics, dev);
  switch (change.kind) {
    case 'xdp':
      machine.attachXdp(nic, programs(change));
      return;
    case 'fault':
      machine.armFault(change.point, change.after, change.every);
      return;
    default:
      changeMap(machine, nic, change);
  }
}

/** Number of the NIC of that name, the first without one. @throws InputError */
export function nicOf(nics: readonly string[], dev: string | undefined): number {
  const nic = dev === undefined ? 0 : nics.indexOf(dev);
  if (nic >= 0) return nic;
  throw new InputError(`no NIC ${dev}${didYouMean(dev!, nics)}; there are ${nics.join(', ')}`);
}

/** A map of a NIC's program, with its types. @throws InputError */
export function liveMap(machine: ChangeableMachine, nic: number, name: string): TypedMap {
  const prog = machine.programOf(nic);
  const maps = prog?.maps ?? {};
  if (Object.hasOwn(maps, name)) return new TypedMap(maps[name]!, prog!.mapTypes?.[name]);
  const known = Object.keys(maps);
  throw new InputError(
    `the program has no map ${name}${didYouMean(name, known)}; it has ${known.join(', ') || 'none'}`,
  );
}

function changeMap(
  machine: ChangeableMachine,
  nic: number,
  change: Change & { kind: 'update' | 'delete' },
): void {
  const typed = liveMap(machine, nic, change.map);
  const { map } = typed;
  const key = datumOf(`map ${map.name}, key`, change.key, map.keySize);
  if (change.kind === 'update') {
    const names: NamesForMaps = {
      programs: machine.programOf(nic)?.programs ?? {},
      maps: machine.programOf(nic)?.maps ?? {},
      ifindexOf: (name) => machine.ifindexOf(name),
    };
    typed.set(key, valueOf(map, change.value, names), UPDATE_FLAGS.indexOf(change.flags));
  } else if (!typed.delete(key)) throw new InputError(`map ${map.name}: no such key`);
}

/** What the machine refuses, with the place in front that asked for it; bugs stay what they are. */
export function inPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
    throw new InputError(`${place}: ${(error as Error).message}`);
  }
}

const REFUSALS = [InputError, MapError, ValueRefused, RangeRefused, LoadError, ProgramRefused];
