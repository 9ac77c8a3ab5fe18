/**
 * Exact-match steering rules, which beat RSS.
 *
 * @linux hwrm_cfa_ntuple_filter_alloc, bnxt_hwrm_cfa_ntuple_filter_alloc
 */
import { RangeRefused } from '../host/errors.ts';
import type { ParsedFrame } from '../wire/parse.ts';
import type { HwrmCfaNtupleFilterAllocInput } from './hsi/hwrm.ts';
import type { HashTuple } from './rss.ts';

/** @linux BNXT_NTP_FLTR_MAX_FLTR */
export const MAX_NTUPLE_FILTERS = 4096;

interface Filter {
  readonly id: number;
  readonly rule: HwrmCfaNtupleFilterAllocInput;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** No match: RSS decides. */
export const NTUPLE_NONE = -2;

export class NtupleTable {
  private filters: Filter[] = [];
  private nextId = 1;

  /** @returns filter id. @throws RangeRefused when the table is full */
  add(rule: HwrmCfaNtupleFilterAllocInput): number {
    if (this.filters.length >= MAX_NTUPLE_FILTERS) {
      throw new RangeRefused(
        'ntuple filters',
        this.filters.length + 1,
        `at most ${MAX_NTUPLE_FILTERS}`,
      );
    }
    this.filters.push({ id: this.nextId, rule });
    return this.nextId++;
  }

  remove(id: number): void {
    this.filters = this.filters.filter((f) => f.id !== id);
  }

  /** Destination of the first rule that matches: a ring, -1 to drop, `NTUPLE_NONE`. */
  lookup(frame: ParsedFrame, tuple: HashTuple): number {
    const hit = this.filters.find((f) => matches(f.rule, frame, tuple));
    return hit === undefined ? NTUPLE_NONE : hit.rule.dst;
  }
}

function matches(
  rule: HwrmCfaNtupleFilterAllocInput,
  frame: ParsedFrame,
  tuple: HashTuple,
): boolean {
  const half = tuple.addresses.length / 2;
  const hasPorts = tuple.ports.length === 4;
  return (
    frame.etherType === rule.ethertype &&
    tuple.ipVersion !== 0 &&
    (rule.ipProtocol === undefined || rule.ipProtocol === tuple.protocol) &&
    (rule.srcIpaddr === undefined ||
      sameBytes(rule.srcIpaddr, tuple.addresses.subarray(0, half))) &&
    (rule.dstIpaddr === undefined || sameBytes(rule.dstIpaddr, tuple.addresses.subarray(half))) &&
    (rule.srcPort === undefined || (hasPorts && rule.srcPort === frame.srcPort)) &&
    (rule.dstPort === undefined || (hasPorts && rule.dstPort === frame.dstPort))
  );
}
