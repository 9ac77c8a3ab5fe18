/** Helpers called as an engine calls them; what a kernel answers is in `bpfObjects.test.ts`. */
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/host/clock.ts';
import { E2BIG, EBUSY, EDEADLK, EINVAL, ENODEV, ERANGE } from '../../../src/host/errno.ts';
import { bprintf } from '../../../src/xdp/helpers/bprintf.ts';
import { HELPERS, KFUNCS } from '../../../src/xdp/helpers/table.ts';
import type { Bpf } from '../../../src/xdp/bpf.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import { BPF_MAP_TYPE_ARRAY } from '../../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';

interface Rig {
  readonly bpf: Bpf;
  /** A page to play in. */
  readonly at: number;
  call(name: string, ...args: number[]): number;
  text(at: number, value: string): number;
  hi(n: number, value: number): void;
}

function rig(clock?: VirtualClock): Rig {
  const bpf = standaloneBpf({ moreBytes: 8192, ...(clock && { clock }) });
  const { at } = bpf.mem.region('page', 4096);
  return {
    bpf,
    at,
    call(name, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0) {
      const helper = KFUNCS.get(name) ?? HELPERS.find((known) => known?.name === name);
      return helper!.call(bpf, a1, a2, a3, a4, a5);
    },
    text(to, value) {
      bpf.mem.u8.set(Buffer.from(`${value}\0`), to);
      return to;
    },
    hi(n, value) {
      bpf.mem.words[(bpf.hi >> 2) + n] = value;
    },
  };
}

describe('numbers out of text', () => {
  const cases: [string, number, number, bigint][] = [
    ['42', 10, 2, 42n],
    ['  -42', 10, 5, -42n],
    ['0x1F', 0, 4, 31n],
    ['0x1F', 16, 4, 31n],
    ['0xg', 0, 1, 0n], // an octal 0, then something else
    ['0777z', 0, 4, 511n],
    ['9223372036854775807', 10, 19, 2n ** 63n - 1n],
    ['-9223372036854775808', 10, 20, -(2n ** 63n)],
    ['9223372036854775808', 10, -ERANGE, 0n],
    ['99999999999999999999', 10, -ERANGE, 0n],
    ['-', 10, -EINVAL, 0n],
    ['', 10, -EINVAL, 0n],
    ['12', 7, -EINVAL, 0n],
  ];
  test.each(cases)('strtol(%j, base %i) = %i', (text, base, taken, value) => {
    const { at, bpf, call, text: put } = rig();
    put(at, text);
    expect(call('bpf_strtol', at, text.length + 1, base, at + 64)).toBe(taken);
    expect(bpf.mem.view.getBigInt64(at + 64, true)).toBe(value);
  });

  test('strtoul takes the upper half, and nothing negative', () => {
    const { at, bpf, call, text } = rig();
    text(at, '18446744073709551615');
    expect(call('bpf_strtoul', at, 21, 10, at + 64)).toBe(20);
    expect(bpf.mem.view.getBigUint64(at + 64, true)).toBe(2n ** 64n - 1n);
    text(at, '-1');
    expect(call('bpf_strtoul', at, 3, 10, at + 64)).toBe(-EINVAL);
  });
});

describe('formatted output', () => {
  function printed(format: string, ...values: bigint[]): string | number {
    const { bpf, at, text } = rig();
    text(at + 1024, 'words');
    values.forEach((value, i) =>
      bpf.mem.view.setBigUint64(at + 8 * i, BigInt.asUintN(64, value), true),
    );
    return bprintf(
      bpf.mem,
      format,
      values.map((_, i) => at + 8 * i),
    );
  }
  test.each<[string, bigint[], string | number]>([
    ['%d %u %x', [-1n, -1n, 255n], '-1 4294967295 ff'],
    ['%lld %llu %llX', [-1n, -1n, -1n], '-1 18446744073709551615 FFFFFFFFFFFFFFFF'],
    ['[%5d|%-5d|%05d|%+d]', [42n, 42n, -42n, 42n], '[   42|42   |-0042|+42]'],
    ['100%% %c', [65n], '100% A'],
    ['%px', [0x1234n], '0000000000001234'],
    ['%f', [1n], -EINVAL],
    ['%d', [], -EINVAL],
    ['%d', [1n, 2n], -EINVAL],
    ['\x01', [], -EINVAL],
  ])('%j', (format, values, text) => {
    expect(printed(format, ...values)).toBe(text);
  });

  test('strings and addresses are read where the value points', () => {
    const { bpf, at, text } = rig();
    bpf.mem.view.setUint32(at, text(at + 100, 'eth0'), true);
    expect(bprintf(bpf.mem, 'dev %s', [at])).toBe('dev eth0');
    bpf.mem.u8.set([10, 0, 0, 1], at + 200);
    bpf.mem.view.setUint32(at, at + 200, true);
    expect(bprintf(bpf.mem, '%pI4 %pi4', [at, at])).toBe('10.0.0.1 010.000.000.001');
  });

  test('a line goes to the trace, with its CPU', () => {
    const { bpf, at, call, text, hi } = rig();
    text(at, 'seen %d of %llu\n');
    hi(4, 1);
    expect(call('bpf_trace_printk', at, 17, 3, 4, 0)).toBe('seen 3 of 4294967300\n'.length);
    expect(bpf.tracePipe.lines).toEqual([{ cpu: 0, time: 0, text: 'seen 3 of 4294967300' }]);
  });

  test('snprintf tells how much room the whole would need', () => {
    const { bpf, at, call, text } = rig();
    text(at + 64, 'abcdef');
    expect(call('bpf_snprintf', at, 4, at + 64, 0, 0)).toBe(7);
    expect(Buffer.from(bpf.mem.u8.slice(at, at + 5)).toString()).toBe('abc\0\0');
  });
});

describe('dynptrs', () => {
  test('read and write stay inside', () => {
    const { bpf, at, call } = rig();
    bpf.mem.u8.set([1, 2, 3, 4, 5, 6, 7, 8], at);
    expect(call('bpf_dynptr_from_mem', at, 8, 0, at + 64)).toBe(0);
    expect(call('bpf_dynptr_read', at + 32, 4, at + 64, 4, 0)).toBe(0);
    expect([...bpf.mem.u8.slice(at + 32, at + 36)]).toEqual([5, 6, 7, 8]);
    expect(call('bpf_dynptr_read', at + 32, 4, at + 64, 5, 0)).toBe(-E2BIG);
    expect(call('bpf_dynptr_write', at + 64, 6, at + 32, 2, 0)).toBe(0);
    expect([...bpf.mem.u8.slice(at, at + 8)]).toEqual([1, 2, 3, 4, 5, 6, 5, 6]);
    expect(call('bpf_dynptr_adjust', at + 64, 2, 9)).toBe(-ERANGE);
    expect(call('bpf_dynptr_adjust', at + 64, 2, 6)).toBe(0);
    expect(call('bpf_dynptr_size', at + 64)).toBe(4);
    expect(call('bpf_dynptr_data', at + 64, 1, 3)).toBe(at + 3);
    expect(call('bpf_dynptr_data', at + 64, 2, 3)).toBe(0);
  });

  test('an empty one refuses everything', () => {
    const { at, call } = rig();
    expect(call('bpf_dynptr_from_mem', at, 1 << 24, 0, at + 64)).toBe(-E2BIG);
    expect(call('bpf_dynptr_is_null', at + 64)).toBe(1);
    expect(call('bpf_dynptr_read', at, 1, at + 64, 0, 0)).toBe(-EINVAL);
    expect(call('bpf_dynptr_size', at + 64)).toBe(-EINVAL);
  });
});

test('numeric iterators count from start to the number before the end', () => {
  const { bpf, at, call } = rig();
  expect(call('bpf_iter_num_new', at, -1, 2)).toBe(0);
  const seen: number[] = [];
  while (call('bpf_iter_num_next', at) !== 0) seen.push(bpf.mem.view.getInt32(at, true));
  expect(seen).toEqual([-1, 0, 1]);
  expect(call('bpf_iter_num_new', at, 2, 1)).toBe(-EINVAL);
  expect(call('bpf_iter_num_new', at, 0, 9_000_000)).toBe(-E2BIG);
  expect(call('bpf_iter_num_next', at)).toBe(0);
});

describe('timers', () => {
  test('ring when due, with the element they lie in', () => {
    const clock = new VirtualClock();
    const { bpf, at, call } = rig(clock);
    const map = createMap(bpf, {
      name: 'timers',
      type: BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: 24,
      maxEntries: 4,
      flags: 0,
      special: [{ kind: 'timer', at: 0, bytes: 16 }],
    });
    bpf.mem.words[at >> 2] = 3;
    const value = map.lookupElem(at);
    const rang: number[][] = [];
    bpf.engine = {
      call(func, handle, key, elem) {
        rang.push([func, handle, bpf.mem.words[key >> 2]!, elem]);
        expect(call('bpf_timer_cancel', value)).toBe(-EDEADLK);
        return 0;
      },
    };
    expect(call('bpf_timer_start', value, 5, 0)).toBe(-EINVAL);
    expect(call('bpf_timer_init', value, map.handle, 1)).toBe(0);
    expect(call('bpf_timer_init', value, map.handle, 1)).toBe(-EBUSY);
    expect(call('bpf_timer_start', value, 5, 0)).toBe(-EINVAL);
    expect(call('bpf_timer_set_callback', value, 77)).toBe(0);
    expect(call('bpf_timer_start', value, 5, 0)).toBe(0);
    expect(clock.nextAt()).toBe(5000);
    expect(call('bpf_timer_cancel', value)).toBe(1);
    expect(clock.nextAt()).toBe(Infinity);
    call('bpf_timer_set_callback', value, 77);
    call('bpf_timer_start', value, 9, 0);
    clock.ringNext();
    expect(rang).toEqual([[77, map.handle, 3, value]]);
    expect(call('bpf_timer_cancel', value)).toBe(0);
  });
});

test('what asks for a device that is not there says so', () => {
  const { at, call, bpf } = rig();
  bpf.mem.view.setUint32(at, 5, true);
  expect(call('bpf_check_mtu', 0, 9, at, 0, 0)).toBe(-ENODEV);
  expect(bpf.mem.view.getUint32(at, true)).toBe(0);
  expect(call('bpf_fib_lookup', 0, at, 63, 0)).toBe(-EINVAL);
});
