import { defineXdp, XDP_DROP, XDP_PASS } from 'ringscope';

/** Drops TCP to port 23 over IPv4 and passes the rest. */
export default defineXdp(function blockTelnet(ctx) {
  if (ctx.len < 54 || ctx.u16(12) !== 0x0800 || ctx.u8(23) !== 6) return XDP_PASS;
  const tcp = 14 + (ctx.u8(14) & 15) * 4;
  if (ctx.len < tcp + 4) return XDP_DROP;
  return ctx.u16(tcp + 2) === 23 ? XDP_DROP : XDP_PASS;
});
