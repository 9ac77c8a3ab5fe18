/**
 * A packet in the stack: where its bytes lie, and what is known about them.
 *
 *   head        data                tail              end
 *    | headroom  | linear bytes      | tailroom        | shared info (320 bytes)
 *                 then frags[0..nrFrags), each a piece of a page
 *
 * `len` counts linear bytes and frags, `dataLen` the frags alone. All addresses are host memory, and
 * the bytes of a built skb stay in the page the NIC wrote them to. Objects are pooled: a driver
 * gets one from `napiAllocSkb` or `napiBuildSkb`, and whoever ends the packet frees it.
 *
 * @linux struct sk_buff; include/linux/skbuff.h
 */
import type { Ps } from '../host/clock.ts';
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import type { Fates } from '../host/fates.ts';
import { SKB } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import type { NetDevice } from './netdevice.ts';

export const MAX_SKB_FRAGS = 17;

/** Who the packet is for, by its destination address. @linux include/uapi/linux/if_packet.h */
export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OTHERHOST = 3;

/** What hardware said about the checksum. @linux include/linux/skbuff.h */
export const CHECKSUM_NONE = 0;
export const CHECKSUM_UNNECESSARY = 1;
/** Outgoing: the field at `csumStart + csumOffset` is to be completed, by hardware if it can. */
export const CHECKSUM_PARTIAL = 3;

/** What a flow hash was computed over. @linux enum pkt_hash_types */
export const PKT_HASH_TYPE_NONE = 0;
export const PKT_HASH_TYPE_L3 = 2;
export const PKT_HASH_TYPE_L4 = 3;

export class SkBuff {
  /** 0 while nobody uses the object. */
  head: HostAddr = 0;
  data: HostAddr = 0;
  tail: HostAddr = 0;
  end: HostAddr = 0;
  /** Where the Ethernet header begins; 0 before `ethTypeTrans`. */
  macHeader: HostAddr = 0;
  /** Where the IP header begins, once a protocol has found it, and what it carries. */
  networkHeader: HostAddr = 0;
  transportHeader: HostAddr = 0;
  len = 0;
  dataLen = 0;
  truesize = 0;
  /** The head is a page, or a piece of one, and not a slot of the skb pool. */
  headFrag = false;
  /** The pages go back to their page_pool. */
  ppRecycle = false;

  nrFrags = 0;
  readonly fragPage: Int32Array = new Int32Array(MAX_SKB_FRAGS);
  readonly fragOffset: Int32Array = new Int32Array(MAX_SKB_FRAGS);
  readonly fragSize: Int32Array = new Int32Array(MAX_SKB_FRAGS);

  dev: NetDevice;
  /** IPv6: the protocol behind the extension headers passed so far. */
  upperProtocol = 0;
  /** Where a fragment's data belongs in its packet's. */
  fragStart = 0;
  /** Of the queue it is on. */
  next: SkBuff | null = null;
  /** Books of the device the packet came in on; null for one that is being sent. */
  fates: Fates | null = null;
  /** It has been given to a device to send, whose books have it from then on. */
  queued = false;
  /** Counted as having arrived. */
  arrived = false;
  /** When it entered the stack, or a socket's queue. */
  tstamp: Ps = 0;
  /** When it arrived on the wire, where stages are told; else 0. */
  wireAt: Ps = 0;
  /** Whom the route says a received packet is for: `RTN_*`. */
  routeType = 0;
  /** Received: RX queue + 1; 0: not recorded. Being sent: TX queue. */
  queueMapping = 0;
  /** NAPI that received it, 0: none. */
  napiId = 0;
  /** uint32 */
  hash = 0;
  l4Hash = false;
  /** EtherType, host order. */
  protocol = 0;
  /** `PACKET_*` */
  pktType: number = PACKET_HOST;
  /** TPID and TCI of a tag that hardware took out; TPID 0: there was none. */
  vlanProto = 0;
  vlanTci = 0;
  /** `CHECKSUM_*` */
  ipSummed: number = CHECKSUM_NONE;
  /** CHECKSUM_PARTIAL: what is summed begins here, and the field lies this far behind. */
  csumStart: HostAddr = 0;
  csumOffset = 0;
  /** Checksums beyond the first that hardware found right. */
  csumLevel = 0;
  /** Its checksum has been verified, or needs not be. */
  csumValid = false;
  /** Bytes of XDP metadata in front of the MAC header. */
  metaLen = 0;

  constructor(dev: NetDevice) {
    this.dev = dev;
  }
}

/** An empty packet over `[head, end)`: every field as after allocation. */
export function skbInit(
  skb: SkBuff,
  dev: NetDevice,
  head: HostAddr,
  end: HostAddr,
  truesize: number,
): void {
  skb.head = head;
  skb.data = head;
  skb.tail = head;
  skb.end = end;
  skb.macHeader = 0;
  skb.networkHeader = 0;
  skb.transportHeader = 0;
  skb.len = 0;
  skb.dataLen = 0;
  skb.truesize = truesize;
  skb.headFrag = false;
  skb.ppRecycle = false;
  skb.nrFrags = 0;
  skb.dev = dev;
  skb.upperProtocol = 0;
  skb.fragStart = 0;
  skb.next = null;
  skb.fates = null;
  skb.queued = false;
  skb.arrived = false;
  skb.tstamp = 0;
  skb.wireAt = 0;
  skb.routeType = 0;
  skb.queueMapping = 0;
  skb.napiId = 0;
  skb.hash = 0;
  skb.l4Hash = false;
  skb.protocol = 0;
  skb.pktType = PACKET_HOST;
  skb.vlanProto = 0;
  skb.vlanTci = 0;
  skb.ipSummed = CHECKSUM_NONE;
  skb.csumStart = 0;
  skb.csumOffset = 0;
  skb.csumLevel = 0;
  skb.csumValid = false;
  skb.metaLen = 0;
}

/** Linear bytes. @linux skb_headlen */
export const skbHeadlen = (skb: SkBuff): number => skb.len - skb.dataLen;

/** Bytes in front of the data. @linux skb_headroom */
export const skbHeadroom = (skb: SkBuff): number => skb.data - skb.head;

/** Headroom for an empty skb. @linux skb_reserve */
export function skbReserve(skb: SkBuff, len: number): void {
  skb.data += len;
  skb.tail += len;
}

/** Lengthen the linear part at its end. @returns where the new bytes go. @linux skb_put */
export function skbPut(skb: SkBuff, len: number): HostAddr {
  const at = skb.tail;
  skb.tail += len;
  skb.len += len;
  bugOn(skb.tail > skb.end, 'skb_over_panic: put beyond the end of the buffer');
  return at;
}

/** Lengthen the linear part at its front. @returns the new data. @linux skb_push */
export function skbPush(skb: SkBuff, len: number): HostAddr {
  skb.data -= len;
  skb.len += len;
  bugOn(skb.data < skb.head, 'skb_under_panic: push before the start of the buffer');
  return skb.data;
}

/**
 * Zero bytes behind the packet, for a device that must not send it shorter; its length stays.
 *
 * @returns false when the packet does not end in its linear part, or the buffer is too small
 * @linux skb_pad
 */
export function skbPad(skb: SkBuff, len: number): boolean {
  if (skb.dataLen > 0 || skb.tail + len > skb.end) return false;
  skb.dev.net.mem.fill(skb.tail, len, 0);
  return true;
}

/** Copy `len` bytes to the end of the linear part. @linux skb_put_data */
export function skbPutData(skb: SkBuff, from: HostAddr, len: number, cpu: Cpu): void {
  cpu.chargeTimes(OP_COPY_64B, (len + 63) >>> 6);
  skb.dev.net.mem.copy(skbPut(skb, len), from, len);
}

/** Give up linear bytes at the front. @returns the new data; 0 when there are too few. @linux skb_pull */
export function skbPull(skb: SkBuff, len: number): HostAddr {
  if (len > skb.len - skb.dataLen) return 0;
  skb.len -= len;
  skb.data += len;
  return skb.data;
}

/**
 * Append a piece of a page, which the skb owns from here on.
 *
 * @param truesize memory the piece takes, at least `size`
 * @linux skb_add_rx_frag
 */
export function skbAddRxFrag(
  skb: SkBuff,
  page: HostAddr,
  offset: number,
  size: number,
  truesize: number,
): void {
  const i = skb.nrFrags++;
  bugOn(i >= MAX_SKB_FRAGS, 'an skb has at most 17 frags');
  skb.fragPage[i] = page;
  skb.fragOffset[i] = offset;
  skb.fragSize[i] = size;
  skb.len += size;
  skb.dataLen += size;
  skb.truesize += truesize;
  const { watch } = skb.dev.net;
  if (watch.on) watch.page(page, SKB);
}

/** @linux skb_mark_for_recycle */
export function skbMarkForRecycle(skb: SkBuff): void {
  skb.ppRecycle = true;
}

/** @linux skb_record_rx_queue */
export function skbRecordRxQueue(skb: SkBuff, queue: number): void {
  skb.queueMapping = queue + 1;
}

/** @param type `PKT_HASH_TYPE_*`. @linux skb_set_hash */
export function skbSetHash(skb: SkBuff, hash: number, type: number): void {
  skb.hash = hash;
  skb.l4Hash = type === PKT_HASH_TYPE_L4;
}

/** The tag that hardware took out. @linux __vlan_hwaccel_put_tag */
export function __vlanHwaccelPutTag(skb: SkBuff, proto: number, tci: number): void {
  skb.vlanProto = proto;
  skb.vlanTci = tci;
}

/** @linux skb_metadata_set */
export function skbMetadataSet(skb: SkBuff, metaLen: number): void {
  skb.metaLen = metaLen;
}
