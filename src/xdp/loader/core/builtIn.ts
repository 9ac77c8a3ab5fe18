/** The types that CO-RE relocates against where the caller gives no kernel's. */
import type { Btf } from '../../btf/btf.ts';
import { describedTypes } from './describedTypes.ts';
import { KERNEL_TYPES } from './kernelTypes.ts';

let types: Btf | null = null;

export function builtInTypes(): Btf {
  types ??= describedTypes(KERNEL_TYPES, 'built-in types');
  return types;
}
