import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta, bpfXdpAdjustTail } from '../../src/xdp/adjust.ts';
import { xdpData, xdpDataEnd, xdpDataMeta } from '../../src/xdp/xdpBuff.ts';
import { xdpRig } from './rig.ts';

const EACCES = 13;
const EINVAL = 22;
const ENOTSUPP = 524;
const PAGE = 4096;
const FRAME = 40;
const SHARED_INFO = 320;

const counting = (len: number): Uint8Array => Uint8Array.from({ length: len }, (_, i) => i + 1);

describe('adjust_head', () => {
  test('reaches down to hard start + 40 and not one byte further', () => {
    const { mem, md, packet } = xdpRig();
    const page = packet(60);
    expect(bpfXdpAdjustHead(mem, md, -(256 - FRAME) - 1)).toBe(-EINVAL);
    expect(xdpData(mem.words, md)).toBe(page + 256);
    expect(bpfXdpAdjustHead(mem, md, -(256 - FRAME))).toBe(0);
    expect(xdpData(mem.words, md)).toBe(page + FRAME);
  });

  test('leaves an Ethernet header of 14 bytes', () => {
    const { mem, md, packet, bytes } = xdpRig();
    packet(counting(60));
    expect(bpfXdpAdjustHead(mem, md, 47)).toBe(-EINVAL);
    expect(bpfXdpAdjustHead(mem, md, 46)).toBe(0);
    expect([...bytes()]).toEqual([...counting(60).slice(46)]);
  });

  test('takes metadata along, byte for byte, even where old and new place overlap', () => {
    const { mem, md, packet } = xdpRig();
    packet(60);
    expect(bpfXdpAdjustMeta(mem, md, -12)).toBe(0);
    mem.u8.set(counting(12), xdpDataMeta(mem.words, md));
    const meta = xdpDataMeta(mem.words, md);
    expect(bpfXdpAdjustHead(mem, md, -4)).toBe(0);
    expect(xdpDataMeta(mem.words, md)).toBe(meta - 4);
    expect([...mem.u8.slice(meta - 4, meta + 8)]).toEqual([...counting(12)]);
  });

  test('keeps room for the frame in front of metadata', () => {
    const { mem, md, packet } = xdpRig();
    packet(60);
    bpfXdpAdjustMeta(mem, md, -8);
    expect(bpfXdpAdjustHead(mem, md, -(256 - FRAME - 8) - 1)).toBe(-EINVAL);
    expect(bpfXdpAdjustHead(mem, md, -(256 - FRAME - 8))).toBe(0);
  });

  test('without metadata support keeps it unsupported', () => {
    const { mem, md, packet } = xdpRig();
    packet(60, 256, false);
    expect(bpfXdpAdjustHead(mem, md, -20)).toBe(0);
    expect(bpfXdpAdjustMeta(mem, md, 0)).toBe(-ENOTSUPP);
  });
});

describe('adjust_tail', () => {
  test('grows up to the shared info and not one byte further', () => {
    const { mem, md, packet } = xdpRig();
    const page = packet(60);
    const room = PAGE - SHARED_INFO - 256 - 60;
    expect(bpfXdpAdjustTail(mem, md, room + 1)).toBe(-EINVAL);
    expect(bpfXdpAdjustTail(mem, md, room)).toBe(0);
    expect(xdpDataEnd(mem.words, md)).toBe(page + PAGE - SHARED_INFO);
  });

  test('new bytes read zero, the others stay', () => {
    const { mem, md, packet, bytes } = xdpRig();
    const page = packet(counting(60));
    mem.u8.fill(0xee, page + 256 + 60, page + PAGE);
    expect(bpfXdpAdjustTail(mem, md, 7)).toBe(0);
    expect([...bytes()]).toEqual([...counting(60), 0, 0, 0, 0, 0, 0, 0]);
    expect(mem.u8[page + 256 + 67]).toBe(0xee);
  });

  test('shrinks to 14 bytes and no less', () => {
    const { mem, md, packet, bytes } = xdpRig();
    packet(counting(60));
    expect(bpfXdpAdjustTail(mem, md, -47)).toBe(-EINVAL);
    expect(bpfXdpAdjustTail(mem, md, -46)).toBe(0);
    expect([...bytes()]).toEqual([...counting(14)]);
  });
});

describe('adjust_meta', () => {
  test.each([
    [-4, 0],
    [-252, -EINVAL], // 256 - 252 leaves no room for the frame
    [-(256 - FRAME), 0],
    [-3, -EACCES],
    [4, -EINVAL], // past data
    [0, 0],
  ])('by %i with 256 bytes of headroom: %i', (delta, result) => {
    const { mem, md, packet } = xdpRig();
    packet(60);
    expect(bpfXdpAdjustMeta(mem, md, delta)).toBe(result);
  });

  test('allows at most 252 bytes: a length of 256 does not fit the u8 that keeps it', () => {
    const { mem, md, packet } = xdpRig();
    packet(60, 512);
    expect(bpfXdpAdjustMeta(mem, md, -256)).toBe(-EACCES);
    expect(bpfXdpAdjustMeta(mem, md, -252)).toBe(0);
  });

  test('is refused where the driver supports none', () => {
    const { mem, md, packet } = xdpRig();
    packet(60, 256, false);
    expect(bpfXdpAdjustMeta(mem, md, -4)).toBe(-ENOTSUPP);
  });
});

/** The same rules on a packet kept as three arrays: what is in front, metadata, packet. */
class Model {
  headroom: number;
  meta: number[] = [];
  data: number[];

  constructor(headroom: number, data: number[]) {
    this.headroom = headroom - FRAME;
    this.data = data;
  }

  /** Bytes of headroom, frame and metadata together, and so where data begins. */
  get dataAt(): number {
    return FRAME + this.headroom + this.meta.length;
  }

  head(delta: number): number {
    if (this.headroom + delta < 0 || this.data.length - delta < 14) return -EINVAL;
    this.headroom += delta;
    this.data =
      delta < 0 ? [...Array<number>(-delta).fill(-1), ...this.data] : this.data.slice(delta);
    return 0;
  }

  tail(delta: number): number {
    const length = this.data.length + delta;
    if (length < 14 || this.dataAt + length > PAGE - SHARED_INFO) return -EINVAL;
    this.data =
      delta < 0 ? this.data.slice(0, length) : [...this.data, ...Array<number>(delta).fill(0)];
    return 0;
  }

  adjustMeta(delta: number): number {
    const length = this.meta.length - delta;
    if (length < 0 || this.headroom + delta < 0) return -EINVAL;
    if (length % 4 !== 0 || length > 252) return -EACCES;
    this.headroom += delta;
    this.meta =
      delta < 0 ? [...Array<number>(-delta).fill(-1), ...this.meta] : this.meta.slice(delta);
    return 0;
  }
}

/** Bytes the model knows nothing of (-1: whatever lay there) match anything. */
const known = (model: readonly number[], real: readonly number[]): number[] =>
  real.map((byte, i) => (model[i] === -1 ? -1 : byte));

const delta = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -4096, max: 4096 }),
  fc.constantFrom(-0x8000_0000, 0x7fff_ffff, 0),
);
const step = fc.tuple(fc.constantFrom('head', 'tail', 'meta'), delta);

describe('any sequence of adjusts', () => {
  test('agrees with a model that knows no addresses, and touches nothing outside the buffer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 14, max: 1514 }),
        fc.constantFrom(FRAME, 64, 256, 258, 600),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        (len, headroom, steps) => {
          const { mem, md, packet, bytes } = xdpRig();
          const page = packet(counting(len), headroom);
          mem.u8.fill(0xab, page - 64, page);
          mem.u8.fill(0xcd, page + PAGE - SHARED_INFO, page + PAGE + 64);
          const model = new Model(headroom, [...new Uint8Array(counting(len))]);
          for (const [what, by] of steps) {
            if (what === 'head') expect(bpfXdpAdjustHead(mem, md, by)).toBe(model.head(by));
            if (what === 'tail') expect(bpfXdpAdjustTail(mem, md, by)).toBe(model.tail(by));
            if (what === 'meta') expect(bpfXdpAdjustMeta(mem, md, by)).toBe(model.adjustMeta(by));
            expect(xdpData(mem.words, md)).toBe(page + model.dataAt);
            expect(known(model.data, [...bytes()])).toEqual(model.data);
            const meta = mem.u8.slice(xdpDataMeta(mem.words, md), xdpData(mem.words, md));
            expect(known(model.meta, [...meta])).toEqual(model.meta);
            meta.forEach((_, i) => (mem.u8[xdpDataMeta(mem.words, md) + i] = 7 * i + steps.length));
            model.meta = model.meta.map((_, i) => (7 * i + steps.length) & 0xff);
          }
          expect(mem.u8.slice(page - 64, page).every((byte) => byte === 0xab)).toBe(true);
          const behind = mem.u8.slice(page + PAGE - SHARED_INFO, page + PAGE + 64);
          expect(behind.every((byte) => byte === 0xcd)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
