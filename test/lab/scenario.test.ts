import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../src/lab/optionSchema.ts';
import { fromFlags, OptionError, readOptions } from '../../src/lab/options.ts';
import { readScenario } from '../../src/lab/scenario.ts';

const read = (yaml: string, flags: Record<string, unknown> = {}): RunOptions =>
  readOptions([readScenario('lab.yaml', yaml), fromFlags(flags)]);

function refusal(yaml: string, flags: Record<string, unknown> = {}): string {
  try {
    read(yaml, flags);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  return 'taken';
}

test('keys may be written as flags are, or as code has them', () => {
  const options = read('rx-ring: 1023\ntxRing: 255\nstack: off\nirq-affinity: [0, 1]\n');
  expect(options).toMatchObject({ rxRing: 1023, txRing: 255, stack: false, irqAffinity: [0, 1] });
});

test('a flag replaces what the scenario says', () => {
  expect(read('budget: 8\nqueues: 2\n', { budget: '16' })).toMatchObject({ budget: 16, queues: 2 });
});

test.each([
  ['apps: sink:9\napp-cpus: [0, 1]\n', { appCpu: '2' }, { appCpu: 2 }, ['appCpus']],
  ['apps: sink:9\napp-cpu: 2\n', { appCpus: '0,1' }, { appCpus: [0, 1] }, ['appCpu']],
  [
    'in: a.pcap\nreplay: asap\n',
    { traffic: 'udp', rate: '1M' },
    { traffic: 'udp', rate: '1M' },
    ['in', 'replay'],
  ],
  [
    'traffic: udp\nsize: 64\nrate: 1M\n',
    { in: 'a.pcap' },
    { in: 'a.pcap' },
    ['traffic', 'size', 'rate'],
  ],
  ['clients: 4\nthink: 1us\n', { traffic: 'udp' }, { traffic: 'udp' }, ['clients', 'think']],
  ['traffic: udp\nsize: 128\n', { clients: '4' }, { clients: 4, size: '128' }, ['traffic']],
  ['in: a.pcap\n', { clients: '4' }, { clients: 4 }, ['in']],
  [
    'rate: 1M\nsize: 128\nflows: 3\n',
    { traffic: 'udp rate=2M flows=7' },
    { traffic: 'udp rate=2M flows=7', size: '128' },
    ['rate', 'flows'],
  ],
  [
    'traffic: udp rate=1M\nsize: 128\n',
    { traffic: 'udp size=64', rate: '2M' },
    { traffic: 'udp size=64', rate: '2M' },
    ['size'],
  ],
])('a flag replaces an alternative: %j with %o', (yaml, flags, kept, gone) => {
  const options = read(yaml, flags);
  expect(options).toMatchObject(kept);
  expect(gone.filter((key) => options[key as keyof RunOptions] !== undefined)).toEqual([]);
});

test('alternatives in one place are refused', () => {
  expect(refusal('apps: sink:9\napp-cpu: 0\napp-cpus: [0, 1]\n')).toContain('not with');
  expect(refusal('hz: 250\n', { in: 'a.pcap', traffic: 'udp' })).toContain('--in replays');
});

test('nics give each NIC its own numbers', () => {
  const { nics } = read('nics:\n  - name: front\n    rx-ring: 255\n  - mac: "02:00:00:00:00:09"\n');
  expect(nics).toEqual([{ name: 'front', rxRing: 255 }, { mac: '02:00:00:00:00:09' }]);
});

describe('a refusal points at line and column', () => {
  test.each([
    [
      'of a value out of range',
      'queues: 4\nrx-ring: 9000\n',
      'lab.yaml:2:1: rx-ring: 9000 is out of range (1 to 8191)',
    ],
    [
      'of an unknown option',
      'queues: 4\nbugdet: 8\n',
      'lab.yaml:2:1: bugdet: unknown option (did you mean budget?)',
    ],
    [
      'of a value inside a NIC',
      'nics:\n  - name: a\n    rx-ring: 0\n',
      'lab.yaml:3:5: nics[0].rx-ring: 0 is out of range (1 to 8191)',
    ],
    [
      'of an unknown option of a NIC',
      'nics:\n  - name: a\n    rx-rnig: 1\n',
      'lab.yaml:3:5: nics[0].rx-rnig: unknown option (did you mean rx-ring?)',
    ],
    [
      'of a bad address',
      'nics:\n  - mac: "02:00"\n',
      'lab.yaml:2:5: nics[0].mac: MAC address "02:00"',
    ],
    [
      'of an option that has no value',
      'rx-ring:\n',
      'lab.yaml:1:1: rx-ring: needs a value (1 to 8191)',
    ],
    [
      'of what is not built',
      'queues: 4\nsteering:\n  - drop\n',
      'lab.yaml:2:1: steering: expected options as "name: value"',
    ],
    [
      'of a CPU that is not there',
      'cpus: 2\nnics:\n  - irq-affinity: [0, 2]\n',
      'lab.yaml:3:5: nics[0].irq-affinity: 2 is out of range (0 to 1)',
    ],
    [
      'of a value inside an app',
      'apps:\n  - kind: sink\n    udp: 70000\n',
      'lab.yaml:3:5: apps[0].udp: 70000 is out of range (1 to 65535)',
    ],
    [
      'of an unknown option of an app',
      'apps: [{kind: sink, udp: 9, rcvbfu: 1}]\n',
      'lab.yaml:1:29: apps[0].rcvbfu: unknown option (did you mean rcvbuf?)',
    ],
    [
      'of an address with too long a prefix',
      'nics:\n  - addr: 10.0.0.1/33\n',
      'lab.yaml:2:5: nics[0].addr: 10.0.0.1/33: a prefix of 33 bits is out of range (0 to 32)',
    ],
    [
      'of one option in two places',
      'rss-equal: 2\nsteering:\n  rss-equal: 3\n',
      'lab.yaml:3:3: steering.rss-equal: is given outside of steering as well',
    ],
    [
      'of steering without a stack',
      'stack: off\nnics:\n  - rps: [1]\n',
      'lab.yaml:3:5: nics[0].rps: needs --stack on',
    ],
    [
      'of an address without a stack',
      'stack: off\nnics:\n  - {}\n  - addr6: fd00::7\n',
      'lab.yaml:4:5: nics[1].addr6: needs --stack on',
    ],
    [
      'of a MAC address that is taken',
      'nics:\n  - {}\n  - mac: "02:00:00:00:00:01"\n',
      "lab.yaml:3:5: nics[1].mac: 02:00:00:00:00:01 is also NIC 0's",
    ],
    [
      'of an address that is taken, written otherwise',
      'nics:\n  - addr6: "fd00:0:0:0:0:0:0:5"\n  - addr6: fd00::5/48\n',
      "lab.yaml:2:5: nics[0].addr6: fd00:0:0:0:0:0:0:5 is also NIC 1's",
    ],
    [
      "of the generator's address",
      'nics:\n  - addr: 10.0.0.254/24\n',
      "lab.yaml:2:5: nics[0].addr: 10.0.0.254/24 is the generator's, at the other end of the wire",
    ],
    [
      "of a NIC's name that another has unless told otherwise",
      'nics:\n  - {}\n  - name: eth0\n',
      "lab.yaml:3:5: nics[1].name: eth0 is also NIC 0's",
    ],
    [
      'of a route by a device that is not there',
      'nics:\n  - name: a\n  - name: b\nroute:\n  - blackhole 10.1.0.0/16\n  - default dev eth1\n',
      'lab.yaml:6:5: route[1]: 0.0.0.0/0 dev eth1: eth1 is not one of a, b',
    ],
    [
      'of a broadcast address',
      'nics:\n  - addr: 192.168.0.255/24\n',
      'lab.yaml:2:5: nics[0].addr: 192.168.0.255/24 is its subnet',
    ],
    [
      'of a reply that nobody sends',
      'apps:\n  - { kind: sink, udp: 9, reply: 4 }\n',
      'lab.yaml:2:27: apps[0].reply: is for server, and this is sink',
    ],
    [
      'of a callback without its function',
      'apps:\n  - { kind: callback, udp: 9 }\n',
      'lab.yaml:2:7: apps[0].kind: callback needs a function (onDatagram)',
    ],
    ['of no NICs', 'nics: []\n', 'lab.yaml:1:1: nics: needs 1 to 16 NICs'],
    ['of NICs that are no list', 'nics: 3\n', 'lab.yaml:1:1: nics: expected a list of NICs'],
    [
      'of a NIC that has no options',
      'nics: [{}, 3]\n',
      'lab.yaml:1:12: nics[1]: expected options as "name: value"',
    ],
    [
      'of an address that is of no one NIC',
      'nics: [{mac: "01:00:5e:00:00:01"}]\n',
      'lab.yaml:1:9: nics[0].mac: 01:00:5e:00:00:01 is no address of one NIC',
    ],
    [
      'of a name that no NIC may have',
      'nics: [{name: "a/b"}]\n',
      'lab.yaml:1:9: nics[0].name: "a/b" is no name for a NIC',
    ],
    [
      'of more CPUs than queues',
      'nics: [{queues: 1, irq-affinity: [0, 1]}]\n',
      'lab.yaml:1:20: nics[0].irq-affinity: 2 CPUs are too many (1 to 1 queues)',
    ],
    ['of a tag that nobody knows', 'seed: !foo 3\n', 'lab.yaml:1:7: Unresolved tag: !foo'],
    ['of infinity', 'queues: .inf\n', 'lab.yaml:1:1: queues: Infinity is not a whole number'],
    [
      'of one option in two spellings',
      'rxRing: 4\nrx-ring: 5\n',
      'lab.yaml: rx-ring is given twice',
    ],
    [
      'of an alias inside itself',
      'nics: &x [*x]\n',
      'lab.yaml: is nested too deeply, or contains itself',
    ],
    ['of endless nesting', `xdp: ${'['.repeat(20000)}`, 'lab.yaml:'],
    ['of a key given twice', 'queues: 4\nqueues: 5\n', 'lab.yaml:2:1: Map keys must be unique'],
    ['of broken YAML', 'queues: [4\n', 'lab.yaml:2:1: '],
    ['of a list', '- queues\n', 'lab.yaml:1:1: expected options as "name: value"'],
    ['of an empty file', '', 'lab.yaml:1:1: is empty, expected options'],
  ])('%s', (_, yaml, start) => {
    const message = refusal(yaml);
    expect(message.slice(0, start.length)).toBe(start);
    expect(message).not.toContain('\n');
  });

  test('unless a flag gave the value', () => {
    expect(refusal('rx-ring: 255\n', { rxRing: '9000' })).toBe(
      '--rx-ring: 9000 is out of range (1 to 8191)',
    );
  });
});

test('an alias bomb is refused', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++) {
    const before = `*${String.fromCharCode(96 + i)}`;
    const name = String.fromCharCode(97 + i);
    lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => before).join(', ')}]`);
  }
  expect(refusal(`${lines.join('\n')}\n`)).toMatch(/^lab\.yaml: .*alias/i);
});
