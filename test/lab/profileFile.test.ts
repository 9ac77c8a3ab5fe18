import { describe, expect, test } from 'vitest';
import { OP_DOORBELL, OP_NAPI_POLL } from '../../src/host/cost.ts';
import { profileNamed, parseProfile } from '../../src/lab/profileFile.ts';
import type { MachineConfig } from '../../src/machine/config.ts';
import { machineCosts } from '../../src/machine/costs.ts';
import { APP_DEFAULTS } from '../../src/machine/inetConfig.ts';

const HEAD = 'name: mine\nsays: a machine of mine\n';
const entry = (op: string, value: number | string, unit: string): string =>
  `  - { op: ${op}, value: ${value}, unit: ${unit}, source: measured here }\n`;

const refusal = (text: string): string => {
  try {
    parseProfile('my.yaml', text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

test('a few bytes may be said in KiB', () => {
  const text = `${HEAD}base: xdp-paper-2018\nentries:\n${entry('PCIe max payload', 0.5, 'KiB')}`;
  expect(parseProfile('my.yaml', text).pcie?.maxPayload).toBe(512);
});

test('polling that takes no time is refused where an application would poll for ever', () => {
  const free = parseProfile(
    'my.yaml',
    `${HEAD}base: flat\nentries:\n${entry('napi poll', 0, 'ns')}`,
  );
  const config = (busyPollUsecs: number): MachineConfig => ({
    ...{ seed: 1, cpus: 1, hz: 250, budget: 64, netdevBudget: 300, profile: free, nics: [] },
    ...{ stack: true, check: false, eager: false },
    inet: { apps: [{ ...APP_DEFAULTS, kind: 'sink', udp: 9, busyPollUsecs }] },
  });
  expect(machineCosts(config(0))[OP_NAPI_POLL]).toBe(0);
  expect(() => machineCosts(config(50))).toThrow("cost of 'napi poll' in the profile");
});

describe('a profile file', () => {
  test('says what differs from the profile it builds on', () => {
    const profile = parseProfile(
      'my.yaml',
      `${HEAD}base: flat\nentries:\n${entry('CPU clock', 2.5, 'GHz')}${entry('doorbell', 250, 'cycles')}`,
    );
    expect(profile.name).toBe('mine');
    expect(profile.costs[OP_DOORBELL]).toEqual({
      ...{ op: 'doorbell', ns: 100, source: 'measured here' },
    });
    expect(profile.nic.rxDmaNs).toBe(700);
    expect(profile.pcie).toBeNull();
  });

  test.each([
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbel', 1, 'ns')}`,
      /^--profile: my.yaml:5: unknown operation doorbel \(did you mean doorbell\?\) \(allowed: .*doorbell/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', -1, 'ns')}`,
      /:5: doorbell: -1 is out of range \(0 to 1073741824 ns\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', 'slow', 'ns')}`,
      /:5: doorbell: value is missing or no number \(0 to 1073741824 ns; or 0 to 1073741824 cycles\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n  - { op: doorbell, value: 3, source: here }\n`,
      /:5: doorbell: unit is missing \(0 to 1073741824 ns; or 0 to 1073741824 cycles\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n  - { op: doorbell, value: 3, unit: ns }\n`,
      /:5: doorbell: source is missing or no text$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', '.nan', 'ns')}`,
      /:5: doorbell: NaN is out of range \(0 to 1073741824 ns\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('PCIe lanes', 3, 'count')}`,
      /:5: PCIe lanes: 3 is out of range \(1, 2, 4, 8, 16 count\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('PCIe max payload', 0.3, 'KiB')}`,
      /:5: PCIe max payload: 0.3 is out of range \(128, 256, 512, 1024 bytes\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('DDIO ways', 21, 'count')}`,
      /:5: DDIO ways: 21 is out of range \(more than 0 to the 20 of the cache\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('idle state 2 exit latency', 40_000, 'ns')}`,
      /no entry for idle state 2 target residency \(a value in ns or cycles\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018-sleep\nentries:\n${entry('idle state 2 target residency', 5, 'ns')}`,
      /:5: idle state 2 target residency: 5 ns is out of range \(the 20000 of the state before, or more\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018-sleep\nentries:\n${entry('idle state 3 exit latency', 1, 'ns')}`,
      /:5: idle state 3 exit latency: 1 ns is out of range \(the \d+ of the state before, or more\)$/,
    ],
    [
      // what the base has of state 2 does not go with it
      `${HEAD}base: xdp-paper-2018-sleep\nentries:\n${entry('idle state 1 exit latency', 1e9, 'ns')}`,
      /:5: idle state 2 exit latency: \d+ ns is out of range \(the 1000000000 of the state before, or more\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('other cache misses', 101, '"%"')}`,
      /:5: other cache misses: 101 is out of range \(0 to 100 %\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('CPU clock', 0.001, 'GHz')}`,
      /:5: CPU clock: 0.001 is out of range \(0.01 to 100 GHz\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('"frames an interrupt, at most"', 65_536, 'count')}`,
      /:5: frames an interrupt, at most: 65536 is out of range \(1 to 65535 count, whole\)$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('frames an interrupt, at most', 64, 'count')}`,
      /:5: "frames an interrupt, at most" needs its quotation marks$/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('last-level cache inclusive', 2, 'count')}`,
      /:5: last-level cache inclusive: 2 is out of range \(0 to 1 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('scheduler before EEVDF', 2, 'count')}`,
      /:5: scheduler before EEVDF: 2 is out of range \(0 to 1 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', 1, 'furlongs')}`,
      /:5: doorbell: furlongs is not one of its units \(ns, cycles\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', 1, 'cycles')}`,
      /no entry for CPU clock \(a value in GHz\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('doorbell', 1, 'ns')}${entry('doorbell', 2, 'ns')}`,
      /:6: doorbell is there twice$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('PCIe lanes', 8, 'count')}`,
      /no entry for PCIe generation/,
    ],
    [
      `${HEAD}base: xdp-paper-2018\nentries:\n${entry('DIM starts with setting', 5, 'count')}`,
      /:5: DIM starts with setting: 5 is out of range \(0 to 4 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('softirqs left to ksoftirqd', 0.5, 'count')}`,
      /:5: softirqs left to ksoftirqd: 0.5 is out of range \(0 to 1 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('DIM starts with setting', 1, 'count')}`,
      /no entry for frames an interrupt, at most \(a value in count\)$/,
    ],
    [
      `${HEAD}entries:\n${entry('doorbell', 1, 'ns')}`,
      /:4: no entry for hardirq entry and exit \(a value in ns or cycles\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('redirected frames per transmit call', 17, 'count')}`,
      /:5: redirected frames per transmit call: 17 is out of range \(1 to 16 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('frames returned to the cache', 0.5, 'count')}`,
      /:5: frames returned to the cache: 0.5 is out of range \(0 to 1 count, whole\)$/,
    ],
    [
      `${HEAD}base: mlx5-2016\nentries:\n${entry('receive stride', 96, 'bytes')}`,
      /:5: receive stride: 96 is out of range \(64, 128, 256, 512, 1024, 2048, 4096 bytes\)$/,
    ],
    [
      `${HEAD}base: mlx5-2016\nentries:\n${entry('frame bytes copied into an skb', 0, 'bytes')}`,
      /:5: frame bytes copied into an skb: 0 is out of range \(64, .*, 4096 bytes\)$/,
    ],
    [
      `${HEAD}base: mlx5-2016\nentries:\n${entry('pages recycled', 2, 'count')}`,
      /:5: pages recycled: 2 is out of range \(0 to 1 count, whole\)$/,
    ],
    [
      `${HEAD}base: flat\nentries:\n${entry('pages recycled', 0, 'count')}`,
      /no entry for receive stride \(a value in bytes or KiB or MiB\)$/,
    ],
    [`${HEAD}base: flatt\nentries: []\n`, /base flatt is not one of flat/],
    [
      `${HEAD}cost: 3\nentries: []\n`,
      /:3: unknown key cost \(allowed: name, says, base, entries\)$/,
    ],
    ['says: nothing\nbase: flat\nentries: []\n', /:1: name is missing or no text$/],
    ['- a list\n', /:1: expected a profile/],
    ['name: [\n', /^--profile: my.yaml:2: /],
    [
      'name: flat\nsays: x\nentries: []\n',
      /^--profile: my.yaml:1: name flat is a built-in profile's$/,
    ],
  ])('%j is refused with its line', (text, why) => {
    expect(refusal(text)).toMatch(why);
  });

  test('is read from the file that --profile names', async () => {
    const text = `${HEAD}base: flat\nentries: []\n`;
    const profile = await profileNamed('./my.yaml', async (option, name) => {
      expect([option, name]).toEqual(['--profile', './my.yaml']);
      return new TextEncoder().encode(text);
    });
    expect(profile.says).toBe('a machine of mine');
  });
});
