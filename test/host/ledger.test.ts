import { describe, expect, test } from 'vitest';
import {
  CheckedLedger,
  DRIVER,
  FREE,
  Ledger,
  OWNED,
  OWNER_NAMES,
  POOL_CACHE,
  RX_RING,
  SHARED,
  SKB,
  TX_RING,
  XDP_FRAME,
} from '../../src/host/ledger.ts';
import { HostMemory, PAGE_SIZE } from '../../src/host/memory.ts';

/** Each owner, and to whom a page may go from there: the life of a page, as the design tells it. */
const LIFE: Readonly<Record<string, readonly string[]>> = {
  free: ['allocator'],
  allocator: ['free', 'pool cache', 'driver', 'skb', 'xdp_frame'],
  'pool cache': ['driver', 'pool ring', 'free', 'several pieces'],
  'pool ring': ['pool cache', 'free'],
  driver: [
    'RX ring',
    'TX ring',
    'xdp_frame',
    'skb',
    'pool cache',
    'pool ring',
    'free',
    'several pieces',
  ],
  'RX ring': ['driver', 'several pieces'],
  'TX ring': ['RX ring', 'pool cache', 'pool ring', 'free'],
  xdp_frame: ['xdp_frame', 'skb', 'pool cache', 'pool ring', 'free'],
  skb: ['pool cache', 'pool ring', 'free', 'several pieces'],
  'several pieces': ['pool cache', 'pool ring', 'free'],
};
/** Pieces of a shared page move among these, and the page does not. */
const PIECES = ['driver', 'RX ring', 'TX ring', 'xdp_frame', 'skb'];

const PAGE = 3 * PAGE_SIZE;
const id = (name: string): number => OWNER_NAMES.indexOf(name);

function ledgerWith(owner: string): CheckedLedger {
  const ledger = new CheckedLedger(new HostMemory(65536));
  for (const step of wayTo(owner)) ledger.move(PAGE, id(step));
  return ledger;
}

/** Shortest way from the allocator to `owner`, by legal hand-overs. */
function wayTo(owner: string): string[] {
  const ways = [['free']];
  for (const way of ways) {
    if (way.at(-1) === owner) return way.slice(1);
    for (const next of LIFE[way.at(-1)!]!) if (!way.includes(next)) ways.push([...way, next]);
  }
  throw new Error(`no way to ${owner}`);
}

const isPiece = ([from, to]: readonly [string, string]): boolean =>
  from === 'several pieces' && PIECES.includes(to);
const PAIRS = OWNER_NAMES.flatMap((from) => OWNER_NAMES.map((to) => [from, to] as const));

describe('hand-overs', () => {
  test('every owner has a life', () => {
    expect(Object.keys(LIFE)).toEqual([...OWNER_NAMES]);
  });

  test.each(PAIRS.filter(([from, to]) => LIFE[from]!.includes(to)))('%s to %s', (from, to) => {
    const ledger = ledgerWith(from);
    ledger.move(PAGE, id(to));
    expect(ledger.ownerOf(PAGE)).toBe(id(to));
  });

  const illegal = PAIRS.filter(([from, to]) => !LIFE[from]!.includes(to));
  test.each(illegal.filter((pair) => !isPiece(pair)))('not %s to %s', (from, to) => {
    const ledger = ledgerWith(from);
    expect(() => ledger.move(PAGE, id(to))).toThrow(
      `page 0x3000: ${from} hands to ${to}, which is no legal hand-over`,
    );
    expect(ledger.ownerOf(PAGE)).toBe(id(from));
  });

  test.each(illegal.filter(isPiece))('a piece of a shared page: %s to %s', (from, to) => {
    const ledger = ledgerWith(from);
    ledger.move(PAGE, id(to));
    expect(ledger.ownerOf(PAGE)).toBe(SHARED);
    ledger.holds(PAGE, id(to), 'test');
  });
});

describe('what is no page', () => {
  test.each([0, 1, PAGE + 16])('0x%s is refused', (at) => {
    expect(() => ledgerWith('free').move(at, OWNED)).toThrow('is not a page');
  });
});

describe('use', () => {
  test('holds accepts the owner, at any address in the page, and names it otherwise', () => {
    const ledger = ledgerWith('RX ring');
    ledger.holds(PAGE + 4095, RX_RING, 'RX DMA');
    expect(() => ledger.holds(PAGE + 256, DRIVER, 'program drop')).toThrow(
      'program drop uses page 0x3000, which belongs to RX ring, not to driver',
    );
    expect(() => ledger.holds(PAGE + 4096, RX_RING, 'RX DMA')).toThrow('which belongs to free');
  });

  test('a device reads only what was given away to be sent', () => {
    const readable = OWNER_NAMES.filter((owner) => {
      try {
        ledgerWith(owner).readable(PAGE + 5, 'TX DMA');
        return true;
      } catch {
        return false;
      }
    });
    expect(readable.map(id)).toEqual([TX_RING, XDP_FRAME, SKB, SHARED]);
  });

  test('the census counts every page of memory once', () => {
    const ledger = ledgerWith('pool cache');
    const census = ledger.census();
    expect(census[POOL_CACHE]).toBe(1);
    expect(census[FREE]).toBe(15);
  });
});

test('switched off, the ledger lets everything pass', () => {
  const ledger = new Ledger();
  expect(ledger.on).toBe(false);
  ledger.move(1, SKB);
  ledger.holds(1, RX_RING, 'nobody');
  expect([...ledger.census()]).toEqual(OWNER_NAMES.map(() => 0));
});
