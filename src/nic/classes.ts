/**
 * What the NIC's parser finds out about each distinct frame, computed once and kept by number:
 * the words of its completion, the queue it goes to, or why the MAC refuses it.
 *
 * A template or captured packet that arrives a million times has one hash and one checksum
 * verdict, so they travel with it. Any change of the configuration (MAC filter, RSS, VLAN,
 * rules) forgets everything.
 */
import {
  LOST_DEVICE_CLOSED,
  LOST_MAC_FILTER,
  LOST_NTUPLE_DROP,
  LOST_RX_OVERSIZE,
  LOST_RX_RUNT,
} from '../host/fates.ts';
import type { HostMemory, Region } from '../host/memory.ts';
import { ETH_HLEN, macIsBroadcast, macIsMulticast } from '../wire/eth.ts';
import type { FrameTable } from '../wire/frames.ts';
import { wireBytes } from '../wire/link.ts';
import { ParsedFrame, checksumVerdict, parseFrame } from '../wire/parse.ts';
import { VLAN_HLEN } from '../wire/vlan.ts';
import {
  CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_BCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS,
} from './hsi/hwrm.ts';
import {
  RX_CMPL_ERRORS_IP_CS_ERROR,
  RX_CMPL_ERRORS_L4_CS_ERROR,
  RX_CMP_FLAGS2_IP_CS_CALC,
  RX_CMP_FLAGS2_IP_TYPE_V6,
  RX_CMP_FLAGS2_L4_CS_CALC,
  RX_CMP_FLAGS2_META_FORMAT_VLAN,
  RX_CMP_FLAGS_ITYPE_IP,
  RX_CMP_FLAGS_ITYPE_TCP,
  RX_CMP_FLAGS_ITYPE_UDP,
  RX_CMP_FLAGS_RSS_VALID,
  rxCmpMisc,
} from './hsi/rxCmp.ts';
import {
  CAST_BCAST,
  CAST_MCAST,
  CAST_UCAST,
  frameRecords,
  recForget,
  recForgetOne,
  recStore,
  recordsHeld,
} from './frameRecord.ts';
import type { FrameRecords } from './frameRecord.ts';
import { bugOn } from '../host/errors.ts';
import { NTUPLE_NONE, NtupleTable } from './ntuple.ts';
import type { HashTuple } from './rss.ts';
import { Rss } from './rss.ts';

const NO_TUPLE: HashTuple = {
  ipVersion: 0,
  protocol: 0,
  addresses: new Uint8Array(0),
  ports: new Uint8Array(0),
};

export class FrameClasses {
  readonly rss: Rss = new Rss();
  readonly ntuple: NtupleTable = new NtupleTable();
  /** Queues that have a ring; 0 while the device is closed. */
  queues = 0;
  rxMask = 0;
  /** Groups let through, with `MASK_MCAST`. */
  mcast: readonly Uint8Array[] = [];
  mac: Uint8Array = new Uint8Array(6);
  mru = 0;
  vlanStrip = false;

  /** Records of all frames seen so far; in host memory as long as there is room for them. */
  rec: FrameRecords;
  inHostMemory = true;

  private readonly mem: HostMemory;
  private readonly frames: FrameTable;
  private readonly parsed: ParsedFrame = new ParsedFrame();

  /** @param records where records may lie, `recordBytes` of the frames to come */
  constructor(mem: HostMemory, frames: FrameTable, records: Region) {
    this.mem = mem;
    this.frames = frames;
    this.rec = mem.wordsAt(records.at, records.bytes >>> 2);
  }

  /** The configuration has changed: what was known holds no more. */
  forget(): void {
    recForget(this.rec);
  }

  /** Another frame has this number now. */
  forgetOne(n: number): void {
    if (n < recordsHeld(this.rec)) recForgetOne(this.rec, n);
  }

  /** Make frame `n` known. */
  learn(n: number): void {
    if (n >= recordsHeld(this.rec)) this.grow();
    const at = this.frames.at[n]!;
    const len = this.frames.len[n]!;
    const p = this.parsed;
    parseFrame(this.mem.view, at, len, p);
    checksumVerdict(this.mem.view, at, p);
    const strip = this.vlanStrip && p.vlanCount > 0;
    const stored = strip ? len - VLAN_HLEN : len;
    const tuple = this.tupleOf(at);
    const rss = this.rss.hash(tuple);
    const rule = this.ntuple.lookup(p, tuple);
    const cast = this.castOf(at, len);
    const refused = this.refusal(at, len, cast);
    const cause = refused < 0 && rule === -1 ? LOST_NTUPLE_DROP : refused;
    const ring = rule !== NTUPLE_NONE ? rule : rss === null ? 0 : this.rss.ring(rss.hash);
    bugOn(cause < 0 && ring >= this.queues, `frame steered to queue ${ring} of ${this.queues}`);
    recStore(this.rec, n, {
      lane: cause >= 0 ? -1 : ring,
      cause,
      cast,
      strip,
      len: stored,
      from: at,
      wireBytes: wireBytes(len),
      lenFlags: (stored << 16) | this.itype() | (rss === null ? 0 : RX_CMP_FLAGS_RSS_VALID),
      misc: rxCmpMisc(this.headerLen(strip)),
      hash: rss === null ? 0 : rss.hash,
      flags2: this.flags2Word(strip),
      metaData: strip ? (p.outerTpid << 16) | p.outerTci : 0,
      errors:
        (p.ipCsumChecked && !p.ipCsumOk ? RX_CMPL_ERRORS_IP_CS_ERROR : 0) |
        (p.l4CsumChecked && !p.l4CsumOk ? RX_CMPL_ERRORS_L4_CS_ERROR : 0),
    });
  }

  private flags2Word(strip: boolean): number {
    const p = this.parsed;
    return (
      (p.ipCsumChecked ? RX_CMP_FLAGS2_IP_CS_CALC : 0) |
      (p.l4CsumChecked ? RX_CMP_FLAGS2_L4_CS_CALC : 0) |
      (strip ? RX_CMP_FLAGS2_META_FORMAT_VLAN : 0) |
      (p.l3Kind === 6 ? RX_CMP_FLAGS2_IP_TYPE_V6 : 0)
    );
  }

  private itype(): number {
    const p = this.parsed;
    if (p.l3Kind === 0 || p.l3Malformed) return 0;
    if (p.l4Offset === 0 || p.l4Malformed || p.frag !== 0) return RX_CMP_FLAGS_ITYPE_IP;
    if (p.l4Proto === 6) return RX_CMP_FLAGS_ITYPE_TCP;
    return p.l4Proto === 17 ? RX_CMP_FLAGS_ITYPE_UDP : RX_CMP_FLAGS_ITYPE_IP;
  }

  /** Length of the headers the parser understood, as it stands in the completion: 8 bits, 0 for unknown. */
  private headerLen(strip: boolean): number {
    const p = this.parsed;
    if (p.l4Offset === 0 || p.l4Malformed) return 0;
    const len = p.payloadOffset - (strip ? VLAN_HLEN : 0);
    return len > 255 ? 0 : len;
  }

  private tupleOf(at: number): HashTuple {
    const p = this.parsed;
    if (p.l3Kind === 0 || p.l3Malformed) return NO_TUPLE;
    const u8 = this.mem.u8;
    const l3 = at + p.l3Offset;
    const ports =
      p.frag === 0 && p.l4Offset !== 0 && !p.l4Malformed && (p.l4Proto === 6 || p.l4Proto === 17);
    return {
      ipVersion: p.l3Kind,
      protocol: p.frag === 0 ? p.l4Proto : 0,
      addresses: p.l3Kind === 4 ? u8.slice(l3 + 12, l3 + 20) : u8.slice(l3 + 8, l3 + 40),
      ports: ports ? u8.slice(at + p.l4Offset, at + p.l4Offset + 4) : NO_TUPLE.ports,
    };
  }

  private castOf(at: number, len: number): number {
    if (len < ETH_HLEN) return CAST_UCAST;
    const hi = this.mem.view.getUint16(at);
    const lo = this.mem.view.getUint32(at + 2);
    if (macIsBroadcast(hi, lo)) return CAST_BCAST;
    return macIsMulticast(hi) ? CAST_MCAST : CAST_UCAST;
  }

  /** The `LOST_*` cause for which the MAC refuses the frame, or -1. */
  private refusal(at: number, len: number, cast: number): number {
    if (this.queues === 0) return LOST_DEVICE_CLOSED;
    if (len < ETH_HLEN) return LOST_RX_RUNT;
    if (len > this.mru) return LOST_RX_OVERSIZE;
    if ((this.rxMask & CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS) !== 0) return -1;
    if (cast === CAST_BCAST)
      return this.rxMask & CFA_L2_SET_RX_MASK_REQ_MASK_BCAST ? -1 : LOST_MAC_FILTER;
    if (cast === CAST_MCAST) return this.groupWanted(at) ? -1 : LOST_MAC_FILTER;
    return this.isTo(at, this.mac) ? -1 : LOST_MAC_FILTER;
  }

  private groupWanted(at: number): boolean {
    if ((this.rxMask & CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST) !== 0) return true;
    if ((this.rxMask & CFA_L2_SET_RX_MASK_REQ_MASK_MCAST) === 0) return false;
    return this.mcast.some((group) => this.isTo(at, group));
  }

  private isTo(at: number, mac: Uint8Array): boolean {
    return mac.every((byte, i) => this.mem.u8[at + i] === byte);
  }

  private grow(): void {
    const wider = frameRecords(this.frames.count);
    wider.set(this.rec);
    this.rec = wider;
    this.inHostMemory = false;
  }
}
