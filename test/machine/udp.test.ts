import { describe, expect, test } from 'vitest';
import { PS_PER_US } from '../../src/host/clock.ts';
import { ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { checksumVerdict } from '../../src/wire/parse.ts';
import { BALANCED, InetRig, MY_IP, PEER_IP, app, frame4, frame6, udpTo } from './inetRig.ts';

const parsed = (bytes: Uint8Array): ParsedFrame => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new ParsedFrame();
  parseFrame(view, 0, bytes.length, out);
  checksumVerdict(view, 0, out);
  return out;
};

test('a sink on another CPU reads what arrives, and each datagram has arrived once', () => {
  const frames = Array.from({ length: 100 }, () => frame4(udpTo(9, 30)));
  const rig = new InetRig(frames, { apps: [app({ kind: 'sink', udp: 9, cpu: 1 })] }).run();
  const [sock] = rig.machine.result().sockets;
  expect(sock).toMatchObject({ received: 100, receivedBytes: 3000, unread: 0, drops: 0 });
  expect(rig.fates.toStack).toBe(100);
  expect(rig.snmp['Udp']).toMatchObject({ InDatagrams: 100, NoPorts: 0, InErrors: 0 });
  expect(rig.snmp['Ip']).toMatchObject({ InReceives: 100, InDelivers: 100 });
  expect(rig.machine.cpus[1]!.spent[4]).toBeGreaterThan(0); // the application's time
  expect(rig.books).toEqual(BALANCED);
});

test('an echo server sends each datagram back, addresses and ports exchanged, checksums right', () => {
  const payload = Uint8Array.from({ length: 700 }, (_, i) => (i * 7) & 0xff);
  const rig = new InetRig([frame4(udpTo(7, payload))], {
    apps: [app({ kind: 'echo', udp: 7, cpu: 1 })],
  }).run();
  expect(rig.sent.length).toBe(1);
  const { bytes } = rig.sent[0]!;
  const out = parsed(bytes);
  expect(out).toMatchObject({ srcPort: 7, dstPort: 4000, ipCsumOk: true, l4CsumOk: true });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  expect([view.getUint32(26), view.getUint32(30)]).toEqual([MY_IP, PEER_IP]);
  expect(bytes.subarray(42)).toEqual(payload);
  expect([...bytes.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 0xfe]); // the gateway's MAC
  expect(rig.snmp['Udp']).toMatchObject({ InDatagrams: 1, OutDatagrams: 1 });
  expect(rig.books).toEqual(BALANCED);
});

test('a server answers with its own bytes, a capture keeps what came, a callback replies', () => {
  const seen: string[] = [];
  const apps = [
    app({ kind: 'server', udp: 1, replyBytes: 5 }),
    app({ kind: 'capture', udp: 2, keep: 1 }),
    app({
      kind: 'callback',
      udp: 3,
      onDatagram: (d) => {
        seen.push(new TextDecoder().decode(d.bytes));
        d.reply(new TextEncoder().encode('pong'));
      },
    }),
  ];
  const text = new TextEncoder().encode('ping');
  const frames = [1, 2, 2, 3].map((port) => frame4(udpTo(port, text)));
  const rig = new InetRig(frames, { apps }).run();
  const payloads = rig.sent.map(({ bytes }) => bytes.subarray(42, 42 + parsed(bytes).payloadLen));
  expect(payloads.map((p) => p.length)).toEqual([5, 4]);
  expect(new TextDecoder().decode(payloads[1])).toBe('pong');
  expect(seen).toEqual(['ping']);
  const { captured } = rig.machine.apps[1]!;
  expect(captured.map(({ bytes, srcPort }) => [[...bytes], srcPort])).toEqual([[[...text], 4000]]);
  expect(rig.books).toEqual(BALANCED);
});

describe('a socket that is not read', () => {
  test('takes as many bytes of truesize as it may hold, and drops the rest by name', () => {
    const frames = Array.from({ length: 300 }, () => frame4(udpTo(9, 20)));
    const rig = new InetRig(frames, { apps: [app({ kind: 'sink', udp: 9, rcvbuf: 12_800 })] });
    rig.machine.apps[0]!.sock.reader = null; // nobody is woken
    rig.run();
    // a copied packet takes its slot of 1024 bytes and 256 for the sk_buff
    expect(rig.machine.result().sockets[0]).toMatchObject({
      unread: 10,
      drops: 290,
      rmemMax: 12_800,
    });
    expect(rig.lost).toEqual({ socketBufferFull: 290 });
    expect(rig.fates.toStack).toBe(10);
    expect(rig.snmp['Udp']).toMatchObject({ RcvbufErrors: 290, InErrors: 290, InDatagrams: 0 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('always takes one datagram, however large', () => {
    const rig = new InetRig([frame4(udpTo(9, 1400)), frame4(udpTo(9, 20))], {
      apps: [app({ kind: 'sink', udp: 9, rcvbuf: 1 })],
    });
    rig.machine.apps[0]!.sock.reader = null;
    expect(rig.run().lost).toEqual({ socketBufferFull: 1 });
    expect(rig.books).toEqual(BALANCED);
  });
});

describe('checksums', () => {
  const broken = (payload: number): Uint8Array => {
    const frame = frame4(udpTo(9, payload));
    frame[45]! ^= 0xff;
    return frame;
  };

  test('a short datagram that is wrong never reaches the socket', () => {
    const rig = new InetRig([broken(60)], { apps: [app({ kind: 'sink', udp: 9 })] }).run();
    expect(rig.lost).toEqual({ UDP_CSUM: 1 });
    expect(rig.snmp['Udp']).toMatchObject({ InCsumErrors: 1, InErrors: 1, InDatagrams: 0 });
    expect(rig.books).toEqual(BALANCED);
  });

  test('a long one is found out when it is read', () => {
    const rig = new InetRig([broken(600)], { apps: [app({ kind: 'sink', udp: 9 })] });
    rig.machine.apps[0]!.sock.reader = null;
    rig.run();
    expect(rig.lost).toEqual({});
    expect(rig.fates.toStack).toBe(1);
    const read = new InetRig([broken(600)], { apps: [app({ kind: 'sink', udp: 9 })] }).run();
    expect(read.lost).toEqual({ UDP_CSUM: 1 });
    expect(read.fates.toStack).toBe(0);
    expect(read.books).toEqual(BALANCED);
  });

  test('none at all is fine over IPv4', () => {
    const body = { kind: 'udp', srcPort: 1, dstPort: 9, noChecksum: true, payload: 900 } as const;
    const rig = new InetRig([frame4(body)], { apps: [app({ kind: 'sink', udp: 9 })] }).run();
    expect(rig.machine.result().sockets[0]!.received).toBe(1);
  });
});

test('nobody listens: a port unreachable that quotes the datagram, and NO_SOCKET', () => {
  const asked = frame4(udpTo(99, 20));
  const rig = new InetRig([asked]).run();
  expect(rig.lost).toEqual({ NO_SOCKET: 1 });
  expect(rig.snmp['Udp']).toMatchObject({ NoPorts: 1 });
  expect(rig.snmp['IcmpMsg']).toEqual({ OutType3: 1 });
  const { bytes } = rig.sent[0]!;
  expect([bytes[34], bytes[35]]).toEqual([3, 3]);
  expect(bytes.subarray(42, 42 + 48)).toEqual(asked.subarray(14, 14 + 48));
  expect(parsed(bytes).ipCsumOk).toBe(true);
});

test('port unreachables are limited: six to one host at once, then one a second', () => {
  const frames = Array.from({ length: 200 }, () => frame4(udpTo(99)));
  const rig = new InetRig(frames, { gap: 20_000 * PS_PER_US }).run(); // four seconds
  expect(rig.lost).toEqual({ NO_SOCKET: 200 });
  expect(rig.sent.length).toBe(6 + 3);
  expect(rig.snmp['Icmp']).toMatchObject({ OutMsgs: 9, OutRateLimitHost: 191 });
});

test('to many hosts: fifty at once, in all', () => {
  const frames = Array.from({ length: 80 }, (_, i) => frame4(udpTo(99), { src: PEER_IP + i }));
  const rig = new InetRig(frames).run();
  expect(rig.sent.length).toBe(50);
  expect(rig.snmp['Icmp']).toMatchObject({ OutRateLimitGlobal: 30 });
});

test('over IPv6 a datagram without a checksum is wrong, whether anybody listens or not', () => {
  const bare = (dstPort: number): Uint8Array =>
    frame6({ kind: 'udp', srcPort: 1, dstPort, noChecksum: true });
  const rig = new InetRig([bare(9), bare(99)], { apps: [app({ kind: 'sink', udp: 9 })] }).run();
  expect(rig.lost).toEqual({ UDP_CSUM: 1, NO_SOCKET: 1 });
  expect(rig.snmp['Udp6']).toMatchObject({ InCsumErrors: 2, InErrors: 2, NoPorts: 0 });
  expect(rig.sent).toEqual([]);
});
