/** Events in the order of time, those of one time in the order of their numbers: a binary heap. */
import type { Ps } from '../host/clock.ts';

interface Event {
  readonly at: Ps;
  readonly number: number;
  readonly tag: number;
}

const before = (a: Event, b: Event): boolean =>
  a.at < b.at || (a.at === b.at && a.number < b.number);

export class EventHeap {
  private readonly heap: Event[] = [];

  /** When the first one is; Infinity without any. */
  nextAt(): Ps {
    return this.heap.length === 0 ? Infinity : this.heap[0]!.at;
  }

  /** The first one's number. */
  first(): number {
    return this.heap[0]!.number;
  }

  /** What was put beside it. */
  tag(): number {
    return this.heap[0]!.tag;
  }

  push(at: Ps, number: number, tag: number = 0): void {
    const { heap } = this;
    const event = { at, number, tag };
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  /** @returns the number of the first one, which is thereby gone */
  pop(): number {
    const { heap } = this;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first.number;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first.number;
  }
}
