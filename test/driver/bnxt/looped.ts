/** Runs with and without the compiled loops of XDP's TX rings, and how many frames these gave back. */
import { vi } from 'vitest';
import { XdpTxLoops } from '../../../src/driver/bnxt/xdpTxLoops.ts';

/** As it is. */
export async function looped<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly what: T; readonly givenBack: number }> {
  const giveBack = vi.spyOn(XdpTxLoops.prototype, 'giveBack');
  try {
    const what = await work();
    const givenBack = giveBack.mock.calls.reduce((sum, [, , from], i) => {
      return sum + (((giveBack.mock.results[i]!.value as number) - from) & 0xffff);
    }, 0);
    return { what, givenBack };
  } finally {
    giveBack.mockRestore();
  }
}

/** Everything is left to TypeScript. */
export async function unlooped<T>(work: () => T | Promise<T>): Promise<T> {
  const giveBack = vi.spyOn(XdpTxLoops.prototype, 'giveBack');
  giveBack.mockImplementation((_txr, _cpu, txCons) => txCons);
  try {
    return await work();
  } finally {
    giveBack.mockRestore();
  }
}
