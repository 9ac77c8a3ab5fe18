import { describe, expect, test, vi } from 'vitest';
import { bnxtXdp } from '../../../src/driver/bnxt/xdpSet.ts';
import { BNXT_FLAG_SHARED_RINGS, bnxtRxPageMode } from '../../../src/driver/bnxt/bnxt.ts';
import { EINVAL, EOPNOTSUPP } from '../../../src/host/errno.ts';
import { Histogram } from '../../../src/host/histogram.ts';
import { run } from '../../../src/lab/given.ts';
import { NetlinkExtAck, devChangeMtu, devClose, devOpen } from '../../../src/stack/netdevice.ts';
import type { XdpProgramSpec } from '../../../src/xdp/define.ts';
import { defineXdp } from '../../../src/xdp/define.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, SMALL, program, udpFrame, verdicts } from './rig.ts';
import { unwalked } from './walked.ts';

const withFrags: XdpProgramSpec = defineXdp(() => XDP_DROP, { name: 'frags', frags: true });

const DROP: XdpProgramSpec = verdicts(XDP_DROP);

function set(rig: Rig, spec: XdpProgramSpec | null): { rc: number; msg: string } {
  const extack = new NetlinkExtAck();
  const prog = spec === null ? null : spec.load(rig.machine.xdp);
  return { rc: bnxtXdp(rig.bp(), { prog, flags: 0, extack }), msg: extack.msg };
}

describe('who is refused', () => {
  test.each([
    [3502, 0],
    [3503, -EOPNOTSUPP],
    [9000, -EOPNOTSUPP],
  ])('a program without frags at MTU %i: %i', (mtu, rc) => {
    const rig = new Rig({ closed: true });
    rig.dev().mtu = mtu;
    const said = set(rig, verdicts(XDP_PASS));
    expect(said.rc).toBe(rc);
    if (rc !== 0) expect(said.msg).toBe(`MTU ${mtu} larger than 3502 without XDP frag support.`);
    expect(rig.bp().txNrRingsXdp).toBe(rc === 0 ? 1 : 0);
  });

  test('a program with frags at a large MTU: a limit of this slice, and it says so', () => {
    const rig = new Rig({ closed: true });
    rig.dev().mtu = 9000;
    expect(set(rig, withFrags)).toEqual({
      rc: -EOPNOTSUPP,
      msg: 'MTU 9000 larger than 3502: packets in several buffers are not built yet',
    });
  });

  test('channels that are not combined', () => {
    const rig = new Rig();
    rig.bp().flags &= ~BNXT_FLAG_SHARED_RINGS;
    expect(set(rig, verdicts(XDP_PASS))).toEqual({
      rc: -EOPNOTSUPP,
      msg: 'ethtool rx/tx channels must be combined to support XDP.',
    });
    expect(rig.bp().open).toBe(true); // a refusal does not close the device
  });
});

const state = (rig: Rig): object => ({
  pageMode: bnxtRxPageMode(rig.bp()),
  xdpRings: rig.bp().txNrRingsXdp,
  napis: rig.bp().bnapi.length,
  maxMtu: rig.dev().maxMtu,
  features: rig.dev().xdpFeatures,
  dmaOffset: rig.bp().rxDmaOffset,
});

describe('what attaching changes', () => {
  const BASIC_REDIRECT_RXSG = 1 | 2 | 32;

  test('page mode, as many XDP rings as RX rings, redirect target; detaching takes it all back', () => {
    const rig = new Rig({ queues: 3 });
    const { maxMtu } = rig.dev();
    const without = {
      pageMode: false,
      xdpRings: 0,
      napis: 3,
      maxMtu,
      features: BASIC_REDIRECT_RXSG,
      dmaOffset: 64,
    };
    expect(state(rig)).toEqual(without);
    rig.machine.attachXdp(0, verdicts(XDP_PASS));
    const withProgram = {
      pageMode: true,
      xdpRings: 3,
      napis: 6,
      maxMtu: 3502,
      features: BASIC_REDIRECT_RXSG | 4 | 64,
      dmaOffset: 256,
    };
    expect(state(rig)).toEqual(withProgram);
    rig.machine.attachXdp(0, verdicts(XDP_DROP));
    expect(state(rig)).toEqual(withProgram);
    rig.machine.attachXdp(0, null);
    expect(state(rig)).toEqual(without);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a closed device stays closed, and has the program when it is opened', () => {
    const rig = new Rig({ closed: true });
    rig.machine.attachXdp(0, verdicts(XDP_DROP));
    expect(rig.bp().bnapi).toEqual([]);
    devOpen(rig.dev());
    rig.ready(3);
    rig.poll();
    expect(rig.fates().xdpDrop).toBe(3);
  });

  test('the driver reopens for the same program too: it is the core that asks only for a change', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    const { bnapi } = rig.bp();
    const extack = new NetlinkExtAck();
    expect(bnxtXdp(rig.bp(), { prog: rig.bp().xdpProg, flags: 0, extack })).toBe(0);
    expect(rig.bp().bnapi === bnapi).toBe(false);
  });
});

const stream = (n: number): Uint8Array[] => Array.from({ length: n }, () => SMALL);

describe('while traffic comes in', () => {
  test('completions nobody read are counted, and arrivals for closed rings too', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    rig.ready(20);
    rig.hw().settleAll(rig.cpu.now); // 20 completions lie in the ring
    devClose(rig.dev());
    expect(rig.lost()).toEqual({ unreadAtClose: 20 });
    rig.ready(7);
    rig.hw().settleAll(rig.cpu.now);
    expect(rig.lost()).toEqual({ unreadAtClose: 20, deviceClosed: 7 });
    devOpen(rig.dev());
    rig.ready(3);
    rig.poll();
    expect(rig.fates()).toMatchObject({ offered: 30, received: 23, xdpDrop: 3 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('a frame whose DMA is under way ends with its ring', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    const last = rig.arrive(stream(5));
    rig.cpu.idleUntil(last); // arrived, not completed: DMA takes 702 ns, they come 100 ns apart
    devClose(rig.dev());
    expect(rig.lost()).toEqual({ deviceClosed: 5 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('transmissions the NIC had not made are lost, those it made are not', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_TX)] });
    rig.ready(6);
    rig.poll();
    rig.wait(10);
    rig.poll();
    rig.ready(4);
    rig.poll(); // queued now, on the wire 900 ns later at the earliest
    devClose(rig.dev());
    expect(rig.fates()).toMatchObject({ xdpTx: 10, onWire: 6 });
    expect(rig.lost()).toEqual({ txDeviceClosed: 4 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('frames redirected to a device that closes go back to the NIC they came from', () => {
    const rig = new Rig({ nics: 2, xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)] });
    rig.ready(9);
    rig.poll();
    devClose(rig.dev(1));
    expect(rig.lost()).toEqual({ txDeviceClosed: 9 });
    expect(rig.machine.result().pages).toMatchObject({ inFlight: 0, leaked: 0 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('pages under way keep the pool of a closed ring alive until they are back', () => {
    const rig = new Rig({ nics: 2, xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)] });
    rig.ready(9);
    rig.poll();
    const { memId } = rig.rxr().xdpRxq;
    devClose(rig.dev(0));
    expect(() => rig.machine.xdp.memModels.get(memId)).not.toThrow();
    rig.wait(10);
    rig.poll(0, 1);
    expect(rig.fates().onWire).toBe(9);
    expect(rig.machine.result().pages.leaked).toBe(0);
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test.each([
    ['drop', XDP_DROP],
    ['tx', XDP_TX],
    ['pass', XDP_PASS],
  ])('exchanged twenty times in mid-traffic (%s): every frame has one fate', (_name, act) => {
    const rig = new Rig({ xdp: [verdicts(act)] });
    rig.arrive(stream(20_000)); // 2 ms
    for (let i = 1; i <= 20; i++) {
      rig.run(i * 95_000_000);
      rig.machine.attachXdp(0, i % 3 === 0 ? null : verdicts(act));
    }
    rig.run();
    expect(rig.fates().offered).toBe(20_000);
    expect(rig.fates().imbalance()).toEqual(NOTHING.imbalance);
    const lost = rig.lost();
    expect(Object.keys(lost).filter((c) => !AT_CLOSE.includes(c) && c !== 'noBuffer')).toEqual([]);
    expect(lost['deviceClosed']).toBeGreaterThan(0);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
  const AT_CLOSE = ['deviceClosed', 'unreadAtClose', 'txDeviceClosed'];
});

describe('MTU', () => {
  test('a change closes and opens, and frames up to MTU + 18 pass from then on', () => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    const { bnapi } = rig.bp();
    expect(devChangeMtu(rig.dev(), 1000, new NetlinkExtAck())).toBe(0);
    expect(rig.bp().bnapi === bnapi).toBe(false);
    expect(rig.bp().rxBufUseSize).toBe(1024);
    rig.readyFrames([udpFrame(1018), udpFrame(1019)]);
    rig.hw().settleAll(rig.cpu.now);
    rig.poll();
    expect(rig.fates().xdpDrop).toBe(1);
    expect(rig.lost()).toEqual({ rxOversize: 1 });
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test.each([
    [3502, 0],
    [3503, -EINVAL],
  ])('with a program attached %i: %i', (mtu, rc) => {
    const rig = new Rig({ xdp: [verdicts(XDP_DROP)] });
    expect(devChangeMtu(rig.dev(), mtu, new NetlinkExtAck())).toBe(rc);
    expect(rig.dev().mtu).toBe(rc === 0 ? mtu : 1500);
    rig.ready(1, udpFrame(1500));
    rig.poll();
    expect(rig.fates().xdpDrop).toBe(1);
  });

  test('one that needs several buffers is refused before the device is closed', () => {
    const rig = new Rig();
    expect(() => devChangeMtu(rig.dev(), 3503, new NetlinkExtAck())).toThrow(
      'eth0 mtu: 3503 is out of range (up to 3502: packets in several buffers are not built yet)',
    );
    expect(rig.bp().open).toBe(true);
    expect(rig.dev().mtu).toBe(1500);
    expect(() => new Rig({ mtu: 9000 })).toThrow('eth0 mtu: 9000 is out of range');
  });

  test('every MTU the device takes without a program can be opened and receives its longest frame', () => {
    const rig = new Rig();
    for (const mtu of [rig.dev().minMtu, 68, 511, 1499, 1451, 3000, 3498, 3502]) {
      expect(devChangeMtu(rig.dev(), mtu, new NetlinkExtAck())).toBe(0);
      const before = rig.fates().toStack;
      rig.ready(1, udpFrame(Math.max(60, mtu + 14)));
      rig.poll();
      expect(rig.fates().toStack, `mtu ${mtu}`).toBe(before + 1);
      expect(rig.machine.result().pages.leaked, `mtu ${mtu}`).toBe(0);
    }
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

/** Where the rings lie: memory that came back is handed out again. */
const rings = (rig: Rig): Set<number> =>
  new Set([
    ...rig.bp().rxRing.map((r) => r.rxDescRing),
    ...rig.bp().txRing.map((r) => r.txDescRing),
    ...rig.bp().bnapi.map((b) => b.cpRing.cpDescRing),
  ]);

describe('opened and closed 200 times', () => {
  test.each([
    ['without a program', null],
    ['with a program', verdicts(XDP_TX, XDP_PASS, XDP_DROP)],
  ])('%s nothing is leaked: pages, ring memory, NAPIs, memory models', (_name, spec) => {
    const rig = new Rig({ queues: 2, xdp: [spec] });
    const models = (): number => {
      let n = 0;
      for (let id = 1; ; id++) {
        try {
          rig.machine.xdp.memModels.get(id);
          n++;
        } catch {
          return n;
        }
      }
    };
    const before = {
      napis: rig.dev().napis.length,
      models: models(),
      rings: rings(rig),
      pages: rig.machine.pages.free,
    };
    for (let i = 0; i < 200; i++) {
      rig.ready(3);
      for (const queue of [0, 1]) rig.poll(queue);
      devClose(rig.dev());
      expect(rig.dev().napis).toEqual([]);
      expect(models()).toBe(1); // that of broadcast's copies, which no device owns
      rig.machine.net.skbs.reap();
      expect(rig.machine.pages.free).toBe(rig.machine.pages.total);
      devOpen(rig.dev());
    }
    expect({
      napis: rig.dev().napis.length,
      models: models(),
      rings: rings(rig),
      pages: rig.machine.pages.free,
    }).toEqual(before);
    expect(rig.fates().offered).toBe(600);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a program comes and goes three times', () => {
  const sizes = [511, 2047, 4095, 8191].flatMap((rx) => [64, 255, 2047].map((tx) => [rx, tx]));
  test.each(sizes)('rx-ring %i, tx-ring %i: memory was planned for it', (rxRing, txRing) => {
    for (const chip of ['p4', 'p5'] as const) {
      for (const first of [null, DROP]) {
        const rig = new Rig({ chip, rxRing, txRing, queues: 2, check: false, xdp: [first] });
        for (let change = 1; change <= 6; change++) {
          const attached = rig.bp().xdpProg !== null;
          rig.machine.attachXdp(0, attached ? null : DROP);
          expect(bnxtRxPageMode(rig.bp())).toBe(!attached);
          rig.ready(3);
          for (const queue of [0, 1]) rig.poll(queue);
        }
        expect(rig.fates().offered).toBe(18);
        expect(rig.leftOver()).toEqual(NOTHING);
      }
    }
  });
});

test.each(['p4', 'p5'])(
  'on %s, a CPU that is behind when the device closes judges no packet before it came',
  async (chip) => {
    const record = vi.spyOn(Histogram.prototype, 'record');
    try {
      const traffic = 'udp size=64 flows=16 rate=14Mpps';
      const at = '100us xdp drop';
      const given = { xdp: 'none', queues: 4, cpus: 4, seed: 5, count: 4000, traffic, chip, at };
      const { report } = await unwalked(() => run(given));
      expect(report.packets.xdpDrop).toBeGreaterThan(500);
      expect(report.packets.noProgram).toBeGreaterThan(500);
      expect(Math.min(...record.mock.calls.map(([ps]) => ps))).toBeGreaterThan(0);
    } finally {
      record.mockRestore();
    }
  },
);
