/** The result of parsing one frame; see parse.ts for how it is found. */
import { FRAG_NONE } from './ip.ts';

/** What was found; fixed in shape, made once and filled for each frame. */
export class ParsedFrame {
  /** Bytes of the frame, as handed in. */
  lenBytes: number = 0;
  /** The frame ends within its Ethernet header or a tag; nothing else is set. */
  l2Malformed: boolean = false;
  /** Bytes of Ethernet header and tags. */
  l2Len: number = 0;
  /** Number of VLAN tags, of which the two outermost are kept. */
  vlanCount: number = 0;
  outerTpid: number = 0;
  outerTci: number = 0;
  innerTpid: number = 0;
  innerTci: number = 0;
  /** Type after all tags; below 0x0600 an 802.3 length. */
  etherType: number = 0;

  /** 4 or 6, from the EtherType; 0 when the frame carries neither. */
  l3Kind: number = 0;
  /** Where the bytes after the Ethernet header and tags begin. */
  l3Offset: number = 0;
  /** Bytes of the IP header, with IPv4 options or IPv6 extension headers. */
  l3HeaderLen: number = 0;
  /** Wrong version, or a length that contradicts itself or the frame; no L4 field is set. */
  l3Malformed: boolean = false;
  /** One of `FRAG_*`. */
  frag: number = FRAG_NONE;

  /** Protocol number after the IP header (and extension headers), or 0. */
  l4Proto: number = 0;
  /** Where the transport header begins; 0 when there is none to read (later fragments included). */
  l4Offset: number = 0;
  /** Bytes from the transport header to the end of what its checksum covers. */
  l4Len: number = 0;
  /** A TCP, UDP, ICMP, inner IP or extension header does not fit; ports and payload are not set. */
  l4Malformed: boolean = false;
  /** Ports of TCP and UDP, else 0. */
  srcPort: number = 0;
  dstPort: number = 0;
  /** IP version inside a tunnel, or 0; its header lies at `innerL3Offset`, which is `l4Offset`. */
  innerL3Kind: number = 0;
  innerL3Offset: number = 0;

  /** What follows the last header understood; Ethernet padding is not part of it. */
  payloadOffset: number = 0;
  payloadLen: number = 0;

  /** Set by `checksumVerdict`: an IPv4 header was summed, and was right. */
  ipCsumChecked: boolean = false;
  ipCsumOk: boolean = false;
  /** Set by `checksumVerdict`: a TCP or UDP checksum was summed, and was right. */
  l4CsumChecked: boolean = false;
  l4CsumOk: boolean = false;
  /** The IPv6 destination is only the next stop: the pseudo-header's is not at hand. */
  routingPending: boolean = false;

  /** Back to nothing found, for a frame of `len` bytes. */
  reset(len: number): void {
    this.lenBytes = len;
    this.l2Malformed = false;
    this.l2Len = 0;
    this.vlanCount = 0;
    this.outerTpid = 0;
    this.outerTci = 0;
    this.innerTpid = 0;
    this.innerTci = 0;
    this.etherType = 0;
    this.l3Kind = 0;
    this.l3Offset = 0;
    this.l3HeaderLen = 0;
    this.l3Malformed = false;
    this.frag = FRAG_NONE;
    this.l4Proto = 0;
    this.l4Offset = 0;
    this.l4Len = 0;
    this.l4Malformed = false;
    this.srcPort = 0;
    this.dstPort = 0;
    this.innerL3Kind = 0;
    this.innerL3Offset = 0;
    this.payloadOffset = 0;
    this.payloadLen = 0;
    this.routingPending = false;
    this.resetVerdict();
  }

  /** Back to no checksum judged. */
  resetVerdict(): void {
    this.ipCsumChecked = false;
    this.ipCsumOk = false;
    this.l4CsumChecked = false;
    this.l4CsumOk = false;
  }
}
