import { expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import {
  NotUnderstood,
  parseCount,
  parseDuration,
  parseRate,
  parseSize,
} from '../../src/wire/quantities.ts';
import {
  checkTraffic,
  parseTraffic,
  TRAFFIC_DEFAULT,
  type TrafficSpec,
  withTrafficWord,
} from '../../src/wire/trafficSpec.ts';

test('the text form says everything there is to say', () => {
  const text =
    ' udp:8,tcp:2  size=64-1518 flows=4k pattern=zipf:1.1 rate=14.88Mpps burst=32 ' +
    'arrivals=poisson vlan=100.200';
  expect(parseTraffic(text)).toEqual({
    ...TRAFFIC_DEFAULT,
    protos: [
      { proto: 'udp', weight: 8 },
      { proto: 'tcp', weight: 2 },
    ],
    size: { kind: 'range', min: 64, max: 1518 },
    flows: 4000,
    pattern: { kind: 'zipf', exponent: 1.1 },
    rate: { kind: 'pps', pps: 14_880_000 },
    burst: 32,
    arrivals: 'poisson',
    vlan: [100, 200],
  });
});

test('what is not said is UDP, 64 bytes, one flow, a million a second', () => {
  expect(parseTraffic('')).toEqual(TRAFFIC_DEFAULT);
  expect(TRAFFIC_DEFAULT).toMatchObject({
    protos: [{ proto: 'udp', weight: 1 }],
    size: { kind: 'fixed', bytes: 64 },
    flows: 1,
    rate: { kind: 'pps', pps: 1_000_000 },
    dstMac: { hi16: 0x0200, lo32: 1 },
    dstIp: 0x0a000001,
  });
});

test.each([
  ['proto=tcp6', { protos: [{ proto: 'tcp6', weight: 1 }] }],
  ['size=imix', { size: { kind: 'imix' } }],
  ['size=9618', { size: { kind: 'fixed', bytes: 9618 } }],
  ['pattern=zipf', { pattern: { kind: 'zipf', exponent: 1 } }],
  ['pattern=elephant', { pattern: { kind: 'elephant', share: 0.5 } }],
  ['pattern=elephant:0.8', { pattern: { kind: 'elephant', share: 0.8 } }],
  ['rate=line', { rate: { kind: 'line' } }],
  ['rate=10Gbps', { rate: { kind: 'bps', bps: 10_000_000_000 } }],
  ['rate=1M', { rate: { kind: 'pps', pps: 1_000_000 } }],
  ['stall=1us/1ms', { stall: { sends: true, lenPs: 1e6, everyPs: 1e9 } }],
  ['rate=line queue=1280', { rate: { kind: 'line' }, queue: 1280 }],
  ['vlan=100', { vlan: [100] }],
])('%s is understood', (text, part) => {
  expect(parseTraffic(text)).toMatchObject(part);
});

test('a mix that does not say how many flows it wants has one for each protocol', () => {
  expect(parseTraffic('udp,tcp,icmp').flows).toBe(3);
  expect(parseTraffic('udp,tcp flows=7').flows).toBe(7);
});

test('an option changes one word and leaves the rest', () => {
  const spec = parseTraffic('tcp size=imix rate=line');
  expect(withTrafficWord(spec, 'rate', '5M', '--rate')).toEqual({
    ...spec,
    rate: { kind: 'pps', pps: 5_000_000 },
  });
  expect(() => withTrafficWord(spec, 'rate', 'fast', '--rate')).toThrow('--rate: "fast"');
  expect(parseTraffic('flows=3', spec)).toEqual({ ...spec, flows: 3 });
});

test.each([
  ['upd', 'traffic proto: "upd" is not understood (udp, tcp, icmp, arp, udp6, tcp6, with'],
  ['udp:0', 'traffic proto: udp:0 is out of range (weights above 0, up to 1000000)'],
  ['udp,udp', 'traffic proto: udp twice is out of range (each protocol once)'],
  ['udp:8;tcp:2', 'traffic proto: "udp:8;tcp:2" is not understood'],
  ['udp fast', 'traffic word: "fast" is not understood (proto, size, flows, pattern, rate,'],
  ['udp speed=3', 'traffic word: "speed=3" is not understood'],
  ['udp constructor=3', 'traffic word: "constructor=3" is not understood'],
  ['size=64 udp', 'traffic word: "udp" is not understood'],
  ['size=64 size=65', 'traffic size: "size=65" is not understood (it was given before)'],
  ['size=63', 'traffic size: 63 is out of range (64 to 9618 bytes with FCS, imix, or a range'],
  ['size=9619', 'traffic size: 9619 is out of range'],
  ['size=1518-64', 'traffic size: 1518-64 is out of range'],
  ['size=big', 'traffic size: "big" is not understood (64 to 9618 bytes with FCS, imix, or'],
  ['size=', 'traffic size: "" is not understood'],
  ['flows=0', 'traffic flows: 0 is out of range (1 to 1048576)'],
  ['flows=2M', 'traffic flows: 2M is out of range (1 to 1048576)'],
  ['flows=1.5', 'traffic flows: "1.5" is not understood (a whole number from 1 to 1048576'],
  ['flows=-1', 'traffic flows: "-1" is not understood'],
  ['pattern=zipf:0', 'traffic pattern: zipf:0 is out of range (exponents from 0.01 to 10)'],
  [
    'pattern=elephant:1.1',
    'traffic pattern: elephant:1.1 is out of range (shares from 0.001 to 1)',
  ],
  ['pattern=uniform:2', 'traffic pattern: "uniform:2" is not understood'],
  [
    'pattern=mouse',
    'traffic pattern: "mouse" is not understood (uniform, zipf, zipf:1.1, elephant',
  ],
  ['rate=0', 'traffic rate: 0 is out of range (0.001 to 1G frames a second)'],
  ['rate=1.1Gpps', 'traffic rate: 1.1Gpps is out of range (0.001 to 1G frames a second)'],
  ['rate=2000Gbps', 'traffic rate: 2000Gbps is out of range (1 to 1000G bits a second)'],
  ['rate=10Gbit', 'traffic rate: "10Gbit" is not understood (14.88Mpps, 1M (frames a second),'],
  ['rate=1e6', 'traffic rate: "1e6" is not understood'],
  ['rate=NaN', 'traffic rate: "NaN" is not understood'],
  ['burst=0', 'traffic burst: 0 is out of range (1 to 1000000)'],
  ['queue=0', 'traffic queue: 0 is out of range (1 to 1000000)'],
  ['queue=2M', 'traffic queue: 2M is out of range (1 to 1000000)'],
  ['queue=some', 'traffic queue: "some" is not understood'],
  ['arrivals=never', 'traffic arrivals: "never" is not understood (constant or poisson)'],
  ['vlan=0', 'traffic vlan: 0 is out of range (1 to 4094)'],
  ['vlan=100.4095', 'traffic vlan: 4095 is out of range (1 to 4094)'],
  ['vlan=1.2.3', 'traffic vlan: "1.2.3" is not understood (vlan=100, or vlan=100.200'],
])('%s is refused in one line that names word, value and what is allowed', (text, message) => {
  expect(() => parseTraffic(text)).toThrow(message);
  try {
    parseTraffic(text);
  } catch (error) {
    expect(error instanceof RangeRefused || error instanceof NotUnderstood).toBe(true);
    expect(String(error)).not.toContain('\n');
  }
});

test.each<[Partial<TrafficSpec>, string]>([
  [{ protos: [] }, 'traffic proto: none'],
  [{ flows: 1.5 }, 'traffic flows: 1.5'],
  [{ flows: NaN }, 'traffic flows: NaN'],
  [{ protos: parseTraffic('udp,tcp').protos, flows: 1 }, 'traffic flows: 1 is out of range (2 to'],
  [{ size: { kind: 'fixed', bytes: 64.5 } }, 'traffic size: 64.5'],
  [{ rate: { kind: 'pps', pps: NaN } }, 'traffic rate: NaNpps'],
  [{ rate: { kind: 'bps', bps: -1 } }, 'traffic rate: -1bps'],
  [{ pattern: { kind: 'zipf', exponent: NaN } }, 'traffic pattern: zipf:NaN'],
  [{ queue: 8 }, 'traffic queue: 8 is out of range (only with rate=line: else none waits)'],
  [{ queue: 1.5, rate: { kind: 'line' } }, 'traffic queue: 1.5'],
  [
    { stall: { sends: true, lenPs: 5e6, everyPs: 43.8e9 }, rate: { kind: 'line' } },
    'traffic stall: 5us/43800us is out of range (with rate=line only rx',
  ],
  [{ vlan: [1, 2, 3] }, 'traffic vlan: 1.2.3'],
  [{ count: -1 }, 'traffic count: -1'],
  [{ durationPs: 2 ** 53 }, 'traffic duration, in ps: 9007199254740992'],
])('an object of %j is refused like the text', (part, message) => {
  expect(() => checkTraffic({ ...TRAFFIC_DEFAULT, ...part })).toThrow(message);
});

test('numbers with units are exact', () => {
  expect(parseRate('r', '14.88Mpps')).toEqual({ kind: 'pps', pps: 14_880_000 });
  expect(parseRate('r', '148809523.8')).toEqual({ kind: 'pps', pps: 148_809_523.8 });
  expect(parseRate('r', '0.25k')).toEqual({ kind: 'pps', pps: 250 });
  expect(parseRate('r', '1Gpps')).toEqual({ kind: 'pps', pps: 1e9 });
  expect(parseCount('c', '1.5M', 1, 1e9)).toBe(1_500_000);
  expect(parseSize('s', '64')).toEqual({ kind: 'fixed', bytes: 64 });
  expect(parseDuration('d', '10ms')).toBe(10_000_000_000);
  expect(parseDuration('d', '2s')).toBe(2_000_000_000_000);
  expect(parseDuration('d', '500us')).toBe(500_000_000);
  expect(parseDuration('d', '1.1us')).toBe(1_100_000);
  expect(parseDuration('d', '100ns')).toBe(100_000);
});

test.each(['2', '2m', '', 's', '-1s', '1e3s'])('a duration of "%s" is not understood', (text) => {
  expect(() => parseDuration('--duration', text)).toThrow(
    `--duration: ${JSON.stringify(text)} is not understood (a number and its unit: 10ms, 2s, 500us`,
  );
});

test.each(['0s', '0.1ps', '9008s', '99999999999999999999s'])(
  'a duration of %s is out of range',
  (text) => {
    expect(() => parseDuration('--duration', text)).toThrow(
      `--duration: ${text} is out of range (1ps to 9007s)`,
    );
  },
);
