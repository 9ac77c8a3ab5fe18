/**
 * Names of WebAssembly's instructions: those without operands, loads and stores, by their byte.
 *
 * @spec WebAssembly Core Specification 2.0, appendix "Index of Instructions"
 */
const WORDS = ['i32', 'i64'] as const;
const FLOATS = ['f32', 'f64'] as const;

const EXTENDING = ['8_s', '8_u', '16_s', '16_u'];
const INTEGER_TESTS = 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'.split(' ');
const FLOAT_TESTS = 'eq ne lt gt le ge'.split(' ');
const INTEGER_ARITHMETIC =
  'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'.split(
    ' ',
  );
const FLOAT_ARITHMETIC =
  'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'.split(' ');

const of = (types: readonly string[], names: readonly string[]): string[] =>
  types.flatMap((type) => names.map((name) => `${type}.${name}`));

const converted = (to: string, by: string, from: readonly string[]): string[] =>
  from.flatMap((type) => ['s', 'u'].map((sign) => `${to}.${by}_${type}_${sign}`));

const CONVERSIONS = [
  'i32.wrap_i64',
  ...converted('i32', 'trunc', FLOATS),
  ...converted('i64', 'extend', ['i32']),
  ...converted('i64', 'trunc', FLOATS),
  ...converted('f32', 'convert', WORDS),
  'f32.demote_f64',
  ...converted('f64', 'convert', WORDS),
  'f64.promote_f32',
  'i32.reinterpret_f32',
  'i64.reinterpret_f64',
  'f32.reinterpret_i32',
  'f64.reinterpret_i64',
  ...of(['i32'], ['extend8_s', 'extend16_s']),
  ...of(['i64'], ['extend8_s', 'extend16_s', 'extend32_s']),
];

/** From 0x28 on; each has an alignment and an offset. */
const MEMORY = [
  ...of([...WORDS, ...FLOATS], ['load']),
  ...of(
    ['i32'],
    EXTENDING.map((how) => `load${how}`),
  ),
  ...of(
    ['i64'],
    [...EXTENDING, '32_s', '32_u'].map((how) => `load${how}`),
  ),
  ...of([...WORDS, ...FLOATS], ['store']),
  ...of(['i32'], ['store8', 'store16']),
  ...of(['i64'], ['store8', 'store16', 'store32']),
];

/** From 0x45 on. */
const NUMERIC = [
  ...of(WORDS, INTEGER_TESTS),
  ...of(FLOATS, FLOAT_TESTS),
  ...of(WORDS, INTEGER_ARITHMETIC),
  ...of(FLOATS, FLOAT_ARITHMETIC),
  ...CONVERSIONS,
];

const numbered = (first: number, names: readonly string[]): [number, string][] =>
  names.map((name, i) => [first + i, name]);

/** Loads and stores. */
export const MEMORY_NAMES: ReadonlyMap<number, string> = new Map(numbered(0x28, MEMORY));

/** Instructions that stand alone. */
export const PLAIN_NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, 'unreachable'],
  [0x01, 'nop'],
  [0x0f, 'return'],
  [0x1a, 'drop'],
  [0x1b, 'select'],
  ...numbered(0x45, NUMERIC),
]);
