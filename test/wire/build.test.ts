import { describe, expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import { buildFrame, type FrameSpec } from '../../src/wire/build.ts';
import { parseMac } from '../../src/wire/eth.ts';
import { parseIpv4Addr } from '../../src/wire/ipv4.ts';
import { parseIpv6Addr } from '../../src/wire/ipv6Text.ts';
import { TCP_SYN } from '../../src/wire/tcp.ts';
import { exactView, toHex } from './bytes.ts';
import { mdns6, qinqArp, qinqUdp, tcpSyn } from './realFrames.ts';

const tail = (view: DataView, from: number): Uint8Array => new Uint8Array(view.buffer, from);
const built = (spec: FrameSpec): string => toHex(exactView(buildFrame(spec)));
const ends = { dst: parseMac('02:00:00:00:00:01'), src: parseMac('02:00:00:00:00:02') };
const udp4 = (payload?: Uint8Array | number): FrameSpec['net'] => ({
  kind: 'ipv4',
  src: 0x0a000002,
  dst: 0x0a000001,
  body: { kind: 'udp', srcPort: 1, dstPort: 2, ...(payload === undefined ? {} : { payload }) },
});

describe('the same facts give the bytes that a real stack sent', () => {
  test('TCP SYN with options', () => {
    const real = tcpSyn();
    const spec: FrameSpec = {
      dst: parseMac('00:11:22:33:44:66'),
      src: parseMac('00:11:22:33:44:55'),
      net: {
        kind: 'ipv4',
        src: parseIpv4Addr('192.168.1.11'),
        dst: parseIpv4Addr('209.87.249.18'),
        id: 0x9b28,
        dontFragment: true,
        body: {
          kind: 'tcp',
          srcPort: 33779,
          dstPort: 53,
          seq: 0x23fec80c,
          flags: TCP_SYN,
          window: 64240,
          options: tail(real, 14 + 20 + 20),
        },
      },
    };
    expect(built(spec)).toBe(toHex(real));
  });

  test('UDP behind two tags', () => {
    const real = qinqUdp();
    const spec: FrameSpec = {
      dst: parseMac('ff:ff:ff:ff:ff:ff'),
      src: parseMac('00:c0:e4:01:2c:ed'),
      tags: [{ vid: 13 }, { vid: 10 }],
      net: {
        kind: 'ipv4',
        src: parseIpv4Addr('172.19.51.37'),
        dst: parseIpv4Addr('172.19.51.63'),
        id: 0x4796,
        body: { kind: 'udp', srcPort: 47808, dstPort: 47808, payload: tail(real, 22 + 28) },
      },
    };
    expect(built(spec)).toBe(toHex(real));
  });

  test('UDP over IPv6', () => {
    const real = mdns6();
    const spec: FrameSpec = {
      dst: parseMac('33:33:00:00:00:fb'),
      src: parseMac('8a:3c:d6:e1:4d:c4'),
      net: {
        kind: 'ipv6',
        src: parseIpv6Addr('fd52:429e:c03c:8235:883c:d6ff:fee1:4dc4'),
        dst: parseIpv6Addr('ff02::fb'),
        flowLabel: 0x89071,
        hopLimit: 255,
        body: { kind: 'udp', srcPort: 5353, dstPort: 5353, payload: tail(real, 14 + 48) },
      },
    };
    expect(built(spec)).toBe(toHex(real));
  });

  test('ARP behind a service and a customer tag, padded', () => {
    const real = qinqArp();
    const spec: FrameSpec = {
      dst: parseMac('00:20:d2:5a:fb:3f'),
      src: parseMac('00:80:ea:81:88:63'),
      tags: [{ tpid: 0x88a8, vid: 200 }, { vid: 2001 }],
      net: {
        kind: 'arp',
        reply: true,
        senderMac: parseMac('00:80:ea:81:88:63'),
        senderIp: parseIpv4Addr('172.21.79.100'),
        targetMac: parseMac('00:20:d2:5a:fb:3f'),
        targetIp: parseIpv4Addr('172.21.79.97'),
      },
      frameLenBytes: 64,
    };
    expect(built(spec)).toBe(toHex(real));
  });
});

describe('length', () => {
  test('a frame is never shorter than 60 bytes; zeros pad it', () => {
    const frame = buildFrame({ ...ends, net: udp4(2) });
    expect(frame.length).toBe(60);
    expect(Array.from(frame.subarray(42))).toEqual([0, 1, ...new Uint8Array(16)]);
  });

  test('without a payload, the pattern fills the frame and the lengths say so', () => {
    const frame = buildFrame({ ...ends, net: udp4(), frameLenBytes: 1514 });
    const view = exactView(frame);
    expect(frame.length).toBe(1514);
    expect([view.getUint16(16), view.getUint16(38)]).toEqual([1500, 1480]);
    expect([frame[42], frame[42 + 255], frame[42 + 256], frame[1513]]).toEqual([
      0,
      255,
      0,
      1471 & 255,
    ]);
  });

  test.each([
    [59, udp4()],
    [65_558, udp4()],
    [60.5, udp4()],
    [100, udp4(59)],
  ])('a frame of %d bytes that cannot be is refused by name', (frameLenBytes, net) => {
    expect(() => buildFrame({ ...ends, net, frameLenBytes })).toThrow(RangeRefused);
    expect(() => buildFrame({ ...ends, net, frameLenBytes })).toThrow(/^frameLenBytes: /);
  });
});

describe('what cannot stand in a header is refused by name', () => {
  const ip = { kind: 'ipv4', src: 1, dst: 2 } as const;
  const udp = { kind: 'udp', srcPort: 1, dstPort: 2 } as const;
  const addr6 = new Uint8Array(16);
  test.each<[RegExp, FrameSpec['net']]>([
    [/^srcPort: 65536 .*0 to 65535/, { ...ip, body: { ...udp, srcPort: 65536 } }],
    [/^dstPort: -1 /, { ...ip, body: { kind: 'tcp', srcPort: 1, dstPort: -1 } }],
    [/^src: 4294967296 /, { ...ip, src: 2 ** 32, body: udp }],
    [/^ttl: 256 /, { ...ip, ttl: 256, body: udp }],
    [/^fragOffsetBytes/, { ...ip, fragOffsetBytes: 12, body: udp }],
    [/^options/, { ...ip, options: new Uint8Array(41), body: udp }],
    [/^IPv4 total length: 65536 /, { ...ip, body: { ...udp, payload: 65_508 } }],
    [/^dst, in bytes: 4 /, { kind: 'ipv6', src: addr6, dst: new Uint8Array(4), body: udp }],
    [/^flowLabel/, { kind: 'ipv6', src: addr6, dst: addr6, flowLabel: 2 ** 20, body: udp }],
  ])('%s', (message, net) => {
    expect(() => buildFrame({ ...ends, net })).toThrow(RangeRefused);
    expect(() => buildFrame({ ...ends, net })).toThrow(message);
  });

  test('tags: a VLAN above 4095, a priority above 7', () => {
    const net = udp4();
    expect(() => buildFrame({ ...ends, net, tags: [{ vid: 4096 }] })).toThrow(/^tags.vid: 4096/);
    expect(() => buildFrame({ ...ends, net, tags: [{ vid: 1, pcp: 8 }] })).toThrow(/^tags.pcp: 8/);
  });
});
