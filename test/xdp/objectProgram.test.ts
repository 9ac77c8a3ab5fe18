/** Objects in the driver: attached, exchanged, in company, and judged by their TypeScript twin. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import l4lb from '../../examples/l4lb.ts';
import { run } from '../../src/lab/given.ts';
import type { RunGiven } from '../../src/lab/given.ts';
import { chooseProgram, readObject } from '../../src/lab/bpfObject.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import type { XdpProgramSpec } from '../../src/xdp/define.ts';
import { dispatchXdp } from '../../src/xdp/dispatcher.ts';
import { objectXdp } from '../../src/xdp/objectProgram.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../src/xdp/uapi.ts';
import { objectBytes } from './elf/objects.ts';

const object = (name: string): Uint8Array =>
  readFileSync(new URL(`../../examples/bpf/${name}.o`, import.meta.url));

function configured(name: string): XdpProgramSpec {
  const spec = readObject('runConfig.o', objectBytes('runConfig'));
  return objectXdp(spec, chooseProgram(spec, { program: name }));
}

async function outcome(given: RunGiven): ReturnType<typeof run> {
  return run({ count: 20_000, check: true, txOut: true, passOut: true, ...given });
}

test('the load balancer in C does what the one in TypeScript does, byte for byte', async () => {
  const fromC = await outcome({ xdp: object('l4lb') });
  const fromTs = await outcome({ xdp: l4lb });
  expect(fromC.report.conserved).toBe(true);
  expect(fromC.report.packets).toEqual(fromTs.report.packets);
  expect(fromC.report.packets.xdpTx).toBeGreaterThan(18_000);
  expect(Buffer.compare(fromC.captures.txOut!, fromTs.captures.txOut!)).toBe(0);
  expect(Buffer.compare(fromC.captures.passOut!, fromTs.captures.passOut!)).toBe(0);
});

test('runs and their time are counted for each program', async () => {
  const { report } = await outcome({ xdp: object('spreader'), rate: '1Mpps' });
  const [spreader, peer] = report.programs;
  expect(spreader).toMatchObject({ name: 'spreader', nic: 'eth0', runCnt: 20_000 });
  expect(spreader!.runTimeNs).toBeGreaterThan(0);
  expect(peer).toEqual({
    id: spreader!.id + 1,
    name: 'pass',
    nic: 'eth1',
    runCnt: 0,
    runTimeNs: 0,
  });
});

test.each([
  ['ddos_filter', { xdpPass: 20_000 }],
  ['dns_parser', { xdpPass: 20_000 }],
  ['sampler', { xdpPass: 20_000 }],
])('%s runs to its end and all adds up', async (name, packets) => {
  const { report } = await outcome({ xdp: object(name), rate: '1Mpps' });
  expect(report.conserved).toBe(true);
  expect(report.packets).toMatchObject(packets);
  expect(report.pages.leaked).toBe(0);
});

test('without a name the program is the one that no tail call leads to', () => {
  const spec = readObject('tail_calls.o', object('tail_calls'));
  expect(chooseProgram(spec, {}).name).toBe('entry');
  expect(chooseProgram(spec, { program: 'verdict' }).name).toBe('verdict');
});

test('programs for entries of maps, and those kept back, run only when they are asked for', async () => {
  const spec = readObject('sections.o', objectBytes('sections'));
  const { first, second, ...others } = spec.programs;
  const reordered = { ...spec, programs: { ...others, second: second!, first: first! } };
  expect(chooseProgram(reordered, {}).name).toBe('third');
  const { on_device: onDevice, not_by_itself: keptBack } = spec.programs;
  const few = { ...spec, programs: { onDevice: onDevice!, keptBack: keptBack!, first: first! } };
  expect(chooseProgram(few, {}).name).toBe('first');
  const attached = outcome({ xdp: objectBytes('sections'), program: 'on_device' });
  await expect(attached).rejects.toThrow('BPF_XDP_DEVMAP programs can not be attached to a device');
});

test('what a program prints in the driver is in the report, with CPU and time', async () => {
  const bytes = new Uint8Array(readFileSync(new URL('../bpf/printk.o', import.meta.url)));
  const { report } = await outcome({ xdp: bytes, count: 3, cpus: 1, rate: '1kpps' });
  const { count, lines } = report.printed;
  expect(count).toBe(3);
  // the first two bytes of 02:00:00:00:00:01, and 2^40
  const line = { cpu: 0, text: '2 0 1099511627776' };
  expect(lines.map(({ cpu, text }) => ({ cpu, text }))).toEqual([line, line, line]);
  const times = lines.map(({ virtualNs }) => virtualNs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(3);
});

test('tail calls and metadata work in the driver', async () => {
  const { report } = await outcome({ xdp: object('tail_calls'), rate: '1Mpps' });
  const { xdpPass, xdpDrop, xdpAborted } = report.packets;
  expect(xdpAborted).toBe(0);
  // ICMP is dropped, UDP, TCP and what is not IP passed
  expect(xdpPass).toBeGreaterThan(18_000);
  expect(xdpDrop).toBe(20_000 - xdpPass);
});

test('a spreader sends to the next NIC what hashes to slot 0, and passes the rest', async () => {
  const alone = { count: 20_000, check: true, rate: '1Mpps', stack: 'off' };
  const { report } = await run({ xdp: object('spreader'), ...alone });
  const { xdpRedirect, xdpPass, onWire } = report.packets;
  expect(xdpRedirect + xdpPass).toBe(20_000);
  expect(xdpRedirect).toBeGreaterThan(1000);
  expect(onWire).toBe(xdpRedirect);
});

describe('cpu_spreader', () => {
  const given = { xdp: object('cpu_spreader'), queues: 1, cpus: 4, rate: '1Mpps' };
  const udp = 'udp size=64 flows=1000 pattern=uniform';

  test('the CPUs of its map share the flows evenly, and slot 0 left empty stays with RX', async () => {
    const at = '0 update cpus 1 1024; 0 update cpus 2 1024; 0 update cpus 3 1024';
    const { report, maps } = await outcome({ ...given, traffic: udp, at, mapsOut: 'sent' });
    expect(report.conserved).toBe(true);
    expect(report.packets.cpumapPass).toBe(report.packets.xdpRedirect);
    expect(report.packets.cpumapPass + report.packets.xdpPass).toBe(20_000);
    const { elems } = maps.maps.find(({ name }) => name === 'sent')!;
    const sent = elems.map(({ value }) => Number(Buffer.from(value, 'hex').readBigUInt64LE()));
    const shares = [report.packets.xdpPass, ...sent.slice(1, 4)];
    // a fourth of 1000 flows each; three standard deviations of a binomial are 41 flows
    for (const share of shares) expect(Math.abs(share - 5000)).toBeLessThan(41 * 20);
    expect(sent.slice(4)).toEqual(Array.from({ length: 60 }, () => 0));
  });

  test('without entries, and for what is not IP, packets stay where they are', async () => {
    const { packets: alone } = (await outcome({ ...given, traffic: udp })).report;
    expect([alone.xdpPass, alone.xdpRedirect]).toEqual([20_000, 0]);
    const to = { ...given, traffic: 'arp', at: '0 update cpus 0 64' };
    const { packets: arp } = (await outcome({ ...to, count: 100 })).report;
    expect([arp.xdpPass, arp.xdpRedirect]).toEqual([100, 0]);
  });
});

describe('several programs on one device', () => {
  const verdict = (name: string, value: number): ReturnType<typeof defineXdp> =>
    defineXdp(() => value, { name });
  const pass = verdict('pass', XDP_PASS);
  const drop = verdict('drop', XDP_DROP);
  const tx = verdict('tx', XDP_TX);

  test.each([
    [[{ program: pass }, { program: drop }], 'xdpDrop'],
    [[{ program: drop }, { program: pass }], 'xdpDrop'],
    [[{ program: pass, priority: 60 }, { program: drop }, { program: tx, priority: 10 }], 'xdpTx'],
    [[{ program: drop, chainCallActions: 1 << XDP_DROP }, { program: tx }], 'xdpTx'],
    [[{ program: pass }, { program: pass }], 'xdpPass'],
    // the last one goes on: behind it the dispatcher passes
    [[{ program: drop, chainCallActions: 1 << XDP_DROP }], 'xdpPass'],
  ] as const)('%#: %s', async (programs, fate) => {
    const { report } = await run({ xdp: dispatchXdp(programs), count: 100, rate: '1Mpps' });
    expect(report.packets[fate]).toBe(100);
  });

  test('objects and TypeScript side by side, each with its maps', async () => {
    const spec = readObject('ddos_filter.o', object('ddos_filter'));
    const filter = objectXdp(spec, chooseProgram(spec, {}));
    const { report } = await run({
      xdp: dispatchXdp([{ program: filter }, { program: l4lb }]),
      count: 1000,
      rate: '1Mpps',
      check: true,
    });
    expect(report.conserved).toBe(true);
    expect(report.packets.xdpTx).toBeGreaterThan(900);
  });

  // test/objects/runConfig.bpf.c: earlier (5) passes and stops there, first (10) drops and goes on,
  // silent (50) sends back
  test.each([
    [['silent', 'first'], 'xdpTx'],
    [['first'], 'xdpPass'],
    [['first', 'silent', 'earlier'], 'xdpPass'],
  ] as const)('%j: priority and verdicts to go on from as the object says', async (names, fate) => {
    const programs = names.map((name) => ({ program: configured(name) }));
    const { report } = await run({ xdp: dispatchXdp(programs), count: 100, rate: '1Mpps' });
    expect(report.packets[fate]).toBe(100);
  });

  test('what is given goes before what the object says', async () => {
    const programs = [
      { program: configured('earlier'), priority: 60 },
      { program: configured('first'), chainCallActions: 0 },
    ];
    const { report } = await run({ xdp: dispatchXdp(programs), count: 100, rate: '1Mpps' });
    expect(report.packets.xdpDrop).toBe(100);
  });

  test('a member that libxdp does not know is refused', () => {
    expect(() => configured('odd')).toThrow(
      /^runConfig\.o: .* \.xdp_run_config of program odd: a member urgency, which is not known$/,
    );
  });

  test('eleven are too many', () => {
    const eleven = Array.from({ length: 11 }, () => ({ program: pass }));
    expect(() => dispatchXdp(eleven)).toThrow('dispatcher: 11 is out of range (1 to 10 programs)');
  });
});
