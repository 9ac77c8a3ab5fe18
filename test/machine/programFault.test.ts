/** A program that does what none may ends the run, and the message says which program and packet. */
import { describe, expect, test } from 'vitest';
import { END_OF_TIME } from '../../src/host/clock.ts';
import type { Machine } from '../../src/machine.ts';
import type { XdpContext } from '../../src/xdp/context.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { ProgramFault } from '../../src/xdp/program.ts';
import { XDP_DROP, XDP_PASS } from '../../src/xdp/uapi.ts';
import { oneNic } from './oneNic.ts';

const LEN = 60;

interface Options {
  readonly queues?: number;
  readonly check?: boolean;
  readonly eager?: boolean;
  readonly trace?: boolean;
}

/** Twenty 64-byte frames of five flows for a program called naughty. */
function machineWith(fn: (ctx: XdpContext) => unknown, options: Options = {}): Machine {
  const { queues = 1, check = true, eager = false, trace = false } = options;
  // a program from a JavaScript file may return anything
  const xdp = defineXdp(fn as (ctx: XdpContext) => number, { name: 'naughty' });
  const traffic = 'flows=5';
  const machine = oneNic({ xdp, count: 20, traffic, nic: { queues }, machine: { check, eager } });
  if (trace) {
    machine.trace.start(100, 4);
    machine.watch.refresh();
  }
  return machine;
}

function faultOf(machine: Machine): ProgramFault {
  try {
    machine.run(END_OF_TIME);
  } catch (error) {
    if (error instanceof ProgramFault) return error;
    throw error;
  }
  throw new Error('the run went on to its end');
}

/** `wrong` on packet 7 of 20, XDP_DROP before. */
function onSeventh(wrong: (ctx: XdpContext) => unknown): (ctx: XdpContext) => unknown {
  let packets = 0;
  return (ctx) => (++packets === 7 ? wrong(ctx) : XDP_DROP);
}

const WHERE = 'program naughty, packet 7 of ifindex 2 queue 0: ';

describe('what is returned', () => {
  test.each<[string, unknown, string]>([
    ['a string', 'drop', 'string'],
    ['a string of digits', '1', 'string'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['NaN', NaN, 'NaN'],
    ['a fraction', 1.5, '1.5'],
    ['Infinity', Infinity, 'Infinity'],
    ['a boolean', true, 'boolean'],
    ['a bigint', 2n, 'bigint'],
    ['a symbol', Symbol('x'), 'symbol'],
    ['a promise', Promise.resolve(XDP_PASS), 'a promise'],
  ])('%s is no verdict, traced or not', (_, value, what) => {
    for (const trace of [false, true]) {
      const fault = faultOf(
        machineWith(
          onSeventh(() => value),
          { trace },
        ),
      );
      expect(fault.message).toBe(`${WHERE}returned ${what}, which is no integer`);
      expect([fault.program, fault.packet]).toEqual(['naughty', 7]);
    }
  });

  test.each([5, -1, 2 ** 31, 2 ** 40, -(2 ** 53) + 1])(
    '%i is unknown, and the run goes on',
    (n) => {
      const machine = machineWith(() => n);
      machine.run(END_OF_TIME);
      const [nic] = machine.result().nics;
      expect(nic!.fates.received).toBe(20);
      expect(nic!.fates.lostAt('driver')).toBe(20);
    },
  );
});

describe('what is thrown', () => {
  test.each<[string, unknown, string]>([
    ['an error', new TypeError('x is not a function'), 'threw TypeError: x is not a function'],
    ['a string', 'stop', 'threw stop'],
    ['nothing', undefined, 'threw undefined'],
    ['null', null, 'threw null'],
  ])('%s', (_, thrown, reason) => {
    const fault = faultOf(
      machineWith(
        onSeventh(() => {
          throw thrown;
        }),
      ),
    );
    expect(fault.message).toBe(WHERE + reason);
    expect(fault.packet).toBe(7);
    expect(fault.cause).toBe(thrown);
  });
});

describe('what is touched', () => {
  test.each<[string, (ctx: XdpContext) => unknown, string]>([
    ['u8 at the end', (c) => c.u8(c.len), `1 bytes at offset ${LEN}`],
    ['u16 across the end', (c) => c.u16(c.len - 1), `2 bytes at offset ${LEN - 1}`],
    ['u32 across the end', (c) => c.u32(c.len - 3), `4 bytes at offset ${LEN - 3}`],
    ['u8 in front', (c) => c.u8(-1), '1 bytes at offset -1'],
    ['u8 nowhere', (c) => c.u8(NaN), '1 bytes at offset NaN'],
    ['a write at the end', (c) => c.setU8(c.len, 1), `1 bytes at offset ${LEN}`],
    ['a write in front', (c) => c.setU32(-4, 1), '4 bytes at offset -4'],
    ['a copy that ends outside', (c) => c.copy(20, 0, 41), '41 bytes at offset 20'],
    ['a sum of more than there is', (c) => c.csum(0, 61), '61 bytes at offset 0'],
  ])('%s', (_, wrong, what) => {
    const fault = faultOf(machineWith(onSeventh(wrong)));
    expect(fault.message).toBe(`${WHERE}touches ${what} of a ${LEN}-byte packet`);
  });

  test('a program that reads on and on stops at the end of its packet', () => {
    const read = onSeventh((ctx) => {
      for (let at = 0; ; at++) ctx.u8(at);
    });
    expect(faultOf(machineWith(read)).message).toContain(`offset ${LEN} of a ${LEN}-byte packet`);
  });

  test('metadata that was not asked for', () => {
    const fault = faultOf(machineWith(onSeventh((ctx) => ctx.metaU32(0))));
    expect(fault.message).toBe(`${WHERE}touches 4 bytes at offset 0 of 0 bytes of metadata`);
  });
});

describe('which packet', () => {
  test('is counted on its own queue', () => {
    const perQueue = [0, 0, 0, 0];
    const machine = machineWith(
      (ctx) => (++perQueue[ctx.rxQueueIndex]! === 4 ? 'fourth' : XDP_DROP),
      { queues: 4 },
    );
    const fault = faultOf(machine);
    const queue = perQueue.indexOf(4);
    expect(fault.message).toContain(`packet 4 of ifindex 2 queue ${queue}: `);
  });

  test('is the same whatever mode the machine runs in', () => {
    for (const check of [false, true]) {
      for (const eager of [false, true]) {
        const machine = machineWith(
          onSeventh(() => 'x'),
          { check, eager },
        );
        expect(faultOf(machine).packet, `${check} ${eager}`).toBe(7);
      }
    }
  });
});
