/**
 * Which real objects are judged, by which of their programs, and what is set before the packets come.
 *
 * A case whose answers depend on time, on random numbers or on the machine says so in `property`:
 * it is compared by what must hold, not by equality.
 */

/** A command of `objrun.c` that prepares the object's maps. */
export type Setup =
  | { readonly set: string; readonly key: string; readonly value: string }
  | { readonly tail: string; readonly index: number; readonly prog: string };

export interface ObjectCase {
  /** Folder and file, from the project's top level. */
  readonly object: string;
  readonly prog: string;
  readonly setup?: readonly Setup[];
  /** The map whose records are read after each packet. */
  readonly events?: string;
  /** Bytes of each record that are compared; others depend on time or were never written. */
  readonly eventBytes?: readonly [from: number, to: number];
  /** Why equality cannot be asked for. */
  readonly property?: string;
}

const example = (object: string, prog: string, more: Partial<ObjectCase> = {}): ObjectCase => ({
  object: `examples/bpf/${object}.o`,
  prog,
  ...more,
});
const own = (name: string, more: Partial<ObjectCase> = {}): ObjectCase => ({
  object: `test/bpf/${name}.o`,
  prog: name,
  ...more,
});

/** Slots 0 and 2 of a map of devices: the loopback device. */
const slots = (set: string, value: string): Setup[] =>
  ['00000000', '02000000'].map((key) => ({ set, key, value }));
const LOOPBACK = '01000000';
const QSIZE_192 = 'c0000000';

/** A name as `dns_parser` keeps it: labels with their lengths, zero to 64 bytes. */
const dnsName = (name: string): string =>
  name
    .split('.')
    .map(
      (label) => Buffer.from([label.length]).toString('hex') + Buffer.from(label).toString('hex'),
    )
    .join('')
    .padEnd(128, '0');

export const OBJECT_CASES: readonly ObjectCase[] = [
  example('l4lb', 'l4lb'),
  example('ddos_filter', 'ddos_filter', {
    setup: [
      { set: 'blocked4', key: '180000000a000100', value: '01000000' }, // 10.0.1.0/24
      { set: 'blocked4', key: '200000000a000007', value: '02000000' }, // 10.0.0.7
      { set: 'blocked6', key: `7f000000fd${'00'.repeat(14)}04`, value: '03000000' }, // fd00::4/127
    ],
  }),
  example('rate_limiter', 'rate_limiter', { property: 'the clock decides what is dropped' }),
  example('dns_parser', 'dns_parser', {
    setup: [{ set: 'blocked', key: dnsName('bad.test'), value: '01' }],
  }),
  example('tail_calls', 'entry'),
  example('sampler', 'sampler', { events: 'samples', eventBytes: [8, 16] }),
  example('vlan', 'vlan_pop'),
  example('vlan', 'vlan_push'),
  example('spreader', 'spreader', { setup: slots('ports', LOOPBACK) }),
  example('cpu_spreader', 'cpu_spreader', {
    setup: ['00000000', '01000000'].map((key) => ({ set: 'cpus', key, value: QSIZE_192 })),
  }),

  own('adjust'),
  own('arithmetic'),
  own('array'),
  own('atomics'),
  own('bloom'),
  own('csum'),
  own('dynptr', { events: 'ring', eventBytes: [0, 8] }),
  own('for_each'),
  own('globals'),
  own('hash'),
  own('hash_struct_key'),
  own('identity', { property: 'time, CPU, random numbers, interface' }),
  own('jhash'),
  own('load_store'),
  own('loops'),
  own('lpm'),
  own('lru'),
  own('map_in_map'),
  own('metadata'),
  own('mtu_fib'),
  own('parse'),
  own('percpu'),
  own('perf_event', { events: 'events' }),
  own('printk'),
  own('queue_stack'),
  own('redirect_lookup', { setup: slots('ports', LOOPBACK + '00000000') }),
  own('redirects', {
    setup: [
      ...slots('ports', LOOPBACK),
      { set: 'ports_hash', key: '03000000', value: LOOPBACK },
      { set: 'ports_hash', key: '07000000', value: LOOPBACK },
      { set: 'cpus', key: '00000000', value: QSIZE_192 },
    ],
  }),
  own('rewrite'),
  own('ringbuf', { events: 'ring' }),
  own('sockets'),
  own('spin_lock'),
  own('strings'),
  own('subprograms'),
  own('switches'),
  own('tail_call', { prog: 'tail_call' }),
  own('tail_call_subprog'),
  own('timers', { property: 'a timer that may have fired' }),
  own('verdicts'),
];
