/**
 * One frame through the whole machine, for tests of a program: NIC, ring, driver, program and
 * whatever the verdict leads to, in checked mode.
 *
 * The machine has two NICs of one queue. The frame arrives at the first, which is promiscuous and
 * leaves VLAN tags in place; a redirect through a devmap's key 0 leads to the second.
 */
import { END_OF_TIME, PS_PER_US } from '../host/clock.ts';
import { FLAT } from '../host/profiles.ts';
import { BugError } from '../host/errors.ts';
import { Fates, LOSS_CAUSES } from '../host/fates.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { NicConfig } from '../machine.ts';
import { Machine } from '../machine.ts';
import type { ArrivalBlock, ArrivalSource, WireSink } from '../wire/frames.ts';
import { FrameTable } from '../wire/frames.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { defineXdp } from '../xdp/define.ts';
import type { XdpProg } from '../xdp/program.ts';
import { XDP_ACTION_NAMES, XDP_PASS } from '../xdp/uapi.ts';
import { xdpData, xdpDataEnd, xdpGetMetalen } from '../xdp/xdpBuff.ts';
import { InputError } from './inputError.ts';

export interface PacketOptions {
  /** What the program's random numbers start from; 1 unless given. */
  readonly seed?: number;
  /** Longest packet the first NIC takes; 1500 unless given. */
  readonly mtu?: number;
  /** Program of the second NIC, which transmits for others only with one; null for none. */
  readonly peer?: XdpProgramSpec | null;
}

export interface SentFrame {
  /** 0 for the NIC the frame came to, 1 for the other. */
  readonly nic: number;
  readonly bytes: Uint8Array;
}

/** What became of the frame. */
export interface PacketResult {
  /** `XDP_PASS` and so on; `unknown (7)` for a number that is none of them. */
  readonly verdict: string;
  /** The verdict as the program returned it. */
  readonly retval: number;
  /** The packet as the program left it, whatever its verdict. */
  readonly bytes: Uint8Array;
  /** Metadata in front of it. */
  readonly meta: Uint8Array;
  /** What left on a wire. */
  readonly sent: readonly SentFrame[];
  /** What reached the stack, or null. */
  readonly toStack: Uint8Array | null;
  /** Losses by cause, as in a run's report: an XDP_TX that found no room is one. */
  readonly lost: Readonly<Record<string, number>>;
}

/**
 * Run `program` on one frame.
 *
 * @param frame bytes from the destination MAC on, without FCS
 * @throws InputError when the NIC never hands the frame to the driver: too short or too long
 * @throws ProgramFault when the program does what none may
 */
export function packet(
  program: XdpProgramSpec,
  frame: Uint8Array,
  options: PacketOptions = {},
): PacketResult {
  const machine = machineFor(frame, options);
  const seen = new Seen();
  const sent = new Copies(machine.mem);
  const passed = new Copies(machine.mem);
  machine.attachXdp(0, watched(program, seen));
  const peer = options.peer === undefined ? PASS : options.peer;
  if (peer !== null) machine.attachXdp(1, peer);
  machine.watchWire(sent);
  machine.watchPassed(passed);
  machine.offer(0, new OneArrival(machine.frames, frame));
  machine.run(END_OF_TIME);

  const lost = lossesOf(machine);
  if (seen.runs === 0) throw neverSeen(frame, lost);
  return {
    verdict: XDP_ACTION_NAMES[seen.retval] ?? `unknown (${seen.retval})`,
    retval: seen.retval,
    bytes: seen.bytes,
    meta: seen.meta,
    sent: sent.frames,
    toStack: passed.frames[0]?.bytes ?? null,
    lost,
  };
}

const PASS: XdpProgramSpec = defineXdp(() => XDP_PASS, { name: 'pass' });

const RX_RING = 8;
/** The smallest that bnxt accepts. */
const TX_RING = 19;
const LINK_BPS = 100e9;

function machineFor(frame: Uint8Array, { seed = 1, mtu = 1500 }: PacketOptions): Machine {
  const nic = (index: number): NicConfig => ({
    name: `eth${index}`,
    mac: Uint8Array.of(2, 0, 0, 0, 0, index + 1),
    queues: 1,
    rxRing: RX_RING,
    txRing: TX_RING,
    mtu,
    linkBps: LINK_BPS,
    rxUsecs: 1,
    rxFrames: 1,
    txUsecs: 1,
    txFrames: 1,
    rxvlan: false,
    promisc: true,
    irqAffinity: [0],
  });
  const kernel = { hz: 250, budget: 64, netdevBudget: 300, stack: true };
  const modes = { profile: FLAT, check: true, eager: false };
  return new Machine(
    { seed, cpus: 1, ...kernel, ...modes, nics: [nic(0), nic(1)] },
    FrameTable.bytesFor([frame.length]),
  );
}

/** The frame, once, as soon as the devices are up. */
class OneArrival implements ArrivalSource {
  readonly frames: FrameTable;
  private left: number;
  private readonly id: number;

  constructor(frames: FrameTable, frame: Uint8Array) {
    this.frames = frames;
    this.id = frames.add(frame);
    this.left = 1;
  }

  fill(block: ArrivalBlock): void {
    block.count = this.left;
    block.at[0] = PS_PER_US;
    block.frame[0] = this.id;
    this.left = 0;
  }
}

/** What the program did, noted between its return and the driver's next step. */
class Seen {
  runs = 0;
  retval = 0;
  bytes: Uint8Array = new Uint8Array(0);
  meta: Uint8Array = new Uint8Array(0);

  note(mem: HostMemory, md: HostAddr, retval: number): void {
    const data = xdpData(mem.words, md);
    this.runs++;
    this.retval = retval;
    this.bytes = mem.u8.slice(data, xdpDataEnd(mem.words, md));
    this.meta = mem.u8.slice(data - xdpGetMetalen(mem.words, md), data);
  }
}

/** The same program, observed. */
const watched = (program: XdpProgramSpec, seen: Seen): XdpProgramSpec => ({
  ...program,
  load(xdp) {
    const prog = program.load(xdp);
    const run = (md: HostAddr): number => {
      const retval = prog.run(md);
      seen.note(xdp.mem, md, retval);
      return retval;
    };
    const { name, id, hasFrags, touchesPacket, maps } = prog;
    return { name, id, hasFrags, touchesPacket, maps, run } satisfies XdpProg;
  },
});

class Copies implements WireSink {
  readonly frames: SentFrame[] = [];
  private readonly mem: HostMemory;

  constructor(mem: HostMemory) {
    this.mem = mem;
  }

  frame(port: number, _time: number, at: HostAddr, len: number): void {
    this.frames.push({ nic: port, bytes: this.mem.u8.slice(at, at + len) });
  }
}

/** @throws BugError when the books do not add up */
function lossesOf(machine: Machine): Record<string, number> {
  const sum = new Fates();
  const { nics, pages } = machine.result();
  for (const nic of nics) sum.add(nic.fates);
  const off = Object.entries(sum.imbalance()).filter(([, n]) => n !== 0);
  if (off.length > 0 || pages.leaked !== 0) {
    throw new BugError(`one packet does not add up: ${JSON.stringify({ off, pages })}`);
  }
  return Object.fromEntries(
    LOSS_CAUSES.flatMap(({ name }, i) => (sum.lost[i] === 0 ? [] : [[name, sum.lost[i]!]])),
  );
}

function neverSeen(frame: Uint8Array, lost: Readonly<Record<string, number>>): InputError {
  const why = Object.keys(lost).join(', ');
  return new InputError(
    `a frame of ${frame.length} bytes never reaches the program (${why}): ` +
      'it needs 14 bytes at least, and 18 bytes more than the MTU at most',
  );
}
