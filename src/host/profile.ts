/**
 * Cost profiles: what they are, and how data becomes one; what it may say is in `quantities.ts`.
 *
 * A profile is a flat list of entries: quantity, value, unit, source. It names hardware and a
 * kernel generation. Every operation, every time of the NIC and every habit of the kernel must have
 * its entry; those of PCIe, of the memory system, of interrupt moderation, of receive strides and of
 * each idle state are given all or not at all, and a machine without them has none.
 * A profile may build on another one and say only what differs.
 */
import { OP_NAMES } from './cost.ts';
import type { IdleState } from './idleStates.ts';
import type { Group } from './quantities.ts';
import {
  allowedOf,
  CLOCK,
  COOLS,
  IDLE,
  KERNEL,
  MEMORY,
  MODERATION,
  NIC,
  PCIE,
  QUANTITY_NAMES,
  SCALE,
  STRIDES,
  UNITS,
} from './quantities.ts';

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
  /** One TX queue reads a frame no sooner after another than this and that one's read over PCIe take. */
  readonly txQueueSlotNs: number;
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
  /** 1: it holds what cores hold; 0: a line that a core takes leaves it. */
  readonly llcInclusive: number;
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
  /** Frames that a redirect through a map hands to its device at once, 1 to 16. */
  readonly xmitFrames: number;
  /** 1: what `bpf_redirect` sends without a map is handed over frame by frame, each with its doorbell; 0: as what goes through one. */
  readonly redirectAtOnce: number;
  /** 1: a frame sent goes back to its pool's cache where the pool's own NAPI runs; 0: always to the ring. */
  readonly framesToCache: number;
  /** 1: softirqs raised while ksoftirqd waits for its turn are left to it. */
  readonly deferToKsoftirqd: number;
  /** 1: threads are scheduled as before EEVDF. */
  readonly cfs: number;
  /** Skbs that a cpumap's thread allocates at once: 8, or 1 by itself. */
  readonly cpumapSkbs: number;
  /** How a cpumap's thread gives skbs to the stack: 0 one by one, 1 as a list, 2 through a GRO of its own. */
  readonly cpumapDelivery: number;
}

/** How the NIC holds back interrupts, where it is another one than bnxt's. */
export interface ModerationSpec {
  /** Its most for `rx-frames`: more than a poll takes. */
  readonly mostFrames: number;
  /** Which of DIM's five settings it begins with. */
  readonly dimStart: number;
}

/**
 * Frames that share pages, as in mlx5's striding receive queue: what its driver takes for an skb,
 * where frames lie one behind the other in strides of a page.
 */
export interface StridesSpec {
  readonly strideBytes: number;
  /** Of each frame so much is copied into the skb; the rest stays where it is, a fragment for each page. */
  readonly copiedBytes: number;
  /** 1: pages come back from a cache; 0: each is allocated anew. */
  readonly pagesRecycled: number;
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
  /** What an idle CPU sleeps in, from shallow to deep; none: it wakes in no time. */
  readonly idleStates: readonly IdleState[];
  readonly pcie: PcieSpec | null;
  readonly memory: MemorySpec | null;
  /** Null: bnxt's own. */
  readonly moderation: ModerationSpec | null;
  /** Null: a buffer for each frame. */
  readonly strides: StridesSpec | null;
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
  const memory = anyOf(MEMORY) ? group(MEMORY) : null;
  if (memory !== null && memory.ddioWays > memory.llcWays) {
    const at = data.entries.findIndex(({ op }) => op === 'DDIO ways');
    const most = `more than 0 to the ${memory.llcWays} of the cache`;
    throw new ProfileRefused(at, `DDIO ways: ${memory.ddioWays} is out of range (${most})`);
  }
  const idle = IDLE.filter(anyOf);
  const idleStates = idle.map(group);
  checkDeeper(idleStates, idle, data);
  return {
    name: data.name,
    says: data.says,
    entries: [...entries.values()],
    costs: OP_NAMES.map((op) => ({ op, ns: valueOf(op), source: wanted(entries, op).source })),
    nic: group(NIC),
    kernel: group(KERNEL),
    coolsNs: valueOf(COOLS),
    idleStates,
    pcie: anyOf(PCIE) ? group(PCIE) : null,
    memory,
    moderation: anyOf(MODERATION) ? group(MODERATION) : null,
    strides: anyOf(STRIDES) ? group(STRIDES) : null,
  };
}

/**
 * A deeper state takes longer to leave and is worth it later, or the governor would never come to
 * it, or never stay above it.
 */
function checkDeeper(
  states: readonly IdleState[],
  ops: readonly Group<IdleState>[],
  { entries }: ProfileData,
): void {
  for (let i = 1; i < states.length; i++) {
    for (const [n, [key, op]] of ops[i]!.entries()) {
      const [least, ns] = [states[i - 1]![key], states[i]![key]];
      if (ns >= least) continue;
      // where only the state before is this profile's own, that one is too deep
      const own = entries.findIndex((entry) => entry.op === op);
      const before = entries.findIndex((entry) => entry.op === ops[i - 1]![n]![1]);
      const why = `${ns} ns is out of range (the ${least} of the state before, or more)`;
      throw new ProfileRefused(own < 0 ? before : own, `${op}: ${why}`);
    }
  }
}

function checkEntry({ op, value, unit, source }: ProfileEntry, i: number): void {
  const units = UNITS.get(op);
  if (units === undefined) {
    throw new ProfileRefused(i, `unknown operation ${op} (allowed: ${QUANTITY_NAMES.join('; ')})`);
  }
  if (!units.includes(unit)) {
    throw new ProfileRefused(i, `${op}: ${unit} is not one of its units (${units.join(', ')})`);
  }
  const { has, words } = allowedOf(op, unit);
  if (!has(value)) throw new ProfileRefused(i, `${op}: ${value} is out of range (${words})`);
  if (source === '') throw new ProfileRefused(i, `${op}: source is empty`);
}

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
