/** Profiles whose frames share pages: bytes go up as ever, and take what mlx5's driver took for them. */
import { expect, test } from 'vitest';
import { PROFILES } from '../../../src/host/profiles.ts';
import { fromFlags, readOptions } from '../../../src/lab/options.ts';
import { runScenario } from '../../../src/lab/run.ts';
import { XDP_PASS } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, program, udpFrame } from './rig.ts';

const profile = PROFILES.find(({ name }) => name === 'mlx5-2016')!;

test.each([60, 129, 257, 1514, 3516])(
  'a frame of %i bytes goes up whole, its buffer back',
  (len) => {
    const rig = new Rig({ profile, mtu: 3502 });
    const skbs = rig.tap();
    const frame = udpFrame(len);
    rig.readyFrames([frame]);
    rig.poll();
    expect(skbs[0]).toMatchObject({
      bytes: [...frame],
      len: len - 14,
      nrFrags: 0,
      headFrag: false,
    });
    expect(rig.leftOver()).toEqual(NOTHING);
  },
);

test('with a program each frame has its page, as without the habit', () => {
  const rig = new Rig({ profile, xdp: [program(() => XDP_PASS)] });
  const skbs = rig.tap();
  rig.readyFrames([udpFrame(1514)]);
  rig.poll();
  expect(skbs[0]).toMatchObject({ nrFrags: 1 });
});

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};

test.each([
  ['xdp-paper-2018', { fragments: 0, lines: 0 }],
  ['mlx5-2016', { fragments: 1000, lines: 1600, pages: 300 }],
])('%s: 800 frames of 1500 bytes, what they took', async (profileName, expected) => {
  const flags = { xdp: 'none', rawDrop: 'all', traffic: 'udp size=1500 rate=1Mpps', count: '800' };
  const options = { ...flags, queues: '1', cpus: '1', profile: profileName, breakdown: true };
  const { report } = await runScenario(readOptions([fromFlags(options)]), io);
  const count = (op: string): number => report.costs.find((cost) => cost.op === op)?.count ?? 0;
  expect(report.packets.received).toBe(800);
  const pages = count('page_pool cache'); // bnxt's own, where frames share none
  expect({ pages, fragments: count('page fragment'), lines: count('copy, per 64 bytes') }).toEqual({
    ...{ pages, ...expected },
  });
});
