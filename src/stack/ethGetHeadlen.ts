/**
 * How many bytes of a frame are headers, for whoever copies headers and leaves the rest in a page.
 *
 * @linux eth_get_headlen; net/ethernet/eth.c
 */
import { ETH_HLEN } from '../wire/eth.ts';
import { ParsedFrame, parseFrame } from '../wire/parse.ts';

const parsed: ParsedFrame = new ParsedFrame();

/** @returns at least an Ethernet header (or all of a shorter frame), at most `len` */
export function ethGetHeadlen(view: DataView, at: number, len: number): number {
  if (len < ETH_HLEN) return len;
  parseFrame(view, at, len, parsed);
  const end = Math.max(parsed.payloadOffset, parsed.l3Offset, ETH_HLEN);
  return Math.min(end, len);
}
