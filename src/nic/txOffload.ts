/**
 * What the NIC does to a packet of the stack on its way to the wire: the tag, then the checksums.
 *
 * Checksums are computed from the bytes, not from what the field held. Only what the parser
 * understands gets one: a fragment or a malformed packet leaves as it is.
 */
import type { HostAddr, HostMemory } from '../host/memory.ts';
import { csumFold, csumIpv6Nofold, csumPartial, csumTcpudpNofold } from '../wire/checksum.ts';
import { ETH_P_8021AD, ETH_P_8021Q } from '../wire/eth.ts';
import { FRAG_NONE, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ip.ts';
import { ipv4Dst, ipv4Src } from '../wire/ipv4.ts';
import { IPV6_ADDRS } from '../wire/ipv6.ts';
import { ParsedFrame, parseFrame } from '../wire/parse.ts';
import { VLAN_HLEN } from '../wire/vlan.ts';
import {
  TX_BD_CFA_META_KEY_VLAN,
  TX_BD_CFA_META_TPID_8021Q,
  TX_BD_FLAGS_IP_CKSUM,
  TX_BD_FLAGS_TCP_UDP_CHKSUM,
  txBdCfaMetaTci,
} from './hsi/txBdExt.ts';

const MACS = 12;
const IPV4_CHECK = 10;
const TCP_CHECK = 16;
const UDP_CHECK = 6;

export class TxOffload {
  private readonly mem: HostMemory;
  private readonly parsed: ParsedFrame = new ParsedFrame();

  constructor(mem: HostMemory) {
    this.mem = mem;
  }

  /**
   * Carry out the flags of a long descriptor on the frame at `at`, which has room behind it.
   *
   * @returns its length now
   */
  apply(at: HostAddr, len: number, lflags: number, cfaMeta: number): number {
    const tagged =
      (cfaMeta & TX_BD_CFA_META_KEY_VLAN) === 0 ? len : this.insertTag(at, len, cfaMeta);
    if ((lflags & (TX_BD_FLAGS_TCP_UDP_CHKSUM | TX_BD_FLAGS_IP_CKSUM)) === 0) return tagged;
    parseFrame(this.mem.view, at, tagged, this.parsed);
    if ((lflags & TX_BD_FLAGS_IP_CKSUM) !== 0) this.ipChecksum(at);
    if ((lflags & TX_BD_FLAGS_TCP_UDP_CHKSUM) !== 0) this.l4Checksum(at);
    return tagged;
  }

  private insertTag(at: HostAddr, len: number, cfaMeta: number): number {
    const { mem } = this;
    const ctag = (cfaMeta & TX_BD_CFA_META_TPID_8021Q) !== 0;
    mem.copy(at + MACS + VLAN_HLEN, at + MACS, len - MACS);
    mem.view.setUint16(at + MACS, ctag ? ETH_P_8021Q : ETH_P_8021AD);
    mem.view.setUint16(at + MACS + 2, txBdCfaMetaTci(cfaMeta));
    return len + VLAN_HLEN;
  }

  private ipChecksum(at: HostAddr): void {
    const p = this.parsed;
    if (p.l3Kind !== 4 || p.l3Malformed) return;
    const { view } = this.mem;
    const ip = at + p.l3Offset;
    view.setUint16(ip + IPV4_CHECK, 0);
    view.setUint16(ip + IPV4_CHECK, csumFold(csumPartial(view, ip, p.l3HeaderLen, 0)));
  }

  private l4Checksum(at: HostAddr): void {
    const p = this.parsed;
    const tcp = p.l4Proto === IPPROTO_TCP;
    if (p.l4Offset === 0 || p.l4Malformed || p.frag !== FRAG_NONE) return;
    if (!tcp && p.l4Proto !== IPPROTO_UDP) return;
    const { view } = this.mem;
    const ip = at + p.l3Offset;
    const l4 = at + p.l4Offset;
    const field = l4 + (tcp ? TCP_CHECK : UDP_CHECK);
    view.setUint16(field, 0);
    const sum = csumPartial(view, l4, p.l4Len, 0);
    const all =
      p.l3Kind === 4
        ? csumTcpudpNofold(ipv4Src(view, ip), ipv4Dst(view, ip), p.l4Len, p.l4Proto, sum)
        : csumIpv6Nofold(view, ip + IPV6_ADDRS, p.l4Len, p.l4Proto, sum);
    const check = csumFold(all);
    view.setUint16(field, check === 0 && !tcp ? 0xffff : check);
  }
}
