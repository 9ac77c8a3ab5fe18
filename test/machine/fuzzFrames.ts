/** Frames of every kind a wire can bring, right and wrong, from a seeded stream. */
import type { Rng } from '../../src/host/rng.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { FrameSpec } from '../../src/wire/build.ts';
import type { BodySpec } from '../../src/wire/buildIp.ts';
import type { MacAddr } from '../../src/wire/eth.ts';

/** Longest frame that is offered: more than any MTU of these machines. */
const LONGEST = 9600;
const BROADCAST: MacAddr = { hi16: 0xffff, lo32: 0xffff_ffff };
const MULTICAST: MacAddr = { hi16: 0x0100, lo32: 0x5e00_0001 };
const STRANGER: MacAddr = { hi16: 0x0600, lo32: 0x99 };
const PEER: MacAddr = { hi16: 0x0200, lo32: 0xfe };

export const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.below(from.length)]!;

/** @param nic number of the NIC that most of them are addressed to */
export function fuzzFrame(rng: Rng, nic: number): Uint8Array {
  const frame = rng.below(8) === 0 ? garbage(rng, nic) : buildFrame(spec(rng, nic));
  const kind = rng.below(10);
  if (kind === 0) return frame.subarray(0, rng.below(frame.length + 1));
  if (kind === 1) for (let n = 0; n < 4; n++) frame[rng.below(frame.length)] = rng.below(256);
  return frame;
}

const own = (nic: number): MacAddr => ({ hi16: 0x0200, lo32: nic + 1 });

function garbage(rng: Rng, nic: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 1 + lengthOf(rng) }, () => rng.below(256));
  if (rng.below(4) > 0) bytes.set([2, 0, 0, 0, 0, nic + 1].slice(0, bytes.length));
  return bytes;
}

function lengthOf(rng: Rng): number {
  const most = pick(rng, [20, 64, 100, 300, 1600, 4000, LONGEST]);
  return rng.below(most);
}

function spec(rng: Rng, nic: number): FrameSpec {
  const me = own(nic);
  const dst = pick(rng, [me, me, me, me, me, me, BROADCAST, MULTICAST, STRANGER]);
  const tags = Array.from({ length: pick(rng, [0, 0, 0, 1, 1, 2, 3]) }, () => ({
    vid: rng.below(4096),
    pcp: rng.below(8),
    tpid: pick(rng, [0x8100, 0x88a8]),
  }));
  return { dst, src: PEER, tags, net: netOf(rng) };
}

function netOf(rng: Rng): FrameSpec['net'] {
  const ip = (): number => 0x0a00_0000 + rng.below(64);
  switch (rng.below(6)) {
    case 0:
      return { kind: 'arp', senderMac: PEER, senderIp: ip(), targetIp: ip() };
    case 1:
      return { kind: 'raw', etherType: rng.below(65536), payload: lengthOf(rng) };
    case 2:
    case 3: {
      const address = (): Uint8Array => Uint8Array.from({ length: 16 }, () => rng.below(256));
      return { kind: 'ipv6', src: address(), dst: address(), body: body(rng) };
    }
    default: {
      const fragment = rng.below(6) === 0 ? { fragOffsetBytes: 8, moreFragments: true } : {};
      return { kind: 'ipv4', src: ip(), dst: ip(), body: body(rng), ...fragment };
    }
  }
}

function body(rng: Rng): BodySpec {
  const payload = lengthOf(rng);
  const port = (): number => 1000 + rng.below(50);
  switch (rng.below(4)) {
    case 0:
      return { kind: 'tcp', srcPort: port(), dstPort: port(), payload };
    case 1:
      return { kind: 'echo', id: rng.below(65536), payload };
    case 2:
      return {
        kind: 'ipv4',
        src: 1,
        dst: 2,
        body: { kind: 'udp', srcPort: port(), dstPort: port(), payload },
      };
    default:
      return { kind: 'udp', srcPort: port(), dstPort: port(), payload };
  }
}
