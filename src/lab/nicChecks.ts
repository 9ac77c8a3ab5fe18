/** What the name or address of a NIC may not be: another's, the generator's, or nobody's; and where routes lead. */
import { defaultAddresses } from '../machine/inetConfig.ts';
import type { WrongEntry } from '../machine/routeConfig.ts';
import { planRoutes, wrongNeigh } from '../machine/routeConfig.ts';
import { parseMac } from '../wire/eth.ts';
import { parseCidr4, parseCidr6 } from './addresses.ts';
import type { NicOptions, RunOptions } from './optionSchema.ts';

type AddressKey = 'name' | 'mac' | 'addr' | 'addr6';

/** Of each kind, as text that is equal where the addresses are. */
const CANONICAL: Readonly<Record<AddressKey, (nic: NicOptions, index: number) => string>> = {
  name: ({ name }, i) => name ?? `eth${i}`,
  mac: ({ mac }, i) => {
    const { hi16, lo32 } = mac === undefined ? { hi16: 0x0200, lo32: i + 1 } : parseMac(mac);
    return `${hi16}:${lo32}`;
  },
  addr: ({ addr }, i) => `${addr === undefined ? defaultAddresses(i).addr : parseCidr4(addr)[0]}`,
  addr6: ({ addr6 }, i) =>
    (addr6 === undefined ? defaultAddresses(i).addr6 : parseCidr6(addr6)[0]).join(':'),
};
/** The other end of the wire, which the default route leads through. */
const GENERATOR: NicOptions = {
  name: '',
  mac: '02:00:00:00:00:fe',
  addr: '10.0.0.254',
  addr6: 'fd00::fe',
};

/**
 * An address that a NIC was given, and what is wrong with it; null when nothing is. Of NICs that
 * agree in one the first to have been given it is named.
 */
export function wrongNicAddress(
  nics: readonly NicOptions[],
): { readonly nic: number; readonly key: AddressKey; readonly why: string } | null {
  for (const key of Object.keys(CANONICAL) as AddressKey[]) {
    const canonical = CANONICAL[key];
    const all = nics.map(canonical);
    for (const [nic, options] of nics.entries()) {
      const given = options[key];
      if (given === undefined) continue;
      const other = all.findIndex((address, i) => i !== nic && address === all[nic]);
      if (other >= 0) return { nic, key, why: `${given} is also NIC ${other}'s` };
      if (all[nic] === canonical(GENERATOR, 0))
        return { nic, key, why: `${given} is the generator's, at the other end of the wire` };
      if (key === 'addr' && isSubnetOrBroadcast(given))
        return { nic, key, why: `${given} is its subnet's own or broadcast address` };
    }
  }
  return null;
}

function isSubnetOrBroadcast(text: string): boolean {
  const [addr, prefixLen] = parseCidr4(text);
  if (prefixLen >= 31) return false;
  const host = addr & (prefixLen === 0 ? -1 : 2 ** (32 - prefixLen) - 1);
  return host === 0 || host >>> 0 === 2 ** (32 - prefixLen) - 1;
}

/** A route or a neighbour that Linux refuses on a machine with these NICs; null when there is none. */
export function wrongRoute(
  options: Pick<RunOptions, 'nics' | 'route' | 'neigh'>,
): (WrongEntry & { readonly key: 'route' | 'neigh' }) | null {
  const links = options.nics.map((nic, i) => {
    const own = defaultAddresses(i);
    const [addr, prefixLen] =
      nic.addr === undefined ? [own.addr, own.prefixLen] : parseCidr4(nic.addr);
    return { name: CANONICAL.name(nic, i), addr, prefixLen };
  });
  const route = planRoutes(options.route ?? [], links).wrong;
  if (route !== null) return { key: 'route', ...route };
  const neigh = wrongNeigh(options.neigh ?? [], links);
  return neigh === null ? null : { key: 'neigh', ...neigh };
}
