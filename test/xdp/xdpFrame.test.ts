import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/host/errors.ts';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta } from '../../src/xdp/adjust.ts';
import {
  xdpReturnBuff,
  xdpReturnFrame,
  xdpReturnFrameRxNapi,
  xdpRxqInfoRegMemModel,
  xdpRxqInfoUnregMemModel,
} from '../../src/xdp/memModel.ts';
import { XdpRxqInfo } from '../../src/xdp/rxq.ts';
import { setXdpDataEnd, setXdpDataMeta, xdpDataHardEnd } from '../../src/xdp/xdpBuff.ts';
import { xdpConvertBuffToFrame } from '../../src/xdp/xdpFrame.ts';
import { RecordingPool, RX_IFINDEX, RX_QUEUE, xdpRig } from './rig.ts';

describe('xdp_md', () => {
  test('is the uapi structure: six little-endian words in the order of linux/bpf.h', () => {
    const { mem, md, packet } = xdpRig();
    const page = packet(60);
    const word = (i: number): number => mem.view.getUint32(md + 4 * i, true);
    expect(Array.from({ length: 6 }, (_, i) => word(i))).toEqual([
      page + 256,
      page + 256 + 60,
      page + 256,
      RX_IFINDEX,
      RX_QUEUE,
      0,
    ]);
  });
});

describe('xdp_convert_buff_to_frame', () => {
  test('describes the packet in 40 bytes at the hard start, as a 64-bit kernel lays them out', () => {
    const { mem, md, packet, rxq } = xdpRig();
    const page = packet(60);
    bpfXdpAdjustMeta(mem, md, -8);
    mem.fill(page, 40, 0xff);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(page);
    const at = (off: number): number => mem.view.getUint32(page + off, true);
    expect([at(0), at(4)]).toEqual([page + 256, 0]);
    expect({ len: at(8), headroom: at(12), metasize: at(16), memType: at(20) }).toEqual({
      len: 60,
      headroom: 256 - 40,
      metasize: 8,
      memType: 2,
    });
    expect({ devRx: at(24), frameSz: at(32), flags: at(36) }).toEqual({
      devRx: RX_IFINDEX,
      frameSz: 4096,
      flags: 0,
    });
  });

  test('fails when less than 40 bytes are left in front of metadata', () => {
    const { mem, md, packet, rxq } = xdpRig();
    const page = packet(60, 48);
    setXdpDataMeta(mem.words, md, page + 40);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(page);
    setXdpDataMeta(mem.words, md, page + 36);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(0);
    packet(60, 39);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(0);
  });

  test('succeeds whatever adjust_head allowed', () => {
    const { mem, md, packet, rxq } = xdpRig();
    const page = packet(60);
    expect(bpfXdpAdjustHead(mem, md, -216)).toBe(0);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(page);
  });

  test('counts no metadata where the driver supports none', () => {
    const { mem, md, packet, rxq } = xdpRig();
    const page = packet(60, 256, false);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(page);
    expect(mem.view.getUint32(page + 16, true)).toBe(0);
  });

  test('fails when the packet reaches into the shared info', () => {
    const { mem, md, packet, rxq } = xdpRig();
    const page = packet(60);
    setXdpDataEnd(mem.words, md, xdpDataHardEnd(mem.words, md));
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(page);
    setXdpDataEnd(mem.words, md, xdpDataHardEnd(mem.words, md) + 1);
    expect(xdpConvertBuffToFrame(mem.words, md, rxq)).toBe(0);
  });
});

describe('memory models', () => {
  test('a frame goes back to the pool of the queue it came from; only NAPI may use the cache', () => {
    const { mem, md, packet, rxq, xdp, cpu, pool, stamps } = xdpRig();
    const other = new XdpRxqInfo(xdp, RX_IFINDEX, 6, stamps);
    const otherPool = new RecordingPool(xdp.watch);
    xdpRxqInfoRegMemModel(other, otherPool);
    const first = packet(60);
    xdpReturnFrame(xdp, cpu, xdpConvertBuffToFrame(mem.words, md, rxq));
    const second = packet(60);
    xdpReturnFrameRxNapi(xdp, cpu, xdpConvertBuffToFrame(mem.words, md, other));
    const third = packet(60);
    xdpReturnBuff(rxq, cpu, md);
    expect(pool.returned).toEqual([
      { page: first, allowDirect: false },
      { page: third, allowDirect: true },
    ]);
    expect(otherPool.returned).toEqual([{ page: second, allowDirect: true }]);
  });

  test('returning takes the time of the profile', () => {
    const { mem, md, packet, rxq, xdp, cpu } = xdpRig();
    packet(60);
    const frame = xdpConvertBuffToFrame(mem.words, md, rxq);
    xdpReturnFrame(xdp, cpu, frame);
    expect(cpu.now).toBe(2900);
  });

  test('an id is handed out again only after it was given back, and a stale one is a bug', () => {
    const { mem, md, packet, rxq, xdp, cpu, pool, stamps } = xdpRig();
    packet(60);
    const frame = xdpConvertBuffToFrame(mem.words, md, rxq);
    const id = rxq.memId;
    xdpRxqInfoUnregMemModel(rxq);
    expect(() => xdpReturnFrame(xdp, cpu, frame)).toThrow(BugError);
    const next = new XdpRxqInfo(xdp, RX_IFINDEX, 6, stamps);
    xdpRxqInfoRegMemModel(next, pool);
    expect(next.memId).toBe(id);
    expect(() => xdpRxqInfoUnregMemModel(rxq)).toThrow(BugError);
  });
});
