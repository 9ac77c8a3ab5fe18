/** From options to the machine they describe. */
import type { CostProfile } from '../host/profile.ts';
import { FLAT } from '../host/profiles.ts';
import type { MachineConfig, NicConfig } from '../machine.ts';
import type { InetConfig } from '../machine/inetConfig.ts';
import { defaultAddresses } from '../machine/inetConfig.ts';
import type { NicSteering } from '../machine/config.ts';
import { parseMac } from '../wire/eth.ts';
import { parseCidr4, parseCidr6 } from './addresses.ts';
import { appConfig } from './appOptions.ts';
import { nicNapi } from './napiOptions.ts';
import { kebab } from './optionNames.ts';
import type { NicOptions, RunOptions } from './optionSchema.ts';
import { OptionError } from './options.ts';

const BPS_PER_GBPS = 1e9;

/** @throws OptionError when two NICs cannot live beside each other */
export function machineConfig(options: RunOptions, profile: CostProfile = FLAT): MachineConfig {
  const nics = options.nics.map((nic, i) => nicConfig(options, nic, i));
  refuseFrames(nics, profile);
  if (profile.moderation !== null) refuseGathering(nics, profile.name);
  return {
    seed: options.seed,
    cpus: options.cpus,
    hz: options.hz,
    budget: options.budget,
    netdevBudget: options.netdevBudget,
    ...(options.netdevBudgetUsecs === undefined
      ? {}
      : { netdevBudgetUsecs: options.netdevBudgetUsecs }),
    profile,
    nics,
    stack: options.stack,
    ...(options.stack ? { inet: inetConfig(options) } : {}),
    ...(options.tcDrop === undefined ? {} : { tcDrop: options.tcDrop }),
    ...(options.rawDrop === undefined ? {} : { rawDrop: options.rawDrop }),
    check: options.check,
    breakdown: options.breakdown,
    eager: options.eager,
    stages: options.stages,
    samplePs: options.sample,
  };
}

/** What bnxt's driver takes for `rx-frames`, which is a poll. */
const BNXT_MOST_FRAMES = 64;

function refuseFrames(nics: readonly NicConfig[], { name, moderation }: CostProfile): void {
  const most = moderation?.mostFrames ?? BNXT_MOST_FRAMES;
  for (const { rxFrames } of nics) {
    if (rxFrames > most)
      throw new OptionError(
        `--rx-frames: ${rxFrames} is out of range (1 to ${most} with --profile ${name})`,
      );
  }
}

const IRQ_DEFAULTS = { rxUsecsIrq: 1, rxFramesIrq: 1, txUsecsIrq: 2, txFramesIrq: 2 };

/** Only bnxt gathers completions while an interrupt is served; of others nothing else can be set. */
function refuseGathering(nics: readonly NicConfig[], profile: string): void {
  for (const nic of nics) {
    for (const [key, fallback] of Object.entries(IRQ_DEFAULTS)) {
      const value = nic[key as keyof typeof IRQ_DEFAULTS];
      if (value !== undefined && value !== fallback)
        throw new OptionError(
          `--${kebab(key)}: ${value} is out of range ` +
            `(${fallback} with --profile ${profile}, whose NIC gathers no completions)`,
        );
    }
  }
}

function nicConfig(options: RunOptions, nic: NicOptions, index: number): NicConfig {
  const allCpus = Array.from({ length: options.cpus }, (_, cpu) => cpu);
  const irqAffinity = nic.irqAffinity ?? options.irqAffinity ?? allCpus;
  return {
    name: nic.name ?? `eth${index}`,
    mac: nic.mac === undefined ? defaultMac(index) : macBytes(nic.mac),
    chip: nic.chip ?? options.chip,
    queues: nic.queues ?? options.queues,
    rxRing: nic.rxRing ?? options.rxRing,
    txRing: nic.txRing ?? options.txRing,
    mtu: nic.mtu ?? options.mtu,
    linkBps: Math.round((nic.link ?? options.link) * BPS_PER_GBPS),
    rxUsecs: nic.rxUsecs ?? options.rxUsecs,
    rxFrames: nic.rxFrames ?? options.rxFrames,
    rxUsecsIrq: nic.rxUsecsIrq ?? options.rxUsecsIrq,
    rxFramesIrq: nic.rxFramesIrq ?? options.rxFramesIrq,
    txUsecs: nic.txUsecs ?? options.txUsecs,
    txFrames: nic.txFrames ?? options.txFrames,
    txUsecsIrq: nic.txUsecsIrq ?? options.txUsecsIrq,
    txFramesIrq: nic.txFramesIrq ?? options.txFramesIrq,
    adaptiveRx: nic.adaptiveRx ?? options.adaptiveRx,
    cqeModeRx: nic.cqeModeRx ?? options.cqeModeRx,
    cqeModeTx: nic.cqeModeTx ?? options.cqeModeTx,
    rxvlan: nic.rxvlan ?? options.rxvlan ?? options.in === undefined,
    promisc: index === 0 && options.in !== undefined,
    rps: nic.rps ?? options.rps ?? [],
    irqAffinity,
    napi: nicNapi(options, nic, irqAffinity),
    ...(index === 0 ? { steering: steeringOf(options) } : {}),
  };
}

function inetConfig(options: RunOptions): InetConfig {
  const run = {
    ...options,
    appCpu: options.appCpu ?? options.cpus - 1,
    appCpus: options.appCpus ?? [],
  };
  return {
    ipForward: options.ipForward,
    rpFilter: options.rpFilter,
    routes: options.route ?? [],
    neighbours: options.neigh ?? [],
    apps: options.apps.map((app) => appConfig(app, run)),
    addresses: options.nics.map(({ addr, addr6 }, i) => {
      const own = defaultAddresses(i);
      const [addr4, prefixLen] = addr === undefined ? [own.addr, own.prefixLen] : parseCidr4(addr);
      const [words, prefixLen6] =
        addr6 === undefined ? [own.addr6, own.prefixLen6] : parseCidr6(addr6);
      return { addr: addr4, prefixLen, addr6: words, prefixLen6 };
    }),
  };
}

function steeringOf({ rssKey, rssEqual, rssIndir, rxFlowHash, ntuple }: RunOptions): NicSteering {
  const equal =
    rssEqual === undefined ? undefined : Array.from({ length: rssEqual }, (_, ring) => ring);
  return { rssKey, rssIndir: rssIndir ?? equal, flowHash: rxFlowHash ?? [], ntuple: ntuple ?? [] };
}

/** 02:00:00:00:00:01 for the first NIC, and so on. */
const defaultMac = (index: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, index + 1);

function macBytes(text: string): Uint8Array {
  const { hi16, lo32 } = parseMac(text);
  const bytes = new DataView(new ArrayBuffer(6));
  bytes.setUint16(0, hi16);
  bytes.setUint32(2, lo32);
  return new Uint8Array(bytes.buffer);
}
