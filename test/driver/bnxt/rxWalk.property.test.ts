/**
 * The compiled walk changes nothing: not a byte of memory, not a picosecond, not a count.
 *
 * RINGSCOPE_RUNS multiplies the number of random machines, RINGSCOPE_SEED chooses others.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { END_OF_TIME } from '../../../src/host/clock.ts';
import type { RunGiven } from '../../../src/lab/given.ts';
import { run } from '../../../src/lab/given.ts';
import type { Machine } from '../../../src/machine.ts';
import { LazyHardware } from '../../../src/nic/lazy.ts';
import { HeadSlab } from '../../../src/stack/headSlab.ts';
import type { XdpContext } from '../../../src/xdp/context.ts';
import { defineXdp, devMap } from '../../../src/xdp/define.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import { oneNic } from '../../machine/oneNic.ts';
import type { Case } from '../../nic/cases.ts';
import { difference, historyOf } from '../../nic/history.ts';
import { droppingCase, passingCase } from './droppingCases.ts';
import { unwalked, walked } from './walked.ts';

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);
const CASES = 60 * RUNS;
const PATIENCE = { timeout: 120_000 * RUNS };

test.each<[string, fc.Arbitrary<Case>, number, number]>([
  ['drop most packets, redirect them, pass them up, or neither', droppingCase, CASES, 120],
  ['pass most packets up to an application', passingCase, CASES / 4, 100],
])('random machines whose programs %s', PATIENCE, async (_, cases, numRuns, least) => {
  let packets = 0;
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const of = () => historyOf(c, () => new LazyHardware(), false);
      const one = await walked(of);
      packets += one.packets;
      expect(difference(one.what, await unwalked(of))).toBeNull();
    }),
    { numRuns, seed: SEED, endOnFailure: true },
  );
  expect(packets).toBeGreaterThan(least * numRuns);
});

const object = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../${name}`, import.meta.url));
const COUNT = object('bench/bpf/count.o');
const FILTER = object('examples/bpf/ddos_filter.o');
const BALANCER = object('examples/bpf/l4lb.o');
const LIMITER = object('examples/bpf/rate_limiter.o');
const SAMPLER = object('examples/bpf/sampler.o');
const CHAIN = object('examples/bpf/tail_calls.o');
const RATE = 'udp size=64 flows=16 rate=40Mpps';
const IMIX = 'udp size=imix rate=line';
const TAGGED = `${RATE} vlan=7`;
const ROUTER = { ipForward: true, route: '10.2.0.0/16 via 10.0.1.254' };
const BLOCK = 'update blocked4 {"len":0,"addr":0} 7';

/** Everything that a run leaves behind, as text. */
async function everythingOf(given: RunGiven): Promise<string> {
  const { report, captures, maps } = await run(given);
  const bytes = Object.values(captures).map((capture: Uint8Array) => [...capture]);
  return JSON.stringify({ report, bytes, maps });
}

describe('whole runs give the same report, captures and maps', () => {
  test.each<[string, RunGiven]>([
    ['more than a CPU can drop', { xdp: 'drop', traffic: RATE, queues: 1 }],
    ['on P5', { xdp: 'drop', traffic: RATE, queues: 2, cpus: 1, chip: 'p5' }],
    ['several queues on two CPUs', { xdp: 'drop', traffic: RATE, queues: 4, cpus: 2 }],
    ['in polls of nine', { xdp: 'drop', traffic: RATE, queues: 1, budget: 9 }],
    ['in polls of 1000', { xdp: 'drop', traffic: RATE, queues: 1, budget: 1000, rxRing: 2047 }],
    ['as long as VLAN tags are there', { xdp: 'drop', traffic: `${RATE} vlan=7`, queues: 1 }],
    ['lengths that differ', { xdp: 'drop', traffic: 'udp size=imix rate=line', queues: 1 }],
    ['caches', { xdp: 'drop', traffic: RATE, queues: 2, profile: 'xdp-paper-2018' }],
    ['adaptive moderation', { xdp: 'drop', traffic: RATE, queues: 1, adaptiveRx: true }],
    ['sent back', { xdp: 'echo', traffic: RATE, queues: 1, txOut: true }],
    ['sent back on P5', { xdp: 'echo', traffic: RATE, queues: 2, chip: 'p5', txOut: true }],
    ['sent back, from a short ring', { xdp: 'echo', traffic: RATE, queues: 1, txRing: 128 }],
    ['sent back by a program of an object', { xdp: BALANCER, traffic: RATE, queues: 1 }],
    ['large frames sent back', { xdp: 'echo', traffic: 'udp size=imix rate=line', queues: 1 }],
    ['redirected', { xdp: 'redirect', traffic: RATE, queues: 1, txOut: true }],
    ['redirected on P5', { xdp: 'redirect', traffic: RATE, queues: 2, chip: 'p5', txOut: true }],
    ['redirected to a short ring', { xdp: 'redirect', traffic: RATE, queues: 1, txRing: 31 }],
    [
      'redirected one by one',
      { xdp: 'redirect', traffic: RATE, profile: 'i40e-2019-retpoline-unbulked' },
    ],
    ['stages of what is redirected', { xdp: 'redirect', traffic: RATE, queues: 1, stages: true }],
    ['stages', { xdp: 'drop', traffic: RATE, queues: 2, cpus: 2, stages: true }],
    ['stages of what is sent back', { xdp: 'echo', traffic: RATE, queues: 1, stages: true }],
    ['passed up', { xdp: 'pass', traffic: RATE, queues: 1 }],
    ['passed up on P5', { xdp: 'pass', traffic: RATE, queues: 2, chip: 'p5' }],
    ['passed up as a capture has it', { xdp: 'pass', traffic: RATE, queues: 1, passOut: true }],
    ['passed up to those who are told', { xdp: SAMPLER, traffic: RATE, queues: 1 }],
    ['passed up to who reads', { xdp: 'pass', traffic: RATE, cpus: 2, apps: 'sink:9', appCpu: 1 }],
    ['passed up to who answers', { xdp: 'pass', traffic: RATE, cpus: 2, apps: 'echo:9' }],
    ['passed up to other CPUs', { xdp: 'pass', traffic: RATE, cpus: 3, rps: '1,2' }],
    ['passed up and forwarded', { xdp: 'pass', traffic: `${RATE} dst=10.2.0.1`, ...ROUTER }],
    ['passed up to a filter', { xdp: 'pass', traffic: RATE, tcDrop: 'udp dport 9' }],
    ['counted in a map', { xdp: COUNT, traffic: RATE, queues: 2, cpus: 2 }],
    ['a program that reads the clock', { xdp: LIMITER, traffic: RATE, queues: 2, cpus: 2 }],
    ['tested access', { xdp: FILTER, traffic: RATE, queues: 1, verify: false, at: `1us ${BLOCK}` }],
    [
      'a map that changes what is dropped, then the program itself, then a fault',
      {
        ...{ xdp: FILTER, traffic: RATE, queues: 1, passOut: true },
        at: `20us ${BLOCK}; 150us delete blocked4 {"len":0,"addr":0}; 160us xdp drop; 300us fault pageAlloc`,
      },
    ],
  ])('%s', PATIENCE, async (_, given) => {
    const options = { count: 20_000, cpus: 1, ...given };
    const { what, packets } = await walked(() => everythingOf(options));
    expect(what).toBe(await unwalked(() => everythingOf(options)));
    expect(packets).toBeGreaterThan(300);
  });

  test.each<[string, RunGiven]>([
    ['calls tails', { xdp: CHAIN }],
    ['redirects to where no program is', { xdp: 'redirect', xdpPeer: 'none' }],
    ['passes long packets up', { xdp: 'pass', traffic: IMIX }],
    ['passes packets with tags up', { xdp: 'pass', traffic: TAGGED }],
    ['passes up to no stack', { xdp: 'pass', stack: false }],
    ['passes up with stages', { xdp: 'pass', stages: true }],
  ])('a program that only %s', PATIENCE, async (_, given) => {
    const options = { count: 20_000, cpus: 1, queues: 1, traffic: RATE, ...given };
    const { what, packets } = await walked(() => everythingOf(options));
    expect(what).toBe(await unwalked(() => everythingOf(options)));
    // tried, and soon hardly any more
    expect(packets).toBeGreaterThan(0);
    expect(packets).toBeLessThan(100);
  });
});

/** What is left of a machine that ran to its end, or up to an error. */
function leftOf(machine: Machine): string {
  const end = (): string => {
    try {
      machine.run(END_OF_TIME);
      return '';
    } catch (error) {
      return String(error);
    }
  };
  const error = end();
  const { rxRing, dev } = machine.nics[0]!.bp;
  const { cpr, fates, rxProd, rxNextCons, xdpRxq, cpu } = rxRing[0]!;
  return JSON.stringify({
    ...{ error, fates, rxProd, rxNextCons, mean: xdpRxq.latency.meanPs() },
    ...{ packets: cpr.packets, bytes: cpr.bytes, now: cpu.now, dmesg: dev.net.dmesg.lines },
  });
}

const FAST = { count: 3000, traffic: 'rate=40Mpps', machine: { check: false } };

/** Of one whose program gives all packets the same verdict but the last of so many. */
function endedBy(last: (ctx: XdpContext) => unknown, before: number): string {
  let packets = 0;
  const program = (ctx: XdpContext): unknown => (++packets === 1500 ? last(ctx) : before);
  const xdp = defineXdp(program as (ctx: XdpContext) => number, { name: 'naughty' });
  return leftOf(oneNic({ ...FAST, xdp }));
}

/** Of one that sends back, when whoever takes what is sent fails at the `last`th frame. */
function failedBy(last: number): string {
  let frames = 0;
  const machine = oneNic({ ...FAST, xdp: defineXdp(() => XDP_TX, { name: 'echo' }) });
  machine.watchWire({
    frame() {
      if (++frames === last) throw new Error('no room');
    },
  });
  return leftOf(machine);
}

/** Of one that passes everything, when a tap fails at the `last`th packet. */
function tappedBy(last: number): string {
  let packets = 0;
  const machine = oneNic({ ...FAST, xdp: defineXdp(() => XDP_PASS, { name: 'pass' }) });
  machine.net.addTap({
    onSkb() {
      if (++packets === last) throw new Error('no ear');
    },
  });
  const { error, fates, mean, now } = JSON.parse(leftOf(machine)) as Record<string, unknown>;
  return JSON.stringify({ error, fates, mean, now });
}

const NICS = [0, 1].map((i) => ({
  ...{ name: `eth${i}`, mac: Uint8Array.of(2, 0, 0, 0, 0, i + 1), queues: 1, rxRing: 511 },
  ...{ txRing: 511, mtu: 1500, linkBps: 1e11, rxUsecs: 10, rxFrames: 15, txUsecs: 28 },
  ...{ txFrames: 30, rxvlan: true, promisc: false, irqAffinity: [0] },
}));
const PORTS = { ports: devMap(1) };
const toPeer = defineXdp((ctx) => ctx.redirectMap(ctx.maps.ports, 0), { maps: PORTS });

/** Of one that redirects, when the other device's driver fails at the `last`th call. */
function refusedBy(last: number): string {
  const machine = oneNic({ ...FAST, xdp: toPeer, machine: { check: false, nics: NICS } });
  machine.attachXdp(
    1,
    defineXdp(() => XDP_DROP, { name: 'drop' }),
  );
  let calls = 0;
  const { dev } = machine.nics[1]!.bp;
  const xmit = dev.ndoXdpXmit.bind(dev);
  dev.ndoXdpXmit = (...args) => {
    if (++calls === last) throw new Error('no such register');
    return xmit(...args);
  };
  return leftOf(machine);
}

/** Of one that redirects, when the pool fails at the `last`th page out of its ring. */
function unfilledBy(last: number): string {
  // a frame's page goes into the ring on a CPU that is not the pool's
  const nics = [NICS[0]!, { ...NICS[1]!, irqAffinity: [1] }];
  const machine = oneNic({ ...FAST, xdp: toPeer, machine: { check: false, cpus: 2, nics } });
  machine.attachXdp(
    1,
    defineXdp(() => XDP_DROP, { name: 'drop' }),
  );
  machine.open();
  let refills = 0;
  const { pagePool } = machine.nics[0]!.bp.rxRing[0]!;
  const alloc = pagePool.alloc.bind(pagePool);
  pagePool.alloc = (cpu) => {
    const refill = pagePool.cachedPages === 0 && pagePool.ringPages > 0;
    if (refill && ++refills === last) throw new Error('no such page');
    return alloc(cpu);
  };
  return leftOf(machine);
}

/** Of one that passes everything, when there is no looking for the `last`th head of an skb. */
function headlessBy(last: number): string {
  let looks = 0;
  const { peek } = HeadSlab.prototype;
  const spy = vi.spyOn(HeadSlab.prototype, 'peek').mockImplementation(function look(
    this: HeadSlab,
    ahead,
  ) {
    if (++looks === last) throw new Error('no such head');
    return peek.call(this, ahead);
  });
  try {
    return leftOf(oneNic({ ...FAST, xdp: defineXdp(() => XDP_PASS, { name: 'pass' }) }));
  } finally {
    spy.mockRestore();
  }
}

describe('a run that ends or errs in the middle of a walk', () => {
  test.each<[string, (ctx: XdpContext) => unknown]>([
    ['throws', () => Object.freeze(['x']).concat().at(-1)!.repeat(-1)],
    ['leaves its packet', (ctx) => ctx.u32(5000)],
    ['returns nothing', () => undefined],
    ['returns a fraction', () => 1.5],
    ['returns a text', () => '1'],
    ['returns what Linux does not know', () => 77],
    ['returns more than 32 bits, the lower of which are XDP_DROP', () => 2 ** 32 + XDP_DROP],
  ])('%s', async (_, last) => {
    for (const before of [XDP_DROP, XDP_PASS]) {
      const { what, packets } = await walked(() => endedBy(last, before));
      expect(what).toBe(await unwalked(() => endedBy(last, before)));
      expect(packets).toBeGreaterThan(500);
    }
  });

  test('what fails while a full bulk queue is sent is not the program', PATIENCE, async () => {
    let inWalks = 0;
    for (let last = 40; last < 44; last++) {
      const { what, threw } = await walked(() => refusedBy(last));
      expect(what).toBe(await unwalked(() => refusedBy(last)));
      expect(what).toContain('"Error: no such register"');
      inWalks += threw;
    }
    expect(inWalks).toBeGreaterThan(1);
  });

  test('nor is what fails while the pool refills its cache', PATIENCE, async () => {
    const { what, threw } = await walked(() => unfilledBy(3));
    expect(what).toBe(await unwalked(() => unfilledBy(3)));
    expect(what).toContain('"Error: no such page"');
    expect(threw).toBe(1);
  });

  test('nor is what fails while heads are lent', PATIENCE, async () => {
    for (let last = 1; last < 20; last++) {
      const { what, threw } = await walked(() => headlessBy(last));
      expect(what).toContain('"Error: no such head"');
      expect(threw).toBe(1);
    }
  });

  test('what fails while the NIC catches up is not the program', PATIENCE, async () => {
    let inWalks = 0;
    for (let last = 1200; last < 1300; last += 10) {
      const { what, threw } = await walked(() => failedBy(last));
      expect(what).toBe(await unwalked(() => failedBy(last)));
      expect(what).toContain('"Error: no room"');
      inWalks += threw;
    }
    expect(inWalks).toBeGreaterThan(0);
  });

  test('nor is what fails in the stack', PATIENCE, async () => {
    let inWalks = 0;
    for (let last = 500; last < 508; last++) {
      const { what, threw } = await walked(() => tappedBy(last));
      expect(what).toBe(await unwalked(() => tappedBy(last)));
      expect(what).toContain('"Error: no ear"');
      inWalks += threw;
    }
    expect(inWalks).toBeGreaterThan(0);
  });
});
