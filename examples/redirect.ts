// Sends every frame out of the next NIC, unchanged, through a devmap and its bulk queues of 16.
// The machine fills key 0 with that NIC; where there is none the frame is XDP_ABORTED, to be seen.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp, devMap } from '../src/xdp/define.ts';
import { XDP_ABORTED } from '../src/xdp/uapi.ts';

const NEXT_NIC = 0;

const redirect: XdpProgramSpec = defineXdp(
  (ctx) => ctx.redirectMap(ctx.maps.ports, NEXT_NIC, XDP_ABORTED),
  { name: 'redirect', maps: { ports: devMap(1) } },
);

export default redirect;
