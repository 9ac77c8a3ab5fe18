// Sends every frame back to where it came from: MAC addresses swapped, out of the same NIC (XDP_TX).
// Shows the XDP TX ring, and the RX doorbell that waits for its completions.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp } from '../src/xdp/define.ts';
import { XDP_DROP, XDP_TX } from '../src/xdp/uapi.ts';

const ETH_HLEN = 14;

const echo: XdpProgramSpec = defineXdp(
  (ctx) => {
    if (ctx.len < ETH_HLEN) return XDP_DROP;
    const a = ctx.u32(0); // destination, first four bytes
    const b = ctx.u32(4); // destination, last two; source, first two
    const c = ctx.u32(8); // source, last four
    ctx.setU32(0, (b << 16) | (c >>> 16));
    ctx.setU32(4, (c << 16) | (a >>> 16));
    ctx.setU32(8, (a << 16) | (b >>> 16));
    return XDP_TX;
  },
  { name: 'echo' },
);

export default echo;
