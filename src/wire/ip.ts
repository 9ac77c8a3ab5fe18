/** What IPv4 and IPv6 share: protocol numbers and the three states of a fragment. */

/** Protocol and next-header numbers. @linux IPPROTO_*; include/uapi/linux/in.h, in6.h */
export const IPPROTO_HOPOPTS: number = 0;
export const IPPROTO_ICMP: number = 1;
export const IPPROTO_IGMP: number = 2;
export const IPPROTO_IPIP: number = 4;
export const IPPROTO_TCP: number = 6;
export const IPPROTO_UDP: number = 17;
export const IPPROTO_IPV6: number = 41;
export const IPPROTO_ROUTING: number = 43;
export const IPPROTO_FRAGMENT: number = 44;
export const IPPROTO_ESP: number = 50;
export const IPPROTO_AH: number = 51;
export const IPPROTO_ICMPV6: number = 58;
export const IPPROTO_NONE: number = 59;
export const IPPROTO_DSTOPTS: number = 60;
export const IPPROTO_MH: number = 135;

/** A whole packet. */
export const FRAG_NONE: number = 0;
/** The first of several fragments: it holds the transport header, but not all that it sums over. */
export const FRAG_FIRST: number = 1;
/** A later fragment: no transport header. */
export const FRAG_LATER: number = 2;
