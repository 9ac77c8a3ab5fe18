/**
 * What the compiled programs of one machine share while one of them runs: the table through which
 * they tail call one another, how often they have, and in checked mode what they may touch.
 *
 * Entries of prog_array maps change under traffic, so each tail call asks the map. The program found
 * there is compiled as a target on its first call.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { EngineImage } from '../engine.ts';
import { MAX_TAIL_CALL_CNT } from '../isa/insn.ts';
import { ProgramFault } from '../program.ts';
import { ProgramMemory } from '../programMemory.ts';
import type { JitBpf } from './jitBpf.ts';

/** A program that was compiled to be gone on with. */
export interface TailTarget {
  readonly entry: () => unknown;
  /** Called when a run goes on with it. */
  entered(): void;
}

export class RunState {
  readonly reach: ProgramMemory;
  /** Functions of the type of callees; the first is none. */
  readonly programs: WebAssembly.Table;
  private readonly bpf: JitBpf;
  private readonly places: WeakMap<EngineImage, number> = new WeakMap();
  private readonly targets: TailTarget[] = [];
  /** The context of the run, or 0. */
  context: HostAddr = 0;
  /** Runs under way, one inside the other. */
  depth = 0;
  private tailCalls = 0;

  constructor(bpf: JitBpf) {
    this.bpf = bpf;
    this.reach = new ProgramMemory(bpf);
    this.programs = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  }

  /** A run on `md` begins. */
  begin(md: HostAddr): void {
    this.context = md;
    this.tailCalls = 0;
    this.reach.context(md);
  }

  /** A run on bytes begins. */
  beginOn(at: HostAddr, len: number): void {
    this.context = 0;
    this.tailCalls = 0;
    this.reach.given(at, len);
  }

  /**
   * The program at `index` of a prog_array, as its place in `programs`; 0 when there is none or this
   * run has had its tail calls. Only calls that happen count.
   *
   * @throws ProgramFault when `handle` is no map
   * @linux emit_bpf_tail_call_indirect; arch/x86/net/bpf_jit_comp.c
   */
  tailTarget(
    handle: HostAddr,
    index: number,
    caller: EngineImage,
    compile: (image: EngineImage) => TailTarget,
  ): number {
    const map = this.bpf.maps.at(handle);
    if (map === undefined) throw new ProgramFault(caller.name, 'tail call through what is no map');
    if (index >>> 0 >= map.maxEntries || this.tailCalls >= MAX_TAIL_CALL_CNT) return 0;
    const image = map.progAt?.(index >>> 0) ?? null;
    if (image === null) return 0;
    this.tailCalls++;
    const place = this.places.get(image) ?? this.add(image, compile(image));
    this.targets[place]!.entered();
    return place;
  }

  private add(image: EngineImage, target: TailTarget): number {
    const place = this.programs.grow(1);
    this.programs.set(place, target.entry);
    this.targets[place] = target;
    this.places.set(image, place);
    return place;
  }
}

const states: Record<'plain' | 'checked', WeakMap<JitBpf, RunState>> = {
  plain: new WeakMap(),
  checked: new WeakMap(),
};

export function runStateOf(bpf: JitBpf, checked: boolean): RunState {
  const known = states[checked ? 'checked' : 'plain'];
  let state = known.get(bpf);
  if (state === undefined) known.set(bpf, (state = new RunState(bpf)));
  return state;
}
