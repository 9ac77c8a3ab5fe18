/**
 * What DIM did to the RX ring of one NAPI, or to its TX ring: its moves, and how long each profile
 * was in force.
 *
 * Kept over closing and opening, as the NAPI's other books are.
 */
import type { Ps } from '../../host/clock.ts';
import { NET_DIM_PARAMS_NUM_PROFILES } from '../../stack/netDim.ts';

export class DimBooks {
  /** Moves to a profile further on, which waits longer, and back. */
  up = 0;
  down = 0;
  /** In force; null: what `ethtool -C` has set, as before the first move. */
  profile: number | null = null;
  /** Where DIM stands, which nobody has programmed before the first move. */
  private ix = 0;
  private readonly spent: Float64Array = new Float64Array(1 + NET_DIM_PARAMS_NUM_PROFILES);
  private since: Ps = 0;

  /** The ring has what `ethtool -C` says, while DIM stands at `ix`. */
  setBack(ix: number, now: Ps): void {
    this.turnTo(null, now);
    this.ix = ix;
  }

  moveTo(ix: number, now: Ps): void {
    this.turnTo(ix, now);
    if (ix > this.ix) this.up++;
    else if (ix < this.ix) this.down++;
    this.ix = ix;
  }

  private turnTo(profile: number | null, now: Ps): void {
    this.spent[this.slot]! += now - this.since;
    this.profile = profile;
    this.since = now;
  }

  private get slot(): number {
    return this.profile === null ? 0 : 1 + this.profile;
  }

  /** As `ethtool -C` has set first, then profile after profile. */
  spentUntil(now: Ps): Float64Array {
    const spent = this.spent.slice();
    spent[this.slot]! += Math.max(0, now - this.since);
    return spent;
  }
}
