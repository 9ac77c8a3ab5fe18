/**
 * The chain of extension headers between an IPv6 header and its upper layer.
 *
 *   hop-by-hop, destination, routing, mobility   +0 next header | +1 units of 8 bytes after the first 8
 *   authentication (AH)                          +0 next header | +1 units of 4 bytes, less 2
 *   fragment (always 8 bytes)                    +0 next header | +2 15:3 offset, 0 more | +4 id
 *   routing                                      +3 segments left
 *
 * Every header is at least 8 bytes long, must lie within the payload length, and at most 8 of them
 * are followed: a walk cannot loop, and what it reads has been seen to be there.
 *
 * @spec RFC 8200 §4; RFC 4302 §2 (AH); RFC 6275 §6.1 (mobility)
 */
import {
  FRAG_FIRST,
  FRAG_LATER,
  FRAG_NONE,
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_MH,
  IPPROTO_ROUTING,
} from './ip.ts';

const NEXT = 0;
const EXT_LEN = 1;
const FRAG_WORD = 2;
const SEGMENTS_LEFT = 3;
const FRAG_OFFSET_MASK = 0xfff8;
const FRAG_MORE = 1;
const SIZE_MIN = 8;
const MAX_HEADERS = 8;

const HOPOPTS = IPPROTO_HOPOPTS;
const ROUTING = IPPROTO_ROUTING;
const FRAGMENT = IPPROTO_FRAGMENT;
const AH = IPPROTO_AH;
const DSTOPTS = IPPROTO_DSTOPTS;
const MOBILITY = IPPROTO_MH;

/** Most extension headers a walk follows, as any hardware parser has such a limit. */
export const IPV6_EXT_MAX: number = MAX_HEADERS;

/** Where a walk ended; one object serves any number of walks. */
export class Ipv6Chain {
  /**
   * What follows the chain: the upper layer, or the header at which the walk gave up, because it
   * was the ninth or a hop-by-hop header that is not the first.
   */
  proto: number = 0;
  /** Bytes of extension headers passed. */
  lenBytes: number = 0;
  /** One of `FRAG_*`; a fragment that is the whole packet counts as none (RFC 6946). */
  frag: number = FRAG_NONE;
  /** Of the last routing header; while not 0, the destination is not the final one. */
  segmentsLeft: number = 0;
  /** A header does not lie within the payload. */
  malformed: boolean = false;
}

/** Is this next-header value one that a walk can pass? */
export const isIpv6Ext = (proto: number): boolean =>
  proto === HOPOPTS ||
  proto === DSTOPTS ||
  proto === ROUTING ||
  proto === FRAGMENT ||
  proto === AH ||
  proto === MOBILITY;

/**
 * Follows the chain that begins at `at`; a later fragment ends it, since what follows is data.
 *
 * @param len bytes from `at` to the end of the payload
 * @param first next-header value of the fixed header
 */
export function walkIpv6Ext(
  view: DataView,
  at: number,
  len: number,
  first: number,
  out: Ipv6Chain,
): void {
  out.frag = FRAG_NONE;
  out.segmentsLeft = 0;
  out.malformed = false;
  let proto = first;
  let off = 0;
  for (let passed = 0; passed < MAX_HEADERS && mayPass(proto, passed); passed++) {
    const size = len - off < SIZE_MIN ? SIZE_MIN : extSize(view, at + off, proto);
    if (size > len - off) {
      out.malformed = true;
      break;
    }
    note(view, at + off, proto, out);
    proto = view.getUint8(at + off + NEXT);
    off += size;
    if (out.frag === FRAG_LATER) break;
  }
  out.proto = proto;
  out.lenBytes = off;
}

const mayPass = (proto: number, passed: number): boolean =>
  isIpv6Ext(proto) && (proto !== HOPOPTS || passed === 0);

function extSize(view: DataView, at: number, proto: number): number {
  if (proto === FRAGMENT) return SIZE_MIN;
  const units = view.getUint8(at + EXT_LEN);
  return proto === AH ? (units + 2) << 2 : (units + 1) << 3;
}

function note(view: DataView, at: number, proto: number, out: Ipv6Chain): void {
  if (proto === ROUTING) {
    out.segmentsLeft = view.getUint8(at + SEGMENTS_LEFT);
  } else if (proto === FRAGMENT) {
    const word = view.getUint16(at + FRAG_WORD);
    if ((word & FRAG_OFFSET_MASK) !== 0) out.frag = FRAG_LATER;
    else if ((word & FRAG_MORE) !== 0) out.frag = FRAG_FIRST;
  }
}
