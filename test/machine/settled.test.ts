import { describe, expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import { measureNamed } from '../../src/lab/measures.ts';
import type { RunReport } from '../../src/lab/report.ts';

/** 2000 datagrams at 1 Mpps: 2 ms. With a /16 on eth1 the answers leave there, and nobody is there. */
async function answered(addr: string): Promise<RunReport> {
  const { report } = await run({
    xdp: 'pass',
    traffic: 'udp size=64 flows=4 rate=1Mpps',
    ...{ count: 2000, queues: 1, cpus: 2, apps: 'echo:9', check: true },
    nics: [{}, { addr }],
  });
  return report;
}

describe('neighbours that are probed when the traffic is over', () => {
  test('rates and CPU shares are of the time of the traffic', async () => {
    const [quiet, probed] = await Promise.all([answered('10.0.1.1/24'), answered('10.1.9.1/16')]);
    expect(quiet.settledNs).toBe(quiet.virtualNs);
    expect(quiet.packets.onWire).toBe(2000);
    expect(probed.virtualNs).toBeGreaterThan(3e9); // mcast_solicit 3 times, a second apart
    expect(probed.unsent).toEqual(probed.drops);
    const { NEIGH_FAILED, NEIGH_QUEUEFULL } = probed.drops;
    expect(NEIGH_FAILED! + NEIGH_QUEUEFULL! + probed.sockets[0]!.sendErrors).toBe(2000);
    expect(probed.settledNs).toBeGreaterThan(2_000_000 * 0.99);
    expect(probed.settledNs).toBeLessThan(2_200_000);
    const pps = (2000 / probed.settledNs) * 1e9;
    expect(Math.abs(probed.rates.receivedPps - pps)).toBeLessThan(2);
    expect(probed.cpus[0]!.softirqPct).toBeGreaterThan(quiet.cpus[0]!.softirqPct / 2);
    expect(probed.conserved).toBe(true);
    const cpuNs = (report: RunReport): number => measureNamed('', 'cpuNs', report).of(report);
    expect(cpuNs(probed)).toBeGreaterThan(cpuNs(quiet) / 2);
    expect(cpuNs(probed)).toBeLessThan(cpuNs(quiet) * 2);
  });
});
