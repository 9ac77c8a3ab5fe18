/**
 * Whose packet is it: addresses, protocol and ports of a received skb, read where they lie.
 *
 * Headers are read as far as they are linear, which with bnxt is all of them; tags in front of them
 * are stepped over. A later fragment has no ports, and of a first one they are read on demand only:
 * so all fragments of a datagram look alike.
 *
 * @linux skb_flow_dissect; net/core/flow_dissector.c
 */
import { FRAG_FIRST, FRAG_NONE, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ip.ts';
import {
  IPV4_HLEN_MIN,
  ipv4Dst,
  ipv4FragOffset,
  ipv4HeaderLen,
  ipv4IsFragment,
  ipv4Proto,
  ipv4Src,
} from '../wire/ipv4.ts';
import { IPV6_ADDRS, IPV6_HLEN, ipv6NextHeader } from '../wire/ipv6.ts';
import { Ipv6Chain, walkIpv6Ext } from '../wire/ipv6Ext.ts';
import { In6Addr } from './in6.ts';
import type { SkBuff } from './skbuff.ts';

const ETH_P_IP = 0x0800;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const TAG_LEN = 4;
const ETH_P_IPV6 = 0x86dd;
const PORTS_LEN = 4;

const chain: Ipv6Chain = new Ipv6Chain();

/** One object serves any number of packets. @linux struct flow_keys; include/net/flow_dissector.h */
export class FlowKeys {
  /** 4 or 6; 0: not IP, or cut short. */
  version = 0;
  readonly saddr: In6Addr = new In6Addr();
  readonly daddr: In6Addr = new In6Addr();
  /** Behind extension headers. */
  protocol = 0;
  /** -1: none to read. */
  sport = -1;
  dport = -1;

  /**
   * Fill it from a packet whose `data` is behind its MAC header.
   *
   * @param firstFrag read the ports of a first fragment, too (FLOW_DISSECTOR_F_PARSE_1ST_FRAG)
   */
  dissect(skb: SkBuff, firstFrag: boolean): void {
    const { view } = skb.dev.net.mem;
    this.version = 0;
    this.protocol = 0;
    this.sport = -1;
    this.dport = -1;
    let at = skb.data;
    let { protocol } = skb;
    while ((protocol === ETH_P_8021Q || protocol === ETH_P_8021AD) && at + TAG_LEN <= skb.tail) {
      protocol = view.getUint16(at + 2);
      at += TAG_LEN;
    }
    if (protocol === ETH_P_IP) this.dissect4(view, at, skb.tail - at, firstFrag);
    else if (protocol === ETH_P_IPV6) this.dissect6(view, at, skb.tail - at, firstFrag);
  }

  private dissect4(view: DataView, at: number, linear: number, firstFrag: boolean): void {
    if (linear < IPV4_HLEN_MIN) return;
    const hlen = ipv4HeaderLen(view, at);
    if (hlen < IPV4_HLEN_MIN) return;
    this.version = 4;
    this.saddr.set(0, 0, 0, ipv4Src(view, at));
    this.daddr.set(0, 0, 0, ipv4Dst(view, at));
    this.protocol = ipv4Proto(view, at);
    if (ipv4IsFragment(view, at) && !(firstFrag && ipv4FragOffset(view, at) === 0)) return;
    this.ports(view, at + hlen, linear - hlen);
  }

  private dissect6(view: DataView, at: number, linear: number, firstFrag: boolean): void {
    if (linear < IPV6_HLEN) return;
    this.version = 6;
    this.saddr.read(view, at + IPV6_ADDRS);
    this.daddr.read(view, at + IPV6_ADDRS + 16);
    const upper = at + IPV6_HLEN;
    walkIpv6Ext(view, upper, linear - IPV6_HLEN, ipv6NextHeader(view, at), chain);
    this.protocol = chain.proto;
    if (chain.malformed || (chain.frag !== FRAG_NONE && !(firstFrag && chain.frag === FRAG_FIRST)))
      return;
    this.ports(view, upper + chain.lenBytes, linear - IPV6_HLEN - chain.lenBytes);
  }

  private ports(view: DataView, at: number, len: number): void {
    if (this.protocol !== IPPROTO_TCP && this.protocol !== IPPROTO_UDP) return;
    if (len < PORTS_LEN) return;
    this.sport = view.getUint16(at);
    this.dport = view.getUint16(at + 2);
  }
}
