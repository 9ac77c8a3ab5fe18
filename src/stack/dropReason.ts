/**
 * Why the stack dropped a packet: numbers for our own tables, names as `perf trace` prints them.
 *
 * @linux enum skb_drop_reason; include/net/dropreason-core.h
 */
export const SKB_DROP_REASON_NOT_SPECIFIED = 0;
export const SKB_DROP_REASON_NOMEM = 1;
export const SKB_DROP_REASON_QDISC_DROP = 2;
export const SKB_DROP_REASON_DEV_READY = 3;

/** Indexed by `SKB_DROP_REASON_*`. */
export const SKB_DROP_REASONS: readonly string[] = [
  'NOT_SPECIFIED',
  'NOMEM',
  'QDISC_DROP',
  'DEV_READY',
];

export const DROP_REASON_COUNT: number = SKB_DROP_REASONS.length;
