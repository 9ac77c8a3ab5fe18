import { expect, test } from 'vitest';
import { OP_COUNT } from '../../src/host/cost.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';

const cpu = new Cpu(0, new Float64Array(OP_COUNT));
const line = (name: string, rank = 0): IrqLine => new IrqLine(name, cpu, rank);

function drain(irqs: IrqController): [string, number][] {
  const taken: [string, number][] = [];
  while (irqs.nextAt() < Infinity) {
    const at = irqs.nextAt();
    taken.push([irqs.take().name, at]);
  }
  return taken;
}

test('messages are delivered in the order of time, however they were posted', () => {
  const irqs = new IrqController();
  for (const at of [30, 10, 20, 5, 25]) irqs.post(line(`t${at}`), at);
  expect(drain(irqs)).toEqual([
    ['t5', 5],
    ['t10', 10],
    ['t20', 20],
    ['t25', 25],
    ['t30', 30],
  ]);
});

test('messages of one time are delivered by rank, whoever posted first; of one rank, as posted', () => {
  const irqs = new IrqController();
  irqs.post(line('late', 2), 10);
  irqs.post(line('early', 1), 10);
  irqs.post(line('early too', 1), 10);
  irqs.post(line('before', 9), 9);
  expect(drain(irqs).map(([name]) => name)).toEqual(['before', 'early', 'early too', 'late']);
});

test('a line may have several messages under way', () => {
  const irqs = new IrqController();
  const one = line('one');
  for (const at of [10, 20]) irqs.post(one, at);
  expect(drain(irqs)).toEqual([
    ['one', 10],
    ['one', 20],
  ]);
});

test('a cancelled line’s messages are gone, and no others', () => {
  const irqs = new IrqController();
  const [gone, stays] = [line('gone'), line('stays')];
  for (const at of [10, 20, 30]) irqs.post(at === 20 ? stays : gone, at);
  irqs.cancel(gone);
  expect(drain(irqs)).toEqual([['stays', 20]]);
});
