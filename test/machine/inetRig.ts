/** A machine that speaks IP: frames go in at the first NIC, what it answers comes out as bytes. */
import type { Ps } from '../../src/host/clock.ts';
import { END_OF_TIME, PS_PER_US } from '../../src/host/clock.ts';
import { FLAT } from '../../src/host/profiles.ts';
import type { Fates } from '../../src/host/fates.ts';
import { LOSS_CAUSES } from '../../src/host/fates.ts';
import type { HostAddr } from '../../src/host/memory.ts';
import { Machine } from '../../src/machine.ts';
import type { MachineConfig, NicConfig } from '../../src/machine.ts';
import type { AppConfig, InetConfig } from '../../src/machine/inetConfig.ts';
import { APP_DEFAULTS } from '../../src/machine/inetConfig.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { FrameSpec } from '../../src/wire/build.ts';
import type { ArrivalBlock, ArrivalSource } from '../../src/wire/frames.ts';
import { BLOCK, FrameTable } from '../../src/wire/frames.ts';
import type { XdpProgramSpec } from '../../src/xdp/define.ts';

export const MY_MAC = { hi16: 0x0200, lo32: 1 };
export const PEER_MAC = { hi16: 0x0200, lo32: 0xfe };
export const MY_IP = 0x0a00_0001;
/** Somebody behind the gateway. */
export const PEER_IP = 0xc000_0201;

export const MY_IP6 = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
export const PEER_IP6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);

export const frame4 = (body: BodySpec, more: object = {}, frame: Partial<FrameSpec> = {}) =>
  buildFrame({
    dst: MY_MAC,
    src: PEER_MAC,
    net: { kind: 'ipv4', src: PEER_IP, dst: MY_IP, body, ...more },
    ...frame,
  });

export const frame6 = (body: BodySpec, more: object = {}, frame: Partial<FrameSpec> = {}) =>
  buildFrame({
    dst: MY_MAC,
    src: PEER_MAC,
    net: { kind: 'ipv6', src: PEER_IP6, dst: MY_IP6, body, ...more },
    ...frame,
  });

export const udpTo = (dstPort: number, payload: Uint8Array | number = 20): BodySpec => ({
  kind: 'udp',
  srcPort: 4000,
  dstPort,
  payload,
});

export const app = (given: Partial<AppConfig> & Pick<AppConfig, 'kind' | 'udp'>): AppConfig => ({
  ...APP_DEFAULTS,
  ...given,
});

/** Room for the frames that tests offer to other NICs. */
const EXTRA_FRAMES: readonly number[] = Array.from({ length: 8 }, () => 64);

/** The frames, one every `gap`, from 1 µs on. */
class Frames implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly ids: number[];
  private readonly gap: Ps;
  private readonly first: Ps;
  private next = 0;

  constructor(frames: FrameTable, list: readonly Uint8Array[], gap: Ps, first: Ps = PS_PER_US) {
    this.frames = frames;
    this.first = first;
    this.gap = gap;
    const known = new Map<Uint8Array, number>();
    this.ids = list.map((bytes) => {
      const id = known.get(bytes) ?? frames.add(bytes);
      known.set(bytes, id);
      return id;
    });
  }

  fill(block: ArrivalBlock): void {
    block.count = Math.min(BLOCK, this.ids.length - this.next);
    for (let i = 0; i < block.count; i++, this.next++) {
      block.at[i] = this.first + this.next * this.gap;
      block.frame[i] = this.ids[this.next]!;
    }
  }
}

export interface InetRigOptions {
  apps?: readonly AppConfig[];
  /** Program of the first NIC; without one buffers are built into skbs. */
  xdp?: XdpProgramSpec;
  nic?: Partial<NicConfig>;
  machine?: Partial<MachineConfig>;
  /** A second NIC, eth1, as the first but for this. */
  second?: Partial<NicConfig>;
  inet?: Partial<InetConfig>;
  /** Picoseconds between two frames. */
  gap?: Ps;
}

export class InetRig {
  readonly machine: Machine;
  readonly sent: { nic: number; at: Ps; bytes: Uint8Array }[] = [];

  constructor(frames: readonly Uint8Array[], options: InetRigOptions = {}) {
    const { apps = [], nic = {}, machine = {}, gap = PS_PER_US, second, inet = {} } = options;
    const eth0: NicConfig = {
      ...{
        name: 'eth0',
        mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
        queues: 1,
        rxRing: 511,
        txRing: 511,
      },
      ...{ mtu: 1500, linkBps: 1e11, rxUsecs: 1, rxFrames: 1, txUsecs: 1, txFrames: 1 },
      ...{ rxvlan: false, promisc: true, irqAffinity: [0] },
      ...nic,
    };
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    const eth1 = second === undefined ? [] : [{ ...eth0, name: 'eth1', mac, ...second }];
    const nics = [eth0, ...eth1];
    const config: MachineConfig = {
      ...{ seed: 1, cpus: 2, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT, nics },
      ...{ stack: true, check: true, eager: false, inet: { apps, ...inet } },
      ...machine,
    };
    this.machine = new Machine(
      config,
      FrameTable.bytesFor([...frames.map((f) => f.length), ...EXTRA_FRAMES]),
    );
    if (options.xdp !== undefined) this.machine.attachXdp(0, options.xdp);
    this.machine.watchWire({
      frame: (port: number, at: Ps, from: HostAddr, len: number): void =>
        void this.sent.push({ nic: port, at, bytes: this.machine.mem.u8.slice(from, from + len) }),
    });
    this.machine.offer(0, new Frames(this.machine.frames, frames, gap));
  }

  /** More frames, the first after `gap` and one every `gap`, into another NIC. */
  offer(nic: number, frames: readonly Uint8Array[], gap: Ps): void {
    this.machine.offer(nic, new Frames(this.machine.frames, frames, gap, gap));
  }

  /** Until nothing is left to do; the books must then add up. */
  run(until: Ps = END_OF_TIME): this {
    this.machine.run(until);
    return this;
  }

  get fates(): Fates {
    const { nics } = this.machine.result();
    const [sum] = nics;
    for (const other of nics.slice(1)) sum!.fates.add(other.fates);
    return sum!.fates;
  }

  /** Losses by cause. */
  get lost(): Record<string, number> {
    const { lost } = this.fates;
    return Object.fromEntries(
      LOSS_CAUSES.flatMap(({ name }, i) => (lost[i] === 0 ? [] : [[name, lost[i]!]])),
    );
  }

  get snmp() {
    return this.machine.result().snmp;
  }

  /** What must hold after every run, whatever came in. */
  get books(): object {
    const { pages } = this.machine.result();
    return { ...this.fates.imbalance(), leaked: pages.leaked };
  }
}

export const BALANCED = { nic: 0, driver: 0, tx: 0, up: 0, leaked: 0 };
