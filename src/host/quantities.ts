/**
 * What the entries of a cost profile may be about, in which units, and which values they may have.
 */
import { OP_NAMES } from './cost.ts';
import type { IdleState } from './idleStates.ts';
import type {
  KernelSpec,
  MemorySpec,
  ModerationSpec,
  NicTiming,
  PcieSpec,
  StridesSpec,
} from './profile.ts';

type Units = readonly string[];
const TIME: Units = ['ns', 'cycles'];
const BYTES: Units = ['bytes', 'KiB', 'MiB'];
const COUNT: Units = ['count'];
const PERCENT: Units = ['%'];
export const SCALE: Readonly<Record<string, number>> = { KiB: 1024, MiB: 2 ** 20 };

export type Group<T> = readonly (readonly [keyof T, string, Units])[];

export const NIC: Group<NicTiming> = [
  ['rxDmaNs', 'RX DMA', TIME],
  ['rxDmaSlotNs', 'RX DMA slot', TIME],
  ['txFetchNs', 'TX fetch', TIME],
  ['txQueueSlotNs', 'TX queue slot', TIME],
  ['txCompleteNs', 'TX completion', TIME],
  ['msixNs', 'MSI-X', TIME],
];

export const KERNEL: Group<KernelSpec> = [
  ['xmitFrames', 'redirected frames per transmit call', COUNT],
  ['redirectAtOnce', 'bpf_redirect sends each frame at once', COUNT],
  ['framesToCache', 'frames returned to the cache', COUNT],
  ['deferToKsoftirqd', 'softirqs left to ksoftirqd', COUNT],
  ['cfs', 'scheduler before EEVDF', COUNT],
  ['cpumapSkbs', 'cpumap skbs allocated at once', COUNT],
  ['cpumapDelivery', 'cpumap delivery', COUNT],
];

export const PCIE: Group<PcieSpec> = [
  ['generation', 'PCIe generation', COUNT],
  ['lanes', 'PCIe lanes', COUNT],
  ['maxPayload', 'PCIe max payload', BYTES],
  ['maxRead', 'PCIe max read request', BYTES],
  ['rxDescriptorBytes', 'PCIe RX descriptor', BYTES],
  ['rxDescriptorsPerRead', 'PCIe RX descriptors per read', COUNT],
  ['rxCompletionBytes', 'PCIe RX completion', BYTES],
  ['rxCompletionsPerWrite', 'PCIe RX completions per write', COUNT],
  ['txDescriptorBytes', 'PCIe TX descriptor', BYTES],
  ['txDescriptorsPerRead', 'PCIe TX descriptors per read', COUNT],
  ['txCompletionBytes', 'PCIe TX completion', BYTES],
  ['txCompletionsPerWrite', 'PCIe TX completions per write', COUNT],
  ['packetsPerTxCompletion', 'PCIe packets per TX completion', COUNT],
  ['rxRegisterWrites', 'PCIe register writes per RX packet', COUNT],
  ['rxRegisterReads', 'PCIe register reads per RX packet', COUNT],
  ['txRegisterWrites', 'PCIe register writes per TX packet', COUNT],
  ['txRegisterReads', 'PCIe register reads per TX packet', COUNT],
  ['rxBufferBytes', 'PCIe RX buffer', BYTES],
];

export const MEMORY: Group<MemorySpec> = [
  ['llcBytes', 'last-level cache', BYTES],
  ['llcWays', 'last-level cache ways', COUNT],
  ['llcSlices', 'last-level cache slices', COUNT],
  ['llcInclusive', 'last-level cache inclusive', COUNT],
  ['ddioWays', 'DDIO ways', COUNT],
  ['bufferAlignment', 'buffer alignment', BYTES],
  ['buffersPerQueue', 'buffers per queue', COUNT],
  ['missNs', 'last-level cache miss', TIME],
  ['otherMissPct', 'other cache misses', PERCENT],
];

export const MODERATION: Group<ModerationSpec> = [
  ['mostFrames', 'frames an interrupt, at most', COUNT],
  ['dimStart', 'DIM starts with setting', COUNT],
];

export const STRIDES: Group<StridesSpec> = [
  ['strideBytes', 'receive stride', BYTES],
  ['copiedBytes', 'frame bytes copied into an skb', BYTES],
  ['pagesRecycled', 'pages recycled', COUNT],
];

/** From shallow to deep. */
export const IDLE: readonly Group<IdleState>[] = [1, 2, 3].map((i) => [
  ['exitNs', `idle state ${i} exit latency`, TIME],
  ['residencyNs', `idle state ${i} target residency`, TIME],
]);

/** The clock that `cycles` are counted in. */
export const CLOCK: string = 'CPU clock';

export const COOLS: string = 'idle until cold';

export const UNITS: ReadonlyMap<string, Units> = new Map([
  ...OP_NAMES.map((name) => [name, TIME] as const),
  ...[...NIC, ...KERNEL, ...PCIE, ...MEMORY, ...MODERATION, ...STRIDES, ...IDLE.flat()].map(
    ([, name, units]) => [name, units] as const,
  ),
  [COOLS, TIME],
  [CLOCK, ['GHz']],
]);

/** Every quantity that an entry may be about. */
export const QUANTITY_NAMES: readonly string[] = [...UNITS.keys()];

/** Whole numbers, from and to. @linux DEV_MAP_BULK_SIZE, CPUMAP_BATCH */
const WHOLE: ReadonlyMap<string, readonly [from: number, to: number]> = new Map([
  ['last-level cache ways', [1, 1024]],
  ['last-level cache slices', [1, 1024]],
  ['last-level cache inclusive', [0, 1]],
  ['redirected frames per transmit call', [1, 16]],
  ['bpf_redirect sends each frame at once', [0, 1]],
  ['frames returned to the cache', [0, 1]],
  ['softirqs left to ksoftirqd', [0, 1]],
  ['scheduler before EEVDF', [0, 1]],
  ['cpumap skbs allocated at once', [1, 8]],
  ['cpumap delivery', [0, 2]],
  ['frames an interrupt, at most', [1, 65_535]],
  ['DIM starts with setting', [0, 4]],
  ['pages recycled', [0, 1]],
]);

/** Quantities that have a few values only. @spec PCI Express Base Specification 5.0, 4.2, 7.5.3.4; @linux MLX5_MPWRQ_LOG_STRIDE_SIZE */
const ONE_OF: ReadonlyMap<string, readonly number[]> = new Map([
  ['PCIe generation', [1, 2, 3, 4, 5]],
  ['PCIe lanes', [1, 2, 4, 8, 16]],
  ['PCIe max payload', [128, 256, 512, 1024]],
  ['PCIe max read request', [128, 256, 512, 1024, 2048, 4096]],
  ['receive stride', [64, 128, 256, 512, 1024, 2048, 4096]],
  ['frame bytes copied into an skb', [64, 128, 256, 512, 1024, 2048, 4096]],
]);

/** Of these more than nothing: a link that reads no descriptors moves nothing. */
const MORE_THAN_0: ReadonlySet<string> = new Set([
  ...PCIE.map(([, name]) => name).filter((name) => !/register|PCIe .X completion$/.test(name)),
  'last-level cache',
  'DDIO ways',
  'buffer alignment',
]);

/** A second, or a gibibyte: more is a slip of the pen. */
const MOST = 2 ** 30;

/** Where it is not 0 to `MOST`. */
const RANGES: ReadonlyMap<string, readonly [from: number, to: number]> = new Map([
  [CLOCK, [0.01, 100]],
  ['other cache misses', [0, 100]],
]);

/** What an entry's value may be: a test of it, and its words. */
export function allowedOf(
  op: string,
  unit: string,
): { has(value: number): boolean; words: string } {
  const few = ONE_OF.get(op);
  if (few !== undefined) {
    const has = (value: number): boolean => few.includes(value * (SCALE[unit] ?? 1));
    return { has, words: `${few.join(', ')} ${UNITS.get(op)![0]}` };
  }
  if (MORE_THAN_0.has(op)) {
    return { has: (value) => value > 0 && value <= MOST, words: `more than 0 to ${MOST} ${unit}` };
  }
  const whole = WHOLE.has(op);
  const [from, to] = WHOLE.get(op) ?? RANGES.get(op) ?? [0, MOST];
  return {
    has: (value) => value >= from && value <= to && (!whole || Number.isInteger(value)),
    words: `${from} to ${to} ${unit}${whole ? ', whole' : ''}`,
  };
}

/** What is allowed for an entry that lacks its value or unit; nothing of one that is about nothing known. */
export function entryAllows(op: string): string {
  const units = UNITS.get(op);
  return units === undefined
    ? ''
    : ` (${units.map((unit) => allowedOf(op, unit).words).join('; or ')})`;
}
