/** The arrows of ARCHITECTURE.md, read off the source: who imports whom, and what nobody may use. */
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const LOWER = ['host', 'wire', 'nic/hsi', 'nic', 'xdp', 'stack', 'driver'];
const FACE = ['machine', 'lab', ...LOWER];

/** A room, and the rooms its files may import besides their own; `import type` is an import. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  host: [],
  wire: ['host'],
  'nic/hsi': ['host'],
  nic: ['host', 'wire', 'nic/hsi'],
  xdp: ['host', 'wire'],
  stack: ['host', 'wire', 'xdp'],
  driver: ['host', 'nic/hsi', 'stack', 'xdp'],
  machine: LOWER,
  lab: ['machine', 'examples', ...LOWER],
  face: FACE,
  cli: ['face', ...FACE],
  studio: ['face', ...FACE],
};
/** Files at the top of `src/` that are rooms by themselves. */
const TOP: Readonly<Record<string, string>> = {
  'machine.ts': 'machine',
  'index.ts': 'face',
  'node.ts': 'face',
  'vitest.ts': 'face',
};
const OUTSIDE_THE_CORE = /^(cli\/|node\.ts$|vitest\.ts$|lab\/(files|workers?)\.ts$)/;
const CORE_PACKAGES: Readonly<Record<string, RegExp>> = {
  rxjs: /^(lab|stack|face|machine)$/,
  zod: /^lab$/,
  yaml: /^lab$/,
};
/** Engines disagree in the last bit of the transcendental functions; the rest is time and chance. */
const UNPREDICTABLE =
  /\bDate\.now\b|\bnew Date\b|\bperformance\.now\b|\bcrypto\b|\bMath\.(random|log\w*|exp\w*|pow|sinh?|cosh?|tanh?|asinh?|acosh?|atanh?|atan2|cbrt|hypot)\b|\bset(Timeout|Interval|Immediate)\b|\bhrtime\b/;

interface Import {
  readonly from: string;
  readonly to: string;
}

const SRC = new URL('../src/', import.meta.url);
const FILES: readonly string[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'));
const read = (path: string): string => readFileSync(new URL(path, SRC), 'utf8');
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[\s;{}(),])\/\/.*$/gm, '$1');

const IMPORTS: readonly Import[] = FILES.flatMap((from) =>
  [
    ...withoutComments(read(from)).matchAll(
      /^(?:import|export)\s[^'`;]*\bfrom '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
    ),
  ].map((m) => ({ from, to: (m[1] ?? m[2] ?? m[3])! })),
);
const INNER = IMPORTS.filter(({ to }) => to.startsWith('.')).map(({ from, to }) => ({
  from,
  to: posix.join(posix.dirname(from), to),
}));

function roomOf(path: string): string {
  if (path.startsWith('../')) return path.split('/')[1]!;
  if (path.startsWith('nic/hsi/')) return 'nic/hsi';
  return TOP[path] ?? path.slice(0, path.indexOf('/'));
}

/** Files that can be reached from themselves, each as the way round. */
function circles(edges: readonly Import[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (at: string, way: readonly string[]): void => {
    if (way.includes(at)) found.push([...way.slice(way.indexOf(at)), at].join(' > '));
    if (way.includes(at) || done.has(at)) return;
    for (const { from, to } of edges) if (from === at) walk(to, [...way, at]);
    done.add(at);
  };
  for (const { from } of edges) walk(from, []);
  return found;
}

test('the import lines were found', () => {
  expect(INNER.length).toBeGreaterThan(300);
  const lost = INNER.filter(({ to }) => !FILES.includes(to) && !to.startsWith('../examples/'));
  expect(lost).toEqual([]);
  expect(FILES.filter((path) => MAY[roomOf(path)] === undefined)).toEqual([]);
});

describe('imports go one way', () => {
  test.each(Object.keys(MAY))('%s imports nothing but what its row allows', (room) => {
    const allowed = [room, ...MAY[room]!];
    const wrong = INNER.filter(
      ({ from, to }) => roomOf(from) === room && !allowed.includes(roomOf(to)),
    );
    expect(wrong).toEqual([]);
  });

  test('no circle runs through two rooms', () => {
    const rooms = INNER.map(({ from, to }) => ({ from: roomOf(from), to: roomOf(to) }));
    expect(circles(rooms.filter(({ from, to }) => from !== to))).toEqual([]);
  });

  test('a circle would be found', () => {
    const edges = ['ab', 'bc', 'ca', 'cd'].map(([from, to]) => ({ from: from!, to: to! }));
    expect(circles(edges)).toEqual(['a > b > c > a']);
    expect(circles(edges.filter(({ from }) => from !== 'a'))).toEqual([]);
  });
});

describe('the core runs anywhere', () => {
  test('it imports no Node module, and no package but the three that fit', () => {
    const wrong = IMPORTS.filter(({ from, to }) => {
      if (to.startsWith('.') || OUTSIDE_THE_CORE.test(from)) return false;
      return CORE_PACKAGES[to.split('/')[0]!]?.test(roomOf(from)) !== true;
    });
    expect(wrong).toEqual([]);
  });

  test('time and chance come from host/ alone', () => {
    // Outside the core the wall clock is read for `wallMs`, which no other field depends on.
    const wrong = FILES.filter((path) => !/^(host\/|cli\/|node\.ts$)/.test(path)).flatMap((path) =>
      withoutComments(read(path))
        .split('\n')
        .filter((line) => UNPREDICTABLE.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(wrong).toEqual([]);
  });

  test('host/ itself asks no engine for time or chance', () => {
    const wrong = FILES.filter((path) => path.startsWith('host/')).filter((path) =>
      UNPREDICTABLE.test(withoutComments(read(path))),
    );
    expect(wrong).toEqual([]);
  });
});

test('zod is imported as a namespace, of which a bundle keeps what is used: `{ z }` brings forty languages', () => {
  expect(
    FILES.filter((path) => /^import \{[^}]*\bz\b[^}]*\} from 'zod'/m.test(read(path))),
  ).toEqual([]);
});
