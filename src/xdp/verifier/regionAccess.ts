/**
 * Is [pointer + off, + size) inside what the pointer may reach: a map's value or key, memory, the
 * packet, a socket?
 *
 * "invalid access to map value, value_size=%d off=%d size=%d", "invalid access to packet, off=%d
 * size=%d, R%d(id=%d,off=%d,r=%d)", "R%d offset is outside of the packet", "R%d min value is negative",
 * "R%d unbounded memory access, make sure to bounds check any such access".
 *
 * @linux check_mem_region_access, check_packet_access, check_map_access; kernel/bpf/verifier.c
 */
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from '../maps/uapi.ts';
import { S64_MIN } from './bounds.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import {
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_PACKET,
  PTR_TO_PACKET_END,
  PTR_TO_PACKET_META,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_TCP_SOCK,
  regTypeStr,
} from './regTypes.ts';
import { BPF_MAX_VAR_OFF } from './resolve.ts';
import { tnumIsConst, tnumText } from './tnum.ts';
import type { MapField } from './verifierMap.ts';

export type Access = 'read' | 'write';

/** @linux btf_field_type_name */
export const fieldName = ({ kind, kptr }: MapField): string => {
  if (kptr === undefined) return `bpf_${kind}`;
  return kptr.tag === 'kptr_untrusted' ? 'kptr' : kptr.tag;
};

const MAX_VAR_OFF = BigInt(BPF_MAX_VAR_OFF);

const negativeMin = (regno: number): string =>
  `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`;

/** The kernel's own message of what lies outside; more may follow. */
function writeOutside(env: Env, regno: number, off: number, size: number, memSize: number): void {
  const reg = env.regs[regno]!;
  switch (reg.type) {
    case PTR_TO_MAP_KEY:
      env.write(`invalid access to map key, key_size=${memSize} off=${off} size=${size}\n`);
      break;
    case PTR_TO_MAP_VALUE:
      env.write(`invalid access to map value, value_size=${memSize} off=${off} size=${size}\n`);
      break;
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
    case PTR_TO_PACKET_END:
      env.write(
        `invalid access to packet, off=${off} size=${size}, R${regno}(id=${reg.id},off=${off},r=${memSize})\n`,
      );
      break;
    default:
      env.write(`invalid access to memory, mem_size=${memSize >>> 0} off=${off} size=${size}\n`);
  }
}

const inside = (off: number, size: number, memSize: number, zeroOk: boolean): boolean =>
  off >= 0 && (size > 0 || (size === 0 && zeroOk)) && off + size <= memSize;

/** @linux check_mem_region_access */
export function checkMemRegion(
  env: Env,
  regno: number,
  off: number,
  size: number,
  memSize: number,
  zeroOk: boolean,
): void {
  const { bounds } = env.regs[regno]!;
  const least = bounds.smin + BigInt(off);
  const wraps = bounds.smin === S64_MIN || least !== BigInt.asIntN(32, least) || least < 0n;
  if (bounds.smin < 0n && wraps) env.deny(negativeMin(regno));
  const first = Number(BigInt.asIntN(32, least));
  if (!inside(first, size, memSize, zeroOk)) {
    writeOutside(env, regno, first, size, memSize);
    env.deny(`R${regno} min value is outside of the allowed memory range`);
  }
  if (bounds.umax >= MAX_VAR_OFF)
    env.deny(`R${regno} unbounded memory access, make sure to bounds check any such access`);
  const last = Number(BigInt.asIntN(32, bounds.umax + BigInt(off)));
  if (!inside(last, size, memSize, zeroOk)) {
    writeOutside(env, regno, last, size, memSize);
    env.deny(`R${regno} max value is outside of the allowed memory range`);
  }
}

/** @linux check_packet_access */
export function checkPacketAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroOk: boolean,
): void {
  const reg = env.regs[regno]!;
  if (reg.bounds.smin < 0n) env.deny(negativeMin(regno));
  if (reg.range < 0) env.invalid(`R${regno} offset is outside of the packet`);
  if (inside(off, size, reg.range, zeroOk)) return;
  writeOutside(env, regno, off, size, reg.range);
  env.deny(`R${regno} offset is outside of the packet`);
}

/** @linux check_map_access_type */
export function checkMapAccessType(
  env: Env,
  regno: number,
  off: number,
  size: number,
  access: Access,
): void {
  const { flags, valueSize } = env.regs[regno]!.map!;
  const at = `value_size=${valueSize} off=${off} size=${size}`;
  if (access === 'write' && (flags & BPF_F_RDONLY_PROG) !== 0)
    env.deny(`write into map forbidden, ${at}`);
  if (access === 'read' && (flags & BPF_F_WRONLY_PROG) !== 0)
    env.deny(`read from map forbidden, ${at}`);
}

/** An access to a map's value touches a kept pointer: only whole, and only by an instruction. */
function checkKptrBytes(
  env: Env,
  field: MapField,
  reg: Reg,
  off: number,
  size: number,
  byHelper: boolean,
): void {
  const name = fieldName(field);
  if (byHelper) env.deny(`${name} cannot be accessed indirectly by helper`);
  if (!tnumIsConst(reg.bounds)) env.deny(`${name} access cannot have variable offset`);
  const at = off + Number(reg.bounds.value);
  if (field.at !== at) env.deny(`${name} access misaligned expected=${field.at} off=${at}`);
  if (size !== field.bytes) env.deny(`${name} access size must be BPF_DW`);
}

/** @param byHelper not by an instruction @linux check_map_access */
export function checkMapAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroOk: boolean,
  byHelper: boolean,
): void {
  const reg = env.regs[regno]!;
  const map = reg.map!;
  checkMemRegion(env, regno, off, size, map.valueSize, zeroOk);
  for (const field of map.special ?? []) {
    const { at, bytes } = field;
    const begins = reg.bounds.smin + BigInt(off) < BigInt(at + bytes);
    const ends = BigInt(at) < reg.bounds.umax + BigInt(off + size);
    if (!begins || !ends) continue;
    if (field.kind === 'kptr') checkKptrBytes(env, field, reg, off, size, byHelper);
    else env.deny(`${fieldName(field)} cannot be accessed directly by load/store`);
  }
}

/** Pointers that must be handed on as they came. @linux __check_ptr_off_reg */
export function checkPtrOffReg(env: Env, reg: Reg, regno: number, fixedOk: boolean = false): void {
  const name = regTypeStr(reg.type);
  if (reg.off < 0) env.deny(`negative offset ${name} ptr R${regno} off=${reg.off} disallowed`);
  if (!fixedOk && reg.off !== 0)
    env.deny(`dereference of modified ${name} ptr R${regno} off=${reg.off} disallowed`);
  if (!tnumIsConst(reg.bounds) || reg.bounds.value !== 0n)
    env.deny(`variable ${name} access var_off=${tnumText(reg.bounds)} disallowed`);
}

const SOCK_BYTES = 80;
const TCP_SOCK_BYTES = 96;
const XDP_SOCK_BYTES = 4;

/** May a narrow load take part of a 4-byte field? @linux bpf_ctx_narrow_access_ok */
const narrowOk = (off: number, size: number, field: number): boolean =>
  size <= field && (size & (size - 1)) === 0 && (off & (field - 1)) + size <= field;

/** @linux bpf_sock_is_valid_access */
function sockReadable(off: number, size: number): boolean {
  if (off < 0 || off >= SOCK_BYTES || off % size !== 0) return false;
  // family, type, protocol; src_ip4 to src_port; dst_ip4 to state; rx_queue_mapping
  if ([4, 8, 12, 44, 72, 76].includes(off)) return narrowOk(off, size, 4);
  if ((off >= 24 && off < 44) || (off >= 52 && off < 72)) return narrowOk(off, size, 4);
  if (off >= 48 && off < 50) return narrowOk(off, size, size === 4 ? 4 : 2);
  if (off >= 50 && off < 52) return false;
  return size === 4;
}

/** @linux bpf_tcp_sock_is_valid_access */
function tcpSockReadable(off: number, size: number): boolean {
  if (off < 0 || off >= TCP_SOCK_BYTES || off % size !== 0) return false;
  return size === (off === 80 || off === 88 ? 8 : 4);
}

/** @linux check_sock_access */
export function checkSockAccess(env: Env, regno: number, off: number, size: number): void {
  const { type, bounds } = env.regs[regno]!;
  if (bounds.smin < 0n) env.deny(negativeMin(regno));
  let readable: boolean;
  if (type === PTR_TO_SOCK_COMMON) readable = !(off >= 8 && off < 24) && sockReadable(off, size);
  else if (type === PTR_TO_SOCKET) readable = sockReadable(off, size);
  else if (type === PTR_TO_TCP_SOCK) readable = tcpSockReadable(off, size);
  else readable = off >= 0 && off < XDP_SOCK_BYTES && off % size === 0 && size === 4;
  if (!readable) env.deny(`R${regno} invalid ${regTypeStr(type)} access off=${off} size=${size}`);
}
