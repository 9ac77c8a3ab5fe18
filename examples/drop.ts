// Drops every frame: the shortest way through the driver, since its page goes back to the ring.
// The baseline of every XDP benchmark.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp } from '../src/xdp/define.ts';
import { XDP_DROP } from '../src/xdp/uapi.ts';

const drop: XdpProgramSpec = defineXdp(() => XDP_DROP, { name: 'drop', touchesPacket: false });

export default drop;
