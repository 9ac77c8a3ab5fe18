import { describe, expect, test } from 'vitest';
import { OP_COUNT } from '../../src/host/cost.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { Ledger } from '../../src/host/ledger.ts';
import * as traceFile from '../../src/host/trace.ts';
import { TP_IRQ, TP_NAPI_POLL, TP_RX_PKT, TRACE_POINTS, Trace } from '../../src/host/trace.ts';
import { Watch } from '../../src/host/watch.ts';
import { camel, numbered } from './numbered.ts';

const args = (trace: Trace): unknown[] => [...trace.records()].map((record) => record.args);

describe('the ring', () => {
  test('keeps the newest records, oldest first, and knows how many it lost', () => {
    const trace = new Trace();
    trace.start(4, 4);
    for (let n = 1; n <= 11; n++) trace.record(TP_NAPI_POLL, 100 * n, 2, n, 2 * n, 64);
    expect(args(trace)).toEqual([8, 9, 10, 11].map((n) => [n, 2 * n, 64]));
    expect(trace.lost).toBe(7);
    const [first] = trace.records();
    expect([first!.at, first!.cpu, first!.point.name]).toEqual([800, 2, 'napiPoll']);
  });

  test('loses nothing while it is not full', () => {
    const trace = new Trace();
    trace.start(4, 4);
    for (let n = 0; n < 4; n++) trace.record(TP_IRQ, n, 0, n, 0, 0);
    expect([trace.lost, args(trace).length]).toEqual([0, 4]);
  });

  test('a record has the arguments its point names, no more', () => {
    const trace = new Trace();
    trace.start(4, 4);
    trace.record(TP_IRQ, 1, 0, 7, 8, 9);
    expect(args(trace)).toEqual([[7]]);
  });

  test('starting again begins an empty ring', () => {
    const trace = new Trace();
    trace.start(2, 4);
    trace.record(TP_IRQ, 1, 0, 7, 0, 0);
    trace.start(2, 4);
    expect(args(trace)).toEqual([]);
  });

  test('times are kept to the picosecond up to the end of time', () => {
    const trace = new Trace();
    trace.start(1, 4);
    trace.record(TP_IRQ, 2 ** 53 - 1, -1, 0, 0, 0);
    expect([...trace.records()].map(({ at, cpu }) => [at, cpu])).toEqual([[2 ** 53 - 1, -1]]);
  });
});

describe('what is recorded', () => {
  test('nothing before it is started', () => {
    const trace = new Trace();
    trace.record(TP_IRQ, 1, 0, 7, 0, 0);
    expect(args(trace)).toEqual([]);
  });

  test('points up to the level, and none above', () => {
    const trace = new Trace();
    trace.start(9, 2);
    trace.record(TP_IRQ, 1, 0, 7, 0, 0);
    trace.record(TP_RX_PKT, 2, 0, 8, 0, 0);
    expect(args(trace)).toEqual([[7]]);
  });

  test('the observer looks only when somebody does, and records on the CPU’s timeline', () => {
    const trace = new Trace();
    const watch = new Watch(trace, new Ledger());
    expect(watch.on).toBe(false);
    trace.start(4, 4);
    watch.refresh();
    expect(watch.on).toBe(true);
    const cpu = new Cpu(5, new Float64Array(OP_COUNT));
    cpu.idleUntil(77);
    watch.point(TP_IRQ, cpu, 3);
    expect([...trace.records()].map((r) => [r.at, r.cpu, ...r.args])).toEqual([[77, 5, 3]]);
  });
});

describe('the catalogue', () => {
  const points = numbered(traceFile, 'TP_');

  test.each(points)('%s stands under its own number', (name, id) => {
    const spelled: Readonly<Record<string, string>> = {
      nicRxDma: 'rxDma',
      nicRxDrop: 'rxDrop',
      nicTxDma: 'txDma',
      netdevOpen: 'open',
      netdevClose: 'close',
    };
    expect(TRACE_POINTS[id]!.name).toBe(spelled[camel(name)] ?? camel(name));
  });

  test('has one number for each point, one name, and at most three arguments', () => {
    expect(points.map(([, id]) => id).toSorted((a, b) => a - b)).toEqual([...TRACE_POINTS.keys()]);
    expect(new Set(TRACE_POINTS.map(({ name }) => name)).size).toBe(TRACE_POINTS.length);
    expect(TRACE_POINTS.filter((point) => point.args.length > 3)).toEqual([]);
  });
});
