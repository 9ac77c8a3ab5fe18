/**
 * Running a program on a packet: the context's address in, a verdict out.
 *
 * The same call serves a TypeScript function and a compiled eBPF program.
 *
 * @linux bpf_prog_run_xdp; include/net/xdp.h, include/linux/filter.h
 */
import { OP_PACKET_TOUCH, OP_XDP_RUN } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { thrownText } from '../host/errors.ts';
import { DRIVER } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK, PAGE_SHIFT } from '../host/memory.ts';
import { TP_XDP_VERDICT } from '../host/trace.ts';
import type { BpfProgRef } from './bpf.ts';
import type { LinkProgram } from './engine.ts';
import type { MapTypes } from './loader/typedMap.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { XdpKernel } from './kernel.ts';
import type { XdpRxqInfo } from './rxq.ts';
import { xdpData, xdpLen } from './xdpBuff.ts';

/** A loaded program. */
export interface XdpProg {
  readonly name: string;
  /** As `bpftool prog` numbers them, from 1. */
  readonly id: number;
  /** What it was made to be attached to; a device unless given. @linux enum bpf_attach_type */
  readonly attachType?: number;
  /** Does it accept packets in several buffers (`xdp.frags`)? */
  readonly hasFrags: boolean;
  /** May it read or write the packet? Then its data must come into the CPU's caches. */
  readonly touchesPacket: boolean;
  /** Live maps by the name the program gave them. */
  readonly maps: Readonly<Record<string, BpfMap>>;
  /** What keys and values of these maps are, where an object tells. */
  readonly mapTypes?: Readonly<Record<string, MapTypes>>;
  /** Programs that were loaded with it, by name: what its maps of programs may hold. */
  readonly programs?: Readonly<Record<string, BpfProgRef>>;
  /** @param md address of the packet's `struct xdp_md` @returns the verdict */
  run(md: HostAddr): number;
  /** `run` within other WebAssembly, when it is WebAssembly itself and needs no preparation. */
  readonly link?: LinkProgram | undefined;
}

/**
 * A program did what no eBPF program can: it threw, left its packet, or returned no integer. The
 * run ends with it. `packet` counts the packets of its queue from 1; 0 while it is not known.
 */
export class ProgramFault extends Error {
  readonly program: string;
  readonly packet: number;
  readonly reason: string;

  /** @param packet number of the packet on `rxq` */
  constructor(
    program: string,
    reason: string,
    rxq: XdpRxqInfo | null = null,
    packet: number = 0,
    cause?: unknown,
  ) {
    const where =
      rxq === null ? '' : `, packet ${packet} of ifindex ${rxq.ifindex} queue ${rxq.queueIndex}`;
    super(`program ${program}${where}: ${reason}`, { cause });
    this.name = 'ProgramFault';
    this.program = program;
    this.packet = packet;
    this.reason = reason;
  }
}

/**
 * Run `prog` on the packet of `md`; charges the run and books the packet's age at its verdict.
 * The poll that runs it has said which CPU it is on (`XdpKernel.cpu`).
 *
 * @returns the verdict as it came: a driver meets unknown ones in its default branch, where it must
 *   call `checkVerdict` before it goes on
 * @throws ProgramFault when the program throws
 * @linux bpf_prog_run_xdp
 */
export function bpfProgRunXdp(prog: XdpProg, md: HostAddr, rxq: XdpRxqInfo, cpu: Cpu): number {
  cpu.charge(OP_XDP_RUN);
  if (prog.touchesPacket) cpu.charge(OP_PACKET_TOUCH);
  cpu.packetTouched = prog.touchesPacket;
  let act: number;
  try {
    act = prog.run(md);
  } catch (error) {
    throw programFaultOn(prog, rxq, error);
  }
  // a program moves the packet's start, but never out of its page
  const arrived = rxq.arrivedAt[xdpData(rxq.words, md) >>> PAGE_SHIFT]!;
  rxq.latency.record(cpu.now - arrived);
  if (rxq.stages !== null) rxq.stages.verdict(arrived, cpu.now);
  if (rxq.watch.on) watchRun(rxq.xdp, prog, md, cpu, act);
  return act;
}

/** @param act not yet known to be a number: what is none is recorded as NaN */
function watchRun(xdp: XdpKernel, prog: XdpProg, md: HostAddr, cpu: Cpu, act: unknown): void {
  const data = xdpData(xdp.mem.words, md);
  const verdict = typeof act === 'number' ? act : NaN;
  xdp.watch.ledger.holds(data, DRIVER, `program ${prog.name}`);
  xdp.watch.point(TP_XDP_VERDICT, cpu, verdict, xdpLen(xdp.mem.words, md), data & PAGE_MASK);
}

/** By its form, not its class: the program may have been made by another copy of the package. */
const isProgramFault = (error: unknown): error is ProgramFault =>
  error instanceof Error && error.name === 'ProgramFault' && 'reason' in error;

/** What a program threw that ran on the next packet of `rxq`. */
export const programFaultOn = (prog: XdpProg, rxq: XdpRxqInfo, error: unknown): ProgramFault =>
  new ProgramFault(prog.name, faultReason(error), rxq, rxq.runs + 1, error);

/** What a program threw that ran on a frame, of no queue. */
export const programFault = (name: string, error: unknown): ProgramFault =>
  new ProgramFault(name, faultReason(error), null, 0, error);

function faultReason(error: unknown): string {
  if (isProgramFault(error)) return error.reason;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : thrownText(error);
  return `threw ${what}`;
}

/**
 * The verdict of a driver's default branch: an unknown integer is the driver's to warn about.
 *
 * @throws ProgramFault when it is no integer
 */
export function checkVerdict(prog: XdpProg, rxq: XdpRxqInfo, act: unknown): void {
  if (Number.isInteger(act)) return;
  const what = wrongVerdict(act);
  throw new ProgramFault(prog.name, `returned ${what}, which is no integer`, rxq, rxq.runs);
}

function wrongVerdict(act: unknown): string {
  if (typeof act === 'number' || act === null) return String(act);
  return act instanceof Promise ? 'a promise' : typeof act;
}
