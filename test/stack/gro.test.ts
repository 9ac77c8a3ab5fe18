import { expect, test } from 'vitest';
import { OP_GRO_RECEIVE, OP_NETIF_RECEIVE } from '../../src/host/cost.ts';
import { Fates } from '../../src/host/fates.ts';
import { napiGroReceive } from '../../src/stack/gro.ts';
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
  return { ...rig, napi, receive };
}

test('each packet is processed once, seen by every tap, delivered and freed', () => {
  const { net, sd, napi, cpu, receive } = groRig();
  const seen: number[][] = [[], []];
  for (const list of seen) net.addTap({ onSkb: (skb: SkBuff) => void list.push(skb.len) });
  receive(60);
  receive(61);
  expect(seen).toEqual([
    [60, 61],
    [60, 61],
  ]);
  expect(sd.processed).toBe(2);
  expect(napi.fates.toStack).toBe(2);
  expect(net.skbs.live).toBe(0);
  expect(cpu.now).toBe(2 * (26 + 5));
});

test('with the stack off a packet is counted at the door and freed, and costs the stack nothing', () => {
  const { net, sd, napi, cpu, receive } = groRig({ stackOn: false });
  const seen: number[] = [];
  net.addTap({ onSkb: (skb) => void seen.push(skb.len) });
  receive(60);
  expect(seen).toEqual([]);
  expect(sd.processed).toBe(0);
  expect(napi.fates.toStack).toBe(1);
  expect(net.skbs.live).toBe(0);
  expect(cpu.now).toBe(0);
});

test("the fate is booked on the ring's own books when the driver put them there", () => {
  const { napi, receive } = groRig();
  const ring = new Fates();
  napi.fates = ring;
  receive(60);
  expect(ring.toStack).toBe(1);
});

test('a tap that was removed sees nothing more', () => {
  const { net, receive } = groRig();
  const seen: number[] = [];
  const tap = { onSkb: (skb: SkBuff): void => void seen.push(skb.len) };
  net.addTap(tap);
  receive(60);
  net.removeTap(tap);
  receive(61);
  expect(seen).toEqual([60]);
});
