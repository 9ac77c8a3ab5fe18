import { printable } from '../../host/errors.ts';

/** What is wrong with an object file, and where: one line with file, section, offset and reason. */
export class ElfError extends Error {
  readonly file: string;
  /** A section's name, or the part of the file that is no section, such as "ELF header". */
  readonly section: string;
  /** Bytes from the start of that section. */
  readonly offset: number;
  readonly reason: string;

  constructor(file: string, section: string, offset: number, reason: string) {
    super(printable(`${file}: ${section}, offset 0x${offset.toString(16)}: ${reason}`));
    this.name = 'ElfError';
    this.file = file;
    this.section = section;
    this.offset = offset;
    this.reason = reason;
  }
}

/** The same for type information, whether it lies in an object or in a file of its own. */
export class BtfError extends ElfError {
  constructor(file: string, section: string, offset: number, reason: string) {
    super(file, section, offset, reason);
    this.name = 'BtfError';
  }
}
