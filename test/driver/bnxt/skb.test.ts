import { describe, expect, test } from 'vitest';
import { CHECKSUM_NONE, CHECKSUM_UNNECESSARY } from '../../../src/stack/skbuff.ts';
import { NETIF_F_RXCSUM } from '../../../src/stack/netdevice.ts';
import { parseIpv6Addr } from '../../../src/wire/ipv6Text.ts';
import { XDP_PASS } from '../../../src/xdp/uapi.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, program, udpFrame, verdicts } from './rig.ts';

const HEADERS = 14 + 20 + 8;
const PASS = program(() => XDP_PASS);

function seen(frames: readonly Uint8Array[], options: RigOptions = {}): ReturnType<Rig['tap']> {
  const rig = new Rig(options);
  const skbs = rig.tap();
  rig.readyFrames(frames);
  rig.poll();
  expect(rig.leftOver()).toEqual(NOTHING);
  return skbs;
}

describe('copied or not', () => {
  test.each([
    [60, 'copied'],
    [256, 'copied'],
    [257, 'in its page'],
    [1514, 'in its page'],
  ])('with a program, %i bytes: %s', (len, how) => {
    const frame = udpFrame(len);
    const [skb] = seen([frame], { xdp: [PASS] });
    expect(skb!.bytes).toEqual([...frame]);
    expect(skb!.len).toBe(len - 14);
    expect(skb!.headFrag).toBe(false);
    if (how === 'copied') expect(skb).toMatchObject({ nrFrags: 0, dataLen: 0 });
    else {
      expect(skb).toMatchObject({ nrFrags: 1, dataLen: len - HEADERS });
      expect(skb!.linear).toEqual([...frame.subarray(0, HEADERS)]); // headers, as the NIC parsed them
    }
  });

  test.each([
    [256, false],
    [257, true],
    [1514, true],
  ])('without one, %i bytes: built over its buffer %s', (len, built) => {
    const frame = udpFrame(len);
    const [skb] = seen([frame]);
    expect(skb!.bytes).toEqual([...frame]);
    expect(skb).toMatchObject({ nrFrags: 0, headFrag: built });
  });

  test('truesize: a page frag counts as a page, a built head as its buffer', () => {
    const page = seen([udpFrame(1000)], { xdp: [PASS] })[0]!;
    const built = seen([udpFrame(1000)])[0]!;
    expect(page.truesize).toBe(1024 + 256 + 4096);
    expect(built.truesize).toBe(2112 + 256);
  });

  test('the copybreak counts what the program left of the packet', () => {
    const shrink = program((ctx) => (ctx.adjustTail(-44), XDP_PASS));
    const [skb] = seen([udpFrame(300)], { xdp: [shrink] });
    expect(skb).toMatchObject({ nrFrags: 0, len: 256 - 14 });
    expect(skb!.bytes).toEqual([...udpFrame(300).subarray(0, 256)]);
  });

  test('a program that moved the packet: the headers are parsed again, since the NIC saw others', () => {
    const push = program((ctx) => {
      ctx.adjustHead(-4); // a VLAN tag, pushed by hand
      ctx.copy(0, 4, 12);
      ctx.setU32(12, 0x8100_0005);
      return XDP_PASS;
    });
    const frame = udpFrame(600);
    const [skb] = seen([frame], { xdp: [push] });
    expect(skb!.linear.length).toBe(HEADERS); // the tag has been taken out in front of the taps
    expect(skb).toMatchObject({ vlanProto: 0x8100, vlanTci: 5 });
    expect(skb!.bytes).toEqual([...frame]);
  });

  test('a packet the NIC could not parse: the driver looks how long its headers are', () => {
    const raw = udpFrame(600, { net: { kind: 'raw', etherType: 0x88b5 } });
    const [skb] = seen([raw], { xdp: [PASS] });
    expect(skb!.linear).toEqual([...raw.subarray(0, 14)]);
    expect(skb!.bytes).toEqual([...raw]);
  });

  test('many in a row, sizes mixed: no packet shows bytes of another', () => {
    for (const options of [{}, { xdp: [PASS] }, { mtu: 700, xdp: [] }]) {
      const sizes = Array.from({ length: 60 }, (_, i) => 60 + ((i * 97) % 600));
      const frames = sizes.map((len, i) => {
        const frame = udpFrame(len);
        frame.fill(i + 1, HEADERS);
        return frame;
      });
      const skbs = seen(frames, options);
      expect(skbs.map((skb) => skb.bytes)).toEqual(frames.map((frame) => [...frame]));
    }
  });
});

/** Oddity 5 of the facts, as read: only `bnxt_copy_xdp` carries metadata over. */
describe('metadata of the program', () => {
  const withMeta = program((ctx) => {
    if (ctx.adjustMeta(-8) !== 0) return 0;
    ctx.setMetaU32(0, 0x11223344);
    ctx.setMetaU32(4, 0x55667788);
    return XDP_PASS;
  });

  test('reaches the skb of a packet that is copied', () => {
    const frame = udpFrame(256);
    const [skb] = seen([frame], { xdp: [withMeta] });
    expect(skb!.metaLen).toBe(8);
    expect(skb!.meta).toEqual([0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55]);
    expect(skb!.bytes).toEqual([...frame]);
  });

  test('does not reach that of a longer one', () => {
    const frame = udpFrame(257);
    const [skb] = seen([frame], { xdp: [withMeta] });
    expect(skb!.metaLen).toBe(0);
    expect(skb!.bytes).toEqual([...frame]);
  });

  test('metadata does not count for the copybreak', () => {
    expect(seen([udpFrame(256)], { xdp: [withMeta] })[0]).toMatchObject({ nrFrags: 0, metaLen: 8 });
  });
});

describe('what the completion says goes into the skb', () => {
  test('protocol, queue, and where the headers are', () => {
    const [skb] = seen([udpFrame(100)]);
    expect(skb).toMatchObject({ protocol: 0x0800, queueMapping: 1, len: 86 });
  });

  test.each<[string, Uint8Array, boolean]>([
    ['UDP', udpFrame(100), true],
    [
      'TCP',
      udpFrame(100, {
        net: { kind: 'ipv4', src: 1, dst: 2, body: { kind: 'tcp', srcPort: 5, dstPort: 6 } },
      }),
      true,
    ],
    [
      'ICMP',
      udpFrame(100, { net: { kind: 'ipv4', src: 1, dst: 2, body: { kind: 'echo' } } }),
      false,
    ],
    [
      'UDP over IPv6',
      udpFrame(100, {
        net: {
          kind: 'ipv6',
          src: parseIpv6Addr('fd00::1'),
          dst: parseIpv6Addr('fd00::2'),
          body: { kind: 'udp', srcPort: 1, dstPort: 2 },
        },
      }),
      true,
    ],
  ])('%s: a hash, of level 4: %j', (_name, frame, l4) => {
    const [skb] = seen([frame]);
    expect(skb!.hash).not.toBe(0);
    expect(skb!.l4Hash).toBe(l4);
  });

  test('a frame without IP has no hash', () => {
    const [skb] = seen([udpFrame(100, { net: { kind: 'raw', etherType: 0x88b5 } })]);
    expect(skb).toMatchObject({ hash: 0, l4Hash: false });
  });

  test('the tag the NIC took out', () => {
    const tagged = udpFrame(300, { tags: [{ vid: 77, pcp: 5 }] });
    const [skb] = seen([tagged]);
    expect(skb).toMatchObject({ vlanProto: 0x8100, vlanTci: (5 << 13) | 77, protocol: 0x0800 });
    expect(skb!.bytes).toEqual([...tagged.subarray(0, 12), ...tagged.subarray(16)]);
  });

  test('802.1ad too; the inner tag stays in the packet', () => {
    const [skb] = seen([udpFrame(100, { tags: [{ vid: 7, tpid: 0x88a8 }, { vid: 9 }] })]);
    expect(skb).toMatchObject({ vlanProto: 0x88a8, vlanTci: 7, protocol: 0x8100 });
  });

  test('with rxvlan off the tag is left to the stack, which takes it out in front of the taps', () => {
    const tagged = udpFrame(100, { tags: [{ vid: 77 }] });
    const [skb] = seen([tagged], { rxvlan: false });
    expect(skb).toMatchObject({ vlanProto: 0x8100, vlanTci: 77, protocol: 0x0800 });
    expect(skb!.bytes).toEqual([...udpFrame(96)]);
  });
});

const broken = (): Uint8Array => {
  const frame = udpFrame(100);
  frame[60]! ^= 0xff;
  return frame;
};

describe('checksums', () => {
  test('verified by the NIC: unnecessary, no level beyond the first', () => {
    expect(seen([udpFrame(100)])[0]).toMatchObject({
      ipSummed: CHECKSUM_UNNECESSARY,
      csumLevel: 0,
    });
  });

  test('wrong: counted, and passed up for the stack to see', () => {
    const rig = new Rig();
    const skbs = rig.tap();
    rig.readyFrames([udpFrame(100), broken(), broken()]);
    rig.poll();
    expect(skbs.map((skb) => skb.ipSummed)).toEqual([
      CHECKSUM_UNNECESSARY,
      CHECKSUM_NONE,
      CHECKSUM_NONE,
    ]);
    expect(rig.ethtool()).toMatchObject({
      '[0]: rx_l4_csum_errors': 2,
      rx_total_l4_csum_errors: 2,
    });
    expect(rig.lost()).toEqual({});
  });

  test('with rx-checksumming off nothing is believed and nothing counted', () => {
    const rig = new Rig();
    const skbs = rig.tap();
    rig.dev().features &= ~NETIF_F_RXCSUM;
    rig.readyFrames([udpFrame(100), broken()]);
    rig.poll();
    expect(skbs.map((skb) => skb.ipSummed)).toEqual([CHECKSUM_NONE, CHECKSUM_NONE]);
    expect(rig.ethtool()['[0]: rx_l4_csum_errors']).toBe(0);
  });

  test('a wrong IP header checksum leaves L4 as it is: no bit of bnxt says otherwise', () => {
    const frame = udpFrame(100);
    frame[24]! ^= 0xff; // the header checksum itself
    const [skb] = seen([frame]);
    expect(skb!.ipSummed).toBe(CHECKSUM_UNNECESSARY);
  });

  test('nothing to verify: none', () => {
    expect(seen([udpFrame(100, { net: { kind: 'raw', etherType: 0x88b5 } })])[0]!.ipSummed).toBe(
      CHECKSUM_NONE,
    );
  });
});

test('with the stack off packets end at its door: counted, and freed at once', () => {
  const rig = new Rig({ stack: false, xdp: [verdicts(XDP_PASS)] });
  const skbs = rig.tap();
  rig.readyFrames([udpFrame(100), udpFrame(1000)]);
  rig.poll();
  expect(skbs).toEqual([]);
  expect(rig.fates().toStack).toBe(2);
  expect(rig.leftOver()).toEqual(NOTHING);
});
