/** The `at` entries of a run: their programs, read before anything runs, and their place in time. */
import type { Ps } from '../host/clock.ts';
import { PS_PER_US } from '../host/clock.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import type { ChangeableMachine } from './changes.ts';
import { inPlace, makeChange, nicOf } from './changes.ts';
import type { Change, TimedChange } from './changeSpec.ts';
import type { RunOptions } from './optionSchema.ts';
import type { ObjectChoice, ProgramIo } from './programs.ts';
import { programNamed } from './programs.ts';

/** What holds for all objects of a run. */
type LoadChoice = Pick<ObjectChoice, 'verify' | 'kernelTypes'>;

export type ProgramsOfChanges = ReadonlyMap<Change, XdpProgramSpec | null>;

/** @throws InputError, ElfError */
export async function programsOfChanges(
  { at }: Pick<RunOptions, 'at'>,
  choice: LoadChoice,
  io: ProgramIo,
): Promise<ProgramsOfChanges> {
  const programs = new Map<Change, XdpProgramSpec | null>();
  for (const { change } of at) {
    if (change.kind === 'xdp') programs.set(change, await programOfChange(change, choice, io));
  }
  return programs;
}

/** @returns null for `none`, and for a change of another kind */
export const programOfChange = async (
  change: Change,
  choice: LoadChoice,
  io: ProgramIo,
): Promise<XdpProgramSpec | null> =>
  change.kind === 'xdp' ? programNamed('at', change.xdp, io, { ...change, ...choice }) : null;

/** @throws InputError for a NIC that is not there; what a change is refused for ends the run */
export function planChanges(
  machine: ChangeableMachine & { at(atPs: Ps, make: () => void): void },
  nics: readonly { readonly name: string }[],
  at: readonly TimedChange[],
  programs: ProgramsOfChanges,
): void {
  const names = nics.map(({ name }) => name);
  for (const [i, change] of at.entries()) {
    const { dev, time } = change;
    inPlace(`at[${i}]`, () => nicOf(names, dev));
    const make = (): void =>
      inPlace(`at[${i}], ${time / PS_PER_US} us`, () =>
        makeChange(machine, names, change, (asked) => programs.get(asked) ?? null),
      );
    machine.at(time, make);
  }
}
