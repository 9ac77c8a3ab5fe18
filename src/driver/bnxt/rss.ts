/**
 * Receive-side scaling: key, indirection table, hash types.
 *
 * @linux bnxt_set_dflt_rss_indir_tbl, bnxt_hwrm_vnic_set_rss, bnxt_set_dflt_rss_hash_type; bnxt.c
 */
import {
  HW_HASH_INDEX_SIZE,
  HW_HASH_KEY_SIZE,
  VNIC_RSS_CFG_REQ_HASH_TYPE_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_IPV6,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6,
} from '../../nic/hsi/hwrm.ts';
import type { Bnxt } from './bnxt.ts';

/** IPv4 and IPv6, with TCP and, on P4 and later, UDP ports. @linux bnxt_set_dflt_rss_hash_type */
export function bnxtSetDfltRssHashType(bp: Bnxt): void {
  bp.rssHashCfg =
    VNIC_RSS_CFG_REQ_HASH_TYPE_IPV4 |
    VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4 |
    VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4 |
    VNIC_RSS_CFG_REQ_HASH_TYPE_IPV6 |
    VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6 |
    VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6;
}

/** Entry i leads to ring i modulo their number. @linux bnxt_set_dflt_rss_indir_tbl */
export function bnxtSetDfltRssIndirTbl(bp: Bnxt): void {
  bp.rssIndirTbl = Uint16Array.from({ length: HW_HASH_INDEX_SIZE }, (_, i) => i % bp.rxNrRings);
}

/** Random, once, as the driver fills it when it is probed; from the machine's seed. @linux bnxt_init_vnics */
export function bnxtFillRssKey(bp: Bnxt): void {
  bp.rssKey = Uint8Array.from({ length: HW_HASH_KEY_SIZE }, () => bp.pdev.rng.int32() & 0xff);
}

/** @linux bnxt_hwrm_vnic_set_rss */
export function bnxtHwrmVnicSetRss(bp: Bnxt): void {
  bp.pdev.hwrm.vnicRssCfg(
    { hashType: bp.rssHashCfg, hashKey: bp.rssKey, ringTable: bp.rssIndirTbl },
    bp.ctlNow,
  );
}
