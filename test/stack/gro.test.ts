import { expect, test } from 'vitest';
import { OP_GRO_RECEIVE, OP_NETIF_RECEIVE } from '../../src/host/cost.ts';
import { groNormalList, napiGroReceive } from '../../src/stack/gro.ts';
import { napiCompleteDone, napiSchedule } from '../../src/stack/napi.ts';
import type { NetConfig } from '../../src/stack/net.ts';
import { skbPut } from '../../src/stack/skbuff.ts';
import type { SkBuff } from '../../src/stack/skbuff.ts';
import { napiAllocSkb } from '../../src/stack/skbPool.ts';
import { CountingQueue, stackRig } from './rig.ts';

function groRig(config: Partial<NetConfig> = {}) {
  const rig = stackRig({ costs: { [OP_GRO_RECEIVE]: 26, [OP_NETIF_RECEIVE]: 5 }, ...config });
  const { napi } = new CountingQueue(rig.dev, 0);
  const receive = (len: number): void => {
    const skb = napiAllocSkb(napi, len)!;
    skbPut(skb, len);
    napiGroReceive(napi, skb);
  };
  const flush = (): void => groNormalList(napi);
  return { ...rig, napi, receive, flush };
}

test('each packet is processed once, seen by every tap, delivered and freed', () => {
  const { net, sd, dev, cpu, receive, flush } = groRig();
  const seen: number[][] = [[], []];
  for (const list of seen) net.addTap({ onSkb: (skb: SkBuff) => void list.push(skb.len) });
  receive(60);
  receive(61);
  flush();
  expect(seen).toEqual([
    [60, 61],
    [60, 61],
  ]);
  expect(sd.processed).toBe(2);
  expect(dev.rxFates.toStack).toBe(2);
  expect(net.skbs.live).toBe(0);
  expect(cpu.now).toBe(2 * (26 + 5));
});

test('with the stack off a packet is counted at the door and freed, and costs the stack nothing', () => {
  const { net, sd, dev, cpu, receive } = groRig({ stackOn: false });
  const seen: number[] = [];
  net.addTap({ onSkb: (skb) => void seen.push(skb.len) });
  receive(60);
  expect(seen).toEqual([]);
  expect(sd.processed).toBe(0);
  expect(dev.rxFates.toStack).toBe(1);
  expect(net.skbs.live).toBe(0);
  expect(cpu.now).toBe(0);
});

test('a tap that was removed sees nothing more', () => {
  const { net, receive, flush } = groRig();
  const seen: number[] = [];
  const tap = { onSkb: (skb: SkBuff): void => void seen.push(skb.len) };
  net.addTap(tap);
  receive(60);
  flush();
  net.removeTap(tap);
  receive(61);
  flush();
  expect(seen).toEqual([60]);
});

test('packets go up in groups of eight, in their order; the rest when the NAPI completes', () => {
  const { net, napi, receive } = groRig();
  const seen: number[] = [];
  net.addTap({ onSkb: (skb) => void seen.push(skb.len) });
  for (let len = 60; len < 67; len++) receive(len);
  expect(seen).toEqual([]);
  receive(67);
  expect(seen).toEqual([60, 61, 62, 63, 64, 65, 66, 67]);
  receive(68);
  expect(seen.length).toBe(8);
  napiSchedule(napi, napi.cpu);
  napiCompleteDone(napi, 9);
  expect(seen.length).toBe(9);
});
