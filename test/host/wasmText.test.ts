/**
 * Text of WebAssembly. Bytes and words are the specification's; llvm-objdump's reading of compiled
 * programs was the same, line by line, when this was written.
 */
import { expect, test } from 'vitest';
import { I32, I64, WasmCode, WasmModule } from '../../src/host/wasm.ts';
import { wasmText } from '../../src/host/wasmText.ts';

const UNNAMED = { function: () => undefined, local: () => undefined };

/** One function `f` of these bytes, of no type. */
function textOf(...bytes: number[]): string[] {
  const module = new WasmModule();
  const own = module.declare();
  module.define(own, module.type([], []), [], new WasmCode().raw(bytes));
  module.exportFunction('f', own);
  return wasmText(module.encode(), UNNAMED)[0]!.lines.map(({ text }) => text);
}

test.each<[string, number[]]>([
  ['unreachable', [0x00]],
  ['return', [0x0f]],
  ['i32.load', [0x28, 0, 0]],
  ['i64.load8_s offset=300', [0x30, 0, 0xac, 0x02]],
  ['i64.load32_u offset=4', [0x35, 2, 4]],
  ['i64.store8', [0x3c, 0, 0]],
  ['i32.eqz', [0x45]],
  ['i64.ge_u', [0x5a]],
  ['f64.ge', [0x66]],
  ['i32.clz', [0x67]],
  ['i64.rotr', [0x8a]],
  ['f64.copysign', [0xa6]],
  ['i32.wrap_i64', [0xa7]],
  ['i64.extend_i32_u', [0xad]],
  ['f64.reinterpret_i64', [0xbf]],
  ['i64.extend32_s', [0xc4]],
  ['i32.const -1', [0x41, 0x7f]],
  ['i64.const -9223372036854775808', [0x42, ...Array<number>(9).fill(0x80), 0x7f]],
  ['i64.const 4294967292', [0x42, 0xfc, 0xff, 0xff, 0xff, 0x0f]],
  ['local.tee $2', [0x22, 2]],
  ['global.set 1', [0x24, 1]],
  ['call_indirect 0 (type 3)', [0x11, 3, 0]],
])('%s', (text, bytes) => {
  expect(textOf(...bytes)).toEqual([text]);
});

test('labels say which block they leave; arms and ends stand where the block does', () => {
  const module = new WasmModule();
  const helper = module.importFunction('run', 'bpf_redirect', module.type([I32], []));
  const own = module.declare();
  const out = new WasmCode();
  const end = out.block();
  const again = out.loop();
  out.get(0).brTable([again, end]);
  out.get(0).if(I32);
  out.i32(1).else();
  out.i32(2).end();
  out.callImport(helper).call(own).br(again);
  out.end();
  out.end();
  module.define(own, module.type([I32], []), [I64, I64], out);
  const [text] = wasmText(module.encode(), {
    function: () => 'spin',
    local: (_, index) => ['ctx'][index],
  });
  expect(text).toMatchObject({ own: 0, exported: null, params: ['i32'], results: [] });
  expect(text!.locals).toEqual(['i64', 'i64']);
  expect(text!.lines.map(({ depth, text: line }) => '  '.repeat(depth) + line)).toEqual([
    'block $1',
    '  loop $2',
    '    local.get $ctx',
    '    br_table $2 $1',
    '    local.get $ctx',
    '    if $3 (result i32)',
    '      i32.const 1',
    '    else',
    '      i32.const 2',
    '    end $3',
    '    call bpf_redirect',
    '    call spin',
    '    br $2',
    '  end $2',
    'end $1',
  ]);
});

test('what no compiled program has is named', () => {
  expect(() => textOf(0xfc, 0x0a, 0, 0)).toThrow('WebAssembly instruction 0xfc has no name here');
});
