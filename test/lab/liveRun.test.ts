/** A watched run: commands between its steps, and the same run again from its history. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PS_PER_US } from '../../src/host/clock.ts';
import type { GivenIo, RunGiven } from '../../src/lab/given.ts';
import { run } from '../../src/lab/given.ts';
import type { LiveRun } from '../../src/lab/liveRun.ts';
import type { RunOutcome } from '../../src/lab/run.ts';

const FILTER = readFileSync(new URL('../../examples/bpf/ddos_filter.o', import.meta.url));
const GIVEN: RunGiven = {
  xdp: FILTER,
  traffic: 'udp size=64 flows=1 rate=1Mpps',
  count: 500,
  cpus: 2,
  watch: true,
};

async function watched(
  drive: GivenIo['drive'],
  said: string[] = [],
  given: RunGiven = GIVEN,
): Promise<RunOutcome> {
  const refuse = (): Promise<never> => Promise.reject(new Error('no files here'));
  return run(given, {
    readFile: refuse,
    importProgram: refuse,
    nowMs: () => 0,
    says: (text) => void said.push(text),
    ...(drive === undefined ? {} : { drive }),
  });
}

/** In steps of a length that divides nothing. */
async function toTheEnd(live: LiveRun): Promise<void> {
  while (!live.over) live.advance(7.3 * PS_PER_US);
}

const books = ({ report, maps }: RunOutcome): string =>
  JSON.stringify([report.virtualNs, report.packets, report.latencyNs, report.ethtool, maps]);

test('steps leave no trace', async () => {
  expect(books(await watched(toTheEnd))).toBe(books(await watched(undefined)));
});

test('what was done is told, and done again gives the same run', async () => {
  let history: readonly string[] = [];
  const outcome = await watched(async (live) => {
    live.advance(100.4 * PS_PER_US);
    await live.command('update blocked4 {"len": 0} 7');
    await live.command('350us delete blocked4 {"len": 0}');
    live.advance(300 * PS_PER_US);
    await live.command('xdp drop');
    history = (await live.command('history')).data as readonly string[];
    await toTheEnd(live);
  });
  expect(history).toHaveLength(3);
  const again = await run({ ...GIVEN, watch: false, at: history });
  expect(books(again)).toBe(books(outcome));
  expect(outcome.report.packets.xdpDrop).toBeGreaterThan(200);
});

test('a step pauses where it ends; quit ends the traffic and keeps the books', async () => {
  const { report } = await watched(async (live) => {
    await live.command('step 50us');
    for (let i = 0; i < 100; i++) live.advance(PS_PER_US);
    const { data } = await live.command('stats');
    const { virtualNs, packets } = data as { virtualNs: number; packets: { offered: number } };
    expect(virtualNs).toBeCloseTo(50_000, -3);
    expect(packets.offered).toBeGreaterThan(40);
    expect(live.paused).toBe(true);
    await live.command('go');
    await live.command('quit');
    expect(live.over).toBe(true);
  });
  expect(report.conserved).toBe(true);
});

test('elements as data, and what is refused', async () => {
  const said: string[] = [];
  await watched(async (live) => {
    await live.command('update blocked4 {"len":8,"addr":167772160} 3');
    expect((await live.command('lookup blocked4 0x080000000a000000')).data).toEqual({
      key: '080000000a000000',
      value: '03000000',
      formatted: { key: { len: 8, addr: 0x0a000000 }, value: 3 },
    });
    await expect(live.command('lookup blocked4 {"len":9}')).rejects.toThrow('no such key');
    await expect(live.command('pouse')).rejects.toThrow('did you mean pause');
    await expect(live.command('update nothing 1 1')).rejects.toThrow('no map nothing');
    await expect(live.command('step soon')).rejects.toThrow('"soon" is not understood');
    await live.command('100us delete blocked4 {"len":9}');
    await toTheEnd(live);
  }, said);
  expect(said).toEqual(['100us delete blocked4 {"len":9}: map blocked4: no such key']);
});
