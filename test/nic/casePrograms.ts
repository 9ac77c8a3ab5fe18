/** Programs of the lazy/eager comparison: each alone, and all of them by a hash of the packet. */
import type { XdpProgramSpec } from '../../src/xdp/define.ts';
import { defineXdp, devMap } from '../../src/xdp/define.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../src/xdp/uapi.ts';

export const PROGRAM_NAMES = [
  'none',
  'drop',
  'pass',
  'echo',
  'redirect',
  'mixed',
  'mixed',
  'slow',
] as const;
/** The last two are for cases that ask for them. */
export type ProgramName = (typeof PROGRAM_NAMES)[number] | 'sieve' | 'choosy';

const maps = { ports: devMap(1) };

const drop = defineXdp(() => XDP_DROP, { name: 'drop' });
const pass = defineXdp(() => XDP_PASS, { name: 'pass' });
/** Every packet leaves changed: a buffer read or written at the wrong time shows on the wire. */
const echo = defineXdp(
  (ctx) => {
    ctx.setU32(0, ctx.u32(0) + 0x01010102);
    return XDP_TX;
  },
  { name: 'echo' },
);
const redirect = defineXdp((ctx) => ctx.redirectMap(ctx.maps.ports, 0, XDP_ABORTED), {
  name: 'redirect',
  maps,
});
const hashOf = (a: number, b: number): number => Math.imul(a ^ (b >>> 3), 0x9e3779b1) >>> 24;
const mixed = defineXdp(
  (ctx) => {
    const hash = hashOf(ctx.u32(6), ctx.u32(ctx.len - 4));
    if (hash < 60) return XDP_DROP;
    if (hash < 100) return XDP_PASS;
    if (hash < 110) return XDP_ABORTED;
    ctx.setU32(0, ctx.u32(0) + 0x01010102);
    return hash < 180 ? XDP_TX : ctx.redirectMap(ctx.maps.ports, 0, XDP_ABORTED);
  },
  { name: 'mixed', maps },
);
/** Mostly drops; one packet in many leaves by each door, so that rings fill slowly. */
const slow = defineXdp(
  (ctx) => {
    const hash = hashOf(ctx.u32(6), ctx.u32(ctx.len - 4));
    if (hash < 8) return XDP_TX;
    return hash < 16 ? ctx.redirectMap(ctx.maps.ports, 0, XDP_ABORTED) : XDP_DROP;
  },
  { name: 'slow', maps },
);

/** Mostly passes; what it passes is now and then shorter, longer in front, or has metadata. */
const sieve = defineXdp(
  (ctx) => {
    const hash = hashOf(ctx.u32(6), ctx.u32(ctx.len - 4));
    if (hash < 40) return XDP_DROP;
    if (hash < 80) return XDP_TX;
    if (hash < 90) ctx.adjustHead(-8);
    if (hash >= 90 && hash < 95 && ctx.adjustMeta(-4) === 0) ctx.setMetaU32(0, hash);
    if (hash >= 95 && hash < 110) ctx.adjustTail(-(ctx.len - 20));
    return XDP_PASS;
  },
  { name: 'sieve' },
);

/** Ifindexes of the two NICs, whichever receives. */
const BOTH = 2 + 3;
/** Mostly redirects, one packet in several by each of the ways in which that ends otherwise. */
const choosy = defineXdp(
  (ctx) => {
    const hash = hashOf(ctx.u32(6), ctx.u32(ctx.len - 4));
    const { ports } = ctx.maps;
    if (hash < 2) return XDP_REDIRECT; // to nobody, or to whom the last call chose
    if (hash < 6) ctx.redirectMap(ports, 0);
    if (hash < 14) return XDP_DROP;
    if (hash >= 236) return XDP_PASS;
    if (hash < 16) return ctx.redirectMap(ports, 1, XDP_TX); // no such entry
    if (hash < 17) return ctx.redirect(77); // no such device
    if (hash < 18) return ctx.redirect(ctx.ingressIfindex);
    if (hash < 21)
      ctx.adjustTail(1600); // longer than devices take
    else if (hash < 60) ctx.adjustHead(-200);
    else if (hash < 80) ctx.adjustMeta(-8);
    else if (hash < 82)
      ctx.adjustHead(-216); // no room for the frame
    else if (hash < 120) ctx.adjustHead(14);
    return hash % 3 === 0
      ? ctx.redirect(BOTH - ctx.ingressIfindex)
      : ctx.redirectMap(ports, 0, XDP_ABORTED);
  },
  { name: 'choosy', maps: { ports: devMap(2) } },
);

const PROGRAMS: Readonly<Record<ProgramName, XdpProgramSpec | null>> = {
  none: null,
  drop,
  pass,
  echo,
  redirect,
  mixed,
  slow,
  sieve,
  choosy,
};

export const programOf = (name: ProgramName): XdpProgramSpec | null => PROGRAMS[name];
