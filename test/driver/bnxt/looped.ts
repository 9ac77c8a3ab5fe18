/** Runs with and without the compiled loops of XDP's TX rings, and how many frames these sent and gave back. */
import { vi } from 'vitest';
import { XdpTxLoops } from '../../../src/driver/bnxt/xdpTxLoops.ts';

export interface Looped<T> {
  readonly what: T;
  readonly sent: number;
  readonly givenBack: number;
}

/** As it is. */
export async function looped<T>(work: () => T | Promise<T>): Promise<Looped<T>> {
  const xmit = vi.spyOn(XdpTxLoops.prototype, 'xmit');
  const giveBack = vi.spyOn(XdpTxLoops.prototype, 'giveBack');
  try {
    const what = await work();
    const sent = xmit.mock.results.reduce((sum, { value }) => sum + (value as number), 0);
    const givenBack = giveBack.mock.calls.reduce((sum, [, from], i) => {
      return sum + (((giveBack.mock.results[i]!.value as number) - from) & 0xffff);
    }, 0);
    return { what, sent, givenBack };
  } finally {
    xmit.mockRestore();
    giveBack.mockRestore();
  }
}

/** Everything is left to TypeScript. */
export async function unlooped<T>(work: () => T | Promise<T>): Promise<T> {
  const xmit = vi.spyOn(XdpTxLoops.prototype, 'xmit').mockReturnValue(0);
  const giveBack = vi.spyOn(XdpTxLoops.prototype, 'giveBack');
  giveBack.mockImplementation((_cpu, txCons) => txCons);
  try {
    return await work();
  } finally {
    xmit.mockRestore();
    giveBack.mockRestore();
  }
}
