/**
 * Is a pointer to one struct of the kernel also a pointer to another: the same, or one that begins with it?
 *
 * "R%d is of type %s but %s is expected".
 *
 * @linux btf_struct_ids_match; kernel/bpf/btf.c
 */
import type { Btf } from '../btf/btf.ts';
import { isComposite } from '../btf/types.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';

/** Structs of sockets, and what each begins with. */
const BEGINS_WITH: ReadonlyMap<string, string> = new Map([
  ['sock', 'sock_common'],
  ['inet_sock', 'sock'],
  ['inet_connection_sock', 'inet_sock'],
  ['tcp_sock', 'inet_connection_sock'],
  ['tcp6_sock', 'tcp_sock'],
  ['mptcp_sock', 'inet_connection_sock'],
  ['udp_sock', 'inet_sock'],
  ['udp6_sock', 'udp_sock'],
  ['unix_sock', 'sock'],
  ['inet_timewait_sock', 'sock_common'],
  ['tcp_timewait_sock', 'inet_timewait_sock'],
  ['request_sock', 'sock_common'],
  ['inet_request_sock', 'request_sock'],
  ['tcp_request_sock', 'inet_request_sock'],
]);

function beginsWith(outer: string, wanted: string): boolean {
  for (let name: string | undefined = outer; name !== undefined; name = BEGINS_WITH.get(name))
    if (name === wanted) return true;
  return false;
}

/** Does `wanted` lie at byte `off` of the struct? */
function liesAt(types: Btf, outer: string, off: number, wanted: string): boolean {
  let struct = types.find(outer, 'struct');
  let at = off;
  while (struct !== null && isComposite(struct)) {
    if (at === 0 && struct.name === wanted) return true;
    const member = struct.members.find(({ bitOffset, type }) => {
      const from = bitOffset / 8;
      return from <= at && at < from + types.sizeOf(type);
    });
    if (member === undefined) return false;
    at -= Math.floor(member.bitOffset / 8);
    let type = types.resolve(member.type);
    while (type.kind === 'array') {
      type = types.resolve(type.type);
      if (isComposite(type) && type.size > 0) at %= type.size;
    }
    if (!isComposite(type)) return false;
    struct = type;
  }
  return false;
}

export function requireStruct(env: Env, regno: number, reg: Reg, wanted: string): void {
  const given = reg.btf!.name;
  const types = env.image.kernelTypes;
  const off = reg.off;
  const same = off === 0 && given === wanted;
  const inside =
    types?.whole === true && types.btf.find(given, 'struct') !== null
      ? liesAt(types.btf, given, off, wanted)
      : off === 0 && beginsWith(given, wanted);
  if (reg.btf!.owner === 'kernel' && (same || inside)) return;
  env.deny(`R${regno} is of type ${given} but ${wanted} is expected`);
}
