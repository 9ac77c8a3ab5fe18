/** A line of assembly that cannot be understood. */
export class AsmError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'AsmError';
  }

  /** What `make` gives, or an AsmError that says where. @param line from 1; null: the whole text */
  static at<T>(line: number | null, statement: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const where = line === null ? '' : `line ${line}, ${statement}: `;
      throw new AsmError(`${where}${error.message}`);
    }
  }
}
