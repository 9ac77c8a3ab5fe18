/** Routes and neighbours as iproute2 takes them, and a router from the command line's options on. */
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import { parseNeigh, parseRoute } from '../../src/lab/routes.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';

const parsed = (text: string): unknown => parseRoute('route', text);

test.each([
  ['10.2.0.0/16 via 10.0.1.254', 1, 0x0a02_0000, 16, 0x0a00_01fe, ''],
  ['unicast 10.2.3.4 dev eth1', 1, 0x0a02_0304, 32, 0, 'eth1'],
  ['default via 10.0.1.254 dev eth1', 1, 0, 0, 0x0a00_01fe, 'eth1'],
  ['blackhole 10.3.0.0/16', 6, 0x0a03_0000, 16, 0, ''],
  ['unreachable default', 7, 0, 0, 0, ''],
  ['prohibit 10.3.0.0/17', 8, 0x0a03_0000, 17, 0, ''],
  [' throw  10.3.0.0/16 ', 9, 0x0a03_0000, 16, 0, ''],
])('%s', (text, type, dst, prefixLen, gateway, dev) => {
  expect(parsed(text)).toEqual({ type, dst, prefixLen, gateway, dev });
});

test.each([
  ['', 'no network'],
  ['10.2.0.1/16 via 10.0.1.254', 'bits behind the prefix are set (10.2.0.0/16 is meant?)'],
  ['10.2.0.0/33 via 10.0.1.254', 'out of range (0 to 32)'],
  ['10.2.0.0/16', 'needs via or dev'],
  ['10.2.0.0/16 via', 'via needs a value'],
  ['10.2.0.0/16 via x', 'is not of the form'],
  ['10.2.0.0/16 metric 5', 'metric is not one of via, dev'],
  ['10.2.0.0/16 dev a dev b', 'dev is given twice'],
  ['blackhole 10.2.0.0/16 dev eth1', 'leads nowhere has neither'],
  ['fd00::/64 dev eth1', 'only IPv4 has routes here'],
])('refused: "%s"', (text, why) => {
  expect(() => parsed(text)).toThrow(why);
});

test('a neighbour', () => {
  expect(parseNeigh('neigh', '10.0.1.9 lladdr 02:00:00:00:01:09 dev eth1')).toEqual({
    addr: 0x0a00_0109,
    mac: { hi16: 0x0200, lo32: 0x109 },
    dev: 'eth1',
  });
  expect(() => parseNeigh('neigh', '10.0.1.9 lladdr 02:00:00:00:01:09')).toThrow('needs lladdr');
  expect(() => parseNeigh('neigh', '10.0.1.9 lladdr 03:00:00:00:01:09 dev eth1')).toThrow(
    'no address of one NIC',
  );
});

test('traffic for somebody else', () => {
  expect(parseTraffic('udp dst=10.2.0.1').dstIp).toBe(0x0a02_0001);
  expect([...parseTraffic('udp6 dst=fd00:1::9').dstIp6.slice(0, 4)]).toEqual([0xfd, 0, 0, 1]);
  expect(() => parseTraffic('udp dst=10.2.0')).toThrow('traffic dst: "10.2.0" is not understood');
  expect(parseTraffic('dst=10.2.0.1 proto=udp6,icmp').dstIp).toBe(0x0a02_0001);
});

test.each([
  ['udp dst=::1 rate=1M', 'traffic dst: ::1 with udp is out of range (is for udp6, tcp6)'],
  ['udp6 dst=10.2.0.1', 'traffic dst: 10.2.0.1 with udp6 is out of range (is for udp, tcp, icmp)'],
  ['dst=10.2.0.1 proto=arp', 'traffic dst: 10.2.0.1 with arp is out of range'],
  ['dst=10.2.0.1 proto=arp,udp6', 'traffic dst: 10.2.0.1 with arp,udp6 is out of range'],
])('traffic for an address that none of it can have: %s', (text, why) => {
  expect(() => parseTraffic(text)).toThrow(why);
});

const ROUTED = {
  ...{ xdp: 'none', ipForward: true, check: true, queues: 1, cpus: 1 },
  ...{ traffic: 'udp rate=500kpps dst=10.2.0.1', count: 2000 },
};

test('a router: everything that comes in at one NIC leaves by the other, and stages say when', async () => {
  const { report } = await run({
    ...{ ...ROUTED, route: '10.2.0.0/16 via 10.0.1.254; 10.3.0.0/16 dev eth1', stages: true },
  });
  expect(report.conserved).toBe(true);
  expect(report.packets).toMatchObject({ noProgram: 2000, toStack: 0, forwarded: 2000, lost: {} });
  expect([report.packets.stackTx, report.packets.onWire]).toEqual([2000, 2000]);
  expect(report.snmp['Ip']).toEqual({ InReceives: 2000, ForwDatagrams: 2000, OutTransmits: 2000 });
  const { wire, verdict } = report.stagesNs;
  expect([wire!.count, verdict!.count]).toEqual([2000, 2000]);
  // wire to verdict, and then the stack, the TX ring and the wire
  expect(wire!.mean).toBeGreaterThan(report.latencyNs.mean + 500);
});

test('without a route to it a packet is lost by name, and its sender hears of it', async () => {
  const { report } = await run({ ...ROUTED, route: 'throw 10.2.0.0/16', count: 2 });
  expect(report.packets.lost).toEqual({ IP_INNOROUTES: 2 });
  expect(report.packets.onWire).toBe(2);
  expect(report.conserved).toBe(true);
});

const INVALID = '(Nexthop has invalid gateway)';
const MANY = `the gateway is a broadcast or multicast address ${INVALID}`;
const LOST = `the gateway is on the link of none of eth0, eth1 ${INVALID}`;

// what `ip route add` and `ip neigh add` of Linux 6.18 said on a machine with these addresses
test.each([
  ['10.2.0.0/16 via 10.9.0.1', `--route[0]: 10.2.0.0/16 via 10.9.0.1: ${LOST}`],
  ['10.2.0.0/16 via 10.0.1.255', `--route[0]: 10.2.0.0/16 via 10.0.1.255: ${MANY}`],
  ['10.2.0.0/16 via 10.0.0.1 dev eth1', `the gateway is not on eth1's link ${INVALID}`],
  ['default via 0.0.0.0', '--route[0]: 0.0.0.0/0: needs dev, or a gateway other than 0.0.0.0 (No'],
  ['10.2.0.0/16 via 0.0.0.0', 'other than 0.0.0.0 (No such device)'],
  ['10.2.0.0/16 dev eth7', '--route[0]: 10.2.0.0/16 dev eth7: eth7 is not one of eth0, eth1'],
  ['10.0.1.0/24 via 10.0.0.9', "via 10.0.0.9: is eth1's own network (File exists)"],
  ['10.2.0.0/16 dev eth1; blackhole 10.2.0.0/16', '--route[1]: 10.2.0.0/16: route[0] is to'],
  ['10.9.0.0/16 via 10.0.1.9; 10.2.0.0/16 via 10.9.0.1', `--route[1]: 10.2.0.0/16 via 10.9`],
  ['blackhole 10.9.0.0/16; 10.2.0.0/16 via 10.9.0.1', `--route[1]: 10.2.0.0/16 via 10.9`],
  [
    'default dev eth1; 10.2.0.0/16 via 255.255.255.255',
    `--route[1]: 10.2.0.0/16 via 255.255.255.255: ${MANY}`,
  ],
])('refused: "%s"', async (route, why) => {
  await expect(run({ ...ROUTED, route })).rejects.toThrow(why);
});

test.each([
  ['10.2.0.0/16 via 0.0.0.0 dev eth1'],
  ['10.9.0.0/16 dev eth1; 10.2.0.0/16 via 10.9.0.1'],
  ['default dev eth1; throw 10.9.0.0/16; 10.2.0.0/16 via 10.9.0.1'],
  ['10.2.0.0/16 via 10.0.1.0'],
])('taken: "%s", out of the second NIC', async (route) => {
  const neigh = ['10.2.0.1', '10.9.0.1', '10.0.1.0']
    .map((addr) => `${addr} lladdr 02:00:00:00:01:09 dev eth1`)
    .join(';');
  const { report } = await run({ ...ROUTED, route, neigh, count: 20 });
  expect(report.packets).toMatchObject({ forwarded: 20, onWire: 20, lost: {} });
});

test('a gateway that is an own address leads to the link', async () => {
  const neigh = '10.2.0.1 lladdr 02:00:00:00:01:09 dev eth1';
  const given = { ...ROUTED, route: '10.2.0.0/16 via 10.0.1.1', neigh, count: 20 };
  const { report } = await run(given);
  expect(report.packets).toMatchObject({ forwarded: 20, onWire: 20, lost: {} });
  // bpf_fib_lookup tells of the gateway, whom nobody answers for, and leaves them to the stack
  const byXdp = await run({ ...given, xdp: 'router', xdpPeer: 'pass' });
  expect(byXdp.report.packets).toMatchObject({ xdpPass: 20, xdpRedirect: 0, forwarded: 20 });
  const onLink = { ...given, route: '10.2.0.0/16 dev eth1', xdp: 'router', xdpPeer: 'pass' };
  expect((await run(onLink)).report.packets).toMatchObject({ xdpRedirect: 20, onWire: 20 });
});

test.each([
  [{ neigh: '10.0.1.9 lladdr 02:00:00:00:01:09 dev eth7' }, '--neigh[0]: 10.0.1.9 dev eth7: eth7'],
  [
    { neigh: ['09', '0a'].map((n) => `10.0.1.9 lladdr 02:00:00:00:01:${n} dev eth1`).join(';') },
    '--neigh[1]: 10.0.1.9 dev eth1: neigh[0] is the same neighbour (File exists)',
  ],
  [{ stack: false }, '--ip-forward: needs --stack on'],
  [{ ipForward: false, stack: false, rpFilter: 'loose' }, '--rp-filter: needs --stack on'],
  [{ rpFilter: '1' }, '--rp-filter: 1 is not one of off, strict, loose'],
])('refused: %j', async (more, why) => {
  await expect(run({ ...ROUTED, ...more })).rejects.toThrow(why);
});

test.each([
  ['off', {}, 20],
  ['strict', { IP_RPFILTER: 20 }, 0],
  ['loose', {}, 20],
])('senders whose way back is another, rp_filter %s', async (rpFilter, lost, forwarded) => {
  // generated traffic comes from 10.1.0.0/16, and in at eth0
  const route = '10.1.0.0/16 via 10.0.1.254; 10.2.0.0/16 via 10.0.1.254';
  const { report } = await run({ ...ROUTED, route, rpFilter, count: 20, show: 'nstat' });
  expect(report.packets).toMatchObject({ forwarded, lost });
  expect(report.conserved).toBe(true);
  expect(report.snmp['TcpExt']).toEqual(forwarded > 0 ? undefined : { IPReversePathFilter: 20 });
  const line = /^TcpExtIPReversePathFilter +20 /m;
  expect(line.test(report.shown['nstat']!)).toBe(forwarded === 0);
});

test("a device that reads one of a page's pieces is no false alarm", async () => {
  const traffic = 'udp size=1200 rate=1M dst=10.0.1.254';
  const { report } = await run({ ...ROUTED, mtu: 1280, traffic, count: 3000 });
  expect(report.packets).toMatchObject({ offered: 3000, forwarded: 3000, lost: {} });
  expect(report.conserved).toBe(true);
});

test.each(['udp rate=3Mpps flows=64 dst=10.2.0.1', 'udp rate=300kpps size=imix dst=10.0.1.9'])(
  'each arrival by itself comes to the same: %s',
  async (traffic) => {
    const given = { ...ROUTED, traffic, queues: 2, cpus: 2, stages: true };
    const way = '10.2.0.0/16 via 10.0.1.254';
    const [lazy, eager] = await Promise.all(
      [false, true].map(async (each) => run({ ...given, route: way, eager: each })),
    );
    const { wallMs: _wall, run: _run, ...told } = lazy!.report;
    expect(eager!.report).toMatchObject(told);
    expect(lazy!.report.conserved).toBe(true);
  },
);
