// Forwards IPv4 by the stack's routing table (run with --ip-forward), past the rest of the stack,
// which gets what needs more than a new Ethernet header: no way, no neighbour yet, no hop left, too
// long. Its twin in C is examples/bpf/router.c.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp, devMap } from '../src/xdp/define.ts';
import { XDP_ABORTED, XDP_PASS, XDP_REDIRECT } from '../src/xdp/uapi.ts';

const ETH_TYPE = 12;
const ETH_P_IP = 0x0800;
const IP = 14;
const IP_TOT_LEN = IP + 2;
const IP_TTL = IP + 8;
const IP_CHECK = IP + 10;
const IP_DST = IP + 16;
const IP_END = IP + 20;
const MOST_IFINDEX = 63;

const router: XdpProgramSpec = defineXdp(
  (ctx) => {
    if (ctx.len < IP_END || ctx.u16(ETH_TYPE) !== ETH_P_IP) return XDP_PASS;
    if ((ctx.u8(IP) & 0xf) !== 5 || ctx.u8(IP_TTL) <= 1) return XDP_PASS;
    if (ctx.fibLookup(ctx.u32(IP_DST), ctx.u16(IP_TOT_LEN)) !== 0) return XDP_PASS;

    // one hop less: the checksum grows by what the word of TTL and protocol shrinks
    const check = ctx.u16(IP_CHECK) + 0x0100;
    ctx.setU16(IP_CHECK, check + (check >= 0xffff ? 1 : 0));
    ctx.setU8(IP_TTL, ctx.u8(IP_TTL) - 1);
    const { hop } = ctx;
    ctx.setU16(0, hop.dmacHi16);
    ctx.setU32(2, hop.dmacLo32);
    ctx.setU16(6, hop.smacHi16);
    ctx.setU32(8, hop.smacLo32);
    // before Linux 5.6 only what goes through a map is sent in bulks; a port that is in none goes as well
    const mapped = ctx.redirectMap(ctx.maps.ports, hop.ifindex, XDP_ABORTED);
    return mapped === XDP_REDIRECT ? mapped : ctx.redirect(hop.ifindex);
  },
  { name: 'router', maps: { ports: devMap(MOST_IFINDEX + 1) } },
);

export default router;
