/** Runs with and without the compiled walk, and how many packets it took. */
import { vi } from 'vitest';
import { RxWalk } from '../../../src/driver/bnxt/rxWalk.ts';

export interface Walked<T> {
  readonly what: T;
  /** Packets that walks counted, those with another verdict at a walk's end included. */
  readonly packets: number;
  /** Walks that an error ended. */
  readonly threw: number;
}

/** As it is. */
export async function walked<T>(work: () => T | Promise<T>): Promise<Walked<T>> {
  const run = vi.spyOn(RxWalk.prototype, 'run');
  try {
    const what = await work();
    const packets = run.mock.results.reduce((sum, { type, value }) => {
      return type === 'return' ? sum + value : sum;
    }, 0);
    const threw = run.mock.results.filter(({ type }) => type === 'throw').length;
    return { what, packets, threw };
  } finally {
    run.mockRestore();
  }
}

/** No poll may walk: everything is left to TypeScript. */
export async function unwalked<T>(work: () => T | Promise<T>): Promise<T> {
  const begin = vi.spyOn(RxWalk.prototype, 'begin').mockReturnValue(false);
  try {
    return await work();
  } finally {
    begin.mockRestore();
  }
}
