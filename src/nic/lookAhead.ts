/**
 * What the lazy pace has found out about a NIC by looking ahead, shared by all who may change it.
 *
 * No ring of the NIC sends a message up to `quietTo`, as long as nobody asks for one, acknowledges
 * records of an armed ring or gives it buffers. Whoever does that forgets it; that time passes, and that
 * frames come which were known, does not change it.
 */
import type { Ps } from '../host/clock.ts';

export class LookAhead {
  quietTo: Ps = -1;

  forget(): void {
    this.quietTo = -1;
  }
}
