import { describe, expect, test } from 'vitest';
import { LOST_REDIRECT_QUEUE_FULL } from '../../src/host/fates.ts';
import { POOL_CACHE, XDP_FRAME } from '../../src/host/ledger.ts';
import { bpfRedirect, bpfRedirectMap, xdpDoFlush, xdpDoRedirect } from '../../src/xdp/redirect.ts';
import {
  BPF_F_BROADCAST,
  BPF_F_EXCLUDE_INGRESS,
  NETDEV_XDP_ACT_NDO_XMIT,
  XDP_ABORTED,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_TX,
} from '../../src/xdp/uapi.ts';
import { RX_IFINDEX, xdpRig } from './rig.ts';
import type { Rig } from './rig.ts';

const ENXIO = 6;
const E2BIG = 7;
const EINVAL = 22;
const EBADRQC = 56;
const EOVERFLOW = 75;
const EMSGSIZE = 90;
const EOPNOTSUPP = 95;
const ENETDOWN = 100;

/** Redirect `n` one-byte-different packets to an ifindex; returns what each redirect returned. */
function redirectTo(rig: Rig, ifindex: number, n: number = 1, len: number = 60): number[] {
  return Array.from({ length: n }, (_, i) => {
    rig.packet(new Uint8Array(len).fill(i + 1));
    expect(bpfRedirect(rig.xdp, ifindex, 0)).toBe(XDP_REDIRECT);
    return xdpDoRedirect(rig.rxq, rig.cpu, rig.md);
  });
}

describe('bpf_redirect', () => {
  test('takes no flags', () => {
    expect(bpfRedirect(xdpRig().xdp, 7, 1)).toBe(XDP_ABORTED);
  });
});

describe('bpf_redirect_map', () => {
  test.each([XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX])(
    'without an entry returns the verdict in the two low bits: %i',
    (verdict) => {
      const { xdp, devMap } = xdpRig();
      const map = devMap(4);
      for (const key of [2, 4, -1]) expect(bpfRedirectMap(xdp, map, key, verdict)).toBe(verdict);
    },
  );

  test('aborts on an unknown flag even where the entry exists', () => {
    const rig = xdpRig();
    const map = rig.devMap(4);
    map.update(0, rig.target(7));
    expect(bpfRedirectMap(rig.xdp, map, 0, 4)).toBe(XDP_ABORTED);
    expect(bpfRedirectMap(rig.xdp, map, 0, 32)).toBe(XDP_ABORTED);
    expect(bpfRedirectMap(rig.xdp, map, 0, XDP_PASS)).toBe(XDP_REDIRECT);
  });

  test('sends to the device of its key', () => {
    const rig = xdpRig();
    const map = rig.devMap(4);
    const target = rig.target(7);
    map.update(3, target);
    rig.packet(60);
    expect(bpfRedirectMap(rig.xdp, map, 3, 0)).toBe(XDP_REDIRECT);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.frames).toHaveLength(1);
  });

  test('broadcast goes to every device but, if asked, the one it came from', () => {
    const rig = xdpRig();
    const map = rig.devMap(4);
    const [own, other] = [rig.target(rig.rxq.ifindex), rig.target(7)];
    map.update(0, own);
    map.update(3, other);
    rig.packet(60);
    const flags = BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS;
    // the key says nothing then, not even where there is no entry
    expect(bpfRedirectMap(rig.xdp, map, 2, flags)).toBe(XDP_REDIRECT);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect([own.frames.length, other.frames.length]).toEqual([0, 1]);
  });
});

describe('a devmap', () => {
  test('refuses keys past its end', () => {
    const rig = xdpRig();
    const map = rig.devMap(2);
    expect(map.update(1, rig.target(7))).toBe(0);
    expect(map.update(2, rig.target(7))).toBe(-E2BIG);
    expect(map.update(-1, rig.target(7))).toBe(-E2BIG);
    expect(map.delete(2)).toBe(-EINVAL);
    expect(map.delete(1)).toBe(0);
    expect(map.lookup(1)).toBeNull();
  });
});

describe('xdp_do_redirect', () => {
  test('without a helper call before: -EBADRQC; the target of the call before is used up', () => {
    const rig = xdpRig();
    rig.target(7);
    rig.packet(60);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(-EBADRQC);
    expect(redirectTo(rig, 7)).toEqual([0]);
    rig.packet(60);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(-EBADRQC);
  });

  test('to no such device: -EINVAL', () => {
    expect(redirectTo(xdpRig(), 99)).toEqual([-EINVAL]);
  });

  test('to a device that cannot transmit for others: -EOPNOTSUPP, also when it is down', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    target.xdpFeatures = ~NETDEV_XDP_ACT_NDO_XMIT;
    expect(redirectTo(rig, 7)).toEqual([-EOPNOTSUPP]);
    target.up = false;
    expect(redirectTo(rig, 7)).toEqual([-EOPNOTSUPP]);
  });

  test('to a device that is down: -ENETDOWN, also when the packet is too long', () => {
    const rig = xdpRig();
    rig.target(7).up = false;
    expect(redirectTo(rig, 7)).toEqual([-ENETDOWN]);
    expect(redirectTo(rig, 7, 1, 1600)).toEqual([-ENETDOWN]);
  });

  test('allows MTU, Ethernet header and one VLAN tag: 1518 bytes at MTU 1500', () => {
    const rig = xdpRig();
    rig.target(7);
    expect(redirectTo(rig, 7, 1, 1518)).toEqual([0]);
    expect(redirectTo(rig, 7, 1, 1519)).toEqual([-EMSGSIZE]);
  });

  test('without room for the frame: -EOVERFLOW, whatever the target', () => {
    const rig = xdpRig();
    rig.packet(60, 39);
    bpfRedirect(rig.xdp, 99, 0);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(-EOVERFLOW);
  });

  test('a map miss that is redirected all the same takes the index left behind', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    const map = rig.devMap(8);
    map.update(7, target);
    rig.packet(60);
    bpfRedirectMap(rig.xdp, map, 7, 0);
    bpfRedirectMap(rig.xdp, map, 1, 0);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
  });

  test('takes the page on success and leaves it to the driver on failure', () => {
    const rig = xdpRig({ checked: true });
    rig.target(7);
    const page = rig.packet(60);
    bpfRedirect(rig.xdp, 99, 0);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(-EINVAL);
    const ledger = rig.xdp.watch.ledger;
    expect(() => ledger.holds(page, XDP_FRAME, 'test')).toThrow('belongs to driver');
    bpfRedirect(rig.xdp, 7, 0);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    ledger.holds(page, XDP_FRAME, 'test');
  });
});

describe('bulk queues', () => {
  test('16 frames wait; the 17th sends them without a flush, and the flush sends the rest', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    redirectTo(rig, 7, 16);
    expect(target.calls).toEqual([]);
    redirectTo(rig, 7, 1);
    expect(target.calls).toEqual([{ n: 16, flags: 0, cpu: 0 }]);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.calls).toEqual([
      { n: 16, flags: 0, cpu: 0 },
      { n: 1, flags: 1, cpu: 0 },
    ]);
  });

  test('a queue of one, as of Linux 4.17, calls for each frame, and flushes with the last', () => {
    const rig = xdpRig({ bulkSize: 1 });
    const target = rig.target(7);
    redirectTo(rig, 7, 3);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.calls.map(({ n, flags }) => [n, flags])).toEqual([
      [1, 0],
      [1, 0],
      [1, 1],
    ]);
  });

  test('frames leave in the order of their redirects, bytes unchanged', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    redirectTo(rig, 7, 20);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.frames.map((frame) => frame[0])).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1).concat([17, 18, 19, 20]),
    );
    expect(target.frames[4]).toEqual(new Uint8Array(60).fill(5));
  });

  test('a flush with nothing queued calls nobody, and a second flush sends nothing again', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    xdpDoFlush(rig.xdp, rig.cpu);
    redirectTo(rig, 7, 2);
    xdpDoFlush(rig.xdp, rig.cpu);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.calls).toEqual([{ n: 2, flags: 1, cpu: 0 }]);
  });

  test('a target that was flushed is flushed again after its next frame', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    for (let poll = 0; poll < 3; poll++) {
      redirectTo(rig, 7);
      xdpDoFlush(rig.xdp, rig.cpu);
    }
    expect(target.calls).toEqual([1, 2, 3].map(() => ({ n: 1, flags: 1, cpu: 0 })));
  });

  test('each CPU has its own queue, and flushes only that', () => {
    const rig = xdpRig({ cpus: 2 });
    const target = rig.target(7);
    const [first, second] = rig.cpus;
    redirectTo(rig, 7, 2);
    rig.xdp.cpu = second!;
    rig.packet(60);
    bpfRedirect(rig.xdp, 7, 0);
    expect(xdpDoRedirect(rig.rxq, second!, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, second!);
    expect(target.calls).toEqual([{ n: 1, flags: 1, cpu: 1 }]);
    xdpDoFlush(rig.xdp, first!);
    expect(target.calls[1]).toEqual({ n: 2, flags: 1, cpu: 0 });
  });

  test('the last target to be used is flushed first, as list_add orders them', () => {
    const rig = xdpRig();
    const order: number[] = [];
    for (const ifindex of [7, 8, 9]) {
      const target = rig.target(ifindex);
      target.ndoXdpXmit = (_cpu, _frames, n) => {
        order.push(ifindex);
        return n;
      };
      redirectTo(rig, ifindex);
    }
    redirectTo(rig, 7);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(order).toEqual([9, 8, 7]);
  });

  test.each([
    ['takes only some', 3, 3],
    ['refuses all', -ENXIO, 0],
  ])('a target that %s: the others go back to their pool and are counted', (_, takes, taken) => {
    const rig = xdpRig({ checked: true });
    rig.target(7).takes = takes;
    redirectTo(rig, 7, 5);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(rig.pool.returned).toHaveLength(5 - taken);
    expect(rig.pool.returned.every(({ allowDirect }) => allowDirect)).toBe(true);
    expect(rig.xdp.fates.lost[LOST_REDIRECT_QUEUE_FULL]).toBe(5 - taken);
    expect(rig.xdp.watch.ledger.census()[POOL_CACHE]).toBe(5 - taken);
    expect(rig.xdp.watch.ledger.census()[XDP_FRAME]).toBe(taken);
  });
});

describe('bpf_redirect before Linux 5.6', () => {
  test('sends each frame by itself, doorbell and all, and leaves nothing to flush', () => {
    const rig = xdpRig({ redirectAtOnce: true });
    const target = rig.target(7);
    expect(redirectTo(rig, 7, 3)).toEqual([0, 0, 0]);
    expect(target.calls).toEqual(Array.from({ length: 3 }, () => ({ n: 1, flags: 1, cpu: 0 })));
    expect(target.frames.map(([first]) => first)).toEqual([1, 2, 3]);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.calls).toHaveLength(3);
    const { bulkXmits, bulkFrames, singleFrames } = rig.xdp;
    expect([bulkXmits, bulkFrames, singleFrames]).toEqual([3, 3, 3]);
  });

  test('what goes through a map waits in its queue of 16 all the same', () => {
    const rig = xdpRig({ redirectAtOnce: true });
    const map = rig.devMap(4);
    const target = rig.target(7);
    map.update(3, target);
    for (let i = 0; i < 17; i++) {
      rig.packet(60);
      bpfRedirectMap(rig.xdp, map, 3, 0);
      expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    }
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.calls.map(({ n, flags }) => [n, flags])).toEqual([
      [16, 0],
      [1, 1],
    ]);
  });

  test('without room in the device the frame goes back to its pool and is counted', () => {
    const rig = xdpRig({ redirectAtOnce: true, checked: true });
    rig.target(7).takes = 0;
    expect(redirectTo(rig, 7, 2)).toEqual([0, 0]);
    expect(rig.pool.returned.map(({ allowDirect }) => allowDirect)).toEqual([true, true]);
    expect(rig.xdp.fates.lost[LOST_REDIRECT_QUEUE_FULL]).toBe(2);
    expect(rig.xdp.watch.ledger.census()[POOL_CACHE]).toBe(2);
  });

  test('a device that refuses it leaves the page with the driver, and one that is not there too', () => {
    const rig = xdpRig({ redirectAtOnce: true });
    rig.target(7).takes = -ENXIO;
    expect(redirectTo(rig, 7, 1)).toEqual([-ENXIO]);
    expect(redirectTo(rig, 8, 1)).toEqual([-EINVAL]);
    rig.target(9).up = false;
    expect(redirectTo(rig, 9, 1)).toEqual([-ENETDOWN]);
    expect(rig.pool.returned).toEqual([]);
    expect(rig.xdp.fates.lost[LOST_REDIRECT_QUEUE_FULL]).toBe(0);
  });

  test('a redirect takes 25 ns in profile flat, and its call to the device 2.6', () => {
    const rig = xdpRig({ redirectAtOnce: true });
    rig.target(7);
    redirectTo(rig, 7);
    expect(rig.cpu.now).toBe(27_600);
  });
});

describe('trace points', () => {
  test('a redirect, a refused one and a bulk transmission are recorded as the kernel does', () => {
    const rig = xdpRig();
    rig.target(7).takes = 1;
    rig.trace.start(16, 4);
    rig.xdp.watch.refresh();
    redirectTo(rig, 7, 2);
    redirectTo(rig, 99);
    xdpDoFlush(rig.xdp, rig.cpu);
    const seen = [...rig.trace.records()].map(({ point, args }) => [point.kernel, ...args]);
    expect(seen).toEqual([
      ['xdp:xdp_redirect', RX_IFINDEX, 7, 7],
      ['xdp:xdp_redirect', RX_IFINDEX, 7, 7],
      ['xdp:xdp_redirect_err', RX_IFINDEX, 0, -EINVAL],
      ['xdp:xdp_devmap_xmit', 7, 1, 1],
    ]);
  });

  test('a redirect takes the time of the profile', () => {
    const rig = xdpRig();
    rig.target(7);
    redirectTo(rig, 7);
    expect(rig.cpu.now).toBe(25_000);
  });
});
