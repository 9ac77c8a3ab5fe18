import { describe, expect, test } from 'vitest';
import { EBUSY, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP } from '../../src/host/errno.ts';
import { devXdpAttach } from '../../src/stack/devXdp.ts';
import { Net } from '../../src/stack/net.ts';
import type { NetConfig } from '../../src/stack/net.ts';
import type { NetDeviceOps } from '../../src/stack/netdevice.ts';
import {
  devChangeFlags,
  devChangeMtu,
  devClose,
  devGetStats,
  devOpen,
  IFF_PROMISC,
  IFF_UP,
  NetDevice,
  NetlinkExtAck,
  registerNetdevice,
  unregisterNetdevice,
} from '../../src/stack/netdevice.ts';
import type { XdpProg } from '../../src/xdp/program.ts';
import {
  BPF_XDP,
  BPF_XDP_CPUMAP,
  BPF_XDP_DEVMAP,
  XDP_FLAGS_DRV_MODE,
  XDP_FLAGS_HW_MODE,
  XDP_FLAGS_REPLACE,
  XDP_FLAGS_SKB_MODE,
  XDP_FLAGS_UPDATE_IF_NOEXIST,
} from '../../src/xdp/uapi.ts';
import { MAC, stackRig } from './rig.ts';

function devRig(answers: { open?: number; bpf?: number; native?: boolean } = {}) {
  const calls: string[] = [];
  const ops: Partial<NetDeviceOps> = {
    ndoOpen: () => (calls.push('open'), answers.open ?? 0),
    ndoStop: () => (calls.push('stop'), 0),
    ndoSetRxMode: () => void calls.push('rxMode'),
  };
  if (answers.native !== false) {
    ops.ndoBpf = (_dev, bpf) => {
      calls.push(`bpf ${bpf.prog?.name ?? 'none'}`);
      bpf.extack.msg = answers.bpf === undefined ? '' : 'the driver says why';
      return answers.bpf ?? 0;
    };
  }
  const rig = stackRig({ ops });
  const extack = new NetlinkExtAck();
  const attach = (prog: XdpProg | null, flags: number, old: XdpProg | null = null): number =>
    devXdpAttach(rig.dev, prog, flags, extack, old);
  return { ...rig, calls, extack, attach };
}
const program = (name: string): XdpProg => ({
  name,
  id: 1,
  hasFrags: false,
  touchesPacket: false,
  maps: {},
  run: () => 2,
});

test.each([
  [BPF_XDP_DEVMAP, 'BPF_XDP_DEVMAP'],
  [BPF_XDP_CPUMAP, 'BPF_XDP_CPUMAP'],
])('a program made for entries of a map is attached to no device (%i)', (attachType, name) => {
  const { dev, attach, extack, calls } = devRig();
  expect(attach({ ...program('entry'), attachType }, 0)).toBe(-EINVAL);
  expect(extack.msg).toBe(`${name} programs can not be attached to a device`);
  expect([dev.xdpProg, calls]).toEqual([null, []]);
  expect(attach({ ...program('device'), attachType: BPF_XDP }, 0)).toBe(0);
});

describe('open and close', () => {
  test('a device is up only when its driver opened it', () => {
    const { dev, calls } = devRig();
    expect(devOpen(dev)).toBe(0);
    expect(dev.flags & IFF_UP).toBe(IFF_UP);
    expect(devOpen(dev)).toBe(0); // open already: the driver is not asked
    devClose(dev);
    devClose(dev);
    expect(dev.up).toBe(false);
    expect(calls).toEqual(['open', 'rxMode', 'stop']);
  });

  test('a driver that fails to open leaves the device down', () => {
    const { dev } = devRig({ open: -ENOMEM });
    expect(devOpen(dev)).toBe(-ENOMEM);
    expect(dev.up).toBe(false);
  });

  test('a change of flags reaches the driver of an open device, and cannot bring it up', () => {
    const { dev, calls } = devRig();
    devChangeFlags(dev, IFF_PROMISC | IFF_UP);
    expect([dev.flags, calls]).toEqual([IFF_PROMISC, []]);
    devOpen(dev);
    devChangeFlags(dev, 0);
    expect(dev.flags).toBe(IFF_UP);
    expect(calls).toEqual(['open', 'rxMode', 'rxMode']);
  });
});

describe('mtu', () => {
  test.each([
    [67, -EINVAL, 'mtu less than device minimum'],
    [68, 0, ''],
    [9500, 0, ''],
    [9501, -EINVAL, 'mtu greater than device maximum'],
    [1500.5, -EINVAL, 'mtu less than device minimum'],
  ])('%d with limits 68 to 9500', (mtu, rc, msg) => {
    const { dev, extack } = devRig();
    dev.maxMtu = 9500;
    expect(devChangeMtu(dev, mtu, extack)).toBe(rc);
    expect(extack.msg).toBe(msg);
    expect(dev.mtu).toBe(rc === 0 ? mtu : 1500);
  });

  test('the driver decides where it implements it', () => {
    const { net, extack } = devRig();
    const refusing = { ndoOpen: () => 0, ndoStop: () => 0, ndoChangeMtu: () => -EOPNOTSUPP };
    const dev = new NetDevice(net, 'eth1', refusing, MAC);
    expect(devChangeMtu(dev, 1400, extack)).toBe(-EOPNOTSUPP);
    expect(dev.mtu).toBe(1500);
  });
});

describe('XDP attach, native mode', () => {
  const a = program('a');
  const b = program('b');

  test('attach, exchange and detach each ask the driver once', () => {
    const { dev, attach, calls } = devRig();
    expect(attach(a, XDP_FLAGS_DRV_MODE)).toBe(0);
    expect(attach(b, 0)).toBe(0);
    expect(dev.xdpProg).toBe(b);
    expect(attach(null, 0)).toBe(0);
    expect(dev.xdpProg).toBe(null);
    expect(calls).toEqual(['bpf a', 'bpf b', 'bpf none']);
  });

  test('what changes nothing does not reach the driver', () => {
    const { attach, calls } = devRig();
    expect(attach(null, 0)).toBe(0);
    attach(a, 0);
    expect(attach(a, 0)).toBe(0);
    expect(calls).toEqual(['bpf a']);
  });

  test.each([
    ['two modes', XDP_FLAGS_DRV_MODE | XDP_FLAGS_SKB_MODE, -EINVAL, 'Only one XDP mode flag'],
    ['three modes', 2 | 4 | 8, -EINVAL, 'Only one XDP mode flag'],
    ['NOEXIST', XDP_FLAGS_UPDATE_IF_NOEXIST, -EBUSY, 'XDP program already attached'],
    ['generic', XDP_FLAGS_SKB_MODE, -EOPNOTSUPP, 'Only native mode'],
    ['offload', XDP_FLAGS_HW_MODE, -EOPNOTSUPP, 'Only native mode'],
  ])('%s, with a program attached', (_what, flags, rc, msg) => {
    const { dev, attach, extack } = devRig();
    attach(a, 0);
    expect(attach(b, flags)).toBe(rc);
    expect(extack.msg).toContain(msg);
    expect(dev.xdpProg).toBe(a);
  });

  test('NOEXIST succeeds where nothing is attached, and does not forbid detaching', () => {
    const { dev, attach } = devRig();
    expect(attach(a, XDP_FLAGS_UPDATE_IF_NOEXIST)).toBe(0);
    expect(attach(null, XDP_FLAGS_UPDATE_IF_NOEXIST)).toBe(0);
    expect(dev.xdpProg).toBe(null);
  });

  test('REPLACE exchanges only the program that is expected', () => {
    const { dev, attach, extack } = devRig();
    attach(a, 0);
    expect(attach(b, XDP_FLAGS_REPLACE, b)).toBe(-EEXIST);
    expect(extack.msg).toContain('does not match expected');
    expect(attach(b, XDP_FLAGS_REPLACE)).toBe(-EEXIST); // expects none
    expect(attach(b, XDP_FLAGS_REPLACE, a)).toBe(0);
    expect(dev.xdpProg).toBe(b);
  });

  test('an expected program without REPLACE is refused', () => {
    const { attach, extack } = devRig();
    attach(a, 0);
    expect(attach(b, 0, a)).toBe(-EINVAL);
    expect(extack.msg).toContain('XDP_FLAGS_REPLACE is not specified');
  });

  test('a driver without native XDP', () => {
    const { attach, extack } = devRig({ native: false });
    expect(attach(a, XDP_FLAGS_DRV_MODE)).toBe(-EOPNOTSUPP);
    expect(extack.msg).toContain('does not support XDP in native mode');
  });

  test("the driver's refusal and its words come through, and nothing is attached", () => {
    const { dev, attach, extack } = devRig({ bpf: -EOPNOTSUPP });
    expect(attach(a, 0)).toBe(-EOPNOTSUPP);
    expect(extack.msg).toBe('the driver says why');
    expect(dev.xdpProg).toBe(null);
  });
});

describe('namespace', () => {
  test('devices are found by ifindex, from 2 on since 1 is the loopback; freed numbers return', () => {
    const { net, dev } = devRig();
    const ops = { ndoOpen: () => 0, ndoStop: () => 0 };
    const eth1 = new NetDevice(net, 'eth1', ops, MAC);
    registerNetdevice(eth1);
    expect([dev.ifindex, eth1.ifindex]).toEqual([2, 3]);
    expect(net.devGetByIndex(3)).toBe(eth1);
    devOpen(dev);
    unregisterNetdevice(dev);
    expect(dev.up).toBe(false);
    expect(net.devGetByIndex(2)).toBe(null);
    const eth2 = new NetDevice(net, 'eth2', ops, MAC);
    registerNetdevice(eth2);
    expect(eth2.ifindex).toBe(2);
  });

  test('a device without ndo_xdp_xmit is no redirect target', () => {
    const { dev, cpu } = devRig();
    expect(dev.ndoXdpXmit(cpu, 0, 1, 0)).toBe(-EOPNOTSUPP);
  });

  test("statistics are the driver's where it has them, else the device's", () => {
    const { net, dev } = devRig();
    dev.stats.rxPackets = 5;
    expect(devGetStats(dev).rxPackets).toBe(5);
    const eth1 = new NetDevice(
      net,
      'eth1',
      {
        ndoOpen: () => 0,
        ndoStop: () => 0,
        ndoGetStats64: (_dev, stats) => void (stats.rxPackets = 7),
      },
      MAC,
    );
    expect(devGetStats(eth1).rxPackets).toBe(7);
  });

  test.each<[string, Partial<NetConfig>]>([
    ['hz', { hz: 0 }],
    ['hz', { hz: 1001 }],
    ['netdev_budget', { netdevBudget: 0 }],
    ['netdev_budget_usecs', { netdevBudgetUsecs: -1 }],
  ])('%s out of range is refused with its range', (what, config) => {
    const make = (): Net => stackRig(config).net;
    expect(make).toThrow(`${what}: `);
    expect(make).toThrow('is out of range (');
  });
});
