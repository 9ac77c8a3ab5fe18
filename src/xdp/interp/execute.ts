/**
 * The loop of the interpreter: one short case an instruction, with its bits in a comment.
 *
 * Arithmetic and jumps: operation, source, class. Loads and stores: mode, size, class. `d` and `s`
 * are the operands' places in `regs` (`decode.ts`); `w-` is the low word, the result's high word
 * being 0.
 *
 * @spec RFC 9669
 * @linux ___bpf_prog_run; kernel/bpf/core.c
 */
import { PAGE_SIZE } from '../../host/memory.ts';
import { BPF_PSEUDO_CALL } from '../isa/insn.ts';
import { atomic32, atomic64 } from './atomics.ts';
import { STRIDE } from './decode.ts';
import {
  arsh64,
  div64,
  lsh64,
  mod64,
  mul64,
  neg64,
  rsh64,
  sdiv64,
  smod64,
  swap32,
} from './int64.ts';
import type { Run } from './run.ts';

/**
 * Execute from `vm.at` on.
 *
 * @param base depth of the frame whose exit ends the loop
 * @returns false when paused
 */
export function execute(vm: Run, base: number): boolean {
  const { view } = vm.bpf.mem;
  const last = vm.checked ? -1 : vm.bpf.mem.bytes - 8;
  let { code, regs } = vm.program;
  let { at, fuel } = vm;
  for (;;) {
    if (fuel === 0) {
      vm.at = at;
      if (!vm.look()) return false;
      fuel = vm.fuel;
    }
    fuel--;
    const i = at;
    const d = code[i + 1]!;
    const s = code[i + 2]!;
    at += STRIDE;
    switch (code[i]) {
      case 0x07: // 0000 0 111  dst += imm
      case 0x0f: // 0000 1 111  dst += src
        {
          const lo = (regs[d]! + regs[s]!) | 0;
          regs[d + 1] = regs[d + 1]! + regs[s + 1]! + (lo >>> 0 < regs[s]! >>> 0 ? 1 : 0);
          regs[d] = lo;
        }
        break;
      case 0x04: // 0000 0 100  w-dst += imm
      case 0x0c: // 0000 1 100  w-dst += src
        regs[d] = regs[d]! + regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x17: // 0001 0 111  dst -= imm
      case 0x1f: // 0001 1 111  dst -= src
        regs[d + 1] = regs[d + 1]! - regs[s + 1]! - (regs[d]! >>> 0 < regs[s]! >>> 0 ? 1 : 0);
        regs[d] = regs[d]! - regs[s]!;
        break;
      case 0x14: // 0001 0 100  w-dst -= imm
      case 0x1c: // 0001 1 100  w-dst -= src
        regs[d] = regs[d]! - regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x27: // 0010 0 111  dst *= imm
      case 0x2f: // 0010 1 111  dst *= src
        mul64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!, regs[s + 1]!);
        break;
      case 0x24: // 0010 0 100  w-dst *= imm
      case 0x2c: // 0010 1 100  w-dst *= src
        regs[d] = Math.imul(regs[d]!, regs[s]!);
        regs[d + 1] = 0;
        break;
      case 0x37: // 0011 0 111  dst /= imm; signed when off is 1
      case 0x3f: // 0011 1 111  dst /= src; signed when off is 1
        if (code[i + 4] === 0) div64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!, regs[s + 1]!);
        else sdiv64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!, regs[s + 1]!);
        break;
      case 0x34: // 0011 0 100  w-dst /= imm; signed when off is 1
      case 0x3c: // 0011 1 100  w-dst /= src; signed when off is 1
        regs[d] = code[i + 4] === 0 ? div32(regs[d]!, regs[s]!) : sdiv32(regs[d]!, regs[s]!);
        regs[d + 1] = 0;
        break;
      case 0x47: // 0100 0 111  dst |= imm
      case 0x4f: // 0100 1 111  dst |= src
        regs[d] = regs[d]! | regs[s]!;
        regs[d + 1] = regs[d + 1]! | regs[s + 1]!;
        break;
      case 0x44: // 0100 0 100  w-dst |= imm
      case 0x4c: // 0100 1 100  w-dst |= src
        regs[d] = regs[d]! | regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x57: // 0101 0 111  dst &= imm
      case 0x5f: // 0101 1 111  dst &= src
        regs[d] = regs[d]! & regs[s]!;
        regs[d + 1] = regs[d + 1]! & regs[s + 1]!;
        break;
      case 0x54: // 0101 0 100  w-dst &= imm
      case 0x5c: // 0101 1 100  w-dst &= src
        regs[d] = regs[d]! & regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x67: // 0110 0 111  dst <<= imm
      case 0x6f: // 0110 1 111  dst <<= src
        lsh64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!);
        break;
      case 0x64: // 0110 0 100  w-dst <<= imm
      case 0x6c: // 0110 1 100  w-dst <<= src
        regs[d] = regs[d]! << regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x77: // 0111 0 111  dst >>= imm
      case 0x7f: // 0111 1 111  dst >>= src
        rsh64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!);
        break;
      case 0x74: // 0111 0 100  w-dst >>= imm
      case 0x7c: // 0111 1 100  w-dst >>= src
        regs[d] = regs[d]! >>> regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0x87: // 1000 0 111  dst = -dst
        neg64(regs, d, regs[d]!, regs[d + 1]!);
        break;
      case 0x84: // 1000 0 100  w-dst = -dst
        regs[d] = -regs[d]!;
        regs[d + 1] = 0;
        break;
      case 0x97: // 1001 0 111  dst %= imm; signed when off is 1
      case 0x9f: // 1001 1 111  dst %= src; signed when off is 1
        if (code[i + 4] === 0) mod64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!, regs[s + 1]!);
        else smod64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!, regs[s + 1]!);
        break;
      case 0x94: // 1001 0 100  w-dst %= imm; signed when off is 1
      case 0x9c: // 1001 1 100  w-dst %= src; signed when off is 1
        regs[d] = code[i + 4] === 0 ? mod32(regs[d]!, regs[s]!) : smod32(regs[d]!, regs[s]!);
        regs[d + 1] = 0;
        break;
      case 0xa7: // 1010 0 111  dst ^= imm
      case 0xaf: // 1010 1 111  dst ^= src
        regs[d] = regs[d]! ^ regs[s]!;
        regs[d + 1] = regs[d + 1]! ^ regs[s + 1]!;
        break;
      case 0xa4: // 1010 0 100  w-dst ^= imm
      case 0xac: // 1010 1 100  w-dst ^= src
        regs[d] = regs[d]! ^ regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0xb7: // 1011 0 111  dst = imm
        regs[d + 1] = regs[s + 1]!;
        regs[d] = regs[s]!;
        break;
      case 0xbf: // 1011 1 111  dst = src; sign-extended from off bits when off is 8, 16 or 32
        if (code[i + 4] === 0) {
          regs[d + 1] = regs[s + 1]!;
          regs[d] = regs[s]!;
        } else {
          regs[d] = extend(regs[s]!, code[i + 4]!);
          regs[d + 1] = regs[d] >> 31;
        }
        break;
      case 0xb4: // 1011 0 100  w-dst = imm
      case 0xbc: // 1011 1 100  w-dst = src; sign-extended from off bits when off is 8 or 16
        regs[d] = code[i + 4] === 0 ? regs[s]! : extend(regs[s]!, code[i + 4]!);
        regs[d + 1] = 0;
        break;
      case 0xc7: // 1100 0 111  dst s>>= imm
      case 0xcf: // 1100 1 111  dst s>>= src
        arsh64(regs, d, regs[d]!, regs[d + 1]!, regs[s]!);
        break;
      case 0xc4: // 1100 0 100  w-dst s>>= imm
      case 0xcc: // 1100 1 100  w-dst s>>= src
        regs[d] = regs[d]! >> regs[s]!;
        regs[d + 1] = 0;
        break;
      case 0xd4: // 1101 0 100  dst = le(dst), of imm bits: cut off, memory being little-endian
        truncate(regs, d, code[i + 4]!);
        break;
      case 0xdc: // 1101 1 100  dst = be(dst), of imm bits
      case 0xd7: // 1101 0 111  dst = bswap(dst), of imm bits
        byteSwap(regs, d, code[i + 4]!);
        break;
      case 0x05: // 0000 0 101  goto off
      case 0x06: // 0000 0 110  goto imm
        at = code[i + 3]!;
        break;
      case 0x15: // 0001 0 101  if dst == imm goto off
      case 0x1d: // 0001 1 101  if dst == src goto off
        if (regs[d] === regs[s] && regs[d + 1] === regs[s + 1]) at = code[i + 3]!;
        break;
      case 0x16: // 0001 0 110  if w-dst == w-imm goto off
      case 0x1e: // 0001 1 110  if w-dst == w-src goto off
        if (regs[d] === regs[s]) at = code[i + 3]!;
        break;
      case 0x25: // 0010 0 101  if dst > imm goto off
      case 0x2d: // 0010 1 101  if dst > src goto off
        {
          const high = regs[d + 1]! >>> 0;
          const other = regs[s + 1]! >>> 0;
          if (high === other ? regs[d]! >>> 0 > regs[s]! >>> 0 : high > other) at = code[i + 3]!;
        }
        break;
      case 0x26: // 0010 0 110  if w-dst > w-imm goto off
      case 0x2e: // 0010 1 110  if w-dst > w-src goto off
        if (regs[d]! >>> 0 > regs[s]! >>> 0) at = code[i + 3]!;
        break;
      case 0x35: // 0011 0 101  if dst >= imm goto off
      case 0x3d: // 0011 1 101  if dst >= src goto off
        {
          const high = regs[d + 1]! >>> 0;
          const other = regs[s + 1]! >>> 0;
          if (high === other ? regs[d]! >>> 0 >= regs[s]! >>> 0 : high > other) at = code[i + 3]!;
        }
        break;
      case 0x36: // 0011 0 110  if w-dst >= w-imm goto off
      case 0x3e: // 0011 1 110  if w-dst >= w-src goto off
        if (regs[d]! >>> 0 >= regs[s]! >>> 0) at = code[i + 3]!;
        break;
      case 0x45: // 0100 0 101  if dst & imm goto off
      case 0x4d: // 0100 1 101  if dst & src goto off
        if (((regs[d]! & regs[s]!) | (regs[d + 1]! & regs[s + 1]!)) !== 0) at = code[i + 3]!;
        break;
      case 0x46: // 0100 0 110  if w-dst & w-imm goto off
      case 0x4e: // 0100 1 110  if w-dst & w-src goto off
        if ((regs[d]! & regs[s]!) !== 0) at = code[i + 3]!;
        break;
      case 0x55: // 0101 0 101  if dst != imm goto off
      case 0x5d: // 0101 1 101  if dst != src goto off
        if (regs[d] !== regs[s] || regs[d + 1] !== regs[s + 1]) at = code[i + 3]!;
        break;
      case 0x56: // 0101 0 110  if w-dst != w-imm goto off
      case 0x5e: // 0101 1 110  if w-dst != w-src goto off
        if (regs[d] !== regs[s]) at = code[i + 3]!;
        break;
      case 0x65: // 0110 0 101  if dst s> imm goto off
      case 0x6d: // 0110 1 101  if dst s> src goto off
        {
          const high = regs[d + 1]!;
          const other = regs[s + 1]!;
          if (high === other ? regs[d]! >>> 0 > regs[s]! >>> 0 : high > other) at = code[i + 3]!;
        }
        break;
      case 0x66: // 0110 0 110  if w-dst s> w-imm goto off
      case 0x6e: // 0110 1 110  if w-dst s> w-src goto off
        if (regs[d]! > regs[s]!) at = code[i + 3]!;
        break;
      case 0x75: // 0111 0 101  if dst s>= imm goto off
      case 0x7d: // 0111 1 101  if dst s>= src goto off
        {
          const high = regs[d + 1]!;
          const other = regs[s + 1]!;
          if (high === other ? regs[d]! >>> 0 >= regs[s]! >>> 0 : high > other) at = code[i + 3]!;
        }
        break;
      case 0x76: // 0111 0 110  if w-dst s>= w-imm goto off
      case 0x7e: // 0111 1 110  if w-dst s>= w-src goto off
        if (regs[d]! >= regs[s]!) at = code[i + 3]!;
        break;
      case 0xa5: // 1010 0 101  if dst < imm goto off
      case 0xad: // 1010 1 101  if dst < src goto off
        {
          const high = regs[d + 1]! >>> 0;
          const other = regs[s + 1]! >>> 0;
          if (high === other ? regs[d]! >>> 0 < regs[s]! >>> 0 : high < other) at = code[i + 3]!;
        }
        break;
      case 0xa6: // 1010 0 110  if w-dst < w-imm goto off
      case 0xae: // 1010 1 110  if w-dst < w-src goto off
        if (regs[d]! >>> 0 < regs[s]! >>> 0) at = code[i + 3]!;
        break;
      case 0xb5: // 1011 0 101  if dst <= imm goto off
      case 0xbd: // 1011 1 101  if dst <= src goto off
        {
          const high = regs[d + 1]! >>> 0;
          const other = regs[s + 1]! >>> 0;
          if (high === other ? regs[d]! >>> 0 <= regs[s]! >>> 0 : high < other) at = code[i + 3]!;
        }
        break;
      case 0xb6: // 1011 0 110  if w-dst <= w-imm goto off
      case 0xbe: // 1011 1 110  if w-dst <= w-src goto off
        if (regs[d]! >>> 0 <= regs[s]! >>> 0) at = code[i + 3]!;
        break;
      case 0xc5: // 1100 0 101  if dst s< imm goto off
      case 0xcd: // 1100 1 101  if dst s< src goto off
        {
          const high = regs[d + 1]!;
          const other = regs[s + 1]!;
          if (high === other ? regs[d]! >>> 0 < regs[s]! >>> 0 : high < other) at = code[i + 3]!;
        }
        break;
      case 0xc6: // 1100 0 110  if w-dst s< w-imm goto off
      case 0xce: // 1100 1 110  if w-dst s< w-src goto off
        if (regs[d]! < regs[s]!) at = code[i + 3]!;
        break;
      case 0xd5: // 1101 0 101  if dst s<= imm goto off
      case 0xdd: // 1101 1 101  if dst s<= src goto off
        {
          const high = regs[d + 1]!;
          const other = regs[s + 1]!;
          if (high === other ? regs[d]! >>> 0 <= regs[s]! >>> 0 : high < other) at = code[i + 3]!;
        }
        break;
      case 0xd6: // 1101 0 110  if w-dst s<= w-imm goto off
      case 0xde: // 1101 1 110  if w-dst s<= w-src goto off
        if (regs[d]! <= regs[s]!) at = code[i + 3]!;
        break;
      case 0xe5: // 1110 0 101  may_goto off: falls through as often as the frame's budget allows
        if (vm.mayGoto === 0) at = code[i + 3]!;
        else vm.mayGoto--;
        break;
      case 0x85: // 1000 0 101  call imm: a local function (src 1), a helper, or a kernel function (src 2)
        vm.fuel = fuel;
        if (code[i + 4] === BPF_PSEUDO_CALL) {
          vm.push(i, at);
          at = code[i + 3]!;
        } else {
          vm.at = at;
          vm.callHelper(i, vm.program.callees[s]!);
          fuel = vm.fuel;
          ({ code, regs } = vm.program); // a tail call changes the program
          at = vm.at;
        }
        break;
      case 0x8d: // 1000 1 101  call the helper whose number a register holds
        vm.fuel = fuel;
        vm.at = at;
        vm.callByNumber(i, regs[s]!, regs[s + 1]!);
        fuel = vm.fuel;
        ({ code, regs } = vm.program);
        at = vm.at;
        break;
      case 0x95: // 1001 0 101  exit
        if (vm.depth === base) {
          vm.at = at;
          vm.fuel = fuel;
          return true;
        }
        at = vm.pop();
        ({ code, regs } = vm.program);
        break;
      case 0x18: // 000 11 000  dst = a 64-bit constant, in two slots
        regs[d] = regs[s]!;
        regs[d + 1] = regs[s + 1]!;
        at += STRIDE;
        break;
      case 0x71: {
        // 011 10 001  dst = *(u8 *)(src + off)
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 1, false);
        regs[d] = view.getUint8(p);
        regs[d + 1] = 0;
        break;
      }
      case 0x69: {
        // 011 01 001  dst = *(u16 *)(src + off)
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 2, false);
        regs[d] = view.getUint16(p, true);
        regs[d + 1] = 0;
        break;
      }
      case 0x61: {
        // 011 00 001  dst = *(u32 *)(src + off)
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 4, false);
        regs[d] = view.getInt32(p, true);
        regs[d + 1] = 0;
        break;
      }
      case 0x79: {
        // 011 11 001  dst = *(u64 *)(src + off)
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 8, false);
        regs[d] = view.getInt32(p, true);
        regs[d + 1] = view.getInt32(p + 4, true);
        break;
      }
      case 0x91: {
        // 100 10 001  dst = *(s8 *)(src + off), sign-extended
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 1, false);
        regs[d] = view.getInt8(p);
        regs[d + 1] = regs[d] >> 31;
        break;
      }
      case 0x89: {
        // 100 01 001  dst = *(s16 *)(src + off), sign-extended
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 2, false);
        regs[d] = view.getInt16(p, true);
        regs[d + 1] = regs[d] >> 31;
        break;
      }
      case 0x81: {
        // 100 00 001  dst = *(s32 *)(src + off), sign-extended
        let p = regs[s]! + code[i + 3]!;
        if (regs[s + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, s, 4, false);
        regs[d] = view.getInt32(p, true);
        regs[d + 1] = regs[d] >> 31;
        break;
      }
      case 0x72: // 011 10 010  *(u8 *)(dst + off) = imm
      case 0x73: {
        // 011 10 011  *(u8 *)(dst + off) = src
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 1, true);
        view.setUint8(p, regs[s]!);
        break;
      }
      case 0x6a: // 011 01 010  *(u16 *)(dst + off) = imm
      case 0x6b: {
        // 011 01 011  *(u16 *)(dst + off) = src
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 2, true);
        view.setInt16(p, regs[s]!, true);
        break;
      }
      case 0x62: // 011 00 010  *(u32 *)(dst + off) = imm
      case 0x63: {
        // 011 00 011  *(u32 *)(dst + off) = src
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 4, true);
        view.setInt32(p, regs[s]!, true);
        break;
      }
      case 0x7a: // 011 11 010  *(u64 *)(dst + off) = imm
      case 0x7b: {
        // 011 11 011  *(u64 *)(dst + off) = src
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 8, true);
        view.setInt32(p, regs[s]!, true);
        view.setInt32(p + 4, regs[s + 1]!, true);
        break;
      }
      case 0xc3: {
        // 110 00 011  atomic operation imm on *(u32 *)(dst + off)
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 4, true);
        atomic32(view, p, regs, s, code[i + 4]!);
        break;
      }
      case 0xdb: {
        // 110 11 011  atomic operation imm on *(u64 *)(dst + off)
        let p = regs[d]! + code[i + 3]!;
        if (regs[d + 1] !== 0 || p < PAGE_SIZE || p > last) p = vm.address(i, d, 8, true);
        atomic64(view, p, regs, s, code[i + 4]!);
        break;
      }
      case 0x20: // 001 00 000  r0 = be *(u32 *)packet[imm]; 0 ends the function when outside
      case 0x28: // 001 01 000  r0 = be *(u16 *)packet[imm]; 0 ends the function when outside
      case 0x30: // 001 10 000  r0 = be *(u8 *)packet[imm]; 0 ends the function when outside
      case 0x40: // 010 00 000  r0 = be *(u32 *)packet[src + imm]; the same
      case 0x48: // 010 01 000  r0 = be *(u16 *)packet[src + imm]; the same
      case 0x50: // 010 10 000  r0 = be *(u8 *)packet[src + imm]; the same
        if (!vm.legacyLoad(code, i)) at = code.length - STRIDE;
        break;
      default:
        throw vm.fault(i, `has unknown opcode ${code[i]!.toString(16)}`);
    }
  }
}

const div32 = (a: number, b: number): number => (b === 0 ? 0 : (a >>> 0) / (b >>> 0));
const sdiv32 = (a: number, b: number): number => (b === 0 ? 0 : a / b);
const mod32 = (a: number, b: number): number => (b === 0 ? a : (a >>> 0) % (b >>> 0));
const smod32 = (a: number, b: number): number => (b === 0 ? a : a % b);

/** Sign-extend the lowest `bits` of a word. */
const extend = (word: number, bits: number): number => (word << (32 - bits)) >> (32 - bits);

function truncate(regs: Int32Array, d: number, bits: number): void {
  if (bits === 64) return;
  regs[d + 1] = 0;
  if (bits === 16) regs[d] = regs[d]! & 0xffff;
}

function byteSwap(regs: Int32Array, d: number, bits: number): void {
  const lo = swap32(regs[d]!);
  if (bits === 64) {
    regs[d] = swap32(regs[d + 1]!);
    regs[d + 1] = lo;
  } else {
    regs[d] = bits === 32 ? lo : lo >>> 16;
    regs[d + 1] = 0;
  }
}
