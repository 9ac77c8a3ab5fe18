import { describe, expect, test } from 'vitest';
import { PROFILES } from '../../src/host/profiles.ts';
import { RUN_OPTIONS } from '../../src/lab/optionSchema.ts';
import type { RunOptions } from '../../src/lab/optionSchema.ts';
import { fromFlags, OptionError, readOptions } from '../../src/lab/options.ts';

const PROFILE_NAMES = PROFILES.map(({ name }) => name).join(', ');

const read = (flags: Record<string, unknown>): RunOptions => readOptions([fromFlags(flags)]);

function refusal(flags: Record<string, unknown>): string {
  try {
    read(flags);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  return 'taken';
}

describe('defaults are those of bnxt and Linux', () => {
  test('ring sizes, coalescing, budgets', () => {
    expect(read({})).toMatchObject({
      rxRing: 511, // BNXT_DEFAULT_RX_RING_SIZE
      txRing: 511,
      rxUsecs: 10, // bnxt_init_dflt_coal
      rxFrames: 15,
      rxUsecsIrq: 1,
      rxFramesIrq: 1,
      txUsecs: 28,
      txFrames: 30,
      txUsecsIrq: 2,
      txFramesIrq: 2,
      adaptiveRx: false,
      budget: 64, // NAPI_POLL_WEIGHT
      netdevBudget: 300,
      mtu: 1500,
      stack: true,
    });
  });

  test('what depends on other options stays open', () => {
    const options = read({});
    expect(options.rxvlan).toBeUndefined();
    expect(options.netdevBudgetUsecs).toBeUndefined();
    expect(options.nics).toHaveLength(2);
  });
});

describe('a value is taken at both ends of its range and refused beyond, in one line', () => {
  test.each([
    ['rxRing', '1', '8191', '0', '--rx-ring: 0 is out of range (1 to 8191)'],
    ['rxRing', '1', '8191', '9000', '--rx-ring: 9000 is out of range (1 to 8191)'],
    ['txRing', '19', '2047', '18', '--tx-ring: 18 is out of range (19 to 2047)'],
    ['txRing', '19', '2047', '2048', '--tx-ring: 2048 is out of range (19 to 2047)'],
    ['budget', '1', '1024', '0', '--budget: 0 is out of range (1 to 1024)'],
    ['queues', '1', '64', '65', '--queues: 65 is out of range (1 to 64)'],
    ['cpus', '1', '64', '-1', '--cpus: -1 is out of range (1 to 64)'],
    [
      'seed',
      '0',
      '4294967295',
      '4294967296',
      '--seed: 4294967296 is out of range (0 to 4294967295)',
    ],
    ['mtu', '68', '3502', '67', '--mtu: 67 is out of range (68 to 9500 bytes)'],
    ['link', '0.001', '1000', '2000', '--link: 2000 is out of range (0.001 to 1000 Gb/s)'],
  ])('%s from %s to %s, not %s', (key, least, most, beyond, message) => {
    expect(read({ [key]: least })).toMatchObject({ [key]: Number(least) });
    expect(read({ [key]: most })).toMatchObject({ [key]: Number(most) });
    expect(refusal({ [key]: beyond })).toBe(message);
  });

  test.each([
    [{ rxRing: 'abc' }, '--rx-ring: abc is not a whole number (1 to 8191)'],
    [{ rxRing: '1.5' }, '--rx-ring: 1.5 is not a whole number (1 to 8191)'],
    [{ rxRing: '' }, '--rx-ring: needs a value (1 to 8191)'],
    [{ rxRing: null }, '--rx-ring: needs a value (1 to 8191)'],
    [{ rxRing: [1, 2] }, '--rx-ring: a list of values is for ringscope sweep'],
    [{ rxRing: { a: 1 } }, '--rx-ring: {"a":1} is not a whole number (1 to 8191)'],
    [{ count: null }, '--count: needs a value (1 to 1000G)'],
    [{ count: { a: 1 } }, '--count: {"a":1} is not a text (1 to 1000G)'],
    [{ rate: [1, 2] }, '--rate: a list of values is for ringscope sweep'],
    [{ chip: null }, '--chip: needs a value (p4, p5)'],
    [{ irqAffinity: null }, '--irq-affinity: needs a value (0 to --cpus less 1)'],
    [{ stack: null }, '--stack: needs a value (on or off)'],
    [{ profile: null }, `--profile: needs a value (${PROFILE_NAMES})`],
    [{ budget: '0x40000' }, '--budget: 262144 is out of range (1 to 1024)'],
    [{ hz: '99' }, '--hz: 99 is not one of 100, 250, 300, 1000'],
    [{ stack: 'yes' }, '--stack: yes is neither on nor off'],
    [{ link: 'fast' }, '--link: fast is not a number (0.001 to 1000 Gb/s)'],
    [{ profile: 'steep' }, `--profile: steep is not one of ${PROFILE_NAMES}, nor a file`],
    [{ xdp: '' }, '--xdp: needs a value'],
    [{ irqAffinity: '0,x' }, '--irq-affinity: x is no number of a CPU (0 to --cpus less 1)'],
    [{ irqAffinity: '0,4' }, '--irq-affinity: 4 is out of range (0 to 3)'],
    [
      { count: '-1' },
      '--count: "-1" is not understood (a whole number from 1 to 1000000000000, k, M or G behind it)',
    ],
    [
      { duration: '5' },
      '--duration: "5" is not understood (a number and its unit: 10ms, 2s, 500us, 100ns)',
    ],
    [{ rate: '2000Mpps' }, '--rate: 2000Mpps is out of range (0.001 to 1G frames a second)'],
    [
      { replay: 'fast' },
      '--replay: "fast" is not understood (original, asap, a factor such as x10, or frames a second such as 1Mpps)',
    ],
    [{ replay: 'x0' }, '--replay: x0 is out of range (x0.000001 to x1000000)'],
  ])('%o', (flags, message) => {
    expect(refusal(flags)).toBe(message);
  });

  test('a wrong word inside --traffic is named', () => {
    expect(refusal({ traffic: 'udp colour=red' })).toMatch(/^--traffic: word: "colour=red"/);
    expect(refusal({ traffic: 'udp flows=0' })).toMatch(/^--traffic: flows: 0 is out of range/);
  });
});

describe('options that cannot go together', () => {
  test.each(['traffic', 'rate', 'size', 'flows', 'pattern'])('--in and --%s', (key) => {
    const value = { traffic: 'udp', rate: '1M', size: '64', flows: '1', pattern: 'uniform' }[key];
    expect(refusal({ in: 'a.pcap', [key]: value })).toBe(
      `--${key}: generates traffic, but --in replays a capture`,
    );
  });

  test('--replay without --in', () => {
    expect(refusal({ replay: 'asap' })).toBe('--replay: needs --in CAPTURE');
  });
});

describe('what is not built yet says so', () => {
  test.each([
    [{ xdpMode: 'generic' }, '--xdp-mode: generic is not built yet (comes with generic XDP)'],
    [
      { xdpMode: 'offload' },
      '--xdp-mode: offload is not built yet (comes with offloaded programs)',
    ],
    [{ mtu: '9000' }, '--mtu: above 3502 is not built yet (comes with XDP frags)'],
  ])('%o', (flags, message) => {
    expect(refusal(flags)).toBe(message);
  });
});

test('a value that is no known word names the words', () => {
  expect(refusal({ chip: 'p6' })).toBe('--chip: p6 is not one of p4, p5');
});

test('plain numbers may be in hex, with underscores between digits', () => {
  expect(read({ budget: '0x40', rxRing: '1_023', apps: 'capture:9:0x8' })).toMatchObject({
    budget: 64,
    rxRing: 1023,
    apps: [{ kind: 'capture', udp: 9, batch: 8 }],
  });
});

test('every option has one sentence of help', () => {
  for (const { flag, help } of RUN_OPTIONS)
    expect(`${flag}: ${help}`).toMatch(/^--\S+: [A-Z].*\.$/);
});

test('durations are picoseconds, counts take k, M and G', () => {
  expect(read({ duration: '5ms' }).duration).toBe(5_000_000_000);
  expect(read({ count: '1.5M' }).count).toBe(1_500_000);
});

describe('applications are refused in one line', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ apps: 'sink' }, '--apps: "sink" is no app (KIND:PORT[:BATCH],…, as in "sink:9,echo:7:1")'],
    [
      { apps: 'sink:9:1:1' },
      '--apps: "sink:9:1:1" is no app (KIND:PORT[:BATCH],…, as in "sink:9,echo:7:1")',
    ],
    [{ apps: 'sink:9:0' }, '--apps: 0 is out of range (1 to 1024)'],
    [{ apps: 'sink:9:' }, '--apps: needs a value (1 to 1024)'],
    [{ apps: 'drain:9' }, '--apps: drain is not one of sink, echo, server, memcached, capture'],
    [{ apps: 'sink:0' }, '--apps: 0 is out of range (1 to 65535)'],
    [{ apps: 'sink:9,echo:9' }, '--apps[1]: port 9 is taken twice'],
    [{ apps: 'sink:9', stack: 'off' }, '--apps: needs --stack on'],
    [{ rps: '1', stack: 'off' }, '--rps: needs --stack on'],
    [{ rps: '4' }, '--rps: 4 is out of range (0 to 3)'],
    [{ appCpu: '4' }, '--app-cpu: 4 is out of range (0 to 3)'],
    [{ apps: [{ kind: 'sink', udp: 9, cpu: 9 }] }, '--apps[0].cpu: 9 is out of range (0 to 3)'],
    [
      { apps: [{ kind: 'sink', udp: 9, rcvbuf: 0 }] },
      '--apps[0].rcvbuf: 0 is out of range (1 to 268435456 bytes)',
    ],
    [{ apps: [{ kind: 'sink', udp: 9, size: 4 }] }, '--apps[0].size: unknown option'],
    [{ apps: [{ kind: 'sink', port: 9 }] }, '--apps[0].port: unknown option'],
    [{ apps: [{ kind: 'sink' }] }, '--apps[0].udp: is missing (1 to 65535)'],
    [{ apps: [{ kind: 'sink', udp: 9, onError: 5 }] }, '--apps[0].onError: is not a function'],
    [{ apps: 5 }, '--apps: expected a list of apps'],
  ])('%j', (flags, message) => expect(refusal(flags)).toBe(message));
});
