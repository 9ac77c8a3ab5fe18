/**
 * Random machines and random traffic for the lazy/eager comparison: plain data, so that a failing
 * case prints as what it is and can be pasted back.
 *
 * Half of the cases are coarse: every cost, every NIC delay, every arrival and every frame's time
 * on the wire is a multiple of one unit, so that arrivals, completions, timers, transmissions and
 * doorbells fall on the same picosecond all the time.
 */
import fc from 'fast-check';
import { PS_PER_NS } from '../../src/host/clock.ts';
import { OP_NAPI_POLL } from '../../src/host/cost.ts';
import type { IdleState } from '../../src/host/idleStates.ts';
import type { CostProfile, NicTiming, PcieSpec } from '../../src/host/profile.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Rng } from '../../src/host/rng.ts';
import type { MachineConfig, NicConfig } from '../../src/machine/config.ts';
import type { AppConfig } from '../../src/machine/inetConfig.ts';
import { APP_DEFAULTS } from '../../src/machine/inetConfig.ts';
import type { ProgramName } from './casePrograms.ts';
import { PROGRAM_NAMES } from './casePrograms.ts';

/** UDP port of all frames. */
export const PORT = 53;

export interface CaseTraffic {
  readonly pattern: 'constant' | 'poisson' | 'burst';
  readonly gapNs: number;
  readonly burst: number;
  readonly count: number;
  readonly flows: number;
  /** Tags on every other flow. */
  readonly tags: number;
  /** One frame in `oddEvery` is something the MAC refuses or counts apart; 0 for none. */
  readonly oddEvery: number;
}

/** Who polls, and when interrupts come back. */
export interface CaseNapi {
  readonly groFlushTimeoutNs: number;
  readonly deferHardIrqs: number;
  readonly irqSuspendTimeoutNs: number;
  /** CPUs of NAPI threads, reduced modulo the number of CPUs; none: no threads. */
  readonly threadCpus: readonly number[];
}

/** An application on the port that all traffic is for. */
export interface CaseApp {
  readonly kind: 'sink' | 'echo' | 'server';
  /** Reduced modulo the number of CPUs. */
  readonly cpu: number;
  /** Its threads wake on any CPU. */
  readonly wanders: boolean;
  readonly threads: number;
  readonly busyPollUsecs: number;
  readonly preferBusyPoll: boolean;
}

export interface CaseNic {
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly rxUsecs: number;
  readonly rxFrames: number;
  readonly txUsecs: number;
  readonly txFrames: number;
  readonly rxUsecsIrq?: number;
  readonly rxFramesIrq?: number;
  readonly txUsecsIrq?: number;
  readonly txFramesIrq?: number;
  readonly rxvlan: boolean;
  readonly adaptiveRx?: boolean;
  readonly cqeModeRx?: boolean;
  readonly chip?: 'p4' | 'p5';
  readonly napi?: CaseNapi;
  /** CPUs that take its packets into the stack, reduced modulo the number of CPUs. */
  readonly rps?: readonly number[];
  /** Reduced modulo the number of CPUs. */
  readonly affinity: readonly number[];
  readonly program: ProgramName;
  readonly traffic: CaseTraffic;
  /** Frames 84 bytes long on the wire take this long. */
  readonly wireNs: number;
}

export interface Case {
  readonly seed: number;
  readonly cpus: number;
  readonly budget: number;
  readonly netdevBudget: number;
  readonly hz: number;
  /** 0: the flat profile as it is; else every time is a multiple of so many nanoseconds. */
  readonly unitNs: number;
  readonly timing: Omit<NicTiming, 'txQueueSlotNs'>;
  /** Absent: 0. */
  readonly txQueueSlotNs?: number;
  readonly nics: readonly CaseNic[];
  /** The run pauses here, in nanoseconds, as a scenario's `at:` entries make it. */
  readonly pausesNs: readonly number[];
  /** The last NIC is closed and opened again at these times. */
  readonly downNs?: readonly [number, number];
  /** Books and rings are looked at so often; 0 or absent: never. */
  readonly sampleNs?: number;
  /** The stack sends every so many-th packet it gets; 0 or absent: none. */
  readonly answerEvery?: number;
  /** A PCIe link of the first generation with so many lanes; 0 or absent: a bus without end. */
  readonly lanes?: number;
  readonly app?: CaseApp;
  /** NICs are moderated as mlx5 is. */
  readonly foreign?: boolean;
  /** Idle CPUs sleep, the deeper the longer they idled before. */
  readonly sleeps?: boolean;
  readonly fault?: { readonly point: string; readonly after: number; readonly every: number };
}

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const traffic = (least: number, most: number): fc.Arbitrary<CaseTraffic> =>
  fc.record({
    pattern: pick<CaseTraffic['pattern']>('constant', 'poisson', 'burst'),
    gapNs: pick(10, 30, 60, 100, 150, 200, 400, 1000, 5000),
    burst: pick(2, 7, 32, 200),
    count: fc.integer({ min: least, max: most }),
    flows: pick(1, 2, 5, 16),
    tags: pick(0, 0, 1, 2),
    oddEvery: pick(0, 0, 3, 20),
  });

const nic = (least: number, most: number): fc.Arbitrary<CaseNic> =>
  fc.record({
    queues: fc.integer({ min: 1, max: 4 }),
    rxRing: pick(2, 5, 16, 33, 64, 150, 511),
    txRing: pick(19, 24, 40, 255),
    rxUsecs: pick(0, 1, 2, 10, 40),
    rxFrames: pick(1, 2, 5, 15, 60),
    txUsecs: pick(0, 3, 28),
    txFrames: pick(1, 4, 30),
    rxUsecsIrq: pick(0, 1, 3, 40),
    rxFramesIrq: pick(1, 1, 2, 5, 31),
    txUsecsIrq: pick(0, 2, 40),
    txFramesIrq: pick(1, 2, 2, 9, 60),
    rxvlan: fc.boolean(),
    adaptiveRx: pick(false, false, true),
    cqeModeRx: pick(false, false, true),
    chip: pick<'p4' | 'p5'>('p4', 'p5'),
    affinity: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
    program: pick(...PROGRAM_NAMES),
    traffic: traffic(least, most),
    wireNs: pick(10, 100, 300),
  });

const timing: fc.Arbitrary<Case['timing']> = fc.record({
  rxDmaNs: pick(0, 100, 300, 700),
  rxDmaSlotNs: pick(0, 2, 50, 100),
  txFetchNs: pick(0, 100, 900),
  txCompleteNs: pick(0, 100, 400, 2000),
  msixNs: pick(0, 100, 500),
});

const generalCase: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(1_000_000),
  cpus: fc.integer({ min: 1, max: 4 }),
  budget: pick(1, 3, 8, 64, 64, 256),
  netdevBudget: pick(4, 64, 300),
  hz: pick(100, 1000),
  unitNs: pick(0, 0, 50, 100),
  timing,
  txQueueSlotNs: pick(0, 0, 30, 250),
  nics: fc.tuple(nic(50, 600), nic(0, 200)),
  pausesNs: fc.array(fc.nat(60_000), { maxLength: 2 }),
  sampleNs: pick(0, 0, 300, 5000),
  answerEvery: pick(0, 0, 1, 3),
  lanes: pick(0, 0, 1, 8),
  foreign: pick(false, false, true),
  sleeps: pick(false, false, true),
});

/** Several CPUs that send on one slow wire, from rings that keep running empty. */
export const contendedCase: fc.Arbitrary<Case> = fc
  .tuple(generalCase, pick(1, 2, 3, 8), pick(1, 40, 100, 300), pick(100, 200, 400), fc.boolean())
  .map(([c, budget, wireNs, gapNs, sharedOut]) => ({
    ...c,
    cpus: Math.max(c.cpus, 2),
    budget,
    timing: { ...c.timing, txFetchNs: c.timing.txFetchNs % 900 },
    nics: c.nics.map((n, i) => ({
      ...n,
      queues: Math.max(n.queues, 2),
      rxRing: 150,
      txRing: 255,
      affinity: [0, 1, 2, 3],
      rxFrames: Math.min(n.rxFrames, 5),
      program: i === 0 ? 'redirect' : sharedOut ? 'echo' : 'pass',
      wireNs,
      traffic: { ...n.traffic, gapNs, flows: 16, count: Math.min(n.traffic.count, 200) },
    })),
  }));

/** Many interrupts, so that DIM decides several times, on CPUs that are ahead of each other. */
export const moderatedCase: fc.Arbitrary<Case> = fc
  .tuple(generalCase, pick(400, 1000, 2500), pick(1, 2, 4))
  .map(([c, gapNs, queues]) => ({
    ...c,
    nics: c.nics.map((n) => ({
      ...n,
      queues,
      rxRing: 150,
      rxUsecs: 0,
      rxFrames: 1,
      adaptiveRx: true,
      traffic: { ...n.traffic, gapNs, flows: 5, count: 800 },
    })),
  }));

/**
 * NAPIs that are polled by timers, threads and applications instead of, or beside, their interrupts;
 * the application on the other end of the stack competes with them for a CPU.
 */
export const regimeCase: fc.Arbitrary<Case> = fc
  .tuple(
    generalCase,
    fc.record<CaseNapi>({
      groFlushTimeoutNs: pick(0, 2000, 20_000, 200_000),
      deferHardIrqs: pick(0, 1, 2, 100),
      irqSuspendTimeoutNs: pick(0, 100_000),
      threadCpus: fc.oneof(fc.constant([]), fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })),
    }),
    fc.record<CaseApp>({
      kind: pick<CaseApp['kind']>('sink', 'echo', 'server'),
      cpu: fc.nat(3),
      wanders: fc.boolean(),
      threads: pick(1, 1, 2, 4),
      busyPollUsecs: pick(0, 5, 50, 200),
      preferBusyPoll: fc.boolean(),
    }),
    fc.array(fc.nat(3), { maxLength: 2 }),
    pick<ProgramName>('pass', 'none', 'mixed', 'redirect'),
  )
  .map(([c, napi, app, rps, program]) => ({
    ...c,
    app,
    nics: c.nics.map((n, i) => ({
      ...n,
      napi,
      rps,
      program: i === 0 ? program : n.program,
      rxRing: Math.max(n.rxRing, 33),
      txRing: Math.max(n.txRing, 40),
      traffic: { ...n.traffic, gapNs: Math.max(n.traffic.gapNs, 100) },
    })),
  }));

export const anyCase: fc.Arbitrary<Case> = fc.oneof(
  { weight: 4, arbitrary: generalCase },
  { weight: 1, arbitrary: contendedCase },
);

/**
 * One queue, and faults by which rings are reset: the control path comes into running traffic.
 *
 * One queue, because a fault point counts passages, and those of several queues have no one order.
 */
export const faultyCase: fc.Arbitrary<Case> = fc
  .tuple(
    anyCase,
    pick('rxCmpOutOfOrder', 'rxCmpBuffer', 'rxCmpCrc', 'irqLost', 'pageAlloc', 'skbAlloc'),
    fc.nat(50),
    pick(1, 2, 3, 10, Infinity),
  )
  .map(([c, point, after, every]) => ({
    ...c,
    nics: c.nics.map((n, i) => ({
      ...n,
      queues: 1,
      traffic: { ...n.traffic, count: i === 0 ? n.traffic.count : 0 },
    })),
    fault: { point, after, every },
  }));

/** The nearest multiple of the case's unit. */
export const onGrid = (c: Case, ns: number): number =>
  c.unitNs === 0 ? ns : Math.round(ns / c.unitNs) * c.unitNs;

const mapTiming = (c: Case): NicTiming => ({
  rxDmaNs: onGrid(c, c.timing.rxDmaNs),
  rxDmaSlotNs: onGrid(c, c.timing.rxDmaSlotNs),
  txFetchNs: onGrid(c, c.timing.txFetchNs),
  txQueueSlotNs: onGrid(c, c.txQueueSlotNs ?? 0),
  txCompleteNs: onGrid(c, c.timing.txCompleteNs),
  msixNs: onGrid(c, c.timing.msixNs),
});

/** A buffer of some twenty short frames. */
const pcieOf = ({ lanes = 0 }: Case): PcieSpec | null =>
  lanes === 0
    ? null
    : {
        ...{ generation: 1, lanes, maxPayload: 128, maxRead: 512, rxBufferBytes: 1500 },
        ...{ rxDescriptorBytes: 16, rxDescriptorsPerRead: 4 },
        ...{ rxCompletionBytes: 32, rxCompletionsPerWrite: 1 },
        ...{ txDescriptorBytes: 16, txDescriptorsPerRead: 4 },
        ...{ txCompletionBytes: 16, txCompletionsPerWrite: 1, packetsPerTxCompletion: 1 },
        ...{ rxRegisterWrites: 0, rxRegisterReads: 0, txRegisterWrites: 0, txRegisterReads: 0 },
      };

const idleStatesOf = (c: Case): readonly IdleState[] =>
  c.sleeps === true
    ? [
        { exitNs: onGrid(c, 200), residencyNs: 100 },
        { exitNs: onGrid(c, 1500), residencyNs: 800 },
        { exitNs: onGrid(c, 20_000), residencyNs: 5000 },
      ]
    : [];

/** Coarse costs are 0, 1 or 2 units, a hard interrupt up to 6. */
function profileOf(c: Case): CostProfile {
  const nicTiming = mapTiming(c);
  const moderation = c.foreign === true ? { mostFrames: 65_535, dimStart: 1 } : null;
  const base = { ...FLAT, pcie: pcieOf(c), moderation, idleStates: idleStatesOf(c) };
  if (c.unitNs === 0) return { ...base, nic: nicTiming };
  const rng = new Rng(c.seed + 1);
  const costs = FLAT.costs.map((entry, op) => ({
    ...entry,
    ns: c.unitNs * (op === 0 ? rng.below(7) : rng.below(3)),
  }));
  // time must pass in a busy loop
  if (c.app !== undefined) costs[OP_NAPI_POLL] = { ...costs[OP_NAPI_POLL]!, ns: c.unitNs };
  return { ...base, costs, nic: nicTiming };
}

/** 84 bytes in so many nanoseconds. */
const bpsOf = (wireNs: number): number => Math.round((84 * 8 * 1e9) / wireNs);

function nicConfig(c: Case, n: CaseNic, i: number): NicConfig {
  return {
    name: `eth${i}`,
    mac: macOf(i),
    queues: n.queues,
    rxRing: n.rxRing,
    txRing: n.txRing,
    mtu: 1500,
    linkBps: bpsOf(c.unitNs === 0 ? n.wireNs : Math.max(c.unitNs, onGrid(c, n.wireNs))),
    rxUsecs: n.rxUsecs,
    rxFrames: n.rxFrames,
    txUsecs: n.txUsecs,
    txFrames: n.txFrames,
    rxUsecsIrq: n.rxUsecsIrq,
    rxFramesIrq: n.rxFramesIrq,
    txUsecsIrq: n.txUsecsIrq,
    txFramesIrq: n.txFramesIrq,
    rxvlan: n.rxvlan,
    adaptiveRx: n.adaptiveRx,
    cqeModeRx: n.cqeModeRx,
    chip: n.chip,
    promisc: false,
    irqAffinity: n.affinity.map((cpu) => cpu % c.cpus),
    rps: (n.rps ?? []).map((cpu) => cpu % c.cpus),
    ...(n.napi === undefined
      ? {}
      : { napi: { ...n.napi, threadCpus: n.napi.threadCpus.map((cpu) => cpu % c.cpus) } }),
  };
}

/** MAC address of NIC number `i`. */
export const macOf = (i: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, i + 1);

const appOf = ({ cpu, wanders, ...app }: CaseApp, cpus: number): AppConfig => ({
  ...APP_DEFAULTS,
  ...app,
  udp: PORT,
  cpu: cpu % cpus,
  cpus: wanders ? Array.from({ length: cpus }, (_, i) => (cpu + i) % cpus) : [],
});

export const machineConfig = (c: Case): MachineConfig => ({
  seed: c.seed,
  cpus: c.cpus,
  hz: c.hz,
  budget: c.budget,
  netdevBudget: c.netdevBudget,
  profile: profileOf(c),
  nics: c.nics.map((n, i) => nicConfig(c, n, i)),
  stack: true,
  ...(c.app === undefined ? {} : { inet: { apps: [appOf(c.app, c.cpus)] } }),
  check: false,
  eager: false,
  ...((c.sampleNs ?? 0) > 0 ? { samplePs: c.sampleNs! * PS_PER_NS } : {}),
});
