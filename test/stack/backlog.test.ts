import { expect, test } from 'vitest';
import { OP_IPI } from '../../src/host/cost.ts';
import { enqueueToBacklog, netRpsAction } from '../../src/stack/backlog.ts';
import { devOpen } from '../../src/stack/netdevice.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import { stackRig } from './rig.ts';

test('CPUs with new packets are interrupted once each, the last one first, one after the other', () => {
  const { cpus, cpu, dev, irqs, net, sd } = stackRig({ cpus: 4, costs: { [OP_IPI]: 500 } });
  devOpen(dev);
  sd.inNetRxAction = true;
  for (const target of [1, 3, 1, 2]) enqueueToBacklog(allocSkb(dev, 64, cpu)!, cpus[target]!, cpu);
  expect(irqs.nextAt()).toBe(Infinity); // not before the softirq's run ends
  const began = cpu.now;
  netRpsAction(net, sd);
  const sent: [string, number][] = [];
  while (irqs.nextAt() !== Infinity) {
    const at = irqs.nextAt() - began;
    sent.push([irqs.take().name, at]);
  }
  expect(sent).toEqual([
    ['rps-2', 500],
    ['rps-3', 1000],
    ['rps-1', 1500],
  ]);
});
