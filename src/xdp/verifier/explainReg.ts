/** What a register holds, in plain words. */
import { S64_MAX, S64_MIN } from './bounds.ts';
import type { Reg } from './reg.ts';
import {
  CONST_PTR_TO_MAP,
  NOT_INIT,
  PTR_TO_CTX,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_END,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  SCALAR_VALUE,
  baseType,
  regTypeStr,
  typeMayBeNull,
} from './regTypes.ts';
import { sized } from './sized.ts';
import { U64_MAX } from './tnum.ts';

function numberText({ bounds }: Reg): string {
  const { smin, smax, umin, umax } = bounds;
  if (bounds.mask === 0n) return `the number ${smin}`;
  if (umin === 0n && umax === U64_MAX && smin === S64_MIN && smax === S64_MAX)
    return 'a number of which nothing is known';
  if (smin >= 0n || (smin === S64_MIN && smax === S64_MAX))
    return `a number from ${umin} to ${umax}`;
  return `a number from ${smin} to ${smax}`;
}

function offsetText({ off, bounds }: Reg): string {
  const least = BigInt(off) + bounds.smin;
  const most = BigInt(off) + bounds.smax;
  if (least === most) return `at offset ${least}`;
  return bounds.smin === S64_MIN && bounds.smax === S64_MAX
    ? 'at an offset of which nothing is known'
    : `at an offset from ${least} to ${most}`;
}

/** The bytes known count from where the pointer began, as its own offset does. */
function packetText(reg: Reg): string {
  const known = reg.range - reg.off;
  const what = known > 0 ? `${sized(known)} from there on` : 'no byte from there on';
  return `a pointer into the packet, ${offsetText(reg)}; ${what} ${known > 1 ? 'are' : 'is'} known to be inside`;
}

/** As a part of "R1 holds …". */
export function regText(reg: Reg): string {
  const orNull = typeMayBeNull(reg.type) ? ', or null' : '';
  switch (baseType(reg.type)) {
    case NOT_INIT:
      return 'nothing: it has not been set on this path, or a call took it';
    case SCALAR_VALUE:
      return numberText(reg);
    case PTR_TO_CTX:
      return 'the context (struct xdp_md *)';
    case PTR_TO_PACKET:
      return packetText(reg);
    case PTR_TO_PACKET_META:
      return `a pointer into the packet's metadata, ${offsetText(reg)}`;
    case PTR_TO_PACKET_END:
      return 'data_end, which can be compared and nothing else';
    case PTR_TO_MAP_VALUE:
      return `a pointer into a value of map ${reg.map?.name ?? '?'} (${reg.map?.valueSize ?? '?'} bytes), ${offsetText(reg)}${orNull}`;
    case CONST_PTR_TO_MAP:
      return `map ${reg.map?.name ?? '?'} itself`;
    case PTR_TO_STACK:
      return `a pointer into the stack, ${offsetText(reg)}`;
    case PTR_TO_MEM:
      return `a pointer to ${reg.memSize} bytes of memory, ${offsetText(reg)}${orNull}`;
    default:
      return `a pointer of type ${regTypeStr(reg.type)}`;
  }
}
