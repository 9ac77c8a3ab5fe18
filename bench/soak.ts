/**
 * Random protocols, sizes, VLAN tags and damage through the driver and the whole stack: nothing may
 * throw, leak or grow.
 *
 *   node --expose-gc --import tsx bench/soak.ts [packets, 10e6 unless given] [check]
 *
 * Prints what is in use at ten points on the way, then what became of the packets. Exits 1 when the
 * books do not balance, a page or an skb is left, or the heap grew by more than `ALLOWED_BYTES`.
 */
import pass from '../examples/pass.ts';
import { PS_PER_NS } from '../src/host/clock.ts';
import { FLAT } from '../src/host/profiles.ts';
import { Rng } from '../src/host/rng.ts';
import { Machine } from '../src/machine.ts';
import { APP_DEFAULTS } from '../src/machine/inetConfig.ts';
import type { BodySpec } from '../src/wire/buildIp.ts';
import { buildFrame } from '../src/wire/build.ts';
import type { FrameSpec } from '../src/wire/build.ts';
import type { ArrivalBlock, ArrivalSource } from '../src/wire/frames.ts';
import { BLOCK, FrameTable } from '../src/wire/frames.ts';

const DISTINCT = 40_000;
const POINTS = 10;
const GAP = 700 * PS_PER_NS;
const ALLOWED_BYTES = 2_000_000;
const MIB = 2 ** 20;
const MAC = { hi16: 0x0200, lo32: 1 };
const PEER = { hi16: 0x0200, lo32: 0xfe };
const IP6 = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const PEER6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);

const [packets = '10e6', checked = ''] = process.argv.slice(2);
const count = Math.round(Number(packets));
const rng = new Rng(2026);
const pick = <T>(choices: readonly T[]): T => choices[rng.below(choices.length)]!;

function body(): BodySpec {
  const payload = pick([0, 1, 18, 64, 300, 1000, 1400]);
  const ports = { srcPort: 1 + rng.below(60_000), dstPort: pick([7, 9, 53, 99]) };
  switch (rng.below(4)) {
    case 0:
      return { kind: 'echo', payload };
    case 1:
      return { kind: 'tcp', ...ports, payload };
    case 2:
      return { kind: 'bytes', proto: rng.below(256), payload };
    default:
      return { kind: 'udp', ...ports, payload };
  }
}

function net(): FrameSpec['net'] {
  switch (rng.below(6)) {
    case 0:
      return { kind: 'arp', senderMac: PEER, senderIp: 0x0a000009, targetIp: 0x0a000001 };
    case 1:
    case 2:
      return { kind: 'ipv6', src: PEER6, dst: IP6, body: body(), hopLimit: 1 + rng.below(255) };
    default: {
      const options = pick([undefined, Uint8Array.of(7, 3, 4, 0), new Uint8Array(8).fill(1)]);
      const more = options === undefined ? {} : { options };
      const moreFragments = rng.below(8) === 0;
      const src = 0xc0000200 + rng.below(256);
      return { kind: 'ipv4', src, dst: 0x0a000001, body: body(), moreFragments, ...more };
    }
  }
}

/** Half of them as they should be, half cut short or with bits turned. */
function frame(): Uint8Array {
  const tags = Array.from({ length: pick([0, 0, 0, 1, 2]) }, () => ({ vid: rng.below(4095) }));
  const whole = buildFrame({ dst: MAC, src: PEER, tags, net: net() });
  if (rng.below(2) === 0) return whole;
  const bytes = whole.slice(0, 14 + rng.below(whole.length - 13));
  for (let flips = rng.below(6); flips > 0; flips--) {
    const at = rng.below(Math.min(bytes.length, 100));
    bytes[at] = bytes[at]! ^ (1 << rng.below(8));
  }
  return bytes;
}

/** The frames of the table in random order. */
class Storm implements ArrivalSource {
  readonly frames: FrameTable;
  private sent = 0;

  constructor(frames: FrameTable) {
    this.frames = frames;
  }

  fill(block: ArrivalBlock): void {
    block.count = Math.min(BLOCK, count - this.sent);
    for (let i = 0; i < block.count; i++) {
      block.at[i] = ++this.sent * GAP;
      block.frame[i] = rng.below(this.frames.count);
    }
  }
}

function inUse(): number {
  if (globalThis.gc === undefined) throw new Error('run with node --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const list = Array.from({ length: DISTINCT }, frame);
const app = (kind: 'echo' | 'sink' | 'server', udp: number) => ({ ...APP_DEFAULTS, kind, udp });
const machine = new Machine(
  {
    ...{ seed: 1, cpus: 2, hz: 1000, budget: 64, netdevBudget: 300, profile: FLAT },
    ...{ stack: true, check: checked === 'check', eager: false },
    inet: { apps: [app('echo', 7), app('sink', 9), app('server', 53)] },
    nics: [
      {
        ...{ name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), queues: 2, mtu: 1500 },
        ...{ rxRing: 511, txRing: 511, linkBps: 100e9, rxUsecs: 10, rxFrames: 15 },
        ...{ txUsecs: 28, txFrames: 30, rxvlan: true, promisc: true, irqAffinity: [0, 1] },
      },
    ],
  },
  FrameTable.bytesFor(list.map(({ length }) => length)),
);
for (const bytes of list) machine.frames.add(bytes);
machine.attachXdp(0, pass);
machine.offer(0, new Storm(machine.frames));

const used: number[] = [];
const end = (count + 1) * GAP;
for (let point = 1; point <= POINTS; point++) {
  machine.run((end * point) / POINTS);
  used.push(inUse());
  console.log(
    `${String((count * point) / POINTS).padStart(12)}  ${(used.at(-1)! / MIB).toFixed(3)} MiB in use`,
  );
}
machine.run(end + 60e12); // what waits for fragments or neighbours gives up
const { nics, pages, drops } = machine.result();
const imbalance = nics[0]!.fates.imbalance();
machine.close();
const growth = used.at(-1)! - used[0]!;
console.log({ imbalance, leaked: pages.leaked, skbs: machine.net.skbs.live, growth, drops });
const sound = Object.values(imbalance).every((n) => n === 0) && pages.leaked === 0;
process.exitCode = sound && machine.net.skbs.live === 0 && growth <= ALLOWED_BYTES ? 0 : 1;
