import { describe, expect, test } from 'vitest';
import { HostMemory } from '../../src/host/memory.ts';
import { F64, I32, WasmModule } from '../../src/host/wasm.ts';
import { copyApart } from '../../src/host/wasmCopy.ts';
import {
  HALF,
  INFINITY,
  WasmFunction,
  add,
  and,
  double,
  eq,
  fadd,
  ffloor,
  fgt,
  fmax,
  fmul,
  ge,
  gt,
  fourOf,
  load16,
  load32,
  loadF64,
  ne,
  or,
  shl,
  shr,
  or16,
  sub,
  withWord,
} from '../../src/host/wasmFunction.ts';

type Run = (...args: number[]) => void;

/** Instantiated over `mem`. */
function run(mem: HostMemory, f: WasmFunction): Run {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  f.exportTo(module, 'f');
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    host: { memory: mem.memory },
  });
  return instance.exports['f'] as Run;
}

const AT = 4096;

describe('expressions', () => {
  const a = -7;
  const b = 3;
  test.each([
    ['eq', eq, 0],
    ['ne', ne, 1],
    ['gt, unsigned', gt, 1],
    ['ge, unsigned', ge, 1],
    ['add', add, a + b],
    ['sub', sub, a - b],
    ['and', and, a & b],
    ['or', or, a | b],
    ['shl', shl, a << b],
    ['shr, unsigned', shr, (a >>> b) | 0],
  ])('%s', (_name, operator, expected) => {
    const mem = new HostMemory(65536);
    const f = new WasmFunction();
    const [x, y] = [f.param(I32), f.param(I32)];
    f.store32(AT, 4, operator(x, y));
    run(mem, f)(a, b);
    expect(mem.words[(AT + 4) >> 2]).toBe(expected);
  });

  test('doubles are compared, added, and stored whole', () => {
    const mem = new HostMemory(65536);
    const f = new WasmFunction();
    const [x, y] = [f.param(F64), f.param(F64)];
    f.storeF64(AT, 0, fadd(fmax(x, y), loadF64(AT, 8)));
    f.store32(AT, 16, fgt(x, y));
    f.store32(AT, 20, fgt(INFINITY, y));
    mem.doubles[(AT + 8) >> 3] = 0.25;
    run(mem, f)(2 ** 52, 2 ** 51);
    expect(mem.doubles[AT >> 3]).toBe(2 ** 52); // a quarter is lost at this size
    expect([mem.words[(AT + 16) >> 2], mem.words[(AT + 20) >> 2]]).toEqual([1, 1]);
  });
});

test('loops within loops are left and begun again, each by itself', () => {
  const mem = new HostMemory(65536);
  const f = new WasmFunction();
  const n = f.param(I32);
  const [i, k, sum] = [f.i32(), f.i32(), f.i32At(AT, 0)];
  // sum over odd i < n of i, i times
  f.repeat(() => {
    f.leaveIf(ge(i, n));
    f.set(i, add(i, 1));
    f.if(eq(and(i, 1), 0), () => f.again());
    f.set(k, 0);
    f.repeat(() => {
      f.leaveIf(ge(k, i));
      f.set(sum, add(sum, i));
      f.set(k, add(k, 1));
    });
  });
  f.store32(AT, 0, sum);
  mem.words[AT >> 2] = 1000;
  run(mem, f)(6);
  expect(mem.words[AT >> 2]).toBe(1000 + 1 * 1 + 3 * 3 + 5 * 5);
});

test('sixteen bytes are copied, or as many as are asked for', () => {
  const mem = new HostMemory(65536);
  mem.u8.set(
    Array.from({ length: 64 }, (_, i) => i + 1),
    AT,
  );
  const f = new WasmFunction();
  const len = f.param(I32);
  f.store16(AT + 250, 6, load16(AT, 3));
  f.copy(AT + 512, add(AT, load32(AT + 1024)), len);
  mem.words[(AT + 1024) >> 2] = 5;
  run(mem, f)(7);
  expect([...mem.u8.slice(AT + 256, AT + 256 + 17)]).toEqual([
    ...[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    0,
  ]);
  expect([...mem.u8.slice(AT + 512, AT + 512 + 8)]).toEqual([6, 7, 8, 9, 10, 11, 12, 0]);
});

test('ranges that lie apart are copied at every length, and nothing beside them changes', () => {
  const mem = new HostMemory(65536);
  for (let i = 0; i < mem.bytes; i++) mem.u8[i] = (i * 167) >> 3;
  const f = new WasmFunction();
  const [to, from, len] = [f.param(I32), f.param(I32), f.param(I32)];
  copyApart(f, to, from, len);
  const copy = run(mem, f);
  for (let n = 0; n <= 300; n++) {
    const expected = mem.u8.slice();
    expected.copyWithin(1003, 20_000 + n, 20_000 + n + n);
    copy(1003, 20_000 + n, n);
    expect(Buffer.compare(mem.u8, expected), `${n} bytes`).toBe(0);
  }
});

test('words are replaced in sixteen bytes, and bits added', () => {
  const mem = new HostMemory(65536);
  const f = new WasmFunction();
  const word = f.param(I32);
  f.store16(AT, 0, or16(load16(AT, 16), withWord(fourOf(word), 2, 0x70)));
  mem.words.set([1, 2, 4, 8], (AT + 16) >> 2);
  run(mem, f)(0x100);
  expect([...mem.words.subarray(AT >> 2, (AT >> 2) + 4)]).toEqual([0x101, 0x102, 0x74, 0x108]);
});

test('a double is made of an i32, multiplied, and rounded down', () => {
  const mem = new HostMemory(65536);
  const f = new WasmFunction();
  const n = f.param(I32);
  f.storeF64(AT, 0, ffloor(fadd(fmul(double(n), loadF64(AT, 8)), HALF)));
  mem.doubles[(AT + 8) >> 3] = 2.5;
  run(mem, f)(-1);
  expect(mem.doubles[AT >> 3]).toBe(Math.round((2 ** 32 - 1) * 2.5));
});
