/** What the kernel's tools would print, held against what the real ones printed (test/vectors/tools). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { END_OF_TIME } from '../../src/host/clock.ts';
import { XDP_PASS } from '../../src/xdp/uapi.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { devGetStats } from '../../src/stack/netdevice.ts';
import { buildFrame } from '../../src/wire/build.ts';
import { InetRig, MY_MAC, PEER_MAC, frame4, udpTo } from './inetRig.ts';
import { oneNic } from './oneNic.ts';

const recorded = (name: string): string =>
  readFileSync(new URL(`../vectors/tools/${name}.txt`, import.meta.url), 'utf8');

const pass = defineXdp(() => XDP_PASS, { name: 'pass' });

function shownAfter(count: number) {
  const machine = oneNic({
    xdp: pass,
    count,
    nic: { queues: 2, irqAffinity: [0, 1], txRing: 255, rxUsecs: 7 },
    machine: { cpus: 2 },
  });
  machine.run(END_OF_TIME);
  return machine;
}

/** The output below one command. */
function output(text: string, command: string): string {
  const [, rest] = text.split(`$ ${command}\n`);
  return rest!.split('\n$ ')[0]!;
}

/** Labels and layout, values out. */
const form = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.replaceAll(/\b(eth|v)\d\b/g, 'DEV').replaceAll(/\b(n\/a|on|off|\d+)$/g, '#'),
    )
    .map((line) => line.replace(/RX: \w+( {2}TX: #)/, 'RX: #$1').replace(/RX: n\/a/, 'RX: #'));

describe('ethtool', () => {
  const text = shownAfter(10).show('ethtool');

  test.each([
    ['-c', 'ethtool-c'],
    ['-g', 'ethtool-g'],
    ['-l', 'ethtool-l'],
  ])('%s, line for line as the tool lays it out', (flag, file) => {
    expect(form(output(text, `ethtool ${flag} eth0`))).toEqual(form(recorded(file)));
  });

  test('-S begins and is indented as the tool does it', () => {
    const lines = output(text, 'ethtool -S eth0').split('\n');
    const real = recorded('ethtool-S').split('\n');
    expect(lines[0]).toBe(real[0]);
    const label = /^( {5})\S.*: \d+$/;
    expect(lines.slice(1, -1).every((line) => label.test(line))).toBe(true);
    expect(real.slice(1, -1).every((line) => label.test(line))).toBe(true);
    expect(lines).toContain('     rx_good_frames: 10');
  });

  test("the values set, and the driver's limits", () => {
    expect(output(text, 'ethtool -c eth0')).toContain('rx-usecs: 7\nrx-frames: 15\n');
    expect(output(text, 'ethtool -g eth0')).toContain('RX:\t\t8191\n');
    expect(output(text, 'ethtool -g eth0')).toContain('TX:\t\t255\n');
    expect(output(text, 'ethtool -l eth0')).toContain('Combined:\t2\n');
  });

  test('-x: eight entries a line, the key in hex', () => {
    const lines = output(text, 'ethtool -x eth0').split('\n');
    expect(lines[0]).toBe('RX flow hash indirection table for eth0 with 2 RX ring(s):');
    expect(lines[1]).toBe('    0:      0     1     0     1     0     1     0     1');
    expect(lines[16]).toBe('  120:      0     1     0     1     0     1     0     1');
    expect(lines[17]).toBe('RSS hash key:');
    expect(lines[18]).toMatch(/^([0-9a-f]{2}:){39}[0-9a-f]{2}$/);
  });
});

test('softnet_stat: fifteen columns of eight hex digits, a line for each CPU', () => {
  const machine = shownAfter(300);
  const lines = output(machine.show('softnet'), 'cat /proc/net/softnet_stat').trimEnd().split('\n');
  const columns = /^[0-9a-f]{8}( [0-9a-f]{8}){14}$/;
  const real = recorded('softnet_stat').trimEnd().split('\n');
  expect([...lines, ...real].every((line) => columns.test(line))).toBe(true);
  expect(lines.map((line) => line.split(' ')[12])).toEqual(real.map((line) => line.split(' ')[12]));
  expect(lines.reduce((sum, line) => sum + Number.parseInt(line, 16), 0)).toBe(300);
});

describe('ip -s link', () => {
  const widths = (line: string): number[] =>
    [...line.matchAll(/ +\S+/g)].map(([cell]) => cell.length);

  test('the columns stand where the tool puts them', () => {
    const lines = output(shownAfter(30).show('ip'), 'ip -s link show').split('\n');
    const real = recorded('ip-s-link').split('\n');
    expect(lines[2]).toBe(real[2]);
    expect(lines[4]).toBe(real[4]);
    expect(widths(lines[3]!)).toEqual(widths(real[3]!));
    expect(lines[1]).toBe('    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff');
    const head =
      /^\d+: \S+: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc \w+ state UP mode DEFAULT group default qlen 1000$/;
    expect(lines[0]).toMatch(head);
    expect(real[0]).toMatch(head);
    expect(lines[3]!.trim().split(/ +/).slice(0, 2)).toEqual(['1800', '30']);
  });

  test('wide numbers push their column, and its title, to the right', () => {
    const machine = shownAfter(1);
    const { dev } = machine.nics[0]!.bp;
    dev.netdevOps.ndoGetStats64 = (_, stats) => {
      stats.rxBytes = 123_456_789_012;
      stats.txPackets = 12_345_678;
    };
    const lines = output(machine.show('ip'), 'ip -s link show').split('\n');
    expect(lines.slice(2, 6)).toEqual([
      '    RX:    bytes  packets errors dropped  missed   mcast           ',
      '    123456789012        0      0       0       0       0 ',
      '    TX:    bytes  packets errors dropped carrier collsns           ',
      '               0 12345678      0       0       0       0 ',
    ]);
  });
});

test('napi: one entry for each instance, with its device', () => {
  const text = output(shownAfter(1).show('napi'), 'ynl --family netdev --dump napi-get');
  const ids = [...text.matchAll(/'id': (\d+), 'ifindex': 2/g)].map(([, id]) => Number(id));
  expect(ids).toHaveLength(4); // two queues, and with a program as many for the stack's rings
  expect(new Set(ids).size).toBe(4);
});

test('ip -s link: dropped is what no protocol takes, and what the driver had no memory for', () => {
  const unknown = buildFrame({
    dst: MY_MAC,
    src: PEER_MAC,
    net: { kind: 'raw', etherType: 0x88b5, payload: 46 },
  });
  const rig = new InetRig([unknown, frame4(udpTo(9)), frame4(udpTo(9))]);
  rig.machine.faults.arm('skbAlloc', 1);
  rig.run();
  const { dev } = rig.machine.nics[0]!.bp;
  const oom = rig.machine.result().nics[0]!.ethtool.find(([n]) => n === 'rx_total_oom_discards');
  expect(oom![1]).toBe(1);
  expect(devGetStats(dev).rxDropped).toBe(2);
  expect(rig.machine.show('ip')).toMatch(/RX: .*dropped.*\n +\d+ +3 +0 +2 /);
});

test('nstat: what moved, as the tool writes it, IpExt where Linux has it', () => {
  const bad = frame4(udpTo(9));
  bad[24]! ^= 1; // IPv4's checksum
  const { machine } = new InetRig([frame4(udpTo(9)), bad, bad]).run();
  // printf "%-32s%-16llu%6.1f" of iproute2 6.1, the head of what it printed on Linux 6.18
  expect('IpInReceives                    55884              0.0').toMatch(NSTAT);
  const lines = machine.show('nstat').trimEnd().split('\n');
  expect(lines.slice(0, 3)).toEqual([
    '$ nstat',
    '#kernel',
    'IpInReceives                    3                  0.0',
  ]);
  expect(lines.slice(2).every((line) => NSTAT.test(line))).toBe(true);
  expect(lines.at(-1)).toBe('IpExtInCsumErrors               2                  0.0');
  expect(lines).toContain('UdpNoPorts                      1                  0.0');
});

const NSTAT = /^[A-Z][A-Za-z0-9]{1,31} *\d+ +\d+\.\d$/;
