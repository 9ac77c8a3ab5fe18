// Passes every frame to the stack: what it costs to have a program that decides nothing.
// Also what a redirect's target needs, since bnxt only transmits for others with a program attached.
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp } from '../src/xdp/define.ts';
import { XDP_PASS } from '../src/xdp/uapi.ts';

const pass: XdpProgramSpec = defineXdp(() => XDP_PASS, { name: 'pass', touchesPacket: false });

export default pass;
