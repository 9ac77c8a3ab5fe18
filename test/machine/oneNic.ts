/** A machine of one NIC and one queue, unless asked for more, with 64-byte UDP frames: 1 Mpps, unless asked otherwise. */
import { FLAT } from '../../src/host/profiles.ts';
import { Rng } from '../../src/host/rng.ts';
import { Machine } from '../../src/machine.ts';
import type { MachineConfig, NicConfig } from '../../src/machine.ts';
import type { ArrivalSource, FrameTable } from '../../src/wire/frames.ts';
import { planTraffic, TrafficSource } from '../../src/wire/gen.ts';
import { Link, LinkFeed } from '../../src/wire/link.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';
import type { XdpProgramSpec } from '../../src/xdp/define.ts';

export interface OneNic {
  readonly xdp: XdpProgramSpec;
  readonly count: number;
  readonly traffic?: string;
  /** Offered instead of `traffic`. */
  readonly source?: (frames: FrameTable) => ArrivalSource;
  readonly nic?: Partial<NicConfig>;
  readonly machine?: Partial<MachineConfig>;
}

export function oneNic({
  xdp,
  count,
  traffic = '',
  source,
  nic = {},
  machine = {},
}: OneNic): Machine {
  const plan = planTraffic({ ...parseTraffic(`udp size=64 ${traffic}`), count });
  const eth0: NicConfig = {
    ...{ name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), queues: 1, rxRing: 511, txRing: 511 },
    ...{ mtu: 1500, linkBps: 1e11, rxUsecs: 10, rxFrames: 15, txUsecs: 28, txFrames: 30 },
    ...{ rxvlan: true, promisc: false, irqAffinity: [0] },
    ...nic,
  };
  const config: MachineConfig = {
    ...{ seed: 1, cpus: 1, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT, nics: [eth0] },
    ...{ stack: true, check: true, eager: false },
    ...machine,
  };
  const built = new Machine(config, plan.frameBytes);
  built.attachXdp(0, xdp);
  const link = new Link(eth0.linkBps);
  const generated = (): ArrivalSource =>
    new LinkFeed(link, new TrafficSource(plan, built.frames, new Rng(7)));
  built.offer(0, source?.(built.frames) ?? generated());
  return built;
}
