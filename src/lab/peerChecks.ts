/** Whom a socket cannot be connected to: the machine itself, since it has no loopback device, and many. */
import type { UdpPeer } from '../machine/inetConfig.ts';
import { defaultAddresses, peerText } from '../machine/inetConfig.ts';
import { parseCidr4, parseCidr6 } from './addresses.ts';
import type { NicOptions } from './optionSchema.ts';

/** Why `connect` refuses this peer, with the name of its error; null when it does not. */
export function unreachable(peer: UdpPeer, nics: readonly NicOptions[]): string | null {
  const why = peer.version === 4 ? unreachable4(peer.addr[3], nics) : unreachable6(peer.addr, nics);
  return why === null ? null : `${peerText(peer)} cannot be reached: ${why}`;
}

const OWN = "it is the machine's own, which has no loopback device (EHOSTUNREACH)";
const MANY = 'it is nobody or many (ENETUNREACH)';
const BROADCAST = 'it is a broadcast address (EACCES)';

function unreachable4(addr: number, nics: readonly NicOptions[]): string | null {
  if (addr === 0 || addr >>> 28 === 0xe) return MANY;
  if (addr >>> 24 === 127) return OWN;
  if (addr === 0xffff_ffff) return BROADCAST;
  for (const [i, nic] of nics.entries()) {
    const [own, len] = nic.addr === undefined ? defaults4(i) : parseCidr4(nic.addr);
    if (addr === own) return OWN;
    const hosts = 2 ** (32 - len);
    const network = addr - (addr % hosts) === own - (own % hosts);
    if (network && len < 31 && addr % hosts === hosts - 1) return BROADCAST;
  }
  return null;
}

function defaults4(nic: number): readonly [addr: number, prefixLen: number] {
  const { addr, prefixLen } = defaultAddresses(nic);
  return [addr, prefixLen];
}

function unreachable6(addr: UdpPeer['addr'], nics: readonly NicOptions[]): string | null {
  if (addr.every((word) => word === 0) || addr[0] >>> 24 === 0xff) return MANY;
  const text = addr.join();
  const own = nics.some(
    ({ addr6 }, i) =>
      (addr6 === undefined ? defaultAddresses(i).addr6 : parseCidr6(addr6)[0]).join() === text,
  );
  return own ? OWN : null;
}
