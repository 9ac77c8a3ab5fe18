/**
 * Closed loop: clients on the far end of a cable, each with one request under way at a time.
 *
 * A client sends a UDP request, waits for the answer, thinks (for a time that is exponentially
 * distributed) and sends the next. So the load follows what the machine can do, and round trips and
 * transactions a second are what is measured. Whatever comes back with the client's address and port
 * as its destination is the answer; with both as its source as well: a frame that a program sends
 * back as it is. A client may take a while to see an answer that is there (its own interrupt, wake-up
 * and other connections), exponentially distributed: a part of the round trip as it measures it, and
 * of its tail most of all. When no answer is there 10 ms after the cables alone would have let it,
 * that is counted as a timeout, and the client asks again; an answer that comes once it has done so
 * still counts, as the answer to that.
 *
 * A request that depends on an answer arrives two cables after it, and both take their time on the
 * wire. So the machine runs that far at a time, and then the next requests are made known to it.
 * A CPU may be beyond by the rest of a poll; a request of that time arrives when the poll is over.
 */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME, PS_PER_US } from '../host/clock.ts';
import { Histogram } from '../host/histogram.ts';
import type { Rng } from '../host/rng.ts';
import type { Machine } from '../machine.ts';
import { buildFrame } from '../wire/build.ts';
import { ETH_HLEN, ETH_P_IP, parseMac } from '../wire/eth.ts';
import type { MacAddr } from '../wire/eth.ts';
import { IPPROTO_UDP } from '../wire/ip.ts';
import { Link, MIN_LEN } from '../wire/link.ts';
import { ipv4Dst, ipv4HeaderLen, ipv4Proto, ipv4Src } from '../wire/ipv4.ts';
import { udpDstPort, udpSrcPort } from '../wire/udp.ts';
import { drawExponential } from '../wire/variates.ts';
import { EventHeap } from './eventHeap.ts';
import { Inlet, inletBytes } from './inlet.ts';
import { valueBytes } from './memcachedValues.ts';

export interface ClientsConfig {
  readonly clients: number;
  /** Mean time from an answer to the next request; 0 sends it at once. */
  readonly thinkPs: Ps;
  /** Length of the cable, each way. */
  readonly cablePs: Ps;
  /** Mean time that a client takes to see an answer; 0 sees it at once. */
  readonly delayPs: Ps;
  /** Bytes of a request's frame, without FCS. */
  readonly requestBytes: number;
  /** UDP port that they ask. */
  readonly port: number;
  readonly dstMac: MacAddr;
  readonly dstIp: number;
  /** Requests in all, and when the last one may start. */
  readonly requests: number;
  /** Of a hundred requests so many carry a value, as memcached's have them (`memcachedValues.ts`). */
  readonly updatesPct: number;
  /** UDP port that each answer is acknowledged to when the client sees it; null: none is. */
  readonly ackPort: number | null;
  readonly untilPs: Ps;
}

/** What the clients saw. */
export interface ClientBooks {
  /** Requests that were answered. */
  readonly transactions: number;
  readonly sent: number;
  readonly timeouts: number;
  /** From the first bit of a request leaving a client until it sees the answer, whose last bit is there. */
  readonly roundTrip: Histogram;
  /** When the last answer was there, at the client. */
  readonly lastAnswerPs: Ps;
  /** When the last request arrived. */
  readonly lastArrivalPs: Ps;
}

/** The gateway that answers go to. */
const GATEWAY: MacAddr = parseMac('02:00:00:00:00:fe');
/** 198.18.0.0, for measurements. @spec RFC 2544 C.2.2 */
const NET = 0xc612_0000;
const FIRST_PORT = 1024;
const PORTS = 60_000;
/** How long a client waits for its answer, beyond what the cable takes. */
const PATIENCE_PS: Ps = 10_000 * PS_PER_US;
const FEWEST_SLOTS = 64;
/** Bytes of an acknowledgement, without FCS. */
const ACK_BYTES = 60;

const slotsOf = (clients: number): number => Math.max(FEWEST_SLOTS, 4 * clients);

/** What a machine must be given as `frameBytes`. */
export const clientsBytes = (clients: number, mtu: number): number =>
  inletBytes(slotsOf(clients), mtu);

const portOf = (client: number): number => FIRST_PORT + (client % PORTS);
const ipOf = (client: number): number => NET + 1 + Math.floor(client / PORTS);

export class Clients implements ClientBooks {
  readonly roundTrip: Histogram = new Histogram();
  transactions = 0;
  sent = 0;
  timeouts = 0;
  lastAnswerPs: Ps = 0;
  lastArrivalPs: Ps = 0;
  private readonly machine: Machine;
  private readonly config: ClientsConfig;
  private readonly rng: Rng;
  private readonly inlet: Inlet;
  /** By client; what lies behind `clients` are their acknowledgements. */
  private readonly frames: readonly Uint8Array[];
  /** By client: a request that carries a value; empty where none does. Their lengths together are the distribution. */
  private readonly updates: readonly Uint8Array[];
  /** By client: when its request left; -1 while it thinks. */
  private readonly leftAt: Float64Array;
  /** By client: requests it has sent, so that an old timeout is known as such. */
  private readonly asked: Int32Array;
  /** Frames by the time at which they want to leave, numbered as `frames` are. */
  private readonly starts: EventHeap = new EventHeap();
  private readonly timers: EventHeap = new EventHeap();
  private readonly link: Link;
  /** Of the shortest frame that they send, and of the shortest answer. */
  private readonly wirePs: Ps;
  private readonly answerWirePs: Ps;
  private readonly timeoutPs: Ps;
  private cableFreeAt: Ps = 0;

  constructor(machine: Machine, config: ClientsConfig, rng: Rng) {
    const { clients, dstMac, dstIp, port, ackPort, requestBytes, updatesPct } = config;
    this.machine = machine;
    this.config = config;
    this.rng = rng;
    this.inlet = new Inlet(machine, 0, slotsOf(clients));
    this.leftAt = new Float64Array(clients).fill(-1);
    this.asked = new Int32Array(clients);
    const frame = (client: number, dstPort: number, frameLenBytes: number): Uint8Array =>
      buildFrame({
        dst: dstMac,
        src: GATEWAY,
        net: {
          kind: 'ipv4',
          src: ipOf(client),
          dst: dstIp,
          body: { kind: 'udp', srcPort: portOf(client), dstPort },
        },
        frameLenBytes,
      });
    const all = Array.from({ length: clients }, (_, client) => client);
    this.frames = [
      ...all.map((client) => frame(client, port, requestBytes)),
      ...(ackPort === null ? [] : all.map((client) => frame(client, ackPort, ACK_BYTES))),
    ];
    this.updates =
      updatesPct === 0
        ? []
        : all.map((client) =>
            frame(client, port, requestBytes + valueBytes((client + 0.5) / clients)),
          );
    this.link = new Link(machine.nics[0]!.config.linkBps);
    this.wirePs = this.link.wirePs(
      ackPort === null ? requestBytes : Math.min(requestBytes, ACK_BYTES),
    );
    this.answerWirePs = this.link.wirePs(MIN_LEN);
    this.timeoutPs = PATIENCE_PS + 2 * config.cablePs;
    machine.watchWire({ frame: (nic, time, at) => nic === 0 && this.seen(time, at) });
  }

  /** Let all ask until what was asked for is done, then let the machine drain. */
  run(onRound: (sent: number, nowPs: Ps) => void = () => {}): void {
    const { clients, thinkPs, cablePs, untilPs } = this.config;
    for (let client = 0; client < clients; client++) {
      const spread = Math.max(thinkPs, 2 * cablePs);
      this.starts.push(Math.floor((this.rng.int32() >>> 0) * 2 ** -32 * spread), client);
    }
    this.machine.open();
    const back = this.answerWirePs + cablePs;
    const there = cablePs + this.wirePs;
    let now: Ps = 0;
    while (now < END_OF_TIME - 1) {
      this.forgetTimers();
      const next = Math.min(
        this.starts.nextAt() + cablePs,
        this.timers.nextAt(),
        this.inlet.empty ? this.machine.pausedUntil() : now,
      );
      if (next >= END_OF_TIME - 1) break;
      const from = Math.max(now, next);
      now = Math.min(END_OF_TIME - 1, from + back + there);
      this.timeOut(from + back);
      this.send(now, untilPs);
      this.inlet.deliver();
      this.machine.run(now);
      onRound(this.sent, now);
    }
    this.machine.run(END_OF_TIME);
  }

  /** Every frame that arrives by `now`, each behind the one before it. */
  private send(now: Ps, untilPs: Ps): void {
    const { clients, cablePs, requests } = this.config;
    while (this.starts.nextAt() + cablePs + this.wirePs <= now) {
      const wanted = this.starts.nextAt();
      const client = this.starts.pop();
      const isAck = client >= clients;
      if (!isAck && (this.sent >= requests || wanted >= untilPs)) continue;
      const frame = this.frameOf(client, isAck);
      const wirePs = this.link.wirePs(frame.length);
      const left = Math.max(wanted, this.cableFreeAt);
      this.cableFreeAt = left + wirePs;
      this.lastArrivalPs = left + wirePs + cablePs;
      this.inlet.arrive(this.lastArrivalPs, frame);
      if (isAck) continue;
      this.leftAt[client] = left;
      this.sent++;
      this.asked[client]!++;
      this.timers.push(left + this.timeoutPs, client, this.asked[client]);
    }
  }

  private frameOf(sender: number, isAck: boolean): Uint8Array {
    const { updates, rng } = this;
    if (isAck || updates.length === 0) return this.frames[sender]!;
    const isUpdate = (rng.int32() >>> 0) * 2 ** -32 * 100 < this.config.updatesPct;
    return isUpdate ? updates[sender]! : this.frames[sender]!;
  }

  /** Those whose answers have come: nothing happens when they end. */
  private forgetTimers(): void {
    const { timers } = this;
    while (timers.nextAt() < Infinity && !this.waits(timers.first(), timers.tag())) timers.pop();
  }

  /** Does it still wait for the answer to its request number `asked`? */
  private waits(client: number, asked: number): boolean {
    return this.leftAt[client]! >= 0 && asked === this.asked[client]!;
  }

  /** Every answer that is there before `known` has been seen on the wire. */
  private timeOut(known: Ps): void {
    while (this.timers.nextAt() < known) {
      const at = this.timers.nextAt();
      const asked = this.timers.tag();
      const client = this.timers.pop();
      if (!this.waits(client, asked)) continue;
      this.timeouts++;
      this.leftAt[client] = -1;
      this.starts.push(at, client);
    }
  }

  private seen(time: Ps, at: number): void {
    const { clients, ackPort, cablePs, delayPs, thinkPs } = this.config;
    const client = this.clientOf(at);
    if (client < 0 || this.leftAt[client]! < 0) return;
    const there = time + cablePs + this.draw(delayPs);
    if (ackPort !== null) this.starts.push(there, clients + client);
    this.roundTrip.record(there - this.leftAt[client]!);
    this.leftAt[client] = -1;
    this.transactions++;
    this.lastAnswerPs = Math.max(this.lastAnswerPs, there);
    this.starts.push(there + this.draw(thinkPs), client);
  }

  /** A time of this mean. */
  private draw(meanPs: Ps): Ps {
    return meanPs === 0 ? 0 : Math.round(drawExponential(this.rng) * meanPs);
  }

  /** Whose answer the frame at `at` is; -1 for nobody's. */
  private clientOf(at: number): number {
    const { view } = this.machine.mem;
    const ip = at + ETH_HLEN;
    if (view.getUint16(ip - 2) !== ETH_P_IP || ipv4Proto(view, ip) !== IPPROTO_UDP) return -1;
    const udp = ip + ipv4HeaderLen(view, ip);
    const client = this.numbered(ipv4Dst(view, ip), udpDstPort(view, udp));
    return client >= 0 ? client : this.numbered(ipv4Src(view, ip), udpSrcPort(view, udp));
  }

  private numbered(addr: number, port: number): number {
    const block = addr - NET - 1;
    const client = block * PORTS + port - FIRST_PORT;
    const ours = block >= 0 && port >= FIRST_PORT && port < FIRST_PORT + PORTS;
    return ours && client < this.config.clients ? client : -1;
  }
}
