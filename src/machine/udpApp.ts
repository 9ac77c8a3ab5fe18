/**
 * Applications: threads that read UDP sockets, and what they do with what they read.
 *
 * A thread is bound to a CPU, or wakes on any of several, and has a buffer in host memory. Of an
 * application with several threads each has a socket, which gets what comes through RX queues of its
 * own, as memcached's threads have connections by NAPI (`-N`). It reads in batches, as with `recvmmsg`:
 * one system call for up to `batch` datagrams, which blocks when there is none; one that busy-polls
 * waits in `epoll_wait` instead. Each reply is a system call of its own. `memcached` has
 * a connection for each client and reads one at a time, so its batches are of one datagram.
 */
import type { Ps } from '../host/clock.ts';
import { OP_SYSCALL } from '../host/cost.ts';
import { CTX_APP } from '../host/cpu.ts';
import type { Cpu, Work } from '../host/cpu.ts';
import { EAGAIN, errnoName } from '../host/errno.ts';
import { RangeRefused } from '../host/errors.ts';
import { Histogram } from '../host/histogram.ts';
import type { Rng } from '../host/rng.ts';
import type { StageTimes } from '../host/stages.ts';
import type { HostAddr } from '../host/memory.ts';
import { Task } from '../host/runQueue.ts';
import { Eventpoll, epBusyLoopOn } from '../stack/eventpoll.ts';
import { In6Addr } from '../stack/in6.ts';
import type { Inet } from '../stack/inet.ts';
import type { UdpSock } from '../stack/udpSock.ts';
import { udpSendmsg, udpv6Sendmsg } from '../stack/udpSend.ts';
import { UdpMsg, udpConnect, udpRecvmsg, udpv6Connect } from '../stack/udpUser.ts';
import type { AppConfig, AppKind, UdpPeer } from './inetConfig.ts';
import { APP_BUFFER_BYTES, peerText } from './inetConfig.ts';
import { valueBytes } from './memcachedValues.ts';

/** A datagram as an application sees it; good until its handler returns. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: UdpMsg;
  /** When it was read. */
  readonly atPs: Ps;
  /** Send bytes back to where it came from. @returns bytes sent, or a negative errno */
  reply(bytes: Uint8Array): number;
}

/** @throws RangeRefused with the name of the error */
function connect(sock: UdpSock, inet: Inet, { version, addr, port }: UdpPeer): void {
  const rc =
    version === 4
      ? udpConnect(sock, inet, addr[3], port)
      : udpv6Connect(sock, inet, new In6Addr(...addr), port, inet.net.devList[0]!);
  if (rc !== 0)
    throw new RangeRefused(
      `app on UDP port ${sock.num}, peer`,
      peerText({ version, addr, port }),
      `one that can be reached; this is ${errnoName(rc)}`,
    );
}

/** A datagram that was kept. */
export interface CapturedDatagram {
  readonly atPs: Ps;
  readonly srcPort: number;
  readonly bytes: Uint8Array;
}

/** Which of its application's threads one is, and the sockets that share their port; null: it is alone. */
export interface AppThread {
  readonly index: number;
  readonly group: UdpSock[] | null;
}

export class UdpApp implements Datagram {
  readonly config: AppConfig;
  readonly sock: UdpSock;
  readonly task: Task;
  readonly from: UdpMsg = new UdpMsg();
  bytes: Uint8Array = new Uint8Array(0);
  /** From the socket's queue to the reader. */
  readonly waited: Histogram = new Histogram();
  readonly captured: CapturedDatagram[] = [];
  /** System calls that read. */
  reads = 0;
  /** Replies that could not be sent, and reads that returned an error. */
  sendErrors = 0;
  recvErrors = 0;
  private readonly inet: Inet;
  private readonly rng: Rng;
  private readonly stages: StageTimes | null;
  /** The first half of its buffer receives, the second holds what it sends. */
  private readonly buffer: HostAddr;
  private readonly handle: (len: number) => void;

  /** @throws RangeRefused when the port is taken */
  constructor(
    config: AppConfig,
    inet: Inet,
    cpus: readonly Cpu[],
    thread: AppThread,
    buffer: HostAddr,
    rng: Rng,
    stages: StageTimes | null = null,
  ) {
    const sock = inet.udp.bind(config.udp, 0, config.rcvbuf, thread.group);
    if (typeof sock === 'number')
      throw new RangeRefused(`app on UDP port`, config.udp, 'a port that no other app has');
    if (config.connect !== undefined) connect(sock, inet, config.connect);
    this.config = config;
    this.inet = inet;
    this.rng = rng;
    this.stages = stages;
    this.buffer = buffer;
    this.sock = sock;
    const name = `${config.kind}:${config.udp}`;
    const cpu = cpus[thread.index % cpus.length]!;
    this.task = new Task(name, cpu, CTX_APP, () => this.live(), cpus);
    this.handle = this.handlerOf(config.kind);
    sock.reader = this.task;
  }

  private handlerOf(kind: AppKind): (len: number) => void {
    switch (kind) {
      case 'sink':
        return () => {};
      case 'echo':
        return (len) => this.send(this.buffer, len);
      case 'server':
        return () => this.send(this.sendBuffer, this.config.replyBytes);
      case 'memcached':
        return () => this.send(this.sendBuffer, this.config.replyBytes + this.drawValue());
      case 'capture':
        return (len) => this.keep(len);
      case 'callback':
        return (len) => this.call(len);
    }
  }

  private drawValue(): number {
    return valueBytes(((this.rng.int32() >>> 0) + 0.5) * 2 ** -32);
  }

  get atPs(): Ps {
    return this.task.cpu.now;
  }

  private get sendBuffer(): HostAddr {
    return this.buffer + APP_BUFFER_BYTES / 2;
  }

  private *live(): Work {
    const { config, inet, sock, task } = this;
    const ep = epBusyLoopOn(config) ? new Eventpoll(inet.net, sock, config) : null;
    for (;;) {
      if (ep !== null) yield* ep.wait(task);
      yield* this.read();
      if (ep === null && sock.receiveQueue.qlen === 0) task.sleep();
      yield;
    }
  }

  /**
   * One batch. Taking a datagram off its queue holds softirqs off, and on the way out the ones that
   * are pending run: with ksoftirqd behind, a batch gives the CPU away after each datagram.
   *
   * @linux recvmmsg, __skb_recv_udp; spin_unlock_bh
   */
  private *read(): Work {
    const { sock, inet, from } = this;
    const { cpu } = this.task;
    const sd = inet.net.softnet[cpu.id]!;
    cpu.charge(OP_SYSCALL);
    this.reads++;
    let n = 0;
    while (n < this.config.batch) {
      const len = udpRecvmsg(sock, inet, this.buffer, APP_BUFFER_BYTES / 2, from, cpu);
      if (len === -EAGAIN) break;
      n++;
      if (len < 0) {
        this.recvErrors++;
        this.config.onError?.(-len);
        continue;
      }
      this.waited.record(cpu.now - from.tstamp);
      if (from.wireAt > 0) this.stages?.socket.record(cpu.now - from.wireAt);
      this.handle(len);
      if (sd.softirqPending !== 0) yield;
    }
    if (n > 0) this.config.onBatchEnd?.();
  }

  private send(at: HostAddr, len: number): number {
    const { sock, inet } = this;
    const { cpu } = this.task;
    const { family, saddr, saddr6, sport, dev, wireAt } = this.from;
    sock.answersAt = wireAt;
    cpu.charge(OP_SYSCALL);
    const rc =
      family === 6
        ? udpv6Sendmsg(sock, inet, at, len, saddr6, sport, dev!, cpu)
        : udpSendmsg(sock, inet, at, len, saddr, sport, cpu);
    if (rc < 0) this.sendErrors++;
    return rc;
  }

  private keep(len: number): void {
    if (this.captured.length >= this.config.keep) return;
    this.captured.push({
      atPs: this.task.cpu.now,
      srcPort: this.from.sport,
      bytes: this.inet.net.mem.u8.slice(this.buffer, this.buffer + len),
    });
  }

  private call(len: number): void {
    this.bytes = this.inet.net.mem.u8.subarray(this.buffer, this.buffer + len);
    this.config.onDatagram?.(this);
  }

  reply(bytes: Uint8Array): number {
    const room = APP_BUFFER_BYTES / 2;
    if (bytes.length > room)
      throw new RangeRefused('reply', `${bytes.length} bytes`, `at most ${room} bytes`);
    this.inet.net.mem.u8.set(bytes, this.sendBuffer);
    return this.send(this.sendBuffer, bytes.length);
  }
}
