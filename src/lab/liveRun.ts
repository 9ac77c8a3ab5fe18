/**
 * A run that somebody watches: it goes on in small steps, and between two of them takes commands.
 *
 * A command acts at the machine's present, so what it does depends on when it came; `history` tells
 * what was done when, in the words of `--at`, and a run with these words is the same run again.
 *
 *   CHANGE, or TIME CHANGE     see `changeSpec.ts`         dump [MAP] | lookup MAP KEY
 *   stats | show WHAT          counters                    history
 *   pause | go | step TIME     the pace                    quit    no more traffic, then the report
 */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME, PS_PER_NS } from '../host/clock.ts';
import { Fates } from '../host/fates.ts';
import type { MachineResult } from '../machine/result.ts';
import type { ShowName } from '../machine/show.ts';
import { SHOW_NAMES } from '../machine/show.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import type { CountedArrivals } from './arrivals.ts';
import type { ChangeableMachine } from './changes.ts';
import { inPlace, liveMap, makeChange, nicOf } from './changes.ts';
import type { Change, DeviceChange } from './changeSpec.ts';
import { CHANGE_KINDS, parseChange, splitWords, timeOf, timedChange } from './changeSpec.ts';
import { InputError } from './inputError.ts';
import { datumOf } from './mapData.ts';
import type { MapElem, MapsFile } from './mapState.ts';
import { elemAt, mapsFile } from './mapState.ts';
import { didYouMean } from './nearest.ts';
import * as kind from './optionKinds.ts';
import { packetCounts } from './report.ts';

/** What a live run needs of a machine. */
export interface LiveMachine extends ChangeableMachine {
  at(atPs: Ps, make: () => void): void;
  run(untilPs: Ps): void;
  result(): MachineResult;
  show(what: ShowName): string;
  readonly present: Ps;
}

/** What came of a command: lines for a person, and the same as data. */
export interface Reply {
  readonly text: string;
  readonly data?: unknown;
}

const COMMANDS = [
  ...CHANGE_KINDS,
  'dump',
  'lookup',
  'stats',
  'show',
  'history',
  'pause',
  'go',
  'step',
  'help',
  'quit',
] as const;

export class LiveRun {
  paused = false;
  /** Where a `step` pauses. */
  pauseAt: Ps = END_OF_TIME;
  private stopped = false;
  private readonly done: string[] = [];
  private readonly machine: LiveMachine;
  private readonly nics: readonly string[];
  private readonly arrivals: CountedArrivals;
  private readonly load: (change: Change) => Promise<XdpProgramSpec | null>;
  private readonly says: (text: string) => void;

  /**
   * @param nics names, in order
   * @param load reads the program that an `xdp` change names
   * @param says is told what becomes of planned changes that are refused
   */
  constructor(
    machine: LiveMachine,
    nics: readonly string[],
    arrivals: CountedArrivals,
    load: (change: Change) => Promise<XdpProgramSpec | null>,
    says: (text: string) => void,
  ) {
    this.machine = machine;
    this.nics = nics;
    this.arrivals = arrivals;
    this.load = load;
    this.says = says;
  }

  /** The last frame has come, or nobody waits for it. */
  get over(): boolean {
    const { ended, lastPs } = this.arrivals;
    return this.stopped || (ended && this.machine.present >= lastPs);
  }

  /** Go on by `ps` of virtual time, but not beyond a `step`. */
  advance(ps: Ps): void {
    if (this.paused || this.over) return;
    const to = Math.min(this.machine.present + Math.round(ps), this.pauseAt, END_OF_TIME - 1);
    this.machine.run(to);
    if (to < this.pauseAt) return;
    this.pauseAt = END_OF_TIME;
    this.paused = true;
  }

  /** @throws InputError for a command that is refused; ProgramFault, BugError end the run */
  async command(line: string): Promise<Reply> {
    try {
      return await this.carryOut(line.trim());
    } catch (error) {
      if (error instanceof kind.Refusal) throw new InputError(error.message);
      throw error;
    }
  }

  private async carryOut(line: string): Promise<Reply> {
    const [name = '', ...args] = splitWords(line);
    switch (name) {
      case '':
        return { text: '' };
      case 'dump':
        return this.dump(args);
      case 'lookup':
        return this.lookup(args);
      case 'stats':
        return this.stats();
      case 'show': {
        const what = kind.word(SHOW_NAMES).read(args[0]);
        return { text: this.machine.show(what).trimEnd() };
      }
      case 'history':
        return { text: this.done.join('\n'), data: this.done };
      case 'pause':
        this.paused = true;
        return { text: '' };
      case 'go':
        this.paused = false;
        return { text: '' };
      case 'step':
        this.pauseAt = this.machine.present + timeOf(args[0]);
        this.paused = false;
        return { text: '' };
      case 'help':
        return { text: HELP };
      case 'quit':
        this.stopped = true;
        this.arrivals.stop();
        return { text: '' };
      default:
        return this.change(name, line);
    }
  }

  private async change(name: string, line: string): Promise<Reply> {
    const isTimed = /^\d/.test(name);
    if (!isTimed && !CHANGE_KINDS.some((one) => one === name)) {
      throw new InputError(`no command ${name}${didYouMean(name, COMMANDS)}; help lists them`);
    }
    const change: DeviceChange = isTimed ? timedChange.read(line) : parseChange(line);
    nicOf(this.nics, change.dev);
    const program = change.change.kind === 'xdp' ? await this.load(change.change) : null;
    const make = (): void => makeChange(this.machine, this.nics, change, () => program);
    if (isTimed) {
      const { time } = timedChange.read(line);
      this.machine.at(time, () => this.makePlanned(line, make));
      this.done.push(line);
      return { text: `planned for ${time / PS_PER_NS} ns` };
    }
    const at = this.machine.present;
    inPlace(name, make);
    this.done.push(`${at}ps ${line}`);
    return { text: `done at ${at / PS_PER_NS} ns` };
  }

  /** Nobody waits for an answer, and the run goes on. */
  private makePlanned(line: string, make: () => void): void {
    try {
      inPlace(line, make);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.says(error.message);
    }
  }

  private dump([name]: readonly string[]): Reply {
    const prog = this.machine.programOf(0);
    if (name !== undefined) liveMap(this.machine, 0, name);
    const file: MapsFile = mapsFile(prog?.maps ?? {}, prog?.mapTypes, name);
    const text = file.maps.map((map) => [map.name, ...map.elems.map(shownElem)].join('\n'));
    return { text: text.join('\n'), data: file };
  }

  private lookup([name = '', rawKey, ...more]: readonly string[]): Reply {
    if (rawKey === undefined || more.length > 0) throw new InputError('lookup takes MAP and KEY');
    const typed = liveMap(this.machine, 0, name);
    const maps = this.machine.programOf(0)?.maps ?? {};
    const raw = datumOf(`map ${name}, key`, rawKey, typed.map.keySize);
    const elem = inPlace('lookup', () => elemAt(typed, typed.keyBytes(raw), maps));
    if (elem === null) throw new InputError(`map ${name}: no such key`);
    return { text: shownElem(elem).trim(), data: elem };
  }

  private stats(): Reply {
    const sum = new Fates();
    for (const { fates } of this.machine.result().nics) sum.add(fates);
    const { lost, ...packets } = packetCounts(sum);
    const ns = this.machine.present / PS_PER_NS;
    const counts = Object.entries({ ...packets, ...lost }).filter(([, n]) => n !== 0);
    const text = [`${ns} ns`, ...counts.map(([what, n]) => `${what} ${n}`)].join(', ');
    return { text, data: { virtualNs: ns, packets: { ...packets, lost } } };
  }
}

const shownElem = ({ key, value, name, formatted }: MapElem): string =>
  formatted === undefined
    ? `  ${key}  ${name ?? value}`
    : `  ${JSON.stringify(formatted.key)}  ${JSON.stringify(formatted.value)}`;

const HELP = `update MAP KEY VALUE [any|noexist|exist]   delete MAP KEY
xdp FILE [program NAME] [sec SECTION]      fault POINT [after N] [every N]
TIME in front plans it; dev NAME behind it chooses another NIC than the first
dump [MAP]   lookup MAP KEY   stats   show ${SHOW_NAMES.join('|')}
pause   go   step TIME   history   quit`;
