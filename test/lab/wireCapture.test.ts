import { describe, expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import { WireCapture } from '../../src/lab/wireCapture.ts';
import { HostMemory } from '../../src/host/memory.ts';
import { readCapture } from '../../src/wire/capture.ts';
import type { XdpProgramSpec } from '../../src/xdp/define.ts';
import { defineXdp, devMap } from '../../src/xdp/define.ts';
import { XDP_ABORTED, XDP_TX } from '../../src/xdp/uapi.ts';

/** Every other packet leaves by the NIC it came in by, the others by the next one. */
const both = (): XdpProgramSpec => {
  let packets = 0;
  return defineXdp(
    (ctx) => (packets++ % 2 === 0 ? XDP_TX : ctx.redirectMap(ctx.maps.tx, 0, XDP_ABORTED)),
    { name: 'both', maps: { tx: devMap(1) } },
  );
};

describe('what leaves by several NICs stands in the order of time', () => {
  const of = async (eager: boolean): Promise<Uint8Array> => {
    const traffic = 'size=64-1500 rate=3Mpps arrivals=poisson';
    const given = { traffic, count: 500, queues: 2, cpus: 2, seed: 7, eager };
    const { captures } = await run({ ...given, xdp: both(), txOut: true });
    return captures.txOut!;
  };

  test('lazily and eagerly', async () => {
    const lazy = await of(false);
    const { frames } = readCapture(lazy, 'lazy');
    // as written: the reader never goes back
    const view = new DataView(lazy.buffer, lazy.byteOffset);
    const times = frames.map(({ offset }) => view.getUint32(offset + 16, true));
    expect(new Set(frames.map((frame) => frame.interfaceId)).size).toBe(2);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Buffer.compare(lazy, await of(true))).toBe(0);
  });
});

test('of one time the first NIC comes first, and its frames as they were told', () => {
  const mem = new HostMemory(1 << 16);
  const { at } = mem.region('frames', 4096);
  mem.u8.set([1, 2, 3, 4, 5], at);
  const capture = new WireCapture(mem, ['eth0', 'eth1'], 'out', { sec: 0, subPs: 0 });
  capture.frame(1, 9000, at, 1);
  capture.frame(1, 5000, at + 1, 2);
  capture.frame(0, 9000, at + 2, 3);
  capture.frame(0, 9000, at + 4, 1);
  const file = capture.finish();
  const { frames } = readCapture(file, 'capture');
  const told = frames.map((frame) => [
    frame.interfaceId,
    ...file.subarray(frame.at, frame.at + frame.capLen),
  ]);
  expect(told).toEqual([
    [1, 2, 3],
    [0, 3, 4, 5],
    [0, 5],
    [1, 1],
  ]);
});
