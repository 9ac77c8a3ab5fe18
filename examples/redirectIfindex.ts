// Sends every frame out of the other port of a pair, unchanged, by its ifindex: 2 and 3 are one, 4
// and 5 the next. There is no map, so until Linux 5.5 (a profile says) each frame was sent by itself.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp } from '../src/xdp/define.ts';

const redirectIfindex: XdpProgramSpec = defineXdp((ctx) => ctx.redirect(ctx.ingressIfindex ^ 1), {
  name: 'redirect-ifindex',
});

export default redirectIfindex;
