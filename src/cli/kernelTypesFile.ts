/** `--btf FILE`: the types of a kernel. */
import { readKernelTypes } from '../lab/bpfObject.ts';
import { readBytes } from '../lab/files.ts';
import type { Btf } from '../xdp/btf/btf.ts';

/** @returns null when no file was named @throws InputError, ElfError, BtfError */
export const kernelTypesAt = async (name: string | undefined): Promise<Btf | null> =>
  name === undefined ? null : readKernelTypes(name, await readBytes('--btf', name));
