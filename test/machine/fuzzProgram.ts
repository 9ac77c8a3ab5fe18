/** A program that does anything a program may do, and much that it may not, at random. */
import { defineXdp } from '../../src/xdp/define.ts';
import type { XdpProgramSpec } from '../../src/xdp/define.ts';
import type { XdpContext } from '../../src/xdp/context.ts';
import type { DevMap } from '../../src/xdp/maps/devmap.ts';
import { devMap } from '../../src/xdp/define.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../src/xdp/uapi.ts';

/** What a random program leans to; `wild` returns any integer. */
export type Lean = 'any' | 'drop' | 'pass' | 'tx' | 'redirect' | 'wild';
export const LEANS: readonly Lean[] = ['any', 'any', 'drop', 'pass', 'tx', 'redirect', 'wild'];

type Context = XdpContext<{ readonly ports: DevMap }>;

/** @param adjusts how often of eight it moves an edge of the packet */
export function fuzzProgram(lean: Lean, adjusts: number): XdpProgramSpec {
  return defineXdp(
    (ctx) => {
      for (let n = below(ctx, 3); n > 0; n--) if (below(ctx, 8) < adjusts) adjust(ctx);
      scribble(ctx);
      return verdict(ctx, below(ctx, 8) === 0 ? 'any' : lean);
    },
    { name: `fuzz_${lean}`, maps: { ports: devMap(2) } },
  );
}

const below = (ctx: Context, n: number): number => Math.floor((ctx.random() / 2 ** 32) * n);

/** Move one edge; what the helper says must be what has happened. */
function adjust(ctx: Context): void {
  const before = { len: ctx.len, data: ctx.data, meta: ctx.metaLen };
  const range = [8, 64, 300, 5000][below(ctx, 4)]!;
  const delta = below(ctx, 2 * range) - range;
  const which = below(ctx, 3);
  const rc = [
    () => ctx.adjustHead(delta),
    () => ctx.adjustTail(delta),
    () => ctx.adjustMeta(delta),
  ][which]!();
  const moved = rc === 0 ? delta : 0;
  const len = before.len + [-moved, moved, 0][which]!;
  const meta = before.meta + [0, 0, -moved][which]!;
  if (rc > 0 || ctx.len !== len || ctx.metaLen !== meta || ctx.len < 14)
    throw new Error(`adjust ${which} by ${delta} of ${JSON.stringify(before)} made ${ctx.len}`);
}

function scribble(ctx: Context): void {
  if (below(ctx, 2) === 0) ctx.setU8(below(ctx, ctx.len), below(ctx, 256));
  if (ctx.metaLen >= 4) ctx.setMetaU32(0, ctx.random());
}

function verdict(ctx: Context, lean: Lean): number {
  switch (lean) {
    case 'drop':
      return XDP_DROP;
    case 'pass':
      return XDP_PASS;
    case 'tx':
      return XDP_TX;
    case 'redirect':
      return ctx.redirectMap(ctx.maps.ports, 0, XDP_PASS);
    case 'wild':
      return [5, 17, -1, 2 ** 31, -(2 ** 31), 2 ** 40][below(ctx, 6)]!;
    case 'any':
      break;
  }
  switch (below(ctx, 8)) {
    case 0:
      return XDP_ABORTED;
    case 1:
      return ctx.redirectMap(ctx.maps.ports, below(ctx, 3), below(ctx, 5));
    case 2:
      return ctx.redirect(below(ctx, 5), below(ctx, 4) === 0 ? 1 : 0);
    case 3:
      return XDP_REDIRECT; // without having named a target
    case 4:
      return XDP_TX;
    case 5:
      return XDP_PASS;
    case 6:
      return XDP_DROP;
    default:
      return verdict(ctx, 'wild');
  }
}
