/** Steering in ethtool's words: what is understood, and what is refused. */
import { describe, expect, test } from 'vitest';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import type { RunOptions } from '../../src/lab/optionSchema.ts';
import { readScenario } from '../../src/lab/scenario.ts';
import { machineConfig } from '../../src/lab/setup.ts';

const read = (flags: Record<string, string>): RunOptions => readOptions([fromFlags(flags)]);
const steering = (flags: Record<string, string>) => machineConfig(read(flags)).nics[0]!.steering!;

test('a key of forty bytes', () => {
  const key = Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(2, '0')).join(':');
  expect(steering({ rssKey: key }).rssKey).toEqual(Uint8Array.from({ length: 40 }, (_, i) => i));
});

test('even spreading is a table of the first rings', () => {
  expect(steering({ rssEqual: '3' }).rssIndir).toEqual([0, 1, 2]);
  expect(steering({ rssIndir: '0,0,3' }).rssIndir).toEqual([0, 0, 3]);
});

test('hash fields by kind of flow', () => {
  expect(steering({ rxFlowHash: 'udp4 sd, tcp6 sdfn' }).flowHash).toEqual([
    ['udp4', false],
    ['tcp6', true],
  ]);
});

test('rules as ethtool -N takes them', () => {
  const rules =
    'udp dst-port 53 action 2; flow-type tcp6 src-ip 2001:db8::1 action -1; ip4 dst-ip 10.0.0.1 l4proto 1 action 0';
  expect(steering({ ntuple: rules }).ntuple).toEqual([
    { ethertype: 0x0800, ipProtocol: 17, dstPort: 53, dst: 2 },
    {
      ...{ ethertype: 0x86dd, ipProtocol: 6, dst: -1 },
      srcIpaddr: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    },
    { ethertype: 0x0800, ipProtocol: 1, dstIpaddr: Uint8Array.of(10, 0, 0, 1), dst: 0 },
  ]);
});

test('a scenario gathers it under one key, and flags replace it', () => {
  const yaml = 'queues: 8\nsteering:\n  rss-equal: 2\n  ntuple:\n    - udp4 action 7\n';
  const options = readOptions([readScenario('lab.yaml', yaml), fromFlags({ rssEqual: '5' })]);
  expect(options.rssEqual).toBe(5);
  expect(options.ntuple).toEqual([{ ethertype: 0x0800, ipProtocol: 17, dst: 7 }]);
});

test('of the two ways to fill the table, the later one holds', () => {
  const file = readScenario('lab.yaml', 'steering:\n  rss-indir: 0,0,0,1\n');
  const { rssEqual, rssIndir } = readOptions([file, fromFlags({ rssEqual: '3' })]);
  expect({ rssEqual, rssIndir }).toEqual({ rssEqual: 3, rssIndir: undefined });
  const back = readOptions([fromFlags({ rssEqual: '3' }), fromFlags({ rssIndir: '2,1' })]);
  expect(back.rssEqual).toBeUndefined();
  expect(back.rssIndir).toEqual([2, 1]);
});

describe('refused', () => {
  test.each([
    [{ rssKey: '00:11' }, '--rss-key: 2 bytes, a key has 40'],
    [{ rssKey: 'xyz' }, '--rss-key: xyz is not a byte of two hex digits'],
    [{ rssEqual: '5' }, '--rss-equal: 5 is out of range (1 to 4 queues)'],
    [{ rssIndir: '1,4' }, '--rss-indir: 4 is out of range (0 to 3)'],
    [
      { rssEqual: '2', rssIndir: '1' },
      '--rss-equal: fills the indirection table, which --rss-indir gives whole: only one can be',
    ],
    [{ rxFlowHash: 'udp5 sd' }, '--rx-flow-hash: udp5 is not one of tcp4, udp4, tcp6, udp6'],
    [
      { rxFlowHash: 'udp4 s' },
      '--rx-flow-hash: udp4 s: expected sd (addresses) or sdfn (ports too)',
    ],
    [{ ntuple: 'udp4 dst-port 53' }, '--ntuple: udp4 dst-port 53: needs an action'],
    [{ ntuple: 'udp4 dst-port 53 action 4' }, '--ntuple: action 4 is out of range (-1 to 3)'],
    [
      { ntuple: 'udp4 dst-port 99999 action 1' },
      '--ntuple: dst-port 99999 is out of range (0 to 65535)',
    ],
    [{ ntuple: 'ip4 dst-port 5 action 1' }, '--ntuple: dst-port needs tcp or udp'],
    [
      { ntuple: 'udp4 colour 5 action 1' },
      '--ntuple: colour is not one of src-ip, dst-ip, src-port, dst-port, l4proto, action',
    ],
    [
      { ntuple: 'sctp4 action 1' },
      '--ntuple: sctp4 is not one of ip4, tcp4, udp4, ip6, tcp6, udp6',
    ],
    [{ ntuple: 'udp4 src-ip 10.0.0 action 1' }, '--ntuple: '],
    [{ ntuple: 'udp4 action' }, '--ntuple: action needs a value'],
    [{ ntuple: 'flow-type action 1' }, '--ntuple: action is not one of ip4'],
    [{ ntuple: 'flow-type' }, '--ntuple: nothing is not one of ip4'],
    [{ ntuple: 'ip4 l4proto 17 action 1' }, '--ntuple: l4proto 17: bnxt takes 1 (ICMP) alone'],
    [{ ntuple: 'ip6 l4proto 1 action 1' }, '--ntuple: l4proto 1: bnxt takes 58 (ICMP) alone'],
    [
      { ntuple: 'udp4 dst-port 5 dst-port 6 action 1' },
      '--ntuple: udp4 dst-port 5 dst-port 6 action 1: dst-port is given twice',
    ],
    [
      {
        ntuple:
          'udp4 dst-port 5 src-port 6 action 1; tcp4 action 2; udp src-port 6 dst-port 5 action 0',
      },
      '--ntuple: rule 3 matches the same as rule 1',
    ],
    [{ rxFlowHash: 'udp4 sd, udp4 sdfn' }, '--rx-flow-hash: udp4 is given twice'],
    [{ rxFlowHash: 'udp4 sd,' }, '--rx-flow-hash: nothing is not one of tcp4'],
    [{ rssKey: '6d:' }, '--rss-key: nothing is not a byte'],
    [{ appCpu: '64' }, '--app-cpu: 64 is out of range (0 to 3)'],
    [{ rps: '1,64' }, '--rps: 64 is out of range (0 to 3)'],
    [{ irqAffinity: '-1' }, '--irq-affinity: -1 is no number of a CPU (0 to --cpus less 1)'],
    [{ apps: 'sink:9,' }, '--apps: nothing is no app'],
    [
      { apps: 'callback:9' },
      '--apps: callback is not one of sink, echo, server, memcached, capture',
    ],
  ])('%j', (flags, message) => {
    expect(() => read(flags as Record<string, string>)).toThrow(message);
  });

  test('an unknown name under steering, with its place', () => {
    const yaml = 'steering:\n  rss-equa: 2\n';
    expect(() => readOptions([readScenario('lab.yaml', yaml)])).toThrow(
      'lab.yaml:2:3: steering.rss-equa: unknown option (did you mean rss-equal?)',
    );
  });

  test('views that there are not', () => {
    expect(() => read({ show: 'ethtool,netstat' })).toThrow(
      '--show: netstat is not one of ethtool, softnet, ip, napi, nstat',
    );
  });
});
