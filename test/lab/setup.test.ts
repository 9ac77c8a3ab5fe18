import { expect, test } from 'vitest';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import { readScenario } from '../../src/lab/scenario.ts';
import { machineConfig } from '../../src/lab/setup.ts';
import type { MachineConfig } from '../../src/machine.ts';

const configOf = (flags: Record<string, unknown>, yaml: string = 'seed: 1\n'): MachineConfig =>
  machineConfig(readOptions([readScenario('lab.yaml', yaml), fromFlags(flags)]));

test('two NICs of 100 Gb/s with addresses that count from 02:00:00:00:00:01', () => {
  const { nics } = configOf({});
  expect(nics.map(({ name, mac, linkBps }) => [name, [...mac], linkBps])).toEqual([
    ['eth0', [2, 0, 0, 0, 0, 1], 100_000_000_000],
    ['eth1', [2, 0, 0, 0, 0, 2], 100_000_000_000],
  ]);
});

test('rxvlan is on, but off when a capture is replayed, unless asked for', () => {
  expect(configOf({}).nics[0]?.rxvlan).toBe(true);
  expect(configOf({ in: 'a.pcap' }).nics[0]?.rxvlan).toBe(false);
  expect(configOf({ in: 'a.pcap', rxvlan: 'on' }).nics[0]?.rxvlan).toBe(true);
});

test('only the NIC that a capture is replayed into is promiscuous', () => {
  expect(configOf({}).nics.map(({ promisc }) => promisc)).toEqual([false, false]);
  expect(configOf({ in: 'a.pcap' }).nics.map(({ promisc }) => promisc)).toEqual([true, false]);
});

test('what a NIC of a scenario leaves out is what the run says', () => {
  const yaml = 'nics:\n  - mac: 02:00:00:00:00:aa\n    rx-ring: 255\n  - queues: 1\n';
  const [first, second] = configOf({ rxRing: '1023', queues: '8' }, yaml).nics;
  expect([...first!.mac]).toEqual([2, 0, 0, 0, 0, 0xaa]);
  expect([first?.rxRing, first?.queues]).toEqual([255, 8]);
  expect([second?.rxRing, second?.queues]).toEqual([1023, 1]);
});

test('interrupts go round all CPUs unless pinned', () => {
  expect(configOf({ cpus: '3' }).nics[0]?.irqAffinity).toEqual([0, 1, 2]);
  expect(configOf({ cpus: '3', irqAffinity: '2' }).nics[0]?.irqAffinity).toEqual([2]);
});

test('netdev_budget_usecs is left to hz unless given', () => {
  expect(configOf({})).not.toHaveProperty('netdevBudgetUsecs');
  expect(configOf({ netdevBudgetUsecs: '2000' }).netdevBudgetUsecs).toBe(2000);
});

test('each NIC has an address of its own, and applications run on the last CPU, unless told otherwise', () => {
  const yaml = [
    'nics:',
    '  - addr: 192.0.2.9/30',
    '    addr6: 2001:db8::9/48',
    '  - rps: [1]',
    'apps:',
    '  - { kind: echo, udp: 7 }',
    '  - { kind: server, udp: 53, cpu: 0, rcvbuf: 4096, batch: 1, reply: 120 }',
  ].join('\n');
  const { inet, nics } = configOf({ cpus: '3', rps: '0,2' }, yaml);
  expect(inet!.addresses).toEqual([
    { addr: 0xc000_0209, prefixLen: 30, addr6: [0x2001_0db8, 0, 0, 9], prefixLen6: 48 },
    { addr: 0x0a00_0101, prefixLen: 24, addr6: [0xfd00_0001, 0, 0, 1], prefixLen6: 64 },
  ]);
  expect(inet!.apps).toMatchObject([
    { kind: 'echo', udp: 7, cpu: 2, rcvbuf: 212_992, batch: 32 },
    { kind: 'server', udp: 53, cpu: 0, rcvbuf: 4096, batch: 1, replyBytes: 120 },
  ]);
  expect(nics.map(({ rps }) => rps)).toEqual([[0, 2], [1]]);
});

test('apps on a command line, with the stack off no IP at all', () => {
  const { inet } = configOf({ apps: 'sink:9, echo:7', appCpu: '1' });
  expect(inet!.apps.map(({ kind, udp, cpu }) => [kind, udp, cpu])).toEqual([
    ['sink', 9, 1],
    ['echo', 7, 1],
  ]);
  expect(configOf({ stack: 'off' })).not.toHaveProperty('inet');
});

test('two NICs of one name are refused', () => {
  expect(() => configOf({}, 'nics:\n  - name: a\n  - name: a\n')).toThrow(
    "lab.yaml:2:5: nics[0].name: a is also NIC 1's",
  );
});
