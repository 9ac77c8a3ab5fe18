/**
 * Generated load on one queue and one CPU, as `ringscope run` has it: what arrivals by chance and
 * the histograms of stages (`--stages`) cost, below capacity and beyond it.
 */
import { FLAT } from '../src/host/profiles.ts';
import { PS_PER_SEC } from '../src/host/clock.ts';
import { Rng } from '../src/host/rng.ts';
import { trafficPlan } from '../src/lab/arrivals.ts';
import { fromFlags, readOptions } from '../src/lab/options.ts';
import { machineConfig } from '../src/lab/setup.ts';
import { Machine } from '../src/machine.ts';
import { Link, LinkFeed } from '../src/wire/link.ts';
import drop from '../examples/drop.ts';

/** Packets a second that one CPU drops at weight 64, by the profile `flat`. */
const CAPACITY_PPS = 29e6;

export interface LoadOptions {
  /** Of the capacity. */
  readonly share: number;
  readonly arrivals: 'constant' | 'poisson';
  readonly stages: boolean;
}

export class LoadRig {
  private readonly machine: Machine;
  private readonly pps: number;
  private offered = 0;
  private packets = 0;

  constructor({ share, arrivals, stages }: LoadOptions) {
    this.pps = Math.round(share * CAPACITY_PPS);
    const options = readOptions([
      fromFlags({
        queues: 1,
        cpus: 1,
        traffic: `udp rate=${this.pps} arrivals=${arrivals}`,
        duration: '9000s',
        stages,
      }),
    ]);
    const config = machineConfig(options, FLAT);
    const plan = trafficPlan(options);
    this.machine = new Machine(config, plan.frameBytes);
    this.machine.attachXdp(0, drop);
    const source = plan.source(this.machine.frames, new Rng(1));
    this.machine.offer(0, new LinkFeed(new Link(config.nics[0]!.linkBps), source));
  }

  /** Offer about `packets` more. @returns how many there were, received or lost */
  run(packets: number): number {
    this.packets += packets;
    this.machine.run(Math.round((this.packets / this.pps) * PS_PER_SEC));
    let offered = 0;
    for (const { fates } of this.machine.nics[0]!.nic.port.lanes) offered += fates.offered;
    const done = offered - this.offered;
    this.offered = offered;
    return done;
  }
}
