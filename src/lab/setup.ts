/** From options to the machine they describe. */
import { PROFILES } from '../host/cost.ts';
import type { MachineConfig, NicConfig } from '../machine.ts';
import { parseMac } from '../wire/eth.ts';
import type { NicOptions, RunOptions } from './optionSchema.ts';
import { OptionError } from './options.ts';

/** Not options yet: bnxt's own TX coalescing. @linux bnxt_init_dflt_coal */
const TX_USECS = 28;
const TX_FRAMES = 30;
const BPS_PER_GBPS = 1e9;

/** @throws OptionError when two NICs cannot live beside each other */
export function machineConfig(options: RunOptions): MachineConfig {
  const nics = options.nics.map((nic, i) => nicConfig(options, nic, i));
  refuseTwins(nics);
  return {
    seed: options.seed,
    cpus: options.cpus,
    hz: options.hz,
    budget: options.budget,
    netdevBudget: options.netdevBudget,
    ...(options.netdevBudgetUsecs === undefined
      ? {}
      : { netdevBudgetUsecs: options.netdevBudgetUsecs }),
    profile: PROFILES.find(({ name }) => name === options.profile)!,
    nics,
    stack: options.stack,
    check: options.check,
    eager: options.eager,
  };
}

function nicConfig(options: RunOptions, nic: NicOptions, index: number): NicConfig {
  const allCpus = Array.from({ length: options.cpus }, (_, cpu) => cpu);
  return {
    name: nic.name ?? `eth${index}`,
    mac: nic.mac === undefined ? defaultMac(index) : macBytes(nic.mac),
    queues: nic.queues ?? options.queues,
    rxRing: nic.rxRing ?? options.rxRing,
    txRing: nic.txRing ?? options.txRing,
    mtu: nic.mtu ?? options.mtu,
    linkBps: Math.round((nic.link ?? options.link) * BPS_PER_GBPS),
    rxUsecs: nic.rxUsecs ?? options.rxUsecs,
    rxFrames: nic.rxFrames ?? options.rxFrames,
    txUsecs: TX_USECS,
    txFrames: TX_FRAMES,
    rxvlan: nic.rxvlan ?? options.rxvlan ?? options.in === undefined,
    promisc: index === 0 && options.in !== undefined,
    irqAffinity: nic.irqAffinity ?? options.irqAffinity ?? allCpus,
  };
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

function refuseTwins(nics: readonly NicConfig[]): void {
  const seen = new Set<string>();
  for (const { name } of nics) {
    if (seen.has(name)) throw new OptionError(`nics: two NICs are called ${name}`);
    seen.add(name);
  }
}
