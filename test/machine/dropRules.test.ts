/** What the rules at traffic control's ingress and at iptables' raw table let through. */
import { describe, expect, test } from 'vitest';
import { parseRawDrop, parseTcDrop } from '../../src/lab/dropRules.ts';
import { BALANCED, InetRig, frame4, frame6, udpTo } from './inetRig.ts';

const tcp = { kind: 'bytes', proto: 6, payload: new Uint8Array(20) } as const;
const options = { options: Uint8Array.of(1, 1, 1, 1) };
/** Destination options of 8 bytes: a PadN of 6. */
const behindOptions = {
  extensions: [{ proto: 60, bytes: Uint8Array.of(17, 0, 1, 4, 0, 0, 0, 0) }],
};
const laterFragment = (): Uint8Array => frame4(udpTo(53), { fragOffsetBytes: 8 });

const lost = (place: 'tcDrop' | 'rawDrop', rule: string, frame: Uint8Array): string => {
  const match = (place === 'tcDrop' ? parseTcDrop : parseRawDrop)('', rule);
  const rig = new InetRig([frame], { machine: { [place]: [match] } }).run();
  expect(rig.books).toEqual(BALANCED);
  return Object.keys(rig.lost)[0] ?? 'none';
};

describe.each([
  ['udp dport 53', frame4(udpTo(53)), true],
  ['udp dport 53', frame4(udpTo(54)), false],
  ['udp dport 50:60', frame4(udpTo(54)), true],
  ['udp sport 4000', frame4(udpTo(54)), true],
  ['tcp dport 53', frame4(udpTo(53)), false],
  ['tcp', frame4(tcp), true],
  ['udp dport 53', frame4(udpTo(53), options), true],
  ['udp dport 53', laterFragment(), false],
  ['udp', laterFragment(), true],
  ['src 192.0.2.0/24', frame4(udpTo(53)), true],
  ['src 192.0.3.0/24', frame4(udpTo(53)), false],
  ['dst 10.0.0.1', frame4(udpTo(53)), true],
  ['src 0.0.0.0/0', frame4(udpTo(53)), true],
  ['all', frame4(udpTo(53)), true],
])('%s', (rule, frame, drops) => {
  const where = drops ? 'drops' : 'leaves alone';
  test(`tc ${where} it`, () => {
    expect(lost('tcDrop', rule, frame) === 'TC_INGRESS').toBe(drops);
  });
  test(`raw ${where} it`, () => {
    expect(lost('rawDrop', rule, frame) === 'NETFILTER_DROP').toBe(drops);
  });
});

test('the ports of a first fragment: iptables sees them, flower does not', () => {
  const first = frame4(
    { kind: 'udp', srcPort: 4000, dstPort: 53, payload: new Uint8Array(8) },
    { moreFragments: true },
  );
  expect(lost('rawDrop', 'udp dport 53', first)).toBe('NETFILTER_DROP');
  expect(lost('tcDrop', 'udp dport 53', first)).not.toBe('TC_INGRESS');
  expect(lost('tcDrop', 'udp', first)).toBe('TC_INGRESS');
});

test.each([0, 7])('a tag with id %i: to flower it is no IP packet, whatever is inside', (vid) => {
  const tagged = (): Uint8Array => frame4(udpTo(53), {}, { tags: [{ vid }] });
  for (const rule of ['udp dport 53', 'ip', 'src 0.0.0.0/0'])
    expect(lost('tcDrop', rule, tagged())).toBe(vid === 0 ? 'NO_SOCKET' : 'OTHERHOST');
  expect(lost('tcDrop', 'all', tagged())).toBe('TC_INGRESS');
});

test.each([
  ['udp dport 53', frame6(udpTo(53)), 'TC_INGRESS'],
  ['udp dport 53', frame6(udpTo(53), behindOptions), 'TC_INGRESS'],
  ['ip6', frame6(udpTo(53)), 'TC_INGRESS'],
  ['ip', frame6(udpTo(53)), 'NO_SOCKET'],
  ['dst fd00::/16', frame6(udpTo(53)), 'TC_INGRESS'],
  ['src 0.0.0.0/0', frame6(udpTo(53)), 'NO_SOCKET'],
])('tc sees IPv6 too: %s', (rule, frame, reason) => {
  expect(lost('tcDrop', rule, frame)).toBe(reason);
});

test('raw does not see IPv6, nor what IPv4 refuses first', () => {
  expect(lost('rawDrop', 'all', frame6(udpTo(53)))).toBe('NO_SOCKET');
  const bad = frame4(udpTo(53));
  bad[14] = 0x44;
  expect(lost('rawDrop', 'all', bad)).toBe('IP_INHDR');
  expect(lost('tcDrop', 'all', bad)).toBe('TC_INGRESS');
});

test('ingress drops where no IP protocols listen, too', () => {
  const machine = { inet: undefined, tcDrop: [{}] };
  const rig = new InetRig([frame4(udpTo(9))], { machine }).run();
  expect(rig.lost).toEqual({ TC_INGRESS: 1 });
});

test('the earlier the drop, the less it costs', () => {
  const frames = Array.from({ length: 50 }, () => frame4(udpTo(53)));
  const nsOf = (machine: object): number =>
    new InetRig(frames, { machine })
      .run()
      .machine.result()
      .cpus[0]!.spent.reduce((a, b) => a + b);
  const tc = nsOf({ tcDrop: [{}] });
  const raw = nsOf({ rawDrop: [{}] });
  expect(tc).toBeLessThan(raw);
  expect(raw).toBeLessThan(nsOf({}));
});
