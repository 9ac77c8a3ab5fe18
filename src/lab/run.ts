/** One run: build the machine the options describe, offer it the traffic, let it drain, report. */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME, PS_PER_NS, PS_PER_SEC } from '../host/clock.ts';
import type { HostMemory } from '../host/memory.ts';
import { Rng } from '../host/rng.ts';
import type { SenderView } from '../host/stages.ts';
import type { MachineConfig } from '../machine.ts';
import { MAP_BYTES } from '../machine/config.ts';
import { buildMachine } from '../machine.ts';
import type { Capture } from '../wire/capture.ts';
import { readCapture } from '../wire/capture.ts';
import type { ArrivalSource, FrameTable, WireSink } from '../wire/frames.ts';
import { Link, LinkFeed } from '../wire/link.ts';
import type { Btf } from '../xdp/btf/btf.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { readKernelTypes } from './bpfObject.ts';
import type { BpfMap } from '../xdp/maps/bpfMap.ts';
import type { ArrivalPlan } from './arrivals.ts';
import { CountedArrivals, replayPlan, trafficPlan } from './arrivals.ts';
import type { Change } from './changeSpec.ts';
import { InputError } from './inputError.ts';
import { planChanges, programOfChange, programsOfChanges } from './plannedChanges.ts';
import type { LiveMachine } from './liveRun.ts';
import { LiveRun } from './liveRun.ts';
import type { MapsFile } from './mapState.ts';
import { mapsFile, parseMapsFile, restoreMaps } from './mapState.ts';
import type { RunOptions } from './optionSchema.ts';
import type { ImportProgram } from './programs.ts';
import { profileNamed } from './profileFile.ts';
import { programNamed } from './programs.ts';
import type { ClientBooks, ClientsConfig } from '../machine/clients.ts';
import type { ClientPlan } from './clientPlan.ts';
import { clientPlan } from './clientPlan.ts';
import type { RunReport } from './report.ts';
import { runReport } from './report.ts';
import { aboutRun } from './runAbout.ts';
import { machineConfig } from './setup.ts';
import { WireCapture } from './wireCapture.ts';

/** Its own stream: what the machine draws never shifts the traffic. */
const TRAFFIC_STREAM = 0x7261_6666;

/** Room for the maps of programs that a prompt may name. */
const PROMPT_MAP_BYTES = 64 << 20;

/** What a run needs of a machine. NICs are numbered as in the configuration. */
interface LabMachine extends LiveMachine {
  readonly mem: HostMemory;
  /** Frames that sources send; its region holds the `frameBytes` asked for. */
  readonly frames: FrameTable;
  /** Maps of the program on a NIC, by name. */
  mapsOf(nic: number): Readonly<Record<string, BpfMap>>;
  offer(nic: number, source: ArrivalSource): void;
  /** Clients ask the first NIC, until all is done and answered. */
  runClients(
    config: ClientsConfig,
    rng: Rng,
    onRound?: (sent: number, nowPs: Ps) => void,
  ): ClientBooks;
  /** Every frame that a NIC has put on the wire; `port` is the NIC. */
  watchWire(sink: WireSink): void;
  /** Every frame that reached the stack, its stripped tag put back. */
  watchPassed(sink: WireSink): void;
}

export type BuildMachine = (config: MachineConfig, frameBytes: number) => LabMachine;

/** What a run needs of the world around it. */
export interface RunIo {
  /** @throws InputError */
  readFile(option: string, name: string): Promise<Uint8Array>;
  /** The default export of a program's module. @throws InputError */
  readonly importProgram: ImportProgram;
  /** Wall time, of any origin. */
  nowMs(): number;
  /** false: nobody will look at what is left in the maps, and to read them all takes its time. */
  readonly readsMaps?: boolean;
  /** Takes a watched run (`watch`) along until it is over; without it, it runs as fast as it can. */
  drive?(live: LiveRun): Promise<void>;
  /** Messages to whoever watches. */
  says?(text: string): void;
  /** Told now and then how far the run has come. */
  progress?(offered: number, total: number | undefined, virtualNs: number): void;
}

export interface RunOutcome {
  readonly report: RunReport;
  /** Contents of the capture files asked for. */
  readonly captures: { readonly txOut?: Uint8Array; readonly passOut?: Uint8Array };
  /** What the first NIC's program left in its maps. Reading it throws InputError if it is too much. */
  readonly maps: MapsFile;
}

/**
 * Run what `options` describe.
 *
 * @throws InputError, OptionError, RangeRefused, CaptureError before anything has run
 * @throws ProgramFault when a program did what none may
 */
export async function runScenario(
  options: RunOptions,
  io: RunIo,
  build: BuildMachine = buildMachine,
): Promise<RunOutcome> {
  const startMs = io.nowMs();
  const { verify } = options;
  const kernelTypes = await kernelTypesGiven(options, io);
  const choice = { verify, kernelTypes };
  const named = { program: options.program, section: options.sec, ...choice };
  const xdp = await programNamed('--xdp', options.xdp, io, named);
  const xdpPeer = await programNamed('--xdp-peer', options.xdpPeer, io, choice);
  const capture = await captureOf(options, io);
  const closed = clientPlan(options);
  const plan = capture === null ? trafficPlan(options) : replayPlan(options, capture);
  const given = await mapsGiven(options, io);
  const later = await programsOfChanges(options, choice, io);
  const mapBytes = mapBytesOf(xdp, xdpPeer, later.values(), options);
  const profile = await profileNamed(options.profile, (option, name) => io.readFile(option, name));
  const { nics, ...rest } = machineConfig(options, profile);
  const sender = closed === null ? plan.sender(new Link(nics[0]!.linkBps)) : null;
  const config = { ...rest, nics, mapBytes, sender };

  const machine = build(config, closed?.frameBytes ?? plan.frameBytes);
  config.nics.forEach((_, nic) => {
    const program = nic === 0 ? xdp : xdpPeer;
    if (program !== null) machine.attachXdp(nic, program);
  });
  if (given !== null) {
    restoreMaps(options.maps!, given, machine.mapsOf(0), machine.programOf(0)?.programs);
  }
  const captures = watchedBy(machine, options, config, capture);
  const arrivals = closed === null ? arrivalsOf(machine, config, plan, io) : null;
  if (arrivals !== null) machine.offer(0, arrivals);
  planChanges(machine, config.nics, options.at, later);
  if (options.watch && io.drive !== undefined && arrivals !== null) {
    const names = config.nics.map(({ name }) => name);
    const load = async (change: Change): Promise<XdpProgramSpec | null> =>
      programOfChange(change, choice, io);
    await io.drive(new LiveRun(machine, names, arrivals, load, (text) => io.says?.(text)));
  }
  const clients = closed === null ? null : askedBy(machine, config, closed, io);
  machine.run(END_OF_TIME);
  for (const { onEnd } of options.apps) onEnd?.();

  const report = runReport({
    result: {
      ...machine.result(),
      lastArrivalPs: arrivals?.lastPs ?? clients!.lastArrivalPs,
      clients,
    },
    about: aboutRun(options, config, closed ?? plan, { xdp, xdpPeer }),
    seed: options.seed,
    wallMs: Math.round(io.nowMs() - startMs),
    shown: Object.fromEntries((options.show ?? []).map((what) => [what, machine.show(what)])),
    notes: [
      ...notesOn(capture),
      ...unseen(options, sender),
      ...(arrivals === null ? [] : cutShort(options, plan, arrivals.offered)),
    ],
  });
  const left = io.readsMaps === false ? NO_MAPS : leftMaps(machine, options);
  return {
    report,
    captures: captures(),
    get maps() {
      if (left instanceof InputError) throw left;
      return left;
    },
  };
}

const NO_MAPS: MapsFile = { format: 'ringscope maps 1', maps: [] };

async function kernelTypesGiven({ btf }: RunOptions, io: RunIo): Promise<Btf | null> {
  return btf === undefined ? null : readKernelTypes(btf, await io.readFile('--btf', btf));
}

/**
 * With what they mean only where somebody will read it: large maps take their time.
 *
 * @returns why not, where they are too large
 */
function leftMaps(machine: LabMachine, { mapsOut }: RunOptions): MapsFile | InputError {
  try {
    return mapsFile(machine.mapsOf(0), mapsOut === undefined ? {} : machine.programOf(0)?.mapTypes);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

async function mapsGiven({ maps }: RunOptions, io: RunIo): Promise<MapsFile | null> {
  return maps === undefined ? null : parseMapsFile(maps, await io.readFile('--maps', maps));
}

/** Room for the maps of these programs, however many NICs run them. */
function mapBytesOf(
  xdp: XdpProgramSpec | null,
  xdpPeer: XdpProgramSpec | null,
  later: Iterable<XdpProgramSpec | null>,
  { cpus, nics, watch }: RunOptions,
): number {
  const of = (program: XdpProgramSpec | null): number => program?.mapBytes?.(cpus) ?? 0;
  const ahead = watch ? PROMPT_MAP_BYTES : MAP_BYTES;
  let bytes = ahead + of(xdp) + of(xdpPeer) * (nics.length - 1);
  for (const program of later) bytes += of(program);
  return bytes;
}

/** A generator's own clock shows in one stage and nowhere else. */
function unseen({ stages }: RunOptions, sender: SenderView | null): string[] {
  return sender === null || stages ? [] : ['what the generator itself measures needs --stages'];
}

/** Virtual time has an end, and a slow offer may not be through by then. */
function cutShort({ duration }: RunOptions, { total = 0 }: ArrivalPlan, offered: number): string[] {
  if (duration !== undefined || offered >= total) return [];
  const seconds = Math.floor(END_OF_TIME / PS_PER_SEC);
  return [`only ${offered} of ${total} packets arrived: virtual time ends after ${seconds} s`];
}

async function captureOf(options: RunOptions, io: RunIo): Promise<Capture | null> {
  if (options.in === undefined) return null;
  return readCapture(await io.readFile('--in', options.in), options.in);
}

function arrivalsOf(
  machine: LabMachine,
  config: MachineConfig,
  plan: ArrivalPlan,
  io: RunIo,
): CountedArrivals {
  const source = plan.source(machine.frames, new Rng(config.seed ^ TRAFFIC_STREAM));
  const feed = new LinkFeed(new Link(config.nics[0]!.linkBps), source);
  return new CountedArrivals(feed, plan.total ?? Infinity, (offered, lastPs) =>
    io.progress?.(offered, plan.total, lastPs / PS_PER_NS),
  );
}

function askedBy(
  machine: LabMachine,
  config: MachineConfig,
  plan: ClientPlan,
  io: RunIo,
): ClientBooks {
  const rng = new Rng(config.seed ^ TRAFFIC_STREAM);
  const wanted = plan.config(config);
  const total = Number.isFinite(wanted.requests) ? wanted.requests : undefined;
  return machine.runClients(wanted, rng, (sent, nowPs) =>
    io.progress?.(sent, total, nowPs / PS_PER_NS),
  );
}

/** Put writers on the machine for the capture files asked for. @returns what takes their contents */
function watchedBy(
  machine: LabMachine,
  options: RunOptions,
  config: MachineConfig,
  capture: Capture | null,
): () => RunOutcome['captures'] {
  const names = config.nics.map(({ name }) => name);
  const start = capture?.start ?? { sec: 0, subPs: 0 };
  const writer = (direction: 'in' | 'out'): WireCapture =>
    new WireCapture(machine.mem, names, direction, start);
  const sent = options.txOut === undefined ? null : writer('out');
  const passed = options.passOut === undefined ? null : writer('in');
  if (sent !== null) machine.watchWire(sent);
  if (passed !== null) machine.watchPassed(passed);
  return () => ({
    ...(sent === null ? {} : { txOut: sent.finish() }),
    ...(passed === null ? {} : { passOut: passed.finish() }),
  });
}

function notesOn(capture: Capture | null): string[] {
  const notes: string[] = [];
  for (const { linkType, frames } of capture?.skipped ?? []) {
    notes.push(`${frames} packets of link type ${linkType} left out: they are not Ethernet`);
  }
  for (const note of capture?.notes ?? []) notes.push(`capture: ${note}`);
  return notes;
}
