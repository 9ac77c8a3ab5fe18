/**
 * A list of NAPI instances, linked through the instances themselves.
 *
 * An instance is on one list at a time and knows which, so whoever holds it can take it off without
 * knowing who put it there: `napi_disable` does that to the private lists of a running softirq.
 *
 * @linux struct list_head; include/linux/list.h
 */
import type { NapiStruct } from './napi.ts';

export class NapiList {
  first: NapiStruct | null = null;
  private last: NapiStruct | null = null;

  get empty(): boolean {
    return this.first === null;
  }

  /** @linux list_add_tail */
  addTail(napi: NapiStruct): void {
    napi.pollList = this;
    napi.prev = this.last;
    napi.next = null;
    if (this.last === null) this.first = napi;
    else this.last.next = napi;
    this.last = napi;
  }

  /** @linux list_del_init */
  remove(napi: NapiStruct): void {
    if (napi.prev === null) this.first = napi.next;
    else napi.prev.next = napi.next;
    if (napi.next === null) this.last = napi.prev;
    else napi.next.prev = napi.prev;
    napi.pollList = null;
    napi.prev = null;
    napi.next = null;
  }

  /** Move all of `other` behind our own, in its order. @linux list_splice_tail_init */
  spliceTail(other: NapiList): void {
    for (let napi = other.first; napi !== null; napi = other.first) {
      other.remove(napi);
      this.addTail(napi);
    }
  }
}
