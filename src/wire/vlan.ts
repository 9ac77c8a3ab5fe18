/**
 * VLAN tag: 4 bytes, standing where the untagged frame has its EtherType.
 *
 *   +0  TPID  0x8100 customer tag (802.1Q), 0x88a8 service tag (802.1ad, the outer one of QinQ)
 *   +2  TCI   15:13 PCP | 12 DEI | 11:0 VID
 *
 * Accessors take the address of the tag's TPID; whatever type follows the tag lies 4 bytes on.
 *
 * @spec IEEE Std 802.1Q-2022 §9.6
 */
const TPID = 0;
const TCI = 2;
const NEXT = 4;
const PCP_SHIFT = 13;
const DEI = 1 << 12;
const VID_MASK = 0xfff;
const TPID_CUSTOMER = 0x8100;
const TPID_SERVICE = 0x88a8;

/** Bytes a tag adds to a frame. */
export const VLAN_HLEN: number = 4;
/** Where the first tag of a frame begins, counted from the frame's first byte. */
export const VLAN_OFFSET: number = 12;

/** Does this type field announce a tag? @linux eth_type_vlan; include/linux/if_vlan.h */
export const isVlanTpid = (type: number): boolean =>
  type === TPID_CUSTOMER || type === TPID_SERVICE;

export const vlanTpid = (view: DataView, at: number): number => view.getUint16(at + TPID);
export const vlanTci = (view: DataView, at: number): number => view.getUint16(at + TCI);
/** The type field after this tag: an EtherType, or the next tag's TPID. */
export const vlanNextType = (view: DataView, at: number): number => view.getUint16(at + NEXT);

/** Priority code point, 0 to 7. */
export const tciPcp = (tci: number): number => tci >>> PCP_SHIFT;
/** Drop eligible? */
export const tciDei = (tci: number): boolean => (tci & DEI) !== 0;
/** VLAN identifier; 0 means a priority tag without a VLAN. */
export const tciVid = (tci: number): number => tci & VID_MASK;
/** A TCI from its parts. */
export const makeTci = (pcp: number, dei: boolean, vid: number): number =>
  (pcp << PCP_SHIFT) | (dei ? DEI : 0) | vid;

/** Writes one tag. */
export const setVlanTag = (view: DataView, at: number, tpid: number, tci: number): void => {
  view.setUint16(at + TPID, tpid);
  view.setUint16(at + TCI, tci);
};
