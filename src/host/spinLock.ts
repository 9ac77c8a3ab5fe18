/**
 * A lock between CPUs. Nothing is ever contended here, because CPUs interleave at polls; it stays
 * visible where Linux takes it, and holds drivers to releasing what they took.
 *
 * @linux spinlock_t
 */
import { bugOn } from './errors.ts';

export class SpinLock {
  private held = false;

  lock(): void {
    bugOn(this.held, 'spinlock recursion');
    this.held = true;
  }

  unlock(): void {
    bugOn(!this.held, 'spinlock released that nobody held');
    this.held = false;
  }
}
