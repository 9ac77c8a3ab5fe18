/**
 * A type that a typed pointer points to: of the program's own BTF by number, or of the kernel by name.
 *
 * There is no kernel here whose BTF could be asked, so kernel types are names; what stands behind a name
 * is in `kernelStructs.ts`, or in the kernel's types that were given.
 */
export interface BtfRef {
  readonly owner: 'kernel' | 'program';
  /** Number in the program's BTF; 0 for kernel types. */
  readonly id: number;
  readonly name: string;
}

export const kernelType = (name: string): BtfRef => ({ owner: 'kernel', id: 0, name });

export const btfRefEqual = (a: BtfRef | null, b: BtfRef | null): boolean =>
  a === b ||
  (a !== null && b !== null && a.owner === b.owner && a.id === b.id && a.name === b.name);
