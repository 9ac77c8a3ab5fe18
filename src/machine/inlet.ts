/**
 * Frames that reach a NIC while its machine runs: from another machine, or from the world outside.
 *
 * Traffic is made ahead of time, because it depends on nothing; these frames depend on everything,
 * so they are made known one round after the other. Their bytes lie in slots that are used again
 * once the NIC has done with them.
 *
 * A frame that finds no slot waits outside and arrives late, and counts as such; of those that wait
 * there are at most as many as there are slots times eight. What is beyond them is lost, and counted.
 */
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { Machine } from '../machine.ts';
import type { Nic } from '../nic/nic.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from '../wire/frames.ts';
import { BLOCK } from '../wire/frames.ts';

/** A MAC sends nothing shorter. @spec IEEE Std 802.3-2022 §4A.2.3.2.3 */
const MIN_LEN = 60;
/** Ethernet header and two tags. */
const OVERHEAD = 22;
/** Frames that may wait for each slot: a long cable holds many at once. */
const WAITING_A_SLOT = 8;

const slotBytes = (mtu: number): number => Math.ceil((mtu + OVERHEAD) / 16) * 16;

/** What a machine must be given as `frameBytes` for an inlet of so many slots. */
export const inletBytes = (slots: number, mtu: number): number => slots * slotBytes(mtu);

export class Inlet implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly machine: Machine;
  private readonly nic: Nic;
  private readonly slots: number;
  private readonly slotBytes: number;
  private readonly made: number[] = [];
  private free: number[] = [];
  /** Known to this inlet and not yet to the NIC, in the order of arrival; the first `taken` are gone. */
  private waiting: { readonly at: Ps; readonly bytes: Uint8Array }[] = [];
  private taken = 0;
  /** Those in front of this one have found no slot before. */
  private refused = 0;
  private offered: { readonly at: Ps; readonly frame: number }[] = [];
  private last: Ps = 0;
  /** Frames that arrived later than they should have, for want of a slot. */
  late = 0;
  /** Frames for which there was no room to wait. */
  lost = 0;

  /** @param slots frames the NIC may be behind with */
  constructor(machine: Machine, nic: number, slots: number) {
    this.machine = machine;
    this.nic = machine.nics[nic]!.nic;
    this.frames = machine.frames;
    this.slots = slots;
    this.slotBytes = slotBytes(machine.nics[nic]!.config.mtu);
  }

  /** Nothing is on its way that the NIC does not know. */
  get empty(): boolean {
    return this.taken === this.waiting.length;
  }

  /**
   * A frame arrives at `at`, or as soon as the machine's present allows, behind those before it.
   *
   * @returns false when it is lost, since too many wait
   * @throws RangeRefused when it is longer than the NIC's MTU lets a frame be
   */
  arrive(at: Ps, bytes: Uint8Array): boolean {
    if (bytes.length > this.slotBytes) {
      throw new RangeRefused('frame', `${bytes.length} bytes`, `at most ${this.slotBytes}`);
    }
    if (this.waiting.length - this.taken >= this.slots * WAITING_A_SLOT) {
      this.lost++;
      return false;
    }
    const padded = new Uint8Array(Math.max(bytes.length, MIN_LEN));
    padded.set(bytes);
    this.waiting.push({ at, bytes: padded });
    return true;
  }

  /** Make what waits known to the NIC. The machine must not be running. */
  deliver(): void {
    if (this.empty) return;
    const present = this.machine.present;
    this.nic.settleAll(present);
    while (!this.empty) {
      const frame = this.slot();
      if (frame < 0) break;
      const { at, bytes } = this.waiting[this.taken]!;
      if (this.taken++ < this.refused && at <= present) this.late++;
      this.frames.rewrite(frame, bytes);
      this.nic.classes.forgetOne(frame);
      this.last = Math.max(at, present + 1, this.last);
      this.offered.push({ at: this.last, frame });
    }
    this.waiting = this.waiting.slice(this.taken);
    this.taken = 0;
    this.refused = this.waiting.length;
    if (this.nic.port.free) this.nic.port.offer(this);
  }

  fill(block: ArrivalBlock): void {
    block.count = Math.min(BLOCK, this.offered.length);
    for (let i = 0; i < block.count; i++) {
      block.at[i] = this.offered[i]!.at;
      block.frame[i] = this.offered[i]!.frame;
    }
    this.offered = this.offered.slice(block.count);
  }

  /** A slot that nobody reads any more, or -1. */
  private slot(): number {
    if (this.made.length < this.slots) {
      const frame = this.frames.reserve(this.slotBytes);
      this.made.push(frame);
      return frame;
    }
    if (this.free.length === 0) {
      const busy = new Set(this.offered.map(({ frame }) => frame));
      this.nic.framesInHand(busy);
      this.free = this.made.filter((frame) => !busy.has(frame));
    }
    return this.free.pop() ?? -1;
  }
}
