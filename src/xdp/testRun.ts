/**
 * One run of a program on bytes that somebody gives, without a driver: the geometry, and so what
 * the program sees, is that of `BPF_PROG_TEST_RUN`.
 *
 *   | headroom 256 | packet, at most 3520 | tailroom 320 |     one page, ifindex 1, queue 0
 *
 * @linux bpf_prog_test_run_xdp; net/bpf/test_run.c
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { Bpf } from './bpf.ts';
import type { BpfRunnable } from './engine.ts';
import { SKB_SHARED_INFO_SIZE, XDP_PACKET_HEADROOM } from './uapi.ts';
import { XDP_BUFF_BYTES, xdpDataEnd, xdpDataMeta, xdpInitBuff, xdpPrepareBuff } from './xdpBuff.ts';

/** Bytes of packet: Linux refuses fewer than an Ethernet header. */
export const TEST_RUN_MIN_BYTES = 14;
export const TEST_RUN_MAX_BYTES: number = PAGE_SIZE - XDP_PACKET_HEADROOM - SKB_SHARED_INFO_SIZE;
/** The loopback device. */
export const TEST_RUN_IFINDEX = 1;
/** Host memory that a `TestRun` carves. */
export const TEST_RUN_MEMORY_BYTES: number = 2 * PAGE_SIZE;

export class TestRun {
  private readonly bpf: Bpf;
  private readonly page: HostAddr;
  private readonly md: HostAddr;

  /** @throws RangeRefused when memory has no room for `TEST_RUN_MEMORY_BYTES` more */
  constructor(bpf: Bpf) {
    this.bpf = bpf;
    const { at } = bpf.mem.region('test run', TEST_RUN_MEMORY_BYTES);
    this.page = at;
    this.md = at + PAGE_SIZE;
    xdpInitBuff(bpf.mem.words, this.md, PAGE_SIZE, TEST_RUN_IFINDEX, 0);
    bpf.mem.fill(this.md + XDP_BUFF_BYTES, PAGE_SIZE - XDP_BUFF_BYTES, 0);
  }

  /**
   * @param data 14 to 3520 bytes
   * @returns the verdict, unsigned
   * @throws RangeRefused, and what the engine throws
   */
  run(program: Pick<BpfRunnable, 'run'>, data: Uint8Array): number {
    this.prepare(data);
    return program.run(this.md) >>> 0;
  }

  /** Lay a packet out as for a run; the context's address is for whoever steps through it. */
  prepare(data: Uint8Array): HostAddr {
    if (data.length < TEST_RUN_MIN_BYTES || data.length > TEST_RUN_MAX_BYTES) {
      const allowed = `${TEST_RUN_MIN_BYTES} to ${TEST_RUN_MAX_BYTES} bytes`;
      throw new RangeRefused('packet', `${data.length} bytes`, allowed);
    }
    const { mem } = this.bpf;
    mem.fill(this.page, PAGE_SIZE, 0);
    mem.u8.set(data, this.page + XDP_PACKET_HEADROOM);
    xdpPrepareBuff(mem.words, this.md, this.page, XDP_PACKET_HEADROOM, data.length, true);
    return this.md;
  }

  /** The packet as the last run left it, metadata in front. */
  get dataOut(): Uint8Array {
    const { words, u8 } = this.bpf.mem;
    return u8.slice(xdpDataMeta(words, this.md), xdpDataEnd(words, this.md));
  }
}
