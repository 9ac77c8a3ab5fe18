/** What programs send to user space, as streams. */
import { Observable } from 'rxjs';
import { EBUSY } from '../host/errno.ts';
import type { BpfMap } from '../xdp/maps/bpfMap.ts';
import { MapError } from '../xdp/maps/mapDef.ts';
import type { PerfEventArrayMap, PerfRecord } from '../xdp/maps/perfEventArray.ts';
import type { WakingMap } from '../xdp/maps/readers.ts';
import type { RingbufMap } from '../xdp/maps/ringbuf.ts';

/**
 * The records of a ring buffer, in order, each read once: a second subscription at the same time is
 * refused. A subscription begins with what is there.
 */
export const ringbufRecords = (map: RingbufMap): Observable<Uint8Array> =>
  recordsOf(map, (next) => map.consume(next));

/**
 * Samples, and how many were lost where a ring was full.
 *
 * @param pages of each CPU's ring; opened by the first subscription
 */
export const perfRecords = (map: PerfEventArrayMap, pages: number = 8): Observable<PerfRecord> =>
  recordsOf(map, (next) => {
    if (map.get(0) === null) map.open(pages);
    map.consume(next);
  });

function recordsOf<T>(
  map: BpfMap & WakingMap,
  consume: (next: (record: T) => void) => void,
): Observable<T> {
  return new Observable((subscriber) => {
    if (map.onWakeup !== null) throw new MapError(map, EBUSY, 'is being read already');
    return map.bpf.readers.attach(map, () => consume((record) => subscriber.next(record)));
  });
}
