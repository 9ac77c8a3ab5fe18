/**
 * Steering as `ethtool -X` and `-N` set it: hash key, indirection table, hash fields, rules.
 *
 * @linux bnxt_set_rxfh, bnxt_srxfh, bnxt_srxclsrlins; drivers/net/ethernet/broadcom/bnxt/bnxt_ethtool.c
 */
import { RangeRefused } from '../../host/errors.ts';
import type { HwrmCfaNtupleFilterAllocInput } from '../../nic/hsi/hwrm.ts';
import {
  HW_HASH_INDEX_SIZE,
  HW_HASH_KEY_SIZE,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4,
  VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6,
} from '../../nic/hsi/hwrm.ts';
import type { Bnxt } from './bnxt.ts';
import { bnxtCloseNic, bnxtOpenNic } from './open.ts';

/** Kinds of flow whose ports may take part in the hash. */
export type RxFlow = 'tcp4' | 'udp4' | 'tcp6' | 'udp6';

const HASH_TYPE: Readonly<Record<RxFlow, number>> = {
  tcp4: VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4,
  udp4: VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4,
  tcp6: VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6,
  udp6: VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6,
};

/**
 * Another key, another indirection table, or both. A running device is closed and opened again.
 *
 * @param indir rings, repeated until the table's 128 entries are full
 * @throws RangeRefused
 * @linux bnxt_set_rxfh
 */
export function bnxtSetRxfh(
  bp: Bnxt,
  key: Uint8Array | undefined,
  indir: readonly number[] | undefined,
): void {
  if (key !== undefined && key.length !== HW_HASH_KEY_SIZE)
    throw new RangeRefused('RSS key', `${key.length} bytes`, `${HW_HASH_KEY_SIZE} bytes`);
  if (indir?.length === 0 || (indir?.length ?? 0) > HW_HASH_INDEX_SIZE)
    throw new RangeRefused('RSS indirection table', indir!.length, `1 to ${HW_HASH_INDEX_SIZE}`);
  for (const ring of indir ?? []) checkRing(bp, ring, 0);
  reopened(bp, () => {
    if (key !== undefined) bp.rssKey = key.slice();
    if (indir !== undefined) {
      const entry = (_: unknown, i: number): number => indir[i % indir.length]!;
      bp.rssIndirTbl = Uint16Array.from({ length: HW_HASH_INDEX_SIZE }, entry);
    }
  });
}

/** Whether a flow's ports are hashed (`sdfn`) or its addresses alone (`sd`). @linux bnxt_srxfh */
export function bnxtSrxfh(bp: Bnxt, flow: RxFlow, ports: boolean): void {
  reopened(bp, () => {
    bp.rssHashCfg = ports ? bp.rssHashCfg | HASH_TYPE[flow] : bp.rssHashCfg & ~HASH_TYPE[flow];
  });
}

/** What a rule compares, as a text: the same for two rules that match the same. @linux bnxt_fltr_match */
export const ntupleMatch = (rule: HwrmCfaNtupleFilterAllocInput): string =>
  Object.entries(rule)
    .filter(([field]) => field !== 'dst')
    .map(([field, value]) => `${field} ${value}`)
    .toSorted()
    .join();

/**
 * A rule that beats RSS; it outlives closing.
 *
 * @throws RangeRefused for a ring that there is not, and for a match that there is already (EEXIST)
 * @linux bnxt_srxclsrlins, bnxt_add_ntuple_cls_rule
 */
export function bnxtSrxclsrlins(bp: Bnxt, rule: HwrmCfaNtupleFilterAllocInput): void {
  checkRing(bp, rule.dst, -1);
  const match = ntupleMatch(rule);
  if (bp.usrFltrs.some((there) => ntupleMatch(there) === match))
    throw new RangeRefused(`${bp.dev.name} ntuple rule`, match, 'a match that no other rule has');
  bp.usrFltrs.push(rule);
  if (bp.open) bp.usrFltrIds.push(bp.pdev.hwrm.cfaNtupleFilterAlloc(rule, bp.ctlNow));
}

function checkRing(bp: Bnxt, ring: number, min: number): void {
  if (Number.isInteger(ring) && ring >= min && ring < bp.rxNrRings) return;
  throw new RangeRefused(`${bp.dev.name} RX ring`, ring, `${min} to ${bp.rxNrRings - 1}`);
}

function reopened(bp: Bnxt, change: () => void): void {
  const running = bp.open;
  if (running) bnxtCloseNic(bp);
  change();
  if (running) bnxtOpenNic(bp);
}
