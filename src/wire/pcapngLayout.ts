/**
 * Numbers of the block capture file that its reader and its writer share. The drawing is at the
 * top of `pcapng.ts`.
 *
 * @spec draft-ietf-opsawg-pcapng §4 (blocks), §4.2 (interface options), §4.3 (packet flags)
 */
export const BLOCK_SECTION = 0x0a0d0d0a;
export const BLOCK_INTERFACE = 1;
export const BLOCK_PACKET = 2;
export const BLOCK_SIMPLE = 3;
export const BLOCK_ENHANCED = 6;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Type, length ahead of the body, and the length behind it. */
export const BLOCK_FRAME = 12;
export const SECTION_BODY = 16;
export const INTERFACE_BODY = 8;
export const ENHANCED_BODY = 20;
export const SIMPLE_BODY = 4;

export const OPT_END = 0;
export const OPT_COMMENT = 1;
export const OPT_SHB_USERAPPL = 4;
export const OPT_IF_NAME = 2;
export const OPT_IF_TSRESOL = 9;
export const OPT_IF_FCSLEN = 13;
export const OPT_IF_TSOFFSET = 14;
export const OPT_EPB_FLAGS = 2;

/** epb_flags: 1:0 direction. */
export const FLAGS_INBOUND = 1;
export const FLAGS_OUTBOUND = 2;
/** epb_flags: 8:5 FCS length in bytes. */
export const FLAGS_FCS_SHIFT = 5;
export const FLAGS_FCS_MASK = 0xf;

/** Bodies and option values fill whole 32-bit units. */
export const padded = (lenBytes: number): number => Math.ceil(lenBytes / 4) * 4;
