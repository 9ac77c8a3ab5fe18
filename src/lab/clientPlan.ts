/** Closed-loop clients as the options describe them. */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME, PS_PER_US } from '../host/clock.ts';
import type { MachineConfig } from '../machine.ts';
import type { ClientsConfig } from '../machine/clients.ts';
import { clientsBytes } from '../machine/clients.ts';
import { VALUE_MOST_BYTES } from '../machine/memcachedValues.ts';
import { defaultAddresses } from '../machine/inetConfig.ts';
import { parseSize } from '../wire/quantities.ts';
import { parseCidr4 } from './addresses.ts';
import type { OfferShape } from './flowShares.ts';
import { OptionError } from './options.ts';
import type { RunOptions } from './optionSchema.ts';

const DEFAULT_REQUESTS = 100_000;
const DEFAULT_CABLE_PS: Ps = 5 * PS_PER_US;
const DEFAULT_PORT = 9;
const FCS_LEN = 4;
const SMALLEST = 64;
/** Ethernet header and FCS, beside what the MTU counts. */
const AROUND_MTU = 18;

const us = (ps: Ps): string => `${ps / PS_PER_US} µs`;

export interface ClientPlan {
  /** In words, for the report. */
  readonly says: string;
  readonly offer: OfferShape;
  readonly frameBytes: number;
  config(machine: MachineConfig): ClientsConfig;
}

/** @returns null where the load is an open loop. @throws OptionError */
export function clientPlan(options: RunOptions): ClientPlan | null {
  const { clients } = options;
  if (clients === undefined) return null;
  const {
    think = 0,
    clientDelay = 0,
    clientUpdates = 0,
    clientAck,
    cable = DEFAULT_CABLE_PS,
    duration = END_OF_TIME,
  } = options;
  const requests = options.count ?? (options.duration === undefined ? DEFAULT_REQUESTS : Infinity);
  const size = requestSize(options);
  const port = options.apps[0]?.udp ?? DEFAULT_PORT;
  const [dstIp] =
    options.nics[0]?.addr === undefined
      ? [defaultAddresses(0).addr]
      : parseCidr4(options.nics[0].addr);
  return {
    says: `${clients} clients of UDP port ${port}, size=${size}, thinking ${us(think)}, ${us(cable)} away`,
    offer: { flows: clients, topFlowPct: 100 / clients, taggedPct: 0 },
    frameBytes: clientsBytes(clients, options.nics[0]?.mtu ?? options.mtu),
    config: ({ nics }) => {
      const mac = nics[0]!.mac;
      const view = new DataView(mac.buffer, mac.byteOffset);
      return {
        clients,
        thinkPs: think,
        cablePs: cable,
        delayPs: clientDelay,
        requestBytes: size - FCS_LEN,
        port,
        updatesPct: clientUpdates,
        ackPort: clientAck ?? null,
        dstMac: { hi16: view.getUint16(0), lo32: view.getUint32(2) },
        dstIp,
        requests,
        untilPs: duration,
      };
    },
  };
}

function requestSize({ size, mtu, nics, clientUpdates = 0 }: RunOptions): number {
  const longest = (nics[0]?.mtu ?? mtu) + AROUND_MTU;
  const most = clientUpdates === 0 ? longest : longest - VALUE_MOST_BYTES;
  if (most < SMALLEST)
    throw new OptionError(
      `--client-updates: a request with a value of ${VALUE_MOST_BYTES} bytes needs an MTU of at least ` +
        `${SMALLEST + VALUE_MOST_BYTES - AROUND_MTU}`,
    );
  if (size === undefined) return SMALLEST;
  const spec = parseSize('--size', size);
  if (spec.kind !== 'fixed')
    throw new OptionError(`--size: ${size} is no one size, as requests have`);
  if (spec.bytes > most)
    throw new OptionError(`--size: ${size} is out of range (${SMALLEST} to ${most} bytes)`);
  return spec.bytes;
}
