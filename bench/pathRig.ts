/**
 * The whole path as a benchmark drives it: frames handed to the link, until their pages are back.
 *
 * Frames come in bursts at line rate, each burst a little before the machine has nothing left to
 * do, so that polls are full and nothing is lost; a round that loses a packet is refused. What is
 * timed includes the link, hash and steering by frame, DMA copy, completions, interrupts, the poll
 * loop, the program, doorbells, TX completion and page recycling, with virtual time and latency
 * histogram on. Making the frames themselves is not included: they are stored once.
 */
import type { Ps } from '../src/host/clock.ts';
import { END_OF_TIME } from '../src/host/clock.ts';
import { FLAT } from '../src/host/profiles.ts';
import type { MachineConfig, NicConfig } from '../src/machine.ts';
import { Machine } from '../src/machine.ts';
import type { AppConfig } from '../src/machine/inetConfig.ts';
import { APP_DEFAULTS } from '../src/machine/inetConfig.ts';
import { buildFrame } from '../src/wire/build.ts';
import type { ArrivalBlock, FrameTable } from '../src/wire/frames.ts';
import { BLOCK } from '../src/wire/frames.ts';
import type { SendSource } from '../src/wire/link.ts';
import { Link, LinkFeed } from '../src/wire/link.ts';
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { objectXdp } from '../src/xdp/objectProgram.ts';
import type { ObjectScenario } from './objects.ts';
import drop from '../examples/drop.ts';
import echo from '../examples/echo.ts';
import pass from '../examples/pass.ts';
import redirect from '../examples/redirect.ts';

export type Scenario = 'drop' | 'tx' | 'redirect' | 'pass' | 'socket' | ObjectScenario;
/** Those whose packets end in the driver or at the door of the stack. */
export const SCENARIOS: readonly Scenario[] = ['drop', 'tx', 'redirect', 'pass'];

const PROGRAMS: Partial<Record<Scenario, XdpProgramSpec>> = {
  ...{ drop, tx: echo, redirect, pass },
  socket: pass,
};
const LINK_BPS = 100e9;
/** Frames of a burst for each queue: as many as a block of arrivals. */
const BURST = 256;
/** Virtual time a packet takes in the `flat` profile, rounded up: the pace of the bursts. */
const VIRTUAL_NS: Record<Scenario, number> = {
  ...{ drop: 42, tx: 80, redirect: 130, pass: 170 },
  socket: 600,
  ...{ count: 42, l4lb: 80 },
};
/** The port of `flowFrame`, read on the second CPU. */
const SINK: AppConfig = { ...APP_DEFAULTS, kind: 'sink', udp: 9, cpu: 1 };

export interface PathOptions {
  readonly rxRing?: number;
  readonly queues?: number;
  readonly flows?: number;
  readonly weight?: number;
  /** Of an object scenario: the file's name and contents. */
  readonly object?: { readonly file: string; readonly bytes: Uint8Array };
}

/** The same frames for ever, in turn, in bursts at a fixed period. */
class Bursts implements SendSource {
  readonly frames: FrameTable;
  readonly endPs: Ps = END_OF_TIME;
  private readonly periodPs: Ps;
  private readonly blocksPerBurst: number;
  private blocks = 0;
  private next = 0;

  constructor(frames: FrameTable, periodPs: Ps, blocksPerBurst: number) {
    this.frames = frames;
    this.periodPs = periodPs;
    this.blocksPerBurst = blocksPerBurst;
  }

  fill(block: ArrivalBlock): void {
    const at = Math.floor(this.blocks++ / this.blocksPerBurst) * this.periodPs;
    const { count } = this.frames;
    const { frame } = block;
    let { next } = this;
    block.at.fill(at);
    for (let i = 0; i < BLOCK; i++) {
      frame[i] = next;
      next = next + 1 === count ? 0 : next + 1;
    }
    this.next = next;
    block.count = BLOCK;
  }
}

const flowFrame = (flow: number): Uint8Array =>
  buildFrame({
    dst: { hi16: 0x0200, lo32: 1 },
    src: { hi16: 0x0200, lo32: 0xfe },
    net: {
      kind: 'ipv4',
      src: 0x0a010000 + (flow >>> 14),
      dst: 0x0a000001,
      body: { kind: 'udp', srcPort: 49152 + (flow & 0x3fff), dstPort: 9 },
    },
    frameLenBytes: 60,
  });

const nicConfig = (index: number, { rxRing = 511, queues = 1 }: PathOptions): NicConfig => ({
  name: `eth${index}`,
  mac: Uint8Array.of(2, 0, 0, 0, 0, index + 1),
  queues,
  rxRing,
  txRing: 511,
  mtu: 1500,
  linkBps: LINK_BPS,
  rxUsecs: 10,
  rxFrames: 15,
  txUsecs: 28,
  txFrames: 30,
  rxvlan: true,
  promisc: false,
  irqAffinity: [0],
});

/** The object's first program, verified and compiled as `ringscope run` does it. */
function objectProgram({ file, bytes }: NonNullable<PathOptions['object']>): XdpProgramSpec {
  const spec = parseElf(bytes, { file });
  return objectXdp(spec, Object.values(spec.programs)[0]!);
}

export class PathRig {
  readonly machine: Machine;
  private readonly periodPs: Ps;
  private readonly burst: number;
  private bursts = 0;
  private handled = 0;

  constructor(scenario: Scenario, options: PathOptions = {}) {
    const { flows = 1, weight = 64 } = options;
    const nics = scenario === 'redirect' ? [0, 1] : [0];
    const config: MachineConfig = {
      seed: 1,
      cpus: scenario === 'socket' ? 2 : 1,
      ...(scenario === 'socket' ? { inet: { apps: [SINK] } } : {}),
      hz: 1000,
      budget: weight,
      netdevBudget: 300,
      profile: FLAT,
      nics: nics.map((i) => nicConfig(i, options)),
      stack: true,
      check: false,
      eager: false,
    };
    this.machine = new Machine(config, flows * 64);
    for (let flow = 0; flow < flows; flow++) this.machine.frames.add(flowFrame(flow));
    this.machine.attachXdp(0, PROGRAMS[scenario] ?? objectProgram(options.object!));
    if (scenario === 'redirect') this.machine.attachXdp(1, pass);
    const pollCostNs = 800 / weight;
    this.burst = BURST * (options.queues ?? 1);
    this.periodPs = Math.round((VIRTUAL_NS[scenario] + pollCostNs) * this.burst * 1000);
    this.machine.offer(
      0,
      new LinkFeed(
        new Link(LINK_BPS),
        new Bursts(this.machine.frames, this.periodPs, options.queues ?? 1),
      ),
    );
  }

  /** Push `packets` more, rounded up to bursts. @throws Error when one was lost @returns how many */
  run(packets: number): number {
    this.bursts += Math.ceil(packets / this.burst);
    this.machine.run(this.bursts * this.periodPs - 1);
    let received = 0;
    for (const { nic, bp } of this.machine.nics) {
      for (const { fates } of [...nic.port.lanes, nic.port.refused, ...bp.rxRing, ...bp.txRing]) {
        received += fates.received;
        for (const lost of fates.lost) {
          if (lost > 0) throw new Error(`the benchmark lost ${lost} packets`);
        }
      }
    }
    const done = received - this.handled;
    this.handled = received;
    return done;
  }
}
