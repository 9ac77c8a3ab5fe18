/**
 * What a TypeScript program sees of its packet: one typed view, reused for every packet.
 *
 * Offsets count from the packet's first byte. Reads and writes are big-endian, as headers are, and
 * are checked against the packet's end: where an eBPF program would not have been loaded, this one
 * ends the run with a `ProgramFault`. After an adjust the offsets count from the new first byte.
 */
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { PS_PER_NS } from '../host/clock.ts';
import { csumFold, csumPartial } from '../wire/checksum.ts';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta, bpfXdpAdjustTail } from './adjust.ts';
import type { DevMap } from './maps/devmap.ts';
import type { XdpKernel } from './kernel.ts';
import { ProgramFault } from './program.ts';
import { bpfRedirect, bpfRedirectMap } from './redirect.ts';
import {
  xdpData,
  xdpDataEnd,
  xdpGetMetalen,
  xdpIngressIfindex,
  xdpRxQueueIndex,
} from './xdpBuff.ts';

/** Fields of `struct bpf_fib_lookup`, as `stack/bpfFibLookup.ts` has them. */
const FIB_LOOKUP_BYTES = 64;
const FIB_TOT_LEN = 6;
const FIB_IFINDEX = 8;
const FIB_IPV4_DST = 32;
const FIB_SMAC = 52;
const FIB_DMAC = 58;
const AF_INET = 2;
const FIB_LKUP_RET_FWD_DISABLED = 5;

interface FibHop {
  ifindex: number;
  smacHi16: number;
  smacLo32: number;
  dmacHi16: number;
  dmacLo32: number;
}

export class XdpContext<Maps extends Readonly<Record<string, DevMap>> = Record<string, DevMap>> {
  /** The program's live maps, by the names it declared. */
  readonly maps: Maps;
  private readonly xdp: XdpKernel;
  private readonly mem: HostMemory;
  private readonly words: HostWords;
  private readonly view: DataView;
  private readonly program: string;
  /** The way that the last `fibLookup` found: a device, and the MAC addresses to write. */
  readonly hop: FibHop = { ifindex: 0, smacHi16: 0, smacLo32: 0, dmacHi16: 0, dmacLo32: 0 };
  private md: HostAddr = 0;
  private at: HostAddr = 0;
  private length = 0;

  constructor(xdp: XdpKernel, program: string, maps: Maps) {
    this.xdp = xdp;
    this.mem = xdp.mem;
    this.words = xdp.mem.words;
    this.view = xdp.mem.view;
    this.program = program;
    this.maps = maps;
  }

  /** Look at the packet of `md` from here on. For whoever runs the program, not for programs. */
  bind(md: HostAddr): void {
    const { words } = this;
    const at = xdpData(words, md);
    this.md = md;
    this.at = at;
    this.length = xdpDataEnd(words, md) - at;
  }

  /** Host address of the packet's first byte. */
  get data(): HostAddr {
    return this.at;
  }

  /** Host address one past the packet's last byte. */
  get dataEnd(): HostAddr {
    return this.at + this.length;
  }

  /** Packet length in bytes, without FCS. */
  get len(): number {
    return this.length;
  }

  get ingressIfindex(): number {
    return xdpIngressIfindex(this.mem.words, this.md);
  }

  get rxQueueIndex(): number {
    return xdpRxQueueIndex(this.mem.words, this.md);
  }

  // The check is written out six times: one more call level took a third longer (V8's inlining
  // budget), and this form fails for NaN as well.
  u8(off: number): number {
    if (!(off >= 0 && off <= this.length - 1)) this.outside(off, 1);
    return this.view.getUint8(this.at + off);
  }

  u16(off: number): number {
    if (!(off >= 0 && off <= this.length - 2)) this.outside(off, 2);
    return this.view.getUint16(this.at + off);
  }

  u32(off: number): number {
    if (!(off >= 0 && off <= this.length - 4)) this.outside(off, 4);
    return this.view.getUint32(this.at + off);
  }

  setU8(off: number, value: number): void {
    if (!(off >= 0 && off <= this.length - 1)) this.outside(off, 1);
    this.view.setUint8(this.at + off, value);
  }

  setU16(off: number, value: number): void {
    if (!(off >= 0 && off <= this.length - 2)) this.outside(off, 2);
    this.view.setUint16(this.at + off, value);
  }

  setU32(off: number, value: number): void {
    if (!(off >= 0 && off <= this.length - 4)) this.outside(off, 4);
    this.view.setUint32(this.at + off, value);
  }

  /** Copy `len` bytes inside the packet; the ranges may overlap. */
  copy(toOff: number, fromOff: number, len: number): void {
    this.mem.copy(this.checked(toOff, len), this.checked(fromOff, len), len);
  }

  /**
   * Add `len` bytes to a running one's-complement sum; `csumFold` makes a checksum field of it.
   *
   * @linux csum_partial
   */
  csum(off: number, len: number, sum: number = 0): number {
    return csumPartial(this.view, this.checked(off, len), len, sum);
  }

  /** @returns the 16 bits for a checksum field. @linux csum_fold */
  csumFold(sum: number): number {
    return csumFold(sum);
  }

  /** Bytes of metadata in front of the packet. */
  get metaLen(): number {
    return xdpGetMetalen(this.mem.words, this.md);
  }

  /** A metadata word, counted from the metadata's first byte; little-endian: it never leaves the host. */
  metaU32(off: number): number {
    return this.view.getUint32(this.checkedMeta(off), true);
  }

  setMetaU32(off: number, value: number): void {
    this.view.setUint32(this.checkedMeta(off), value, true);
  }

  /** @returns 0 or a negative errno. @linux bpf_xdp_adjust_head */
  adjustHead(delta: number): number {
    const err = bpfXdpAdjustHead(this.mem, this.md, delta);
    this.bind(this.md);
    return err;
  }

  /** @returns 0 or a negative errno. @linux bpf_xdp_adjust_tail */
  adjustTail(delta: number): number {
    const err = bpfXdpAdjustTail(this.mem, this.md, delta);
    this.bind(this.md);
    return err;
  }

  /** @returns 0 or a negative errno. @linux bpf_xdp_adjust_meta */
  adjustMeta(delta: number): number {
    return bpfXdpAdjustMeta(this.mem, this.md, delta);
  }

  /** @returns the verdict to return. @linux bpf_redirect */
  redirect(ifindex: number, flags: number = 0): number {
    return bpfRedirect(this.xdp, ifindex, flags);
  }

  /** @param flags verdict when `key` has no entry @returns the verdict to return. @linux bpf_redirect_map */
  redirectMap(map: DevMap, key: number, flags: number = 0): number {
    return bpfRedirectMap(this.xdp, map, key, flags);
  }

  /**
   * Ask the routing table for the way of an IPv4 packet; on success `hop` says it.
   *
   * @param daddr its destination
   * @param totLen its length, header included; 0: however long
   * @returns 0, another `BPF_FIB_LKUP_RET_*`, or a negative errno
   * @linux bpf_fib_lookup
   */
  fibLookup(daddr: number, totLen: number = 0): number {
    const { xdp, view, hop } = this;
    if (xdp.upper === null) return FIB_LKUP_RET_FWD_DISABLED;
    const params = xdp.bpf.stackTop - FIB_LOOKUP_BYTES; // no frame of an eBPF program is in use now
    this.mem.fill(params, FIB_LOOKUP_BYTES, 0);
    view.setUint8(params, AF_INET);
    view.setUint16(params + FIB_TOT_LEN, totLen, true);
    view.setUint32(params + FIB_IFINDEX, xdpIngressIfindex(this.words, this.md), true);
    view.setUint32(params + FIB_IPV4_DST, daddr);
    const rc = xdp.upper.fibLookup(params, 0, xdp.cpu);
    if (rc !== 0) return rc;
    hop.ifindex = view.getUint32(params + FIB_IFINDEX, true);
    hop.smacHi16 = view.getUint16(params + FIB_SMAC);
    hop.smacLo32 = view.getUint32(params + FIB_SMAC + 2);
    hop.dmacHi16 = view.getUint16(params + FIB_DMAC);
    hop.dmacLo32 = view.getUint32(params + FIB_DMAC + 2);
    return 0;
  }

  /** Virtual nanoseconds since the machine was built. @linux bpf_ktime_get_ns */
  ktimeNs(): number {
    return Math.floor(this.xdp.cpu.now / PS_PER_NS);
  }

  /** @linux bpf_get_smp_processor_id */
  cpu(): number {
    return this.xdp.cpu.id;
  }

  /** 32 bits from the machine's seed. @linux bpf_get_prandom_u32 */
  random(): number {
    return this.xdp.random.uint32();
  }

  /** Address of `len` bytes at `off`. */
  private checked(off: number, len: number): HostAddr {
    if (!(off >= 0 && len >= 0 && off + len <= this.length)) this.outside(off, len);
    return this.at + off;
  }

  private checkedMeta(off: number): HostAddr {
    const metalen = this.metaLen;
    if (!(off >= 0 && off + 4 <= metalen)) {
      throw new ProgramFault(
        this.program,
        `touches 4 bytes at offset ${off} of ${metalen} bytes of metadata`,
      );
    }
    return this.at - metalen + off;
  }

  private outside(off: number, len: number): never {
    throw new ProgramFault(
      this.program,
      `touches ${len} bytes at offset ${off} of a ${this.length}-byte packet`,
    );
  }
}
