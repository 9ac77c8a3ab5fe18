/**
 * The second descriptor of a long one, 16 bytes: what hardware shall do to the packet.
 *
 *   +0   hsize_lflags   23:16 header length in 2-byte units | 5 LSO | 4 T_IP_CHKSUM | 3 STAMP | 2 NO_CRC | 1 IP_CKSUM | 0 TCP_UDP_CHKSUM
 *   +4   mss            14:0  segment size, for LSO
 *   +8   cfa_action     31:16 action record
 *   +12  cfa_meta       31:28 key (1: insert the tag) | 17:16 TPID (1: 802.1Q, 0: 802.1ad) | 15:12 priority and DEI | 11:0 VLAN
 *
 * @linux struct tx_bd_ext; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const TX_BD_FLAGS_TCP_UDP_CHKSUM: number = 1 << 0;
export const TX_BD_FLAGS_IP_CKSUM: number = 1 << 1;
export const TX_BD_CFA_META_TPID_8021Q: number = 1 << 16;
export const TX_BD_CFA_META_KEY_VLAN: number = 1 << 28;

const HSIZE_LFLAGS = 0;
const MSS = 4;
const CFA_ACTION = 8;
const CFA_META = 12;
const LFLAGS = 0xff;
const TCI = 0xffff;

/** @param cfaMeta the tag to insert, with `TX_BD_CFA_META_KEY_VLAN`; else 0 */
export function txBdExtPost(words: HostWords, at: HostAddr, lflags: number, cfaMeta: number): void {
  words[(at + HSIZE_LFLAGS) >> 2] = lflags;
  words[(at + MSS) >> 2] = 0;
  words[(at + CFA_ACTION) >> 2] = 0;
  words[(at + CFA_META) >> 2] = cfaMeta;
}

export const txBdExtLflags = (words: HostWords, at: HostAddr): number =>
  words[(at + HSIZE_LFLAGS) >> 2]! & LFLAGS;
export const txBdExtCfaMeta = (words: HostWords, at: HostAddr): number =>
  words[(at + CFA_META) >> 2]!;
/** Tag control information of the tag to insert. */
export const txBdCfaMetaTci = (cfaMeta: number): number => cfaMeta & TCI;

export const TX_BD_EXT_FIELDS: readonly Field[] = [
  field('tcpUdpChksum', 0, 0, 0, 'compute the TCP or UDP checksum'),
  field('ipCksum', 0, 1, 1, 'compute the IPv4 header checksum'),
  field('lso', 0, 5, 5, 'cut into segments'),
  field('hsize', 0, 23, 16, 'header length, in 2-byte units'),
  field('mss', 4, 14, 0, 'segment size'),
  field('cfaAction', 8, 31, 16, 'action record'),
  field('vlanTci', 12, 15, 0, 'tag to insert'),
  field('tpid', 12, 17, 16, '1 for 802.1Q, 0 for 802.1ad'),
  field('key', 12, 31, 28, '1: insert the tag'),
];
