import { describe, expect, test } from 'vitest';
import drop from '../../examples/drop.ts';
import echo from '../../examples/echo.ts';
import pass from '../../examples/pass.ts';
import redirect from '../../examples/redirect.ts';
import redirectIfindex from '../../examples/redirectIfindex.ts';
import type { DevMap } from '../../src/xdp/maps/devmap.ts';
import { bpfProgRunXdp } from '../../src/xdp/program.ts';
import { xdpDoFlush, xdpDoRedirect } from '../../src/xdp/redirect.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../src/xdp/uapi.ts';
import { xdpRig } from './rig.ts';

const FRAME = Uint8Array.from({ length: 60 }, (_, i) => i);

describe('the small examples', () => {
  test.each([
    [drop, XDP_DROP],
    [pass, XDP_PASS],
  ])('$name decides without touching the frame', (spec, verdict) => {
    const rig = xdpRig();
    rig.packet(FRAME);
    expect(bpfProgRunXdp(spec.load(rig.xdp), rig.md, rig.rxq, rig.cpu)).toBe(verdict);
    expect(rig.bytes()).toEqual(FRAME);
  });

  test('echo swaps the MAC addresses and nothing else', () => {
    const rig = xdpRig();
    rig.packet(FRAME);
    expect(bpfProgRunXdp(echo.load(rig.xdp), rig.md, rig.rxq, rig.cpu)).toBe(XDP_TX);
    const expected = [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, ...FRAME.slice(12)];
    expect([...rig.bytes()]).toEqual(expected);
  });

  test('echo drops what is shorter than an Ethernet header', () => {
    const rig = xdpRig();
    rig.packet(FRAME.slice(0, 13));
    expect(bpfProgRunXdp(echo.load(rig.xdp), rig.md, rig.rxq, rig.cpu)).toBe(XDP_DROP);
  });

  test('redirect sends through key 0 of its devmap, and aborts while that is empty', () => {
    const rig = xdpRig();
    const prog = redirect.load(rig.xdp);
    rig.packet(FRAME);
    expect(bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu)).toBe(XDP_ABORTED);
    const target = rig.target(7);
    (prog.maps['ports'] as DevMap).update(0, target);
    expect(bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu)).toBe(XDP_REDIRECT);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.frames).toEqual([FRAME]);
  });

  test('redirect-ifindex sends to the other port of its pair', () => {
    const rig = xdpRig();
    const other = rig.target(rig.rxq.ifindex % 2 === 0 ? rig.rxq.ifindex + 1 : rig.rxq.ifindex - 1);
    rig.packet(FRAME);
    const prog = redirectIfindex.load(rig.xdp);
    expect(bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu)).toBe(XDP_REDIRECT);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(other.frames).toEqual([FRAME]);
  });
});
