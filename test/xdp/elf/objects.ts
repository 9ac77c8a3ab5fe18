/** The objects of test/objects, as bytes. */
import { readFileSync } from 'node:fs';
import type { Btf } from '../../../src/xdp/btf/btf.ts';
import { readBtf } from '../../../src/xdp/btf/btf.ts';
import { readElf } from '../../../src/xdp/elf/elf.ts';

export const objectBytes = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../objects/${name}.o`, import.meta.url)));

/** The types of test/objects/kernel.c, which stands for another kernel. */
export function kernelTypes(): Btf {
  const { sections } = readElf(objectBytes('kernel'), 'kernel.o');
  return readBtf(sections.find(({ name }) => name === '.BTF')!.part);
}
