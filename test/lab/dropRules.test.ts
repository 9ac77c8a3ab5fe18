import { describe, expect, test } from 'vitest';
import { parseRawDrop, parseTcDrop } from '../../src/lab/dropRules.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';

test('the words of a rule, in any order', () => {
  expect(parseTcDrop('', 'all')).toEqual({});
  expect(parseTcDrop('', 'dport 53 udp')).toEqual({ protocol: 17, dstPorts: [53, 53] });
  expect(parseTcDrop('', 'tcp sport 1:1023 src 10.0.0.0/8')).toEqual({
    version: 4,
    protocol: 6,
    srcPorts: [1, 1023],
    src: { addr: { w0: 0, w1: 0, w2: 0, w3: 0x0a00_0000 }, bits: 104 },
  });
  expect(parseTcDrop('', 'icmp6 dst fd00::1')).toEqual({
    version: 6,
    protocol: 58,
    dst: { addr: { w0: 0xfd00_0000, w1: 0, w2: 0, w3: 1 }, bits: 128 },
  });
});

test('several rules, separated by semicolons', () => {
  const { rawDrop } = readOptions([fromFlags({ rawDrop: 'udp dport 53; icmp' })]);
  expect(rawDrop).toEqual([
    { protocol: 17, dstPorts: [53, 53] },
    { version: 4, protocol: 1 },
  ]);
});

describe('what is no rule', () => {
  test.each([
    ['upd dport 53', 'upd is not one of all, ip, ip6'],
    ['constructor', 'constructor is not one of all'],
    ['dport 53', 'a port needs tcp or udp'],
    ['icmp dport 53', 'a port needs tcp or udp'],
    ['udp dport', 'dport needs a value'],
    ['udp dport 65536', 'dport 65536 is no port and no range'],
    ['udp dport 9:1', 'dport 9:1 is no port and no range'],
    ['udp dport 53 dport 54', 'dport is given twice'],
    ['udp tcp', 'protocol is given twice'],
    ['icmp src fd00::1', 'fd00::1 is of IPv6, the rest of the rule of IPv4'],
    ['src 10.0.0.0/33', 'a prefix of 33 bits is out of range'],
    ['src 10.0.0.0/', '10.0.0.0/: no prefix length (0 to 32) behind the /'],
    ['src somewhere', 'somewhere'],
  ])('%s', (text, message) => {
    expect(() => parseTcDrop('', text)).toThrow(message);
  });

  test('iptables sees no IPv6; without the stack nobody looks', () => {
    expect(() => parseRawDrop('', 'src fd00::/8')).toThrow('iptables sees IPv4 alone');
    expect(() => readOptions([fromFlags({ rawDrop: 'all', stack: 'off' })])).toThrow(
      '--raw-drop: needs --stack on',
    );
  });
});
