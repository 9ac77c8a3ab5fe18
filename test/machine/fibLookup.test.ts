/** What `bpf_fib_lookup` tells, as Linux 6.18 told a program with the same addresses and routes. */
import { expect, test } from 'vitest';
import { parseRoute } from '../../src/lab/routes.ts';
import { bpfFibLookup } from '../../src/stack/bpfFibLookup.ts';
import { formatIpv4, parseIpv4Addr } from '../../src/wire/ipv4.ts';
import { InetRig } from './inetRig.ts';

const ROUTES = [
  '10.5.0.0/16 via 10.0.1.254 dev eth1',
  '10.5.7.0/24 via 10.0.0.254 dev eth0',
  'blackhole 10.8.0.0/16',
];
const DIRECT = 1;
const OUTPUT = 2;
const TBID = 8;

/** The answer, the device and the next hop. */
function ask(dst: string, nic: number, flags: number, tbid: number = 0): [number, string, string] {
  const routes = ROUTES.map((text) => parseRoute('route', text));
  const { machine } = new InetRig([], { second: {}, inet: { ipForward: true, routes } });
  const { net } = machine;
  const { view } = net.mem;
  const at = machine.xdp.bpf.stackTop - 64;
  net.mem.fill(at, 64, 0);
  view.setUint8(at, 2);
  view.setUint32(at + 8, machine.nics[nic]!.bp.dev.ifindex, true);
  view.setUint32(at + 32, parseIpv4Addr(dst));
  view.setUint32(at + 48, tbid, true);
  const rc = bpfFibLookup(net, at, flags, machine.cpus[0]!);
  const dev = net.devGetByIndex(view.getUint32(at + 8, true))!;
  if ((flags & TBID) !== 0) expect(view.getUint32(at + 48, true)).toBe(0);
  return [rc, dev.name, formatIpv4(view.getUint32(at + 32))];
}

test.each<[string, nic: number, flags: number, answer: [number, string, string]]>([
  ['10.5.1.1', 0, 0, [0, 'eth1', '10.0.1.254']],
  ['10.5.7.1', 1, 0, [0, 'eth0', '10.0.0.254']],
  ['10.8.1.1', 0, 0, [1, 'eth0', '10.8.1.1']],
  ['10.0.1.1', 0, 0, [4, 'eth0', '10.0.1.1']],
  ['10.0.1.77', 0, 0, [7, 'eth1', '10.0.1.77']],
  ['10.5.1.1', 0, OUTPUT, [0, 'eth0', '10.0.0.254']],
  ['10.5.7.1', 1, OUTPUT, [0, 'eth1', '10.0.1.254']],
  ['10.9.9.9', 1, OUTPUT, [4, 'eth1', '10.9.9.9']],
  ['10.8.1.1', 1, OUTPUT, [1, 'eth1', '10.8.1.1']],
  ['10.0.1.1', 0, OUTPUT, [0, 'eth0', '10.0.0.254']],
  ['10.0.1.255', 0, OUTPUT, [0, 'eth0', '10.0.0.254']],
  ['10.0.1.255', 1, OUTPUT, [4, 'eth1', '10.0.1.255']],
  ['127.0.0.1', 0, OUTPUT, [0, 'eth0', '10.0.0.254']],
  ['10.0.0.1', 0, DIRECT, [4, 'eth0', '10.0.0.1']],
  ['127.0.0.1', 0, DIRECT, [4, 'eth0', '127.0.0.1']],
  ['10.0.1.1', 1, DIRECT | OUTPUT, [4, 'eth1', '10.0.1.1']],
])('%s from NIC %i with flags %i', (dst, nic, flags, answer) => {
  expect(ask(dst, nic, flags)).toEqual(answer);
});

test.each<[number, number]>([
  [0, 0],
  [254, 0],
  [255, 0],
  [253, 4],
  [100, 4],
])('table %i', (tbid, rc) => {
  expect(ask('10.5.1.1', 0, DIRECT | TBID, tbid)[0]).toBe(rc);
  expect(ask('127.0.0.1', 0, DIRECT | TBID, tbid)[0]).toBe(4);
});

// what Linux's bpf_ipv6_fib_lookup says on a machine that forwards no IPv6
test.each<[string, src: number, dst: number[], ifindex: number, number]>([
  ['somebody', 0x2001_0db8, [0x2001_0db8, 0, 0, 9], 1, 5],
  ['somebody, through nothing', 0x2001_0db8, [0x2001_0db8, 0, 0, 9], 99, -19],
  ['a group, through nothing', 0x2001_0db8, [0xff02_0000, 0, 0, 1], 99, 4],
  ['a link', 0x2001_0db8, [0xfe80_0000, 0, 0, 9], 1, 4],
  ['loopback', 0x2001_0db8, [0, 0, 0, 1], 1, 4],
  ['somebody, from a link', 0xfe80_0000, [0x2001_0db8, 0, 0, 9], 1, 4],
])('IPv6: %s', (_, src, dst, ifindex, answer) => {
  const { machine } = new InetRig([], { inet: { ipForward: true } });
  const { view } = machine.mem;
  const at = machine.xdp.bpf.stackTop - 64;
  machine.mem.fill(at, 64, 0);
  view.setUint8(at, 10);
  view.setUint32(at + 8, ifindex === 1 ? machine.nics[0]!.bp.dev.ifindex : ifindex, true);
  view.setUint32(at + 16, src);
  dst.forEach((word, i) => view.setUint32(at + 32 + 4 * i, word));
  expect(bpfFibLookup(machine.net, at, 0, machine.cpus[0]!)).toBe(answer);
});
