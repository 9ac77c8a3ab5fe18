/** A machine without a driver: every frame it is offered is received and has the fate asked for. */
import { costTable } from '../../src/host/cost.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { Fates } from '../../src/host/fates.ts';
import { Histogram } from '../../src/host/histogram.ts';
import { HostMemory } from '../../src/host/memory.ts';
import type { BuildMachine } from '../../src/lab/run.ts';
import type { MachineResult } from '../../src/machine/result.ts';
import type { ArrivalSource, WireSink } from '../../src/wire/frames.ts';
import { PagePoolStats } from '../../src/stack/pagePoolStats.ts';
import { ArrivalBlock, FrameTable } from '../../src/wire/frames.ts';

export interface StandInWishes {
  /** Frames that vanish without a fate. */
  readonly vanish?: number;
  readonly leaked?: number;
}

export const standIn =
  (wishes: StandInWishes = {}): BuildMachine =>
  (config, frameBytes) => {
    const mem = new HostMemory(frameBytes + 65536);
    const frames = new FrameTable(mem, mem.region('frames', frameBytes + 1));
    const fates = config.nics.map(() => new Fates());
    const attached: string[] = [];
    const wire: WireSink[] = [];
    const passed: WireSink[] = [];
    let source: ArrivalSource | null = null;
    let now = 0;
    const cpus = Array.from({ length: config.cpus }, (_, id) => new Cpu(id, costTable(FLAT)));
    return {
      mem,
      frames,
      attachXdp: (nic, program) => void (attached[nic] = program?.name ?? 'none'),
      programOf: () => null,
      ifindexOf: () => undefined,
      armFault: () => undefined,
      at: (_, make) => make(),
      present: 0,
      mapsOf: () => ({}),
      offer: (_, offered) => void (source = offered),
      runClients: () => {
        throw new Error('nobody answers here');
      },
      watchWire: (sink) => void wire.push(sink),
      watchPassed: (sink) => void passed.push(sink),
      run() {
        const block = new ArrivalBlock();
        const mine = fates[0]!;
        for (source?.fill(block); block.count > 0; source?.fill(block)) {
          for (let i = 0; i < block.count; i++) {
            now = block.at[i]!;
            const at = frames.at[block.frame[i]!]!;
            const len = frames.len[block.frame[i]!]!;
            mine.offered++;
            mine.received++;
            if (attached[0] === 'echo') {
              mine.xdpTx++;
              mine.onWire++;
              for (const sink of wire) sink.frame(0, now, at, len);
            } else if (attached[0] === 'pass') {
              mine.xdpPass++;
              mine.toStack++;
              for (const sink of passed) sink.frame(0, now, at, len);
            } else mine.xdpDrop++;
          }
        }
        mine.offered += wishes.vanish ?? 0;
      },
      show: (what) => `$ ${what}\n`,
      result(): MachineResult {
        return {
          virtualPs: now,
          settled: { ps: now, onWire: 0, spent: cpus.map((cpu) => cpu.spent) },
          nics: config.nics.map(({ name }, i) => ({
            name,
            fates: fates[i]!,
            ethtool: [],
            rxDoorbellPolls: 0,
          })),
          veths: [],
          napi: [],
          timeSqueeze: 0,
          budgetSqueeze: 0,
          devmapXmits: { calls: 0, frames: 0, single: 0, most: 16 },
          latency: new Histogram(),
          stages: null,
          timeline: null,
          pool: new PagePoolStats(),
          cpus,
          costs: [],
          cache: { packetMissPct: 0, countedMissPct: 0, writeMissPct: 0 },
          pages: { allocated: 0, pool: 0, rings: 0, inFlight: 0, leaked: wishes.leaked ?? 0 },
          softnet: [],
          log: [],
          printed: { count: 0, lines: [] },
          programs: [],
          sockets: [],
          snmp: {},
          drops: {},
          unsent: {},
        };
      },
    };
  };
