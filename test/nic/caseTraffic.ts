/** The frames and the arrivals of a random case. */
import { PS_PER_NS } from '../../src/host/clock.ts';
import type { Ps } from '../../src/host/clock.ts';
import { Rng } from '../../src/host/rng.ts';
import { buildFrame } from '../../src/wire/build.ts';
import type { ArrivalBlock, ArrivalSource } from '../../src/wire/frames.ts';
import { BLOCK, FrameTable } from '../../src/wire/frames.ts';
import { drawExponential } from '../../src/wire/variates.ts';
import type { Case, CaseTraffic } from './cases.ts';
import { PORT, onGrid } from './cases.ts';

/** Copies of each flow's frame that differ in their last bytes, so that programs can tell packets apart. */
const VARIANTS = 8;
/** Without FCS: 84, 168 and 1344 bytes of line time. */
const LENGTHS = [60, 60, 60, 144, 1320];

/** All frames of NIC number `nic`, the ordinary ones first. */
export function caseFrames(
  t: CaseTraffic,
  nic: number,
): { plain: Uint8Array[]; odd: Uint8Array[] } {
  const plain: Uint8Array[] = [];
  for (let flow = 0; flow < t.flows; flow++) {
    for (let v = 0; v < VARIANTS; v++) plain.push(plainFrame(t, nic, flow, v));
  }
  const toOther = plain[0]!.slice();
  toOther[5] = 0x77;
  const multicast = plain[0]!.slice();
  multicast.set([1, 0, 0x5e, 0, 0, 1]);
  const broadcast = plain[0]!.slice();
  broadcast.fill(0xff, 0, 6);
  const odd = [toOther, multicast, broadcast, new Uint8Array(9), oversize(plain[0]!)];
  return { plain, odd };
}

function oversize(frame: Uint8Array): Uint8Array {
  const long = new Uint8Array(1519);
  long.set(frame.subarray(0, 14));
  return long;
}

function plainFrame(t: CaseTraffic, nic: number, flow: number, variant: number): Uint8Array {
  const tags = flow % 2 === 0 ? [] : [{ vid: 5, tpid: 0x88a8 }, { vid: 7 }].slice(2 - t.tags);
  const lenBytes = LENGTHS[(flow + variant) % LENGTHS.length]!;
  const ports = { srcPort: 1000 + flow, dstPort: PORT };
  const ends = { src: 0x0a000100 + flow * 7, dst: 0x0a000001 + nic };
  const body =
    flow % 3 === 2 ? ({ kind: 'tcp', ...ports } as const) : ({ kind: 'udp', ...ports } as const);
  const frame = buildFrame({
    dst: { hi16: 0x0200, lo32: nic + 1 },
    src: { hi16: 0x0200, lo32: 0x0a00 + flow },
    tags,
    net: { kind: 'ipv4', ...ends, body },
    frameLenBytes: Math.max(lenBytes, 74),
  });
  frame[frame.length - 1] = variant * 31;
  return frame;
}

/** The whole traffic of one NIC, drawn beforehand. */
export class CaseArrivals implements ArrivalSource {
  readonly frames: FrameTable;
  private readonly at: Ps[];
  private readonly frame: number[];
  private next = 0;

  constructor(c: Case, nic: number, frames: FrameTable) {
    const t = c.nics[nic]!.traffic;
    const rng = new Rng(c.seed * 2 + nic);
    const made = caseFrames(t, nic);
    const first = frames.count;
    for (const bytes of [...made.plain, ...made.odd]) frames.add(bytes);
    this.frames = frames;
    this.at = arrivalTimes(c, t, rng);
    this.frame = this.at.map(() =>
      t.oddEvery > 0 && rng.below(t.oddEvery) === 0
        ? first + made.plain.length + rng.below(made.odd.length)
        : first + rng.below(made.plain.length),
    );
  }

  fill(block: ArrivalBlock): void {
    const end = Math.min(this.next + BLOCK, this.at.length);
    block.count = end - this.next;
    for (let i = 0; i < block.count; i++) {
      block.at[i] = this.at[this.next + i]!;
      block.frame[i] = this.frame[this.next + i]!;
    }
    this.next = end;
  }
}

function arrivalTimes(c: Case, t: CaseTraffic, rng: Rng): Ps[] {
  const times: Ps[] = [];
  let ns = onGrid(c, rng.below(3000));
  for (let i = 0; i < t.count; i++) {
    if (t.pattern === 'constant') ns += t.gapNs;
    else if (t.pattern === 'poisson') ns += drawExponential(rng) * t.gapNs;
    else if (i % t.burst === 0) ns += t.burst * t.gapNs;
    else ns += 10;
    times.push(Math.round(onGrid(c, ns) * PS_PER_NS));
  }
  return times;
}
