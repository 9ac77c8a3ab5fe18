/**
 * The hash of map keys: Bob Jenkins' lookup3, over little-endian words.
 *
 * A key whose length is no multiple of 4 is padded with zeros by the caller; its length in bytes
 * still goes into the hash, so that this one function answers as both of the kernel's do.
 *
 * @linux jhash, jhash2; include/linux/jhash.h
 * @spec Bob Jenkins, lookup3.c, 2006
 */
import type { HostWords } from '../../host/memory.ts';

const INITVAL: number = 0xdead_beef | 0;

/**
 * @param at index of the key's first word
 * @param bytes length of the key before padding
 * @returns an int32
 */
export function jhash(words: HostWords, at: number, bytes: number, seed: number): number {
  let a = (INITVAL + bytes + seed) | 0;
  let b = a;
  let c = a;
  let left = (bytes + 3) >> 2;
  while (left > 3) {
    a = (a + words[at]!) | 0;
    b = (b + words[at + 1]!) | 0;
    c = (c + words[at + 2]!) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
    left -= 3;
    at += 3;
  }
  if (left === 0) return c;
  a = (a + words[at]!) | 0;
  if (left > 1) b = (b + words[at + 1]!) | 0;
  if (left > 2) c = (c + words[at + 2]!) | 0;
  c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0;
  a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0;
  b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0;
  c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0;
  a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0;
  b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0;
  return ((c ^ b) - ((b << 24) | (b >>> 8))) | 0;
}
