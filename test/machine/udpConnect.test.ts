/** Connected sockets: whom they hear, and which ICMP errors reach them. */
import { describe, expect, test } from 'vitest';
import { In6Addr } from '../../src/stack/in6.ts';
import type { UdpSock } from '../../src/stack/udpSock.ts';
import { udpSend, udpSendmsg, udpv6Sendmsg } from '../../src/stack/udpSend.ts';
import { UdpMsg, udpConnect, udpRecvmsg, udpv6Connect } from '../../src/stack/udpUser.ts';
import { csumFold, csumIpv6Nofold, csumPartial } from '../../src/wire/checksum.ts';
import {
  BALANCED,
  InetRig,
  MY_IP,
  MY_IP6,
  PEER_IP,
  PEER_IP6,
  app,
  frame4,
  frame6,
  udpTo,
} from './inetRig.ts';

const PORT = 5000;
const peer6 = new In6Addr(0x2001_0db8, 0, 0, 9);

/** An error about a datagram from our port 5000 to the peer's port 4000. */
function icmpError(type: number, code: number, toPort = 4000): Uint8Array {
  const payload = new Uint8Array(36);
  const view = new DataView(payload.buffer);
  view.setUint16(0, (type << 8) | code);
  view.setUint8(8, 0x45);
  view.setUint8(8 + 9, 17);
  view.setUint32(8 + 12, MY_IP);
  view.setUint32(8 + 16, PEER_IP);
  view.setUint16(28, PORT);
  view.setUint16(30, toPort);
  view.setUint16(2, csumFold(csumPartial(view, 0, payload.length, 0)));
  return frame4({ kind: 'bytes', proto: 1, payload });
}

function icmp6Error(type: number, code: number): Uint8Array {
  const payload = new Uint8Array(56);
  const view = new DataView(payload.buffer);
  view.setUint16(0, (type << 8) | code);
  view.setUint8(8, 0x60);
  view.setUint8(8 + 6, 17);
  payload.set(MY_IP6, 16);
  payload.set(PEER_IP6, 32);
  view.setUint16(48, PORT);
  view.setUint16(50, 4000);
  const frame = frame6({ kind: 'bytes', proto: 58, payload });
  const whole = new DataView(frame.buffer);
  const sum = csumPartial(whole, 54, payload.length, 0);
  whole.setUint16(56, csumFold(csumIpv6Nofold(whole, 22, payload.length, 58, sum)));
  return frame;
}

/** A machine that the frames reach after its socket on port 5000 is connected, or not. */
function run(frames: readonly Uint8Array[], connect: 4 | 6 | 0): [InetRig, UdpSock] {
  const rig = new InetRig(frames);
  rig.machine.open();
  const inet = rig.machine.net.inet!;
  const sock = inet.udp.bind(PORT, 0, 65_536) as UdpSock;
  if (connect === 4) expect(udpConnect(sock, inet, PEER_IP, 4000)).toBe(0);
  const { dev } = rig.machine.nics[0]!.bp;
  if (connect === 6) expect(udpv6Connect(sock, inet, peer6, 4000, dev)).toBe(0);
  rig.run();
  return [rig, sock];
}

/** SO_ERROR of Linux 6.18 by code (1, 3, 4, 10 and 13 measured). @linux icmp_err_convert; __udp4_lib_err for 4 */
const UNREACHABLE = [0, 0, 92, 111, 90, 0, 101, 112, 64, 101, 113, 0, 0, 113, 113, 113];

test.each([...UNREACHABLE.entries()])('unreachable, code %i: errno %i', (code, errno) => {
  const [, sock] = run([icmpError(3, code)], 4);
  expect(sock.err).toBe(errno);
});

test.each([
  ['time exceeded', icmpError(11, 0), 0],
  ['a parameter problem', icmpError(12, 0), 71],
  ['about another peer', icmpError(3, 3, 4001), 0],
])('%s', (_, frame, errno) => {
  expect(run([frame], 4)[1].err).toBe(errno);
});

/** @linux icmpv6_err_convert */
test.each([
  [1, 0, 0],
  [1, 1, 13],
  [1, 3, 0],
  [1, 4, 111],
  [1, 5, 13],
  [1, 6, 13],
  [1, 7, 71],
  [2, 0, 90],
  [3, 0, 0],
  [4, 0, 71],
])('ICMPv6 type %i code %i: errno %i', (type, code, errno) => {
  expect(run([icmp6Error(type, code)], 6)[1].err).toBe(errno);
});

test('who is not connected hears nothing', () => {
  expect(run([icmpError(3, 3), icmp6Error(1, 4)], 0)[1].err).toBe(0);
});

test('the next call returns the error once, and a datagram that it kept from being sent is not', () => {
  const [rig, sock] = run([icmpError(3, 3)], 4);
  const inet = rig.machine.net.inet!;
  const [cpu] = rig.machine.cpus;
  const page = rig.machine.pages.alloc();
  const { dev } = rig.machine.nics[0]!.bp;
  expect(udpSend(sock, inet, page, 3, dev, cpu!)).toBe(-111);
  expect(udpRecvmsg(sock, inet, page, 10, new UdpMsg(), cpu!)).toBe(-11);
  expect(udpSend(sock, inet, page, 3, dev, cpu!)).toBe(3);
  expect(rig.snmp['Udp']).toMatchObject({ OutDatagrams: 1 });
  rig.machine.pages.release(page);
});

test('a connected socket hears its peer alone', () => {
  const other = frame4({ ...udpTo(PORT), srcPort: 4001 } as ReturnType<typeof udpTo>);
  const frames = [frame4(udpTo(PORT)), other, frame6(udpTo(PORT))];
  expect(run(frames, 4)[1].receiveQueue.qlen).toBe(1);
  expect(run(frames, 6)[1].receiveQueue.qlen).toBe(1);
  expect(run(frames, 0)[1].receiveQueue.qlen).toBe(3);
  const [rig] = run(frames, 4);
  expect(rig.lost).toEqual({ NO_SOCKET: 2 });
});

describe('what a send returns', () => {
  const [rig, sock] = run([], 0);
  const inet = rig.machine.net.inet!;
  const [cpu] = rig.machine.cpus;
  const { dev } = rig.machine.nics[0]!.bp;
  const to = (daddr: number, port: number, len = 1): number =>
    udpSendmsg(sock, inet, 0, len, daddr, port, cpu!);

  test.each([
    ['to port 0', () => to(PEER_IP, 0), -22],
    ["to its subnet's broadcast address", () => to(0x0a00_00ff, 9), -13],
    ['to everybody', () => to(0xffff_ffff, 9), -13],
    ['to a group', () => to(0xe000_0001, 9), -101],
    ['too much', () => to(PEER_IP, 9, 65_508), -90],
    ['to nobody', () => udpSend(sock, inet, 0, 1, dev, cpu!), -89],
  ])('%s', (_, send, errno) => {
    expect(send()).toBe(errno);
  });

  test('over IPv6, too much and to port 0', () => {
    expect(udpv6Sendmsg(sock, inet, 0, 65_528, peer6, 9, dev, cpu!)).toBe(-90);
    expect(udpv6Sendmsg(sock, inet, 0, 1, peer6, 0, dev, cpu!)).toBe(-22);
  });

  test('to an IPv4 address in IPv6 form, and it is IPv4 that is sent', () => {
    const mapped = new In6Addr(0, 0, 0xffff, PEER_IP);
    const before = rig.sent.length;
    expect(udpv6Sendmsg(sock, inet, rig.machine.pages.alloc(), 1, mapped, 9, dev, cpu!)).toBe(1);
    rig.run();
    expect(rig.sent.slice(before).map(({ bytes }) => [bytes[12], bytes[13]])).toEqual([[8, 0]]);
  });
});

test('a queue that refuses counts, and the sender hears nothing of it', () => {
  const [rig, sock] = run([], 0);
  const inet = rig.machine.net.inet!;
  const [cpu] = rig.machine.cpus;
  const page = rig.machine.pages.alloc();
  rig.machine.nics[0]!.bp.dev.txQueueLen = 2;
  const sent = 600; // more than the ring of 511 and a queue of two hold
  for (let i = 0; i < sent; i++) expect(udpSendmsg(sock, inet, page, 1, PEER_IP, 9, cpu!)).toBe(1);
  const { OutDatagrams, SndbufErrors } = rig.snmp['Udp']!;
  expect(OutDatagrams! + SndbufErrors!).toBe(sent);
  expect(SndbufErrors).toBeGreaterThan(0);
  expect(rig.snmp['Ip']).toMatchObject({ OutDiscards: SndbufErrors, OutRequests: sent });
  rig.run();
  expect(rig.sent.length).toBe(OutDatagrams);
  rig.machine.pages.release(page);
  expect(rig.books).toEqual(BALANCED);
});

test('an application hears of the error, and goes on reading', () => {
  const errors: number[] = [];
  const connected = app({
    ...{ kind: 'sink', udp: PORT },
    connect: { version: 4, addr: [0, 0, 0, PEER_IP], port: 4000 },
    onError: (errno) => errors.push(errno),
  });
  const rig = new InetRig([icmpError(3, 3), frame4(udpTo(PORT))], { apps: [connected] }).run();
  expect(errors).toEqual([111]);
  expect(rig.machine.result().sockets[0]).toMatchObject({ recvErrors: 1, received: 1 });
});
