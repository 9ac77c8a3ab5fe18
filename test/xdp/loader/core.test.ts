import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readBtf } from '../../../src/xdp/btf/btf.ts';
import type { Btf } from '../../../src/xdp/btf/btf.ts';
import { readElf } from '../../../src/xdp/elf/elf.ts';
import { relocateCore } from '../../../src/xdp/loader/core/relocate.ts';
import { objectBytes } from '../elf/objects.ts';
import { inLibbpfWords, normalised } from './libbpf.ts';
import type { LibbpfAnswer } from './libbpf.ts';
import { specOf } from './rig.ts';

function kernelTypes(): Btf {
  const { sections } = readElf(objectBytes('kernel'), 'kernel.o');
  return readBtf(sections.find(({ name }) => name === '.BTF')!.part);
}

test.each(['core-14', 'core-16', 'core-19'])(
  '%s.o against another kernel, as libbpf relocates it',
  (name) => {
    const spec = specOf(name);
    for (const program of Object.values(spec.programs)) {
      program.insns = relocateCore(spec.file, program, kernelTypes());
    }
    const url = new URL(`../../vectors/loader/${name}.json`, import.meta.url);
    const answer = JSON.parse(readFileSync(url, 'utf8')) as LibbpfAnswer;
    expect(inLibbpfWords(spec)).toEqual(normalised(answer));
  },
);
