/** Routes and neighbours as iproute2 takes them, and a router from the command line's options on. */
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import { parseNeigh, parseRoute } from '../../src/lab/routes.ts';
import { parseTraffic } from '../../src/wire/trafficSpec.ts';

const route = (text: string): unknown => parseRoute('route', text);

test.each([
  ['10.2.0.0/16 via 10.0.1.254', 1, 0x0a02_0000, 16, 0x0a00_01fe, ''],
  ['unicast 10.2.3.4 dev eth1', 1, 0x0a02_0304, 32, 0, 'eth1'],
  ['default via 10.0.1.254 dev eth1', 1, 0, 0, 0x0a00_01fe, 'eth1'],
  ['blackhole 10.3.0.0/16', 6, 0x0a03_0000, 16, 0, ''],
  ['unreachable default', 7, 0, 0, 0, ''],
  ['prohibit 10.3.0.0/17', 8, 0x0a03_0000, 17, 0, ''],
  [' throw  10.3.0.0/16 ', 9, 0x0a03_0000, 16, 0, ''],
])('%s', (text, type, dst, prefixLen, gateway, dev) => {
  expect(route(text)).toEqual({ type, dst, prefixLen, gateway, dev });
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
  expect(() => route(text)).toThrow(why);
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

test.each([
  [{ route: '10.2.0.0/16 via 10.9.0.1' }, 'Nexthop has invalid gateway'],
  [{ route: '10.2.0.0/16 via 10.0.1.1' }, 'Nexthop has invalid gateway'],
  [{ route: '10.2.0.0/16 dev eth7' }, 'route 10.2.0.0/16 dev: eth7 is out of range (eth0, eth1)'],
  [{ route: '10.0.1.0/24 via 10.0.0.9' }, 'File exists'],
  [{ neigh: '10.0.1.9 lladdr 02:00:00:00:01:09 dev eth7' }, 'neigh dev: eth7'],
  [{ stack: false }, '--ip-forward: needs --stack on'],
])('refused: %j', async (more, why) => {
  await expect(run({ ...ROUTED, ...more })).rejects.toThrow(why);
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
