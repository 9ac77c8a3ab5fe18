/**
 * Cost profiles: which quantities there are, in which units, and how data becomes a profile.
 *
 * A profile is a flat list of entries: quantity, value, unit, source. It names hardware and a
 * kernel generation. Every operation, every time of the NIC and every habit of the kernel must have
 * its entry; those of PCIe
 * and of the memory system are given all or not at all, and a machine without them has none.
 * A profile may build on another one and say only what differs.
 */
import { OP_NAMES } from './cost.ts';

export interface ProfileEntry {
  readonly op: string;
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

/** A profile as it is written down. */
export interface ProfileData {
  readonly name: string;
  readonly says: string;
  /** Whose entries hold where this one has none. */
  readonly base?: CostProfile;
  readonly entries: readonly ProfileEntry[];
}

export interface CostEntry {
  /** Name used in reports. */
  readonly op: string;
  readonly ns: number;
  readonly source: string;
}

/** What the hardware takes; the same kind of data, but spent by the NIC. */
export interface NicTiming {
  /** From the last bit on the wire until the frame and its completion lie in host memory. */
  readonly rxDmaNs: number;
  /** One RX DMA engine writes at most one frame per this time. */
  readonly rxDmaSlotNs: number;
  /** From a TX doorbell until the frame's bytes are in the NIC: BD fetch and data fetch. */
  readonly txFetchNs: number;
  /** From the last bit on the wire until the TX completion lies in host memory. */
  readonly txCompleteNs: number;
  /** From the decision to interrupt until the CPU's vector runs. */
  readonly msixNs: number;
}

/** The link between NIC and memory, and what the NIC sends over it for each packet. */
export interface PcieSpec {
  readonly generation: number;
  readonly lanes: number;
  /** Bytes: longest write or completion, longest read. */
  readonly maxPayload: number;
  readonly maxRead: number;
  readonly rxDescriptorBytes: number;
  readonly rxDescriptorsPerRead: number;
  readonly rxCompletionBytes: number;
  readonly rxCompletionsPerWrite: number;
  readonly txDescriptorBytes: number;
  readonly txDescriptorsPerRead: number;
  readonly txCompletionBytes: number;
  readonly txCompletionsPerWrite: number;
  readonly packetsPerTxCompletion: number;
  /** Register accesses by the driver, per packet. */
  readonly rxRegisterWrites: number;
  readonly rxRegisterReads: number;
  readonly txRegisterWrites: number;
  readonly txRegisterReads: number;
  /** Bytes of frames that the NIC holds while the link is busy. */
  readonly rxBufferBytes: number;
}

/** The last-level cache as packets see it. */
export interface MemorySpec {
  readonly llcBytes: number;
  readonly llcWays: number;
  /** Parts of the cache, over which a hash of the address spreads lines. */
  readonly llcSlices: number;
  /** Ways in which a DMA write may take a new line. */
  readonly ddioWays: number;
  /** Buffers begin at multiples of this many bytes. */
  readonly bufferAlignment: number;
  /** Buffers of a queue that are in use besides those on its RX ring. */
  readonly buffersPerQueue: number;
  /** What a miss in the last-level cache adds to the first touch of a packet. */
  readonly missNs: number;
  /** Misses of the last-level cache that have nothing to do with packets, percent of references. */
  readonly otherMissPct: number;
}

/** Habits of a kernel generation that decide how often something is done, and by whom. */
export interface KernelSpec {
  /** Frames that a redirect hands to its device at once, 1 to 16. */
  readonly xmitFrames: number;
  /** 1: a frame sent goes back to its pool's cache where the pool's own NAPI runs; 0: always to the ring. */
  readonly framesToCache: number;
  /** 1: softirqs raised while ksoftirqd waits for its turn are left to it. */
  readonly deferToKsoftirqd: number;
  /** 1: threads are scheduled as before EEVDF. */
  readonly cfs: number;
}

/** How the NIC holds back interrupts, where it is another one than bnxt's. */
export interface ModerationSpec {
  /** Its most for `rx-frames`: more than a poll takes. */
  readonly mostFrames: number;
  /** Which of DIM's five settings it begins with. */
  readonly dimStart: number;
}

export interface CostProfile {
  readonly name: string;
  readonly says: string;
  readonly entries: readonly ProfileEntry[];
  /** Indexed by `OP_*`. */
  readonly costs: readonly CostEntry[];
  readonly nic: NicTiming;
  readonly kernel: KernelSpec;
  /** A CPU that has idled longer than this has slept, and finds its caches cold. */
  readonly coolsNs: number;
  readonly pcie: PcieSpec | null;
  readonly memory: MemorySpec | null;
  /** Null: bnxt's own. */
  readonly moderation: ModerationSpec | null;
}

/** What is wrong with a profile, and with which entry; -1 where it is none in particular. */
export class ProfileRefused extends Error {
  readonly entry: number;

  constructor(entry: number, what: string) {
    super(what);
    this.name = 'ProfileRefused';
    this.entry = entry;
  }
}

type Units = readonly string[];
const TIME: Units = ['ns', 'cycles'];
const BYTES: Units = ['bytes', 'KiB', 'MiB'];
const COUNT: Units = ['count'];
const PERCENT: Units = ['%'];
const SCALE: Readonly<Record<string, number>> = { KiB: 1024, MiB: 2 ** 20 };

type Group<T> = readonly (readonly [keyof T, string, Units])[];

const NIC: Group<NicTiming> = [
  ['rxDmaNs', 'RX DMA', TIME],
  ['rxDmaSlotNs', 'RX DMA slot', TIME],
  ['txFetchNs', 'TX fetch', TIME],
  ['txCompleteNs', 'TX completion', TIME],
  ['msixNs', 'MSI-X', TIME],
];

const KERNEL: Group<KernelSpec> = [
  ['xmitFrames', 'redirected frames per transmit call', COUNT],
  ['framesToCache', 'frames returned to the cache', COUNT],
  ['deferToKsoftirqd', 'softirqs left to ksoftirqd', COUNT],
  ['cfs', 'scheduler before EEVDF', COUNT],
];

const PCIE: Group<PcieSpec> = [
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

const MEMORY: Group<MemorySpec> = [
  ['llcBytes', 'last-level cache', BYTES],
  ['llcWays', 'last-level cache ways', COUNT],
  ['llcSlices', 'last-level cache slices', COUNT],
  ['ddioWays', 'DDIO ways', COUNT],
  ['bufferAlignment', 'buffer alignment', BYTES],
  ['buffersPerQueue', 'buffers per queue', COUNT],
  ['missNs', 'last-level cache miss', TIME],
  ['otherMissPct', 'other cache misses', PERCENT],
];

const MODERATION: Group<ModerationSpec> = [
  ['mostFrames', 'frames an interrupt, at most', COUNT],
  ['dimStart', 'DIM starts with setting', COUNT],
];

/** The clock that `cycles` are counted in. */
const CLOCK = 'CPU clock';

const COOLS = 'idle until cold';

const UNITS: ReadonlyMap<string, Units> = new Map([
  ...OP_NAMES.map((name) => [name, TIME] as const),
  ...[...NIC, ...KERNEL, ...PCIE, ...MEMORY, ...MODERATION].map(
    ([, name, units]) => [name, units] as const,
  ),
  [COOLS, TIME],
  [CLOCK, ['GHz']],
]);

/** Every quantity that an entry may be about. */
export const QUANTITY_NAMES: readonly string[] = [...UNITS.keys()];

/** Whole numbers, from and to. @linux DEV_MAP_BULK_SIZE */
const WHOLE: ReadonlyMap<string, readonly [from: number, to: number]> = new Map([
  ['last-level cache slices', [1, 1024]],
  ['redirected frames per transmit call', [1, 16]],
  ['frames returned to the cache', [0, 1]],
  ['softirqs left to ksoftirqd', [0, 1]],
  ['scheduler before EEVDF', [0, 1]],
  ['frames an interrupt, at most', [1, 65_535]],
  ['DIM starts with setting', [0, 4]],
]);

/** Of these at least one: a link without lanes moves nothing. */
const AT_LEAST_ONE: ReadonlySet<string> = new Set([
  ...PCIE.map(([, name]) => name).filter((name) => !/register|PCIe .X completion$/.test(name)),
  'last-level cache',
  'last-level cache ways',
  'DDIO ways',
  'buffer alignment',
  CLOCK,
]);

/**
 * @throws ProfileRefused when an entry is missing, is about nothing known, is there twice, has a
 *   unit that is none, or a value that is negative or no number
 */
export function profileOf(data: ProfileData): CostProfile {
  const entries = new Map((data.base?.entries ?? []).map((entry) => [entry.op, entry]));
  const own = new Set<string>();
  data.entries.forEach((entry, i) => {
    checkEntry(entry, i);
    if (own.has(entry.op)) throw new ProfileRefused(i, `${entry.op} is there twice`);
    own.add(entry.op);
    entries.set(entry.op, entry);
  });
  const valueOf = (name: string): number => inBaseUnit(entries, wanted(entries, name));
  const group = <T>(of: Group<T>): T =>
    Object.fromEntries(of.map(([key, name]) => [key, valueOf(name)])) as T;
  const anyOf = <T>(of: Group<T>): boolean => of.some(([, name]) => entries.has(name));
  return {
    name: data.name,
    says: data.says,
    entries: [...entries.values()],
    costs: OP_NAMES.map((op) => ({ op, ns: valueOf(op), source: wanted(entries, op).source })),
    nic: group(NIC),
    kernel: group(KERNEL),
    coolsNs: valueOf(COOLS),
    pcie: anyOf(PCIE) ? group(PCIE) : null,
    memory: anyOf(MEMORY) ? group(MEMORY) : null,
    moderation: anyOf(MODERATION) ? group(MODERATION) : null,
  };
}

function checkEntry({ op, value, unit, source }: ProfileEntry, i: number): void {
  const units = UNITS.get(op);
  if (units === undefined) {
    throw new ProfileRefused(i, `unknown operation ${op} (allowed: ${QUANTITY_NAMES.join('; ')})`);
  }
  if (!units.includes(unit)) {
    throw new ProfileRefused(i, `${op}: ${unit} is not one of its units (${units.join(', ')})`);
  }
  const [from, to] = WHOLE.get(op) ?? [-Infinity, Infinity];
  if (value < from || value > to || (WHOLE.has(op) && !Number.isInteger(value))) {
    throw new ProfileRefused(
      i,
      `${op}: ${value} is out of range (${from} to ${to} ${unit}, whole)`,
    );
  }
  const least = AT_LEAST_ONE.has(op) ? 1e-9 : 0;
  if (!(value >= least && value <= MOST)) {
    const range = `${least === 0 ? '0' : 'more than 0'} to ${MOST}`;
    throw new ProfileRefused(i, `${op}: ${value} is out of range (${range} ${unit})`);
  }
  if (source === '') throw new ProfileRefused(i, `${op}: source is empty`);
}

/** A second, or a gibibyte: more is a slip of the pen. */
const MOST = 2 ** 30;

function wanted(entries: ReadonlyMap<string, ProfileEntry>, name: string): ProfileEntry {
  const entry = entries.get(name);
  if (entry === undefined) {
    throw new ProfileRefused(
      -1,
      `no entry for ${name} (a value in ${UNITS.get(name)!.join(' or ')})`,
    );
  }
  return entry;
}

function inBaseUnit(
  entries: ReadonlyMap<string, ProfileEntry>,
  { value, unit }: ProfileEntry,
): number {
  if (unit === 'cycles') return value / wanted(entries, CLOCK).value;
  return value * (SCALE[unit] ?? 1);
}

/** Entries as a table: quantity | value | unit | source, a line each. */
export function entriesOf(text: string): ProfileEntry[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [op, value, unit, source] = line.split(' | ');
      return { op: op!.trim(), value: Number(value), unit: unit!, source: source ?? '' };
    });
}
