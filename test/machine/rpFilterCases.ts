/** Frames from and to all kinds of addresses: what Linux's reverse path filter made of them is in `test/vectors/rpFilter.json`. */
import { buildFrame } from '../../src/wire/build.ts';
import { frame4, PEER_MAC, udpTo } from './inetRig.ts';

/** All come in at eth0; the routes are those of `forwardCases.ts`. */
const SOURCES: readonly string[] = [
  '10.0.0.77', // on the link
  '198.51.100.7', // behind the default gateway, there
  '10.4.0.5', // behind a router there
  '10.0.1.77', // on the other link
  '10.5.1.1', // behind a router there
  '10.9.0.1', // unreachable
  '10.8.0.1', // a black hole
  '10.7.0.1', // prohibited
  '10.6.0.1', // no route
  '10.0.0.1', // ours
  '10.0.1.1', // ours, on the other link
  '10.0.0.255', // everybody on the link
  '10.0.1.255', // everybody on the other
  '10.0.0.0',
  '0.0.0.0',
  '127.0.0.1',
  '127.1.2.3',
  '127.255.255.255',
  '224.0.0.5',
  '255.255.255.255',
];
const DESTINATIONS: readonly string[] = [
  '10.0.0.1', // ours
  '10.0.1.1', // ours, on the other link
  '10.0.0.255', // everybody on the link
  '255.255.255.255',
  '224.0.0.1',
  '10.0.1.9', // through, on the other link
  '10.5.1.1', // through, behind a router
  '203.0.113.5', // back out of eth0, by the default gateway
  '10.0.0.9', // back out of eth0
  '10.9.0.1', // unreachable
  '10.6.0.1', // no route
];

const ip = (text: string): number =>
  text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

export const RP_FILTER_CASES: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  SOURCES.flatMap((src) =>
    DESTINATIONS.map((dst) => [
      `${src} > ${dst}`,
      frame4(udpTo(9), { src: ip(src), dst: ip(dst), ttl: 33 }),
    ]),
  ),
);

/** Who asks by ARP for one of our addresses must be where he says, too. */
export const RP_FILTER_QUESTIONS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  SOURCES.flatMap((src) =>
    DESTINATIONS.slice(0, 2).map((dst) => [
      `${src} asks for ${dst}`,
      buildFrame({
        dst: { hi16: 0xffff, lo32: 0xffff_ffff },
        src: PEER_MAC,
        net: { kind: 'arp', senderMac: PEER_MAC, senderIp: ip(src), targetIp: ip(dst) },
      }),
    ]),
  ),
);
