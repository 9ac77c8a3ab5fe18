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

test('two NICs of one name are refused', () => {
  expect(() => configOf({}, 'nics:\n  - name: a\n  - name: a\n')).toThrow(
    'nics: two NICs are called a',
  );
});
