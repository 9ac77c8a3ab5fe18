import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta, bpfXdpAdjustTail } from '../../src/xdp/adjust.ts';
import { xdpGetMetalen, xdpLen } from '../../src/xdp/xdpBuff.ts';
import { xdpRig } from './rig.ts';

/** What a running kernel answered; made by `test/vectors/xdpAdjust.c`. */
interface Vectors {
  readonly kernel: string;
  /** Steps: helper (0 head, 1 tail, 2 meta), delta, return value, packet and metadata bytes after. */
  readonly cases: readonly { len: number; steps: readonly (readonly number[])[] }[];
}

const url = new URL('../vectors/xdpAdjust.json', import.meta.url);
const vectors = JSON.parse(readFileSync(url, 'utf8')) as Vectors;
const HELPERS = [bpfXdpAdjustHead, bpfXdpAdjustTail, bpfXdpAdjustMeta];

test(`240 packets adjusted up to 11 times each, answered as Linux ${vectors.kernel} did`, () => {
  const { mem, md, packet } = xdpRig();
  for (const { len, steps } of vectors.cases) {
    packet(len);
    const ours = steps.map(([helper, delta]) => {
      const err = HELPERS[helper!]!(mem, md, delta!);
      return [helper, delta, err, xdpLen(mem.words, md), xdpGetMetalen(mem.words, md)];
    });
    expect(ours).toEqual(steps);
  }
});
