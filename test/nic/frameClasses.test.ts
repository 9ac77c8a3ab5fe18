/**
 * What the NIC computes once per distinct frame equals what a full computation finds in the bytes
 * of each single frame, by a model of its own: a bit-by-bit Toeplitz over BigInt, and sums of
 * 16-bit words.
 */
import { expect, test } from 'vitest';
import { Rng } from '../../src/host/rng.ts';
import { RX_CMP_EXT_FIELDS, RX_CMP_FIELDS } from '../../src/nic/hsi/rxCmp.ts';
import { STANDARD_HASH_KEY } from '../../src/nic/rss.ts';
import { planTraffic, TrafficSource } from '../../src/wire/gen.ts';
import { Link, LinkFeed } from '../../src/wire/link.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';
import { fieldsAt } from './hsi/layout.ts';
import { nicRig } from './rig.ts';

const TCP = 6;
const UDP = 17;

const word = (bytes: Uint8Array, at: number): number => bytes[at]! * 256 + bytes[at + 1]!;

function toeplitzBits(input: Uint8Array): number {
  const bits = (bytes: Uint8Array): string =>
    [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('');
  const key = bits(STANDARD_HASH_KEY);
  let hash = 0n;
  [...bits(input)].forEach((bit, i) => {
    if (bit === '1') hash ^= BigInt(`0b${key.slice(i, i + 32)}`);
  });
  return Number(hash);
}

/** Ones' complement sum of all 16-bit words, folded: 0xffff over data with a right checksum. */
function onesSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

interface Found {
  readonly hash: number | null;
  readonly ipOk: boolean | null;
  readonly l4Ok: boolean | null;
  readonly itype: number;
  readonly tci: number | null;
}

/** IPv4 without options, or IPv6 without extensions, behind any tags. */
function fullComputation(frame: Uint8Array): Found {
  let at = 12;
  const tci = [0x8100, 0x88a8].includes(word(frame, at)) ? word(frame, at + 2) : null;
  while ([0x8100, 0x88a8].includes(word(frame, at))) at += 4;
  const type = word(frame, at);
  if (type !== 0x0800 && type !== 0x86dd)
    return { hash: null, ipOk: null, l4Ok: null, itype: 0, tci };
  const l3 = at + 2;
  const v4 = type === 0x0800;
  const l4 = l3 + (v4 ? 20 : 40);
  const proto = frame[v4 ? l3 + 9 : l3 + 6]!;
  const addresses = v4 ? frame.slice(l3 + 12, l3 + 20) : frame.slice(l3 + 8, l3 + 40);
  const l4Len = v4 ? word(frame, l3 + 2) - 20 : word(frame, l3 + 4);
  const hasPorts = proto === TCP || proto === UDP;
  const ports = hasPorts ? frame.slice(l4, l4 + 4) : new Uint8Array(0);
  const pseudo = [...addresses, 0, proto, l4Len >> 8, l4Len & 255];
  return {
    hash: toeplitzBits(Uint8Array.of(...addresses, ...ports)),
    ipOk: v4 ? onesSum([...frame.slice(l3, l4)]) === 0xffff : null,
    l4Ok: hasPorts ? onesSum([...pseudo, ...frame.slice(l4, l4 + l4Len)]) === 0xffff : null,
    itype: proto === TCP ? 2 : proto === UDP ? 3 : 1,
    tci,
  };
}

const MIXES = [
  'udp:3,tcp:3,udp6:2,tcp6:2,icmp:1,arp:1 size=imix flows=40 rate=1Mpps',
  'udp,tcp,udp6,tcp6 size=64 flows=500 pattern=zipf rate=1Mpps',
  'udp,tcp size=imix flows=12 vlan=100.200 rate=1Mpps',
  'udp6,icmp size=300 flows=7 vlan=9 rate=1Mpps',
];

test.each(MIXES)('hash, verdicts and type of every frame of: %s', (text) => {
  const rig = nicRig({ pace: 'lazy', rxMask: 1 << 4 });
  const plan = planTraffic({ ...parseTraffic(text), count: 600 });
  const source = new TrafficSource(plan, rig.frames, new Rng(5));
  breakSome(rig.mem.u8, rig.frames);
  rig.nic.port.offer(new LinkFeed(new Link(100e9), source));
  const seen = { frames: 0, hashes: new Set<number>(), wrong: 0 };
  for (let batch = 0; batch < 6; batch++) {
    const buffers = rig.post(100);
    rig.at((batch + 1) * 100_000 - 100); // the last of a hundred has arrived 900 ns ago
    rig.poll().forEach((found, i) => {
      const cmp = fieldsAt(rig.mem.words, found.at, RX_CMP_FIELDS);
      const ext = fieldsAt(rig.mem.words, found.ext, RX_CMP_EXT_FIELDS);
      const bytes = rig.mem.u8.slice(buffers[i], buffers[i]! + cmp['len']!);
      const full = fullComputation(bytes);
      expect([cmp['rssValid'], cmp['rssHash']]).toEqual(
        full.hash === null ? [0, 0] : [1, full.hash],
      );
      expect(cmp['itype']).toBe(full.itype);
      expect([ext['ipCsCalc'], ext['ipCsError']]).toEqual(verdict(full.ipOk));
      expect([ext['l4CsCalc'], ext['l4CsError']]).toEqual(verdict(full.l4Ok));
      seen.frames++;
      seen.hashes.add(cmp['rssHash']!);
      if (full.ipOk === false || full.l4Ok === false) seen.wrong++;
    });
    rig.acknowledge();
  }
  expect(seen.frames).toBe(600);
  expect(seen.hashes.size).toBeGreaterThan(5);
  expect(seen.wrong).toBeGreaterThan(0);
});

const verdict = (ok: boolean | null): [number, number] => [
  ok === null ? 0 : 1,
  ok === false ? 1 : 0,
];

/** The last payload byte of every third template is changed, so that checksums are wrong in some. */
function breakSome(
  u8: Uint8Array,
  frames: { at: Int32Array; len: Int32Array; count: number },
): void {
  for (let n = 0; n < frames.count; n += 3) u8[frames.at[n]! + frames.len[n]! - 1]! ^= 0xff;
}
