/** What an application reads, as a stream: one event for each batch, as one system call read it. */
import { Observable, Subject } from 'rxjs';
import type { CapturedDatagram } from '../machine/udpApp.ts';
import type { AppOptions } from './appOptions.ts';

/**
 * An application for the option `apps`, and what it will read.
 *
 * The datagrams are copies. Whoever subscribes hears of what is read from then on; the stream
 * completes with the run, so one stream serves one run.
 *
 * @param udp port to listen on
 */
export function datagramStream(
  udp: number,
  more: Partial<Omit<AppOptions, 'kind' | 'udp'>> = {},
): { readonly app: AppOptions; readonly batches: Observable<readonly CapturedDatagram[]> } {
  const batches = new Subject<readonly CapturedDatagram[]>();
  let batch: CapturedDatagram[] = [];
  const app: AppOptions = {
    ...more,
    kind: 'callback',
    udp,
    onDatagram: ({ bytes, from, atPs }) =>
      void batch.push({ bytes: bytes.slice(), srcPort: from.sport, atPs }),
    onBatchEnd: () => {
      const read = batch;
      batch = [];
      batches.next(read);
    },
    onEnd: () => batches.complete(),
  };
  return { app, batches: batches.asObservable() };
}
