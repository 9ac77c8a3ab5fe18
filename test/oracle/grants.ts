/**
 * What a running program has been given of map memory: values that it looked up, records that it
 * reserved and has not handed over, slices of dynptrs. Kept from calls and their results alone, so
 * that nothing else that lies in map memory passes for the program's.
 */
import type { Region } from '../../src/host/memory.ts';
import type { Interpreter } from '../../src/xdp/interp/interpreter.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { HASH_BYTES, VALUE_BYTES } from './borderDraft.ts';
import { accessOf } from './extents.ts';

const CALL = 0x85;
const LOOKUP = 1;
const RESERVE = 131;
const SUBMIT = 132;
const DISCARD = 133;
const SUBMIT_DYNPTR = 199;
const DISCARD_DYNPTR = 200;
const DYNPTR_DATA = 203;

/** Memory that helpers read or write for the program: registers of address and length. */
const ARGUMENTS: ReadonlyMap<number, readonly [at: number, bytes: number]> = new Map([
  [189, [3, 4]],
  [201, [1, 2]],
  [202, [3, 4]],
]);

interface Grant {
  readonly at: number;
  readonly bytes: number;
  readonly call: number;
  /** Handle of the map whose value it is; 0 of a record or slice. */
  readonly map: number;
}

export class Grants {
  private readonly maps: Region;
  private readonly array: number;
  private held: Grant[] = [];
  /** What the call under way will give, by depth. */
  private readonly calls: (readonly [slot: number, given: Omit<Grant, 'at'>] | undefined)[] = [];

  /** @param array handle of the map whose values have `VALUE_BYTES` */
  constructor(maps: Region, array: number) {
    this.maps = maps;
    this.array = array;
  }

  begin(): void {
    this.held = [];
    this.calls.length = 0;
  }

  /**
   * Was something of this size given, of this map, that begins at an address that `test` takes?
   *
   * @param map handle; 0 of records and slices
   */
  some(map: number, bytes: number, test: (at: number) => boolean): boolean {
    return this.held.some((g) => g.map === map && g.bytes === bytes && test(g.at));
  }

  /** `at` stands behind what it may have called: the result is the program's now. */
  arrive(at: Interpreter): void {
    const { slot, depth } = at;
    const before = this.calls[depth];
    if (before !== undefined && before[0] + 1 === slot) this.give(before[1], Number(at.reg(0)));
    this.calls[depth] = undefined;
  }

  /** `at` is about to execute `insn`. @returns what is wrong with it, or null */
  look(insn: Insn, at: Interpreter): string | null {
    if (insn.code === CALL && insn.src === 0) return this.call(insn.imm, at);
    const access = accessOf(insn);
    if (access === null) return null;
    const address = Number(BigInt.asUintN(64, at.reg(access.reg))) + insn.off;
    return this.test(at.slot, address, access.bytes);
  }

  private give(given: Omit<Grant, 'at'>, at: number): void {
    if (at !== 0) this.held.push({ ...given, at });
  }

  private call(helper: number, at: Interpreter): string | null {
    const arg = (n: number): number => Number(at.reg(n));
    const { slot, depth } = at;
    const gives = (map: number, bytes: number): void => {
      this.calls[depth] = [slot, { bytes, call: helper, map }];
    };
    if (helper === LOOKUP) gives(arg(1), arg(1) === this.array ? VALUE_BYTES : HASH_BYTES);
    if (helper === RESERVE) gives(0, arg(2));
    if (helper === DYNPTR_DATA) gives(0, arg(3));
    if (helper === SUBMIT || helper === DISCARD) {
      const record = this.held.findIndex((g) => g.call === RESERVE && g.at === arg(1));
      if (record < 0) return `instruction ${slot} hands over what was not reserved`;
      this.held.splice(record, 1);
    }
    if (helper === SUBMIT_DYNPTR || helper === DISCARD_DYNPTR)
      this.held = this.held.filter((g) => g.call !== DYNPTR_DATA);
    const memory = ARGUMENTS.get(helper);
    return memory === undefined ? null : this.test(slot, arg(memory[0]), arg(memory[1]));
  }

  private test(slot: number, at: number, bytes: number): string | null {
    const { maps } = this;
    if (at < maps.at || at >= maps.at + maps.bytes) return null;
    if (this.held.some((g) => at >= g.at && at + bytes <= g.at + g.bytes)) return null;
    return `instruction ${slot}: ${bytes} bytes at ${at} of map memory were not given to the program`;
  }
}
