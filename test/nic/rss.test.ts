/**
 * Receive-side scaling.
 *
 * @spec Microsoft, RSS hashing types and "Verifying the RSS hash calculation": addresses, ports
 * and results as published there.
 */
import { describe, expect, test } from 'vitest';
import { LOST_NTUPLE_DROP } from '../../src/host/fates.ts';
import { RX_CMP_FLAGS_RSS_VALID, rxCmpFlags, rxCmpRssHash } from '../../src/nic/hsi/rxCmp.ts';
import { STANDARD_HASH_KEY, toeplitz } from '../../src/nic/rss.ts';
import { parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { frame, udp } from './frames.ts';
import type { Rig } from './rig.ts';
import { RX_NS, nicRig } from './rig.ts';

const ip4 = (text: string): number =>
  text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
const ip4Bytes = (text: string): number[] => text.split('.').map(Number);
const portBytes = (port: number): number[] => [port >> 8, port & 255];

const IPV4 = [
  ['66.9.149.187', 2794, '161.142.100.80', 1766, 0x323e8fc2, 0x51ccc178],
  ['199.92.111.2', 14230, '65.69.140.83', 4739, 0xd718262a, 0xc626b0ea],
  ['24.19.198.95', 12898, '12.22.207.184', 38024, 0xd2d0a5de, 0x5c2b394a],
  ['38.27.205.30', 48228, '209.142.163.6', 2217, 0x82989176, 0xafc7327f],
  ['153.39.163.191', 44251, '202.188.127.2', 1303, 0x5d1809c5, 0x10e828a2],
] as const;

const IPV6 = [
  ['3ffe:2501:200:1fff::7', 2794, '3ffe:2501:200:3::1', 1766, 0x2cc18cd5, 0x40207d3d],
  ['3ffe:501:8::260:97ff:fe40:efab', 14230, 'ff02::1', 4739, 0x0f0c461c, 0xdde51bbf],
  [
    ...(['3ffe:1900:4545:3:200:f8ff:fe21:67cf', 44251] as const),
    ...(['fe80::200:f8ff:fe21:67cf', 38024, 0x4b61e985, 0x02d1feef] as const),
  ],
] as const;

describe('the verification suite', () => {
  test.each(IPV4)('IPv4 %s:%i to %s:%i', (src, srcPort, dst, dstPort, l3, l4) => {
    const addresses = [...ip4Bytes(src), ...ip4Bytes(dst)];
    const ports = [...portBytes(srcPort), ...portBytes(dstPort)];
    expect(toeplitz(STANDARD_HASH_KEY, Uint8Array.from(addresses))).toBe(l3);
    expect(toeplitz(STANDARD_HASH_KEY, Uint8Array.from([...addresses, ...ports]))).toBe(l4);
  });

  test.each(IPV6)('IPv6 %s:%i to %s:%i', (src, srcPort, dst, dstPort, l3, l4) => {
    const addresses = [...parseIpv6Addr(src), ...parseIpv6Addr(dst)];
    const ports = [...portBytes(srcPort), ...portBytes(dstPort)];
    expect(toeplitz(STANDARD_HASH_KEY, Uint8Array.from(addresses))).toBe(l3);
    expect(toeplitz(STANDARD_HASH_KEY, Uint8Array.from([...addresses, ...ports]))).toBe(l4);
  });
});

/** The completion of one frame. */
function receive(rig: Rig, bytes: Uint8Array, queue = 0) {
  rig.arrive([[1000, bytes]]);
  rig.post(1, queue);
  rig.at(1000 + RX_NS);
  const [found] = rig.poll(queue);
  if (found === undefined) return null;
  const { words } = rig.mem;
  return {
    hash: rxCmpRssHash(words, found.at),
    valid: (rxCmpFlags(words, found.at) & RX_CMP_FLAGS_RSS_VALID) !== 0,
  };
}

describe('in the completion', () => {
  test.each(IPV4)('TCP %s:%i to %s:%i', (src, srcPort, dst, dstPort, l3, l4) => {
    const net = { kind: 'ipv4', src: ip4(src), dst: ip4(dst) } as const;
    const tcp = frame({ ...net, body: { kind: 'tcp', srcPort, dstPort } });
    expect(receive(nicRig({ pace: 'lazy' }), tcp)).toEqual({ hash: l4, valid: true });
    // without its ports where the type is not enabled, or the frame has none
    const addressesOnly = nicRig({ pace: 'lazy', rss: { hashType: 1 } });
    expect(receive(addressesOnly, tcp)).toEqual({ hash: l3, valid: true });
    const icmp = frame({ ...net, body: { kind: 'echo' } });
    expect(receive(nicRig({ pace: 'lazy' }), icmp)).toEqual({ hash: l3, valid: true });
  });

  test.each(IPV6)('UDP over IPv6 %s:%i to %s:%i', (src, srcPort, dst, dstPort, l3, l4) => {
    const ends = { src: parseIpv6Addr(src), dst: parseIpv6Addr(dst) };
    const bytes = frame({ kind: 'ipv6', ...ends, body: { kind: 'udp', srcPort, dstPort } });
    expect(receive(nicRig({ pace: 'lazy' }), bytes)).toEqual({ hash: l4, valid: true });
    const tcpPortsOnly = nicRig({ pace: 'lazy', rss: { hashType: (1 << 3) | (1 << 4) } });
    expect(receive(tcpPortsOnly, bytes)).toEqual({ hash: l3, valid: true });
  });

  test('fragments are hashed by their addresses: a flow stays on one queue', () => {
    const [src, srcPort, dst, dstPort, l3] = IPV4[0];
    const net = { kind: 'ipv4', src: ip4(src), dst: ip4(dst) } as const;
    const first = frame({ ...net, moreFragments: true, body: { kind: 'udp', srcPort, dstPort } });
    const later = frame({ ...net, fragOffsetBytes: 64, body: { kind: 'bytes', proto: 17 } });
    for (const bytes of [first, later]) {
      expect(receive(nicRig({ pace: 'lazy' }), bytes)).toEqual({ hash: l3, valid: true });
    }
  });

  test('what is not IP has no hash and goes to queue 0', () => {
    const arp = frame({ kind: 'arp', senderMac: { hi16: 2, lo32: 2 }, senderIp: 1, targetIp: 2 });
    expect(receive(nicRig({ pace: 'lazy', queues: 4 }), arp)).toEqual({ hash: 0, valid: false });
  });
});

describe('steering', () => {
  test('the low 7 bits of the hash choose an entry, and entry i is queue i modulo their number', () => {
    for (const [src, srcPort, dst, dstPort, , l4] of IPV4) {
      const net = { kind: 'ipv4', src: ip4(src), dst: ip4(dst) } as const;
      const tcp = frame({ ...net, body: { kind: 'tcp', srcPort, dstPort } });
      const wanted = (l4 % 128) % 3;
      for (const queue of [0, 1, 2]) {
        const got = receive(nicRig({ pace: 'lazy', queues: 3 }), tcp, queue);
        expect(got === null).toBe(queue !== wanted);
      }
    }
  });

  test('the table is used as it is set', () => {
    const rss = { ringTable: new Uint16Array(128).fill(2) };
    expect(receive(nicRig({ pace: 'lazy', queues: 4, rss }), udp(), 2)).not.toBeNull();
  });

  test('a rule beats RSS, and its removal gives the flow back', () => {
    const rss = { ringTable: new Uint16Array(128).fill(2) };
    const rule = { ethertype: 0x0800, ipProtocol: 17, dstPort: 9, dst: 1 } as const;
    const rig = nicRig({ pace: 'lazy', queues: 3, rss });
    const id = rig.hwrm.cfaNtupleFilterAlloc(rule, 0);
    rig.arrive([
      [1000, udp()],
      [1100, udp({ dstPort: 10 })],
      [9000, udp()],
    ]);
    for (const queue of [0, 1, 2]) rig.post(4, queue);
    rig.at(5000);
    expect([0, 1, 2].map((queue) => rig.poll(queue).length)).toEqual([0, 1, 1]);
    rig.hwrm.cfaNtupleFilterFree(id, rig.cpu.now);
    rig.at(10_000);
    expect([0, 1, 2].map((queue) => rig.poll(queue).length)).toEqual([0, 0, 1]);
  });

  test.each([
    { name: 'source address', rule: { srcIpaddr: Uint8Array.of(10, 0, 0, 2) }, hit: true },
    { name: 'another source address', rule: { srcIpaddr: Uint8Array.of(10, 0, 0, 3) }, hit: false },
    { name: 'destination address', rule: { dstIpaddr: Uint8Array.of(10, 0, 0, 1) }, hit: true },
    { name: 'source port', rule: { srcPort: 7 }, hit: true },
    { name: 'another protocol', rule: { ipProtocol: 6 }, hit: false },
    { name: 'anything', rule: {}, hit: true },
  ])('a rule for $name', ({ rule, hit }) => {
    const rig = nicRig({ pace: 'lazy', queues: 2, rss: { ringTable: new Uint16Array(128) } });
    rig.hwrm.cfaNtupleFilterAlloc({ ethertype: 0x0800, ...rule, dst: 1 }, 0);
    expect(receive(rig, udp(), 1) !== null).toBe(hit);
  });

  test('a drop rule loses the frame in the NIC, under its own cause', () => {
    const rig = nicRig({ pace: 'lazy' });
    rig.hwrm.cfaNtupleFilterAlloc({ ethertype: 0x0800, dst: -1 }, 0);
    expect(receive(rig, udp())).toBeNull();
    rig.nic.settleAll(rig.cpu.now);
    expect(rig.fates().offered).toBe(1);
    expect(rig.fates().lost[LOST_NTUPLE_DROP]).toBe(1);
  });

  test('a key or table of the wrong size is refused', () => {
    const { hwrm } = nicRig({ pace: 'lazy' });
    const req = { hashType: 0, hashKey: STANDARD_HASH_KEY, ringTable: new Uint16Array(128) };
    const short = { ...req, hashKey: STANDARD_HASH_KEY.slice(1) };
    expect(() => hwrm.vnicRssCfg(short, 0)).toThrow(/39 bytes.*40 and 128 wanted/);
    const narrow = { ...req, ringTable: new Uint16Array(64) };
    expect(() => hwrm.vnicRssCfg(narrow, 0)).toThrow(/64 entries/);
  });
});
