/**
 * Byte counts by hand after the specification's TLP formats, and against pcie-bench's model
 * (SIGCOMM 2018), whose answers burden both directions alike: in one direction alone ours is faster.
 */
import { describe, expect, test } from 'vitest';
import { PcieLink } from '../../src/nic/pcieLink.ts';

const NIANTIC = {
  ...{ generation: 3, lanes: 8, maxPayload: 256, maxRead: 512, rxBufferBytes: 512 * 1024 },
  ...{ rxDescriptorBytes: 16, rxDescriptorsPerRead: 32 },
  ...{ rxCompletionBytes: 16, rxCompletionsPerWrite: 1 },
  ...{ txDescriptorBytes: 16, txDescriptorsPerRead: 40 },
  ...{ txCompletionBytes: 16, txCompletionsPerWrite: 8, packetsPerTxCompletion: 1 },
  ...{ rxRegisterWrites: 1 / 32, rxRegisterReads: 1 / 8, txRegisterWrites: 1, txRegisterReads: 1 },
};
/** Gen3 x8: 8 GT/s, 128 of 130 bits, 4 of 1538 bytes for clocks. */
const BYTES_PER_SEC = 8e9 * (128 / 130) * (1 - 4 / 1538);

test('a received frame takes its own write, its completion, a share of a descriptor read', () => {
  const link = new PcieLink(NIANTIC);
  const up = 60 + 24 + (16 + 24) + 24 / 32 + 24 / 8;
  const down = (512 + 2 * 20) / 32 + 28 / 32 + 24 / 8;
  expect(link.rxPs(60)).toBeCloseTo(((up + (16 / 203) * down) / BYTES_PER_SEC) * 1e12, -1);
});

test('a frame longer than the largest payload is several writes', () => {
  const link = new PcieLink(NIANTIC);
  const more = (link.rxPs(257) - link.rxPs(256)) * (BYTES_PER_SEC / 1e12);
  expect(more).toBeCloseTo(1 + 24, 0);
});

describe('within a tenth of the SIGCOMM model, Gb/s of payload', () => {
  test.each([
    [64, 27.16],
    [128, 37.41],
    [256, 45.6],
    [512, 49.02],
    [1024, 50.9],
  ])('receiving frames of %i bytes', (size, gbps) => {
    const link = new PcieLink(NIANTIC);
    const ours = ((size - 4) * 8) / (link.rxPs(size - 4) / 1000);
    expect(Math.abs(ours / gbps - 1)).toBeLessThan(0.1);
  });

  test.each([
    [64, 17.63],
    [256, 37.5],
    [1024, 47.12],
  ])('both ways at once, frames of %i bytes', (size, gbps) => {
    const link = new PcieLink(NIANTIC);
    const len = size - 4;
    const ours = (len * 8) / ((link.rxPs(len) + link.txRequestPs(len)) / 1000);
    expect(Math.abs(ours / gbps - 1)).toBeLessThan(0.1);
  });
});

test.each([
  [{ generation: 6 }, 'PCIe generation: 6 is out of range (1, 2, 3, 4, 5)'],
  [{ lanes: 3 }, 'PCIe lanes: 3 is out of range (1, 2, 4, 8, 16)'],
  [{ maxPayload: 200 }, 'PCIe max payload: 200 is out of range (128, 256, 512, 1024)'],
])('%o is refused', (changed, message) => {
  expect(() => new PcieLink({ ...NIANTIC, ...changed })).toThrow(message);
});
